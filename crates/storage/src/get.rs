//! Reading whole objects.

use object_store::{GetOptions, GetResult, path::Path};

use super::answer;
use super::error::{AnswerProblem, Error, TooLargeSnafu};
use super::{ObjectMeta, Storage, Version, key};

impl Storage {
    /// An object's bytes, if there are at most `limit` of them.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is not there, [`Error::TooLarge`] before any of a larger object
    /// is read, and what the store says.
    pub fn get(&self, key: &str, limit: u64) -> Result<Vec<u8>, Error> {
        Ok(self.get_version(key, limit)?.0)
    }

    /// An object's bytes, if there are at most `limit` of them, and which version of it they are.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub fn get_version(&self, key: &str, limit: u64) -> Result<(Vec<u8>, Version), Error> {
        let path = self.path(key)?;
        self.ask(|| self.fetch(key, &path, None, limit))
    }

    /// The bytes of an object that a listing has named, if there are at most `limit` of them.
    ///
    /// # Errors
    /// As [`Self::get`], and [`Error::WrongAnswer`] when it is not what the listing has named: an archive
    /// whose objects change while they are read is read again.
    pub fn get_listed(&self, object: &ObjectMeta, limit: u64) -> Result<Vec<u8>, Error> {
        let ObjectMeta { key, size, .. } = object;
        if *size > limit {
            return self.too_large(key, *size, limit);
        }
        if self.is_folder() {
            return self.read_file(object, limit);
        }
        let Some(path) = key::join(&self.prefix, key) else {
            return Err(Error::InvalidKey { uri: self.uri() });
        };
        let (bytes, _) = self.ask(|| self.fetch(key, &path, Some(object), limit))?;
        Ok(bytes)
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
        let options = || GetOptions {
            head: true,
            ..GetOptions::default()
        };
        let found = self.ask(|| async { self.begin(key, &path, None, options()).await.map(drop) });
        match found {
            Ok(()) => Ok(true),
            Err(Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Begins to read an object, and doubts what comes in its place.
    pub(super) async fn begin(
        &self,
        key: &str,
        path: &Path,
        listed: Option<&ObjectMeta>,
        options: GetOptions,
    ) -> Result<GetResult, Error> {
        let found = self.store.get_opts(path, options).await;
        let found = found.map_err(|error| self.failed(key, error))?;
        match answer::check(key, listed, &found) {
            Ok(()) => Ok(found),
            Err(problem) => Err(self.wrong(key, problem)),
        }
    }

    async fn fetch(
        &self,
        key: &str,
        path: &Path,
        listed: Option<&ObjectMeta>,
        limit: u64,
    ) -> Result<(Vec<u8>, Version), Error> {
        let found = self.begin(key, path, listed, GetOptions::new()).await?;
        let version = Version::of(&found.meta);
        let expected = found.meta.size;
        if expected > limit {
            return self.too_large(key, expected, limit);
        }
        let bytes = found.bytes().await;
        let bytes = bytes.map_err(|error| self.broken(key, error))?;
        match bytes.len() as u64 {
            found if found == expected => Ok((bytes.into(), version)),
            found => Err(self.wrong(key, AnswerProblem::Length { expected, found })),
        }
    }

    /// What broke off an answer that had begun: unless the store says more, its connection did.
    pub(super) fn broken(&self, key: &str, error: object_store::Error) -> Error {
        match self.failed(key, error) {
            Error::Unreachable { .. } | Error::Other { .. } if !self.is_folder() => {
                self.wrong(key, AnswerProblem::BrokeOff)
            }
            error => error,
        }
    }

    pub(super) fn wrong(&self, key: &str, problem: AnswerProblem) -> Error {
        let uri = self.shown(key);
        Error::WrongAnswer { uri, problem }
    }

    fn too_large<T>(&self, key: &str, size: u64, limit: u64) -> Result<T, Error> {
        let uri = self.shown(key);
        TooLargeSnafu { uri, size, limit }.fail()
    }
}
