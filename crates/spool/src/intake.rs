//! Whether the spool takes objects now.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{self, Error, Full};
use crate::{Spool, whole};

/// What a probe writes: enough to show that a disk is full.
static PROBE: [u8; 1 << 16] = [0; 1 << 16];

/// What is counted of what comes in.
#[derive(Debug, Default)]
pub(crate) struct Intake {
    /// How often the disk has failed.
    failures: AtomicU64,
    /// How often it had when a probe began that has succeeded.
    cleared: AtomicU64,
    used: AtomicU64,
    buffered: AtomicU64,
    /// What unfinished files are named by.
    parts: AtomicU64,
}

impl Intake {
    pub(crate) fn new(used: u64) -> Self {
        Self {
            used: AtomicU64::new(used),
            ..Self::default()
        }
    }

    pub(crate) fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    pub(crate) fn add(&self, bytes: u64) {
        self.used.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn subtract(&self, bytes: u64) {
        // A caller's figure for what it removes may be wrong.
        let less = |used: u64| Some(used.saturating_sub(bytes));
        let _ = self
            .used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }

    /// Counts memory for objects that are being received, unless all of them have as much as they may.
    pub(crate) fn buffer(&self, bytes: u64, limit: u64) -> bool {
        let before = self.buffered.fetch_add(bytes, Ordering::Relaxed);
        let fits = before.saturating_add(bytes) <= limit;
        if !fits {
            self.unbuffer(bytes);
        }
        fits
    }

    pub(crate) fn unbuffer(&self, bytes: u64) {
        self.buffered.fetch_sub(bytes, Ordering::Relaxed);
    }

    pub(crate) fn next_part(&self) -> u64 {
        self.parts.fetch_add(1, Ordering::Relaxed)
    }

    fn is_stopped(&self) -> bool {
        let cleared = self.cleared.load(Ordering::SeqCst);
        self.failures.load(Ordering::SeqCst) != cleared
    }
}

impl Spool {
    /// Whether an object would be taken now.
    ///
    /// # Errors
    /// [`Error::Full`] with the reason why not, and [`Error::Disk`] when the file system does not say what
    /// is free on it.
    pub fn accepts(&self) -> Result<(), Error> {
        match self.full()? {
            Some(source) => Err(Error::Full { source }),
            None => Ok(()),
        }
    }

    fn full(&self) -> Result<Option<Full>, Error> {
        if self.inner.intake.is_stopped() {
            return Ok(Some(Full::Stopped));
        }
        let (used, limit) = (self.used(), self.inner.options.size);
        if used >= limit {
            return Ok(Some(Full::Size { used, limit }));
        }
        let (free, keep) = (
            self.space()?.free_percent(),
            self.inner.options.keep_free_percent,
        );
        Ok((free < u64::from(keep)).then_some(Full::Space { free, keep }))
    }

    /// Writes a file as an object is written, and takes objects again if that succeeds. It is for whoever
    /// waits for a disk to come back, and does no harm at other times.
    ///
    /// # Errors
    /// [`Error::Disk`]; the spool stays as it was.
    pub fn probe(&self) -> Result<(), Error> {
        let intake = &self.inner.intake;
        // Not a failure that comes while the probe runs.
        let failures = intake.failures.load(Ordering::SeqCst);
        let path = self.part();
        let written = self.write_probe(&path);
        self.discard(&path);
        error::at("write a probe", written)?;
        if intake.cleared.fetch_max(failures, Ordering::SeqCst) < failures {
            tracing::info!("The disk takes files again");
        }
        Ok(())
    }

    fn write_probe(&self, path: &Path) -> io::Result<()> {
        let disk = &self.inner.disk;
        let mut file = disk.create(path)?;
        file.write(&PROBE)?;
        file.sync_data()?;
        whole::sync_name(disk.as_ref(), path)
    }

    /// The path of an unfinished file that no other has.
    pub(crate) fn part(&self) -> PathBuf {
        let number = self.inner.intake.next_part();
        self.inner.root.join(format!("incoming/{number}.part"))
    }

    /// Passes a result on; after a failure of the disk nothing more is taken.
    pub(crate) fn watched<T>(&self, done: Result<T, Error>) -> Result<T, Error> {
        if let Err(Error::Disk { doing, source }) = &done {
            let before = self.inner.intake.failures.fetch_add(1, Ordering::SeqCst);
            if before == self.inner.intake.cleared.load(Ordering::SeqCst) {
                let what = "The disk has failed: nothing is taken until it writes again";
                tracing::error!(doing, error = %source, "{what}");
            }
        }
        done
    }

    /// Removes an unfinished file.
    pub(crate) fn discard(&self, path: &Path) {
        whole::discard(self.inner.disk.as_ref(), path);
    }
}
