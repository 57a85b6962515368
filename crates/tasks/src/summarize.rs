//! The summary of a screening: one table, its counts, the report, the external validation.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde::Serialize;

use super::failure::OrFail;
use super::model;
use super::model_facts;
use super::monitor::{self, JobMonitor};
use super::provenance;
use super::results;
use super::screener::Screener;
use super::screening_table::{self, ScreeningRow, Verdict};
use super::study_selection::{self, ObjectPredictions, StudyPredictions};
use super::task_io::ScreeningIo;
use super::training_report::PATIENT_UNKNOWN;
use super::{Summary, TaskError, calibrate, overlap, screen, unanswered, uncertainty};
use attrium_api::{CalibrationStatus, ScreeningStatus};
use attrium_bundle::SignaturePolicy;
use attrium_dataset::{LeftOut, Pseudonyms, Quarantine};
use attrium_evaluation as evaluation;
use attrium_evaluation::monitoring::Monitoring;
use attrium_evaluation::{AssumedPrior, EvaluationOptions, MetricsDocument, NetworkMetrics};
use attrium_report as report;
use attrium_report::{
    Count, SCORE_BINS, ScreenedObject, ScreeningReport, StudyFacts, UncertainObject, UnusableObject,
};
use attrium_storage as storage;
use attrium_workflow::artefacts;

/// Rows of each kind that the report lists; the table has them all.
const LISTED: usize = 200;
/// Positives whose activation maps the report shows.
const PICTURED: usize = 24;

/// Joins the shards' tables and reports on them.
pub(super) fn run(
    io: &ScreeningIo<'_>,
    signatures: &SignaturePolicy,
) -> Result<Summary, TaskError> {
    let screener = model::screener(io, signatures)?;
    let mut tally = join(io, &screener)?;
    let monitoring = tally.monitor.take().map(JobMonitor::finish);
    tally.counts.monitor = Some(monitor::status(monitoring.as_ref()));
    io.put(artefacts::MONITOR, monitor::table(monitoring.as_ref())?)?;
    let validation = validate(io, &screener, &mut tally.counts)?;
    if let Some(unknown @ 1..) = tally.counts.patient_unknown {
        let warning = PATIENT_UNKNOWN.to_owned();
        tally.warnings.insert(warning, unknown);
    }
    let document = ScreeningDocument::new(&tally.counts, &screener);
    io.put(
        artefacts::SCREENING_SUMMARY,
        serde_json::to_vec_pretty(&document).or_retry()?,
    )?;
    let results = match &validation {
        Some(document) => {
            io.put(
                artefacts::METRICS,
                serde_json::to_vec_pretty(document).or_retry()?,
            )?;
            results::of_screening(document)
        }
        None => Vec::new(),
    };
    let counts = tally.counts.clone();
    let words = [counts.overlap_words(), counts.monitor_words()];
    for words in words.into_iter().flatten() {
        tracing::warn!("{words}");
    }
    let report = screening_report(io, &screener, tally, validation, monitoring)?;
    let page = report::screening_report(&report);
    io.put(artefacts::REPORT, page.into_bytes())?;
    Ok(Summary {
        message: message(&counts),
        results,
        report: Some(io.uri_of(artefacts::REPORT)?),
        screening: Some(counts),
        ..Summary::default()
    })
}

fn message(counts: &ScreeningStatus) -> String {
    let message = format!(
        "{} objects: {} screened, {} positive, {} unusable",
        counts.objects, counts.screened, counts.positive, counts.unusable
    );
    let more = [
        counts.uncertain_words(),
        counts.unanswered_words(),
        counts.overlap_words(),
        counts.monitor_words(),
    ];
    let parts = [message].into_iter().chain(more.into_iter().flatten());
    parts.collect::<Vec<_>>().join("; ")
}

/// `screening.json`: the counts, and which model they are of.
#[derive(Debug, Serialize)]
struct ScreeningDocument<'a> {
    #[serde(flatten)]
    counts: &'a ScreeningStatus,
    model: ScreeningModel<'a>,
}

/// The model of a screening.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ScreeningModel<'a> {
    /// The bundle's digest.
    digest: &'a str,
    /// The id of the trusted key that has signed it; null where none is trusted or none has.
    signed_by: Option<String>,
    /// The share of positives that its probabilities are stated for; null where it states none.
    prevalence: Option<f64>,
}

