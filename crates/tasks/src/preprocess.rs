//! Preprocessing: DICOM objects become crops under pseudonyms; what cannot be used is set aside.

use super::failure::OrFail;
use super::object_batches::{ShardFilter, for_each_object};
use super::task_io::TrainingIo;
use super::{Rejection, Summary, TaskError};
use attrium_api::{DataStatus, Preprocessing};
use attrium_dataset::{Pseudonyms, Quarantine, Record, ShardWriter};
use attrium_imaging as imaging;
use attrium_imaging::Crop;
use attrium_storage as storage;
use attrium_workflow::artefacts;

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
    let mut writer = ShardWriter::new(pseudonyms.digest());
    let mut quarantine = Quarantine::default();
    let mut data = DataStatus::default();

    let shards = spec.shards;
    data.objects = for_each_object(
        &io.images()?,
        ShardFilter { shard, shards },
        io.context,
        |object| (object.key, preprocess(object.bytes, spec, &pseudonyms)),
        |objects| {
            for (key, object) in objects {
                match object {
                    Ok(Preprocessed::Used(record, crop)) => {
                        writer.push(*record, &crop.counts).or_retry()?;
                    }
                    Ok(Preprocessed::Unlabelled) => data.unlabelled += 1,
                    Err(Rejection::OtherView) => data.other_views += 1,
                    Err(Rejection::Unusable { reason, sentence }) => {
                        quarantine.add(key, reason, sentence);
                    }
                }
            }
            io.files.attempt.check()
        },
    )?;
    data.quarantined = quarantine.len() as u64;
    let message = message(&data, writer.len());
    write(io, shard, writer, &quarantine)?;
    Ok(Summary {
        message,
        data: Some(data),
        ..Summary::default()
    })
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

fn preprocess(
    bytes: Result<Vec<u8>, storage::Error>,
    spec: &Preprocessing,
    pseudonyms: &Pseudonyms,
) -> Result<Preprocessed, Rejection> {
    let bytes = bytes.map_err(|error| Rejection::unreadable(&error))?;
    let image = imaging::read_anterior(&bytes, spec.lossy)?;
    let Some(labelled) = pseudonyms.of(image.study.as_str()) else {
        return Ok(Preprocessed::Unlabelled);
    };
    let crop = imaging::crop(&image, spec.crop)?;
    let record = labelled.record(&image, &crop);
    Ok(Preprocessed::Used(Box::new(record), crop))
}
