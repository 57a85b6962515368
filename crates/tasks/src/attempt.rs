//! One attempt of a task: what it writes, below a folder of its own, and whether another has ended first.
//!
//! A cluster may have two pods of one task at a time, and one that was paused may wake at any moment. Both
//! write, each to its own folder; the marker, which only one of them can put, decides whose files count.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error as StdError;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::TaskError;
use super::failure::OrFail;
use super::inputs::LARGEST_MARKER;
use attrium_storage as storage;
use attrium_storage::{Storage, Version};
use attrium_workflow::{MarkedFile, TaskSpec, artefacts};

/// How long an attempt goes on, at least, before it looks again whether another has ended.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// An attempt of a task.
pub(super) struct Attempt {
    store: Storage,
    id: String,
    /// The folder of all attempts of the task.
    attempts: String,
    marker: String,
    /// The marker that was there when the attempt began, and whose place its own takes.
    replaces: Option<Version>,
    written: Mutex<Written>,
    looked: Mutex<Instant>,
    look_every: Duration,
}

/// The files of an attempt.
#[derive(Default)]
struct Written {
    puts: u64,
    /// By their names, each with the number of its put.
    files: BTreeMap<String, (u64, MarkedFile)>,
    /// What the marker does not name.
    kept: BTreeSet<String>,
}

impl Attempt {
    /// Begins an attempt; nothing is written yet. Later attempts have greater ids, as far as clocks agree.
    pub(crate) fn new(store: Storage, task: &TaskSpec, replaces: Option<Version>) -> Self {
        Self {
            store,
            id: Uuid::now_v7().to_string(),
            attempts: artefacts::attempts(task.id),
            marker: task.marker.clone(),
            replaces,
            written: Mutex::default(),
            looked: Mutex::new(Instant::now()),
            look_every: LOOK_EVERY,
        }
    }

    /// The same attempt, which looks for another's marker this often.
    #[cfg(test)]
    pub(crate) fn looking_every(mut self, look_every: Duration) -> Self {
        self.look_every = look_every;
        self
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Writes an artefact, whole or not at all.
    pub(crate) fn put(&self, name: &str, bytes: Vec<u8>) -> Result<(), TaskError> {
        let (sha256, length) = (hex::encode(Sha256::digest(&bytes)), bytes.len() as u64);
        self.store.put(&self.path(name), bytes).or_retry()?;
        self.note(name, sha256, length);
        Ok(())
    }

    /// Writes an artefact from pieces, as [`Storage::put_chunks`] does.
    pub(crate) fn put_chunks<E: StdError + Send + Sync + 'static>(
        &self,
        name: &str,
        chunks: impl IntoIterator<Item = Result<Vec<u8>, E>>,
    ) -> Result<(), storage::Error> {
        let (mut digest, mut length) = (Sha256::new(), 0);
        let chunks = chunks.into_iter().inspect(|chunk| {
            if let Ok(chunk) = chunk {
                digest.update(chunk);
                length += chunk.len() as u64;
            }
        });
        self.store.put_chunks(&self.path(name), chunks)?;
        self.note(name, hex::encode(digest.finalize()), length);
        Ok(())
    }

    /// Writes what only another attempt of the same task reads; the marker does not name it.
    pub(crate) fn keep(&self, name: &str, bytes: Vec<u8>) -> Result<(), TaskError> {
        self.store.put(&self.path(name), bytes).or_retry()?;
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        written.kept.insert(name.to_owned());
        Ok(())
    }

    /// What earlier attempts have kept under a name: keys of the run's store, the latest attempt's first.
    pub(crate) fn kept_before(&self, name: &str) -> Result<Vec<String>, TaskError> {
        let attempts = self.store.at(&self.attempts).or_retry()?;
        let keys = match attempts.list() {
            Err(storage::Error::NotFound { .. }) => return Ok(Vec::new()),
            list => list.or_retry()?.map(|listed| Ok(listed?.name().to_owned())),
        };
        let keys: Result<Vec<String>, storage::Error> = keys.collect();
        let mut kept = keys.or_retry()?;
        kept.retain(|key| {
            let of_attempt = key.split_once('/');
            of_attempt.is_some_and(|(id, rest)| rest == name && id != self.id)
        });
        kept.sort_unstable();
        let kept = kept.iter().rev();
        Ok(kept.map(|key| format!("{}{key}", self.attempts)).collect())
    }

