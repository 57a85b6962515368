//! What the spool asks of a disk.
//!
//! A trait, so that a test can cut the power between any two operations ([`crate::simulation`]). What it
//! promises is what a local file system promises, and no more: bytes are on the device after
//! [`DiskFile::sync_data`], a name after [`Disk::sync_folder`] of the folder that has it.

mod network;
mod real;

use std::ffi::OsString;
use std::fmt;
use std::io::{self, Read};
use std::path::Path;

pub use real::RealDisk;

/// A disk that holds folders and files.
pub trait Disk: fmt::Debug + Send + Sync {
    /// Makes a file that was not there, readable by its owner alone, and opens it for writing.
    ///
    /// # Errors
    /// `AlreadyExists`, and what the system says.
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// Opens a file for writing at its end, cut to a length first. The cut is durable after a sync.
    ///
    /// # Errors
    /// `NotFound`, and what the system says.
    fn append(&self, path: &Path, length: u64) -> io::Result<Box<dyn DiskFile>>;

    /// Opens a file for reading.
    ///
    /// # Errors
    /// `NotFound`, and what the system says.
    fn open(&self, path: &Path) -> io::Result<Box<dyn Read + Send>>;

    /// Gives a file another name on the same disk, one that is free.
    ///
    /// # Errors
    /// `AlreadyExists`, and what the system says.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Gives a file another name on the same disk, in place of the file that has it.
    ///
    /// # Errors
    /// What the system says.
    fn replace(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// `NotFound`, and what the system says.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes a folder that its owner alone can enter.
    ///
    /// # Errors
    /// `AlreadyExists`, `NotFound` without the folder above it, and what the system says.
    fn create_folder(&self, path: &Path) -> io::Result<()>;

    /// Removes an empty folder.
    ///
    /// # Errors
    /// `NotFound`, and what the system says.
    fn remove_folder(&self, path: &Path) -> io::Result<()>;

    /// Makes the names in a folder durable, those that are gone too.
    ///
    /// # Errors
    /// What the system says.
    fn sync_folder(&self, path: &Path) -> io::Result<()>;

    /// What is in a folder, in no particular order.
    ///
    /// # Errors
    /// `NotFound`, and what the system says.
    fn list(&self, path: &Path) -> io::Result<Vec<Entry>>;

    /// How large the file system of a path is, and what is free on it.
    ///
    /// # Errors
    /// What the system says.
    fn space(&self, path: &Path) -> io::Result<Space>;

    /// Takes a file as a lock, made if it is not there; nothing where another process has it. The lock ends
    /// with what is returned, and with the process.
    ///
    /// # Errors
    /// What the system says.
    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Lock>>>;

    /// The kind of network file system that a path is on, if it is on one.
    ///
    /// # Errors
    /// What the system says.
    fn network_file_system(&self, path: &Path) -> io::Result<Option<String>>;

    /// All bytes of a file.
    ///
    /// # Errors
    /// As [`Self::open`].
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.open(path)?.read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

/// A file that is being written.
pub trait DiskFile: fmt::Debug + Send {
    /// Writes bytes at the end. After an error some of them may be there.
    ///
    /// # Errors
    /// What the system says.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Waits until the bytes are on the device. After an error nothing is known of those written since the
    /// last sync, and a second sync that succeeds says nothing of them.
    ///
    /// # Errors
    /// What the system says.
    fn sync_data(&mut self) -> io::Result<()>;
}

/// A lock that is held until it is dropped.
pub trait Lock: fmt::Debug + Send + Sync {}

/// A file or a folder in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name within the folder.
    pub name: OsString,
    /// A file's length in bytes.
    pub bytes: u64,
    /// Whether it is a folder.
    pub is_folder: bool,
}

/// The size of a file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// Its size in bytes.
    pub total: u64,
    /// The bytes of it that this process may still write.
    pub free: u64,
}

impl Space {
    /// What is free, in whole percent of all.
    pub fn free_percent(self) -> u64 {
        let percent = u128::from(self.free) * 100 / u128::from(self.total.max(1));
        u64::try_from(percent).unwrap_or(u64::MAX)
    }
}
