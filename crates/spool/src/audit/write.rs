//! Writing the chain on.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use snafu::Snafu;

use super::chain::{self, Link, Unverified};
use super::record::AuditRecord;
use crate::disk::{Disk, DiskFile};
use crate::error::{self, Error};
use crate::{Spool, whole};

/// The audit of a spool, to be written on by any thread.
#[derive(Debug)]
pub struct Audit {
    spool: Spool,
    state: Mutex<State>,
}

/// Where the chain ends.
#[derive(Debug)]
struct State {
    link: Link,
    /// The month whose file is written; none before the first record.
    month: Option<String>,
    /// The bytes of it that are of the chain, and durable.
    length: u64,
    /// The file, unless it has to be opened first. After a failure it is not used again.
    file: Option<Box<dyn DiskFile>>,
}

/// What was cut off behind the last record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Its bytes.
    pub bytes: u64,
}

/// Why a record is not written, or an audit not opened.
#[derive(Debug, Snafu)]
#[snafu(visibility(pub(super)))]
pub enum AuditError {
    /// The chain is broken. Nothing is written behind a broken chain.
    #[snafu(
        display("the audit is not written on: move its files elsewhere to begin another"),
        context(false)
    )]
    Broken {
        /// Where.
        source: Unverified,
    },
    /// The time of a record is none.
    #[snafu(display("the time of a record is not as RFC 3339 writes it"))]
    NoTime,
    /// The disk failed.
    #[snafu(transparent)]
    Disk {
        /// What happened.
        source: Error,
    },
    /// A record cannot be written as JSON.
    #[snafu(display("a record cannot be written as JSON"))]
    NoJson {
        /// Why not.
        source: serde_json::Error,
    },
}

impl Audit {
    /// Opens the audit of a spool. What a crash has left behind the last whole record is cut off, and
    /// returned for the caller to write into the audit.
    ///
    /// The last file is checked, and that it follows the one before; [`super::verify`] checks all.
    ///
    /// # Errors
    /// [`AuditError::Broken`] and [`AuditError::Disk`].
    pub fn open(spool: &Spool) -> Result<(Self, Option<Cut>), AuditError> {
        let folder = spool.root().join("audit");
        let disk = spool.disk().as_ref();
        // An earlier process may have made a file and no more.
        error::at("sync the audit's folder", disk.sync_folder(&folder))?;
        let mut state = State::first();
        let mut cut = None;
        let files = chain::files(disk, &folder)?;
        if let Some((last, before)) = files.split_last() {
            state.link = end_before(disk, &folder, before)?;
            cut = state.resume(disk, &folder, last)?;
        }
        let audit = Self {
            spool: spool.clone(),
            state: Mutex::new(state),
        };
        Ok((audit, cut))
    }

    /// Writes a record. It is durable when this returns.
    ///
    /// # Errors
    /// As [`Self::append_all`].
    pub fn append(&self, record: &AuditRecord) -> Result<(), AuditError> {
        self.append_all(std::slice::from_ref(record))
    }

    /// Writes records one after the other, and waits for the disk once.
    ///
    /// # Errors
    /// [`AuditError::NoTime`], and [`AuditError::Disk`]; none of them is written then, and the spool takes no
    /// object until a probe succeeds.
    pub fn append_all(&self, records: &[AuditRecord]) -> Result<(), AuditError> {
        let Some(month) = latest_month(records)? else {
            return Ok(());
        };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (lines, link) = lines(state.link, records)?;
        let folder = self.spool.root().join("audit");
        let written = state.write(self.spool.disk().as_ref(), &folder, month, &lines);
        if written.is_err() {
            // What a failed sync has left is cut off before anything else is written.
            state.file = None;
        } else {
            state.link = link;
        }
        Ok(self.spool.watched(written)?)
    }
}

/// The month to write records into. Time may go back; files do not.
fn latest_month(records: &[AuditRecord]) -> Result<Option<&str>, AuditError> {
    let months = records
        .iter()
        .map(|record| record.month().ok_or(AuditError::NoTime));
    let months: Vec<&str> = months.collect::<Result<_, _>>()?;
    Ok(months.into_iter().max())
}

