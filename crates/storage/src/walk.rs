//! What is in a folder, links followed: every file once, and why it cannot be had where that is so.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path as FilePath, PathBuf};

use object_store::path::Path;

use super::error::{AnswerProblem, Error};
use super::list::{Listed, ObjectMeta, UnreadableObject};
use super::{Storage, key};

/// A walk through a folder and those in it.
pub(super) struct Walk {
    storage: Storage,
    root: PathBuf,
    entries: walkdir::IntoIter,
}

impl Walk {
    /// A walk through a folder that is there.
    pub(super) fn new(storage: Storage) -> Self {
        let root = storage.folder();
        let entries = walkdir::WalkDir::new(&root).min_depth(1).follow_links(true);
        Self {
            storage,
            root,
            entries: entries.into_iter(),
        }
    }

    fn entry(&mut self, entry: &walkdir::DirEntry) -> Option<Result<Listed, Error>> {
        let name = self.name(entry.path());
        if key::is_hidden(&name) {
            if entry.file_type().is_dir() {
                self.entries.skip_current_dir();
            }
            return None;
        }
        if !entry.file_type().is_file() {
            return None;
        }
        let uri = self.storage.uri();
        // What is not UTF-8 has been escaped, so that the name is not the file's.
        let is_key = self.root.join(&name) == entry.path() && Path::parse(&name).is_ok();
        if !is_key {
            return Some(Ok(unreadable(name, Error::InvalidKey { uri })));
        }
        if self.storage.is_unfinished(&name) {
            return None;
        }
        match entry.metadata() {
            Ok(metadata) => Some(Ok(Listed::Object(ObjectMeta {
                key: name,
                size: metadata.len(),
                e_tag: None,
            }))),
            Err(error) => self.failed(&error),
        }
    }

    /// What a file that cannot be looked at is; one that has gone meanwhile is none.
    fn failed(&self, error: &walkdir::Error) -> Option<Result<Listed, Error>> {
        let uri = self.storage.uri();
        let path = error.path().unwrap_or(&self.root);
        let name = self.name(path);
        if key::is_hidden(&name) {
            return None;
        }
        if error.loop_ancestor().is_some() {
            return Some(Ok(unreadable(name, Error::LinkLoop { uri })));
        }
        let error = error.io_error()?;
        let error = match error.raw_os_error() {
            Some(LOOP) => Error::LinkLoop { uri },
            _ => Error::io(uri, error),
        };
        match error {
            error @ Error::LinkLoop { .. } => Some(Ok(unreadable(name, error))),
            Error::NotFound { uri } if path.is_symlink() => {
                Some(Ok(unreadable(name, Error::BrokenLink { uri })))
            }
            Error::NotFound { .. } => None,
            error => Some(Err(error)),
        }
    }

    /// A file's name below the folder. Bytes that are not UTF-8 are written as `\xF6`.
    fn name(&self, path: &FilePath) -> String {
        let below = path.strip_prefix(&self.root).unwrap_or(path);
        let mut name = String::new();
        for chunk in below.as_os_str().as_encoded_bytes().utf8_chunks() {
            name.push_str(chunk.valid());
            for byte in chunk.invalid() {
                name.push_str(&format!("\\x{byte:02X}"));
            }
        }
        name
    }
}

/// The number of the system's error for too many links, which the standard library does not name yet.
const LOOP: i32 = 40;

fn unreadable(name: String, error: Error) -> Listed {
    Listed::Unreadable(UnreadableObject { name, error })
}

impl Iterator for Walk {
    type Item = Result<Listed, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let listed = match self.entries.next()? {
                Ok(entry) => self.entry(&entry),
                Err(error) => self.failed(&error),
            };
            if listed.is_some() {
                return listed;
            }
        }
    }
}

impl Storage {
    /// A folder's own path.
    pub(super) fn folder(&self) -> PathBuf {
        PathBuf::from(format!("/{}", self.prefix))
    }

    /// Reads a file that a walk has named.
    pub(super) fn read_file(&self, listed: &ObjectMeta, limit: u64) -> Result<Vec<u8>, Error> {
        let uri = || self.shown(&listed.key);
        let path = self.folder().join(&listed.key);
        let read = |limit: u64| -> io::Result<Vec<u8>> {
            let mut bytes = Vec::new();
            File::open(&path)?.take(limit).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        let bytes = read(listed.size.min(limit).saturating_add(1))
            .map_err(|error| Error::io(uri(), &error).after(true))?;
        if bytes.len() as u64 == listed.size {
            return Ok(bytes);
        }
        Err(Error::WrongAnswer {
            uri: uri(),
            problem: AnswerProblem::Length {
                expected: listed.size,
                found: bytes.len() as u64,
            },
        })
    }
}
