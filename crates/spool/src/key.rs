//! The spool's key, and pseudonyms under it.
//!
//! The key never leaves the spool's folder, and is never replaced.

use std::fmt;
use std::path::Path;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::arrivals;
use crate::disk::Disk;
use crate::error::{self, Error};
use crate::whole;

/// The file that has the key.
const FILE: &str = "key";

/// Makes pseudonyms: what is equal has an equal one, and nobody without the key can tell of what it is.
#[derive(Clone)]
pub struct Pseudonymizer {
    key: [u8; 32],
}

impl Pseudonymizer {
    /// Under a key of the caller's.
    pub const fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// The HMAC-SHA256 of a value, in hexadecimal digits. A domain says what the value is; pseudonyms of
    /// equal values in two domains have nothing in common.
    pub fn keyed(&self, domain: &str, value: &[u8]) -> String {
        // A key shorter than the hash's block is one with zeros behind it (RFC 2104, 2).
        let mut block = [0; 64];
        block[..self.key.len()].copy_from_slice(&self.key);
        let mut mac = Hmac::<Sha256>::new(&block.into());
        // With its length before it, no domain and value read like another domain and value.
        mac.update(&(domain.len() as u64).to_be_bytes());
        mac.update(domain.as_bytes());
        mac.update(value);
        hex::encode(mac.finalize().into_bytes())
    }

    /// Reads the key of a spool, or makes it where the spool is new. It is durable before it is used.
    pub(crate) fn open(disk: &dyn Disk, root: &Path) -> Result<Self, Error> {
        match error::found("read the key", disk.read(&root.join(FILE))) {
            Err(Error::NotFound) if arrivals::are_taken(disk, root)? => {
                error::NoKeySnafu { root }.fail()
            }
            Err(Error::NotFound) => Self::make(disk, root),
            read => {
                let read = read?;
                let bytes = read.len();
                let key = read.try_into().ok();
                key.map(Self::new).ok_or_else(|| {
                    let root = root.to_owned();
                    Error::WrongKey { root, bytes }
                })
            }
        }
    }

    fn make(disk: &dyn Disk, root: &Path) -> Result<Self, Error> {
        let mut key = [0; 32];
        let mut filled = 0;
        while filled < key.len() {
            let flags = rustix::rand::GetRandomFlags::empty();
            let got = rustix::rand::getrandom(&mut key[filled..], flags);
            filled += error::at("make a key", got.map_err(Into::into))?;
        }
        let (part, path) = (root.join("incoming/key.part"), root.join(FILE));
        let written = whole::write(disk, &part, &path, &key, whole::Name::Free);
        error::at("write the key", written)?;
        Ok(Self::new(key))
    }
}

impl fmt::Debug for Pseudonymizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pseudonymizer").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pseudonym_is_the_hmac_of_domain_and_value() {
        // Python: hmac.new(bytes(range(32)), (5).to_bytes(8) + b"study" + b"1.2.3", "sha256")
        let pseudonymizer = Pseudonymizer::new(std::array::from_fn(|i| i as u8));
        let expected = "c69a35f4ddac57b6abebea6898852b27148fb5bc02bffe000de7e98e24dc9ca2";
        assert_eq!(pseudonymizer.keyed("study", b"1.2.3"), expected);
    }

    #[test]
    fn domains_and_values_do_not_run_into_each_other() {
        let pseudonymizer = Pseudonymizer::new([7; 32]);
        let keyed = |domain, value: &str| pseudonymizer.keyed(domain, value.as_bytes());
        assert_ne!(keyed("ab", "c"), keyed("a", "bc"));
        assert_ne!(keyed("a", "c"), keyed("b", "c"));
    }

    #[test]
    fn the_key_is_not_shown() {
        let shown = format!("{:?}", Pseudonymizer::new([7; 32]));
        assert_eq!(shown, "Pseudonymizer { .. }");
    }
}
