//! Labelled studies that have no prediction, and what they may hide.
//!
//! The intervals here count studies, also where patients have several: whose studies these are, counts do not tell.

use serde::{Deserialize, Serialize};

use super::estimate_fields;
use super::interval::{Estimate, proportion};
use super::operating_point::OperatingPoint;

/// The labelled studies of an external validation that have no prediction: without an object, or without one that
/// could be used. No metric counts them, though a department would not know of their hearts either.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Unanswered {
    /// Their number.
    pub studies: u64,
    /// Those of them that are positive.
    pub positives: u64,
    /// The sensitivity at the threshold that was chosen before, were each of those positives missed, with Wilson's
    /// interval.
    #[serde(flatten, with = "estimate_fields::sensitivity")]
    pub sensitivity: Option<Estimate>,
    /// The specificity there, were each of the others called positive, with Wilson's interval.
    #[serde(flatten, with = "estimate_fields::specificity")]
    pub specificity: Option<Estimate>,
}

impl Unanswered {
    /// The worst that so many studies, of which so many are positive, would make of a threshold.
    pub fn at(point: &OperatingPoint, studies: u64, positives: u64) -> Self {
        let all_positives = point.true_positives + point.false_negatives + positives;
        let others = studies.saturating_sub(positives);
        let all_others = point.true_negatives + point.false_positives + others;
        Self {
            studies,
            positives,
            sensitivity: proportion(point.true_positives, all_positives),
            specificity: proportion(point.true_negatives, all_others),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EvaluationOptions, Prediction, Predictions, evaluate};
    use attrium_types::Target;

    /// Positives that are all found, and as many others that are all passed over.
    fn perfect(studies: usize) -> OperatingPoint {
        let row = |study: usize| {
            let positive = study % 2;
            let probability = if positive == 1 { 0.9 } else { 0.1 };
            Prediction {
                study: study.to_string(),
                fold: None,
                label: Some(positive),
                probabilities: vec![1.0 - probability, probability],
                covariates: Vec::new(),
            }
        };
        let predictions = Predictions {
            classes: 2,
            covariates: Vec::new(),
            rows: (0..studies).map(row).collect(),
        };
        let options = EvaluationOptions {
            threshold: Some(0.5),
            ..EvaluationOptions::default()
        };
        let metrics = evaluate(Target::Positive, &predictions, &options).unwrap();
        *metrics.positive.chosen().unwrap()
    }

    #[test]
    fn positives_that_could_not_be_read_are_missed_at_the_worst() {
        let point = perfect(12);
        assert_eq!(point.sensitivity.map(|it| it.value), Some(1.0));
        let found = Unanswered::at(&point, 9, 7);
        assert_eq!(found.sensitivity, proportion(6, 13));
        assert_eq!(found.specificity, proportion(6, 8));
        let none = Unanswered::at(&point, 0, 0);
        assert_eq!(none.sensitivity, point.sensitivity);
        assert_eq!(none.specificity, point.specificity);
    }
}
