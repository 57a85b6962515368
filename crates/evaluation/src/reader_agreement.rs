//! How well two readers agree with each other, to compare a network's agreement with.

use super::kappa::{KappaWeights, kappa};
use super::labelled_predictions::{LabelledPredictions, positive_kappa};
use super::metrics::ReaderAgreement;
use attrium_types::{Grade, Target};

/// The covariate that holds a second reader's grade.
pub(super) const SECOND_READER: &str = "reader2";

/// The agreement of label and second reader, over the studies that have both; `None` where no
/// study has. `column` is the index of the covariate; a value that is not a grade
/// counts as missing.
pub(super) fn second_reader(
    labelled: &LabelledPredictions<'_>,
    column: usize,
) -> Option<ReaderAgreement> {
    let (mut pairs, mut patients) = (Vec::new(), Vec::new());
    for (study, row) in labelled.rows.iter().enumerate() {
        let grade = row
            .covariates
            .get(column)
            .and_then(|value| value.parse::<u8>().ok());
        if let Some(grade) = grade.and_then(|value| Grade::try_from(value).ok()) {
            pairs.push((labelled.labels[study], labelled.target.class_of(grade)));
            patients.push(labelled.patients[study]);
        }
    }
    (!pairs.is_empty()).then(|| reader_agreement(labelled.target, &pairs, &patients))
}

/// The agreement of two readers: `pairs` has both readings of each study as the target's classes, and
/// `patients` numbers the patient of each.
pub fn reader_agreement(
    target: Target,
    pairs: &[(usize, usize)],
    patients: &[usize],
) -> ReaderAgreement {
    let weighted = |weighting| kappa(pairs, target.classes().len(), weighting, patients);
    ReaderAgreement {
        studies: pairs.len() as u64,
        kappa: weighted(KappaWeights::Unweighted),
        quadratic_kappa: weighted(KappaWeights::Quadratic),
        positive_kappa: positive_kappa(target, pairs, patients),
    }
}
