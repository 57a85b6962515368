//! Preprocessing: DICOM objects become crops under pseudonyms; what cannot be used is set aside.

use super::failure::OrFail;
use super::object_batches::{ShardFilter, for_each_object};
use super::screening_table::Verdict;
use super::task_io::TrainingIo;
use super::{Rejection, Summary, TaskError};
use attrium_api::{DataStatus, Preprocessing};
use attrium_dataset::{Pseudonyms, Quarantine, Record, ShardWriter};
use attrium_imaging as imaging;
use attrium_imaging::Crop;
use attrium_workflow::artefacts;

/// The word for an object of another view.
pub(super) const OTHER_VIEW: &str = Verdict::OtherView.name();
/// The word for an object of a study without a label.
pub(super) const UNLABELLED: &str = "unlabelled";
const NO_LABEL: &str = "labels.csv has no row for the object's study: add one to use it";

/// What became of an object that shows the anterior view.
enum Preprocessed {
    Used(Box<Record>, Crop),
    Unlabelled,
}

/// Preprocesses one shard and writes its crops, its table and its part of the quarantine.
pub(super) fn run(io: &TrainingIo<'_>, shard: u32) -> Result<Summary, TaskError> {
    let pseudonyms = io.pseudonyms()?;
    io.check_labels(&pseudonyms)?;
    let spec = &io.spec.preprocessing;
    let mut sorted = Sorted {
        writer: ShardWriter::new(pseudonyms.digest()),
        quarantine: Quarantine::default(),
        data: DataStatus::default(),
    };
    let shards = spec.shards;
    let objects = for_each_object(
        &io.images()?,
        ShardFilter { shard, shards },
        io.context,
        |object| {
            let made = preprocess(&object.key, object.bytes, spec, &pseudonyms);
            (object.key, made)
        },
        |objects| {
            let mut objects = objects.into_iter();
            objects.try_for_each(|(key, object)| sorted.add(key, object))?;
            io.files.attempt.check()
        },
    )?;
    let Sorted {
        writer,
        quarantine,
        mut data,
    } = sorted;
    data.objects = objects;
    let message = message(&data, writer.len());
    write(io, shard, writer, &quarantine)?;
    Ok(Summary {
        message,
        data: Some(data),
        ..Summary::default()
    })
}

/// What became of a shard's objects so far.
struct Sorted {
    writer: ShardWriter,
    quarantine: Quarantine,
    data: DataStatus,
}

impl Sorted {
    fn add(
        &mut self,
        key: String,
        object: Result<Preprocessed, SetAside>,
    ) -> Result<(), TaskError> {
        match object {
            Ok(Preprocessed::Used(record, crop)) => {
                self.writer.push(*record, &crop.counts).or_retry()?;
            }
            Ok(Preprocessed::Unlabelled) => {
                self.data.unlabelled += 1;
                self.quarantine.add(key, UNLABELLED, NO_LABEL);
            }
            Err(SetAside {
                why: Rejection::OtherView,
                ..
            }) => {
                self.data.other_views += 1;
                let sentence = imaging::Error::NoAnterior.to_string();
                self.quarantine.add(key, OTHER_VIEW, sentence);
            }
            Err(SetAside {
                why: Rejection::Unusable { reason, sentence },
                is_wanted,
            }) => {
                self.quarantine.add(key, reason, sentence);
                self.data.quarantined += 1;
                if is_wanted {
                    self.data.unusable += 1;
                    let by_reason = &mut self.data.unusable_by_reason;
                    *by_reason.entry(reason.to_owned()).or_default() += 1;
                }
            }
        }
        Ok(())
    }
}

fn message(data: &DataStatus, usable: usize) -> String {
    format!(
        "{} objects: {usable} usable, {} unlabelled, {} of another view, {} quarantined",
        data.objects, data.unlabelled, data.other_views, data.quarantined
    )
}

/// Writes what a shard leaves; its crops vouch for its table, and so come after it.
fn write(
    io: &TrainingIo<'_>,
    shard: u32,
    writer: ShardWriter,
    quarantine: &Quarantine,
) -> Result<(), TaskError> {
    let files = writer.finish().or_retry()?;
    io.put(&artefacts::shard_table(shard), files.table.clone())?;
    let crops = files.crops();
    let attempt = &io.files.attempt;
    attempt
        .put_chunks(&artefacts::shard(shard), crops)
        .or_retry()?;
    io.put(
        &artefacts::quarantine_part(shard),
        quarantine.to_csv().or_retry()?,
    )
}

/// Why nothing is made of an object.
struct SetAside {
    why: Rejection,
    /// Whether its study is in the labels, or is not known.
    is_wanted: bool,
}

fn preprocess(
    key: &str,
    bytes: Result<Vec<u8>, Rejection>,
    spec: &Preprocessing,
    pseudonyms: &Pseudonyms,
) -> Result<Preprocessed, SetAside> {
    let unknown = |why| SetAside {
        why,
        is_wanted: true,
    };
    let bytes = bytes.map_err(unknown)?;
    crop(key, &bytes, spec, pseudonyms).map_err(|why| SetAside {
        why,
        is_wanted: imaging::study(&bytes)
            .is_none_or(|study| pseudonyms.of(study.as_str()).is_some()),
    })
}

fn crop(
    key: &str,
    bytes: &[u8],
    spec: &Preprocessing,
    pseudonyms: &Pseudonyms,
) -> Result<Preprocessed, Rejection> {
    let image = imaging::read_anterior(bytes, spec.lossy)?;
    let Some(labelled) = pseudonyms.of(image.study.as_str()) else {
        return Ok(Preprocessed::Unlabelled);
    };
    let admitted = imaging::admit(image, &spec.tracers, spec.crop)?;
    let record = pseudonyms.record(labelled, key, &admitted);
    Ok(Preprocessed::Used(Box::new(record), admitted.crop))
}
