//! Where bytes are kept: a folder, or a bucket of S3, Google Cloud Storage or Azure.
//!
//! A [`Storage`] stands for a prefix in a store. It is a blocking facade: the network and the
//! file system are driven by a small runtime of its own, so that plain threads and rayon's can
//! call it. It must not be called from within an asynchronous task (use `spawn_blocking` there).
//!
//! # Guarantees
//! - A put is atomic: no reader sees part of an object, not even after a crash.
//!   On a file system the bytes go to a file beside the target, are synced to the disk and
//!   renamed over it, and the folder is synced too; a bucket does the same by itself. A process
//!   that is killed in between leaves the old object, and perhaps a file `NAME#N`, which a listing
//!   leaves out.
//! - Nothing outside the prefix is reached by a key: keys with `..` are refused.
//! - No error, URI or log line holds a credential, and no error's cause holds an object's key.
//!
//! # What is believed
//! A store may answer with success and with something else: a proxy's page, half of an object, the list of
//! another day. Of an answer it is believed
//! - that an object is not there, where the store says so of the object and not of the bucket;
//! - that the bytes are the object's, where they are as many as the answer announces and, of an object
//!   that was listed ([`Storage::get_listed`]), as many as the listing says, and the answer does not call
//!   itself a page (HTML, or XML as errors are). A page is believed to be the object where its tag is
//!   the listing's, or where its key is named like one;
//! - that a page of a listing is one, where it is a whole listing in XML that says where it goes on if it
//!   does.
//!
//! Tags that differ are no reason to doubt: gateways and compatible stores give other tags in a listing.
//! Nor is it known what a page is that has the object's very length and no type: whoever reads the object
//! finds that. Anything else is [`Error::WrongAnswer`], a failure of the store and never of the object. It
//! is asked for again, as a refusal is where the same place has answered before, with growing pauses and
//! as long as the [`Session`] has patience; a request that fails is repeated by the store's client.
//!
//! It never interprets what it keeps.

mod answer;
mod cause;
mod error;
mod get;
mod key;
mod list;
mod location;
mod open;
mod page;
mod put;
mod read;
mod runtime;
mod session;
#[cfg(test)]
mod tests;
mod version;
mod walk;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use object_store::list::PaginatedListStore;
use object_store::{ObjectStore, ObjectStoreExt, memory::InMemory, path::Path};

pub use cause::RootCause;
pub use error::{AnswerProblem, Error};
pub use list::{List, Listed, ObjectMeta, UnreadableObject};
use location::Location;
pub use open::StorageOptions;
pub use read::ObjectReader;
pub use session::Session;
pub use version::Version;

/// A prefix in a store: a folder, or the part of a bucket below a key.
///
/// Clones share the store and its connections.
#[derive(Clone)]
pub struct Storage {
    store: Arc<dyn ObjectStore>,
    /// The same store where it lists in pages, as buckets do.
    pages: Option<Arc<dyn PaginatedListStore>>,
    /// What a URI begins with: `file://`, `memory://` or `s3://BUCKET`.
    root: Arc<str>,
    prefix: Path,
    is_foreign: bool,
    session: Session,
    /// Whether the place has given an answer to this process.
    answered: Arc<AtomicBool>,
}

impl Storage {
    /// Opens a URI (`file:///abs`, `s3://BUCKET/prefix`, `gs://...`, `az://CONTAINER/...`) or an
    /// absolute or relative path.
    ///
    /// Nothing is asked of the store yet: a folder that is not there is made by the first put.
    ///
    /// # Errors
    /// When the URI names no store, or the options do not fit it.
    pub fn open(uri: &str, options: &StorageOptions) -> Result<Self, Error> {
        match Location::parse(uri)? {
            Location::Folder(prefix) => {
                let (store, session) = (open::folder(), &options.session);
                Ok(Self::new(store, None, "file://", prefix, session))
            }
            Location::Bucket {
                service,
                root,
                prefix,
            } => {
                let (store, pages) = open::bucket(service, &root, options)?;
                Ok(Self::new(
                    store,
                    Some(pages),
                    &root,
                    prefix,
                    &options.session,
                ))
            }
        }
    }

    /// Opens the prefix that holds one object; returns it with the object's key.
    ///
    /// # Errors
    /// As [`Self::open`], and when the URI is a store's root.
    pub fn open_object(uri: &str, options: &StorageOptions) -> Result<(Self, String), Error> {
        let mut storage = Self::open(uri, options)?;
        let Some(key) = storage.prefix.filename().map(str::to_owned) else {
            return error::InvalidUriSnafu { uri: storage.uri() }.fail();
        };
        storage.prefix = storage.prefix.parent().unwrap_or_default();
        Ok((storage, key))
    }

    /// A store in memory, for tests; it is gone with its last clone.
    pub fn memory() -> Self {
        let (store, session) = (Arc::new(InMemory::new()), Session::default());
        Self::new(store, None, "memory://", Path::default(), &session)
    }

    /// The root of a store that the caller has made: a test's, which watches or disturbs what is written.
    pub fn over(store: Arc<dyn ObjectStore>) -> Self {
        let session = Session::default();
        Self::new(store, None, "memory://", Path::default(), &session)
    }

