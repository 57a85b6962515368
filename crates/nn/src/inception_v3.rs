//! InceptionV3 in the conventions of Keras and of PyTorch.

use burn::module::Module;
use burn::tensor::module::max_pool2d;
use burn::tensor::ops::MaxPoolOptions;
use burn::tensor::{Device, Tensor};

use super::convolve::average_pool;
use super::normalize::Activation;
use super::transfer::Base;
use super::{Convolution, ForwardPass, Layout};

const EPSILON: f64 = 1e-3;
/// Convolutions of the stem before its first pool, and between its first and second.
const STEM: [usize; 2] = [3, 2];
/// The mixed blocks whose first convolution is shown: the first of each size.
const SHOWN: [usize; 3] = [0, 4, 9];

/// InceptionV3 (Szegedy et al., 2015) up to its last block: five convolutions and two pools, then
/// eleven blocks, each of which puts the channels of several branches side by side.
///
/// No convolution has a bias. As Keras has it normalisation has no scale either; where the weights
/// come from PyTorch it has one. It has 21,768,352 parameters, or 17,216 more. Activation maps
/// show the first convolution, the one after the first pool, and the first of the first block of
/// each size: `mixed0`, `mixed4` and `mixed9` by Keras' names.
#[derive(Module, Debug)]
pub struct InceptionV3 {
    stem: Vec<Convolution>,
    mixed: Vec<Mixed>,
}

/// Branches side by side; those of convolutions in the order in which Keras makes them.
#[derive(Module, Debug)]
struct Mixed {
    branches: Vec<Branch>,
    /// After an average; a block without it halves the image, and has a maximum in its place.
    pooled: Option<Convolution>,
    #[module(skip)]
    counts_border: bool,
}

/// Convolutions one after another, and then two side by side, if any.
#[derive(Module, Debug)]
struct Branch {
    layers: Vec<Convolution>,
    fork: Vec<Convolution>,
}

impl Base for InceptionV3 {
    // 2048 channels of 2 x 2 pixels.
    const FEATURES: usize = 8192;

    fn new(layout: Layout, device: &Device) -> Self {
        let build = Builder { layout, device };
        let stem = [
            build.halving([3, 32]),
            build.layer([32, 32], [3, 3]).with_padding(0, 0),
            build.layer([32, 64], [3, 3]),
            build.layer([64, 80], [1, 1]),
            build.layer([80, 192], [3, 3]).with_padding(0, 0),
        ];
        let large = [(192, 32), (256, 64), (288, 64)];
        let middle = [128, 160, 160, 192];
        let mut mixed: Vec<_> = large
            .map(|(before, pooled)| build.large(before, pooled))
            .into();
        mixed.push(build.large_to_middle());
        mixed.extend(middle.map(|inside| build.middle(inside)));
        mixed.push(build.middle_to_small());
        mixed.extend([1280, 2048].map(|before| build.small(before)));
        Self {
            stem: stem.into(),
            mixed,
        }
    }

    fn features(&self, mut images: Tensor<4>, pass: &mut ForwardPass) -> Tensor<4> {
        let (first, second) = self.stem.split_at(STEM[0]);
        for part in [first, second] {
            for (place, convolution) in part.iter().enumerate() {
                images = convolution.forward(images, Activation::Relu, pass);
                if place == 0 {
                    pass.record(&images);
                }
            }
            images = maximum(images);
        } // [batch, 192, 13, 13]
        for (number, mixed) in self.mixed.iter().enumerate() {
            images = mixed.forward(images, SHOWN.contains(&number), pass);
        }
        images // [batch, 2048, 2, 2]
    }
}

impl Mixed {
    /// # Shapes
    /// - `images`: `[batch, channels_in, height, width]`
    /// - output: `[batch, channels, height, width]`, or about half as high and wide
    fn forward(&self, images: Tensor<4>, shown: bool, pass: &mut ForwardPass) -> Tensor<4> {
        let mut parts = Vec::new();
        for branch in &self.branches {
            parts.extend(branch.forward(images.clone(), pass));
            if shown && parts.len() == 1 {
                pass.record(&parts[0]);
            }
        }
        parts.push(match &self.pooled {
            Some(convolution) => {
                let images = average_pool(images, self.counts_border);
                convolution.forward(images, Activation::Relu, pass)
            }
            None => maximum(images),
        });
        Tensor::cat(parts, 1)
    }
}

