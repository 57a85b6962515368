//! Opening a spool: its lock, its folders, its key, and what an earlier process has left behind.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::arrivals::Arrivals;
use crate::disk::{Disk, Lock};
use crate::error::{self, Error};
use crate::intake::Intake;
use crate::joined::Joined;
use crate::key::Pseudonymizer;
use crate::objects::{self, ObjectFile};
use crate::{Inner, Spool, results, whole};

/// How much a spool takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpoolOptions {
    /// The bytes of objects and results from which on it takes no more.
    pub size: u64,
    /// What it leaves free of the file system, in percent.
    pub keep_free_percent: u8,
    /// The bytes of one object that are received into memory; a larger one goes to a file.
    pub memory_of_one: usize,
    /// The bytes of all objects that are received into memory at a time.
    pub memory_of_all: u64,
}

impl Default for SpoolOptions {
    /// 50 GiB, 10 % left free, 1 MiB of an object in memory and 64 MiB of all.
    fn default() -> Self {
        Self {
            size: 50 << 30,
            keep_free_percent: 10,
            memory_of_one: 1 << 20,
            memory_of_all: 64 << 20,
        }
    }
}

impl Spool {
    /// Opens a folder as a spool; makes it where it is not there. Unfinished files of an earlier process go.
    ///
    /// # Errors
    /// [`Error::Locked`] while another process has it, [`Error::NetworkFileSystem`], [`Error::WrongKey`],
    /// [`Error::NoKey`], [`Error::WrongArrivals`] and [`Error::Disk`].
    pub fn open(disk: Arc<dyn Disk>, root: &Path, options: SpoolOptions) -> Result<Self, Error> {
        let lock = lock(disk.as_ref(), root)?;
        error::at(
            "make the spool's folders",
            make_folders(disk.as_ref(), root),
        )?;
        error::at("remove unfinished files", clear(disk.as_ref(), root))?;
        let pseudonymizer = Pseudonymizer::open(disk.as_ref(), root)?;
        let objects = objects::list(disk.as_ref(), root)?;
        error::at("sync the objects", settle(disk.as_ref(), root, &objects))?;
        let last = objects.last().map_or(0, |object| object.arrival);
        let arrivals = Arrivals::open(disk.as_ref(), root, last)?;
        let used = objects.iter().map(|object| object.bytes).sum::<u64>();
        let results = error::at("list the results", results::bytes(disk.as_ref(), root))?;
        Ok(Self {
            inner: Arc::new(Inner {
                root: root.to_owned(),
                options,
                pseudonymizer,
                arrivals,
                intake: Intake::new(used + results),
                folders: (0..objects::FOLDERS).map(|_| Joined::default()).collect(),
                _lock: lock,
                disk,
            }),
        })
    }
}

/// Takes the folder, before anything in it is touched.
fn lock(disk: &dyn Disk, root: &Path) -> Result<Box<dyn Lock>, Error> {
    error::at("make the spool's folder", make_root(disk, root))?;
    let kind = disk.network_file_system(root);
    if let Some(kind) = error::at("ask what the spool is on", kind)? {
        return error::NetworkFileSystemSnafu { root, kind }.fail();
    }
    let lock = error::at("lock the spool", disk.lock(&root.join("lock")))?;
    lock.ok_or_else(|| Error::Locked {
        root: root.to_owned(),
    })
}

/// Makes the folder and what is above it.
fn make_root(disk: &dyn Disk, root: &Path) -> io::Result<()> {
    match disk.create_folder(root) {
        Ok(()) => whole::sync_name(disk, root)?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let above = root.parent().filter(|above| *above != Path::new(""));
            make_root(disk, above.ok_or(error)?)?;
            disk.create_folder(root)?;
            whole::sync_name(disk, root)?;
        }
        Err(error) => return Err(error),
    }
    // An earlier process may have made some of the folders and no more. Those that are not ours to sync, as
    // above the root of a volume, somebody else has made.
    for folder in root.ancestors().filter(|folder| *folder != Path::new("")) {
        if let Err(error) = whole::sync_name(disk, folder) {
            tracing::debug!(%error, "A folder above the spool cannot be synced");
        }
    }
    Ok(())
}

/// Makes all folders that objects will need, so that keeping one never has to. The last sync is also for the
/// key and the numbers of objects, which an earlier process may have named and no more.
fn make_folders(disk: &dyn Disk, root: &Path) -> io::Result<()> {
    let objects = root.join("objects");
    for folder in ["incoming", "objects", "results", "audit"] {
        make(disk, &root.join(folder))?;
    }
    let there: BTreeSet<_> = disk
        .list(&objects)?
        .into_iter()
        .map(|entry| entry.name)
        .collect();
    for folder in (0..objects::FOLDERS).map(objects::folder) {
        if !there.contains(OsStr::new(&folder)) {
            make(disk, &objects.join(folder))?;
        }
    }
    disk.sync_folder(&objects)?;
    disk.sync_folder(root)
}

fn make(disk: &dyn Disk, folder: &Path) -> io::Result<()> {
    match disk.create_folder(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

/// Removes what was not received to its end.
fn clear(disk: &dyn Disk, root: &Path) -> io::Result<()> {
    let folder = root.join("incoming");
    let mut removed = 0_u64;
    for entry in disk.list(&folder)? {
        let path = folder.join(&entry.name);
        if !entry.is_folder && path.extension().is_some_and(|end| end == "part") {
            disk.remove(&path)?;
            removed += 1;
        }
    }
    if removed > 0 {
        tracing::info!(removed, "Unfinished files were removed");
    }
    Ok(())
}

/// Makes durable what an earlier process has named and no more: whoever finds an object here may count on it.
fn settle(disk: &dyn Disk, root: &Path, objects: &[ObjectFile]) -> io::Result<()> {
    let folders = objects.iter().map(|object| object.digest.folder());
    let folders: BTreeSet<String> = folders.collect();
    let objects = root.join("objects");
    let mut synced = folders
        .iter()
        .map(|folder| disk.sync_folder(&objects.join(folder)));
    synced.try_for_each(|synced| synced)
}
