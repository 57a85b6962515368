//! The hyperparameters of a fit, and whether they are possible.

use serde::{Deserialize, Serialize};
use snafu::ensure;

use super::error::ConfigSnafu;
use super::{Error, Recipe};
use attrium_types::Architecture;

/// The hyperparameters of a fit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FitConfig {
    /// The network.
    pub architecture: Architecture,
    /// The number of classes, 2 or more.
    pub classes: usize,
    /// Passes over the training set, 1 or more. Paper: 50.
    pub epochs: u32,
    /// Images of a step, 1 or more; the last step of an epoch takes those that are left. Paper:
    /// 128.
    pub batch_size: usize,
    /// Adam's learning rate, above 0: that of the start in the paper's recipe, 1e-4 there, the highest of one cycle.
    pub learning_rate: f64,
    /// How the weights are moved.
    pub recipe: Recipe,
    /// Decides initial weights, the order of the images and dropout.
    pub seed: u64,
}

impl FitConfig {
    pub(super) fn validate(&self) -> Result<(), Error> {
        let positive = |field, value: u64| {
            let problem = format!("{field} is {value}, but must be 1 or more");
            ensure!(value >= 1, ConfigSnafu { problem });
            Ok(())
        };
        positive("epochs", self.epochs.into())?;
        positive("batchSize", self.batch_size as u64)?;
        let learning_rate = self.learning_rate;
        ensure!(
            learning_rate.is_finite() && learning_rate > 0.0,
            ConfigSnafu {
                problem: format!("learningRate is {learning_rate}, but must be above 0")
            }
        );
        match self.recipe {
            Recipe::Paper {
                min_learning_rate,
                patience,
            } => {
                positive("patience", patience.into())?;
                ensure!(
                    (0.0..=learning_rate).contains(&min_learning_rate),
                    ConfigSnafu {
                        problem: format!(
                            "minLearningRate is {min_learning_rate}, but must lie between 0 and \
                             learningRate, {learning_rate}"
                        )
                    }
                );
            }
            Recipe::OneCycle { weight_decay } => ensure!(
                weight_decay.is_finite() && weight_decay >= 0.0,
                ConfigSnafu {
                    problem: format!("weightDecay is {weight_decay}, but must be 0 or more")
                }
            ),
        }
        Ok(())
    }
}
