//! Screening: every object of a shard becomes a row; memory does not grow with their number.

use std::sync::mpsc::{self, SyncSender};
use std::thread;

use snafu::Snafu;

use super::failure::OrFail;
use super::model;
use super::object_batches::{ShardFilter, for_each_object};
use super::screener::{Candidate, Screened, Screener, ScreeningDecision};
use super::screening_table::{self, ScreeningRow};
use super::study_selection::{ObjectPrediction, ObjectPredictions};
use super::task_io::ScreeningIo;
use super::{Summary, TaskError};
use attrium_api::{ActivationMaps, ScreeningStatus};
use attrium_bundle::SignaturePolicy;
use attrium_dataset::Pseudonyms;
use attrium_evaluation::Prediction;
use attrium_report as report;
use attrium_workflow::artefacts;

/// The pseudonyms of a screening's labels: there is no run whose seed could decide them.
const SEED: u64 = 0;

/// Screens one shard and writes its rows, its activation maps and, with labels, its predictions.
pub(super) fn run(
    io: &ScreeningIo<'_>,
    signatures: &SignaturePolicy,
    shard: u32,
) -> Result<Summary, TaskError> {
    let screener = model::screener(io, signatures)?;
    let labels = match &io.spec.labels {
        Some(uri) => Some(pseudonyms(io, uri)?),
        None => None,
    };
    let table = artefacts::screening_part(shard);
    let (sender, receiver) = mpsc::sync_channel(4);
    let shard = Shard {
        io,
        screener: &screener,
        labels: labels.as_ref(),
        number: shard,
    };
    let counts = thread::scope(|scope| {
        let writing = scope.spawn(|| io.files.attempt.put_chunks(&table, receiver));
        let counts = shard.screen(&sender);
        if counts.is_err() {
            // The receiver is gone only where the writer has failed, whose error is returned below.
            let _ = sender.send(Err(Abandoned));
        }
        drop(sender);
        match (counts, writing.join().expect("a put should not panic")) {
            (Err(error @ (TaskError::Interrupted | TaskError::Superseded)), _) => Err(error),
            (_, Err(error)) if !matches!(error, attrium_storage::Error::Abandoned { .. }) => {
                Err(TaskError::retry(error))
            }
            (counts, _) => counts,
        }
    })?;
    Ok(Summary {
        message: format!(
            "{} objects: {} screened, {} positive, {} unusable",
            counts.objects, counts.screened, counts.positive, counts.unusable
        ),
        screening: Some(counts),
        ..Summary::default()
    })
}

/// The labelled studies of a screening under their pseudonyms.
pub(super) fn pseudonyms(io: &ScreeningIo<'_>, uri: &str) -> Result<Pseudonyms, TaskError> {
    Ok(io.labels(uri)?.pseudonymise(SEED))
}

/// The rows of a table that is not to be written after all.
#[derive(Debug, Snafu)]
#[snafu(display("the screening stopped"))]
struct Abandoned;

type Chunks = SyncSender<Result<Vec<u8>, Abandoned>>;

/// A shard while it is screened.
struct Shard<'a> {
    io: &'a ScreeningIo<'a>,
    screener: &'a Screener,
    labels: Option<&'a Pseudonyms>,
    number: u32,
}

