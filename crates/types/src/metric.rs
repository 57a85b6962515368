//! The metrics that a gate can look at.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::Display;

/// A metric that a gate can look at; all are computed on out-of-fold predictions, from 0 to 1.
///
/// `...Low` is the lower limit of the metric's 95 % interval.
#[derive(Clone, Copy, Debug, Display, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[strum(serialize_all = "camelCase")]
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
