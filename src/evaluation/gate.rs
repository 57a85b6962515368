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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Task;
    use crate::evaluation::{Options, Predictions, evaluate};

    fn metrics(rows: &str) -> Metrics {
        let table = format!("study,fold,label,p_0,p_1\n{rows}");
        let predictions = Predictions::parse(table.as_bytes()).expect("a right table");
        evaluate(Task::Positive, &predictions, &Options::default()).expect("labelled studies")
    }

    fn mixed() -> Metrics {
        metrics("1,0,0,0.9,0.1\n2,0,0,0.4,0.6\n3,0,1,0.3,0.7\n4,0,1,0.8,0.2\n")
    }

    #[test]
    fn the_minimum_itself_passes() {
        let outcome = gate(&mixed(), "auc", 0.75).expect("a known metric");
        assert_eq!((outcome.value, outcome.passed), (Some(0.75), true));
        assert_eq!(
            outcome.message,
            "auc of Positive is 0.7500 and reaches the minimum of 0.75"
        );
    }

    #[test]
    fn a_miss_says_by_how_much() {
        let outcome = gate(&mixed(), "auc", 0.7501).expect("a known metric");
        assert!(!outcome.passed);
        assert_eq!(
            outcome.message,
            "auc of Positive is 0.750000, below the minimum of 0.7501"
        );
    }

    #[test]
    fn an_undefined_metric_misses_its_gate() {
        let outcome = gate(&metrics("1,0,0,0.9,0.1\n"), "auc", 0.0).expect("a known metric");
        assert_eq!((outcome.value, outcome.passed), (None, false));
        assert!(outcome.message.contains("not defined"));
    }

    #[test]
    fn every_listed_metric_is_known_and_defined_on_a_full_cohort() {
        for metric in GATE_METRICS {
            let outcome = gate(&mixed(), metric, 0.0).expect("a listed metric");
            assert!(outcome.value.is_some(), "{metric}");
        }
    }

    #[test]
    fn an_unknown_metric_is_told_the_known_ones() {
        let error = gate(&mixed(), "f1", 0.5)
            .expect_err("no such metric")
            .to_string();
        assert!(error.starts_with("`f1` is no metric of a gate: use one of auc, aucLow"));
    }
}
