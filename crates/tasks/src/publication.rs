//! What people read is copied to the names they know, once a marker has decided whose files count.
//!
//! What is published is decided by the marker alone: whoever publishes, an attempt that has lost or a later
//! run too, writes the same bytes.

use std::io::Read;

use rayon::iter::{IntoParallelIterator, ParallelIterator};
use sha2::{Digest, Sha256};

use super::TaskError;
use super::artefact_error::ArtefactError;
use super::inputs::{self, StoredMarker, Vouched};
use attrium_storage as storage;
use attrium_storage::{ObjectReader, Storage};
use attrium_workflow::artefacts::{self, ACTIVATION_MAPS};
use attrium_workflow::{MarkedFile, TaskSpec};

/// Files up to this size, in bytes, are held in memory while they are copied.
const SMALL: u64 = 32 << 20;

/// Publishes what a task's marker names, and returns that marker; `None` where there is none.
///
/// A marker that takes the place of an incomplete one while this goes on is published in turn, so that the
/// last one who publishes leaves what the last marker says.
pub(super) fn publish(store: &Storage, task: &TaskSpec) -> Result<Option<StoredMarker>, TaskError> {
    loop {
        let Some(read) = inputs::read_marker(store, task)? else {
            return Ok(None);
        };
        publish_all(store, task, &read)?;
        let now = inputs::read_marker(store, task)?;
        if now.is_some_and(|now| now.sha256 == read.sha256) {
            return Ok(Some(read));
        }
    }
}

/// Pictures, of which there may be thousands, side by side; all else in the order in which it was written,
/// so that a bundle's checksums come last.
fn publish_all(store: &Storage, task: &TaskSpec, read: &StoredMarker) -> Result<(), ArtefactError> {
    let marker = inputs::place(store, &task.marker)?;
    let published = read.marker.files.iter();
    let published = published.filter(|file| artefacts::is_published(&file.name));
    let is_picture = |file: &&MarkedFile| file.name.starts_with(ACTIVATION_MAPS);
    let (pictures, others): (Vec<_>, Vec<_>) = published.partition(is_picture);
    let publish = |file: &MarkedFile| {
        let (file, marker) = (file.clone(), marker.clone());
        publish_one(store, &Vouched { file, marker })
    };
    pictures.into_par_iter().try_for_each(publish)?;
    others.into_iter().try_for_each(publish)
}

/// Copies a file to its name, unless these bytes are there.
fn publish_one(store: &Storage, vouched: &Vouched) -> Result<(), ArtefactError> {
    let file = &vouched.file;
    let there = match store.read(&file.name) {
        Err(storage::Error::NotFound { .. }) => None,
        there => Some(inputs::digest(there?)?),
    };
    if there.as_ref() == Some(&file.sha256) {
        return Ok(());
    }
    if file.bytes <= SMALL {
        let bytes = inputs::get(store, vouched, SMALL)?;
        return Ok(store.put(&file.name, bytes)?);
    }
    inputs::until_sound(store, || copy(store, vouched))
}

/// Copies a file that is too large to hold to its name.
fn copy(store: &Storage, vouched: &Vouched) -> Result<(), ArtefactError> {
    let object = inputs::open(store, vouched)?;
    match store.put_chunks(&vouched.file.name, compared(store, vouched, object)) {
        Err(storage::Error::Abandoned { source, uri }) => match source.downcast() {
            Ok(error) => Err(*error),
            Err(source) => Err(storage::Error::Abandoned { source, uri }.into()),
        },
        put => Ok(put?),
    }
}

/// The pieces of a file, and an error after them where they are not what its marker vouches for.
fn compared(
    store: &Storage,
    vouched: &Vouched,
    mut object: ObjectReader,
) -> impl Iterator<Item = Result<Vec<u8>, ArtefactError>> {
    let mut digest = Some(Sha256::new());
    std::iter::from_fn(move || {
        let mut piece = vec![0; 1 << 20];
        match object.read(&mut piece) {
            Err(error) => Some(Err(inputs::unread(error))),
            Ok(0) => {
                let found = hex::encode(digest.take()?.finalize());
                let same = inputs::ensure_same(store, vouched, &found);
                same.err().map(Err)
            }
            Ok(read) => {
                piece.truncate(read);
                digest.as_mut()?.update(&piece);
                Some(Ok(piece))
            }
        }
    })
}
