//! `SHA256SUMS`: the checksum of every other file of a bundle.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

/// The SHA-256 of every file of a bundle, in the form that `sha256sum --check` reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checksums(BTreeMap<String, String>);

impl Checksums {
    /// The checksums of these files, by name.
    pub fn of<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Self {
        Self(
            files
                .into_iter()
                .map(|(name, bytes)| (name.to_owned(), sha256(bytes)))
                .collect(),
        )
    }

    /// Reads what [`Checksums::to_text`] wrote, its lines in any order; `None` if one is not a checksum and a
    /// name, or names a file again.
    pub fn parse(text: &str) -> Option<Self> {
        let mut sums = BTreeMap::new();
        for line in text.lines() {
            let (sum, name) = line.split_once("  ")?;
            let is_digit = |c: char| matches!(c, '0'..='9' | 'a'..='f');
            let is_sum = sum.len() == 64 && sum.chars().all(is_digit);
            let is_name = !name.is_empty() && !name.contains(char::is_control);
            let is_sound = is_sum && is_name;
            let earlier = sums.insert(name.to_owned(), sum.to_owned());
            (is_sound && earlier.is_none()).then_some(())?;
        }
        Some(Self(sums))
    }

    /// One line a file, sorted by name.
    pub fn to_text(&self) -> String {
        self.0
            .iter()
            .map(|(name, sum)| format!("{sum}  {name}\n"))
            .collect()
    }

    /// The names of the files, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Whether this file is listed with this content.
    pub fn holds(&self, name: &str, bytes: &[u8]) -> bool {
        self.0.get(name).is_some_and(|sum| *sum == sha256(bytes))
    }

    /// The digest of the whole: the SHA-256 of [`Checksums::to_text`].
    pub fn digest(&self) -> String {
        format!("sha256:{}", sha256(self.to_text().as_bytes()))
    }
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Checksums {
        Checksums::of([("b", b"abc".as_slice()), ("a", b"".as_slice())])
    }

    #[test]
    fn the_text_is_what_sha256sum_reads() {
        assert_eq!(
            example().to_text(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  a\n\
             ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  b\n"
        );
    }

    #[test]
    fn the_text_reads_back() {
        assert_eq!(Checksums::parse(&example().to_text()), Some(example()));
    }

    #[test]
    fn a_changed_byte_or_an_unlisted_file_is_not_held() {
        assert!(example().holds("b", b"abc"));
        assert!(!example().holds("b", b"abd"));
        assert!(!example().holds("c", b"abc"));
    }

    #[test]
    fn a_line_that_is_not_a_checksum_is_refused() {
        assert_eq!(Checksums::parse("abc  a\n"), None);
        assert_eq!(Checksums::parse("nonsense\n"), None);
        let sum = "0".repeat(64);
        assert!(Checksums::parse(&format!("{sum}  a\n{sum}  b\n")).is_some());
        for other in ["X".repeat(64), "A".repeat(64), "é".repeat(32)] {
            assert_eq!(Checksums::parse(&format!("{other}  a\n")), None);
        }
        for name in ["", "a\r", "a\u{7f}b"] {
            assert_eq!(Checksums::parse(&format!("{sum}  {name}")), None);
        }
    }

    #[test]
    fn a_file_that_is_listed_twice_is_refused() {
        let [one, other] = ["0", "1"].map(|digit| digit.repeat(64));
        assert_eq!(Checksums::parse(&format!("{one}  a\n{other}  a\n")), None);
    }
}
