//! A bundle that was recalibrated to a site: the networks of another one, with an intercept, a slope, a prevalence and
//! operating points of the site's own scans.

use std::collections::BTreeMap;

use serde::Serialize;
use snafu::{ResultExt, Snafu, ensure};

use super::bundle_folder::ModelError;
use super::model;
use super::publish;
use super::screener::Screener;
use super::study_selection::StudyPredictions;
use super::task_io::ScreeningIo;
use super::{TaskError, overlap};
use attrium_api::CalibrationStatus;
use attrium_bundle as bundle;
use attrium_bundle::{
    BundleFiles, BundleManifest, CHECKSUMS, Demands, MemberFiles, Model, RECALIBRATED_VERSION,
    SiteRecalibration, StatedPrevalence, UncertaintyLimits,
};
use attrium_dataset::CohortDigests;
use attrium_evaluation as evaluation;
use attrium_evaluation::monitoring::Reference;
use attrium_evaluation::{
    AssumedPrior, EvaluationOptions, Metrics, Predictions, Recalibration, Reliability, TooFewScans,
    log_odds,
};
use attrium_nn as nn;
use attrium_storage as storage;
use attrium_storage::{Storage, StorageOptions};
use attrium_types::{Decimal, text};
use attrium_workflow::TaskExit;

/// Why a model is not recalibrated.
#[derive(Debug, Snafu)]
pub enum CalibrationError {
    /// The bundle cannot be used.
    #[snafu(transparent)]
    Model {
        /// Why.
        source: ModelError,
    },
    /// The predictions cannot be evaluated for the bundle.
    #[snafu(display("the predictions cannot be used"))]
    Predictions {
        /// Why.
        source: evaluation::Error,
    },
    /// They say too little of the site.
    #[snafu(transparent)]
    TooFew {
        /// How little.
        source: TooFewScans,
    },
    /// The model does not tell the site's positives from its negatives.
    #[snafu(display(
        "{reason}: no recalibration mends that; have the model adapted to scans of the site, or force it"
    ))]
    Indistinct {
        /// What speaks against it.
        reason: String,
    },
    /// A prevalence outside (0, 1).
    #[snafu(display("{prevalence} is no prevalence: state a share above 0 and below 1"))]
    Prevalence {
        /// The number.
        prevalence: f64,
    },
    /// The new bundle cannot be packed.
    #[snafu(display("the recalibrated bundle cannot be packed"))]
    Pack {
        /// Why.
        source: bundle::Error,
    },
    /// There is another bundle where the new one is to be.
    #[snafu(display("there is another bundle at {uri}: name a folder that holds none"))]
    Occupied {
        /// The folder.
        uri: String,
    },
    /// The new bundle cannot be written.
    #[snafu(display("the recalibrated bundle cannot be written"))]
    Write {
        /// Why.
        source: storage::Error,
    },
}

impl CalibrationError {
    /// What it costs who asked for it: scans that say too little are bad data.
    pub fn exit(&self) -> TaskExit {
        match self {
            Self::Model { source } => source.exit(),
            Self::Predictions { .. } | Self::TooFew { .. } | Self::Indistinct { .. } => {
                TaskExit::BadData
            }
            Self::Prevalence { .. } | Self::Occupied { .. } => TaskExit::BadConfiguration,
            Self::Write { source } if source.is_bad_place() => TaskExit::BadConfiguration,
            Self::Pack { .. } | Self::Write { .. } => TaskExit::Retry,
        }
    }
}

/// What a site's scans are, and what is to become of a bundle on them.
#[derive(Clone, Copy, Debug)]
pub struct Calibration<'a> {
    /// The model's predictions of the site's scans, one a study, with labels.
    pub predictions: &'a Predictions,
    /// The prevalence that they are stated for; that of the model where it is absent, if it states one.
    pub stated_for: Option<f64>,
    /// Whether they are known to be the model's.
    pub proven: bool,
    /// The prevalence that the new bundle states its probabilities for; the site's share of positives where it is absent.
    pub prevalence: Option<f64>,
    /// Whether a model is recalibrated, too, that tells the site's positives from its negatives no better than chance.
    pub force: bool,
}

/// A bundle that was recalibrated.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CalibratedModel {
    /// The digest of the new bundle.
    pub digest: String,
    /// What it was recalibrated on, and from which bundle.
    #[serde(flatten)]
    pub recalibration: SiteRecalibration,
    /// The share of positives in the site's scans, and the one that its probabilities are stated for.
    pub prevalence: StatedPrevalence,
    /// How far the probabilities of the bundle that it was made of could be taken at their word on the site's scans.
    pub before: Option<Reliability>,
    /// The same of its own, on the scans that it was fitted to.
    pub after: Option<Reliability>,
}

