//! By what a published model tells which of its decisions are uncertain, and what came of it in a validation.

use std::collections::BTreeMap;

use super::publish::{Scaled, scores};
use super::recheck;
use attrium_bundle::{NEAR_THRESHOLD, TrainingLikeness, UncertaintyLimits};
use attrium_dataset::Cohort;
use attrium_evaluation::{FlaggedDecisions, Prediction, Predictions};
use attrium_types::Target;

/// The limits of a model, from its out-of-fold predictions and the scans of its training; `None` where the cohort has no
/// positives or no negatives, or its scans are too few to tell what is unlike them.
pub(super) fn limits(
    target: Target,
    cohort: &Cohort,
    scaled: &Scaled,
) -> Option<UncertaintyLimits> {
    scaled.prevalence?;
    Some(UncertaintyLimits {
        near_threshold: NEAR_THRESHOLD,
        negative_scores: scores(target, &scaled.predictions, false),
        training: likeness(cohort, &scaled.predictions)?,
    })
}

/// What the scans of the training are like, by the folds that they are in.
fn likeness(cohort: &Cohort, predictions: &Predictions) -> Option<TrainingLikeness> {
    let rows: Vec<&Prediction> = predictions.rows.iter().collect();
    let crops = recheck::places(cohort, &rows)?.into_iter();
    let crops = crops.map(|place| cohort.crop(place));
    let folds: Vec<usize> = rows.iter().map(|row| row.fold).collect::<Option<_>>()?;
    TrainingLikeness::new(crops.zip(folds))
}

/// What share of a validation's wrong and right decisions was flagged, by whether that of a study was; `None` where
/// that is not known of each.
pub(super) fn of_validation(
    target: Target,
    predictions: &Predictions,
    threshold: f64,
    flagged: &BTreeMap<u32, Option<bool>>,
) -> Option<FlaggedDecisions> {
    let is_flagged = |row: &Prediction| *flagged.get(&row.study.parse().ok()?)?;
    FlaggedDecisions::new(target, predictions, threshold, is_flagged)
}
