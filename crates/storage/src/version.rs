//! Replacing an object only if it is still the one that was read.

use std::fs::File;

use object_store::{ObjectMeta, PutMode, PutOptions, PutPayload, UpdateVersion};

use super::{Error, Storage, error};

/// Which writing of an object was read, as far as the store tells: a bucket may take two of the same
/// bytes for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version(UpdateVersion);

impl Version {
    pub(super) fn of(meta: &ObjectMeta) -> Self {
        Self(UpdateVersion {
            e_tag: meta.e_tag.clone(),
            version: meta.version.clone(),
        })
    }
}

impl Storage {
    /// Writes an object over the version that was read, and over no other.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`] when another version is there, [`Error::NotFound`] when none is, and as
    /// [`Self::put`].
    pub fn put_if_unchanged(
        &self,
        key: &str,
        bytes: impl Into<Vec<u8>>,
        version: &Version,
    ) -> Result<(), Error> {
        if self.is_folder() {
            return self.replace_file(key, bytes.into(), version);
        }
        let path = self.path(key)?;
        let payload = PutPayload::from(bytes.into());
        self.ask(|| async {
            let options = PutOptions::from(PutMode::Update(version.0.clone()));
            let written = self.store.put_opts(&path, payload.clone(), options).await;
            written.map(drop).map_err(|error| self.failed(key, error))
        })
    }

    /// Replaces a file under its own lock, which the operating system takes back from whoever dies.
    /// Who waited for the lock of a file that was replaced meanwhile finds another version in its place.
    fn replace_file(&self, key: &str, bytes: Vec<u8>, version: &Version) -> Result<(), Error> {
        let path = format!("/{}", self.path(key)?);
        let failed = |error| Error::io(self.shown(key), &error);
        let file = File::open(path).map_err(failed)?;
        file.lock().map_err(failed)?;
        let (_, found) = self.get_version(key, u64::MAX)?;
        if found != *version {
            let uri = self.shown(key);
            return error::AlreadyExistsSnafu { uri }.fail();
        }
        self.put(key, bytes)
    }
}
