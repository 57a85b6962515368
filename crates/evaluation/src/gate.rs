//! A minimum that a metric has to reach before a model is published.

use serde::{Deserialize, Serialize};

use super::{Estimate, Metrics};
use attrium_types::Metric;

/// What became of a gate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GateResult {
    /// What was measured.
    pub metric: Metric,
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
pub fn gate(metrics: &Metrics, metric: Metric, minimum: f64) -> GateResult {
    let value = value(metrics, metric);
    let passed = value.is_some_and(|value| value >= minimum);
    let target = metrics.target;
    let message = match value {
        Some(value) if passed => {
            format!("{metric} of {target} is {value:.4} and reaches the minimum of {minimum}")
        }
        // Enough digits that a near miss does not look like the minimum itself.
        Some(value) => {
            format!("{metric} of {target} is {value:.6}, below the minimum of {minimum}")
        }
        None => format!(
            "{metric} of {target} is not defined on these studies, so the minimum of {minimum} is missed"
        ),
    };
    GateResult {
        metric,
        minimum,
        value,
        passed,
        message,
    }
}

fn value(metrics: &Metrics, metric: Metric) -> Option<f64> {
    let value = |estimate: Option<Estimate>| Some(estimate?.value);
    let low = |estimate: Option<Estimate>| Some(estimate?.interval?.low);
    match metric {
        Metric::Auc => value(metrics.auc),
        Metric::AucLow => low(metrics.auc),
        Metric::AucHard => value(metrics.auc_hard),
        Metric::AucHardLow => low(metrics.auc_hard),
        Metric::Accuracy => value(metrics.accuracy),
        Metric::AccuracyLow => low(metrics.accuracy),
        Metric::Sensitivity => value(metrics.sensitivity),
        Metric::SensitivityLow => low(metrics.sensitivity),
        Metric::Specificity => value(metrics.specificity),
        Metric::SpecificityLow => low(metrics.specificity),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EvaluationOptions, Predictions, evaluate};
    use attrium_types::{Metric, Target};

    fn metrics(rows: &str) -> Metrics {
        let table = format!("study,fold,label,p_0,p_1\n{rows}");
        let predictions = Predictions::parse(table.as_bytes()).expect("a right table");
        evaluate(
            Target::Positive,
            &predictions,
            &EvaluationOptions::default(),
        )
        .expect("labelled studies")
    }

    fn mixed() -> Metrics {
        metrics("1,0,0,0.9,0.1\n2,0,0,0.4,0.6\n3,0,1,0.3,0.7\n4,0,1,0.8,0.2\n")
    }

    #[test]
    fn the_minimum_itself_passes() {
        let outcome = gate(&mixed(), Metric::Auc, 0.75);
        assert_eq!((outcome.value, outcome.passed), (Some(0.75), true));
        assert_eq!(
            outcome.message,
            "auc of Positive is 0.7500 and reaches the minimum of 0.75"
        );
    }

    #[test]
    fn a_miss_says_by_how_much() {
        let outcome = gate(&mixed(), Metric::Auc, 0.7501);
        assert!(!outcome.passed);
        assert_eq!(
            outcome.message,
            "auc of Positive is 0.750000, below the minimum of 0.7501"
        );
    }

    #[test]
    fn an_undefined_metric_misses_its_gate() {
        let outcome = gate(&metrics("1,0,0,0.9,0.1\n"), Metric::Auc, 0.0);
        assert_eq!((outcome.value, outcome.passed), (None, false));
        assert!(outcome.message.contains("not defined"));
    }

    #[test]
    fn the_lower_limit_of_an_interval_is_a_stricter_gate() {
        let metrics = mixed();
        for (metric, low) in [
            (Metric::Auc, Metric::AucLow),
            (Metric::AucHard, Metric::AucHardLow),
            (Metric::Accuracy, Metric::AccuracyLow),
            (Metric::Sensitivity, Metric::SensitivityLow),
            (Metric::Specificity, Metric::SpecificityLow),
        ] {
            let value = gate(&metrics, metric, 0.0).value.expect("is defined");
            let limit = gate(&metrics, low, 0.0).value.expect("is defined");
            assert!(limit < value, "{metric}: {limit} {value}");
            assert!(gate(&metrics, metric, value).passed);
            assert!(!gate(&metrics, low, value).passed);
        }
    }
}
