//! The refit: the published network, trained once more on every study.

use super::failure::OrFail;
use super::fitting::{self, Keeping};
use super::publish::{self, Published};
use super::run::TrainingContext;
use super::{Summary, TaskError};
use crate::api::{Architecture, ModelReference, Publish, Task};
use crate::bundle::{Member, MemberFiles};
use crate::evaluation::{MetricsDocument, Predictions};
use crate::training::{Preparation, Prepared};
use crate::workflow::{StageKind, artefacts};

/// A stream of random numbers that no fold has.
const STREAM: u64 = u32::MAX as u64;

/// Trains on all data and publishes, unless a gate was missed.
pub(super) fn run(
    run: &TrainingContext<'_>,
    architecture: Architecture,
    task: Task,
) -> Result<Summary, TaskError> {
    let document: MetricsDocument =
        serde_json::from_slice(&run.get(artefacts::METRICS)?).or_retry()?;
    if !super::evaluate::passes(&document) {
        return Ok(Summary {
            message: "a gate was missed: nothing is trained on all data".to_owned(),
            ..Summary::default()
        });
    }
    let Some(wanted) = &run.spec.publish else {
        return Err(TaskError::configuration(
            "nothing is to be published: name spec.publish, or leave the refit out",
        ));
    };
    let files = train(run, architecture, task)?;
    let model = publish_refit(run, wanted, &document, files)?;
    Ok(Summary {
        message: format!("trained {architecture} for {task} on all data and published it"),
        model: Some(model),
        ..Summary::default()
    })
}

fn train(
    run: &TrainingContext<'_>,
    architecture: Architecture,
    task: Task,
) -> Result<MemberFiles, TaskError> {
    let cohort = run.cohort()?;
    let images = super::train::log_images(&cohort);
    let classes = cohort.classes(task);
    let Prepared {
        fit: data,
        normalization,
        ..
    } = Preparation {
        cross_validation: &run.spec.cross_validation,
        augmentation: &run.spec.augmentation,
        training: &run.spec.training,
        classes: task.classes(),
        fold: None,
    }
    .prepare(super::train::numbers(&images, &classes, &cohort.patients()))
    .or_bad_data()?;
    let keeping = Keeping {
        store: &run.store,
        checkpoint: format!("{}checkpoint/state", artefacts::REFIT),
        history: format!("{}history.csv", artefacts::REFIT),
        every: run.spec.training.checkpoint_epochs,
    };
    let config = fitting::config(run.spec, architecture, task, STREAM);
    let network = fitting::fit(config, data, &run.device()?, &keeping, run.context)?;
    Ok(MemberFiles {
        weights: network.to_safetensors().or_retry()?,
        normalization: normalization.to_safetensors().or_retry()?,
    })
}

fn publish_refit(
    run: &TrainingContext<'_>,
    wanted: &Publish,
    document: &MetricsDocument,
    files: MemberFiles,
) -> Result<ModelReference, TaskError> {
    let Publish {
        architecture, task, ..
    } = *wanted;
    let result = document
        .results
        .iter()
        .find(|result| result.architecture == architecture && result.metrics.task == task);
    let Some(result) = result else {
        return Err(TaskError::data(format!(
            "{architecture} for {task} cannot be published: one of its folds has failed"
        )));
    };
    let table = run.get(&artefacts::predictions(architecture, task))?;
    let cohort = run.cohort()?;
    publish::publish(
        run,
        Published {
            publish: wanted,
            data: &run.counted(StageKind::Evaluate)?,
            synthetic: cohort.is_synthetic(),
            metrics: result.metrics.clone(),
            predictions: &Predictions::parse(&table).or_retry()?,
            members: vec![(Member::of_all(), files)],
        },
    )
}
