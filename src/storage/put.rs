//! Writing objects, each whole or not at all.

use object_store::{MultipartUpload, ObjectStoreExt, PutMode, PutOptions, PutPayload};

use super::{Error, Storage, runtime};

/// Buckets take parts of 5 MiB and more; the last may be smaller.
const PART: usize = 8 << 20;

impl Storage {
    /// Writes an object, over an older one if there is one.
    ///
    /// # Errors
    /// [`Error::Full`], [`Error::Denied`] and what else the store says; the older object, if any,
    /// is then still there.
    pub fn put(&self, key: &str, bytes: impl Into<Vec<u8>>) -> Result<(), Error> {
        let bytes = bytes.into();
        if bytes.len() > 4 * PART {
            let parts = bytes.chunks(PART).map(|part| Ok(part.to_vec()));
            return self.put_chunks(key, parts);
        }
        let path = self.path(key)?;
        let written = self.store.put(&path, PutPayload::from(bytes));
        runtime::block_on(written)?.map_err(|error| self.failed(key, error))?;
        Ok(())
    }

    /// Writes an object unless one is there.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`] when one is there, and as [`Self::put`].
    pub fn put_if_absent(&self, key: &str, bytes: impl Into<Vec<u8>>) -> Result<(), Error> {
        let path = self.path(key)?;
        let payload = PutPayload::from(bytes.into());
        let written = self
            .store
            .put_opts(&path, payload, PutOptions::from(PutMode::Create));
        runtime::block_on(written)?.map_err(|error| self.failed(key, error))?;
        Ok(())
    }

    /// Writes an object from pieces, of which a few megabytes are in memory at a time.
    ///
    /// A piece that is an error ends the upload, and nothing is written.
    ///
    /// # Errors
    /// As [`Self::put`], and the first error among the pieces. Where a bucket then does not even
    /// take the request to drop the parts sent so far, they stay, unseen, until its rule for
    /// incomplete uploads removes them.
    pub fn put_chunks<E: From<Error>>(
        &self,
        key: &str,
        chunks: impl IntoIterator<Item = Result<Vec<u8>, E>>,
    ) -> Result<(), E> {
        let path = self.path(key)?;
        let mut upload = runtime::block_on(self.store.put_multipart(&path))?
            .map_err(|error| self.failed(key, error))?;
        let sent = send(&mut *upload, chunks, |error| self.failed(key, error));
        if sent.is_err()
            && let Err(error) = runtime::block_on(upload.abort())?
        {
            let error = Error::at(self.uri(), error);
            tracing::warn!(%error, "The parts of an unfinished object were left in the store");
        }
        sent
    }
}

/// Sends pieces as parts of equal size, one after the other, and completes the object.
fn send<E: From<Error>>(
    upload: &mut dyn MultipartUpload,
    chunks: impl IntoIterator<Item = Result<Vec<u8>, E>>,
    failed: impl Fn(object_store::Error) -> Error,
) -> Result<(), E> {
    let mut part = Vec::new();
    for chunk in chunks {
        part.extend_from_slice(&chunk?);
        while part.len() >= PART {
            let rest = part.split_off(PART);
            let full = PutPayload::from(std::mem::replace(&mut part, rest));
            runtime::block_on(upload.put_part(full))?.map_err(&failed)?;
        }
    }
    let last = PutPayload::from(part);
    let finish = async {
        upload.put_part(last).await?;
        upload.complete().await
    };
    runtime::block_on(finish)?.map_err(&failed)?;
    Ok(())
}
