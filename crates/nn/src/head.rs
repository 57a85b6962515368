//! The head that every network ends with, in place of the classifiers of ImageNet.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData};

use super::TrainingStep;
use super::network::floats;
use attrium_types::random;

/// The share of the features that dropout sets to zero in training (paper, "Networks").
const DROPOUT: f32 = 0.2;

/// The end of every network: flatten, dropout and a dense layer that gives the logits.
///
/// Features are flattened channel by channel, each row by row. The softmax belongs to the loss
/// and to [`Network::probabilities`](super::Network::probabilities).
#[derive(Module, Debug)]
pub struct Head {
    /// `[classes, features]`
    pub weight: Param<Tensor<2>>,
    /// `[classes]`
    pub bias: Param<Tensor<1>>,
}

impl Head {
    /// A head with all weights at zero: [`Network::new`](super::Network::new) draws them.
    pub fn new(features: usize, classes: usize, device: &Device) -> Self {
        Self {
            weight: Param::from_tensor(Tensor::zeros([classes, features], device)),
            bias: Param::from_tensor(Tensor::zeros([classes], device)),
        }
    }

    /// The logits, with dropout by the random numbers of the step.
    ///
    /// # Shapes
    /// - `features`: `[batch, channels, height, width]`, output: `[batch, classes]`
    pub fn forward(&self, features: Tensor<4>) -> Tensor<2> {
        self.dense(features.flatten(1, 3))
    }

    /// The logits, with dropout by the random numbers of the step.
    ///
    /// # Shapes
    /// - `features`: `[batch, channels, height, width]`, output: `[batch, classes]`
    pub fn forward_training(&self, features: Tensor<4>, step: TrainingStep) -> Tensor<2> {
        let features: Tensor<2> = features.flatten(1, 3); // [batch, features]
        let [batch, width] = features.dims();
        let mask = TensorData::new(dropout_mask(batch * width, step), [batch, width]);
        let mask = Tensor::from_data(mask, &features.device());
        self.dense(features * mask)
    }

    /// The mean gradient of a score with respect to each channel of the features, over the
    /// positions of the channel.
    ///
    /// # Shapes
    /// - `channels`: the number of channels of the features
    /// - `gradient`: of the score with respect to each logit, `[classes]`; output: `[channels]`
    pub(super) fn mean_gradient(&self, channels: usize, gradient: &[f32]) -> Vec<f32> {
        let of_features = self.gradient(gradient);
        let places = of_features.len() / channels;
        let of_channels = of_features.chunks_exact(places);
        of_channels
            .map(|of_channel| of_channel.iter().sum::<f32>() / places as f32)
            .collect()
    }

    /// The gradient of a score with respect to each feature.
    ///
    /// # Shapes
    /// - `gradient`: of the score with respect to each logit, `[classes]`; output: `[features]`
    pub(super) fn gradient(&self, gradient: &[f32]) -> Vec<f32> {
        let [_, features] = self.weight.dims();
        let weights = floats(self.weight.val().into_data());
        let mut sum = vec![0.0; features];
        for (row, of_logit) in weights.chunks_exact(features).zip(gradient) {
            for (sum, weight) in sum.iter_mut().zip(row) {
                *sum += of_logit * weight;
            }
        }
        sum
    }

    fn dense(&self, features: Tensor<2>) -> Tensor<2> {
        features.matmul(self.weight.val().transpose()) + self.bias.val().unsqueeze()
    }
}

/// For each feature either 0 or `1 / (1 - DROPOUT)`, which preserves the expected sum.
fn dropout_mask(len: usize, step: TrainingStep) -> Vec<f32> {
    let mut stream = random::named(step.seed, &format!("dropout {}", step.number));
    let kept = 1.0 / (1.0 - DROPOUT);
    (0..len)
        .map(|_| {
            if random::unit_f32(&mut stream) < DROPOUT {
                0.0
            } else {
                kept
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fifth_of_the_features_is_dropped_and_the_rest_made_up_for_it() {
        let mask = dropout_mask(100_000, TrainingStep { seed: 1, number: 5 });
        let dropped = mask.iter().filter(|factor| **factor == 0.0).count();
        assert!((19_500..20_500).contains(&dropped), "{dropped}");
        assert!(mask.iter().all(|factor| *factor == 0.0 || *factor == 1.25));
    }

    #[test]
    fn a_mask_depends_on_the_seed_and_the_step() {
        let mask = |seed, number| dropout_mask(64, TrainingStep { seed, number });
        assert_eq!(mask(1, 5), mask(1, 5));
        assert_ne!(mask(1, 5), mask(1, 6));
        assert_ne!(mask(1, 5), mask(2, 5));
    }
}
