//! `SHA256SUMS`: the checksum of every other file of a bundle.
//!
//! It has one form only: a line for each file in the order of their names, each with 64 small hexadecimal
//! digits, two blanks and a name that leads nowhere, and a line feed. So whoever computes the SHA-256 of
//! the file has the bundle's digest, and no two files say the same.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use snafu::ensure;

use super::error::{ChecksumsSnafu, Error, IncompleteSnafu};
use super::{CHECKSUMS, SIGNATURE};

/// The largest `SHA256SUMS`, in bytes.
pub const LARGEST_CHECKSUMS: u64 = 64 << 10;
/// The most files that a bundle has: a pair for each of 20 folds, and a few more.
const MOST_FILES: usize = 64;
/// The longest name of a file, in bytes.
const LONGEST_NAME: usize = 128;

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

    /// Reads what [`Checksums::to_text`] wrote, and nothing that differs from it by a byte.
    ///
    /// # Errors
    /// [`Error::Incomplete`] for a file without a line, [`Error::Checksums`] with the first line that is
    /// not as it has to be.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        ensure!(
            bytes.len() as u64 <= LARGEST_CHECKSUMS,
            ChecksumsSnafu {
                line: 1_usize,
                fault: "begins a file that is too large"
            }
        );
        let mut sums = BTreeMap::new();
        for (index, line) in bytes.split_inclusive(|&byte| byte == b'\n').enumerate() {
            let line_number = index + 1;
            let refuse = |fault| ChecksumsSnafu {
                line: line_number,
                fault,
            };
            let (sum, name) = entry(line).map_err(|fault| refuse(fault).build())?;
            let is_next = sums.last_key_value().is_none_or(|(last, _)| *last < name);
            ensure!(
                is_next,
                refuse("names a file that is not after the last one")
            );
            ensure!(index < MOST_FILES, refuse("is one too many"));
            sums.insert(name, sum);
        }
        ensure!(!sums.is_empty(), IncompleteSnafu);
        Ok(Self(sums))
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

    /// Whether a file is listed.
    pub fn lists(&self, name: &str) -> bool {
        self.0.contains_key(name)
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

/// A line's checksum and name, or what is wrong with it.
fn entry(line: &[u8]) -> Result<(String, String), &'static str> {
    let line = line.strip_suffix(b"\n");
    let line = line.ok_or("does not end in a line feed")?;
    let (sum, rest) = line
        .split_at_checked(64)
        .ok_or("is not a checksum and a name")?;
    let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if !sum.iter().all(is_digit) {
        return Err("does not begin with 64 small hexadecimal digits");
    }
    let name = rest.strip_prefix(b"  ");
    let name = name.ok_or("has no two blanks between checksum and name")?;
    let name = std::str::from_utf8(name).map_err(|_| "has a name that is not UTF-8")?;
    check_name(name)?;
    Ok((String::from_utf8_lossy(sum).into_owned(), name.to_owned()))
}

/// Refuses a name that is no plain file's within the bundle.
fn check_name(name: &str) -> Result<(), &'static str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    if name.is_empty() || name.len() > LONGEST_NAME {
        return Err("has no name, or one that is too long");
    }
    if name.starts_with('.') || !name.bytes().all(is_plain) {
        return Err(
            "has a name that is not plain: letters, digits, '.', '-' and '_', and no '.' at its start",
        );
    }
    if [CHECKSUMS, SIGNATURE].contains(&name) {
        return Err("lists SHA256SUMS itself or its signature");
    }
    Ok(())
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn example() -> Checksums {
        Checksums::of([("b", b"abc".as_slice()), ("a", b"".as_slice())])
    }

    /// The error of a text made of the example's by a change, which has to change it.
    fn refused(change: impl FnOnce(&str) -> String) -> String {
        let text = example().to_text();
        let changed = change(&text);
        assert_ne!(changed, text);
        Checksums::parse(changed.as_bytes())
            .unwrap_err()
            .to_string()
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
        let read = Checksums::parse(example().to_text().as_bytes()).unwrap();
        assert_eq!(read, example());
    }

    #[test]
    fn a_changed_byte_or_an_unlisted_file_is_not_held() {
        assert!(example().holds("b", b"abc"));
        assert!(!example().holds("b", b"abd"));
        assert!(!example().holds("c", b"abc"));
    }

    #[test]
    fn what_is_not_of_the_one_form_is_refused_by_its_line_and_fault() {
        type Change = fn(&str) -> String;
        let table: [(&str, &str, Change); 14] = [
            ("line 1", "not a checksum and a name", |_| {
                "abc  a\n".to_owned()
            }),
            ("line 2", "does not end in a line feed", |text| {
                text.trim_end().to_owned()
            }),
            ("line 1", "is not plain", |text| text.replace('\n', "\r\n")),
            ("line 1", "small hexadecimal", |text| {
                text.replace("e3b0", "E3B0")
            }),
            ("line 1", "small hexadecimal", |text| {
                text.replace("e3b0", "g3b0")
            }),
            ("line 1", "two blanks", |text| text.replace("  a", " *a")),
            ("line 3", "not after the last one", |text| {
                format!("{text}{}", text.lines().last().unwrap().to_owned() + "\n")
            }),
            ("line 2", "not after the last one", |text| {
                text.replace("  a\n", "  c\n")
            }),
            ("line 2", "is not plain", |text| {
                text.replace("  b\n", "  ../b\n")
            }),
            ("line 2", "is not plain", |text| {
                text.replace("  b\n", "  /b\n")
            }),
            ("line 2", "is not plain", |text| {
                text.replace("  b\n", "  b\\c\n")
            }),
            ("line 2", "no name", |text| text.replace("  b\n", "  \n")),
            ("line 1", "SHA256SUMS itself", |text| {
                text.replace("  a\n", "  SHA256SUMS.minisig\n")
            }),
            ("line 3", "not a checksum and a name", |text| {
                format!("{text}\n")
            }),
        ];
        for (line, fault, change) in table {
            let message = refused(change);
            assert!(message.contains(line), "{line}: {message}");
            assert!(message.contains(fault), "{fault}: {message}");
        }
    }

    #[test]
    fn a_file_of_checksums_is_bounded() {
        let entries = |count: usize| -> String {
            let line = |index: usize| format!("{}  f{index:03}\n", "0".repeat(64));
            (0..count).map(line).collect()
        };
        assert!(Checksums::parse(entries(MOST_FILES).as_bytes()).is_ok());
        let error = Checksums::parse(entries(MOST_FILES + 1).as_bytes()).unwrap_err();
        assert!(error.to_string().contains("is one too many"), "{error}");
        let long = vec![b'0'; 1 + LARGEST_CHECKSUMS as usize];
        let error = Checksums::parse(&long).unwrap_err().to_string();
        assert!(error.contains("too large"), "{error}");
        assert!(matches!(Checksums::parse(b""), Err(Error::Incomplete)));
    }

    proptest! {
        #[test]
        fn whatever_is_read_is_written_back_byte_by_byte(
            lines in prop::collection::vec(("[0-9a-f]{62,65}", " {1,3}", "[a-c./]{0,3}", "\r?\n?"), 0..4),
        ) {
            let text: String = lines.into_iter().map(|(a, b, c, d)| a + &b + &c + &d).collect();
            if let Ok(sums) = Checksums::parse(text.as_bytes()) {
                prop_assert_eq!(sums.to_text(), text);
            }
        }

        #[test]
        fn no_bytes_make_the_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Checksums::parse(&bytes);
        }
    }
}
