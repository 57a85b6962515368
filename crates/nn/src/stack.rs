//! The stack of layers that the paper's own networks, Linear and Residual, are made of.

use burn::module::Module;
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

use super::batch_norm::EPSILON;
use super::engine_operation::{EngineOperation, TrainingOutput};
use super::layer::average_pool;
use super::{Head, IMAGE_SIZE, Layer, TrainingStep, residual};
use attrium_engine::{Operation, Program};

/// Channels of the four blocks.
const CHANNELS: [usize; 4] = [16, 32, 64, 128];
/// Pairs of convolutions of a block.
const PAIRS: usize = 3;
/// Features that reach the head: 128 channels of 8 x 8 pixels.
const FEATURES: usize = 8192;

/// The layers of the paper's own networks: a first layer of 16 channels, then four blocks of 16,
/// 32, 64 and 128 channels, each of six [`Layer`]s with ReLU and a 2x2 average pool, then the
/// [`Head`].
///
/// With four classes it has 1,114,100 trained parameters.
#[derive(Module, Debug)]
pub struct Stack {
    pub(super) stem: Layer,
    blocks: Vec<Block>,
    pub(super) head: Head,
    #[module(skip)]
    engine: EngineOperation,
}

impl Stack {
    /// A stack for `classes` classes with all convolutions at zero. With `skips` each pair of
    /// layers has a skip connection around it.
    pub(super) fn new(classes: usize, skips: bool, device: &Device) -> Self {
        let mut channels = CHANNELS[0];
        let block = |width| {
            Block::new(
                std::mem::replace(&mut channels, width),
                width,
                skips,
                device,
            )
        };
        Self {
            stem: Layer::new(1, CHANNELS[0], device),
            blocks: CHANNELS.map(block).into(),
            head: Head::new(FEATURES, classes, device),
            engine: EngineOperation::new(program(skips)),
        }
    }

    /// The same stack in Burn's own operations on every device.
    pub(super) fn without_engine(self) -> Self {
        Self {
            engine: EngineOperation::off(),
            ..self
        }
    }

    /// The layers in their order.
    fn layers(&self) -> impl Iterator<Item = &Layer> {
        let blocks = self.blocks.iter().flat_map(|block| &block.layers);
        std::iter::once(&self.stem).chain(blocks)
    }

    /// The logits.
    ///
    /// # Shapes
    /// - `images`: `[batch, 1, 128, 128]`, output: `[batch, classes]`
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        self.head.forward(self.features(images)) // from [batch, 128, 8, 8]
    }

    /// The features that reach the head.
    ///
    /// # Shapes
    /// - `images`: `[batch, 1, 128, 128]`, output: `[batch, 128, 8, 8]`
    fn features(&self, images: Tensor<4>) -> Tensor<4> {
        if let Some(features) = self.engine.evaluate(&images, self.layers()) {
            return features;
        }
        let mut images = relu(self.stem.forward(images)); // [batch, 16, 128, 128]
        for block in &self.blocks {
            images = block.forward(images);
        }
        images
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
    /// - `images`: `[batch, 1, 128, 128]`, output: `[batch, 128, 8, 8]`
    pub(super) fn features_training(&mut self, images: Tensor<4>, step: TrainingStep) -> Tensor<4> {
        if let Some(trained) = self.engine.train(&images, self.layers()) {
            return self.follow(trained, step);
        }
        let mut images = relu(self.stem.forward_training(images, step)); // [batch, 16, 128, 128]
        for block in &mut self.blocks {
            images = block.forward_training(images, step);
        }
        images
    }

    /// Moves the running statistics towards those of a batch, and returns its features.
    fn follow(&mut self, trained: TrainingOutput, step: TrainingStep) -> Tensor<4> {
        let blocks = self.blocks.iter_mut().flat_map(|block| &mut block.layers);
        let layers = std::iter::once(&mut self.stem).chain(blocks);
        for (layer, [mean, variance]) in layers.zip(trained.statistics) {
            layer.norm.follow(mean, variance, step);
        }
        trained.features
    }

    /// The activation of the first layer of each block.
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

    /// The activation of the last convolution, before the last pool, and the features that the pool
    /// makes of it for the head.
    ///
    /// # Shapes
    /// - `images`: `[batch, 1, 128, 128]`
    /// - outputs: `[batch, 128, 16, 16]` and `[batch, 128, 8, 8]`
    pub(super) fn last_activation(&self, images: Tensor<4>) -> [Tensor<4>; 2] {
        let mut features = relu(self.stem.forward(images));
        let mut activation = features.clone();
        for block in &self.blocks {
            activation = block.convolve(features);
            features = average_pool(activation.clone());
        }
        [activation, features]
    }
}

