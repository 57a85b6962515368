//! The simulated disk as the spool sees it.

use std::fmt;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::state::{Fault, Operation, State};
use super::tree::{File, Folder, Id, Node};
use crate::disk::{Disk, DiskFile, Entry, Lock, Space};

/// A disk in memory. Clones are the same disk; [`Self::copy`] makes another.
#[derive(Clone)]
pub struct SimulatedDisk {
    state: Arc<Mutex<State>>,
}

struct SimulatedFile {
    disk: SimulatedDisk,
    id: Id,
}

#[derive(Debug)]
struct SimulatedLock {
    disk: SimulatedDisk,
    path: PathBuf,
}

impl SimulatedDisk {
    /// An empty disk, with half of it free.
    pub fn new(seed: u64) -> Self {
        Self::with(State::new(seed))
    }

    fn with(state: State) -> Self {
        Self {
            state: Arc::new(Mutex::new(state)),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another disk as a process sees it that begins when the one before was killed: with all that it wrote,
    /// durable or not. Operations are numbered from 0 again, and nobody has its locks.
    #[must_use]
    pub fn copy(&self) -> Self {
        let mut state = self.state().clone();
        (state.operations, state.cut_at, state.is_off) = (0, None, false);
        state.locks.clear();
        Self::with(state)
    }

    /// How many operations there were.
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// Cuts the power at the operation with this number; it and all after it fail.
    pub fn cut_power_at(&self, operation: u64) {
        self.state().cut_at = Some(operation);
    }

    /// Whether the power is off.
    pub fn is_off(&self) -> bool {
        self.state().is_off
    }

    /// The disk when the power is back, or after it went off just now.
    #[must_use]
    pub fn restart(&self, seed: u64) -> Self {
        Self::with(self.state().cut(seed))
    }

    /// Lets operations fail.
    pub fn fail(&self, fault: Fault) {
        self.state().faults.push(fault);
    }

    /// Lets none fail any more.
    pub fn repair(&self) {
        self.state().faults.clear();
    }

    /// Says how large it is and what is free. A write of more than that fails; writing does not change it.
    pub fn set_space(&self, space: Space) {
        self.state().space = space;
    }

    /// Says that it is reached through a network.
    pub fn set_network(&self, kind: &str) {
        self.state().network = Some(kind.to_owned());
    }

    /// Changes a byte of a file on the device, as a defect does.
    ///
    /// # Errors
    /// When there is no such byte.
    pub fn damage(&self, path: &Path, position: usize) -> io::Result<()> {
        let mut state = self.state();
        let id = state.find(path)?;
        let (file, random) = state.file(id)?;
        let byte = file
            .seen
            .get_mut(position)
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        *byte ^= 0x55;
        file.sync(random);
        Ok(())
    }

    fn move_to(&self, from: &Path, to: &Path, must_be_free: bool) -> io::Result<()> {
        let mut state = self.state();
        let turn = state.turn(Operation::Rename);
        if turn.is_done {
            let id = state.find(from)?;
            if must_be_free {
                state.must_be_free(to)?;
            }
            let ((old, old_name), (new, new_name)) = (state.place(from)?, state.place(to)?);
            state.folder_mut(new)?.set(new_name, Some(id));
            state.folder_mut(old)?.set(old_name, None);
        }
        turn.said
    }

    fn unlink(&self, path: &Path, is_folder: bool) -> io::Result<()> {
        let mut state = self.state();
        let turn = state.turn(Operation::Remove);
        if turn.is_done {
            let id = state.find(path)?;
            if state.is_folder(id) != is_folder {
                return Err(io::ErrorKind::InvalidInput.into());
            }
            if is_folder && state.folder(id)?.names().next().is_some() {
                return Err(io::ErrorKind::DirectoryNotEmpty.into());
            }
            let (folder, name) = state.place(path)?;
            state.folder_mut(folder)?.set(name, None);
        }
        turn.said
    }

    fn file(&self, id: Id) -> Box<dyn DiskFile> {
        let disk = self.clone();
        Box::new(SimulatedFile { disk, id })
    }
}

impl Disk for SimulatedDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut state = self.state();
        let said = state.turn(Operation::Create).done()?;
        state.must_be_free(path)?;
        let id = state.add(path, Node::File(File::default()))?;
        said.map(|()| self.file(id))
    }

    fn append(&self, path: &Path, length: u64) -> io::Result<Box<dyn DiskFile>> {
        let mut state = self.state();
        let said = state.turn(Operation::Create).done()?;
        let id = state.find(path)?;
        let length = usize::try_from(length).map_err(io::Error::other)?;
        state.file(id)?.0.truncate(length);
        said.map(|()| self.file(id))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn Read + Send>> {
        let mut state = self.state();
        state.powered()?;
        let id = state.find(path)?;
        let bytes = state.file(id)?.0.seen.clone();
        Ok(Box::new(Cursor::new(bytes)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.move_to(from, to, true)
    }

    fn replace(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.move_to(from, to, false)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.unlink(path, false)
    }

    fn create_folder(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        let turn = state.turn(Operation::CreateFolder);
        if turn.is_done {
            state.must_be_free(path)?;
            state.add(path, Node::Folder(Folder::default()))?;
        }
        turn.said
    }

    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        self.unlink(path, true)
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        let turn = state.turn(Operation::SyncFolder);
        let id = state.find(path)?;
        let folder = state.folder_mut(id)?;
        if turn.is_done {
            folder.sync();
        } else if turn.is_failed_sync {
            folder.fail_sync();
        }
        turn.said
    }

    fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
        let mut state = self.state();
        state.powered()?;
        let id = state.find(path)?;
        let names = state.folder(id)?.names();
        let names: Vec<_> = names.map(|(name, id)| (name.clone(), id)).collect();
        let entry = |(name, id)| {
            let is_folder = state.is_folder(id);
            let bytes = state.file(id).map_or(0, |(file, _)| file.seen.len() as u64);
            Entry {
                name,
                bytes,
                is_folder,
            }
        };
        Ok(names.into_iter().map(entry).collect())
    }

    fn space(&self, _path: &Path) -> io::Result<Space> {
        let state = self.state();
        state.powered()?;
        Ok(state.space)
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Lock>>> {
        let mut state = self.state();
        state.powered()?;
        if !state.locks.insert(path.to_owned()) {
            return Ok(None);
        }
        Ok(Some(Box::new(SimulatedLock {
            disk: self.clone(),
            path: path.to_owned(),
        })))
    }

    fn network_file_system(&self, _path: &Path) -> io::Result<Option<String>> {
        let state = self.state();
        state.powered()?;
        Ok(state.network.clone())
    }
}

impl DiskFile for SimulatedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.disk.state().write(self.id, bytes)
    }

    fn sync_data(&mut self) -> io::Result<()> {
        let mut state = self.disk.state();
        let turn = state.turn(Operation::SyncData);
        let (file, random) = state.file(self.id)?;
        if turn.is_done {
            file.sync(random);
        } else if turn.is_failed_sync {
            file.fail_sync();
        }
        turn.said
    }
}

impl Lock for SimulatedLock {}

impl Drop for SimulatedLock {
    fn drop(&mut self) {
        self.disk.state().locks.remove(&self.path);
    }
}

impl fmt::Debug for SimulatedDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimulatedDisk").finish_non_exhaustive()
    }
}

impl fmt::Debug for SimulatedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimulatedFile")
            .field("id", &self.id)
            .finish()
    }
}
