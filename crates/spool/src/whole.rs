//! Files that are there whole or not at all.

use std::io;
use std::path::Path;

use crate::disk::Disk;

/// What happens to a file that has the name already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    /// It stays, and nothing is written.
    Free,
    /// It is replaced.
    Taken,
}

/// Writes a file beside its place and moves it there; it is durable when this returns.
pub(crate) fn write(
    disk: &dyn Disk,
    part: &Path,
    path: &Path,
    bytes: &[u8],
    name: Name,
) -> io::Result<()> {
    let placed = write_part(disk, part, bytes).and_then(|()| match name {
        Name::Free => disk.rename(part, path),
        Name::Taken => disk.replace(part, path),
    });
    if placed.is_err() {
        discard(disk, part);
    }
    placed.and_then(|()| sync_name(disk, path))
}

fn write_part(disk: &dyn Disk, part: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = disk.create(part)?;
    file.write(bytes)?;
    file.sync_data()
}

/// Makes a name durable in the folder that has it.
pub(crate) fn sync_name(disk: &dyn Disk, path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(here) if here == Path::new("") => disk.sync_folder(Path::new(".")),
        Some(folder) => disk.sync_folder(folder),
        None => Ok(()),
    }
}

/// Removes what is of no more use. Where that fails, the next start removes it.
pub(crate) fn discard(disk: &dyn Disk, path: &Path) {
    match disk.remove(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => tracing::warn!(%error, "An unfinished file could not be removed"),
    }
}

/// Makes a folder unless it is there. Its name is durable when this returns: a process that was killed may
/// have made it and no more.
pub(crate) fn folder(disk: &dyn Disk, path: &Path) -> io::Result<()> {
    match disk.create_folder(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => sync_name(disk, path),
    }
}
