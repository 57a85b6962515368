//! The objects of a shard, read ahead in batches: memory does not grow with their number.

use std::sync::mpsc;
use std::thread;

use rayon::iter::{IntoParallelIterator, ParallelIterator};

use super::failure::{OrBadPlace, OrFail};
use super::{Progress, TaskContext, TaskError, Unit};
use attrium_dataset as dataset;
use attrium_storage as storage;
use attrium_storage::{ObjectMeta, Storage};

/// The least number of objects that are fetched together and then worked on together; with more threads
/// it is theirs. Two batches are in memory at a time, of objects of a megabyte or more.
const BATCH: usize = 8;
/// Objects of a batch that are fetched at the same time, since a bucket answers slowly but in
/// parallel.
const CONNECTIONS: usize = 8;
/// The largest object that is read, in bytes: a whole-body scan has about half a megabyte.
const LARGEST: u64 = 64 << 20;

/// What stands, with a number, for the key of an object whose name cannot be one.
const NAMELESS: &str = "a name that is no key";

/// An object as it was fetched.
pub(super) struct FetchedObject {
    /// Its key below the images' prefix, or words in its place.
    pub key: String,
    /// Its bytes, or why there are none.
    pub bytes: Result<Vec<u8>, storage::Error>,
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
/// Objects that are too large, gone, unreadable or whose name cannot be a key are not errors: `work` is
/// given the reason. What stands for a folder in a bucket is not counted as an object.
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
    let mut nameless = 0;
    let mut listed = list.filter_map(|object| match object {
        Ok(object) => filter
            .contains(&object.key)
            .then_some(Ok(Listed::Object(object))),
        Err(error @ storage::Error::InvalidKey { .. }) => {
            nameless += 1;
            let key = format!("({NAMELESS}, {nameless})");
            let listed = Listed::Nameless(FetchedObject {
                key,
                bytes: Err(error),
            });
            // A listing has no order, so that all of them are of one shard.
            filter.contains(NAMELESS).then_some(Ok(listed))
        }
        Err(error) => Some(Err(error)),
    });
    loop {
        let chosen: Result<Vec<Listed>, storage::Error> = listed.by_ref().take(size).collect();
        let last = chosen.as_ref().map_or(true, |listed| listed.len() < size);
        let batch = chosen
            .or_bad_place()
            .and_then(|listed| fetch(images, listed).or_retry());
        let last = last || batch.is_err();
        if sender.send(batch).is_err() || last {
            return;
        }
    }
}

/// What a listing names, or cannot name.
enum Listed {
    Object(ObjectMeta),
    Nameless(FetchedObject),
}

/// Whether what a bucket lists stands for a folder: the console of S3 makes empty objects whose keys end
/// in a slash, as no key of an image does.
const fn is_folder(object: &ObjectMeta, bytes: &Result<Vec<u8>, storage::Error>) -> bool {
    object.size == 0 && matches!(bytes, Err(storage::Error::NotFound { .. }))
}

/// Fetches objects side by side; fails where the store fails as a whole.
fn fetch(images: &Storage, listed: Vec<Listed>) -> Result<Vec<FetchedObject>, storage::Error> {
    let mut fetched = Vec::with_capacity(listed.len());
    let mut objects = Vec::with_capacity(listed.len());
    for object in listed {
        match object {
            Listed::Object(object) => objects.push(object),
            Listed::Nameless(nameless) => fetched.push(nameless),
        }
    }
    for objects in objects.chunks(CONNECTIONS) {
        let bytes: Vec<_> = thread::scope(|scope| {
            let gets: Vec<_> = objects
                .iter()
                .map(|object| scope.spawn(move || images.get(&object.key, LARGEST)))
                .collect();
            gets.into_iter()
                .map(|get| get.join().expect("a get should not panic"))
                .collect()
        });
        for (object, bytes) in objects.iter().zip(bytes) {
            if let Err(error) = &bytes
                && error.is_transient()
            {
                return bytes.map(|_| Vec::new());
            }
            if !is_folder(object, &bytes) {
                fetched.push(FetchedObject {
                    key: object.key.clone(),
                    bytes,
                });
            }
        }
    }
    Ok(fetched)
}

#[cfg(test)]
mod tests {
    use super::*;
    use attrium_storage::StorageOptions;

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
    fn what_stands_for_a_folder_in_a_bucket_is_no_object() {
        let images = Storage::memory();
        images.put("2014/a.dcm", "scan").unwrap();
        images.put("2014/empty.dcm", "").unwrap();
        let object = |key: &str, size| {
            Listed::Object(ObjectMeta {
                key: key.to_owned(),
                size,
            })
        };
        let listed = vec![
            object("2014", 0),
            object("2014/a.dcm", 4),
            object("2014/empty.dcm", 0),
            object("2014/gone.dcm", 4),
        ];
        let fetched = fetch(&images, listed).unwrap();
        let keys: Vec<_> = fetched.iter().map(|object| object.key.as_str()).collect();
        assert_eq!(keys, ["2014/a.dcm", "2014/empty.dcm", "2014/gone.dcm"]);
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
        for name in [b"K\xF6ln.dcm", b"M\xF6rs.dcm", b"J\xFCch.dcm"] {
            std::fs::write(folder.path().join(OsStr::from_bytes(name)), "scan").unwrap();
        }
        let nameless = [1, 2, 3].map(|number| format!("(a name that is no key, {number})"));
        let (last, others) = seen(&images)
            .split_last()
            .map(|(a, b)| (a.clone(), b.to_vec()))
            .unwrap();
        assert_eq!((others.as_slice(), last.as_str()), (&nameless[..], "a.dcm"));
    }
}
