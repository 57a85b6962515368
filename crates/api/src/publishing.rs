//! The model that a training leaves, and the gates that it has to pass first.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use attrium_types::{Architecture, Decimal, Metric, Target};

use crate::limits;

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
    pub task: Target,
    /// Ensemble averages the networks of all folds; Refit trains one network more, on all data.
    /// Default: Ensemble.
    #[serde(default)]
    pub method: PublishMethod,
    /// Whether it is published even where nothing shows that it has learned anything: the interval
    /// of its AUC for a positive holds 0.5, or constant probabilities would be as good as its own.
    /// Otherwise the run has not succeeded then, for the reason NothingLearned. Default: false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub force: bool,
}

/// How a screening with labels recalibrates its model.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PublishCalibrated {
    /// The share of positives that the new bundle states its probabilities for, as a decimal string: that of the
    /// site, where the labelled scans were chosen. Default: the share among them. Above "0", below "1".
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(transform = limits::part)]
    pub prevalence: Option<Decimal>,
    /// Whether a model is recalibrated, too, that tells these positives from negatives no better than chance.
    /// Otherwise the job has not succeeded then, for the reason NotCalibrated. Default: false.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub force: bool,
}

/// A condition for publishing: a miss leaves nothing published and the run not succeeded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Gate {
    /// The architecture that is measured: one of `networks`.
    pub architecture: Architecture,
    /// The task that is measured: one of `tasks`.
    pub task: Target,
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
