//! Following the chain of lines.
//!
//! It never writes.

use std::path::Path;

use serde::Deserialize;
use sha2::{Digest, Sha256};
use snafu::Snafu;

use super::record::is_month;
use crate::disk::Disk;
use crate::error::{self, Error};

/// Where a chain goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Link {
    /// The digest of the last line; zeros before the first.
    pub(super) digest: [u8; 32],
    /// The number of the last record; 0 before the first.
    pub(super) record: u64,
}

/// What of a line makes it one of the chain.
#[derive(Deserialize)]
struct Linked<'a> {
    record: u64,
    call: (u64, u64),
    #[serde(borrow)]
    previous: &'a str,
}

/// How far the lines of a file belong to the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Followed {
    pub(super) link: Link,
    /// The lines that do, of calls that are there to their end.
    pub(super) lines: u64,
    /// Their length in bytes.
    pub(super) length: usize,
}

/// What a whole chain has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The records that follow each other.
    pub records: u64,
    /// The bytes behind them that a crash has left of others, or that are being written.
    pub unfinished: u64,
}

/// Why a chain is not verified.
#[derive(Debug, Snafu)]
#[snafu(visibility(pub(super)))]
pub enum Unverified {
    /// A line does not follow the one before it.
    #[snafu(display(
        "line {line} of audit/{file} does not follow the line before it: lines have been changed, removed or \
         added there"
    ))]
    Broken {
        /// The name of the file.
        file: String,
        /// The number of the line, from 1.
        line: u64,
    },
    /// The files cannot be read.
    #[snafu(display("the audit cannot be read"), context(false))]
    Unread {
        /// Why not.
        source: Error,
    },
}

impl<'a> Linked<'a> {
    fn parse(line: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(line).ok()
    }
}

impl Link {
    pub(super) const FIRST: Self = Self {
        digest: [0; 32],
        record: 0,
    };

    /// The link after a line, which is given without its end.
    const fn after(linked: &Linked<'_>, digest: [u8; 32]) -> Self {
        let record = linked.record;
        Self { digest, record }
    }

    fn is_followed_by(self, linked: &Linked<'_>) -> bool {
        linked.record == self.record + 1 && linked.previous == hex::encode(self.digest)
    }
}

/// What the line after a line has to hold.
pub(super) fn digest(line: &[u8]) -> [u8; 32] {
    Sha256::digest(line).into()
}

/// Follows the lines of a file. What is behind the last whole call has to be what a crash may leave of one.
///
/// # Errors
/// The number of the line, from 1, at which somebody has changed the file.
pub(super) fn follow(link: Link, bytes: &[u8]) -> Result<Followed, u64> {
    let (lines, length) = (0, 0);
    let mut whole = Followed {
        link,
        lines,
        length,
    };
    let mut now = whole;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let Some(linked) = Linked::parse(text) else {
            let rest = &bytes[now.length..];
            return if is_left(whole.link, rest) {
                Ok(whole)
            } else {
                Err(now.lines + 1)
            };
        };
        if !now.link.is_followed_by(&linked) || linked.call.0 != whole.link.record + 1 {
            return Err(now.lines + 1);
        }
        now.link = Link::after(&linked, digest(text));
        now.lines += 1;
        now.length += line.len();
        if linked.record == linked.call.1 && text.len() < line.len() {
            whole = now;
        }
    }
    Ok(whole)
}

/// Whether lines of which the first is none may be left of the call after a record: then all others that are
/// lines are of it too. Where somebody has made a line unreadable, there are lines of later calls.
fn is_left(link: Link, rest: &[u8]) -> bool {
    let mut lines = rest.split(|byte| *byte == b'\n').filter_map(Linked::parse);
    lines.all(|linked| linked.call.0 == link.record + 1)
}

/// The names of the files of a chain, in its order. An empty one is of an attempt to begin it, and says
/// nothing.
pub(super) fn files(disk: &dyn Disk, folder: &Path) -> Result<Vec<String>, Error> {
    let entries = error::at("list the audit", disk.list(folder))?;
    let names = entries
        .into_iter()
        .filter_map(|entry| entry.name.into_string().ok());
    let mut files: Vec<String> = names
        .filter(|name| name.strip_suffix(".jsonl").is_some_and(is_month))
        .collect();
    files.sort_unstable();
    Ok(files)
}

/// Checks that all lines below a spool's folder follow each other. A station may be writing meanwhile.
///
/// # Errors
/// [`Unverified::Broken`] at the first line that does not follow, and [`Unverified::Unread`].
pub fn verify(disk: &dyn Disk, root: &Path) -> Result<Verified, Unverified> {
    let folder = root.join("audit");
    let files = files(disk, &folder)?;
    let (mut link, mut records) = (Link::FIRST, 0);
    for (number, file) in files.iter().enumerate() {
        let bytes = error::at("read the audit", disk.read(&folder.join(file)))?;
        let followed = follow(link, &bytes).map_err(|line| broken(file, line))?;
        records += followed.lines;
        let unfinished = bytes.len() - followed.length;
        if unfinished > 0 && number + 1 < files.len() {
            return Err(broken(file, followed.lines + 1));
        }
        if unfinished > 0 {
            let unfinished = unfinished as u64;
            return Ok(Verified {
                records,
                unfinished,
            });
        }
        link = followed.link;
    }
    Ok(Verified {
        records,
        unfinished: 0,
    })
}

/// Where a file ends whose lines are not followed.
pub(super) fn end(file: &str, bytes: &[u8]) -> Result<Link, Unverified> {
    let mut lines = bytes.split_inclusive(|byte| *byte == b'\n');
    let count = lines.clone().count() as u64;
    let last = lines.next_back().and_then(|line| line.strip_suffix(b"\n"));
    let link = last.and_then(|line| {
        let linked = Linked::parse(line)?;
        let is_whole = linked.record == linked.call.1;
        is_whole.then(|| Link::after(&linked, digest(line)))
    });
    link.ok_or_else(|| broken(file, count))
}

pub(super) fn broken(file: &str, line: u64) -> Unverified {
    let file = file.to_owned();
    Unverified::Broken { file, line }
}
