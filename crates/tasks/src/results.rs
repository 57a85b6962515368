//! Metrics as a resource's status has them: few, rounded, as decimal strings.

use attrium_api::{GateOutcome, IntervalStatus, ResultStatus, TrainingRunSpec};
use attrium_evaluation::{
    Estimate, Interval, Metrics, MetricsDocument, NetworkMetrics, nothing_learned,
};
use attrium_types::Decimal;

/// Decimals of a metric in a status.
const DECIMALS: usize = 4;

/// One row for each network and target.
pub(super) fn rows(document: &MetricsDocument) -> Vec<ResultStatus> {
    document.results.iter().map(row).collect()
}

/// The same of a screening, whose sensitivity and specificity are those at its threshold.
pub(super) fn of_screening(document: &MetricsDocument) -> Vec<ResultStatus> {
    let row = |result: &NetworkMetrics| {
        let chosen = result.metrics.positive.chosen();
        ResultStatus {
            sensitivity: value(chosen.and_then(|point| point.sensitivity)),
            specificity: value(chosen.and_then(|point| point.specificity)),
            nothing_learned: None,
            ..self::row(result)
        }
    };
    document.results.iter().map(row).collect()
}

/// The row of one network and target.
pub(super) fn row(result: &NetworkMetrics) -> ResultStatus {
    let Metrics {
        target,
        auc,
        auc_hard,
        accuracy,
        sensitivity,
        specificity,
        ..
    } = result.metrics;
    ResultStatus {
        architecture: result.architecture,
        pretrained: result.initial_weights.are_pretrained(),
        task: target,
        auc: value(auc),
        auc_interval: auc.and_then(|auc| interval(auc.interval?)),
        auc_hard: value(auc_hard),
        accuracy: value(accuracy),
        sensitivity: value(sensitivity),
        specificity: value(specificity),
        nothing_learned: nothing_learned(&result.metrics),
    }
}

/// How each gate came out, in the order of the manifest.
pub(super) fn gates(spec: &TrainingRunSpec, document: &MetricsDocument) -> Vec<GateOutcome> {
    spec.gates
        .iter()
        .zip(&document.gates)
        .map(|(gate, found)| GateOutcome {
            architecture: gate.architecture,
            task: gate.task,
            metric: gate.metric,
            min: gate.min.clone(),
            value: decimal(found.outcome.value),
            passed: found.outcome.passed,
        })
        .collect()
}

fn interval(interval: Interval) -> Option<IntervalStatus> {
    Some(IntervalStatus {
        low: decimal(Some(interval.low))?,
        high: decimal(Some(interval.high))?,
    })
}

fn value(estimate: Option<Estimate>) -> Option<Decimal> {
    decimal(Some(estimate?.value))
}

fn decimal(value: Option<f64>) -> Option<Decimal> {
    Decimal::rounded(value?, DECIMALS)
}
