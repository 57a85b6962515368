//! The stack of layers that Linear and Residual, the paper's own networks, and Heart are made of.

use burn::module::Module;
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

use super::batch_norm::EPSILON;
use super::engine_operation::{EngineOperation, TrainingOutput};
use super::layer::average_pool;
use super::{Head, Layer, TrainingStep, residual};
use attrium_engine::{Operation, Program};

/// How many layers a stack has, and how wide they are.
#[derive(Clone, Copy, Debug)]
pub(super) struct StackShape {
    /// Height and width of the images.
    pub side: usize,
    /// Channels of the first layer.
    pub stem: usize,
    /// Channels of the blocks.
    pub blocks: &'static [usize],
    /// Pairs of layers of a block.
    pub pairs: usize,
    /// Whether each pair has a skip connection around it.
    pub skips: bool,
}

impl StackShape {
    /// That of the paper's own networks, Linear or with skip connections Residual.
    pub(super) const fn paper(skips: bool) -> Self {
        Self {
            side: super::IMAGE_SIZE,
            stem: 16,
            blocks: &[16, 32, 64, 128],
            pairs: 3,
            skips,
        }
    }

    /// Features that reach the head.
    fn features(&self) -> usize {
        let side = self.side >> self.blocks.len();
        self.blocks
            .last()
            .map_or(0, |channels| channels * side * side)
    }

    /// The layers and pools as a program of the engine.
    fn program(&self) -> Program {
        let layer = |channels, skip| Operation::Convolution { channels, skip };
        let mut operations = vec![layer(self.stem, None)];
        for &channels in self.blocks {
            for _ in 0..self.pairs {
                let before = operations.len() - 1;
                operations.push(layer(channels, None));
                operations.push(layer(channels, self.skips.then_some(before)));
            }
            operations.push(Operation::Pool);
        }
        Program::new(self.side, self.side, EPSILON, operations)
            .expect("the layers of a stack should make a program")
    }
}

/// A first [`Layer`], then blocks of pairs of them with ReLU, each with a 2x2 average pool at its end, then the
/// [`Head`].
///
/// Those of the paper's own networks have a first layer of 16 channels and four blocks of 16, 32, 64 and 128, each of
/// six layers: with four classes 1,114,100 trained parameters.
#[derive(Module, Debug)]
pub struct Stack {
    pub(super) stem: Layer,
    blocks: Vec<Block>,
    head: Head,
    #[module(skip)]
    engine: EngineOperation,
}

impl Stack {
    /// A stack with so many outputs and all convolutions at zero.
    pub(super) fn new(shape: StackShape, outputs: usize, device: &Device) -> Self {
        let mut channels = shape.stem;
        let block = |&width: &usize| {
            let before = std::mem::replace(&mut channels, width);
            Block::new(before, width, &shape, device)
        };
        Self {
            stem: Layer::new(1, shape.stem, device),
            blocks: shape.blocks.iter().map(block).collect(),
            head: Head::new(shape.features(), outputs, device),
            engine: EngineOperation::new(shape.program()),
        }
    }

    pub(super) const fn head(&self) -> &Head {
        &self.head
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

    /// The outputs of the head.
    ///
    /// # Shapes
    /// - `images`: `[batch, 1, side, side]`, output: `[batch, outputs]`
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        self.head.forward(self.features(images))
    }

    /// The features that reach the head, `[batch, 128, 8, 8]` in the paper's own networks.
    fn features(&self, images: Tensor<4>) -> Tensor<4> {
        if let Some(features) = self.engine.evaluate(&images, self.layers()) {
            return features;
        }
        let mut images = relu(self.stem.forward(images));
        for block in &self.blocks {
            images = block.forward(images);
        }
        images
    }

    /// The outputs in training: batch statistics and dropout.
    ///
    /// # Shapes
    /// As [`forward`](Self::forward).
    pub fn forward_training(&mut self, images: Tensor<4>, step: TrainingStep) -> Tensor<2> {
        let features = self.features_training(images, step);
        self.head.forward_training(features, step)
    }

    /// The features that reach the head, in training.
    pub(super) fn features_training(&mut self, images: Tensor<4>, step: TrainingStep) -> Tensor<4> {
        if let Some(trained) = self.engine.train(&images, self.layers()) {
            return self.follow(trained, step);
        }
        let mut images = relu(self.stem.forward_training(images, step));
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
    /// - `images`: `[batch, 1, side, side]`
    /// - output: `[batch, channels, size, size]` for each of the blocks
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
    /// - `images`: `[batch, 1, side, side]`
    /// - outputs: `[batch, channels, size, size]`, the second half as high and wide as the first
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

/// Pairs of layers and a pool.
#[derive(Module, Debug)]
pub(super) struct Block {
    layers: Vec<Layer>,
    #[module(skip)]
    skips: bool,
}

impl Block {
    pub(super) fn new(
        channels_in: usize,
        channels: usize,
        shape: &StackShape,
        device: &Device,
    ) -> Self {
        let first = Layer::new(channels_in, channels, device);
        let rest = (1..2 * shape.pairs).map(|_| Layer::new(channels, channels, device));
        Self {
            layers: std::iter::once(first).chain(rest).collect(),
            skips: shape.skips,
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
            images = join(self.skips, pair[1].forward(inner), images);
        }
        images
    }

    /// As [`forward`](Self::forward), by the batch's own statistics.
    pub(super) fn forward_training(
        &mut self,
        mut images: Tensor<4>,
        step: TrainingStep,
    ) -> Tensor<4> {
        for pair in self.layers.chunks_exact_mut(2) {
            let inner = relu(pair[0].forward_training(images.clone(), step));
            images = join(self.skips, pair[1].forward_training(inner, step), images);
        }
        average_pool(images)
    }
}

/// The end of a pair: its input is added to its output where there are skips, and the sum is
/// activated.
fn join(skips: bool, output: Tensor<4>, input: Tensor<4>) -> Tensor<4> {
    relu(if skips {
        residual::skip(output, input)
    } else {
        output
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers of the blocks' first convolutions, with additions and pools counted as layers.
    fn first_layers(skips: bool) -> Vec<usize> {
        let mut layer = 0;
        let mut pooled = true;
        let mut first = Vec::new();
        let program = StackShape::paper(skips).program();
        for (place, operation) in program.operations().iter().enumerate() {
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
