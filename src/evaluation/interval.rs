//! Confidence intervals of proportions.

use serde::{Deserialize, Serialize};

/// The confidence level of every interval here.
pub const LEVEL: f64 = 0.95;

/// A two-sided 95 % confidence interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Interval {
    /// The lower limit.
    pub low: f64,
    /// The upper limit.
    pub high: f64,
}
