//! The objects of a shard, read ahead in batches: memory does not grow with their number.

use std::sync::mpsc;
use std::thread;

use rayon::iter::{IntoParallelIterator, ParallelIterator};

use super::failure::OrBadPlace;
use super::{Progress, Rejection, TaskContext, TaskError, Unit};
use attrium_dataset as dataset;
use attrium_storage as storage;
use attrium_storage::{Listed, Storage};

/// The least number of objects that are fetched together and then worked on together; with more threads
/// it is theirs. Two batches are in memory at a time, of objects of a megabyte or more.
const BATCH: usize = 8;
/// Objects of a batch that are fetched at the same time, since a bucket answers slowly but in
/// parallel.
const CONNECTIONS: usize = 8;
/// The largest object that is read, in bytes: a whole-body scan has about half a megabyte.
const LARGEST: u64 = 64 << 20;

/// An object as it was fetched.
pub(super) struct FetchedObject {
    /// Its key below the images' prefix, or the name that stands for one.
    pub key: String,
    /// Its bytes, or why it has none for itself.
    pub bytes: Result<Vec<u8>, Rejection>,
}

/// Which objects of an archive a task works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ShardFilter {
    /// The shard, from 0.
    pub shard: u32,
    pub shards: u32,
}

impl ShardFilter {
    fn contains(self, key: &str) -> bool {
        dataset::shard_of(key, self.shards) == self.shard
    }
}

/// Puts every object of a shard through `work`, in parallel, and its results through `keep`, some
/// at a time and in the order of the listing. The next batch is fetched meanwhile. Returns how
/// many objects there were.
///
/// # Errors
/// Whatever `keep` says; [`TaskError::Interrupted`] between two batches; a store that fails.
/// Objects that are too large, that have gone since they were listed, whose name cannot be a key and links
/// to nothing are not errors: `work` is given the reason. Anything else that keeps an object from being
/// read is the store's failure, of which nothing follows for the object.
pub(super) fn for_each_object<T: Send>(
    images: &Storage,
    filter: ShardFilter,
    context: &TaskContext<'_>,
    work: impl Fn(FetchedObject) -> T + Sync,
    mut keep: impl FnMut(Vec<T>) -> Result<(), TaskError>,
) -> Result<u64, TaskError> {
    let mut done = 0;
    let size = BATCH.max(context.threads);
    thread::scope(|scope| {
        let (sender, receiver) = mpsc::sync_channel(0);
        scope.spawn(move || fetch_batches(images, filter, size, &sender));
        for batch in receiver {
            context.interrupt.check()?;
            let results: Vec<T> = batch?.into_par_iter().map(&work).collect();
            done += results.len() as u64;
            keep(results)?;
            context.progress.update(Progress {
                done,
                unit: Unit::Objects,
                ..Progress::default()
            });
        }
        Ok(done)
    })
}

type Batch = Result<Vec<FetchedObject>, TaskError>;

/// Sends batches of a size until the list ends, the store fails or nobody listens any more.
fn fetch_batches(
    images: &Storage,
    filter: ShardFilter,
    size: usize,
    sender: &mpsc::SyncSender<Batch>,
) {
    let list = match images.list().or_bad_place() {
        Ok(list) => list,
        Err(error) => {
            // The receiver is only gone when the task has failed already.
            let _ = sender.send(Err(error));
            return;
        }
    };
    let mut listed = list.filter(|listed| match listed {
        Ok(listed) => filter.contains(listed.name()),
        Err(_) => true,
    });
    loop {
        let chosen: Result<Vec<Listed>, storage::Error> = listed.by_ref().take(size).collect();
        let last = chosen.as_ref().map_or(true, |listed| listed.len() < size);
        let batch = chosen
            .and_then(|listed| fetch(images, listed))
            .or_bad_place();
        let last = last || batch.is_err();
        if sender.send(batch).is_err() || last {
            return;
        }
    }
}

