//! Files and folders, each as it is seen and as it is on the device.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::ops::Range;

use super::random::Random;

/// The number of a file or a folder, whatever names it has.
pub(super) type Id = u64;

/// What a device writes at a time.
const SECTOR: usize = 512;

#[derive(Clone, Debug)]
pub(super) enum Node {
    File(File),
    Folder(Folder),
}

#[derive(Clone, Debug, Default)]
pub(super) struct File {
    pub(super) seen: Vec<u8>,
    device: Vec<u8>,
    /// Bytes of which a failed sync was told: the system takes them for written, and they are not.
    lost: Option<Range<usize>>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Folder {
    seen: BTreeMap<OsString, Id>,
    device: BTreeMap<OsString, Id>,
    /// What has happened to names since the last sync, in order.
    changes: Vec<Change>,
}

#[derive(Clone, Debug)]
struct Change {
    name: OsString,
    to: Option<Id>,
    /// Whether a failed sync was told of it: no later one brings it to the device.
    is_lost: bool,
}

impl File {
    pub(super) fn sync(&mut self, random: &mut Random) {
        self.device.clone_from(&self.seen);
        if let Some(lost) = &self.lost {
            let end = lost.end.min(self.device.len());
            damage(&mut self.device, lost.start.min(end)..end, random);
        }
    }

    pub(super) fn fail_sync(&mut self) {
        let start = common(&self.seen, &self.device);
        let before = self.lost.as_ref().map_or(start, |lost| lost.start);
        self.lost = Some(start.min(before)..self.seen.len());
    }

    pub(super) fn truncate(&mut self, length: usize) {
        self.seen.truncate(length);
        let lost = self.lost.take();
        self.lost = lost.filter(|lost| lost.start < length);
    }

    /// What a cut leaves of it.
    pub(super) fn cut(&self, random: &mut Random) -> Self {
        let shorter = self.seen.len() < self.device.len();
        let mut left = self.device.clone();
        if (self.seen != self.device || self.lost.is_some()) && !(shorter && random.coin()) {
            let kept = common(&self.seen, &self.device);
            let length = random.within(kept..=self.seen.len());
            left = self.seen[..length].to_vec();
            damage(&mut left, kept..length, random);
        }
        Self {
            seen: left.clone(),
            device: left,
            lost: None,
        }
    }
}

/// How many bytes two have in common at their beginning.
fn common(one: &[u8], other: &[u8]) -> usize {
    one.iter().zip(other).take_while(|(a, b)| a == b).count()
}

/// Leaves each sector of a range as it is, or with zeros or garbage in it.
fn damage(bytes: &mut [u8], range: Range<usize>, random: &mut Random) {
    for sector in bytes[range].chunks_mut(SECTOR) {
        match random.within(0..=2) {
            0 => {}
            1 => sector.fill(0),
            _ => sector.fill_with(|| random.next().to_le_bytes()[0]),
        }
    }
}

impl Folder {
    pub(super) fn get(&self, name: &OsString) -> Option<Id> {
        self.seen.get(name).copied()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = (&OsString, Id)> {
        self.seen.iter().map(|(name, id)| (name, *id))
    }

    pub(super) fn set(&mut self, name: OsString, to: Option<Id>) {
        match to {
            Some(id) => self.seen.insert(name.clone(), id),
            None => self.seen.remove(&name),
        };
        let is_lost = false;
        self.changes.push(Change { name, to, is_lost });
    }

    pub(super) fn sync(&mut self) {
        let (lost, changes) = self.changes.drain(..).partition(|change| change.is_lost);
        self.changes = lost;
        for Change { name, to, .. } in changes {
            self.changes.retain(|lost| lost.name != name);
            match to {
                Some(id) => self.device.insert(name, id),
                None => self.device.remove(&name),
            };
        }
    }

    pub(super) fn fail_sync(&mut self) {
        for change in &mut self.changes {
            change.is_lost = true;
        }
    }

    /// What a cut leaves of it: each name as it was on the device, or after any change since.
    pub(super) fn cut(&self, random: &mut Random) -> Self {
        let mut left = self.device.clone();
        let mut names: Vec<&OsString> = self.changes.iter().map(|change| &change.name).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            let of_it = |change: &&Change| change.name == *name;
            let changes: Vec<&Change> = self.changes.iter().filter(of_it).collect();
            let reached = random.within(0..=changes.len());
            match reached.checked_sub(1).map(|last| changes[last].to) {
                None => {}
                Some(None) => drop(left.remove(name)),
                Some(Some(id)) => drop(left.insert(name.clone(), id)),
            }
        }
        Self {
            seen: left.clone(),
            device: left,
            changes: Vec::new(),
        }
    }
}
