//! The refit: the published network, trained once more on every study.

use super::failure::OrFail;
use super::fitting::{self, Checkpoints, Start};
use super::publish::{self, Published};
use super::recheck::Refitted;
use super::starting_weights::StartingWeights;
use super::task_io::TrainingIo;
use super::{Summary, TaskError};
use attrium_bundle::{Member, MemberFiles, SignaturePolicy};
use attrium_dataset::Cohort;
use attrium_evaluation::{Metrics, MetricsDocument, NetworkMetrics, Predictions};
use attrium_training::Prepared;
use attrium_types::{Architecture, Target};
use attrium_workflow::{StageKind, artefacts};

/// A stream of random numbers that no fold has.
const STREAM: u64 = u32::MAX as u64;
/// The fold whose first weights it has, where these are of a bundle.
const FIRST_FOLD: u32 = 0;

/// Trains on all data and publishes, unless a gate was missed or nothing was learned.
pub(super) fn run(
    io: &TrainingIo<'_>,
    signatures: &SignaturePolicy,
    architecture: Architecture,
    target: Target,
) -> Result<Summary, TaskError> {
    let document: MetricsDocument =
        serde_json::from_slice(&io.get(artefacts::METRICS)?).or_retry()?;
    if !document.gates_passed() {
        return Ok(Summary {
            message: "a gate was missed: nothing is trained on all data".to_owned(),
            ..Summary::default()
        });
    }
    let Some(wanted) = &io.spec.publish else {
        return Err(TaskError::bad_configuration(
            "nothing is to be published: name spec.publish, or leave the refit out",
        ));
    };
    if let Some(reason) = publish::nothing_learned(wanted, &document) {
        return Ok(Summary {
            message: format!("nothing is trained on all data: {reason}"),
            ..Summary::default()
        });
    }
    let cohort = io.cohort()?;
    let metrics = metrics(&document, architecture, target)?;
    let (files, refitted) = train(io, signatures, &cohort, (architecture, target))?;
    let table = io.get(&artefacts::predictions(architecture, target))?;
    let predictions = Predictions::parse(&table).or_retry()?;
    let model = publish::publish(
        io,
        Published {
            publish: wanted,
            data: &io.counted(StageKind::Evaluate)?,
            cohort: &cohort,
            scaled: &publish::scaled(io.spec.prevalence.value(), metrics, &predictions)?,
            members: vec![(Member::of_all(), files)],
        },
    )?;
    refitted.check(io)?;
    Ok(Summary {
        message: format!("trained {architecture} for {target} on all data and published it"),
        model: Some(model),
        ..Summary::default()
    })
}

/// The out-of-fold metrics of what is published.
fn metrics(
    document: &MetricsDocument,
    architecture: Architecture,
    target: Target,
) -> Result<&Metrics, TaskError> {
    let result = NetworkMetrics::find(&document.results, architecture, target);
    let result = result.ok_or_else(|| {
        TaskError::bad_data(format!(
            "{architecture} for {target} cannot be published: one of its folds has failed"
        ))
    })?;
    Ok(&result.metrics)
}

fn train(
    io: &TrainingIo<'_>,
    signatures: &SignaturePolicy,
    cohort: &Cohort,
    of: (Architecture, Target),
) -> Result<(MemberFiles, Refitted), TaskError> {
    let device = io.device()?;
    let weights = StartingWeights::of(io, signatures, of, FIRST_FOLD, &device)?;
    let Prepared {
        fit: data,
        normalization,
        ..
    } = fitting::prepare(io.spec, cohort, of, None, &weights)?;
    let name = |name: &str| format!("{}{name}", artefacts::REFIT);
    let checkpoints = Checkpoints::new(io, name("checkpoint/state"), name("history.csv"));
    let images = data.labels.len();
    let config = fitting::config(io.spec, of.0, of.1, STREAM, images);
    let start = Start {
        weights: &weights,
        device: &device,
    };
    let network = fitting::fit(config, data, start, &checkpoints, io.context)?;
    let files = MemberFiles {
        weights: network.to_safetensors().or_retry()?,
        normalization: normalization.to_safetensors().or_retry()?,
    };
    let refitted = Refitted::new(io, of, cohort, &network, &normalization)?;
    Ok((files, refitted))
}
