//! The labelled studies that an external validation has no prediction for, and their table.

use std::collections::BTreeSet;

use super::{TaskError, csv_table};
use attrium_dataset::{LabelledStudy, Pseudonyms};
use attrium_evaluation::{Metrics, Predictions, Unanswered};
use attrium_types::Target;

/// The labelled studies without a prediction, by pseudonym.
pub(super) fn unanswered<'a>(
    pseudonyms: &'a Pseudonyms,
    predictions: &Predictions,
) -> Vec<&'a LabelledStudy> {
    let rows = predictions.rows.iter();
    let answered: BTreeSet<&str> = rows.map(|row| row.study.as_str()).collect();
    let mut left: Vec<_> = pseudonyms
        .studies()
        .filter(|study| !answered.contains(study.study.to_string().as_str()))
        .collect();
    left.sort_by_key(|study| study.study);
    left
}

/// What they make of the job's threshold at the worst; `None` where no threshold was judged.
pub(super) fn at_worst(
    studies: &[&LabelledStudy],
    target: Target,
    metrics: &Metrics,
) -> Option<Unanswered> {
    let point = metrics.positive.chosen()?;
    let positives = positives(studies, target);
    Some(Unanswered::at(point, studies.len() as u64, positives))
}

/// How many of them are positive.
pub(super) fn positives(studies: &[&LabelledStudy], target: Target) -> u64 {
    let first = target.first_positive_class();
    let is_positive = |study: &&&LabelledStudy| target.class_of(study.grade) >= first;
    studies.iter().filter(is_positive).count() as u64
}

/// The table `study,patient,grade`, by pseudonyms.
pub(super) fn table(studies: &[&LabelledStudy]) -> Result<Vec<u8>, TaskError> {
    let rows = studies.iter().map(|study| {
        [
            study.study.to_string(),
            study.patient.to_string(),
            study.grade.to_string(),
        ]
    });
    csv_table::table(["study", "patient", "grade"], rows)
}
