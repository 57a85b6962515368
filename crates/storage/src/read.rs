//! Reading an object piece by piece.

use std::{
    fmt,
    future::poll_fn,
    io::{self, Read},
};

use object_store::GetOptions;

use super::{AnswerProblem, Error, Storage, runtime};

/// An object that is read as it arrives: a piece of it, a few megabytes at most, is in memory.
pub struct ObjectReader {
    /// Waits for the next piece.
    next: Box<dyn FnMut() -> io::Result<Option<Vec<u8>>> + Send>,
    piece: io::Cursor<Vec<u8>>,
}

impl Storage {
    /// Opens an object to be read piece by piece.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is not there, and what the store says. What the store says
    /// later comes as an [`io::Error`] that holds an [`Error`].
    pub fn read(&self, key: &str) -> Result<ObjectReader, Error> {
        let path = self.path(key)?;
        let found = self.ask(|| self.begin(key, &path, None, GetOptions::new()))?;
        let (expected, mut read) = (found.meta.size, 0);
        let mut pieces = {
            let _context = runtime::handle()?.enter();
            found.into_stream()
        };
        let (storage, key) = (self.clone(), key.to_owned());
        let next = move || {
            let piece = runtime::block_on(poll_fn(|context| pieces.as_mut().poll_next(context)));
            let piece = piece.map_err(io::Error::other)?.transpose();
            let piece = piece.map_err(|error| io::Error::other(storage.broken(&key, error)))?;
            read += piece.as_ref().map_or(0, |piece| piece.len() as u64);
            if piece.is_none() && read != expected {
                let found = read;
                let problem = AnswerProblem::Length { expected, found };
                return Err(io::Error::other(storage.wrong(&key, problem)));
            }
            Ok(piece.map(Vec::from))
        };
        Ok(ObjectReader {
            next: Box::new(next),
            piece: io::Cursor::default(),
        })
    }
}

impl Read for ObjectReader {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.piece.read(target)?;
            if read > 0 || target.is_empty() {
                return Ok(read);
            }
            match (self.next)()? {
                Some(piece) => self.piece = io::Cursor::new(piece),
                None => return Ok(0),
            }
        }
    }
}

impl fmt::Debug for ObjectReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectReader").finish_non_exhaustive()
    }
}
