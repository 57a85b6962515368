//! A trained model becomes a bundle in the store.

use super::TaskError;
use super::failure::OrFail;
use super::starting_weights::{initial_weights, seen_before};
use super::task_io::TrainingIo;
use attrium_api::{DataStatus, ModelReference, Publish};
use attrium_bundle as bundle;
use attrium_bundle::{
    BundleManifest, FORMAT_VERSION, INTENDED_USE, Member, MemberFiles, TrainingProvenance,
};
use attrium_dataset::{Cohort, CohortDigests};
use attrium_evaluation as evaluation;
use attrium_evaluation::{EvaluationOptions, Metrics, Predictions, positive_probability};
use attrium_types::{Architecture, Target};
use attrium_workflow::artefacts;

/// A model and what is known of it.
pub(super) struct Published<'a> {
    pub publish: &'a Publish,
    pub data: &'a DataStatus,
    pub cohort: &'a Cohort,
    pub scaled: &'a Scaled,
    pub members: Vec<(Member, MemberFiles)>,
}

/// Writes a bundle; its checksums come last, here and where it is published, so that a bundle without them
/// is not whole.
pub(super) fn publish(
    io: &TrainingIo<'_>,
    mut published: Published<'_>,
) -> Result<ModelReference, TaskError> {
    let members = std::mem::take(&mut published.members);
    let (members, contents): (Vec<_>, Vec<_>) = members.into_iter().unzip();
    let manifest = manifest(io, &published, members)?;
    let seen = seen(io, manifest.architecture, published.cohort)?;
    let packed = bundle::pack(&manifest, seen.as_ref(), contents).or_retry()?;
    let name = artefacts::bundle(manifest.architecture, manifest.target);
    let folder = io.files.store.at(&name).or_retry()?;
    for (file, bytes) in packed.files {
        io.put(&format!("{name}{file}"), bytes)?;
    }
    Ok(ModelReference {
        uri: format!("{}/", folder.uri().trim_end_matches('/')),
        digest: packed.digest,
    })
}

/// What tells the scans again that the model has seen, those of the model that it started from among them; none where
/// the cohort's own are not known.
fn seen(
    io: &TrainingIo<'_>,
    architecture: Architecture,
    cohort: &Cohort,
) -> Result<Option<CohortDigests>, TaskError> {
    let Some(own) = cohort.digests.clone() else {
        tracing::warn!(
            "The bundle keeps no digests of its cohort, which was preprocessed by an earlier version"
        );
        return Ok(None);
    };
    let own = CohortDigests::new(own);
    Ok(Some(match seen_before(io, architecture)? {
        Some((bundle, seen)) => own.started_from(&bundle, seen),
        None => own,
    }))
}

fn manifest(
    io: &TrainingIo<'_>,
    published: &Published<'_>,
    members: Vec<Member>,
) -> Result<BundleManifest, TaskError> {
    let Publish {
        architecture,
        task: target,
        ..
    } = *published.publish;
    let scaled = published.scaled;
    let classes = target.classes().iter();
    Ok(BundleManifest {
        format_version: FORMAT_VERSION,
        architecture,
        initial_weights: initial_weights(io, architecture)?,
        target,
        classes: classes.map(|&class| class.to_owned()).collect(),
        synthetic: published.cohort.is_synthetic(),
        crop: io.spec.preprocessing.crop,
        intensity: io.spec.preprocessing.intensity,
        members,
        training: TrainingProvenance {
            run: io.context.resource.name().to_owned(),
            attrium: env!("CARGO_PKG_VERSION").to_owned(),
            method: published.publish.method,
            studies: published.data.used.unwrap_or_default(),
            by_grade: published.data.by_grade.clone(),
            cross_validation: io.spec.cross_validation.clone(),
            augmentation: io.spec.augmentation.clone(),
            training: io.spec.training.clone(),
        },
        temperature: scaled.temperature,
        positive_scores: positive_scores(target, &scaled.predictions),
        metrics: scaled.metrics.clone(),
        intended_use: INTENDED_USE.to_owned(),
    })
}

/// Out-of-fold predictions on the scale of a published model, and their metrics.
pub(super) struct Scaled {
    /// The temperature that logits are divided by.
    pub temperature: f64,
    pub predictions: Predictions,
    pub metrics: Metrics,
}

/// Scales out-of-fold predictions by the temperature that was fitted to them.
pub(super) fn scaled(metrics: &Metrics, predictions: &Predictions) -> Result<Scaled, TaskError> {
    let scaling = metrics.temperature_scaling;
    let temperature = scaling.map_or(1.0, |scaling| scaling.temperature);
    let predictions = predictions.at_temperature(temperature);
    let metrics = evaluation::evaluate(metrics.target, &predictions, &EvaluationOptions::default());
    Ok(Scaled {
        temperature,
        metrics: metrics.or_retry()?,
        predictions,
    })
}

/// The probabilities of a positive of the studies that are positive, the highest first.
fn positive_scores(target: Target, predictions: &Predictions) -> Vec<f64> {
    let first = target.first_positive_class();
    let mut scores: Vec<f64> = predictions
        .rows
        .iter()
        .filter(|row| row.label.is_some_and(|label| label >= first))
        .map(|row| positive_probability(target, &row.probabilities))
        .collect();
    scores.sort_by(|a, b| b.total_cmp(a));
    scores
}
