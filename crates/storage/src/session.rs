//! What the places that a process opens have in common.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{Error, Storage, runtime};

/// How long an answer that is not to be believed, or a refusal of a place that has answered before, is
/// asked for again: as long as the retries of a request that fails.
const PATIENCE: Duration = Duration::from_secs(120);
/// The pause after the first such answer; each pause is twice the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// How often an object that has changed since it was listed is asked for again: it stays so.
const MOST_CHANGED: u32 = 3;

/// What the places that a process opens have in common: its patience with them, and which of them have
/// answered. Clones share it.
///
/// A refusal of a place that has answered before is not taken for a wrong configuration: credentials
/// expire and are revoked while they are in use.
#[derive(Clone)]
pub struct Session {
    patience: Duration,
    unsigned: bool,
    places: Arc<Mutex<BTreeMap<String, Arc<AtomicBool>>>>,
}

impl Default for Session {
    fn default() -> Self {
        Self {
            patience: PATIENCE,
            unsigned: false,
            places: Arc::default(),
        }
    }
}

impl Session {
    /// A session of another patience than two minutes.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// A session without credentials, for buckets of S3 that are open to everyone.
    #[must_use]
    pub fn unsigned(mut self) -> Self {
        self.unsigned = true;
        self
    }

    pub(super) const fn is_unsigned(&self) -> bool {
        self.unsigned
    }

    pub(super) const fn patience(&self) -> Duration {
        self.patience
    }

    /// Whether a place has answered, as all who have opened it see it.
    pub(super) fn place(&self, uri: &str) -> Arc<AtomicBool> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(places.entry(uri.to_owned()).or_default())
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("patience", &self.patience)
            .field("unsigned", &self.unsigned)
            .finish_non_exhaustive()
    }
}

impl Storage {
    /// Reads from the store until what is read is to be believed, or the session's patience is at its end.
    /// Only a bucket is asked again: a file does not change by waiting.
    ///
    /// # Errors
    /// What the last reading has failed with.
    pub fn read_until_believed<T, E: std::error::Error + 'static>(
        &self,
        mut read: impl FnMut() -> Result<T, E>,
        mut is_doubtful: impl FnMut(&E) -> bool,
    ) -> Result<T, E> {
        let begin = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            let error = match read() {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let is_over = begin.elapsed() + pause > self.session.patience();
            if is_over || self.pages.is_none() || !is_doubtful(&error) {
                return Err(error);
            }
            let cause: &(dyn std::error::Error + 'static) = &error;
            tracing::warn!(error = cause, "The store is asked again");
            sleep(pause);
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }

    /// Asks the store until it gives an answer that is to be believed, says no for good, or the
    /// session's patience is at its end.
    ///
    /// Requests that fail are repeated by the store's client; here are those that have an answer, and the
    /// wrong one.
    pub(super) fn ask<T, F>(&self, mut request: impl FnMut() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let mut changed = 0;
        let ask = || {
            let answer = runtime::block_on(request())??;
            self.answered.store(true, Ordering::Relaxed);
            Ok(answer)
        };
        self.read_until_believed(ask, |error: &Error| {
            changed += u32::from(error.is_changed());
            changed <= MOST_CHANGED && self.may_change(error)
        })
    }

    /// Whether an answer may be another one soon: a refusal at first sight is told at once.
    fn may_change(&self, error: &Error) -> bool {
        let is_refusal = matches!(
            error,
            Error::Denied { .. }
                | Error::NoBucket { .. }
                | Error::Expired { .. }
                | Error::Skewed { .. }
        );
        let is_wrong = matches!(error, Error::WrongAnswer { .. });
        is_wrong || is_refusal && self.has_answered()
    }

    pub(super) fn has_answered(&self) -> bool {
        self.answered.load(Ordering::Relaxed)
    }
}
