use burn::module::Module;
use burn::tensor::{Device, Tensor};
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use super::burn_cpu::is_plain;
use super::{Grey, Head, Layout, Pass, Step};

/// Images that one thread of a processor takes through a network, lest threads meet after each layer:
/// always as many, since what is summed in another order is not the same in its last digits.
const PART: usize = 8;

/// The layers of a network of ImageNet before its head, for images of 128 x 128 pixels.
pub trait Base: Module + Sync {
    /// The number of features that reach the head: channels times pixels.
    const FEATURES: usize;

    /// The layers with all convolutions at zero.
    fn new(layout: Layout, device: &Device) -> Self;

    /// What reaches the head.
    ///
    /// # Shapes
    /// - `images`: `[batch, 3, 128, 128]`
    /// - output: `[batch, channels, height, width]`, [`FEATURES`](Self::FEATURES) for each image
    fn features(&self, images: Tensor<4>, pass: &mut Pass) -> Tensor<4>;
}

/// A network of ImageNet between [`Grey`] and the paper's [`Head`].
#[derive(Module, Debug)]
pub struct Transfer<B: Module> {
    pub(super) grey: Grey,
    pub(super) base: B,
    pub(super) head: Head,
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

    fn features(&self, images: Tensor<4>, pass: &mut Pass) -> Tensor<4> {
        self.base.features(self.grey.forward(images), pass)
    }

    /// The logits.
    ///
    /// # Shapes
    /// - `images`: `[batch, 1, 128, 128]`, output: `[batch, classes]`
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let [batch, ..] = images.dims();
        if batch <= PART || !is_plain(&images.clone().into_dispatch()) {
            return self.part(images);
        }
        let parts = images.split(PART, 0).into_par_iter();
        Tensor::cat(parts.map(|images| self.part(images)).collect(), 0)
    }

    fn part(&self, images: Tensor<4>) -> Tensor<2> {
        let features = self.features(images, &mut Pass::inference());
        self.head.forward(features)
    }

    /// The logits in training: batch statistics and dropout.
    ///
    /// # Shapes
    /// As [`forward`](Self::forward).
    pub fn forward_training(&mut self, images: Tensor<4>, step: Step) -> Tensor<2> {
        let features = self.features_training(images, step);
        self.head.forward_training(features, step)
    }

    /// What reaches the head in training.
    ///
    /// # Shapes
    /// - `images`: `[batch, 1, 128, 128]`, output: as of [`Base::features`]
    pub(super) fn features_training(&mut self, images: Tensor<4>, step: Step) -> Tensor<4> {
        let mut pass = Pass::training();
        let features = self.features(images, &mut pass);
        self.base = pass.follow(self.base.clone(), step);
        features
    }

    /// What the first convolution of each block gives, after its activation.
    ///
    /// # Shapes
    /// - `images`: `[batch, 1, 128, 128]`
    /// - output: `[batch, channels, size, size]` for each block
    pub fn activations(&self, images: Tensor<4>) -> Vec<Tensor<4>> {
        let mut pass = Pass::inference();
        self.features(images, &mut pass);
        pass.into_shown()
    }

    /// What the last convolution gives, after its activation and before a last pool, and what reaches
    /// the head.
    ///
    /// # Shapes
    /// - `images`: `[batch, 1, 128, 128]`
    /// - outputs: `[batch, channels, height, width]`, the second smaller where there is a pool
    pub(super) fn last_activation(&self, images: Tensor<4>) -> [Tensor<4>; 2] {
        let mut pass = Pass::inference();
        let features = self.features(images, &mut pass);
        let activation = pass.into_pooled().unwrap_or_else(|| features.clone());
        [activation, features]
    }
}
