use burn::module::{Module, Param};
use burn::tensor::module::{batch_norm, batch_norm_train};
use burn::tensor::{Device, Tensor};

use super::Step;

/// Added to the variance before its root is taken (Keras' default).
const EPSILON: f64 = 1e-3;
/// The weight of the newest batch in the running statistics, in the long run (Keras' default
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
/// Epsilon (1e-3) and the weight of a new batch in the running statistics (0.01) are Keras'
/// defaults, which the paper used. At the start that weight is larger, `9 / (10 + step)`, until
/// it falls to 0.01 at step 890: by then nothing is left of the initial 0 and 1, which would
/// otherwise spoil the predictions of a short training.
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
}

impl BatchNorm {
    /// A layer that leaves its input as it is.
    pub fn new(channels: usize, device: &Device) -> Self {
        let statistic = |value| Param::from_tensor(value).set_require_grad(false);
        Self {
            weight: Param::from_tensor(Tensor::ones([channels], device)),
            bias: Param::from_tensor(Tensor::zeros([channels], device)),
            running_mean: statistic(Tensor::zeros([channels], device)),
            running_var: statistic(Tensor::ones([channels], device)),
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
            EPSILON,
        )
    }

    /// Normalises by the batch's own statistics and moves the running ones towards them.
    ///
    /// # Shapes
    /// - `images`: `[batch, channels, height, width]`, output: the same
    pub fn forward_training(&mut self, images: Tensor<4>, step: Step) -> Tensor<4> {
        let normalized = batch_norm_train(images, self.weight.val(), self.bias.val(), EPSILON);
        let newest = newest_weight(step.number);
        follow(&mut self.running_mean, normalized.mean, newest);
        follow(&mut self.running_var, normalized.variance, newest);
        normalized.output
    }
}

/// The weight of a batch's statistics at a step; see [`BatchNorm`].
fn newest_weight(step: u64) -> f64 {
    (9.0 / (10.0 + step as f64)).max(NEWEST)
}

/// Moves a running statistic the given part of the way to that of the batch.
fn follow(running: &mut Param<Tensor<1>>, batch: Tensor<1>, newest: f64) {
    *running = running
        .clone()
        .map(|old| old * (1.0 - newest) + batch.detach() * newest);
}