impl Shard<'_> {
    fn screen(&self, chunks: &Chunks) -> Result<ScreeningStatus, TaskError> {
        let classes = self.screener.model.manifest.classes.len();
        let mut counts = ScreeningStatus::default();
        let mut predictions = ObjectPredictions::new(classes);
        send(chunks, screening_table::header(classes).or_retry()?)?;
        let filter = ShardFilter {
            shard: self.number,
            shards: self.io.spec.shards,
        };
        for_each_object(
            &self.io.images()?,
            filter,
            self.io.context,
            |object| {
                let candidate = object.bytes.and_then(|bytes| self.screener.scan(&bytes));
                (object.key, candidate)
            },
            |batch: Vec<(String, Candidate)>| {
                let (objects, candidates): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
                let screened = self.screener.decide(candidates).or_retry()?;
                for (object, screened) in objects.iter().zip(&screened) {
                    let mut row = ScreeningRow::new(object, screened, &self.screener.model.digest);
                    row.count(&mut counts);
                    row.activation_map = self.draw(screened, counts.objects)?;
                    send(chunks, screening_table::write(&row, classes).or_retry()?)?;
                    self.predict(object, screened, &mut predictions);
                }
                self.io.files.attempt.check()
            },
        )?;
        if self.labels.is_some() {
            let table = predictions.to_csv().or_retry()?;
            self.io
                .put(&artefacts::screening_predictions(self.number), table)?;
        }
        Ok(counts)
    }

    /// Draws the activation maps of a study where they are wanted; returns the picture's name.
    fn draw(&self, screened: &Screened, number: u64) -> Result<String, TaskError> {
        let Screened::Decided(decision) = screened else {
            return Ok(String::new());
        };
        let wanted = match self.io.spec.activation_maps {
            ActivationMaps::All => true,
            ActivationMaps::PositivesOnly => decision.positive,
            ActivationMaps::None => false,
        };
        if !wanted {
            return Ok(String::new());
        }
        let name = format!(
            "{}shard-{:03}-{number:06}.png",
            artefacts::ACTIVATION_MAPS,
            self.number
        );
        self.io
            .put(&name, activation_maps(self.screener, decision)?)?;
        Ok(name)
    }

    /// Keeps the prediction of a study that the labels know.
    fn predict(&self, key: &str, screened: &Screened, predictions: &mut ObjectPredictions) {
        let (Some(labels), Screened::Decided(decision)) = (self.labels, screened) else {
            return;
        };
        let scan = &decision.scan;
        let Some(labelled) = labels.of(scan.study.as_str()) else {
            return;
        };
        let target = self.screener.model.manifest.target;
        let columns =
            super::train::covariates(labelled.patient, labelled.grade, &labelled.covariates);
        let (names, values): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
        let prediction = Prediction {
            study: labelled.study.to_string(),
            fold: None,
            label: Some(target.class_of(labelled.grade)),
            probabilities: decision.probabilities.clone(),
            covariates: values,
        };
        let calibrates = self.io.spec.publish_calibrated.is_some();
        let object = ObjectPrediction {
            study: labelled.study,
            prediction,
            labels: labels.digest().to_owned(),
            object: labels.seal(key),
            pixels: labels.blinded_pixels(&scan.counts),
            overlap: scan.overlap,
            patient: labels.patient_clue(labelled, &scan.provenance),
            uncertain: decision.uncertainty.is_flagged(),
            preference: labels.dated(labelled.study, scan.preference, &scan.provenance),
            digests: calibrates.then(|| scan.identity.under(labels.salt())),
        };
        predictions.push(names, object);
    }
}

fn send(chunks: &Chunks, bytes: Vec<u8>) -> Result<(), TaskError> {
    let sent = chunks.send(Ok(bytes));
    sent.map_err(|_| TaskError::retry("the table of the screening cannot be written"))
}

/// A study's crop, beside it where the model finds what speaks for a positive, and what each block
/// of the network makes of it, as PNG.
///
/// # Errors
/// When the network cannot be run.
pub fn activation_maps(
    screener: &Screener,
    decision: &ScreeningDecision,
) -> Result<Vec<u8>, TaskError> {
    let counts = &decision.scan.counts;
    let maps = screener.model.activation_maps(counts).or_retry()?;
    let side = attrium_imaging::CROP_SIZE;
    let crop = report::Raster::new(side, side, counts.clone()).or_retry()?;
    let grad_cam = screener.model.grad_cam(counts).or_retry()?;
    let grad_cam = grad_cam.iter().map(super::training_report::grad_cam);
    let maps = grad_cam
        .chain(maps.iter().map(super::training_report::maximum))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(report::montage(&crop, &decision.scan.outlines(), &maps))
}
