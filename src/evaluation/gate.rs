//! A minimum that a metric has to reach before a model is published.

use serde::{Deserialize, Serialize};
use snafu::ensure;

use super::error::{Error, UnknownMetricSnafu};
use super::{Interval, Metrics};

/// The metrics that a gate may name, as in [`Metrics`]; more is better for each of them.
///
/// `...Low` is the lower limit of the metric's 95 % interval.
pub const GATE_METRICS: [&str; 13] = [
    "auc",
    "aucLow",
    "aucHard",
    "accuracy",
    "accuracyLow",
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

/// Compares a metric with the least value that passes.
///
/// # Errors
/// `metric` is none of [`GATE_METRICS`].
pub fn gate(metrics: &Metrics, metric: &str, minimum: f64) -> Result<GateOutcome, Error> {
    let known = GATE_METRICS.contains(&metric);
    ensure!(known, UnknownMetricSnafu { metric });
    let value = value(metrics, metric);
    let passed = value.is_some_and(|value| value >= minimum);
    let task = metrics.task;
    let message = match value {
        Some(value) if passed => {
            format!("{metric} of {task} is {value:.4} and reaches the minimum of {minimum}")
        }
        // Enough digits that a near miss does not look like the minimum itself.
        Some(value) => format!("{metric} of {task} is {value:.6}, below the minimum of {minimum}"),
        None => format!(
            "{metric} of {task} is not defined on these studies, so the minimum of {minimum} is missed"
        ),
    };
    Ok(GateOutcome {
        metric: metric.to_owned(),
        minimum,
        value,
        passed,
        message,
    })
}

fn value(metrics: &Metrics, metric: &str) -> Option<f64> {
    let low = |interval: Option<Interval>| interval.map(|interval| interval.low);
    match metric {
        "auc" => metrics.auc,
        "aucLow" => low(metrics.auc_interval),
        "aucHard" => metrics.auc_hard,
        "accuracy" => metrics.accuracy,
        "accuracyLow" => low(metrics.accuracy_interval),
        "sensitivity" => metrics.sensitivity,
        "sensitivityLow" => low(metrics.sensitivity_interval),
        "specificity" => metrics.specificity,
        "specificityLow" => low(metrics.specificity_interval),
        "ppv" => metrics.at_cohort.ppv,
        "npv" => metrics.at_cohort.npv,
        "kappa" => metrics.kappa,
        "quadraticKappa" => metrics.quadratic_kappa,
        _ => None,
    }
}
