//! Errors of the spool by what the caller can do about them.

use std::io;
use std::path::PathBuf;

use snafu::{ResultExt, Snafu};

/// What went wrong in a spool. It names the spool's folder where that helps, and no object.
#[derive(Debug, Snafu)]
#[snafu(visibility(pub(crate)))]
pub enum Error {
    /// Another process has the spool.
    #[snafu(display(
        "{} is in use by another process: stop that one first, or give this one a folder of its own",
        root.display()
    ))]
    Locked {
        /// The spool's folder.
        root: PathBuf,
    },
    /// The spool would be on a file system that does not keep what it promises.
    #[snafu(display(
        "{} is on {kind}, which is reached through a network: a spool needs a local file system, such as \
         ext4 or XFS on a disk or on a block volume",
        root.display()
    ))]
    NetworkFileSystem {
        /// The spool's folder.
        root: PathBuf,
        /// What it is on.
        kind: String,
    },
    /// The file of the key is not a key.
    #[snafu(display(
        "the file 'key' in {} has {bytes} bytes instead of 32: restore it from a backup; with another key \
         the pseudonyms of all that is kept would change",
        root.display()
    ))]
    WrongKey {
        /// The spool's folder.
        root: PathBuf,
        /// The bytes that the file has.
        bytes: usize,
    },
    /// The spool has been in use, and its key is gone.
    #[snafu(display(
        "the file 'key' in {} is gone: restore it from a backup, or begin with an empty folder",
        root.display()
    ))]
    NoKey {
        /// The spool's folder.
        root: PathBuf,
    },
    /// The file that says which numbers were given is damaged.
    #[snafu(display(
        "the file 'arrivals' in {} is not a number: restore it from a backup, or write into it a number \
         above that of every object there ever was",
        root.display()
    ))]
    WrongArrivals {
        /// The spool's folder.
        root: PathBuf,
    },
    /// Nothing is received now.
    #[snafu(display("nothing can be received"))]
    Full {
        /// Why not.
        source: Full,
    },
    /// The disk failed.
    #[snafu(display("the spool's disk failed to {doing}"))]
    Disk {
        /// What was to be done.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// An object was to be kept of which a part could not be written before.
    #[snafu(display("an object was not written completely"))]
    Incomplete,
    /// The object or the result is not in the spool.
    #[snafu(display("it is no longer in the spool"))]
    NotFound,
    /// A file has other bytes than its name says.
    #[snafu(display("a file in the spool has been damaged or changed: check the disk"))]
    Damaged,
    /// A result of this study, revision and kind is there, with other bytes.
    #[snafu(display("another result is there for the same revision: it stays"))]
    OtherResult,
    /// What is not the digest of an object.
    #[snafu(display("not a SHA-256 in 64 hexadecimal digits"))]
    NoDigest,
}

/// Why the spool takes nothing.
#[derive(Clone, Debug, PartialEq, Eq, Snafu)]
pub enum Full {
    /// The disk failed, and nothing has been written since.
    #[snafu(display("the disk has failed, and no probe has succeeded since"))]
    Stopped,
    /// The spool has reached its size.
    #[snafu(display(
        "the spool has {used} of {limit} bytes: give it more, or keep objects for less long"
    ))]
    Size {
        /// The bytes that it has.
        used: u64,
        /// The bytes that it may have.
        limit: u64,
    },
    /// The file system is nearly full.
    #[snafu(display(
        "{free} % of the disk is free, and {keep} % is to be kept free: make room on it"
    ))]
    Space {
        /// What is free, in percent.
        free: u64,
        /// What is to be kept free, in percent.
        keep: u8,
    },
}

/// Says of the disk's error what was to be done.
pub(crate) fn at<T>(doing: &'static str, done: io::Result<T>) -> Result<T, Error> {
    done.context(DiskSnafu { doing })
}

/// As [`at`], of a file that may be gone.
pub(crate) fn found<T>(doing: &'static str, done: io::Result<T>) -> Result<T, Error> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Error::NotFound),
        done => at(doing, done),
    }
}
