//! The receiver operating characteristic, the area below it and that area's interval.

use serde::{Deserialize, Serialize};

/// One class against all others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RocCurve {
    /// What counts as positive: a class's name, or `positive`.
    pub name: String,
    /// The area below the curve.
    pub auc: f64,
    /// From (0, 0) to (1, 1), by falling threshold; collinear points are left out.
    pub points: Vec<RocPoint>,
}

/// One threshold of a [`RocCurve`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RocPoint {
    /// The share of negatives that are called positive: 1 - specificity.
    pub false_positive_rate: f64,
    /// The share of positives that are called positive: the sensitivity.
    pub true_positive_rate: f64,
    /// Positive is called where the score is at least this; `None` at (0, 0), where nothing is.
    pub threshold: Option<f64>,
}