/// Recalibrates the bundle in a folder, if it is what is demanded, and writes the new one to another folder, its checksums
/// last. What is there already of the same bundle is written again; another bundle is left alone.
///
/// # Errors
/// [`CalibrationError`].
pub fn calibrate_model(
    uri: &str,
    demands: &Demands,
    options: &StorageOptions,
    calibration: &Calibration<'_>,
    out: &str,
) -> Result<CalibratedModel, CalibrationError> {
    let (model, files) = model::open_files(uri, demands, options, &nn::cpu())?;
    // Nothing of the site's scans is at hand but predictions.
    let cohort = model
        .cohort
        .clone()
        .map(CohortDigests::recalibrated_on_others);
    let (calibrated, packed) = recalibrate(&model, &files, cohort.as_ref(), calibration)?;
    let folder = Storage::open(out, options).context(WriteSnafu)?;
    let there = folder
        .try_get(CHECKSUMS, bundle::LARGEST_CHECKSUMS)
        .context(WriteSnafu)?;
    let own = packed.files.iter().find(|(name, _)| name == CHECKSUMS);
    let is_free = there.is_none_or(|there| own.is_some_and(|(_, own)| *own == there));
    ensure!(is_free, OccupiedSnafu { uri: out });
    for (name, bytes) in packed.files {
        folder.put(&name, bytes).context(WriteSnafu)?;
    }
    Ok(calibrated)
}

/// Recalibrates the model of a screening on the labelled studies that it was not trained on, and publishes it below the
/// job's results, where that is asked for. A refusal is told, and costs the screening nothing.
pub(super) fn on_screening(
    io: &ScreeningIo<'_>,
    screener: &Screener,
    studies: &StudyPredictions,
) -> Result<Option<CalibrationStatus>, TaskError> {
    let Some(wanted) = &io.spec.publish_calibrated else {
        return Ok(None);
    };
    let model = &screener.model;
    let predictions = overlap::independent(&studies.overlaps, &studies.predictions);
    let calibration = Calibration {
        predictions: &predictions,
        stated_for: model.prevalence(),
        proven: true,
        prevalence: wanted.prevalence.as_ref().map(Decimal::value),
        force: wanted.force,
    };
    let cohort = seen(model, studies);
    let files = model::files(io, &model.digest)?;
    match recalibrate(model, &files, cohort.as_ref(), &calibration) {
        Ok((_, packed)) => Ok(Some(CalibrationStatus {
            model: Some(publish::put(io, &model.manifest, packed)?),
            refusal: None,
        })),
        Err(error) if error.exit() == TaskExit::Retry => Err(TaskError::retry(error)),
        Err(error) => {
            let refusal = text::causes(&error);
            tracing::warn!("the model is not recalibrated: {refusal}");
            Ok(Some(CalibrationStatus {
                model: None,
                refusal: Some(text::truncate(refusal, LONGEST_REFUSAL)),
            }))
        }
    }
}

/// What a recalibrated model has seen: the scans that it was recalibrated on, and those of the bundle that it is made of.
fn seen(model: &Model, studies: &StudyPredictions) -> Option<CohortDigests> {
    let own = CohortDigests::new(studies.digests.clone()?);
    Some(own.started_from(&model.digest, model.cohort.clone()))
}

/// The longest refusal in a status, in bytes.
const LONGEST_REFUSAL: usize = 1024;

/// The files of a bundle that is recalibrated, and what it is; `files` are those of the bundle that it is made of.
///
/// # Errors
/// [`CalibrationError`].
pub(super) fn recalibrate(
    model: &Model,
    files: &BTreeMap<String, Vec<u8>>,
    cohort: Option<&CohortDigests>,
    calibration: &Calibration<'_>,
) -> Result<(CalibratedModel, BundleFiles), CalibrationError> {
    let (manifest, calibrated) = manifest(model, calibration)?;
    let file = |name: &String| files.get(name).cloned().unwrap_or_default();
    let members = manifest.members.iter().map(|member| MemberFiles {
        weights: file(&member.weights),
        normalization: file(&member.normalization),
    });
    let reference = model.reference.clone();
    let reference = reference.map(|it| restated(it, &model.manifest, &manifest));
    let packed = bundle::pack(&manifest, cohort, reference.as_ref(), members.collect())
        .context(PackSnafu)?;
    let calibrated = CalibratedModel {
        digest: packed.digest.clone(),
        ..calibrated
    };
    Ok((calibrated, packed))
}

