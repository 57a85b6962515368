//! Training: one network, one task, all folds but one; then that one is predicted.

use super::failure::OrFail;
use super::fitting::{self, Keeping, Start};
use super::task_io::TrainingContext;
use super::{Summary, TaskError};
use attrium_dataset::{Cohort, Covariates};
use attrium_evaluation::{Prediction, Predictions};
use attrium_imaging::CROP_PIXELS;
use attrium_nn::Network;
use attrium_training::Prepared;
use attrium_types::{Architecture, Grade, Target};
use attrium_workflow::artefacts::Fold;

/// Trains a network without one fold, predicts that fold, and writes down both.
pub(super) fn run(
    run: &TrainingContext<'_>,
    architecture: Architecture,
    task: Target,
    fold: u32,
) -> Result<Summary, TaskError> {
    let pretrained = run.pretrained(architecture)?;
    let cohort = run.cohort()?;
    let images = fitting::log_images(&cohort);
    let classes = cohort.classes(task);
    let Prepared {
        fit: data,
        normalization,
        test,
    } = fitting::prepare(run.spec, &cohort, &images, task, Some(fold))?;

    let artefacts = Fold::new(architecture, task, fold);
    let keeping = Keeping {
        store: &run.store,
        checkpoint: format!("{}state", artefacts.checkpoint()),
        history: artefacts.history(),
        every: run.spec.training.checkpoint_epochs,
    };
    let config = fitting::config(run.spec, architecture, task, u64::from(fold));
    let start = Start {
        pretrained: pretrained.as_ref(),
        device: &run.device()?,
    };
    let network = fitting::fit(config, data, start, &keeping, run.context)?;

    let mut unseen: Vec<f32> = test
        .iter()
        .flat_map(|&study| &images[study * CROP_PIXELS..][..CROP_PIXELS])
        .copied()
        .collect();
    normalization.apply(&mut unseen);
    let predictions = predict(
        &network,
        &unseen,
        &cohort,
        &classes,
        &test,
        fold,
        task.classes().len(),
    )?;
    run.put(&artefacts.weights(), network.to_safetensors().or_retry()?)?;
    run.put(
        &artefacts.normalization(),
        normalization.to_safetensors().or_retry()?,
    )?;
    run.put(&artefacts.predictions(), predictions.to_csv().or_retry()?)?;
    Ok(Summary {
        message: format!(
            "trained {architecture} for {task}, fold {fold}, and predicted {} studies",
            test.len()
        ),
        ..Summary::default()
    })
}

/// The predictions table of the studies that a network has not seen.
fn predict(
    network: &Network,
    images: &[f32],
    cohort: &Cohort,
    classes: &[usize],
    studies: &[usize],
    fold: u32,
    task_classes: usize,
) -> Result<Predictions, TaskError> {
    let probabilities = network.probabilities(images).or_bad_data()?;
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
            label: Some(classes[study]),
            probabilities,
            covariates: values,
        });
    }
    Ok(Predictions {
        classes: task_classes,
        covariates: names,
        rows,
    })
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
