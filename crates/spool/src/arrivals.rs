//! The numbers of objects, in the order in which they were kept.
//!
//! A number is never given twice, also when the object that had it is gone. So that this costs nothing, a
//! block of numbers is taken at a time: the file `arrivals` holds the first one that no process has taken. The
//! first object takes the first block, so that a spool can be opened, and emptied, on a disk that is full.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use crate::disk::Disk;
use crate::error::{self, Error};
use crate::whole;

/// How many numbers a process takes at a time; those that it does not give away are lost.
const BLOCK: u64 = 1 << 16;

/// The file that says which numbers are taken.
const FILE: &str = "arrivals";

#[derive(Debug)]
pub(crate) struct Arrivals {
    numbers: Mutex<Numbers>,
}

#[derive(Debug)]
struct Numbers {
    next: u64,
    /// The first one that is not taken.
    end: u64,
}

impl Arrivals {
    /// Goes on after what the file says, and after every object that is there.
    pub(crate) fn open(disk: &dyn Disk, root: &Path, last: u64) -> Result<Self, Error> {
        let taken = read(disk, root)?.unwrap_or(1);
        let next = taken.max(last.saturating_add(1));
        Ok(Self {
            numbers: Mutex::new(Numbers { next, end: next }),
        })
    }

    /// The number of the next object.
    pub(crate) fn next(&self, disk: &dyn Disk, root: &Path) -> Result<u64, Error> {
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        if numbers.next == numbers.end {
            numbers.take(disk, root)?;
        }
        let number = numbers.next;
        numbers.next += 1;
        Ok(number)
    }
}

impl Numbers {
    /// Takes a block; none of it is given before the file says so durably.
    fn take(&mut self, disk: &dyn Disk, root: &Path) -> Result<(), Error> {
        let end = self.next.saturating_add(BLOCK);
        let (part, path) = (root.join("incoming/arrivals.part"), root.join(FILE));
        let text = format!("{end}\n");
        let written = whole::write(disk, &part, &path, text.as_bytes(), whole::Name::Taken);
        error::at("write the numbers of objects", written)?;
        self.end = end;
        Ok(())
    }
}

/// Whether an object was ever kept.
pub(crate) fn are_taken(disk: &dyn Disk, root: &Path) -> Result<bool, Error> {
    Ok(read(disk, root)?.is_some())
}

/// What the file says, if there is one.
fn read(disk: &dyn Disk, root: &Path) -> Result<Option<u64>, Error> {
    let bytes = match error::found("read the numbers of objects", disk.read(&root.join(FILE))) {
        Err(Error::NotFound) => return Ok(None),
        bytes => bytes?,
    };
    let text = str::from_utf8(&bytes).ok();
    let number = text.and_then(|text| text.strip_suffix('\n')?.parse().ok());
    match number {
        Some(number) => Ok(Some(number)),
        None => error::WrongArrivalsSnafu { root }.fail(),
    }
}
