//! The same numbers for part of the cohort: one row for each value of each covariate.

use serde::{Deserialize, Serialize};

use super::Interval;

/// The studies that share one value of one covariate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SubgroupRow {
    /// The covariate: `metastases`, `protocol`, `scanner`, `sex`, `indication`, `age`, ...
    pub column: String,
    /// Its value; `unknown` where the column is empty; a band of years for `age`.
    pub value: String,
    /// The number of labelled studies.
    pub studies: u64,
    /// How many of them are positive.
    pub positives: u64,
    /// The task's AUC, as [`super::Metrics::auc`].
    pub auc: Option<f64>,
    /// Its interval.
    pub auc_interval: Option<Interval>,
    /// The AUC of the probability of a positive; for a binary task the same as `auc`.
    pub positive_auc: Option<f64>,
    /// Its interval.
    pub positive_auc_interval: Option<Interval>,
    /// The share of studies whose class was called rightly.
    pub accuracy: Option<f64>,
    /// Wilson's interval of the accuracy.
    pub accuracy_interval: Option<Interval>,
    /// The share of positives that are called positive, by the hard label.
    pub sensitivity: Option<f64>,
    /// Wilson's interval of the sensitivity.
    pub sensitivity_interval: Option<Interval>,
    /// The share of negatives that are called negative, by the hard label.
    pub specificity: Option<f64>,
    /// Wilson's interval of the specificity.
    pub specificity_interval: Option<Interval>,
}