/// Fetches objects side by side; fails where the store fails, rather than an object.
fn fetch(images: &Storage, listed: Vec<Listed>) -> Result<Vec<FetchedObject>, storage::Error> {
    let mut fetched = Vec::with_capacity(listed.len());
    let mut objects = Vec::with_capacity(listed.len());
    for listed in listed {
        match listed {
            Listed::Object(object) => objects.push(object),
            Listed::Unreadable(object) => fetched.push(FetchedObject {
                key: object.name,
                bytes: Err(of_object(object.error)?),
            }),
        }
    }
    for objects in objects.chunks(CONNECTIONS) {
        let bytes: Vec<_> = thread::scope(|scope| {
            let gets: Vec<_> = objects
                .iter()
                .map(|object| scope.spawn(move || images.get_listed(object, LARGEST)))
                .collect();
            gets.into_iter()
                .map(|get| get.join().expect("a get should not panic"))
                .collect()
        });
        for (object, bytes) in objects.iter().zip(bytes) {
            fetched.push(FetchedObject {
                key: object.key.clone(),
                bytes: bytes.map(Ok).or_else(|error| of_object(error).map(Err))?,
            });
        }
    }
    Ok(fetched)
}

/// What an error says of an object, if it is about that alone.
fn of_object(error: storage::Error) -> Result<Rejection, storage::Error> {
    match error.of_one_object() {
        Some(_) => Ok(Rejection::missing(&error)),
        None => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use attrium_storage::{ObjectMeta, StorageOptions};

    const ALL: ShardFilter = ShardFilter {
        shard: 0,
        shards: 1,
    };

    /// The keys that a task sees, in batches of two.
    fn seen(images: &Storage) -> Vec<String> {
        let (sender, receiver) = mpsc::sync_channel(100);
        fetch_batches(images, ALL, 2, &sender);
        drop(sender);
        let batches = receiver.into_iter().map(|batch| batch.unwrap());
        let mut keys: Vec<_> = batches.flatten().map(|object| object.key).collect();
        keys.sort();
        keys
    }

    #[test]
    fn every_object_that_was_listed_is_told_of() {
        let images = Storage::memory();
        images.put("2014/a.dcm", "scan").unwrap();
        images.put("2014/empty.dcm", "").unwrap();
        let object = |key: &str, size| {
            Listed::Object(ObjectMeta {
                key: key.to_owned(),
                size,
                e_tag: None,
            })
        };
        let listed = vec![
            object("2014/a.dcm", 4),
            object("2014/empty.dcm", 0),
            object("2014/gone.dcm", 0),
            object("2014/large.dcm", LARGEST + 1),
        ];
        let word = |bytes| match bytes {
            Ok(_) => "",
            Err(Rejection::OtherView) => "other view",
            Err(Rejection::Unusable { reason, .. }) => reason,
        };
        let fetched = fetch(&images, listed).unwrap().into_iter();
        let words: Vec<_> = fetched.map(|object| word(object.bytes)).collect();
        assert_eq!(words, ["", "", "gone", "too-large"]);
        let changed = fetch(&images, vec![object("2014/a.dcm", 5)]);
        assert!(matches!(changed, Err(storage::Error::WrongAnswer { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn objects_without_a_key_are_told_apart() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;

        let folder = tempfile::tempdir().unwrap();
        let images = folder.path().to_str().unwrap();
        let images = Storage::open(images, &StorageOptions::default()).unwrap();
        images.put("a.dcm", "scan").unwrap();
        for name in [b"K\xF6ln.dcm", b"K\xFCln.dcm", b"K\xE4ln.dcm"] {
            std::fs::write(folder.path().join(OsStr::from_bytes(name)), "scan").unwrap();
        }
        let named = ["K\\xE4ln.dcm", "K\\xF6ln.dcm", "K\\xFCln.dcm", "a.dcm"];
        assert_eq!(seen(&images), named);
    }
}
