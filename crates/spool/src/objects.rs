//! The objects that are kept: what they are named, reading them, and removing them.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::Spool;
use crate::disk::Disk;
use crate::error::{self, Error};

/// How many folders the objects are spread over: one for each first byte of a digest.
pub(crate) const FOLDERS: u16 = 256;

/// The SHA-256 of an object's bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectDigest([u8; 32]);

/// An object in the spool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ObjectFile {
    /// The digest of its bytes.
    pub digest: ObjectDigest,
    /// Its number, larger than those of all that were kept before it.
    pub arrival: u64,
    /// Its length in bytes.
    pub bytes: u64,
}

impl ObjectDigest {
    /// The digest of bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The digest as it is.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    pub(crate) const fn folder_number(&self) -> u8 {
        self.0[0]
    }

    pub(crate) fn folder(&self) -> String {
        folder(self.folder_number().into())
    }
}

/// The name of a folder of objects.
pub(crate) fn folder(number: u16) -> String {
    format!("{number:02x}")
}

impl From<Sha256> for ObjectDigest {
    fn from(hash: Sha256) -> Self {
        Self(hash.finalize().into())
    }
}

impl FromStr for ObjectDigest {
    type Err = Error;

    /// Reads 64 hexadecimal digits, in lower case as they are written here.
    fn from_str(text: &str) -> Result<Self, Error> {
        let mut digest = [0; 32];
        let is_lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
        match hex::decode_to_slice(text, &mut digest) {
            Ok(()) if is_lower => Ok(Self(digest)),
            _ => Err(Error::NoDigest),
        }
    }
}

impl fmt::Display for ObjectDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ObjectDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl ObjectFile {
    /// Its path within the spool's folder.
    pub fn path(&self) -> PathBuf {
        let (digest, arrival) = (self.digest, self.arrival);
        PathBuf::from(format!(
            "objects/{}/{digest}-{arrival}.dcm",
            digest.folder()
        ))
    }

    /// What a name in a folder of objects says.
    fn parse(name: &OsStr, bytes: u64) -> Option<Self> {
        let (digest, arrival) = name.to_str()?.strip_suffix(".dcm")?.split_once('-')?;
        let object = Self {
            digest: digest.parse().ok()?,
            arrival: arrival.parse().ok()?,
            bytes,
        };
        // "+7" and "007" are numbers too, and no names that were given here.
        (object.path().file_name() == Some(name)).then_some(object)
    }
}

/// All objects below a spool's folder, in the order of their numbers.
pub(crate) fn list(disk: &dyn Disk, root: &Path) -> Result<Vec<ObjectFile>, Error> {
    let mut objects = Vec::new();
    let mut foreign = 0_u64;
    for number in 0..FOLDERS {
        let folder = root.join("objects").join(folder(number));
        for entry in error::at("list the objects", disk.list(&folder))? {
            match ObjectFile::parse(&entry.name, entry.bytes) {
                Some(object)
                    if !entry.is_folder && number == u16::from(object.digest.folder_number()) =>
                {
                    objects.push(object);
                }
                _ => foreign += 1,
            }
        }
    }
    if foreign > 0 {
        tracing::warn!(
            foreign,
            "There are files among the objects that the spool has not written"
        );
    }
    objects.sort_unstable_by_key(|object| object.arrival);
    Ok(objects)
}

impl Spool {
    /// All objects, in the order in which they were kept. Files that were not written by a spool are left
    /// out.
    ///
    /// # Errors
    /// [`Error::Disk`].
    pub fn objects(&self) -> Result<Vec<ObjectFile>, Error> {
        list(self.inner.disk.as_ref(), &self.inner.root)
    }

    /// The bytes of an object, as they are on the disk.
    ///
    /// # Errors
    /// [`Error::NotFound`] and [`Error::Disk`].
    pub fn read(&self, object: &ObjectFile) -> Result<Vec<u8>, Error> {
        let path = self.inner.root.join(object.path());
        error::found("read an object", self.inner.disk.read(&path))
    }

    /// Reads an object and checks that it has the bytes that its name says.
    ///
    /// # Errors
    /// [`Error::Damaged`] when it has not, [`Error::NotFound`] and [`Error::Disk`].
    pub fn verify(&self, object: &ObjectFile) -> Result<(), Error> {
        let path = self.inner.root.join(object.path());
        let mut file = error::found("read an object", self.inner.disk.open(&path))?;
        let (mut hash, mut piece) = (Sha256::new(), vec![0; 1 << 16]);
        loop {
            let read = error::at("read an object", file.read(&mut piece))?;
            if read == 0 {
                break;
            }
            hash.update(&piece[..read]);
        }
        let is_equal = ObjectDigest::from(hash) == object.digest;
        is_equal.then_some(()).ok_or(Error::Damaged)
    }

    /// Removes objects; those that are not there are removed already. When this returns, they do not come
    /// back.
    ///
    /// # Errors
    /// [`Error::Disk`]; some of them may be there then.
    pub fn remove<'a>(
        &self,
        objects: impl IntoIterator<Item = &'a ObjectFile>,
    ) -> Result<(), Error> {
        let mut folders = BTreeMap::new();
        for object in objects {
            let path = self.inner.root.join(object.path());
            match error::found("remove an object", self.inner.disk.remove(&path)) {
                Ok(()) => self.inner.intake.subtract(object.bytes),
                Err(Error::NotFound) => {}
                Err(error) => return Err(error),
            }
            folders.insert(object.digest.folder_number(), object.digest);
        }
        let mut synced = folders.values().map(|digest| self.sync_folder_of(*digest));
        error::at(
            "sync a folder of objects",
            synced.try_for_each(|synced| synced),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_what_it_was_made_of() {
        let object = ObjectFile {
            digest: ObjectDigest::of(b"abc"),
            arrival: 17,
            bytes: 3,
        };
        let path = object.path();
        let expected =
            "objects/ba/ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad-17.dcm";
        assert_eq!(path.to_str(), Some(expected));
        assert_eq!(
            ObjectFile::parse(path.file_name().unwrap(), 3),
            Some(object)
        );
    }

    #[test]
    fn other_names_are_no_objects() {
        let digest = ObjectDigest::of(b"abc").to_string();
        let upper = digest.to_uppercase();
        for name in [
            format!("{digest}.dcm"),
            format!("{digest}-.dcm"),
            format!("{digest}-07.dcm"),
            format!("{digest}-+7.dcm"),
            format!("{digest}-7.part"),
            format!("{upper}-7.dcm"),
            format!("{}-7.dcm", &digest[1..]),
            "lost+found".to_owned(),
        ] {
            assert_eq!(ObjectFile::parse(name.as_ref(), 3), None, "{name}");
        }
    }
}