/// How the cohort of the old bundle was spread, with its scores as the new one states them.
fn restated(reference: Reference, old: &BundleManifest, new: &BundleManifest) -> Reference {
    // What brings log odds from the prevalence that a bundle states to that of its cohort.
    let to_cohort = |of: &BundleManifest| {
        let prevalence = of.prevalence.as_ref();
        prevalence.map_or(0.0, |it| log_odds(it.cohort) - log_odds(it.stated))
    };
    let change = |of: &BundleManifest| {
        let found = of.recalibration.as_ref().map(SiteRecalibration::change);
        found.unwrap_or(Recalibration::NONE)
    };
    let (before, after) = (change(old), change(new));
    let slope = after.slope / before.slope;
    let intercept = after.intercept - slope * before.intercept;
    reference.with_scores(slope, intercept + slope * to_cohort(old) - to_cohort(new))
}

/// What the new bundle says of itself, and what is to be told of it, which lacks the digest.
fn manifest(
    model: &Model,
    calibration: &Calibration<'_>,
) -> Result<(BundleManifest, CalibratedModel), CalibrationError> {
    let parent = &model.manifest;
    let target = parent.target;
    let before = judged(model, calibration)?;
    let reason = evaluation::nothing_learned(&before).filter(|_| !calibration.force);
    if let Some(reason) = reason {
        return IndistinctSnafu { reason }.fail();
    }
    let at_cohort = at_cohort(model, calibration);
    let change = Recalibration::fit(target, &at_cohort)?;
    let share = before.positives as f64 / before.studies as f64;
    let stated = calibration.prevalence.unwrap_or(share);
    ensure!(
        stated > 0.0 && stated < 1.0,
        PrevalenceSnafu { prevalence: stated }
    );
    let prevalence = StatedPrevalence {
        cohort: share,
        stated,
    };
    let after = change.apply_to(target, &at_cohort);
    let (metrics, predictions) =
        publish::reached(target, after, Some(prevalence), stated).context(PredictionsSnafu)?;
    let whole = match &parent.recalibration {
        Some(earlier) => change.after(earlier.change()),
        None => change,
    };
    let recalibration = SiteRecalibration {
        parent: model.digest.clone(),
        intercept: whole.intercept,
        slope: whole.slope,
        studies: before.studies,
        positives: before.positives,
        proven: calibration.proven,
        attrium: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let calibrated = CalibratedModel {
        digest: String::new(),
        recalibration: recalibration.clone(),
        prevalence,
        before: before.positive.reliability,
        after: metrics.positive.reliability.clone(),
    };
    let manifest = BundleManifest {
        format_version: RECALIBRATED_VERSION,
        recalibration: Some(recalibration),
        prevalence: Some(prevalence),
        positive_scores: publish::scores(target, &predictions, true),
        uncertainty: uncertainty(parent, &predictions),
        metrics,
        ..parent.clone()
    };
    Ok((manifest, calibrated))
}

/// The limits of the old bundle, with the site's negatives in the place of those of the training.
fn uncertainty(parent: &BundleManifest, predictions: &Predictions) -> Option<UncertaintyLimits> {
    Some(UncertaintyLimits {
        negative_scores: publish::scores(parent.target, predictions, false),
        ..parent.uncertainty.clone()?
    })
}

/// The prevalence that the predictions are stated for, if they are for one.
fn stated_for(model: &Model, calibration: &Calibration<'_>) -> Option<f64> {
    calibration.stated_for.or(model.prevalence())
}

/// What the model's own probabilities reach on the site's scans, for the share of positives among them.
fn judged(model: &Model, calibration: &Calibration<'_>) -> Result<Metrics, CalibrationError> {
    let stated = stated_for(model, calibration);
    let options = EvaluationOptions {
        prior: stated.map_or(AssumedPrior::Cohort, AssumedPrior::Prevalence),
        ..EvaluationOptions::default()
    };
    evaluation::evaluate(model.manifest.target, calibration.predictions, &options)
        .context(PredictionsSnafu)
}

/// The labelled predictions at the prevalence of the model's cohort, where they are stated for another.
fn at_cohort(model: &Model, calibration: &Calibration<'_>) -> Predictions {
    let all = calibration.predictions;
    let labelled = all.rows.iter().filter(|row| row.label.is_some());
    let labelled = Predictions {
        rows: labelled.cloned().collect(),
        ..all.clone()
    };
    let cohort = model.manifest.prevalence.map(|it| it.cohort);
    match stated_for(model, calibration).zip(cohort) {
        Some((stated, cohort)) => labelled.at_prevalence(model.manifest.target, stated, cohort),
        None => labelled,
    }
}
