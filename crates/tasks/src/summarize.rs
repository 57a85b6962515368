//! The summary of a screening: one table, its counts, the report, the external validation.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::failure::OrFail;
use super::model;
use super::provenance;
use super::results;
use super::screener::Screener;
use super::screening_table::{self, Row, Verdict};
use super::task_io::ScreeningContext;
use super::{Summary, TaskError, screen, study_selection};
use attrium_api::ScreeningStatus;
use attrium_evaluation as evaluation;
use attrium_evaluation::{MetricsDocument, NetworkMetrics, Options, Predictions};
use attrium_report as report;
use attrium_report::{Count, Fact, ModelFacts, ScreenedObject, ScreeningReport, UnusableObject};
use attrium_storage as storage;
use attrium_workflow::artefacts;

/// Rows of each kind that the report lists; the table has them all.
const LISTED: usize = 200;
/// Positives whose activation maps the report shows.
const PICTURED: usize = 24;
/// Bins of the distribution of scores.
const BINS: usize = 20;

/// Joins the shards' tables and reports on them.
pub(super) fn run(run: &ScreeningContext<'_>) -> Result<Summary, TaskError> {
    let screener = model::screener(run)?;
    let digest = Digest::default();
    let digest = join(run, &screener, digest)?;
    run.put(
        artefacts::SCREENING_SUMMARY,
        serde_json::to_vec_pretty(&digest.counts).or_retry()?,
    )?;
    let validation = validate(run, &screener, &digest.counts)?;
    let results = match &validation {
        Some(document) => {
            run.put(
                artefacts::METRICS,
                serde_json::to_vec_pretty(document).or_retry()?,
            )?;
            results::of_screening(document)
        }
        None => Vec::new(),
    };
    let counts = digest.counts.clone();
    let page = report::screening_report(&screening_report(run, &screener, digest, validation)?);
    run.put(artefacts::REPORT, page.into_bytes())?;
    Ok(Summary {
        message: format!(
            "{} objects: {} screened, {} positive, {} unusable",
            counts.objects, counts.screened, counts.positive, counts.unusable
        ),
        results,
        report: Some(run.store.uri_of(artefacts::REPORT).or_retry()?),
        screening: Some(counts),
        ..Summary::default()
    })
}

/// What the report shows of a table that is too long to hold.
#[derive(Debug, Default)]
struct Digest {
    counts: ScreeningStatus,
    rows: u64,
    /// The most probable positives, each with the number of its row.
    positives: Vec<(u64, Row)>,
    unusable: BTreeMap<String, u64>,
    unusable_objects: Vec<UnusableObject>,
    warnings: BTreeMap<String, u64>,
    scores: [u64; BINS],
}

