//! ResNet50 in the conventions of Keras and of PyTorch.

use burn::module::Module;
use burn::tensor::activation::relu;
use burn::tensor::module::max_pool2d;
use burn::tensor::ops::MaxPoolOptions;
use burn::tensor::{Device, Tensor};

use super::normalize::Activation;
use super::transfer::Base;
use super::{Convolution, ForwardPass, Layout};

/// Channels within a unit, and units, of the four stages; a unit gives four times the channels.
const STAGES: [(usize, usize); 4] = [(64, 3), (128, 4), (256, 6), (512, 3)];

/// ResNet50 (He et al., 2015) up to its last unit: a 7x7 convolution and a pool, then four stages
/// of bottleneck units of a 1x1, a 3x3 and a 1x1 convolution with a skip connection around them.
///
/// As in Keras every convolution has a bias, although the normalisation that follows cancels it, so
/// that it is never trained; PyTorch's have none, which is a bias of zero. It has 23,534,592
/// parameters. Activation maps show the first convolution and that of each of the four stages.
#[derive(Module, Debug)]
pub struct ResNet50 {
    stem: Convolution,
    stages: Vec<Vec<Unit>>,
}

impl Base for ResNet50 {
    // 2048 channels of 4 x 4 pixels.
    const FEATURES: usize = 32_768;

    fn new(layout: Layout, device: &Device) -> Self {
        let mut before = 64;
        let mut stage = |stage: usize, channels: usize, units: usize| {
            let unit = |number| {
                let stride = if stage > 0 && number == 0 { 2 } else { 1 };
                let channels_in = std::mem::replace(&mut before, 4 * channels);
                Unit::new([channels_in, channels], number == 0, stride, layout, device)
            };
            (0..units).map(unit).collect()
        };
        let stages = (0..).zip(STAGES);
        Self {
            stem: convolution([3, 64], 7, layout, device).with_stride(2),
            stages: stages
                .map(|(number, (channels, units))| stage(number, channels, units))
                .collect(),
        }
    }

    fn features(&self, images: Tensor<4>, pass: &mut ForwardPass) -> Tensor<4> {
        let images = self.stem.forward(images, Activation::Relu, pass); // [batch, 64, 64, 64]
        pass.record(&images);
        let pool = MaxPoolOptions::new([3, 3])
            .with_stride([2, 2])
            .with_padding([1, 1]);
        let mut images = max_pool2d(images, pool); // [batch, 64, 32, 32]
        for stage in &self.stages {
            for (number, unit) in stage.iter().enumerate() {
                images = unit.forward(images, number == 0, pass);
            }
        }
        images // [batch, 2048, 4, 4]
    }
}

/// A bottleneck: three convolutions, to whose output their input is added.
#[derive(Module, Debug)]
struct Unit {
    shortcut: Option<Convolution>,
    reduce: Convolution,
    inner: Convolution,
    expand: Convolution,
}

impl Unit {
    fn new(
        channels: [usize; 2],
        has_shortcut: bool,
        stride: usize,
        layout: Layout,
        device: &Device,
    ) -> Self {
        let [before, inside] = channels;
        let one = |channels| convolution(channels, 1, layout, device);
        let (first, second) = match layout {
            Layout::Keras => (stride, 1),
            Layout::PyTorch => (1, stride),
        };
        Self {
            shortcut: has_shortcut.then(|| one([before, 4 * inside]).with_stride(stride)),
            reduce: one([before, inside]).with_stride(first),
            inner: convolution([inside; 2], 3, layout, device).with_stride(second),
            expand: one([inside, 4 * inside]),
        }
    }

    /// # Shapes
    /// - `images`: `[batch, channels_in, height, width]`
    /// - output: `[batch, 4 * channels, height / stride, width / stride]`
    fn forward(&self, images: Tensor<4>, shown: bool, pass: &mut ForwardPass) -> Tensor<4> {
        let skip = match &self.shortcut {
            Some(shortcut) => shortcut.forward(images.clone(), Activation::None, pass),
            None => images.clone(),
        };
        let images = self.reduce.forward(images, Activation::Relu, pass);
        if shown {
            pass.record(&images);
        }
        let images = self.inner.forward(images, Activation::Relu, pass);
        relu(skip + self.expand.forward(images, Activation::None, pass))
    }
}

fn convolution(channels: [usize; 2], side: usize, layout: Layout, device: &Device) -> Convolution {
    let epsilon = match layout {
        Layout::Keras => 1.001e-5,
        Layout::PyTorch => 1e-5,
    };
    Convolution::new(channels, [side, side], device)
        .with_bias()
        .with_norm(epsilon)
}
