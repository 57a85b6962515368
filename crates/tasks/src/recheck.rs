//! Predicting again from stored weights, before a model is published.
//!
//! A digest tells that a file is as it was written; that it was written as it was computed is told by using
//! it once more.

use std::collections::HashMap;

use snafu::Snafu;

use super::TaskError;
use super::combination::Combination;
use super::failure::OrFail;
use super::fitting;
use super::task_io::{LARGEST_WEIGHTS, TrainingIo};
use attrium_bundle::Member;
use attrium_dataset::Cohort;
use attrium_evaluation::Prediction;
use attrium_imaging::CROP_PIXELS;
use attrium_nn::Network;
use attrium_training::Normalization;
use attrium_types::{Architecture, Target};
use attrium_workflow::artefacts::{self, Fold};

/// The fold that is predicted again.
const FOLD: u32 = 0;
/// How far a probability may be from the stored one. A processor and a GPU differ by less than a tenth of it.
const TOLERANCE: f64 = 0.01;
/// Studies whose predictions a refitted network repeats from its stored weights.
const REPEATED: usize = 256;

/// A network whose stored weights do not give what it has predicted.
#[derive(Debug, Snafu)]
enum Error {
    #[snafu(display(
        "the weights of {what} do not give its stored predictions: a probability is off by {off:.3}, more \
         than {TOLERANCE}: delete {marker} and run again"
    ))]
    Otherwise {
        what: String,
        off: f64,
        marker: String,
    },
    #[snafu(display(
        "the predictions of {what} are not of the studies of this run: delete {marker} and run again"
    ))]
    OtherStudies { what: String, marker: String },
    #[snafu(display(
        "{what} gives other predictions once its weights are stored: a probability is off by {off:.3}, more \
         than {TOLERANCE}: run again, and test the machine's memory if that says the same"
    ))]
    Unrepeated { what: String, off: f64 },
}

/// Predicts the first fold of a network again, and refuses weights that give something else than they have.
pub(super) fn fold(
    io: &TrainingIo<'_>,
    cohort: &Cohort,
    combination: &Combination,
) -> Result<(), TaskError> {
    let (architecture, target) = (combination.architecture, combination.target);
    let what = format!("{architecture} for {target}, fold {FOLD},");
    let fold = Fold::new(architecture, target, FOLD);
    let marker = io.files.inputs.marker_of(&fold.weights())?;
    let rows = combination.predictions.rows.iter();
    let rows: Vec<_> = rows.filter(|row| row.fold == Some(FOLD as usize)).collect();
    let Some(studies) = places(cohort, &rows) else {
        return Err(OtherStudiesSnafu { what, marker }.build().into());
    };
    let (weights, normalization) = (io.get(&fold.weights())?, io.get(&fold.normalization())?);
    let normalization = Normalization::from_safetensors(&normalization, CROP_PIXELS).ok();
    let again = normalization.and_then(|normalization| {
        let images = images(io, cohort, &studies, &normalization);
        probabilities(architecture, target, &weights, &images)
    });
    let stored: Vec<_> = rows.iter().map(|row| row.probabilities.clone()).collect();
    let off = distance(&stored, &again.unwrap_or_default());
    if off <= TOLERANCE {
        return Ok(());
    }
    Err(OtherwiseSnafu { what, off, marker }.build().into())
}

/// What a network gives by stored weights; `None` where they give no numbers.
fn probabilities(
    architecture: Architecture,
    target: Target,
    weights: &[u8],
    images: &[f32],
) -> Option<Vec<Vec<f64>>> {
    let (classes, device) = (target.classes().len(), attrium_nn::cpu());
    let network = Network::from_safetensors(architecture, classes, weights, &device);
    network.ok()?.probabilities(images).ok()
}

/// What was stored stays so until it is made again; what this task has stored is made again by another try.
impl From<Error> for TaskError {
    fn from(error: Error) -> Self {
        match error {
            Error::Otherwise { .. } | Error::OtherStudies { .. } => Self::bad_data(error),
            Error::Unrepeated { .. } => Self::retry(error),
        }
    }
}

/// Where studies lie in the cohort; `None` where one does not.
pub(super) fn places(cohort: &Cohort, rows: &[&Prediction]) -> Option<Vec<usize>> {
    let numbers: HashMap<String, usize> = cohort
        .records
        .iter()
        .enumerate()
        .map(|(place, record)| (record.study.to_string(), place))
        .collect();
    let places = rows.iter().map(|row| numbers.get(&row.study).copied());
    places.collect()
}

fn images(
    io: &TrainingIo<'_>,
    cohort: &Cohort,
    studies: &[usize],
    normalization: &Normalization,
) -> Vec<f32> {
    let mut images = fitting::images(cohort, studies, io.spec.preprocessing.intensity);
    normalization.apply(&mut images);
    images
}

/// A network as it was trained, and what it makes of some studies.
pub(super) struct Refitted {
    pub architecture: Architecture,
    pub target: Target,
    images: Vec<f32>,
    probabilities: Vec<Vec<f64>>,
}

impl Refitted {
    /// What a network in memory makes of the first studies.
    pub(crate) fn new(
        io: &TrainingIo<'_>,
        (architecture, target): (Architecture, Target),
        cohort: &Cohort,
        network: &Network,
        normalization: &Normalization,
    ) -> Result<Self, TaskError> {
        let studies: Vec<_> = (0..cohort.len().min(REPEATED)).collect();
        let images = images(io, cohort, &studies, normalization);
        let probabilities = network.probabilities(&images).or_bad_data()?;
        Ok(Self {
            architecture,
            target,
            images,
            probabilities,
        })
    }

    /// Refuses a bundle whose weights, read back, give something else.
    pub(crate) fn check(&self, io: &TrainingIo<'_>) -> Result<(), TaskError> {
        let (architecture, target) = (self.architecture, self.target);
        let name = Member::of_all().weights;
        let name = format!("{}{name}", artefacts::bundle(architecture, target));
        let weights = io.files.attempt.get(&name, LARGEST_WEIGHTS)?;
        let again = probabilities(architecture, target, &weights, &self.images);
        let off = distance(&self.probabilities, &again.unwrap_or_default());
        let what = format!("{architecture} for {target}, trained on all data,");
        if off <= TOLERANCE {
            return Ok(());
        }
        Err(UnrepeatedSnafu { what, off }.build().into())
    }
}

/// The largest difference of two probabilities; infinite where they are not of as many studies, or one is no
/// number.
fn distance(stored: &[Vec<f64>], again: &[Vec<f64>]) -> f64 {
    if stored.len() != again.len() {
        return f64::INFINITY;
    }
    let pairs = stored.iter().flatten().zip(again.iter().flatten());
    let off = pairs.map(|(a, b)| (a - b).abs());
    off.fold(0.0, |most, off| {
        if off.is_nan() {
            f64::INFINITY
        } else {
            most.max(off)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_or_is_missing_is_as_far_off_as_can_be() {
        let stored = vec![vec![0.25, 0.75], vec![0.5, 0.5]];
        assert_eq!(distance(&stored, &stored), 0.0);
        let mut again = stored.clone();
        again[1] = vec![0.375, 0.625];
        assert_eq!(distance(&stored, &again), 0.125);
        again[0][0] = f64::NAN;
        assert_eq!(distance(&stored, &again), f64::INFINITY);
        assert_eq!(distance(&stored, &stored[..1]), f64::INFINITY);
    }
}