impl Branch {
    fn forward(&self, mut images: Tensor<4>, pass: &mut ForwardPass) -> Vec<Tensor<4>> {
        for convolution in &self.layers {
            images = convolution.forward(images, Activation::Relu, pass);
        }
        if self.fork.is_empty() {
            return vec![images];
        }
        let tine =
            |convolution: &Convolution| convolution.forward(images.clone(), Activation::Relu, pass);
        self.fork.iter().map(tine).collect()
    }
}

/// The largest of each whole 3x3 square, at every second place.
fn maximum(images: Tensor<4>) -> Tensor<4> {
    max_pool2d(images, MaxPoolOptions::new([3, 3]).with_stride([2, 2]))
}

/// Makes the blocks of a layout.
struct Builder<'a> {
    layout: Layout,
    device: &'a Device,
}

impl Builder<'_> {
    fn layer(&self, channels: [usize; 2], kernel: [usize; 2]) -> Convolution {
        let mut layer = Convolution::new(channels, kernel, self.device).with_norm(EPSILON);
        if self.layout == Layout::Keras {
            layer.norm = layer.norm.map(super::BatchNorm::without_scale);
        }
        layer
    }

    /// A 3x3 convolution without borders at every second place.
    fn halving(&self, channels: [usize; 2]) -> Convolution {
        self.layer(channels, [3, 3])
            .with_stride(2)
            .with_padding(0, 0)
    }

    /// Layers by their channels and kernels, one after another.
    fn branch(&self, mut before: usize, layers: &[(usize, [usize; 2])]) -> Branch {
        let layer = |&(channels, kernel): &(usize, [usize; 2])| {
            self.layer([std::mem::replace(&mut before, channels), channels], kernel)
        };
        Branch {
            layers: layers.iter().map(layer).collect(),
            fork: Vec::new(),
        }
    }

    fn mixed(&self, branches: Vec<Branch>, pooled: Option<[usize; 2]>) -> Mixed {
        Mixed {
            branches,
            pooled: pooled.map(|channels| self.layer(channels, [1, 1])),
            counts_border: self.layout == Layout::PyTorch,
        }
    }

    /// A block of 13 x 13 pixels.
    fn large(&self, before: usize, pooled: usize) -> Mixed {
        let branches = vec![
            self.branch(before, &[(64, [1, 1])]),
            self.branch(before, &[(48, [1, 1]), (64, [5, 5])]),
            self.branch(before, &[(64, [1, 1]), (96, [3, 3]), (96, [3, 3])]),
        ];
        self.mixed(branches, Some([before, pooled]))
    }

    fn large_to_middle(&self) -> Mixed {
        let mut second = self.branch(288, &[(64, [1, 1]), (96, [3, 3])]);
        second.layers.push(self.halving([96, 96]));
        let mut first = self.branch(288, &[]);
        first.layers.push(self.halving([288, 384]));
        self.mixed(vec![first, second], None)
    }

    /// A block of 6 x 6 pixels.
    fn middle(&self, inside: usize) -> Mixed {
        let (wide, high) = ([1, 7], [7, 1]);
        let single = [(inside, [1, 1]), (inside, wide), (192, high)];
        let double = [
            (inside, [1, 1]),
            (inside, high),
            (inside, wide),
            (inside, high),
            (192, wide),
        ];
        let branches = vec![
            self.branch(768, &[(192, [1, 1])]),
            self.branch(768, &single),
            self.branch(768, &double),
        ];
        self.mixed(branches, Some([768, 192]))
    }

    fn middle_to_small(&self) -> Mixed {
        let mut first = self.branch(768, &[(192, [1, 1])]);
        first.layers.push(self.halving([192, 320]));
        let mut second = self.branch(768, &[(192, [1, 1]), (192, [1, 7]), (192, [7, 1])]);
        second.layers.push(self.halving([192, 192]));
        self.mixed(vec![first, second], None)
    }

    /// A block of 2 x 2 pixels.
    fn small(&self, before: usize) -> Mixed {
        let fork = || [[1, 3], [3, 1]].map(|kernel| self.layer([384, 384], kernel));
        let forked = |layers: &[(usize, [usize; 2])]| Branch {
            fork: fork().into(),
            ..self.branch(before, layers)
        };
        let branches = vec![
            self.branch(before, &[(320, [1, 1])]),
            forked(&[(384, [1, 1])]),
            forked(&[(448, [1, 1]), (384, [3, 3])]),
        ];
        self.mixed(branches, Some([before, 192]))
    }
}
