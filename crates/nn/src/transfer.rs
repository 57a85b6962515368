//! The frame of the ImageNet networks: colours before, the head after, and chunks of a batch on
//! several threads.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use super::burn_cpu::is_untracked;
use super::{ForwardPass, Grey, Head, Layout, TrainingStep};

/// Images of a chunk that one thread takes through all layers, so that threads need not meet after
/// each layer. The number is fixed, since sums in another order differ in their last digits.
const CHUNK: usize = 8;

/// The layers of an ImageNet network before its head, for images of 128 x 128 pixels.
pub trait Base: Module + Sync {
    /// The number of features that reach the head: channels times pixels.
    const FEATURES: usize;

    /// The layers with all convolutions at zero.
    fn new(layout: Layout, device: &Device) -> Self;

    /// The features that reach the head.
    ///
    /// # Shapes
    /// - `images`: `[batch, 3, 128, 128]`
    /// - output: `[batch, channels, height, width]`, [`FEATURES`](Self::FEATURES) for each image
    fn features(&self, images: Tensor<4>, pass: &mut ForwardPass) -> Tensor<4>;
}

/// An ImageNet network between [`Grey`] and the head of the paper, [`Head`].
#[derive(Module, Debug)]
pub struct Transfer<B: Module> {
    pub(super) grey: Grey,
    pub(super) base: B,
    head: Head,
    #[module(skip)]
    layout: Layout,
}

impl<B: Base> Transfer<B> {
    /// A network for `classes` classes with all convolutions at zero.
    pub(super) fn new(layout: Layout, classes: usize, device: &Device) -> Self {
        Self {
            grey: Grey::new(device),
            base: B::new(layout, device),
            head: Head::new(B::FEATURES, classes, device),
            layout,
        }
    }

    /// Whose conventions it follows.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    pub(super) const fn head(&self) -> &Head {
        &self.head
    }

    fn features(&self, images: Tensor<4>, pass: &mut ForwardPass) -> Tensor<4> {
        self.base.features(self.grey.forward(images), pass)
    }

    /// The logits.
    ///
    /// # Shapes
    /// - `images`: `[batch, 1, 128, 128]`, output: `[batch, classes]`
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let [batch, ..] = images.dims();
        if batch <= CHUNK || !is_untracked(&images.clone().into_dispatch()) {
            return self.forward_chunk(images);
        }
        let chunks = images.split(CHUNK, 0).into_par_iter();
        Tensor::cat(chunks.map(|images| self.forward_chunk(images)).collect(), 0)
    }

    fn forward_chunk(&self, images: Tensor<4>) -> Tensor<2> {
        let features = self.features(images, &mut ForwardPass::inference());
        self.head.forward(features)
    }

    /// The logits in training: batch statistics and dropout.
    ///
    /// # Shapes
    /// As [`forward`](Self::forward).
    pub fn forward_training(&mut self, images: Tensor<4>, step: TrainingStep) -> Tensor<2> {
        let features = self.features_training(images, step);
        self.head.forward_training(features, step)
    }

    /// The features that reach the head, in training.
    ///
    /// # Shapes
    /// - `images`: `[batch, 1, 128, 128]`, output: as of [`Base::features`]
    pub(super) fn features_training(&mut self, images: Tensor<4>, step: TrainingStep) -> Tensor<4> {
        let mut pass = ForwardPass::training();
        let features = self.features(images, &mut pass);
        self.base = pass.update_running_statistics(self.base.clone(), step);
        features
    }

    /// The activation of the first convolution of each block.
    ///
    /// # Shapes
    /// - `images`: `[batch, 1, 128, 128]`
    /// - output: `[batch, channels, size, size]` for each block
    pub fn activations(&self, images: Tensor<4>) -> Vec<Tensor<4>> {
        let mut pass = ForwardPass::inference();
        self.features(images, &mut pass);
        pass.into_activations()
    }

    /// The activation of the last convolution, before a pool if one follows, and the features that
    /// reach the head.
    ///
    /// # Shapes
    /// - `images`: `[batch, 1, 128, 128]`
    /// - outputs: `[batch, channels, height, width]`, the second smaller where there is a pool
    pub(super) fn last_activation(&self, images: Tensor<4>) -> [Tensor<4>; 2] {
        let mut pass = ForwardPass::inference();
        let features = self.features(images, &mut pass);
        let activation = pass.into_before_pool().unwrap_or_else(|| features.clone());
        [activation, features]
    }
}
