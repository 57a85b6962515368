//! Preprocessing: DICOM objects become crops under pseudonyms; what cannot be used is set aside.

use super::failure::OrFail;
use super::object_batches::{Fetched, ShardOf, for_each_object};
use super::task_io::TrainingContext;
use super::{Summary, TaskError};
use attrium_api::{DataStatus, Preprocessing};
use attrium_dataset::{Pseudonyms, Quarantine, Record, ShardWriter};
use attrium_imaging as imaging;
use attrium_imaging::Crop;
use attrium_workflow::artefacts;

/// What became of an object.
enum Outcome {
    Used(Box<Record>, Crop),
    Unlabelled,
    OtherView,
    Unusable {
        object: String,
        reason: &'static str,
        sentence: String,
    },
}

/// Preprocesses one shard and writes its crops, its table and its part of the quarantine.
pub(super) fn run(run: &TrainingContext<'_>, shard: u32) -> Result<Summary, TaskError> {
    let pseudonyms = run.pseudonyms()?;
    run.check_labels(&pseudonyms)?;
    let spec = &run.spec.preprocessing;
    let images = run.images()?;
    let mut writer = ShardWriter::new(pseudonyms.digest());
    let mut quarantine = Quarantine::default();
    let mut data = DataStatus::default();

    let of = ShardOf {
        shard,
        shards: spec.shards,
    };
    data.objects = for_each_object(
        &images,
        of,
        run.context,
        |object| preprocess(object, spec, &pseudonyms),
        |outcomes| {
            for outcome in outcomes {
                match outcome {
                    Outcome::Used(record, crop) => writer.push(*record, &crop.counts).or_retry()?,
                    Outcome::Unlabelled => data.unlabelled += 1,
                    Outcome::OtherView => data.other_views += 1,
                    Outcome::Unusable {
                        object,
                        reason,
                        sentence,
                    } => quarantine.add(object, reason, sentence),
                }
            }
            Ok(())
        },
    )?;
    data.quarantined = quarantine.len() as u64;

    let message = format!(
        "{} objects: {} usable, {} unlabelled, {} of another view, {} quarantined",
        data.objects,
        writer.len(),
        data.unlabelled,
        data.other_views,
        data.quarantined
    );
    let files = writer.finish().or_retry()?;
    run.put(&artefacts::shard_table(shard), files.table.clone())?;
    let crops = files.crops();
    run.store
        .put_chunks(&artefacts::shard(shard), crops)
        .or_retry()?;
    run.put(
        &artefacts::quarantine_part(shard),
        quarantine.to_csv().or_retry()?,
    )?;
    Ok(Summary {
        message,
        data: Some(data),
        ..Summary::default()
    })
}

fn preprocess(object: Fetched, spec: &Preprocessing, pseudonyms: &Pseudonyms) -> Outcome {
    let unusable = |reason, sentence| Outcome::Unusable {
        object: object.key.clone(),
        reason,
        sentence,
    };
    let bytes = match &object.bytes {
        Ok(bytes) => bytes,
        Err(error) => return unusable("unreadable", TaskError::sentence_of(error)),
    };
    let image = match imaging::read_anterior(bytes, spec.lossy) {
        Ok(image) => image,
        Err(imaging::Error::NoAnterior) => return Outcome::OtherView,
        Err(error) => return unusable(error.reason(), TaskError::sentence_of(&error)),
    };
    let Some(labelled) = pseudonyms.of(image.study.as_str()) else {
        return Outcome::Unlabelled;
    };
    match imaging::crop(&image, spec.crop) {
        Ok(crop) => Outcome::Used(Box::new(labelled.record(&image, &crop)), crop),
        Err(error) => unusable(error.reason(), TaskError::sentence_of(&error)),
    }
}