    /// The files that were written, in the order in which they were.
    pub(crate) fn files(&self) -> Vec<MarkedFile> {
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let mut files: Vec<_> = written.files.values().cloned().collect();
        files.sort_unstable_by_key(|(put, _)| *put);
        files.into_iter().map(|(_, file)| file).collect()
    }

    /// Reads back what this attempt has written.
    pub(crate) fn get(&self, name: &str, limit: u64) -> Result<Vec<u8>, TaskError> {
        self.store.get(&self.path(name), limit).or_retry()
    }

    /// Removes the artefacts of an attempt that has failed; what it has kept for the next one stays.
    pub(crate) fn discard(&self) {
        for file in self.files() {
            self.remove(&file.name);
        }
    }

    /// Removes everything of an attempt that has lost.
    pub(crate) fn discard_all(&self) {
        self.discard();
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        for name in &written.kept {
            self.remove(name);
        }
    }

    /// Nobody reads what cannot be removed.
    fn remove(&self, name: &str) {
        if let Err(error) = self.store.delete(&self.path(name)) {
            tracing::debug!(%error, "A file of an attempt that does not count stays");
        }
    }

    /// Puts the marker, unless another attempt has; whose it is then is told by who reads it.
    pub(crate) fn put_marker(&self, bytes: Vec<u8>) -> Result<(), TaskError> {
        let (store, marker) = (&self.store, &self.marker);
        let replaced = match &self.replaces {
            Some(version) => store.put_if_unchanged(marker, bytes.clone(), version),
            None => store.put_if_absent(marker, bytes.clone()),
        };
        let put = match replaced {
            Err(storage::Error::NotFound { .. }) => store.put_if_absent(marker, bytes),
            Err(storage::Error::Unsupported { .. }) => self.put_unless_seen(bytes),
            put => put,
        };
        match put {
            Err(storage::Error::AlreadyExists { .. }) => Ok(()),
            put => put.or_retry(),
        }
    }

    /// Puts the marker into a store that knows no conditions: of two attempts that end within the moment
    /// between the look and the put, the later one's marker stays, and its files are whole as well.
    fn put_unless_seen(&self, bytes: Vec<u8>) -> Result<(), storage::Error> {
        match self.look() {
            Ok(()) => self.store.put(&self.marker, bytes),
            // Whose marker it is, or why the store does not tell, is told by who reads it.
            Err(_) => Ok(()),
        }
    }

    /// An error once another attempt has ended, for `?` in a task's loop; it asks the store twice a minute.
    ///
    /// # Errors
    /// [`TaskError::Superseded`].
    pub(crate) fn check(&self) -> Result<(), TaskError> {
        {
            let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
            if looked.elapsed() < self.look_every {
                return Ok(());
            }
            *looked = Instant::now();
        }
        self.look()
    }

    /// As [`Self::check`], but asks the store at once.
    pub(crate) fn look(&self) -> Result<(), TaskError> {
        let has_ended = match &self.replaces {
            None => self.store.exists(&self.marker).or_retry()?,
            Some(replaced) => match self.store.get_version(&self.marker, LARGEST_MARKER) {
                Err(storage::Error::NotFound { .. }) => false,
                read => read.or_retry()?.1 != *replaced,
            },
        };
        if has_ended {
            return Err(TaskError::Superseded);
        }
        Ok(())
    }

    fn path(&self, name: &str) -> String {
        format!("{}{}/{name}", self.attempts, self.id)
    }

    fn note(&self, name: &str, sha256: String, bytes: u64) {
        let file = MarkedFile {
            name: name.to_owned(),
            path: self.path(name),
            sha256,
            bytes,
        };
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        written.puts += 1;
        let put = written.puts;
        written.files.insert(name.to_owned(), (put, file));
    }
}
