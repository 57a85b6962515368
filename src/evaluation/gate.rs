//! A minimum that a metric has to reach before a model is published.

use serde::{Deserialize, Serialize};

/// The metrics that a gate may name; more is better for each of them.
pub const GATE_METRICS: [&str; 12] = [
    "auc",
    "aucLow",
    "aucHard",
    "accuracy",
    "sensitivity",
    "sensitivityLow",
    "specificity",
    "specificityLow",
    "ppv",
    "npv",
    "kappa",
    "quadraticKappa",
];

/// What became of a gate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GateOutcome {
    /// One of [`GATE_METRICS`].
    pub metric: String,
    /// The value to reach.
    pub minimum: f64,
    /// The value found; `None` where it is undefined, which is a miss.
    pub value: Option<f64>,
    /// Whether the value is at least the minimum.
    pub passed: bool,
    /// The outcome in one sentence for a person.
    pub message: String,
}