impl<'a> ScreeningDocument<'a> {
    fn new(counts: &'a ScreeningStatus, screener: &'a Screener) -> Self {
        Self {
            counts,
            model: ScreeningModel {
                digest: &screener.model.digest,
                signed_by: model_facts::signed_by(screener),
                prevalence: screener.model.prevalence(),
            },
        }
    }
}

/// What the report shows of a table that is too long to hold.
#[derive(Default)]
struct Tally<'a> {
    counts: ScreeningStatus,
    rows: u64,
    /// The most probable positives, each with the number of its row.
    positives: Vec<(u64, ScreeningRow)>,
    /// The first decisions that are uncertain.
    uncertain: Vec<UncertainObject>,
    unusable: BTreeMap<String, u64>,
    unusable_objects: Vec<UnusableObject>,
    warnings: BTreeMap<String, u64>,
    scores: [u64; SCORE_BINS],
    /// The charts, where there is something to compare with.
    monitor: Option<JobMonitor<'a>>,
}

impl Tally<'_> {
    fn add(&mut self, row: &ScreeningRow) {
        self.rows += 1;
        if let Some(monitor) = &mut self.monitor {
            monitor.add(self.rows, row);
        }
        row.count(&mut self.counts);
        for warning in &row.warnings {
            *self.warnings.entry(warning.clone()).or_default() += 1;
        }
        if row.uncertainty.is_flagged() == Some(true) && self.uncertain.len() < LISTED {
            self.uncertain.push(self.uncertain(row));
        }
        if let Some(probability) = row.positive_probability {
            self.scores[report::score_bin(probability)] += 1;
        }
        match row.verdict {
            Verdict::Positive => self.list(row),
            Verdict::Unusable => {
                *self.unusable.entry(row.reason.clone()).or_default() += 1;
                if self.unusable_objects.len() < LISTED {
                    self.unusable_objects.push(UnusableObject {
                        object: row.object.clone(),
                        reason: row.sentence.clone(),
                    });
                }
            }
            Verdict::Negative | Verdict::OtherView => {}
        }
    }

    /// What the report lists of the decision of the row that was added last.
    fn uncertain(&self, row: &ScreeningRow) -> UncertainObject {
        UncertainObject {
            object: row.object.clone(),
            row: self.rows,
            positive: row.verdict == Verdict::Positive,
            positive_probability: row.positive_probability.unwrap_or_default(),
            doubts: row.uncertainty.doubts().to_vec(),
        }
    }

    /// Keeps a positive if it is among the most probable ones.
    fn list(&mut self, row: &ScreeningRow) {
        let place = self
            .positives
            .partition_point(|(_, listed)| listed.positive_probability >= row.positive_probability);
        if place < LISTED {
            self.positives.insert(place, (self.rows, row.clone()));
            self.positives.truncate(LISTED);
        }
    }
}

/// The positives as the report lists them, the first ones with their pictures.
fn positives(
    io: &ScreeningIo<'_>,
    rows: Vec<(u64, ScreeningRow)>,
) -> Result<Vec<ScreenedObject>, TaskError> {
    let listed = rows.into_iter().enumerate().map(|(place, (number, row))| {
        let picture = if place < PICTURED && !row.activation_map.is_empty() {
            io.try_get(&row.activation_map)?
        } else {
            None
        };
        Ok(ScreenedObject {
            object: row.object,
            row: number,
            positive_probability: row.positive_probability.unwrap_or_default(),
            probabilities: row.probabilities,
            contralateral_ratio: row.ratios.contralateral,
            rib_ratio: row.ratios.rib,
            warnings: row.warnings,
            montage: picture,
        })
    });
    listed.collect()
}

/// Writes the joined table, row by row, and tallies it.
fn join<'a>(io: &ScreeningIo<'_>, screener: &'a Screener) -> Result<Tally<'a>, TaskError> {
    let classes = screener.model.manifest.classes.len();
    let tally = RefCell::new(Tally {
        monitor: JobMonitor::new(&screener.model),
        ..Tally::default()
    });
    let header = screening_table::header(classes).or_retry();
    let rows = (0..io.spec.shards).flat_map(|shard| {
        let part = io.files.inputs.read(&artefacts::screening_part(shard));
        let (part, missing) = match part {
            Ok(part) => (Some(part), None),
            Err(error) => (None, Some(Err(TaskError::from(error)))),
        };
        let rows = part.into_iter().flat_map(screening_table::read);
        missing.into_iter().chain(rows.map(|row| {
            let row = row.or_retry()?;
            if row.model != screener.model.digest {
                return Err(changed("the model"));
            }
            tally.borrow_mut().add(&row);
            screening_table::write(&row, classes).or_retry()
        }))
    });
    let table = std::iter::once(header).chain(rows);
    let written = io.files.attempt.put_chunks(artefacts::SCREENING, table);
    written.map_err(given_up)?;
    Ok(tally.into_inner())
}

