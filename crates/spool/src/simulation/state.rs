//! All of a simulated disk, and which operation is the one that goes wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io;
use std::path::{Component, Path, PathBuf};

use super::random::Random;
use super::tree::{File, Folder, Id, Node};
use crate::disk::Space;

/// The folder that all else is in.
const TOP: Id = 0;

/// What changes a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// A file is made, or opened to go on with.
    Create,
    /// Bytes are written.
    Write,
    /// A file is synced.
    SyncData,
    /// A file gets another name.
    Rename,
    /// A folder is synced.
    SyncFolder,
    /// A file or a folder is removed.
    Remove,
    /// A folder is made.
    CreateFolder,
}

/// Operations that fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The kind of operation, or any.
    pub operation: Option<Operation>,
    /// How many of them succeed before.
    pub after: u64,
    /// How many of them fail then.
    pub times: u64,
    /// The system's number of the error, such as 5 for `EIO` and 28 for `ENOSPC`.
    pub code: i32,
}

/// `ENOSPC`.
const NO_SPACE: i32 = 28;

#[derive(Clone, Debug)]
pub(super) struct State {
    nodes: BTreeMap<Id, Node>,
    next: Id,
    pub(super) random: Random,
    pub(super) operations: u64,
    pub(super) cut_at: Option<u64>,
    pub(super) is_off: bool,
    pub(super) faults: Vec<Fault>,
    pub(super) locks: BTreeSet<PathBuf>,
    pub(super) space: Space,
    pub(super) network: Option<String>,
}

/// How an operation goes: whether it is done, and what is said of it.
pub(super) struct Turn {
    pub(super) is_done: bool,
    pub(super) is_failed_sync: bool,
    pub(super) said: io::Result<()>,
}

impl Turn {
    /// What is said of an operation that is to be done.
    pub(super) fn done(self) -> io::Result<io::Result<()>> {
        match self.said {
            Err(error) if !self.is_done => Err(error),
            said => Ok(said),
        }
    }
}

impl State {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            nodes: BTreeMap::from([(TOP, Node::Folder(Folder::default()))]),
            next: TOP + 1,
            random: Random::new(seed),
            operations: 0,
            cut_at: None,
            is_off: false,
            faults: Vec::new(),
            locks: BTreeSet::new(),
            space: Space {
                total: 1 << 40,
                free: 1 << 39,
            },
            network: None,
        }
    }

    /// Fails without power.
    pub(super) fn powered(&self) -> io::Result<()> {
        let off = || io::Error::other("the power is off");
        if self.is_off { Err(off()) } else { Ok(()) }
    }

    /// Counts an operation and says how it goes. One that the power is cut at may be done or not, and nobody
    /// is told.
    pub(super) fn turn(&mut self, operation: Operation) -> Turn {
        let mut turn = Turn {
            is_done: true,
            is_failed_sync: false,
            said: self.powered(),
        };
        if turn.said.is_err() {
            turn.is_done = false;
            return turn;
        }
        let number = self.operations;
        self.operations += 1;
        if self.cut_at == Some(number) {
            self.is_off = true;
            turn.is_done = self.random.coin();
            turn.said = self.powered();
        } else if let Some(code) = self.fault(operation) {
            turn.is_done = false;
            turn.is_failed_sync = true;
            turn.said = Err(io::Error::from_raw_os_error(code));
        }
        turn
    }

    fn fault(&mut self, operation: Operation) -> Option<i32> {
        let meets = |fault: &&mut Fault| fault.operation.is_none_or(|of| of == operation);
        for fault in self.faults.iter_mut().filter(meets) {
            if fault.after > 0 {
                fault.after -= 1;
            } else if fault.times > 0 {
                fault.times -= 1;
                return Some(fault.code);
            }
        }
        None
    }

    /// The folder that has a path's last name, and that name.
    pub(super) fn place(&self, path: &Path) -> io::Result<(Id, OsString)> {
        let missing = || io::Error::from(io::ErrorKind::NotFound);
        let mut names = path.components().filter_map(|part| match part {
            Component::Normal(name) => Some(name.to_owned()),
            _ => None,
        });
        let last = names.next_back().ok_or_else(missing)?;
        let mut folder = TOP;
        for name in names {
            folder = self.folder(folder)?.get(&name).ok_or_else(missing)?;
        }
        self.folder(folder)?;
        Ok((folder, last))
    }

    /// What has a path.
    pub(super) fn find(&self, path: &Path) -> io::Result<Id> {
        if path.components().all(|part| part == Component::RootDir) {
            return Ok(TOP);
        }
        let (folder, name) = self.place(path)?;
        let found = self.folder(folder)?.get(&name);
        found.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    pub(super) fn folder(&self, id: Id) -> io::Result<&Folder> {
        match self.nodes.get(&id) {
            Some(Node::Folder(folder)) => Ok(folder),
            Some(Node::File(_)) => Err(io::ErrorKind::NotADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    pub(super) fn folder_mut(&mut self, id: Id) -> io::Result<&mut Folder> {
        match self.nodes.get_mut(&id) {
            Some(Node::Folder(folder)) => Ok(folder),
            Some(Node::File(_)) => Err(io::ErrorKind::NotADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// A file, and what decides of it.
    pub(super) fn file(&mut self, id: Id) -> io::Result<(&mut File, &mut Random)> {
        match self.nodes.get_mut(&id) {
            Some(Node::File(file)) => Ok((file, &mut self.random)),
            Some(Node::Folder(_)) => Err(io::ErrorKind::IsADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    pub(super) fn is_folder(&self, id: Id) -> bool {
        matches!(self.nodes.get(&id), Some(Node::Folder(_)))
    }

    /// Puts something new at a free place.
    pub(super) fn add(&mut self, path: &Path, node: Node) -> io::Result<Id> {
        let (folder, name) = self.place(path)?;
        let id = self.next;
        self.folder_mut(folder)?.set(name, Some(id));
        self.nodes.insert(id, node);
        self.next += 1;
        Ok(id)
    }

    /// Fails when a path is taken, or has no folder to be in.
    pub(super) fn must_be_free(&self, path: &Path) -> io::Result<()> {
        self.place(path)?;
        match self.find(path) {
            Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
            Err(_) => Ok(()),
        }
    }

    /// Writes at the end of a file, some of it where it fails.
    pub(super) fn write(&mut self, id: Id, bytes: &[u8]) -> io::Result<()> {
        let mut turn = self.turn(Operation::Write);
        if turn.said.is_ok() && (bytes.len() as u64) > self.space.free {
            turn.said = Err(io::Error::from_raw_os_error(NO_SPACE));
        }
        let power_was_off = turn.said.is_err() && !turn.is_done && !turn.is_failed_sync;
        let length = match turn.said {
            Ok(()) => bytes.len(),
            Err(_) if power_was_off => 0,
            Err(_) => self.random.within(0..=bytes.len()),
        };
        self.file(id)?.0.seen.extend_from_slice(&bytes[..length]);
        turn.said
    }

    /// What a cut leaves, as the system finds it when the power is back.
    pub(super) fn cut(&self, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let nodes = self.nodes.iter().map(|(id, node)| {
            let left = match node {
                Node::File(file) => Node::File(file.cut(&mut random)),
                Node::Folder(folder) => Node::Folder(folder.cut(&mut random)),
            };
            (*id, left)
        });
        let nodes = nodes.collect();
        Self {
            nodes,
            next: self.next,
            space: self.space,
            network: self.network.clone(),
            random,
            ..Self::new(seed)
        }
    }
}
