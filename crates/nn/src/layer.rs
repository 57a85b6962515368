//! The layer of the paper's own networks.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Initializer, PaddingConfig2d};
use burn::tensor::{Device, Tensor};

use super::{BatchNorm, TrainingStep};

/// A 3x3 convolution (stride 1, zero borders, same size) and the batch normalisation after it.
///
/// The activation is left to the caller, because a skip connection is added before it. That is
/// also why normalisation precedes activation here, although the paper's list names them the
/// other way round: only then is the sum of a skip the last thing before a layer's activation.
/// The convolution has no bias: normalisation takes any constant away again. The number of
/// parameters agrees with the paper's 1.11 million.
#[derive(Module, Debug)]
pub struct Layer {
    /// Weight `[channels_out, channels_in, 3, 3]`.
    pub convolution: Conv2d,
    /// Over `channels_out` channels.
    pub norm: BatchNorm,
}

impl Layer {
    /// A layer with all weights at zero: [`Network::new`](super::Network::new) draws them.
    pub fn new(channels_in: usize, channels_out: usize, device: &Device) -> Self {
        Self {
            convolution: Conv2dConfig::new([channels_in, channels_out], [3, 3])
                .with_padding(PaddingConfig2d::Same)
                .with_bias(false)
                .with_initializer(Initializer::Zeros)
                .init(device),
            norm: BatchNorm::new(channels_out, device),
        }
    }

    /// Convolution and normalisation by the running statistics.
    ///
    /// # Shapes
    /// - `images`: `[batch, channels_in, height, width]`
    /// - output: `[batch, channels_out, height, width]`, before the activation
    pub fn forward(&self, images: Tensor<4>) -> Tensor<4> {
        self.norm.forward(self.convolution.forward(images))
    }

    /// As [`forward`](Self::forward), by the batch's own statistics.
    pub fn forward_training(&mut self, images: Tensor<4>, step: TrainingStep) -> Tensor<4> {
        self.norm
            .forward_training(self.convolution.forward(images), step)
    }
}

/// The mean of each 2x2 square.
///
/// # Shapes
/// - `images`: `[batch, channels, height, width]`, output: half as high and wide
pub(super) fn average_pool(images: Tensor<4>) -> Tensor<4> {
    burn::tensor::module::avg_pool2d(images, burn::tensor::ops::AvgPoolOptions::new([2, 2]))
}