/// Why the table was given up, where it was.
fn given_up(error: storage::Error) -> TaskError {
    match error {
        storage::Error::Abandoned { source, .. } => match source.downcast() {
            Ok(error) => *error,
            Err(error) => TaskError::retry(error),
        },
        error => TaskError::retry(error),
    }
}

/// Rows of several models, or of several tables of labels, make no one table.
fn changed(what: &str) -> TaskError {
    TaskError::bad_configuration(format!(
        "{what} has changed since this screening began: delete the folder tasks/ of the job and run it \
         again, or run it under another name"
    ))
}

/// The bundle, evaluated on the job's own labels and at its threshold; and recalibrated on them, where that is asked for.
fn validate(
    io: &ScreeningIo<'_>,
    screener: &Screener,
    counts: &mut ScreeningStatus,
) -> Result<Option<MetricsDocument>, TaskError> {
    let Some(uri) = &io.spec.labels else {
        return Ok(None);
    };
    let manifest = &screener.model.manifest;
    let pseudonyms = screen::pseudonyms(io, uri)?;
    let studies = labelled_predictions(io, manifest.classes.len(), &pseudonyms, counts)?;
    counts.calibration = calibrate::on_screening(io, screener, &studies)?;
    let all = studies.predictions;
    let unanswered = unanswered::unanswered(&pseudonyms, &all);
    io.put(artefacts::UNANSWERED, unanswered::table(&unanswered)?)?;
    counts.unanswered = Some(unanswered.len() as u64);
    counts.unanswered_positive = Some(unanswered::positives(&unanswered, manifest.target));
    let name = artefacts::predictions(manifest.architecture, manifest.target);
    io.put(&name, all.to_csv().or_retry()?)?;
    let prevalence = screener.model.prevalence();
    let options = EvaluationOptions {
        threshold: Some(screener.threshold),
        prevalence,
        prior: prevalence.map_or(AssumedPrior::Cohort, AssumedPrior::Prevalence),
    };
    io.put(
        artefacts::OVERLAP,
        overlap::table(&studies.overlaps, &pseudonyms)?,
    )?;
    let evaluate =
        |predictions| evaluation::evaluate(manifest.target, predictions, &options).or_retry();
    let mut seen = overlap::of_validation(&studies.overlaps);
    overlap::tell(&seen, counts.overlap.get_or_insert_default());
    let unseen = overlap::unseen(&studies.overlaps, &all);
    let metrics = match &unseen {
        Some(unseen) => {
            seen.all = Some(Box::new(evaluate(&all)?));
            evaluate(unseen)?
        }
        None => evaluate(&all)?,
    };
    let judged = unseen.as_ref().unwrap_or(&all);
    let flagged = uncertainty::of_validation(
        manifest.target,
        judged,
        screener.threshold,
        &studies.uncertain,
    );
    Ok(Some(MetricsDocument {
        synthetic: manifest.synthetic || counts.synthetic > 0,
        results: vec![NetworkMetrics {
            architecture: manifest.architecture,
            initial_weights: manifest.initial_weights.clone(),
            unanswered: unanswered::at_worst(&unanswered, manifest.target, &metrics),
            overlap: Some(seen),
            metrics,
            baseline_difference: None,
            flagged,
        }],
        ..MetricsDocument::default()
    }))
}

