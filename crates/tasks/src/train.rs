//! Training: one network, one target, all folds but one; then that one is predicted.

use super::failure::OrFail;
use super::fitting::{self, Checkpoints, Start};
use super::starting_weights::StartingWeights;
use super::task_io::TrainingIo;
use super::{Summary, TaskError};
use attrium_bundle::SignaturePolicy;
use attrium_dataset::{Cohort, Covariates};
use attrium_evaluation::{Prediction, Predictions};
use attrium_training::Prepared;
use attrium_types::{Architecture, Grade, Target};
use attrium_workflow::artefacts::Fold;

/// Trains a network without one fold, predicts that fold, and writes down both.
pub(super) fn run(
    io: &TrainingIo<'_>,
    signatures: &SignaturePolicy,
    architecture: Architecture,
    target: Target,
    fold: u32,
) -> Result<Summary, TaskError> {
    let device = io.device()?;
    let of = (architecture, target);
    let weights = StartingWeights::of(io, signatures, of, fold, &device)?;
    let cohort = io.cohort()?;
    let Prepared {
        fit: data,
        normalization,
        test,
    } = fitting::prepare(io.spec, &cohort, of, Some(fold), &weights)?;

    let artefacts = Fold::new(architecture, target, fold);
    let state = artefacts.checkpoint() + "state";
    let checkpoints = Checkpoints::new(io, state, artefacts.history());
    let images = data.labels.len();
    let config = fitting::config(io.spec, architecture, target, u64::from(fold), images);
    let start = Start {
        weights: &weights,
        device: &device,
    };
    let network = fitting::fit(config, data, start, &checkpoints, io.context)?;

    let mut unseen = fitting::images(&cohort, &test, io.spec.preprocessing.intensity);
    normalization.apply(&mut unseen);
    let probabilities = network.probabilities(&unseen).or_bad_data()?;
    let predictions = predictions(&cohort, target, fold, &test, probabilities);
    let normalization = normalization.to_safetensors().or_retry()?;
    io.put(&artefacts.weights(), network.to_safetensors().or_retry()?)?;
    io.put(&artefacts.normalization(), normalization)?;
    io.put(&artefacts.predictions(), predictions.to_csv().or_retry()?)?;
    Ok(Summary {
        message: format!(
            "trained {architecture} for {target}, fold {fold}, and predicted {} studies",
            test.len()
        ),
        ..Summary::default()
    })
}

/// The predictions table of the studies that a network has not seen.
fn predictions(
    cohort: &Cohort,
    target: Target,
    fold: u32,
    studies: &[usize],
    probabilities: Vec<Vec<f64>>,
) -> Predictions {
    let mut names = Vec::new();
    let mut rows = Vec::with_capacity(studies.len());
    for (&study, probabilities) in studies.iter().zip(probabilities) {
        let record = &cohort.records[study];
        let columns = covariates(record.patient, record.grade, &record.covariates);
        let values;
        (names, values) = columns.into_iter().unzip();
        rows.push(Prediction {
            study: record.study.to_string(),
            fold: Some(fold as usize),
            label: Some(target.class_of(record.grade)),
            probabilities,
            covariates: values,
        });
    }
    Predictions {
        classes: target.classes().len(),
        covariates: names,
        rows,
    }
}

/// The columns of a predictions table after the probabilities.
pub(super) fn covariates(
    patient: u32,
    grade: Grade,
    covariates: &Covariates,
) -> Vec<(String, String)> {
    let own = [
        ("patient", patient.to_string()),
        ("grade", grade.to_string()),
    ];
    own.into_iter()
        .chain(covariates.columns())
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}
