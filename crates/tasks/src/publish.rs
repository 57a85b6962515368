//! A trained model becomes a bundle in the store.

use super::TaskError;
use super::failure::OrFail;
use super::reference::reference;
use super::starting_weights::{initial_weights, seen_before};
use super::task_io::{TaskIo, TrainingIo};
use super::uncertainty;
use attrium_api::{DataStatus, ModelReference, Publish};
use attrium_bundle as bundle;
use attrium_bundle::{
    BundleFiles, BundleManifest, FORMAT_VERSION, INTENDED_USE, Member, MemberFiles,
    StatedPrevalence, TrainingProvenance,
};
use attrium_dataset::{Cohort, CohortDigests};
use attrium_evaluation as evaluation;
use attrium_evaluation::{
    AssumedPrior, EvaluationOptions, Metrics, MetricsDocument, NetworkMetrics, Predictions,
    positive_probability,
};
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
    let reference = reference(&published, manifest.target);
    let packed = bundle::pack(&manifest, seen.as_ref(), Some(&reference), contents).or_retry()?;
    put(io, &manifest, packed)
}

/// Writes the files of a bundle to their folder, below what a task may write.
pub(super) fn put<Spec>(
    io: &TaskIo<'_, Spec>,
    manifest: &BundleManifest,
    packed: BundleFiles,
) -> Result<ModelReference, TaskError> {
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
            study: io.spec.study.clone(),
        },
        prior_correction: scaled.prior_correction.clone(),
        temperature: scaled.temperature,
        prevalence: scaled.prevalence,
        recalibration: None,
        positive_scores: scores(target, &scaled.predictions, true),
        uncertainty: uncertainty::limits(target, published.cohort, scaled),
        metrics: scaled.metrics.clone(),
        intended_use: INTENDED_USE.to_owned(),
    })
}

/// What speaks against the network to publish having learned anything, where that keeps it from being published.
pub(super) fn nothing_learned(wanted: &Publish, document: &MetricsDocument) -> Option<String> {
    if wanted.force {
        return None;
    }
    let result = NetworkMetrics::find(&document.results, wanted.architecture, wanted.task)?;
    evaluation::nothing_learned(&result.metrics)
}

/// Out-of-fold predictions on the scale of a published model, and their metrics.
pub(super) struct Scaled {
    /// What takes the weights of the classes in the training out of the probabilities.
    pub prior_correction: Vec<f64>,
    /// What the probabilities are stated for; `None` where the cohort has no positives or no negatives.
    pub prevalence: Option<StatedPrevalence>,
    /// The temperature that logits are divided by.
    pub temperature: f64,
    pub predictions: Predictions,
    pub metrics: Metrics,
}

/// Brings out-of-fold predictions to the scale of a published model: frees them of the weights of classes, scales
/// them by the temperature that was fitted to them, and states them for a prevalence.
pub(super) fn scaled(
    stated: f64,
    metrics: &Metrics,
    predictions: &Predictions,
) -> Result<Scaled, TaskError> {
    let scaling = metrics.temperature_scaling.as_ref();
    let temperature = scaling.map_or(1.0, |scaling| scaling.temperature);
    let prior_correction = scaling.map_or_else(Vec::new, |it| it.prior_correction.clone());
    let cohort = metrics.positives as f64 / metrics.studies as f64;
    let is_mixed = cohort > 0.0 && cohort < 1.0;
    let prevalence = is_mixed.then_some(StatedPrevalence { cohort, stated });
    let at_cohort = predictions
        .corrected(&prior_correction)
        .at_temperature(temperature);
    let (metrics, predictions) =
        reached(metrics.target, at_cohort, prevalence, stated).or_retry()?;
    Ok(Scaled {
        prior_correction,
        prevalence,
        temperature,
        metrics,
        predictions,
    })
}

/// What predictions at the prevalence of their cohort reach, and the same at the prevalence that a bundle states, where it
/// states one: thresholds and net benefit are on the scale that a screening has them on.
pub(super) fn reached(
    target: Target,
    at_cohort: Predictions,
    prevalence: Option<StatedPrevalence>,
    stated: f64,
) -> Result<(Metrics, Predictions), evaluation::Error> {
    let evaluate = |predictions: &Predictions, prior| {
        let options = EvaluationOptions {
            prevalence: Some(stated),
            prior,
            ..EvaluationOptions::default()
        };
        evaluation::evaluate(target, predictions, &options)
    };
    let mut reached = evaluate(&at_cohort, AssumedPrior::Cohort)?;
    let Some(StatedPrevalence { cohort, stated }) = prevalence else {
        return Ok((reached, at_cohort));
    };
    let predictions = at_cohort.at_prevalence(target, cohort, stated);
    let at_stated = evaluate(&predictions, AssumedPrior::Prevalence(stated))?;
    reached.positive.operating_points = at_stated.positive.operating_points;
    reached.positive.decision_curve = at_stated.positive.decision_curve;
    Ok((reached, predictions))
}

/// The probabilities of a positive of the studies that are positive, or of those that are negative, the highest first.
pub(super) fn scores(target: Target, predictions: &Predictions, of_positives: bool) -> Vec<f64> {
    let first = target.first_positive_class();
    let mut scores: Vec<f64> = predictions
        .rows
        .iter()
        .filter(|row| row.label.map(|label| label >= first) == Some(of_positives))
        .map(|row| positive_probability(target, &row.probabilities))
        .collect();
    scores.sort_by(|a, b| b.total_cmp(a));
    scores
}
