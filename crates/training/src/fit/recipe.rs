//! How the weights of a network are moved, and how fast.

use std::f64::consts::PI;

use burn::optim::{AdamConfig, AdamWConfig, ModuleOptimizer};
use serde::{Deserialize, Serialize};

/// The share of a training in which the rate of one cycle rises.
const RISE: f64 = 0.3;
/// What one cycle begins with, as a share of its highest rate, and what it ends with.
const FIRST: f64 = 1.0 / 25.0;
const LAST: f64 = FIRST / 1e4;

/// The largest share that the average of the weights keeps of itself in a step.
const KEPT: f64 = 0.99;

/// How a network is trained.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Recipe {
    /// The paper's: Adam, whose rate is lowered tenfold where the validation loss no longer falls.
    Paper {
        /// Where the learning rate stops falling, from 0 to that of the start. Paper: 1e-7.
        min_learning_rate: f64,
        /// Epochs without a lower validation loss before the learning rate falls, 1 or more. Paper: 2.
        patience: u32,
    },
    /// Attrium's own: Adam with decoupled weight decay (AdamW), one cycle of the learning rate, and a moving average of
    /// the weights, which is what is used in the end.
    OneCycle {
        /// How much of a weight is taken away in a step, times the learning rate; 0 or more.
        weight_decay: f64,
    },
}

impl Recipe {
    /// The optimiser before the first step, with Keras' epsilon.
    pub(super) fn optimizer(&self) -> ModuleOptimizer {
        match *self {
            Self::Paper { .. } => AdamConfig::new().with_epsilon(1e-7).init(),
            Self::OneCycle { weight_decay } => AdamWConfig::new()
                .with_weight_decay(weight_decay as f32)
                .init(),
        }
    }

    /// Whether the average of the weights is used in place of the last.
    pub(super) const fn averages(&self) -> bool {
        matches!(self, Self::OneCycle { .. })
    }
}

/// The learning rate of a step, counted from 0, of so many: half a wave of a cosine up to the highest rate, and
/// another down to almost nothing (Smith and Topin 2018, in PyTorch's form).
pub(super) fn one_cycle(highest: f64, step: u64, steps: u64) -> f64 {
    let last = steps.saturating_sub(1).max(1) as f64;
    let summit = (RISE * steps as f64 - 1.0).max(1.0);
    let step = step as f64;
    let between = |from: f64, to: f64, share: f64| {
        to + 0.5 * (from - to) * (1.0 + (PI * share.min(1.0)).cos())
    };
    highest
        * if step <= summit {
            between(FIRST, 1.0, step / summit)
        } else {
            between(1.0, LAST, (step - summit) / (last - summit).max(1.0))
        }
}

/// What the average keeps of itself after so many steps: of a short training the first weights would weigh too much.
pub(super) fn kept_share(taken: u64) -> f32 {
    let taken = taken as f64;
    KEPT.min(taken / (taken + 10.0)) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_cycle_rises_for_a_third_of_the_training_and_falls_to_almost_nothing() {
        let rates: Vec<f64> = (0..100).map(|step| one_cycle(3e-3, step, 100)).collect();
        let near = |step: usize, expected: f64| {
            assert!(
                (rates[step] / expected - 1.0).abs() < 1e-9,
                "{step} {}",
                rates[step]
            );
        };
        // By PyTorch 2.15: OneCycleLR(AdamW(parameters), 3e-3, total_steps=100).
        near(0, 1.2e-4);
        near(10, 8.854_918_453_923_021e-4);
        near(29, 3e-3);
        near(50, 2.381_680_351_727_196e-3);
        near(80, 5.131_018_587_227_869e-4);
        near(99, 1.2e-8);
        assert!(rates[..=29].is_sorted() && rates[29..].is_sorted_by(|a, b| a >= b));
    }

    #[test]
    fn a_training_of_a_step_or_two_has_a_rate() {
        for steps in 1..4 {
            for step in 0..steps {
                let rate = one_cycle(1e-3, step, steps);
                assert!(rate > 0.0 && rate <= 1e-3, "{step} of {steps}: {rate}");
            }
        }
    }

    #[test]
    fn the_average_forgets_the_first_weights_soon() {
        assert!((kept_share(1) - 1.0 / 11.0).abs() < 1e-6);
        assert!((kept_share(10) - 0.5).abs() < 1e-6);
        assert_eq!(kept_share(10_000), 0.99);
    }
}
