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
//! It never interprets what it keeps.

mod error;
mod key;
mod list;
mod location;
mod open;
mod put;
mod read;
mod runtime;
#[cfg(test)]
mod tests;
mod version;

use std::{fmt, sync::Arc};

use object_store::{ObjectStore, ObjectStoreExt, memory::InMemory, path::Path};

pub use error::{Error, RootCause};
pub use list::{List, ObjectMeta};
use location::Location;
pub use open::StorageOptions;
pub use read::ObjectReader;
pub use version::Version;

/// A prefix in a store: a folder, or the part of a bucket below a key.
///
/// Clones share the store and its connections.
#[derive(Clone)]
pub struct Storage {
    store: Arc<dyn ObjectStore>,
    /// What a URI begins with: `file://`, `memory://` or `s3://BUCKET`.
    root: Arc<str>,
    prefix: Path,
    hides_keys: bool,
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
            Location::Folder(prefix) => Ok(Self::new(open::folder(), "file://", prefix)),
            Location::Bucket {
                service,
                root,
                prefix,
            } => {
                let store = open::bucket(service, &root, options)?;
                Ok(Self::new(store, &root, prefix))
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
        Self::new(Arc::new(InMemory::new()), "memory://", Path::default())
    }

    /// The root of a store that the caller has made: a test's, which watches or disturbs what is written.
    pub fn over(store: Arc<dyn ObjectStore>) -> Self {
        Self::new(store, "memory://", Path::default())
    }

    fn new(store: Arc<dyn ObjectStore>, root: &str, prefix: Path) -> Self {
        Self {
            store,
            root: root.into(),
            prefix,
            hides_keys: false,
        }
    }

    /// The same prefix, whose errors do not name objects: for images, since archives name files
    /// after patients and errors are logged.
    #[must_use]
    pub fn hiding_keys(mut self) -> Self {
        self.hides_keys = true;
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

    /// The objects below the prefix, streamed in no particular order.
    ///
    /// # Errors
    /// When a folder does not exist, is a file or cannot be read. A bucket is asked as the list is
    /// read; there, a prefix that does not exist is an empty list.
    pub fn list(&self) -> Result<List, Error> {
        if self.is_folder() {
            let folder = format!("/{}", self.prefix);
            match std::fs::read_dir(&folder) {
                Ok(_) => {}
                Err(error) if std::path::Path::new(&folder).is_file() => {
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
        let (prefix, uri) = (self.prefix.clone(), self.uri());
        Ok(List::new(&*self.store, prefix, uri, self.is_folder()))
    }

    /// An object's bytes, if there are at most `limit` of them.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is not there, [`Error::TooLarge`] before any of a larger object
    /// is read, and what the store says.
    pub fn get(&self, key: &str, limit: u64) -> Result<Vec<u8>, Error> {
        Ok(self.get_version(key, limit)?.0)
    }

    /// As [`Self::get`], but `None` when the object is not there.
    ///
    /// # Errors
    /// As [`Self::get`], except for [`Error::NotFound`].
    pub fn try_get(&self, key: &str, limit: u64) -> Result<Option<Vec<u8>>, Error> {
        match self.get(key, limit) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether an object is there.
    ///
    /// # Errors
    /// What the store says, except for [`Error::NotFound`].
    pub fn exists(&self, key: &str) -> Result<bool, Error> {
        let path = self.path(key)?;
        match runtime::block_on(self.store.head(&path))? {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(self.failed(key, error)),
        }
    }

    /// Removes an object; one that is not there is removed already.
    ///
    /// # Errors
    /// What the store says, except for [`Error::NotFound`].
    pub fn delete(&self, key: &str) -> Result<(), Error> {
        let path = self.path(key)?;
        match runtime::block_on(self.store.delete(&path))? {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.failed(key, error)),
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
        if self.hides_keys {
            return format!("an object below {}", self.uri());
        }
        match key::join(&self.prefix, key) {
            Some(path) => Location::uri(&self.root, &path),
            None => self.uri(),
        }
    }

    fn failed(&self, key: &str, error: object_store::Error) -> Error {
        Error::at(self.shown(key), error)
    }
}

impl fmt::Debug for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Storage").field(&self.uri()).finish()
    }
}
