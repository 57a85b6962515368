//! Reading objects, whole or in pieces.

use std::{fmt, future::poll_fn};

use object_store::{GetOptions, ObjectStoreExt};

use super::{Error, Storage, error::TooLargeSnafu, runtime};

impl Storage {
    /// An object's bytes, if there are at most `limit` of them.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is not there, [`Error::TooLarge`] before any of a larger object
    /// is read, and what the store says.
    pub fn get(&self, key: &str, limit: u64) -> Result<Vec<u8>, Error> {
        let path = self.path(key)?;
        let read = async {
            let found = self.store.get_opts(&path, GetOptions::new()).await?;
            match found.meta.size {
                size if size > limit => Ok(Err(size)),
                _ => found.bytes().await.map(Ok),
            }
        };
        match runtime::block_on(read)?.map_err(|error| self.failed(key, error))? {
            Ok(bytes) => Ok(bytes.into()),
            Err(size) => TooLargeSnafu {
                uri: self.shown(key),
                size,
                limit,
            }
            .fail(),
        }
    }

    /// As [`Self::get`], but `None` when the object is not there.
    ///
    /// # Errors
    /// As [`Self::get`], but for [`Error::NotFound`].
    pub fn try_get(&self, key: &str, limit: u64) -> Result<Option<Vec<u8>>, Error> {
        match self.get(key, limit) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// An object's bytes in pieces of no particular size, each read when it is asked for.
    ///
    /// # Errors
    /// As [`Self::get`], but for [`Error::TooLarge`]; an error later ends the pieces.
    pub fn chunks(&self, key: &str) -> Result<Chunks, Error> {
        let path = self.path(key)?;
        let found = runtime::block_on(self.store.get(&path))?;
        let found = found.map_err(|error| self.failed(key, error))?;
        let mut stream = {
            let _context = runtime::handle()?.enter();
            found.into_stream()
        };
        let (storage, key) = (self.clone(), key.to_owned());
        let next = move || {
            let next = runtime::block_on(poll_fn(|context| stream.as_mut().poll_next(context)))?;
            let next = next
                .transpose()
                .map_err(|error| storage.failed(&key, error))?;
            Ok(next.map(Vec::from))
        };
        Ok(Chunks {
            next: Some(Box::new(next)),
        })
    }
}

/// The pieces of an object.
pub struct Chunks {
    /// Waits for the next piece; `None` after the last.
    next: Option<Box<dyn FnMut() -> Result<Option<Vec<u8>>, Error> + Send>>,
}

impl Iterator for Chunks {
    type Item = Result<Vec<u8>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.next.as_mut()?();
        if !matches!(next, Ok(Some(_))) {
            self.next = None;
        }
        next.transpose()
    }
}

impl fmt::Debug for Chunks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chunks").finish_non_exhaustive()
    }
}
