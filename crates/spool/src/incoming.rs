//! Receiving an object, and keeping it.
//!
//! It never looks into the bytes.

use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::disk::DiskFile;
use crate::error::{self, Error};
use crate::objects::{ObjectDigest, ObjectFile};
use crate::{Spool, whole};

/// An object that is being received: in memory while it is small, then in a file. Dropped, it leaves nothing.
#[derive(Debug)]
pub struct Incoming {
    spool: Spool,
    hash: Sha256,
    bytes: u64,
    body: Body,
}

#[derive(Debug)]
enum Body {
    Memory(Vec<u8>),
    File(Part),
    /// A part of it could not be written.
    Lost,
}

/// An unfinished file, which goes unless it gets a name.
#[derive(Debug)]
struct Part {
    spool: Spool,
    path: PathBuf,
    file: Box<dyn DiskFile>,
    /// What is counted of it.
    bytes: u64,
    is_named: bool,
}

impl Spool {
    /// Begins to receive an object.
    ///
    /// # Errors
    /// As [`Self::accepts`].
    pub fn receive(&self) -> Result<Incoming, Error> {
        self.accepts()?;
        Ok(Incoming {
            spool: self.clone(),
            hash: Sha256::new(),
            bytes: 0,
            body: Body::Memory(Vec::new()),
        })
    }
}

impl Incoming {
    /// The bytes received so far.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// [`Error::Disk`]; the object cannot be kept then, and the spool takes no other until a probe succeeds.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        if self.fits(bytes.len())
            && let Body::Memory(buffer) = &mut self.body
        {
            buffer.extend_from_slice(bytes);
            return Ok(());
        }
        let written = self.write_file(bytes);
        if written.is_err() {
            self.release();
            self.body = Body::Lost;
        }
        self.spool.watched(written)
    }

    /// Whether more bytes are taken into memory: this object's share and that of all are limited. Room is
    /// made for them then, and counted.
    fn fits(&mut self, more: usize) -> bool {
        let Body::Memory(buffer) = &mut self.body else {
            return false;
        };
        let options = &self.spool.inner.options;
        let wanted = buffer.len() + more;
        if wanted > options.memory_of_one {
            return false;
        }
        if wanted <= buffer.capacity() {
            return true;
        }
        let capacity = wanted.max(buffer.capacity() * 2).min(options.memory_of_one);
        let growth = capacity - buffer.capacity();
        let fits = self
            .spool
            .inner
            .intake
            .buffer(growth as u64, options.memory_of_all);
        if fits {
            buffer.reserve_exact(capacity - buffer.len());
        }
        fits
    }

    fn write_file(&mut self, bytes: &[u8]) -> Result<(), Error> {
        match &mut self.body {
            Body::Memory(buffer) => {
                let mut part = Part::create(&self.spool)?;
                part.write(buffer)?;
                part.write(bytes)?;
                self.release();
                self.body = Body::File(part);
                Ok(())
            }
            Body::File(part) => part.write(bytes),
            Body::Lost => Err(Error::Incomplete),
        }
    }

    /// Gives the memory back.
    fn release(&mut self) {
        if let Body::Memory(buffer) = &mut self.body {
            self.spool.inner.intake.unbuffer(buffer.capacity() as u64);
            *buffer = Vec::new();
        }
    }

    /// Keeps the object: when this returns it, it is on the device under its name, with a number that is
    /// larger than those of all that were kept before it was called.
    ///
    /// # Errors
    /// [`Error::Disk`]: then nothing may be said of the object, it is not kept, and the spool takes no other
    /// until a probe succeeds. [`Error::Incomplete`] after a write that has failed.
    pub fn keep(mut self) -> Result<ObjectFile, Error> {
        let kept = self.keep_whole();
        self.spool.clone().watched(kept)
    }

    fn keep_whole(&mut self) -> Result<ObjectFile, Error> {
        if matches!(self.body, Body::Memory(_)) {
            self.write_file(&[])?;
        }
        let Body::File(part) = &mut self.body else {
            return Err(Error::Incomplete);
        };
        let digest = ObjectDigest::from(std::mem::take(&mut self.hash));
        part.keep(digest)
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        self.release();
    }
}

impl Part {
    fn create(spool: &Spool) -> Result<Self, Error> {
        let path = spool.part();
        let file = error::at("begin a file", spool.inner.disk.create(&path))?;
        Ok(Self {
            spool: spool.clone(),
            path,
            file,
            bytes: 0,
            is_named: false,
        })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if bytes.is_empty() {
            return Ok(());
        }
        error::at("write an object", self.file.write(bytes))?;
        self.bytes += bytes.len() as u64;
        self.spool.inner.intake.add(bytes.len() as u64);
        Ok(())
    }

    /// The steps in the order that makes an object durable: bytes, name, the folder with the name.
    fn keep(&mut self, digest: ObjectDigest) -> Result<ObjectFile, Error> {
        let spool = &self.spool.inner;
        error::at("sync an object", self.file.sync_data())?;
        let arrival = spool.arrivals.next(spool.disk.as_ref(), &spool.root)?;
        let object = ObjectFile {
            digest,
            arrival,
            bytes: self.bytes,
        };
        let path = spool.root.join(object.path());
        error::at("name an object", spool.disk.rename(&self.path, &path))?;
        self.is_named = true;
        let synced = self.spool.sync_folder_of(digest);
        if synced.is_err() {
            self.take_back(&path);
        }
        error::at("sync a folder of objects", synced)?;
        Ok(object)
    }

    /// Removes an object whose name may not be durable: its sender is told that it was not kept.
    fn take_back(&self, path: &Path) {
        whole::discard(self.spool.inner.disk.as_ref(), path);
        self.spool.inner.intake.subtract(self.bytes);
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.is_named {
            self.spool.discard(&self.path);
            self.spool.inner.intake.subtract(self.bytes);
        }
    }
}

impl Spool {
    /// Makes the names in an object's folder durable, in one sync for all who ask for it at the time.
    pub(crate) fn sync_folder_of(&self, digest: ObjectDigest) -> io::Result<()> {
        let spool = &self.inner;
        let folder = spool.root.join("objects").join(digest.folder());
        let sync = || spool.disk.sync_folder(&folder);
        match spool.folders.get(usize::from(digest.folder_number())) {
            Some(joined) => joined.sync(sync),
            None => sync(),
        }
    }
}
