//! HMAC-SHA-256 (RFC 2104), and PBKDF2 with it (RFC 8018, 5.2): digests under a key of 32 bytes.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The bytes of a digest and of a key.
pub(super) const LENGTH: usize = 32;

/// HMAC-SHA-256 of a message, of which the parts are given.
pub(super) fn of(key: &[u8; LENGTH], parts: &[&[u8]]) -> [u8; LENGTH] {
    digest(keyed(key), parts)
}

/// The first 32 bytes of PBKDF2-HMAC-SHA-256 with so many rounds, at least one, of a password and a salt.
pub(super) fn slow(password: &[u8; LENGTH], salt: &[u8], rounds: u32) -> [u8; LENGTH] {
    let keyed = keyed(password);
    let mut last = digest(keyed.clone(), &[salt, &1_u32.to_be_bytes()]);
    let mut sum = last;
    for _ in 1..rounds {
        last = digest(keyed.clone(), &[&last]);
        sum.iter_mut()
            .zip(last)
            .for_each(|(sum, byte)| *sum ^= byte);
    }
    sum
}

fn keyed(key: &[u8; LENGTH]) -> Hmac<Sha256> {
    // HMAC fills a key up to a block with zeros.
    let mut block = [0; 64];
    block[..LENGTH].copy_from_slice(key);
    Hmac::new(&block.into())
}

fn digest(mut keyed: Hmac<Sha256>, parts: &[&[u8]]) -> [u8; LENGTH] {
    parts.iter().for_each(|part| keyed.update(part));
    keyed.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::Digest;

    /// A key, as the script of the golden values makes it.
    fn key(text: &str) -> [u8; LENGTH] {
        Sha256::digest(text).into()
    }

    #[test]
    fn digests_are_those_of_another_library() {
        let golden = include_str!("../../../tests/golden/dataset/digests.csv");
        let mut rows = 0;
        for row in golden.lines().skip(1) {
            let fields: Vec<&str> = row.split(',').collect();
            let [password, salt, rounds, hmac, pbkdf2] = fields[..] else {
                panic!("{row}");
            };
            assert_eq!(hex::encode(of(&key(password), &[salt.as_bytes()])), hmac);
            let found = slow(&key(password), salt.as_bytes(), rounds.parse().unwrap());
            assert_eq!(hex::encode(found), pbkdf2, "{row}");
            rows += 1;
        }
        assert_eq!(rows, 6);
    }

    #[test]
    fn parts_are_digested_as_one_message() {
        let key = key("a key");
        assert_eq!(of(&key, &[b"ab", b"c"]), of(&key, &[b"abc"]));
        assert_ne!(of(&key, &[b"ab"]), of(&key, &[b"abc"]));
    }
}
