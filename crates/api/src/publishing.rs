use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Architecture, Decimal, Task, limits};

/// What a published model is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum PublishMethod {
    /// The networks of all folds; their probabilities are averaged.
    #[default]
    Ensemble,
    /// One network, trained once more on all data.
    Refit,
}

/// The model that the run leaves in its store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Publish {
    /// The architecture to publish: one of `networks`.
    pub architecture: Architecture,
    /// The task to publish: one of `tasks`.
    pub task: Task,
    /// Ensemble averages the networks of all folds; Refit trains one network more, on all data.
    /// Default: Ensemble.
    #[serde(default)]
    pub method: PublishMethod,
}

/// A metric that a gate can look at; all are computed on out-of-fold predictions, from 0 to 1.
///
/// `...Low` is the lower limit of the metric's 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Metric {
    /// Area under the ROC curve, from probabilities.
    Auc,
    /// Its lower limit.
    AucLow,
    /// Area under the ROC curve of hard labels, which is balanced accuracy; for four grades the mean
    /// of that of each grade against the rest.
    AucHard,
    /// Its lower limit.
    AucHardLow,
    /// Share of studies that are classified right.
    Accuracy,
    /// Its lower limit.
    AccuracyLow,
    /// Share of positives that are found.
    Sensitivity,
    /// Its lower limit.
    SensitivityLow,
    /// Share of negatives that are left alone.
    Specificity,
    /// Its lower limit.
    SpecificityLow,
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auc => "auc",
            Self::AucLow => "aucLow",
            Self::AucHard => "aucHard",
            Self::AucHardLow => "aucHardLow",
            Self::Accuracy => "accuracy",
            Self::AccuracyLow => "accuracyLow",
            Self::Sensitivity => "sensitivity",
            Self::SensitivityLow => "sensitivityLow",
            Self::Specificity => "specificity",
            Self::SpecificityLow => "specificityLow",
        })
    }
}

/// A condition for publishing: a miss leaves nothing published and the run not succeeded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Gate {
    /// The architecture that is measured: one of `networks`.
    pub architecture: Architecture,
    /// The task that is measured: one of `tasks`.
    pub task: Task,
    /// What is measured, on out-of-fold predictions: auc, aucHard, accuracy, sensitivity or
    /// specificity, or with Low behind it the lower limit of its 95 % interval, as in aucLow.
    /// aucHard is the area under the ROC curve of hard labels, which is balanced accuracy; for the
    /// four grades auc and aucHard are the mean over each grade against the rest. For sensitivity
    /// and specificity a positive of the Perugini task is grade 2 or 3.
    pub metric: Metric,
    /// The least value that passes, as a decimal string. From "0" to "1".
    #[schemars(transform = limits::share)]
    pub min: Decimal,
}