/// The layers and pools of a stack as a program of the engine.
fn program(skips: bool) -> Program {
    let layer = |channels, skip| Operation::Convolution { channels, skip };
    let mut operations = vec![layer(CHANNELS[0], None)];
    for channels in CHANNELS {
        for _ in 0..PAIRS {
            let before = operations.len() - 1;
            operations.push(layer(channels, None));
            operations.push(layer(channels, skips.then_some(before)));
        }
        operations.push(Operation::Pool);
    }
    Program::new(IMAGE_SIZE, IMAGE_SIZE, EPSILON, operations)
        .expect("the layers of a stack should make a program")
}

/// Three pairs of layers and a pool.
#[derive(Module, Debug)]
pub(super) struct Block {
    layers: Vec<Layer>,
    #[module(skip)]
    skips: bool,
}

impl Block {
    pub(super) fn new(channels_in: usize, channels: usize, skips: bool, device: &Device) -> Self {
        let first = Layer::new(channels_in, channels, device);
        let rest = (1..2 * PAIRS).map(|_| Layer::new(channels, channels, device));
        Self {
            layers: std::iter::once(first).chain(rest).collect(),
            skips,
        }
    }

    /// # Shapes
    /// - `images`: `[batch, channels_in, height, width]`
    /// - output: `[batch, channels, height / 2, width / 2]`
    pub(super) fn forward(&self, images: Tensor<4>) -> Tensor<4> {
        average_pool(self.convolve(images))
    }

    /// As [`forward`](Self::forward), before the pool.
    fn convolve(&self, mut images: Tensor<4>) -> Tensor<4> {
        for pair in self.layers.chunks_exact(2) {
            let inner = relu(pair[0].forward(images.clone()));
            images = self.join(pair[1].forward(inner), images);
        }
        images
    }

    /// As [`forward`](Self::forward), by the batch's own statistics.
    pub(super) fn forward_training(
        &mut self,
        mut images: Tensor<4>,
        step: TrainingStep,
    ) -> Tensor<4> {
        for pair in 0..PAIRS {
            let layer = &mut self.layers[2 * pair];
            let inner = relu(layer.forward_training(images.clone(), step));
            let layer = &mut self.layers[2 * pair + 1];
            let outer = layer.forward_training(inner, step);
            images = self.join(outer, images);
        }
        average_pool(images)
    }

    /// The end of a pair: its input is added to its output where there are skips, and the sum is
    /// activated.
    fn join(&self, output: Tensor<4>, input: Tensor<4>) -> Tensor<4> {
        relu(if self.skips {
            residual::skip(output, input)
        } else {
            output
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers of the blocks' first convolutions, with additions and pools counted as layers.
    fn first_layers(skips: bool) -> Vec<usize> {
        let mut layer = 0;
        let mut pooled = true;
        let mut first = Vec::new();
        for (place, operation) in program(skips).operations().iter().enumerate() {
            match operation {
                Operation::Convolution { skip, .. } => {
                    layer += 1;
                    if pooled && place > 0 {
                        first.push(layer);
                        pooled = false;
                    }
                    layer += usize::from(skip.is_some());
                }
                Operation::Pool => {
                    layer += 1;
                    pooled = true;
                }
            }
        }
        first
    }

    #[test]
    fn the_blocks_begin_at_the_layers_that_the_paper_shows() {
        assert_eq!(first_layers(true), [2, 12, 22, 32]);
        // The paper has 10, 17 and 24 for the last three.
        assert_eq!(first_layers(false), [2, 9, 16, 23]);
    }
}
