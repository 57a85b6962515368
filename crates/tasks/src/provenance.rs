//! Where a result comes from, and what people have stated of it, for its report.

use super::TaskError;
use super::failure::OrFail;
use super::starting_weights::initial_weights;
use super::task_io::{ScreeningIo, TaskIo, TrainingIo};
use attrium_api::{Resource, StudyField};
use attrium_report::{Fact, Provenance, StageTime, StudyFacts};

/// The provenance of a training run.
pub(super) fn of_training(
    io: &TrainingIo<'_>,
    digests: Vec<Fact>,
) -> Result<Provenance, TaskError> {
    let seed = Some(u64::from(io.spec.cross_validation.seed));
    let accelerator = format!("{:?}", io.spec.compute.accelerator);
    let mut provenance = provenance(io, seed, digests, accelerator)?;
    for network in &io.spec.networks {
        let weights = initial_weights(io, network.architecture)?;
        let value = match &network.pretrained_weights {
            Some(uri) => format!("pretrained: true ({uri})"),
            None if weights.are_pretrained() => format!("pretrained: true ({weights})"),
            None => "pretrained: false".to_owned(),
        };
        let fact = fact(&network.architecture.to_string(), value);
        provenance.versions.push(fact);
    }
    Ok(provenance)
}

/// The provenance of a screening.
pub(super) fn of_screening(
    io: &ScreeningIo<'_>,
    digests: Vec<Fact>,
) -> Result<Provenance, TaskError> {
    let accelerator = format!("{:?}", io.spec.compute.accelerator);
    provenance(io, None, digests, accelerator)
}

/// What people have stated of the study that a resource is, and what they have not.
pub(super) fn study(resource: &Resource) -> StudyFacts {
    let nothing = Default::default();
    let study = resource.study().unwrap_or(&nothing);
    let stated = StudyField::ALL
        .into_iter()
        .filter_map(|field| Some(fact(field.title(), study.stated(field)?)));
    let not_stated = study.not_stated().into_iter();
    StudyFacts {
        stated: stated.collect(),
        not_stated: not_stated.map(|field| field.title().to_owned()).collect(),
    }
}

fn provenance<Spec>(
    io: &TaskIo<'_, Spec>,
    seed: Option<u64>,
    digests: Vec<Fact>,
    accelerator: String,
) -> Result<Provenance, TaskError> {
    Ok(Provenance {
        manifest: serde_saphyr::to_string(io.context.resource).or_retry()?,
        seed,
        versions: vec![
            fact("attrium", env!("CARGO_PKG_VERSION")),
            fact("bundle format", attrium_bundle::FORMAT_VERSION),
        ],
        digests,
        machine: vec![
            fact(
                "processor",
                format!(
                    "{} threads of {}",
                    io.context.threads,
                    std::env::consts::ARCH
                ),
            ),
            fact("accelerator", accelerator),
        ],
        stages: stage_times(io)?,
        finished: Some(
            k8s_openapi::jiff::Timestamp::now()
                .strftime("%Y-%m-%d %H:%M UTC")
                .to_string(),
        ),
    })
}

/// How long the tasks of each stage took that have ended so far.
fn stage_times<Spec>(io: &TaskIo<'_, Spec>) -> Result<Vec<StageTime>, TaskError> {
    let mut times = Vec::new();
    for stage in &io.context.plan.stages {
        let summaries = io.summaries(stage.kind)?;
        if !summaries.is_empty() {
            times.push(StageTime {
                stage: stage.kind.to_string(),
                tasks: summaries.len() as u64,
                seconds: summaries
                    .iter()
                    .map(|summary| summary.seconds)
                    .sum::<f64>()
                    .round() as u64,
            });
        }
    }
    Ok(times)
}

fn fact(name: &str, value: impl ToString) -> Fact {
    Fact {
        name: name.to_owned(),
        value: value.to_string(),
    }
}
