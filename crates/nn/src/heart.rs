//! The network "Heart", attrium's own.

use burn::module::Module;
use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor, TensorData};

use super::layer::average_pool;
use super::stack::StackShape;
use super::{Head, IMAGE_SIZE, Stack, TrainingStep};

/// The layers: seven convolutions where the paper's own networks have 25.
const SHAPE: StackShape = StackShape {
    side: IMAGE_SIZE / 2,
    stem: 16,
    blocks: &[24, 48, 96],
    pairs: 1,
    skips: true,
};

/// What a class has at least: where one output is below the next, nothing is left between them.
const LEAST: f32 = 1e-6;

/// A small [`Stack`] with skip connections. It sees the means of 2 x 2 pixels, which a gamma camera does not tell
/// apart, and has an output for each class but the first: the logarithm of the odds that an image is of it or of a
/// higher one. Grades are in an order, and whoever is off by one is less wrong.
///
/// With four classes it has 183,443 trained parameters.
#[derive(Module, Debug)]
pub struct Heart {
    stack: Stack,
}

impl Heart {
    /// A network for `classes` classes with all convolutions at zero.
    pub(super) fn new(classes: usize, device: &Device) -> Self {
        Self {
            stack: Stack::new(SHAPE, classes - 1, device),
        }
    }

    /// The same network in Burn's own operations on every device.
    pub(super) fn without_engine(self) -> Self {
        Self {
            stack: self.stack.without_engine(),
        }
    }

    /// The logits of the classes.
    ///
    /// # Shapes
    /// - `images`: `[batch, 1, 128, 128]`, output: `[batch, classes]`
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        class_logits(self.stack.forward(average_pool(images)))
    }

    /// The outputs in training: batch statistics and dropout.
    ///
    /// # Shapes
    /// - `images`: `[batch, 1, 128, 128]`, output: `[batch, classes - 1]`
    pub fn forward_training(&mut self, images: Tensor<4>, step: TrainingStep) -> Tensor<2> {
        self.stack.forward_training(average_pool(images), step)
    }

    /// The features that reach the head, in training.
    #[cfg(test)]
    pub(super) fn features_training(&mut self, images: Tensor<4>, step: TrainingStep) -> Tensor<4> {
        self.stack.features_training(average_pool(images), step)
    }

    /// The activation of the first layer of each block; see [`Stack::activations`].
    pub fn activations(&self, images: Tensor<4>) -> Vec<Tensor<4>> {
        self.stack.activations(average_pool(images))
    }

    /// The activation of the last convolution, and the features that the pool makes of it.
    ///
    /// # Shapes
    /// - `images`: `[batch, 1, 128, 128]`
    /// - outputs: `[batch, 96, 16, 16]` and `[batch, 96, 8, 8]`
    pub(super) fn last_activation(&self, images: Tensor<4>) -> [Tensor<4>; 2] {
        self.stack.last_activation(average_pool(images))
    }

    pub(super) const fn head(&self) -> &Head {
        self.stack.head()
    }
}

/// How much of each output is in the log odds that an image is of a class or a higher one: `share(class, output)`,
/// for `outputs` outputs of which that of the class is the `class`-th.
///
/// Half is the class's own, and a quarter of each neighbour's, for the first and the last class all its own. Each
/// output was trained on labels that are cut at another place, so that their errors differ; what they tell is one and
/// the same uptake, and an image is surer to be above a threshold where it is far from the one below and near the next.
pub(super) fn share(class: usize, output: usize, outputs: usize) -> f32 {
    let is_inner = class > 1 && class < outputs;
    match class.abs_diff(output) {
        0 if is_inner => 0.5,
        1 if is_inner => 0.25,
        0 => 1.0,
        _ => 0.0,
    }
}

/// The log odds that an image is of each class but the first, or of a higher one.
///
/// # Shapes
/// - `outputs`: `[batch, classes - 1]`, output: the same
fn log_odds(outputs: Tensor<2>) -> Tensor<2> {
    let [_, count] = outputs.dims();
    let shares = (1..=count).flat_map(|output| (1..=count).map(move |class| (class, output)));
    let shares = shares.map(|(class, output)| share(class, output, count));
    let shares = TensorData::new(shares.collect(), [count, count]); // [output, class]
    let device = outputs.device();
    outputs.matmul(Tensor::from_data(shares, &device))
}

/// The logarithms of the classes' probabilities. Where an output is above the one before it, it counts as that one:
/// no image is likelier of grade 2 or more than of grade 1 or more.
///
/// # Shapes
/// - `outputs`: `[batch, classes - 1]`, output: `[batch, classes]`
pub(super) fn class_logits(outputs: Tensor<2>) -> Tensor<2> {
    let [batch, thresholds] = outputs.dims();
    let mut above = Tensor::ones([batch, 1], &outputs.device());
    let mut classes = Vec::with_capacity(thresholds + 1);
    for column in sigmoid(log_odds(outputs)).split(1, 1) {
        let next = column.min_pair(above.clone());
        classes.push(above - next.clone());
        above = next;
    }
    classes.push(above);
    Tensor::cat(classes, 1).clamp_min(LEAST).log()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cpu, floats};

    fn probabilities(outputs: [f32; 3]) -> Vec<f32> {
        let logits = class_logits(Tensor::from_data([outputs], &cpu()));
        floats(logits.exp().into_data())
    }

    #[track_caller]
    fn assert_near(found: &[f32], expected: [f32; 4]) {
        let near = |(found, expected): (&f32, &f32)| (found - expected).abs() < 2e-6;
        assert!(found.iter().zip(&expected).all(near), "{found:?}");
    }

    #[test]
    fn a_class_has_what_lies_between_its_output_and_the_next() {
        // Odds of 3, 1 and 1/4; that of grade 2 or more is mixed with its neighbours, and is (3/4)^(1/4).
        let outputs = [3f32.ln(), 0.0, -(4f32.ln())];
        let odds = 0.75f32.powf(0.25);
        let above = odds / (1.0 + odds);
        let expected = [0.25, 0.75 - above, above - 0.2, 0.2];
        assert_near(&probabilities(outputs), expected);
    }

    #[test]
    fn a_single_threshold_has_no_neighbours() {
        let logits = class_logits(Tensor::from_data([[3f32.ln()]], &cpu()));
        let found = floats(logits.exp().into_data());
        assert!((found[0] - 0.25).abs() < 2e-6 && (found[1] - 0.75).abs() < 2e-6);
    }

    #[test]
    fn an_output_above_the_one_before_counts_as_that_one() {
        // Mixed with its neighbours, grade 2 or more has odds of 27 and more than grade 1 or more.
        let outputs = [0.0, 6.0 * 3f32.ln(), 0.0];
        assert_near(&probabilities(outputs), [0.5, 0.0, 0.0, 0.5]);
    }

    #[test]
    fn outputs_of_any_size_have_finite_logits() {
        let logits = class_logits(Tensor::from_data([[1e4f32, -1e4, 1e4]], &cpu()));
        assert!(floats(logits.into_data()).iter().all(|it| it.is_finite()));
    }
}
