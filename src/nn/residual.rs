use burn::module::Module;
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

use super::layer::average_pool;
use super::linear::{CHANNELS, CONVOLUTIONS, FEATURES};
use super::{Head, Layer, Step};

/// The network "Residual" (paper, "Networks").
///
/// [`Linear`](super::Linear) with a skip connection around every other convolution: the six layers
/// of a block are three pairs, and the input of a pair is added before the activation of its
/// second layer. Where a block widens the image, the input has fewer channels than the output; it
/// is then added to the first of them, as if the others were zero. This needs no parameters
/// (option A of He et al. 2016), and leaves ten layers a block, as many as lie between the
/// layers that the paper shows (2, 12, 22, 32); a projection would be one more.
/// The parameters are those of `Linear`, by name and shape.
#[derive(Module, Debug)]
pub struct Residual {
    pub(super) stem: Layer,
    blocks: Vec<Block>,
    pub(super) head: Head,
}

impl Residual {
    /// A network for `classes` classes with all convolutions at zero.
    pub fn new(classes: usize, device: &Device) -> Self {
        let mut channels = CHANNELS[0];
        let block = |width| Block::new(std::mem::replace(&mut channels, width), width, device);
        Self {
            stem: Layer::new(1, CHANNELS[0], device),
            blocks: CHANNELS.map(block).into(),
            head: Head::new(FEATURES, classes, device),
        }
    }

    /// The logits.
    ///
    /// # Shapes
    /// - `images`: `[batch, 1, 128, 128]`, output: `[batch, classes]`
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let mut images = relu(self.stem.forward(images)); // [batch, 16, 128, 128]
        for block in &self.blocks {
            images = block.forward(images);
        }
        self.head.forward(images) // from [batch, 128, 8, 8]
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
    /// - `images`: `[batch, 1, 128, 128]`, output: `[batch, 128, 8, 8]`
    pub(super) fn features_training(&mut self, images: Tensor<4>, step: Step) -> Tensor<4> {
        let mut images = relu(self.stem.forward_training(images, step)); // [batch, 16, 128, 128]
        for block in &mut self.blocks {
            images = block.forward_training(images, step);
        }
        images
    }

    /// What the first layer of each block gives, after its activation.
    ///
    /// # Shapes
    /// - `images`: `[batch, 1, 128, 128]`
    /// - output: `[batch, channels, size, size]` for each of the four blocks
    pub fn activations(&self, images: Tensor<4>) -> Vec<Tensor<4>> {
        let mut images = relu(self.stem.forward(images));
        let mut first = Vec::with_capacity(self.blocks.len());
        for block in &self.blocks {
            first.push(relu(block.layers[0].forward(images.clone())));
            images = block.forward(images);
        }
        first
    }
}

/// Three pairs of layers, each with a skip connection, and a pool.
#[derive(Module, Debug)]
pub(super) struct Block {
    layers: Vec<Layer>,
}

impl Block {
    pub(super) fn new(channels_in: usize, channels: usize, device: &Device) -> Self {
        Self {
            layers: (0..CONVOLUTIONS)
                .map(|i| {
                    Layer::new(
                        if i == 0 { channels_in } else { channels },
                        channels,
                        device,
                    )
                })
                .collect(),
        }
    }

    /// # Shapes
    /// - `images`: `[batch, channels_in, height, width]`
    /// - output: `[batch, channels, height / 2, width / 2]`
    pub(super) fn forward(&self, mut images: Tensor<4>) -> Tensor<4> {
        for pair in self.layers.chunks_exact(2) {
            let inner = relu(pair[0].forward(images.clone()));
            images = relu(skip(pair[1].forward(inner), images));
        }
        average_pool(images)
    }

    /// As [`forward`](Self::forward), by the batch's own statistics.
    pub(super) fn forward_training(&mut self, mut images: Tensor<4>, step: Step) -> Tensor<4> {
        for pair in self.layers.chunks_exact_mut(2) {
            let inner = relu(pair[0].forward_training(images.clone(), step));
            images = relu(skip(pair[1].forward_training(inner, step), images));
        }
        average_pool(images)
    }
}

/// Adds the input of a pair to the output of its second layer.
///
/// # Shapes
/// - `images`: `[batch, channels, height, width]`, output: the same
/// - `input`: `[batch, channels_in, height, width]`, with no more channels than `images`
fn skip(images: Tensor<4>, input: Tensor<4>) -> Tensor<4> {
    let [batch, channels, height, width] = images.dims();
    let missing = channels - input.dims()[1];
    if missing == 0 {
        return images + input;
    }
    let zeros = Tensor::zeros([batch, missing, height, width], &input.device());
    images + Tensor::cat(vec![input, zeros], 1)
}
