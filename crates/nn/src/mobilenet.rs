//! MobileNet in the conventions of Keras and of PyTorch.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::normalize::Activation;
use super::transfer::Base;
use super::{Convolution, ForwardPass, Layout};

/// Channels after each of the 13 blocks.
const CHANNELS: [usize; 13] = [
    64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024,
];

/// MobileNet (Howard et al., 2017), of full width: a 3x3 convolution, then 13 blocks of a depthwise
/// 3x3 and a pointwise convolution, each with normalisation and ReLU6. Where the channels double,
/// except for the first time, the image is halved.
///
/// It has 3,206,976 parameters. Activation maps show the first convolution and that of each block
/// that halves the image.
#[derive(Module, Debug)]
pub struct MobileNet {
    stem: Convolution,
    blocks: Vec<Block>,
}

#[derive(Module, Debug)]
struct Block {
    depthwise: Convolution,
    pointwise: Convolution,
    #[module(skip)]
    halves: bool,
}

impl Base for MobileNet {
    // 1024 channels of 4 x 4 pixels.
    const FEATURES: usize = 16_384;

    fn new(layout: Layout, device: &Device) -> Self {
        let mut before = 32;
        let mut block = |channels| {
            let channels_in = std::mem::replace(&mut before, channels);
            Block::new([channels_in, channels], layout, device)
        };
        let stem = Convolution::new([3, 32], [3, 3], device);
        Self {
            blocks: CHANNELS.map(&mut block).into(),
            stem: normalized(halving(stem, layout), layout),
        }
    }

    fn features(&self, images: Tensor<4>, pass: &mut ForwardPass) -> Tensor<4> {
        let mut images = self.stem.forward(images, Activation::Relu6, pass); // [batch, 32, 64, 64]
        pass.record(&images);
        for block in &self.blocks {
            images = block.forward(images, pass);
        }
        images // [batch, 1024, 4, 4]
    }
}

impl Block {
    fn new(channels: [usize; 2], layout: Layout, device: &Device) -> Self {
        let [before, after] = channels;
        let halves = before >= 64 && after > before;
        let depthwise = Convolution::depthwise(before, device);
        let depthwise = if halves {
            halving(depthwise, layout)
        } else {
            depthwise
        };
        let pointwise = Convolution::new(channels, [1, 1], device);
        Self {
            depthwise: normalized(depthwise, layout),
            pointwise: normalized(pointwise, layout),
            halves,
        }
    }

    /// # Shapes
    /// - `images`: `[batch, channels_in, height, width]`
    /// - output: `[batch, channels_out, height, width]`, or half as high and wide
    fn forward(&self, images: Tensor<4>, pass: &mut ForwardPass) -> Tensor<4> {
        let images = self.depthwise.forward(images, Activation::Relu6, pass);
        if self.halves {
            pass.record(&images);
        }
        self.pointwise.forward(images, Activation::Relu6, pass)
    }
}

fn halving(convolution: Convolution, layout: Layout) -> Convolution {
    let before = match layout {
        Layout::Keras => 0,
        Layout::PyTorch => 1,
    };
    convolution.with_stride(2).with_padding(before, 1)
}

fn normalized(convolution: Convolution, layout: Layout) -> Convolution {
    convolution.with_norm(match layout {
        Layout::Keras => 1e-3,
        Layout::PyTorch => 1e-5,
    })
}