/// The predictions of the studies that the labels know, one a study. The objects that stand for none are counted
/// and have a table of their own.
fn labelled_predictions(
    io: &ScreeningIo<'_>,
    classes: usize,
    pseudonyms: &Pseudonyms,
    counts: &mut ScreeningStatus,
) -> Result<StudyPredictions, TaskError> {
    let mut objects = ObjectPredictions::new(classes);
    for shard in 0..io.spec.shards {
        let table = io.get(&artefacts::screening_predictions(shard))?;
        objects.extend(ObjectPredictions::parse(&table)?);
    }
    if !objects.are_of(pseudonyms.digest()) {
        return Err(changed(
            io.spec.labels.as_deref().unwrap_or("the table of labels"),
        ));
    }
    let studies = objects.select(io.spec.prefer);
    let mut left_out = Quarantine::default();
    left_out
        .add_left_out(&studies.left_out, pseudonyms)
        .or_bad_configuration()?;
    io.put(artefacts::LEFT_OUT, left_out.to_csv().or_retry()?)?;
    count(&studies, counts);
    for warning in studies.known_patients.warnings() {
        tracing::warn!("{warning}");
    }
    if studies.predictions.rows.is_empty() {
        return Err(TaskError::bad_data(if studies.left_out.is_empty() {
            "no screened study is in the labels: check that they are of the same archive"
        } else {
            study_selection::ALL_AMBIGUOUS
        }));
    }
    Ok(studies)
}

/// Counts what stands for no study, and whose patients are not known.
fn count(studies: &StudyPredictions, counts: &mut ScreeningStatus) {
    let ambiguous = LeftOut::ambiguous(&studies.left_out);
    counts.ambiguous = Some(ambiguous as u64);
    counts.superseded = Some((studies.left_out.len() - ambiguous) as u64);
    counts.patient_unknown = Some(studies.known_patients.unknown as u64);
}

fn screening_report(
    io: &ScreeningIo<'_>,
    screener: &Screener,
    tally: Tally<'_>,
    validation: Option<MetricsDocument>,
    monitoring: Option<Monitoring>,
) -> Result<ScreeningReport, TaskError> {
    let resource = io.context.resource;
    let counts = |counts: BTreeMap<String, u64>| {
        let counts = counts
            .into_iter()
            .map(|(what, count)| Count { what, count });
        counts.collect()
    };
    let point = &io.spec.operating_point;
    let result = validation.and_then(|document| document.results.into_iter().next());
    Ok(ScreeningReport {
        name: resource.name().to_owned(),
        namespace: resource.namespace().to_owned(),
        synthetic: tally.counts.synthetic,
        objects: tally.counts.objects,
        other_views: tally.counts.other_views,
        screened: tally.counts.screened,
        positive: tally.counts.positive,
        seen: tally.counts.overlap.as_ref().and_then(|it| it.objects),
        uncertain: tally.counts.uncertain,
        positives: positives(io, tally.positives)?,
        uncertain_objects: tally.uncertain,
        unusable: counts(tally.unusable),
        unusable_objects: tally.unusable_objects,
        warnings: counts(tally.warnings),
        scores: tally.scores,
        threshold: screener.threshold,
        operating_point: match &point.sensitivity {
            Some(sensitivity) => format!("sensitivity of {sensitivity} on out-of-fold predictions"),
            None => "stated threshold".to_owned(),
        },
        model: model_facts::of_screening(io, screener),
        unanswered: result.as_ref().and_then(|result| result.unanswered),
        flagged: result.as_ref().and_then(|result| result.flagged),
        development: screener.model.manifest.metrics.clone(),
        overlap: result.as_ref().and_then(|result| result.overlap.clone()),
        validation: result.map(|result| result.metrics),
        calibration: tally.counts.calibration.as_ref().and_then(calibration),
        monitoring,
        study: study(io),
        provenance: provenance::of_screening(io, Vec::new())?,
    })
}

/// What came of recalibrating the model, as a sentence.
fn calibration(calibration: &CalibrationStatus) -> Option<String> {
    let CalibrationStatus { model, refusal } = calibration;
    let made = model.as_ref().map(|model| {
        format!(
            "The model was recalibrated on the labelled scans that it was not trained on: {} is a bundle of its own, with \
             the digest {}. Figures and decisions here are those of the model as it was.",
            model.uri, model.digest
        )
    });
    let refused = || {
        Some(format!(
            "The model was not recalibrated: {}.",
            refusal.as_ref()?
        ))
    };
    made.or_else(refused)
}

/// What is stated of a study; a screening without labels is none unless somebody says so.
fn study(io: &ScreeningIo<'_>) -> StudyFacts {
    if io.spec.labels.is_none() && io.spec.study.is_none() {
        return StudyFacts::default();
    }
    provenance::study(io.context.resource)
}
