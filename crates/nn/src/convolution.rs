//! A convolution with the normalisation after it, if any.

use burn::module::{Module, Param};
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor};

use super::convolve::convolve;
use super::normalize::Activation;
use super::{BatchNorm, ForwardPass};

/// A convolution with the normalisation after it, if any.
#[derive(Module, Debug)]
pub struct Convolution {
    /// `[channels_out, channels_in / groups, height, width]`
    pub weight: Param<Tensor<4>>,
    /// `[channels_out]`
    pub bias: Option<Param<Tensor<1>>>,
    /// Over `channels_out` channels.
    pub norm: Option<BatchNorm>,
    #[module(skip)]
    options: ConvOptions<2>,
}

impl Convolution {
    /// A convolution whose output is as large as its input, with all weights at zero, without bias
    /// and without normalisation. The sides of the filter are odd.
    pub(super) fn new(channels: [usize; 2], kernel: [usize; 2], device: &Device) -> Self {
        let [before, after] = channels;
        let [height, width] = kernel;
        let weight = Tensor::zeros([after, before, height, width], device);
        Self {
            weight: Param::from_tensor(weight),
            bias: None,
            norm: None,
            options: ConvOptions::new([1, 1], kernel.map(|side| side / 2), [1, 1], 1),
        }
    }

    /// A depthwise 3x3 convolution, otherwise as [`new`](Self::new).
    pub(super) fn depthwise(channels: usize, device: &Device) -> Self {
        let mut convolution = Self::new([1, channels], [3, 3], device);
        convolution.options.groups = channels;
        convolution
    }

    /// The same convolution with a stride in both directions.
    pub(super) fn with_stride(mut self, stride: usize) -> Self {
        self.options.stride = [stride; 2];
        self
    }

    /// The same convolution with so many zeros before the first and after the last row and column.
    pub(super) fn with_padding(mut self, before: usize, after: usize) -> Self {
        self.options.padding = [(before, after); 2];
        self
    }

    /// The same convolution with a bias of zero.
    pub(super) fn with_bias(mut self) -> Self {
        let [channels, ..] = self.weight.dims();
        let bias = Tensor::zeros([channels], &self.weight.device());
        self.bias = Some(Param::from_tensor(bias));
        self
    }

    /// The same convolution with normalisation.
    pub(super) fn with_norm(mut self, epsilon: f64) -> Self {
        let [channels, ..] = self.weight.dims();
        let norm = BatchNorm::new(channels, &self.weight.device());
        self.norm = Some(norm.with_epsilon(epsilon));
        self
    }

    /// Convolution, normalisation and activation.
    ///
    /// # Shapes
    /// - `images`: `[batch, channels_in, height, width]`
    /// - output: `[batch, channels_out, height, width]` where stride and padding decide the size
    pub(super) fn forward(
        &self,
        images: Tensor<4>,
        activation: Activation,
        pass: &mut ForwardPass,
    ) -> Tensor<4> {
        let bias = self.bias.as_ref().map(Param::val);
        let (weight, options) = (self.weight.val(), self.options.clone());
        match &self.norm {
            Some(norm) => {
                let images = convolve(images, weight, None, options);
                pass.normalize(norm, images, bias, activation)
            }
            None => activation.apply(convolve(images, weight, bias, options)),
        }
    }
}
