//! Writing objects, each whole or not at all.

use std::convert::Infallible;

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
            let parts = bytes
                .chunks(PART)
                .map(|part| Ok::<_, Infallible>(part.to_vec()));
            return self.put_chunks(key, parts);
        }
        let path = self.path(key)?;
        let payload = PutPayload::from(bytes);
        self.ask(|| async {
            let written = self.store.put(&path, payload.clone()).await;
            written.map(drop).map_err(|error| self.failed(key, error))
        })
    }

    /// Writes an object unless one is there.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`] when one is there, [`Error::Unsupported`] of a store that cannot tell (older
    /// ones do not know `If-None-Match`), and as [`Self::put`].
    pub fn put_if_absent(&self, key: &str, bytes: impl Into<Vec<u8>>) -> Result<(), Error> {
        let path = self.path(key)?;
        let payload = PutPayload::from(bytes.into());
        self.ask(|| async {
            let options = PutOptions::from(PutMode::Create);
            let written = self.store.put_opts(&path, payload.clone(), options).await;
            written.map(drop).map_err(|error| self.failed(key, error))
        })
    }

    /// Writes an object from pieces, of which a few megabytes are in memory at a time. A piece that
    /// is an error abandons the object: nothing of it is kept.
    ///
    /// # Errors
    /// As [`Self::put`], and [`Error::Abandoned`]. Where a bucket then does not even take the
    /// request to drop the parts sent so far, they stay, unseen, until its rule for incomplete
    /// uploads removes them.
    pub fn put_chunks<E>(
        &self,
        key: &str,
        chunks: impl IntoIterator<Item = Result<Vec<u8>, E>>,
    ) -> Result<(), Error>
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        let path = self.path(key)?;
        let mut upload = self.ask(|| async {
            let upload = self.store.put_multipart(&path).await;
            upload.map_err(|error| self.failed(key, error))
        })?;
        let error = match send(&mut *upload, chunks) {
            Ok(()) => return Ok(()),
            Err(Unsent::Store(error)) => self.failed(key, error),
            Err(Unsent::Runtime(error)) => error,
            Err(Unsent::Piece(error)) => Error::Abandoned {
                uri: self.shown(key),
                source: Box::new(error),
            },
        };
        if let Err(cause) = runtime::block_on(upload.abort())? {
            let cause = Error::at(self.uri(), cause);
            tracing::warn!(%cause, "The parts of an unfinished object were left in the store");
        }
        Err(error)
    }
}

/// Why an object was not sent to its end.
enum Unsent<E> {
    Store(object_store::Error),
    Runtime(Error),
    Piece(E),
}

/// Sends pieces as parts of equal size, one after the other, and completes the object.
fn send<E>(
    upload: &mut dyn MultipartUpload,
    chunks: impl IntoIterator<Item = Result<Vec<u8>, E>>,
) -> Result<(), Unsent<E>> {
    let mut part = Vec::with_capacity(PART);
    for chunk in chunks {
        part.extend_from_slice(&chunk.map_err(Unsent::Piece)?);
        while part.len() >= PART {
            let rest = part.split_off(PART);
            let full = PutPayload::from(std::mem::replace(&mut part, rest));
            let sent = runtime::block_on(upload.put_part(full)).map_err(Unsent::Runtime)?;
            sent.map_err(Unsent::Store)?;
        }
    }
    let last = PutPayload::from(part);
    let finish = async {
        upload.put_part(last).await?;
        upload.complete().await.map(drop)
    };
    let finished = runtime::block_on(finish).map_err(Unsent::Runtime)?;
    finished.map_err(Unsent::Store)
}
