//! The layer of batch normalisation, which never decides by itself whether it trains.

use burn::module::{Module, Param};
use burn::tensor::module::{BatchNormTrainOutput, batch_norm, batch_norm_train};
use burn::tensor::{Device, Tensor};

use super::TrainingStep;
use super::normalize::Norm;

/// Added to the variance before its square root is taken (Keras' default).
pub(super) const EPSILON: f64 = 1e-3;
/// The weight of the newest batch in the running statistics in the long run (Keras' default
/// momentum is 0.99).
const NEWEST: f64 = 0.01;

/// Batch normalisation over the channels of an image.
///
/// The layer itself never decides whether it trains. [`forward`](Self::forward) always uses the
/// running statistics, whatever the device; only [`forward_training`](Self::forward_training)
/// uses those of the batch and moves the running ones, and it needs `&mut self` for that. Burn's
/// own layer goes by the device, and would silently evaluate with batch statistics on one that
/// records gradients.
///
/// Epsilon (1e-3 unless another is set) and the weight of a new batch in the running statistics
/// (0.01) are Keras' defaults, which the paper used. At the start that weight is larger, `9 / (10 +
/// step)`, until it falls to 0.01 at step 890: by then nothing is left of the initial 0 and 1,
/// which would otherwise spoil the predictions of a short training.
#[derive(Module, Debug)]
pub struct BatchNorm {
    /// Scale, `[channels]`.
    pub weight: Param<Tensor<1>>,
    /// Offset, `[channels]`.
    pub bias: Param<Tensor<1>>,
    /// Running mean, `[channels]`. Not trained by gradients.
    pub running_mean: Param<Tensor<1>>,
    /// Running variance (of the population), `[channels]`. Not trained by gradients.
    pub running_var: Param<Tensor<1>>,
    #[module(skip)]
    epsilon: f64,
}

impl BatchNorm {
    /// A layer that leaves its input as it is, but for epsilon.
    pub fn new(channels: usize, device: &Device) -> Self {
        let statistic = |value| Param::from_tensor(value).set_require_grad(false);
        Self {
            weight: Param::from_tensor(Tensor::ones([channels], device)),
            bias: Param::from_tensor(Tensor::zeros([channels], device)),
            running_mean: statistic(Tensor::zeros([channels], device)),
            running_var: statistic(Tensor::ones([channels], device)),
            epsilon: EPSILON,
        }
    }

    /// The same layer with another epsilon.
    pub(super) fn with_epsilon(self, epsilon: f64) -> Self {
        Self { epsilon, ..self }
    }

    /// The same layer with a scale that is never trained, as if there were none.
    pub(super) fn without_scale(self) -> Self {
        Self {
            weight: self.weight.set_require_grad(false),
            ..self
        }
    }

    /// Normalises by the running statistics.
    ///
    /// # Shapes
    /// - `images`: `[batch, channels, height, width]`, output: the same
    pub fn forward(&self, images: Tensor<4>) -> Tensor<4> {
        batch_norm(
            images,
            self.weight.val(),
            self.bias.val(),
            self.running_mean.val(),
            self.running_var.val(),
            self.epsilon,
        )
    }

    /// Normalises by the batch's own statistics and moves the running ones towards them.
    ///
    /// # Shapes
    /// - `images`: `[batch, channels, height, width]`, output: the same
    pub fn forward_training(&mut self, images: Tensor<4>, step: TrainingStep) -> Tensor<4> {
        let normalized = self.by_batch(images);
        self.follow(normalized.mean, normalized.variance, step);
        normalized.output
    }

    /// Normalises by the batch's own statistics, and returns them too.
    pub(super) fn by_batch(&self, images: Tensor<4>) -> BatchNormTrainOutput<4> {
        batch_norm_train(images, self.weight.val(), self.bias.val(), self.epsilon)
    }

    /// The parameters, for normalisation by any statistics.
    pub(super) fn norm(&self) -> Norm {
        Norm {
            scale: self.weight.val(),
            offset: self.bias.val(),
            epsilon: self.epsilon,
        }
    }

    /// Moves the running statistics towards those of a batch.
    pub(super) fn follow(&mut self, mean: Tensor<1>, variance: Tensor<1>, step: TrainingStep) {
        let newest = newest_weight(step.number);
        follow(&mut self.running_mean, mean, newest);
        follow(&mut self.running_var, variance, newest);
    }
}

/// The weight of a batch's statistics at a step; see [`BatchNorm`].
pub(super) fn newest_weight(step: u64) -> f64 {
    (9.0 / (10.0 + step as f64)).max(NEWEST)
}

/// Moves a running statistic towards that of the batch, by the weight `newest`.
fn follow(running: &mut Param<Tensor<1>>, batch: Tensor<1>, newest: f64) {
    *running = running
        .clone()
        .map(|old| old * (1.0 - newest) + batch.detach() * newest);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cpu, network::floats};

    fn images() -> Tensor<4> {
        Tensor::from_data(
            [[[[1.0, 2.0]], [[5.0, 5.0]]], [[[3.0, 6.0]], [[5.0, 9.0]]]],
            &cpu(),
        )
    }

    #[test]
    fn the_first_batch_decides_nine_tenths_of_the_running_statistics() {
        let mut norm = BatchNorm::new(2, &cpu());
        norm.forward_training(images(), TrainingStep { seed: 0, number: 0 });
        // Means 3 and 6, population variances 3.5 and 3.
        let near = |found: &Param<Tensor<1>>, expected: [f32; 2]| {
            let found = floats(found.val().into_data());
            assert!(
                found
                    .iter()
                    .zip(expected)
                    .all(|(a, b)| (a - b).abs() < 1e-6),
                "{found:?}"
            );
        };
        near(&norm.running_mean, [2.7, 5.4]);
        near(&norm.running_var, [3.25, 2.8]);
    }

    #[test]
    fn the_weight_of_a_batch_falls_to_that_of_keras() {
        assert_eq!(newest_weight(0), 0.9);
        assert_eq!(newest_weight(80), 0.1);
        assert_eq!(newest_weight(890), 0.01);
        assert_eq!(newest_weight(100_000), 0.01);
    }

    #[test]
    fn a_fresh_layer_changes_nothing_but_for_epsilon() {
        let output = floats(BatchNorm::new(2, &cpu()).forward(images()).into_data());
        let expected = floats(images().into_data());
        assert!(
            output
                .iter()
                .zip(&expected)
                .all(|(a, b)| (a * 1.001f32.sqrt() - b).abs() < 1e-5)
        );
    }
}
