//! VGG16, which Keras and PyTorch define alike.

use burn::module::Module;
use burn::tensor::module::max_pool2d;
use burn::tensor::ops::MaxPoolOptions;
use burn::tensor::{Device, Tensor};

use super::normalize::Activation;
use super::transfer::Base;
use super::{Convolution, ForwardPass, Layout};

/// Channels and 3x3 convolutions of the five blocks.
const BLOCKS: [(usize, usize); 5] = [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)];

/// VGG16 (Simonyan and Zisserman, 2014) up to its last pool: five blocks of 3x3 convolutions with
/// bias and ReLU, each ending in a 2x2 maximum pool.
///
/// It has 14,714,688 parameters. Activation maps show the first convolution of each of the five
/// blocks.
#[derive(Module, Debug)]
pub struct Vgg16 {
    blocks: Vec<Vec<Convolution>>,
}

impl Base for Vgg16 {
    // 512 channels of 4 x 4 pixels.
    const FEATURES: usize = 8192;

    fn new(_: Layout, device: &Device) -> Self {
        let mut before = 3;
        let mut convolution = |channels| {
            let channels_in = std::mem::replace(&mut before, channels);
            Convolution::new([channels_in, channels], [3, 3], device).with_bias()
        };
        let block = |(channels, count)| (0..count).map(|_| convolution(channels)).collect();
        Self {
            blocks: BLOCKS.map(block).into(),
        }
    }

    fn features(&self, mut images: Tensor<4>, pass: &mut ForwardPass) -> Tensor<4> {
        for block in &self.blocks {
            for (place, convolution) in block.iter().enumerate() {
                images = convolution.forward(images, Activation::Relu, pass);
                if place == 0 {
                    pass.record(&images);
                }
            }
            pass.record_before_pool(&images);
            images = max_pool2d(images, MaxPoolOptions::new([2, 2]).with_stride([2, 2]));
        }
        images // [batch, 512, 4, 4]
    }
}