impl Digest {
    fn add(&mut self, row: &Row) {
        self.rows += 1;
        row.count(&mut self.counts);
        for warning in &row.warnings {
            *self.warnings.entry(warning.clone()).or_default() += 1;
        }
        if let Some(probability) = row.positive_probability {
            let bin = (probability * BINS as f64) as usize;
            self.scores[bin.min(BINS - 1)] += 1;
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

    /// Keeps a positive if it is among the most probable ones.
    fn list(&mut self, row: &Row) {
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
    run: &ScreeningContext<'_>,
    rows: Vec<(u64, Row)>,
) -> Result<Vec<ScreenedObject>, TaskError> {
    let listed = rows.into_iter().enumerate().map(|(place, (number, row))| {
        let picture = if place < PICTURED && !row.activation_map.is_empty() {
            run.try_get(&row.activation_map)?
        } else {
            None
        };
        Ok(ScreenedObject {
            object: row.object,
            row: number,
            positive_probability: row.positive_probability.unwrap_or_default(),
            probabilities: row.probabilities,
            warnings: row.warnings,
            picture,
        })
    });
    listed.collect()
}

/// Writes the joined table, row by row.
fn join(
    run: &ScreeningContext<'_>,
    screener: &Screener,
    digest: Digest,
) -> Result<Digest, TaskError> {
    let classes = screener.model.manifest.classes.len();
    let digest = RefCell::new(digest);
    let header = screening_table::header(classes).or_retry();
    let rows = (0..run.spec.shards).flat_map(|shard| {
        let part = run.store.read(&artefacts::screening_part(shard)).or_retry();
        let (part, missing) = match part {
            Ok(part) => (Some(part), None),
            Err(error) => (None, Some(Err(error))),
        };
        let rows = part.into_iter().flat_map(screening_table::read);
        missing.into_iter().chain(rows.map(|row| {
            let row = row.or_retry()?;
            if row.model != screener.model.digest {
                return Err(changed("the model"));
            }
            digest.borrow_mut().add(&row);
            screening_table::write(&row, classes).or_retry()
        }))
    });
    let table = std::iter::once(header).chain(rows);
    let written = run.store.put_chunks(artefacts::SCREENING, table);
    written.map_err(given_up)?;
    Ok(digest.into_inner())
}

/// Why the table was given up, where it was.
fn given_up(error: storage::Error) -> TaskError {
    match error {
        storage::Error::Abandoned { source, .. } => match source.downcast() {
            Ok(error) => *error,
            Err(error) => TaskError::other(error),
        },
        error => TaskError::other(error),
    }
}

/// One answer of several models or of several labels would be none.
fn changed(what: &str) -> TaskError {
    TaskError::configuration(format!(
        "{what} has changed since this screening began: delete the folder tasks/ of the job and run it \
         again, or run it under another name"
    ))
}

/// The bundle, evaluated on the job's own labels and at its threshold.
fn validate(
    run: &ScreeningContext<'_>,
    screener: &Screener,
    counts: &ScreeningStatus,
) -> Result<Option<MetricsDocument>, TaskError> {
    let Some(uri) = &run.spec.labels else {
        return Ok(None);
    };
    let manifest = &screener.model.manifest;
    let mut all = Predictions {
        classes: manifest.classes.len(),
        ..Predictions::default()
    };
    for shard in 0..run.spec.shards {
        let table = run.get(&artefacts::screening_predictions(shard))?;
        let part = Predictions::parse(&table).or_retry()?;
        if !part.rows.is_empty() {
            all.covariates = part.covariates;
        }
        all.rows.extend(part.rows);
    }
    if !study_selection::is_of(&all, screen::pseudonyms(run, uri)?.digest()) {
        return Err(changed(uri));
    }
    study_selection::reduce(&mut all)?;
    study_selection::strip(&mut all);
    if all.rows.is_empty() {
        return Err(TaskError::data(
            "no screened study is in the labels: check that they are of the same archive",
        ));
    }
    let name = artefacts::predictions(manifest.architecture, manifest.task);
    run.put(&name, all.to_csv().or_retry()?)?;
    let options = Options {
        threshold: Some(screener.threshold),
        ..Options::default()
    };
    let metrics = evaluation::evaluate(manifest.task, &all, &options).or_retry()?;
    Ok(Some(MetricsDocument {
        synthetic: manifest.synthetic || counts.synthetic > 0,
        results: vec![NetworkMetrics {
            architecture: manifest.architecture,
            pretrained: manifest.pretrained,
            metrics,
            baseline_difference: None,
        }],
        ..MetricsDocument::default()
    }))
}

fn screening_report(
    run: &ScreeningContext<'_>,
    screener: &Screener,
    digest: Digest,
    validation: Option<MetricsDocument>,
) -> Result<ScreeningReport, TaskError> {
    let resource = run.context.resource;
    let manifest = &screener.model.manifest;
    let counts = |counts: BTreeMap<String, u64>| {
        let counts = counts
            .into_iter()
            .map(|(what, count)| Count { what, count });
        counts.collect()
    };
    let point = &run.spec.operating_point;
    Ok(ScreeningReport {
        name: resource.name().to_owned(),
        namespace: resource.namespace().to_owned(),
        synthetic: digest.counts.synthetic,
        objects: digest.counts.objects,
        other_views: digest.counts.other_views,
        screened: digest.counts.screened,
        positive: digest.counts.positive,
        positives: positives(run, digest.positives)?,
        unusable: counts(digest.unusable),
        unusable_objects: digest.unusable_objects,
        warnings: counts(digest.warnings),
        scores: digest.scores.to_vec(),
        threshold: screener.threshold,
        operating_point: match &point.sensitivity {
            Some(sensitivity) => format!("sensitivity of {sensitivity} on out-of-fold predictions"),
            None => "stated threshold".to_owned(),
        },
        model: ModelFacts {
            architecture: manifest.architecture,
            task: manifest.task,
            pretrained: manifest.pretrained,
            synthetic: manifest.synthetic,
            uri: run.context.model.unwrap_or_default().to_owned(),
            digest: screener.model.digest.clone(),
            facts: facts(screener),
        },
        validation: validation
            .and_then(|document| document.results.into_iter().next())
            .map(|result| result.metrics),
        provenance: provenance::of_screening(run, Vec::new())?,
    })
}

fn facts(screener: &Screener) -> Vec<Fact> {
    let manifest = &screener.model.manifest;
    let provenance = &manifest.training;
    let fact = |name: &str, value: String| Fact {
        name: name.to_owned(),
        value,
    };
    let mut facts = vec![
        fact("trained by run", provenance.run.clone()),
        fact("trained on", format!("{} studies", provenance.studies)),
        fact("members", manifest.members.len().to_string()),
        fact(
            "temperature",
            format!("{:.3}, by which logits are divided", manifest.temperature),
        ),
        fact("intended use", manifest.intended_use.clone()),
    ];
    if let Some(auc) = manifest.metrics.auc {
        facts.push(fact("out-of-fold AUC", format!("{auc:.3}")));
    }
    facts
}
