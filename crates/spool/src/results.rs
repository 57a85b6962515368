//! What a station has made of a study, by the study's number and revision.

use std::io;
use std::path::{Path, PathBuf};

use crate::disk::Disk;
use crate::error::{self, Error};
use crate::{Spool, whole};

/// The kinds of results, each one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResultKind {
    /// A structured report.
    Report,
    /// A secondary capture.
    Image,
}

impl ResultKind {
    const fn file_name(self) -> &'static str {
        match self {
            Self::Report => "sr.dcm",
            Self::Image => "sc.dcm",
        }
    }
}

impl Spool {
    /// Keeps a result, durably. One that is there with equal bytes is kept already.
    ///
    /// # Errors
    /// [`Error::OtherResult`] when one is there with other bytes, which stay: they may have been sent.
    /// [`Error::Disk`] as of an object; the spool takes no object then until a probe succeeds.
    pub fn put_result(
        &self,
        study: u64,
        revision: u32,
        kind: ResultKind,
        bytes: &[u8],
    ) -> Result<(), Error> {
        let put = self.put_whole(&self.revision(study, revision), kind, bytes);
        self.watched(put)
    }

    fn put_whole(&self, folder: &Path, kind: ResultKind, bytes: &[u8]) -> Result<(), Error> {
        let disk = self.inner.disk.as_ref();
        let path = folder.join(kind.file_name());
        match error::found("read a result", disk.read(&path)) {
            Err(Error::NotFound) => {}
            Err(error) => return Err(error),
            // An earlier process may have named it and no more.
            Ok(there) if there == bytes => {
                return error::at("sync a result", self.sync_result(&path));
            }
            Ok(_) => return Err(Error::OtherResult),
        }
        error::at("make a result's folder", self.make_folders(folder))?;
        let written = whole::write(disk, &self.part(), &path, bytes, whole::Name::Free);
        error::at("write a result", written)?;
        self.inner.intake.add(bytes.len() as u64);
        Ok(())
    }

    fn make_folders(&self, revision: &Path) -> io::Result<()> {
        let disk = self.inner.disk.as_ref();
        revision
            .parent()
            .map_or(Ok(()), |study| whole::folder(disk, study))?;
        whole::folder(disk, revision)
    }

    /// Makes the names on the way to a result durable, from the top.
    fn sync_result(&self, path: &Path) -> io::Result<()> {
        let above: Vec<&Path> = path.ancestors().skip(1).take(3).collect();
        let mut synced = above
            .iter()
            .rev()
            .map(|folder| self.inner.disk.sync_folder(folder));
        synced.try_for_each(|synced| synced)
    }

    /// The bytes of a result.
    ///
    /// # Errors
    /// [`Error::NotFound`] and [`Error::Disk`].
    pub fn read_result(
        &self,
        study: u64,
        revision: u32,
        kind: ResultKind,
    ) -> Result<Vec<u8>, Error> {
        let path = self.revision(study, revision).join(kind.file_name());
        error::found("read a result", self.inner.disk.read(&path))
    }

    /// Removes all results of a study. When this returns, they do not come back.
    ///
    /// # Errors
    /// [`Error::Disk`]; some of them may be there then.
    pub fn remove_results(&self, study: u64) -> Result<(), Error> {
        let removed = self.remove_study(&self.study(study));
        error::at("remove a study's results", removed)
    }

    fn remove_study(&self, study: &Path) -> io::Result<()> {
        let disk = self.inner.disk.as_ref();
        for revision in existing(disk.list(study))?.unwrap_or_default() {
            let folder = study.join(&revision.name);
            for file in existing(disk.list(&folder))?.unwrap_or_default() {
                disk.remove(&folder.join(&file.name))?;
                self.inner.intake.subtract(file.bytes);
            }
            existing(disk.remove_folder(&folder))?;
        }
        existing(disk.remove_folder(study))?;
        whole::sync_name(disk, study)
    }

    fn study(&self, study: u64) -> PathBuf {
        self.inner.root.join(format!("results/{study}"))
    }

    fn revision(&self, study: u64, revision: u32) -> PathBuf {
        self.study(study).join(revision.to_string())
    }
}

/// The bytes of all results below a spool's folder.
pub(crate) fn bytes(disk: &dyn Disk, root: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    let mut folders = vec![root.join("results")];
    while let Some(folder) = folders.pop() {
        for entry in disk.list(&folder)? {
            if entry.is_folder {
                folders.push(folder.join(entry.name));
            } else {
                bytes += entry.bytes;
            }
        }
    }
    Ok(bytes)
}

/// Nothing where what was asked for is not there.
fn existing<T>(done: io::Result<T>) -> io::Result<Option<T>> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        done => done.map(Some),
    }
}