/// The lines of records, and where the chain ends behind them.
fn lines(mut link: Link, records: &[AuditRecord]) -> Result<(Vec<u8>, Link), AuditError> {
    let call = (link.record + 1, link.record + records.len() as u64);
    let mut lines = Vec::new();
    for record in records {
        let begin = lines.len();
        let line = record.line(link.record + 1, call, &link.digest);
        let written = serde_json::to_writer(&mut lines, &line);
        written.map_err(|source| AuditError::NoJson { source })?;
        let digest = chain::digest(&lines[begin..]);
        let record = link.record + 1;
        link = Link { digest, record };
        lines.push(b'\n');
    }
    Ok((lines, link))
}

/// Where the files before the last one end.
fn end_before(disk: &dyn Disk, folder: &Path, files: &[String]) -> Result<Link, AuditError> {
    let Some(file) = files.last() else {
        return Ok(Link::FIRST);
    };
    let bytes = error::at("read the audit", disk.read(&folder.join(file)))?;
    Ok(chain::end(file, &bytes)?)
}

impl State {
    const fn first() -> Self {
        Self {
            link: Link::FIRST,
            month: None,
            length: 0,
            file: None,
        }
    }

    /// Goes on with a file, without what a crash has left at its end.
    fn resume(
        &mut self,
        disk: &dyn Disk,
        folder: &Path,
        name: &str,
    ) -> Result<Option<Cut>, AuditError> {
        let path = folder.join(name);
        let bytes = error::at("read the audit", disk.read(&path))?;
        let followed = chain::follow(self.link, &bytes);
        let followed = followed.map_err(|line| chain::broken(name, line))?;
        self.link = followed.link;
        self.month = name.strip_suffix(".jsonl").map(str::to_owned);
        self.length = followed.length as u64;
        self.reopen(disk, &path)?;
        let bytes = (bytes.len() - followed.length) as u64;
        if bytes > 0 {
            tracing::warn!(
                bytes,
                "What a crash has left of a record was cut off the audit"
            );
        }
        Ok((bytes > 0).then_some(Cut { bytes }))
    }

    /// Opens the file at the end of the chain, and makes durable that it ends there.
    fn reopen(&mut self, disk: &dyn Disk, path: &Path) -> Result<(), Error> {
        let opened = disk.append(path, self.length).and_then(|mut file| {
            file.sync_data()?;
            Ok(file)
        });
        self.file = Some(error::at("open the audit", opened)?);
        Ok(())
    }

    fn write(
        &mut self,
        disk: &dyn Disk,
        folder: &Path,
        month: &str,
        lines: &[u8],
    ) -> Result<(), Error> {
        // What a failed attempt has left is cut off first, also where a month has ended since.
        if self.file.is_none() && self.month.is_some() {
            self.reopen(disk, &self.path(folder))?;
        }
        if self.month.as_deref().is_none_or(|now| now < month) {
            let file = begin(disk, &file(folder, month))?;
            (self.month, self.length, self.file) = (Some(month.to_owned()), 0, Some(file));
        }
        if let Some(file) = &mut self.file {
            let written = file.write(lines).and_then(|()| file.sync_data());
            error::at("write the audit", written)?;
            self.length += lines.len() as u64;
        }
        Ok(())
    }

    fn path(&self, folder: &Path) -> PathBuf {
        file(folder, self.month.as_deref().unwrap_or_default())
    }
}

/// Begins the file of a month, whose name is durable then.
fn begin(disk: &dyn Disk, path: &Path) -> Result<Box<dyn DiskFile>, Error> {
    let made = match disk.create(path) {
        // It is empty, of an attempt that has failed: nothing was written before its name was durable.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            disk.remove(path).and_then(|()| disk.create(path))
        }
        made => made,
    };
    let file = error::at("begin a month's audit", made)?;
    let synced = whole::sync_name(disk, path);
    if synced.is_err() {
        whole::discard(disk, path);
    }
    error::at("sync the audit's folder", synced).map(|()| file)
}

fn file(folder: &Path, month: &str) -> PathBuf {
    folder.join(format!("{month}.jsonl"))
}