    fn new(
        store: Arc<dyn ObjectStore>,
        pages: Option<Arc<dyn PaginatedListStore>>,
        root: &str,
        prefix: Path,
        session: &Session,
    ) -> Self {
        Self {
            store,
            pages,
            root: root.into(),
            answered: session.place(&Location::uri(root, &prefix)),
            prefix,
            is_foreign: false,
            session: session.clone(),
        }
    }

    /// The same prefix as a place that others fill, such as an archive of images. Its errors do not name
    /// objects, since archives name files after patients and errors are logged; and every file in it is
    /// an object, `NAME#1` too, since no put of ours has left it behind.
    #[must_use]
    pub fn foreign(mut self) -> Self {
        self.is_foreign = true;
        self
    }

    /// The storage below a prefix of this one.
    ///
    /// # Errors
    /// When the prefix leads out of this one or is not a valid key.
    pub fn at(&self, prefix: &str) -> Result<Self, Error> {
        let prefix = self.path(prefix)?;
        Ok(Self {
            prefix,
            ..self.clone()
        })
    }

    /// The prefix as a URI that [`Self::open`] takes, without credentials.
    pub fn uri(&self) -> String {
        Location::uri(&self.root, &self.prefix)
    }

    /// The URI of an object.
    ///
    /// # Errors
    /// When the key leads out of the prefix or is not valid.
    pub fn uri_of(&self, key: &str) -> Result<String, Error> {
        Ok(Location::uri(&self.root, &self.path(key)?))
    }

    /// What is below the prefix, streamed in no particular order.
    ///
    /// # Errors
    /// When a folder does not exist, is a file or cannot be read. A bucket is asked as the list is
    /// read; there, a prefix that does not exist is an empty list.
    pub fn list(&self) -> Result<List, Error> {
        if self.is_folder() {
            let folder = self.folder();
            match std::fs::read_dir(&folder) {
                Ok(_) => {}
                Err(error) if folder.is_file() => {
                    tracing::debug!(%error, "A file was given for a folder");
                    return error::WrongKindSnafu {
                        uri: self.uri(),
                        found: "a file",
                        expected: "a folder",
                    }
                    .fail();
                }
                Err(error) => return Err(Error::io(self.uri(), &error)),
            }
        }
        Ok(List::new(self.clone()))
    }

    /// The names of the folders just below the prefix, in order; none where nothing is there.
    ///
    /// # Errors
    /// What the store says, except for [`Error::NotFound`].
    pub fn folders(&self) -> Result<Vec<String>, Error> {
        let listed = self.ask(|| async {
            let listed = self.store.list_with_delimiter(Some(&self.prefix)).await;
            listed.map_err(|error| self.named(self.uri(), error))
        });
        let folders = match listed {
            Err(Error::NotFound { .. }) => Vec::new(),
            listed => listed?.common_prefixes,
        };
        let names = folders.iter().filter_map(Path::filename);
        let mut names: Vec<String> = names.map(str::to_owned).collect();
        names.sort();
        Ok(names)
    }

    /// Removes an object; one that is not there is removed already.
    ///
    /// # Errors
    /// What the store says, except for [`Error::NotFound`].
    pub fn delete(&self, key: &str) -> Result<(), Error> {
        let path = self.path(key)?;
        let deleted = self.ask(|| async {
            let deleted = self.store.delete(&path).await;
            deleted.map_err(|error| self.failed(key, error))
        });
        match deleted {
            Err(Error::NotFound { .. }) => Ok(()),
            deleted => deleted,
        }
    }

    fn is_folder(&self) -> bool {
        &*self.root == "file://"
    }

    /// The place of a key in the store.
    fn path(&self, key: &str) -> Result<Path, Error> {
        let path = key::join(&self.prefix, key);
        match path {
            Some(path) if !(self.is_folder() && key::ends_like_temporary(key)) => Ok(path),
            _ => error::InvalidKeySnafu { uri: self.uri() }.fail(),
        }
    }

    /// The URI that an error about an object shows.
    fn shown(&self, key: &str) -> String {
        if self.is_foreign {
            return format!("an object below {}", self.uri());
        }
        match key::join(&self.prefix, key) {
            Some(path) => Location::uri(&self.root, &path),
            None => self.uri(),
        }
    }

    fn failed(&self, key: &str, error: object_store::Error) -> Error {
        self.named(self.shown(key), error)
    }

    /// Names the error of a request at a place.
    fn named(&self, uri: String, error: object_store::Error) -> Error {
        Error::at(uri, error).after(self.has_answered())
    }

    /// Whether a file is what a killed put has left behind.
    fn is_unfinished(&self, name: &str) -> bool {
        !self.is_foreign && key::ends_like_temporary(name)
    }

    /// What every key below the prefix begins with, in a bucket.
    fn key_prefix(&self) -> Option<String> {
        let prefix = self.prefix.as_ref();
        (!prefix.is_empty()).then(|| format!("{prefix}/"))
    }
}

impl fmt::Debug for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Storage").field(&self.uri()).finish()
    }
}
