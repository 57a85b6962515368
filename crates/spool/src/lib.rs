//! What a station keeps on its disk: the objects that it has acknowledged, what it has made of them, and
//! who did what.
//!
//! ```text
//! lock  key  arrivals  incoming/N.part  objects/ab/SHA256-N.dcm  results/STUDY/REVISION/{sr,sc}.dcm
//! audit/2026-11.jsonl
//! ```
//!
//! # Guarantees
//! - When [`Incoming::keep`] has returned an [`ObjectFile`], its bytes are on the device under their final
//!   name, and stay there whatever happens to the process or to the power. The order that gives this: the
//!   file's bytes are synced, then it is renamed, then the folder that has its name is synced. Objects that
//!   are kept at the same time share the last step.
//! - A file under a final name has the bytes that its name says, acknowledged or not: it gets the name after
//!   its bytes are on the device. So nothing has to be hashed again when a spool is opened.
//! - Nothing that is kept is overwritten: each object has a number of its own, which no other gets later,
//!   also not after a restart, and names are taken by a rename that fails where the name is taken.
//! - After an error of the disk the spool takes nothing more until a file could be written whole
//!   ([`Spool::probe`]). A file whose sync has failed is removed and never synced again: what a second sync
//!   says of it is not true.
//! - A name in the spool is made of numbers and of a digest, never of what a peer sent. Neither errors nor
//!   log lines hold anything of what an object says.
//! - One process has the spool at a time.
//!
//! All of it blocks: an asynchronous task calls it within `spawn_blocking`.
//!
//! It never reads what an object means, never reaches for a network, and never asks what time it is.

mod arrivals;
pub mod audit;
mod disk;
mod error;
mod incoming;
mod index;
mod intake;
mod joined;
mod key;
mod objects;
mod open;
mod results;
#[doc(hidden)]
pub mod simulation;
mod whole;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrivals::Arrivals;
pub use disk::{Disk, DiskFile, Entry, Lock, RealDisk, Space};
pub use error::{Error, Full};
pub use incoming::Incoming;
pub use index::{
    Attempt, Found, Index, IndexError, Item, ItemState, ObjectRow, OutboxCounts, OutboxItem,
    Review, ReviewRow, Session, StrangerRow, StudyRow, database,
};
use intake::Intake;
use joined::Joined;
pub use key::Pseudonymizer;
pub use objects::{ObjectDigest, ObjectFile};
pub use open::SpoolOptions;
pub use results::ResultKind;

/// A folder of a station's own, as one process has it.
///
/// Clones share it; its lock is released with the last of them and of the objects that are being received.
#[derive(Clone, Debug)]
pub struct Spool {
    inner: Arc<Inner>,
}

/// What the clones of a spool share.
#[derive(Debug)]
struct Inner {
    disk: Arc<dyn Disk>,
    root: PathBuf,
    options: SpoolOptions,
    pseudonymizer: Pseudonymizer,
    arrivals: Arrivals,
    intake: Intake,
    /// For each folder of objects, the threads that wait for a sync of it.
    folders: Vec<Joined>,
    _lock: Box<dyn Lock>,
}

impl Spool {
    /// The folder.
    pub fn root(&self) -> &Path {
        &self.inner.root
    }

    /// What the folder is on.
    pub fn disk(&self) -> &Arc<dyn Disk> {
        &self.inner.disk
    }

    /// What makes pseudonyms under this spool's key.
    pub fn pseudonymizer(&self) -> &Pseudonymizer {
        &self.inner.pseudonymizer
    }

    /// What is free on the device.
    ///
    /// # Errors
    /// When the file system does not say.
    pub fn space(&self) -> Result<Space, Error> {
        let space = self.inner.disk.space(&self.inner.root);
        error::at("ask what is free", space)
    }

    /// The bytes of all objects and results, and of what is being received into files.
    pub fn used(&self) -> u64 {
        self.inner.intake.used()
    }
}
