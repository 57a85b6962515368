//! The objects of a shard, read ahead in batches: memory does not grow with their number.

use std::sync::mpsc;
use std::thread;

use rayon::iter::{IntoParallelIterator, ParallelIterator};

use super::failure::{OrFail, OrMissing};
use super::{Progress, TaskContext, TaskError, Unit};
use crate::dataset;
use crate::storage::{self, Storage};

/// Objects that are fetched together, then worked on together, where there are no more threads. Two
/// batches are in memory at a time, of objects of a megabyte or more.
const BATCH: usize = 8;
/// Objects of a batch that are fetched at the same time, since a bucket answers slowly but in
/// parallel.
const CONNECTIONS: usize = 8;
/// The largest object that is read, in bytes: a whole-body scan has about half a megabyte.
const LARGEST: u64 = 64 << 20;

/// What stands for the key of an object whose name is no key.
const NAMELESS: &str = "(a name that is no key)";

/// An object as it was fetched.
pub(super) struct Fetched {
    /// Its key below the images' prefix, or words in its place.
    pub key: String,
    /// Its bytes, or why there are none.
    pub bytes: Result<Vec<u8>, storage::Error>,
}

/// Which objects of an archive a task works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ShardOf {
    /// The shard, from 0.
    pub shard: u32,
    /// The number of shards.
    pub shards: u32,
}

impl ShardOf {
    fn holds(self, key: &str) -> bool {
        dataset::shard_of(key, self.shards) == self.shard
    }
}

/// Puts every object of a shard through `work`, in parallel, and its results through `keep`, some
/// at a time and in the order of the listing. The next batch is fetched meanwhile. Returns how
/// many objects there were.
///
/// # Errors
/// Whatever `keep` says; [`TaskError::Interrupted`] between two batches; a store that fails.
/// Objects that are too large, gone, unreadable or have a name that is no key are not errors: `work` sees why.
pub(super) fn for_each_object<T: Send>(
    images: &Storage,
    shard: ShardOf,
    context: &TaskContext<'_>,
    work: impl Fn(Fetched) -> T + Sync,
    mut keep: impl FnMut(Vec<T>) -> Result<(), TaskError>,
) -> Result<u64, TaskError> {
    let mut done = 0;
    let size = BATCH.max(context.threads);
    thread::scope(|scope| {
        let (sender, receiver) = mpsc::sync_channel(0);
        scope.spawn(move || fetch_batches(images, shard, size, &sender));
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

type Batch = Result<Vec<Fetched>, TaskError>;

/// Sends batches of a size until the list ends, the store fails or nobody listens any more.
fn fetch_batches(images: &Storage, shard: ShardOf, size: usize, sender: &mpsc::SyncSender<Batch>) {
    let list = match images.list().or_bad_place() {
        Ok(list) => list,
        Err(error) => {
            // The receiver is only gone when the task has failed already.
            let _ = sender.send(Err(error));
            return;
        }
    };
    let mut listed = list.filter_map(|object| match object {
        Ok(object) => shard
            .holds(&object.key)
            .then_some(Ok(Listed::Key(object.key))),
        Err(error @ storage::Error::InvalidKey { .. }) => {
            shard.holds(NAMELESS).then_some(Ok(Listed::Nameless(error)))
        }
        Err(error) => Some(Err(error)),
    });
    loop {
        let chosen: Result<Vec<Listed>, storage::Error> = listed.by_ref().take(size).collect();
        let batch = chosen
            .or_bad_place()
            .and_then(|listed| fetch(images, listed).or_retry());
        let last = batch.as_ref().map_or(true, |batch| batch.len() < size);
        if sender.send(batch).is_err() || last {
            return;
        }
    }
}

/// What a listing names, or cannot name.
enum Listed {
    Key(String),
    Nameless(storage::Error),
}

/// Fetches objects side by side; fails where the store fails as a whole.
fn fetch(images: &Storage, listed: Vec<Listed>) -> Result<Vec<Fetched>, storage::Error> {
    let mut fetched = Vec::with_capacity(listed.len());
    let mut keys = Vec::with_capacity(listed.len());
    for object in listed {
        match object {
            Listed::Key(key) => keys.push(key),
            Listed::Nameless(error) => fetched.push(Fetched {
                key: NAMELESS.to_owned(),
                bytes: Err(error),
            }),
        }
    }
    for keys in keys.chunks(CONNECTIONS) {
        let bytes: Vec<_> = thread::scope(|scope| {
            let gets: Vec<_> = keys
                .iter()
                .map(|key| scope.spawn(move || images.get(key, LARGEST)))
                .collect();
            gets.into_iter()
                .map(|get| get.join().expect("a get should not panic"))
                .collect()
        });
        for (key, bytes) in keys.iter().zip(bytes) {
            if let Err(error) = &bytes
                && error.is_transient()
            {
                return bytes.map(|_| Vec::new());
            }
            fetched.push(Fetched {
                key: key.clone(),
                bytes,
            });
        }
    }
    Ok(fetched)
}
