//! Training: one network, one task, all folds but one; then that one is predicted.

use super::failure::OrFail;
use super::fitting::{self, Keeping};
use super::run::TrainingContext;
use super::{Summary, TaskError};
use crate::api::{Architecture, Task};
use crate::dataset::Cohort;
use crate::evaluation::{Prediction, Predictions};
use crate::nn::Network;
use crate::training::{Preparation, Prepared};
use crate::workflow::artefacts::Fold;

/// Trains a network without one fold, predicts that fold, and writes down both.
pub(super) fn run(
    run: &TrainingContext<'_>,
    architecture: Architecture,
    task: Task,
    fold: u32,
) -> Result<Summary, TaskError> {
    let cohort = run.cohort()?;
    let device = run.device()?;
    let images = cohort.log_images();
    let classes = cohort.classes(task);
    let Prepared {
        fit: data,
        normalization,
        test,
    } = Preparation {
        cross_validation: &run.spec.cross_validation,
        augmentation: &run.spec.augmentation,
        training: &run.spec.training,
        classes: task.classes().len(),
        fold: Some(fold),
    }
    .prepare(cohort.numbers(&images, &classes))
    .or_bad_data()?;

    let artefacts = Fold::new(architecture, task, fold);
    let keeping = Keeping {
        store: &run.store,
        checkpoint: format!("{}state", artefacts.checkpoint()),
        history: artefacts.history(),
        every: run.spec.training.checkpoint_epochs,
    };
    let config = fitting::config(run.spec, architecture, task, u64::from(fold));
    let network = fitting::fit(config, data, &device, &keeping, run.context)?;

    let mut unseen = cohort.pick(&images, &test);
    normalization.apply(&mut unseen);
    let predictions = predict(&network, &unseen, &cohort, &classes, &test, fold)?;
    run.put(&artefacts.weights(), network.to_safetensors().or_retry()?)?;
    run.put(&artefacts.normalization(), normalization.to_safetensors().or_retry()?)?;
    run.put(&artefacts.predictions(), predictions.to_csv().or_retry()?)?;
    Ok(Summary {
        message: format!("trained {architecture} for {task}, fold {fold}, and predicted {} studies", test.len()),
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
) -> Result<Predictions, TaskError> {
    let probabilities = network.probabilities(images).or_retry()?;
    let rows = studies.iter().zip(probabilities).map(|(&study, probabilities)| {
        let record = &cohort.records[study];
        Prediction {
            study: record.study.to_string(),
            fold: Some(fold as usize),
            label: Some(classes[study]),
            probabilities,
            covariates: record.covariate_values(),
        }
    });
    Ok(Predictions {
        classes: network.classes(),
        covariates: cohort.covariate_names(),
        rows: rows.collect(),
    })
}
