//! A trained model becomes a bundle in the store.

use super::TaskError;
use super::failure::OrFail;
use super::task_io::TrainingContext;
use attrium_api::{DataStatus, ModelReference, Publish};
use attrium_bundle as bundle;
use attrium_bundle::{FORMAT_VERSION, INTENDED_USE, Manifest, Member, MemberFiles, Provenance};
use attrium_evaluation as evaluation;
use attrium_evaluation::{Metrics, Options, Predictions, positive_probability};
use attrium_types::Target;
use attrium_workflow::artefacts;

/// A model and what is known of it.
pub(super) struct Published<'a> {
    /// What the manifest asked for.
    pub publish: &'a Publish,
    /// The cohort.
    pub data: &'a DataStatus,
    /// Whether the cohort is of phantoms.
    pub synthetic: bool,
    /// The out-of-fold predictions and what they reached.
    pub scaled: &'a Scaled,
    /// The members and their files.
    pub members: Vec<(Member, MemberFiles)>,
}

/// Writes a bundle; its checksums come last, so that a bundle without them is not whole.
pub(super) fn publish(
    run: &TrainingContext<'_>,
    published: Published<'_>,
) -> Result<ModelReference, TaskError> {
    let Publish {
        architecture, task, ..
    } = *published.publish;
    let scaled = published.scaled;
    let (members, contents): (Vec<_>, Vec<_>) = published.members.into_iter().unzip();
    let manifest = Manifest {
        format_version: FORMAT_VERSION,
        architecture,
        pretrained: run.spec.pretrained_weights(architecture).is_some(),
        task,
        classes: task
            .classes()
            .iter()
            .map(|&class| class.to_owned())
            .collect(),
        synthetic: published.synthetic,
        crop: run.spec.preprocessing.crop,
        members,
        training: Provenance {
            run: run.context.resource.name().to_owned(),
            attrium: env!("CARGO_PKG_VERSION").to_owned(),
            method: published.publish.method,
            studies: published.data.used.unwrap_or_default(),
            by_grade: published.data.by_grade.clone(),
            cross_validation: run.spec.cross_validation.clone(),
            augmentation: run.spec.augmentation.clone(),
            training: run.spec.training.clone(),
        },
        temperature: scaled.temperature,
        positive_scores: positive_scores(task, &scaled.predictions),
        metrics: scaled.metrics.clone(),
        intended_use: INTENDED_USE.to_owned(),
    };
    let packed = bundle::pack(&manifest, contents).or_retry()?;
    let folder = run
        .store
        .at(&artefacts::bundle(architecture, task))
        .or_retry()?;
    for (name, bytes) in packed.files {
        folder.put(&name, bytes).or_retry()?;
    }
    Ok(ModelReference {
        uri: format!("{}/", folder.uri().trim_end_matches('/')),
        digest: packed.digest,
    })
}

/// Predictions on the scale of a published model.
pub(super) struct Scaled {
    /// The temperature that logits are divided by.
    pub temperature: f64,
    /// The predictions after that.
    pub predictions: Predictions,
    /// Their metrics.
    pub metrics: Metrics,
}

/// Scales out-of-fold predictions by the temperature that was fitted to them.
pub(super) fn scaled(metrics: &Metrics, predictions: &Predictions) -> Result<Scaled, TaskError> {
    let scaling = metrics.temperature_scaling;
    let temperature = scaling.map_or(1.0, |scaling| scaling.temperature);
    let predictions = predictions.at_temperature(temperature);
    let metrics = evaluation::evaluate(metrics.task, &predictions, &Options::default());
    Ok(Scaled {
        temperature,
        metrics: metrics.or_retry()?,
        predictions,
    })
}

/// The probabilities of a positive of the studies that are, from the highest.
fn positive_scores(task: Target, predictions: &Predictions) -> Vec<f64> {
    let first = task.first_positive_class();
    let mut scores: Vec<f64> = predictions
        .rows
        .iter()
        .filter(|row| row.label.is_some_and(|label| label >= first))
        .map(|row| positive_probability(task, &row.probabilities))
        .collect();
    scores.sort_by(|a, b| b.total_cmp(a));
    scores
}
