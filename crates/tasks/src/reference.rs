//! How the cohort of a model is spread, as its bundle keeps it.

use std::collections::BTreeMap;

use super::publish::Published;
use attrium_api::DataStatus;
use attrium_dataset::{Cohort, Standing};
use attrium_evaluation::monitoring::{Reference, ReferenceShare, ReferenceStudy};
use attrium_evaluation::{Predictions, positive_probability};
use attrium_types::Target;

/// The reference of what is published: its studies with the scores of the networks that have not seen them, on the
/// scale of the model.
pub(super) fn reference(published: &Published<'_>, target: Target) -> Reference {
    let studies = studies(published.cohort, &published.scaled.predictions, target);
    let synthetic = published.cohort.is_synthetic();
    Reference::of(&studies, set_aside(published.data), synthetic)
}

fn studies(cohort: &Cohort, predictions: &Predictions, target: Target) -> Vec<ReferenceStudy> {
    let rows = predictions.rows.iter();
    let scores: BTreeMap<&str, f64> = rows
        .map(|row| {
            let score = positive_probability(target, &row.probabilities);
            (row.study.as_str(), score)
        })
        .collect();
    let studies = cohort.records.iter().enumerate().map(|(place, record)| {
        let crop = cohort.crop(place).iter();
        ReferenceStudy {
            scanner: record.scanner_model.as_ref().map(ToString::to_string),
            counts: crop.map(|&count| f64::from(count)).sum(),
            ratio: record.ratios.contralateral,
            positive_probability: scores.get(record.study.to_string().as_str()).copied(),
            positive: target.class_of(record.grade) >= target.first_positive_class(),
            has_warnings: !record.warnings.is_empty(),
        }
    });
    studies.collect()
}

/// The objects of labelled studies that were set aside by themselves, of these and the usable ones.
fn set_aside(data: &DataStatus) -> ReferenceShare {
    let ambiguous = data.unusable_by_reason.get(Standing::AMBIGUOUS);
    let part = data
        .unusable
        .saturating_sub(ambiguous.copied().unwrap_or_default());
    let usable = [data.used, data.superseded, ambiguous.copied()];
    ReferenceShare {
        part,
        whole: part + usable.into_iter().flatten().sum::<u64>(),
    }
}
