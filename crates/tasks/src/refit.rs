//! The refit: the published network, trained once more on every study.

use super::failure::OrFail;
use super::fitting::{self, Keeping, Start};
use super::publish::{self, Published};
use super::task_io::TrainingContext;
use super::{Summary, TaskError};
use attrium_bundle::{Member, MemberFiles};
use attrium_dataset::Cohort;
use attrium_evaluation::{Metrics, MetricsDocument, Predictions};
use attrium_training::Prepared;
use attrium_types::{Architecture, Target};
use attrium_workflow::{StageKind, artefacts};

/// A stream of random numbers that no fold has.
const STREAM: u64 = u32::MAX as u64;

/// Trains on all data and publishes, unless a gate was missed.
pub(super) fn run(
    run: &TrainingContext<'_>,
    architecture: Architecture,
    task: Target,
) -> Result<Summary, TaskError> {
    let document: MetricsDocument =
        serde_json::from_slice(&run.get(artefacts::METRICS)?).or_retry()?;
    if !document.gates_passed() {
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
    let cohort = run.cohort()?;
    let metrics = metrics(&document, architecture, task)?;
    let files = train(run, &cohort, architecture, task)?;
    let table = run.get(&artefacts::predictions(architecture, task))?;
    let predictions = Predictions::parse(&table).or_retry()?;
    let model = publish::publish(
        run,
        Published {
            publish: wanted,
            data: &run.counted(StageKind::Evaluate)?,
            synthetic: cohort.is_synthetic(),
            scaled: &publish::scaled(metrics, &predictions)?,
            members: vec![(Member::of_all(), files)],
        },
    )?;
    Ok(Summary {
        message: format!("trained {architecture} for {task} on all data and published it"),
        model: Some(model),
        ..Summary::default()
    })
}

/// The out-of-fold metrics of what is published.
fn metrics(
    document: &MetricsDocument,
    architecture: Architecture,
    task: Target,
) -> Result<&Metrics, TaskError> {
    let mut results = document.results.iter();
    let result = results
        .find(|result| result.architecture == architecture && result.metrics.task == task)
        .ok_or_else(|| {
            TaskError::data(format!(
                "{architecture} for {task} cannot be published: one of its folds has failed"
            ))
        })?;
    Ok(&result.metrics)
}

fn train(
    run: &TrainingContext<'_>,
    cohort: &Cohort,
    architecture: Architecture,
    task: Target,
) -> Result<MemberFiles, TaskError> {
    let pretrained = run.pretrained(architecture)?;
    let images = fitting::log_images(cohort);
    let Prepared {
        fit: data,
        normalization,
        ..
    } = fitting::prepare(run.spec, cohort, &images, task, None)?;
    let keeping = Keeping {
        store: &run.store,
        checkpoint: format!("{}checkpoint/state", artefacts::REFIT),
        history: format!("{}history.csv", artefacts::REFIT),
        every: run.spec.training.checkpoint_epochs,
    };
    let config = fitting::config(run.spec, architecture, task, STREAM);
    let start = Start {
        pretrained: pretrained.as_ref(),
        device: &run.device()?,
    };
    let network = fitting::fit(config, data, start, &keeping, run.context)?;
    Ok(MemberFiles {
        weights: network.to_safetensors().or_retry()?,
        normalization: normalization.to_safetensors().or_retry()?,
    })
}
