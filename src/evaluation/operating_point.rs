//! Thresholds on the probability of a positive, and what each would have meant.

use serde::{Deserialize, Serialize};

use super::{Interval, PredictiveValues};

/// How a threshold was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum OperatingPointKind {
    /// The highest threshold at which the sensitivity is at least `target`.
    #[serde(rename_all = "camelCase")]
    Sensitivity {
        /// The sensitivity to reach, in (0, 1].
        target: f64,
    },
    /// The greatest sum of sensitivity and specificity (Youden's index); of equals the most sensitive.
    Youden,
    /// A stated threshold.
    Threshold,
}

/// A threshold on the probability of a positive: positive is called where it is reached.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OperatingPoint {
    /// How the threshold was chosen.
    #[serde(flatten)]
    pub kind: OperatingPointKind,
    /// Positive is called where the probability of a positive is at least this.
    pub threshold: f64,
    /// Positives called positive.
    pub true_positives: u64,
    /// Positives called negative.
    pub false_negatives: u64,
    /// Negatives called positive.
    pub false_positives: u64,
    /// Negatives called negative.
    pub true_negatives: u64,
    /// The share of positives that are called positive.
    pub sensitivity: Option<f64>,
    /// Wilson's interval of the sensitivity.
    pub sensitivity_interval: Option<Interval>,
    /// The share of negatives that are called negative.
    pub specificity: Option<f64>,
    /// Wilson's interval of the specificity.
    pub specificity_interval: Option<Interval>,
    /// Predictive values at the cohort's own prevalence.
    pub at_cohort: PredictiveValues,
    /// Predictive values at the stated prevalence.
    pub at_stated: PredictiveValues,
}
