//! Signatures that approve a bundle: minisign's, of its `SHA256SUMS`, in a file beside it.
//!
//! minisign's own crate does the cryptography. What it is given is checked here first, since a signature
//! lies where anybody may have written it.

use std::fmt;
use std::io::Cursor;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use minisign::SignatureBox;
use snafu::{OptionExt, Snafu, ensure};

use super::error::{Error, ForgedSnafu, UnreadableSignatureSnafu, UntrustedSnafu};

/// The largest file of a signature or of a key, in bytes: minisign's comments have nine thousand at most.
pub const LARGEST_SIGNATURE: u64 = 16 << 10;
/// The bytes of an algorithm, a key's id and a signature.
const SIGNATURE_BYTES: usize = 2 + 8 + 64;
/// The bytes of the signature of the first one and the trusted comment.
const GLOBAL_SIGNATURE_BYTES: usize = 64;
/// The algorithm of a public key.
const ED25519: &[u8] = b"Ed";

/// A key's id, by which minisign tells keys from one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyId([u8; 8]);

impl KeyId {
    fn new(keynum: &[u8]) -> Self {
        let mut id = [0; 8];
        for (to, from) in id.iter_mut().zip(keynum) {
            *to = *from;
        }
        Self(id)
    }
}

impl fmt::Display for KeyId {
    /// As minisign writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016X}", u64::from_le_bytes(self.0))
    }
}

/// A text that is no public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Snafu)]
#[snafu(display(
    "it is no public key of minisign's: use the second line of its .pub file, 56 characters that begin with RW"
))]
pub struct InvalidPublicKey;

/// A public key, whose signatures approve bundles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey(minisign::PublicKey);

impl PublicKey {
    /// The key's id.
    pub fn id(&self) -> KeyId {
        KeyId::new(self.0.keynum())
    }
}

impl From<minisign::PublicKey> for PublicKey {
    fn from(key: minisign::PublicKey) -> Self {
        Self(key)
    }
}

impl FromStr for PublicKey {
    type Err = InvalidPublicKey;

    /// Reads a key, or a whole file of one with its comment.
    fn from_str(text: &str) -> Result<Self, InvalidPublicKey> {
        let mut lines = text.trim().lines().rev();
        let key = lines.next().context(InvalidPublicKeySnafu)?.trim();
        let is_file = |comment: &str| comment.starts_with("untrusted comment:");
        let has_sense = match (lines.next(), lines.next()) {
            (None, None) => true,
            (Some(comment), None) => is_file(comment),
            _ => false,
        };
        ensure!(has_sense, InvalidPublicKeySnafu);
        let key = minisign::PublicKey::from_base64(key).ok();
        let key = key.context(InvalidPublicKeySnafu)?;
        ensure!(key.to_bytes().starts_with(ED25519), InvalidPublicKeySnafu);
        Ok(Self(key))
    }
}

impl fmt::Display for PublicKey {
    /// The line that [`PublicKey::from_str`] reads.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_base64())
    }
}

/// Who has approved a bundle, and what they have said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// The key that has signed it.
    pub key: KeyId,
    /// What was signed with it: minisign's trusted comment.
    pub comment: String,
}

/// A signature of a `SHA256SUMS`, which may be anybody's.
pub(crate) struct Signature(SignatureBox);

impl Signature {
    /// Reads a file of a signature.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let text = std::str::from_utf8(bytes)
            .ok()
            .filter(|text| is_sound(text));
        let signature = text.and_then(|text| SignatureBox::from_string(text).ok());
        let signature = signature.context(UnreadableSignatureSnafu)?;
        Ok(Self(signature))
    }

    /// Judges it by the keys that are trusted.
    pub(crate) fn verify(&self, signed: &[u8], keys: &[PublicKey]) -> Result<Approval, Error> {
        let key = KeyId::new(self.0.keynum());
        let mut of_this_id = keys.iter().filter(|it| it.id() == key).peekable();
        let trusted = || ids(keys);
        ensure!(
            of_this_id.peek().is_some(),
            UntrustedSnafu {
                key,
                trusted: trusted()
            }
        );
        let is_by = |it: &PublicKey| {
            minisign::verify(&it.0, &self.0, Cursor::new(signed), true, false, true).is_ok()
        };
        ensure!(of_this_id.any(is_by), ForgedSnafu { key });
        let comment = self.0.trusted_comment().unwrap_or_default();
        Ok(Approval { key, comment })
    }
}

/// The ids of keys, as a sentence has them.
pub(crate) fn ids(keys: &[PublicKey]) -> String {
    let ids: Vec<_> = keys.iter().map(|key| key.id().to_string()).collect();
    ids.join(", ")
}

/// Whether a text has the four lines of a signature, with as many bytes as minisign takes for granted.
fn is_sound(text: &str) -> bool {
    let has_bytes = |line: &str, count: usize| {
        let decoded = STANDARD.decode(line.trim());
        decoded.is_ok_and(|bytes| bytes.len() == count)
    };
    let is_control = |character: char| character.is_control() && character != '\t';
    let lines: Vec<&str> = text.lines().collect();
    let [_, signature, _, global] = lines[..] else {
        return false;
    };
    text.len() as u64 <= LARGEST_SIGNATURE
        && has_bytes(signature, SIGNATURE_BYTES)
        && has_bytes(global, GLOBAL_SIGNATURE_BYTES)
        && !lines.iter().any(|line| line.contains(is_control))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Published with minisign's own test of verification.
    const KEY: &str = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";
    const LEGACY: &str = "untrusted comment: signature from minisign secret key
RWQf6LRCGA9i59SLOFxz6NxvASXDJeRtuZykwQepbDEGt87ig1BNpWaVWuNrm73YiIiJbq71Wi+dP9eKL8OC351vwIasSSbXxwA=
trusted comment: timestamp:1555779966\tfile:test
QtKMXWyYcwdpZAlPF7tE2ENJkRd1ujvKjlj1m9RtHTBnZPa5WKU5uWRs5GoP5M/VqE81QFuMKI5k/SfNQUaOAA==
";
    const PREHASHED: &str = "untrusted comment: signature from minisign secret key
RUQf6LRCGA9i559r3g7V1qNyJDApGip8MfqcadIgT9CuhV3EMhHoN1mGTkUidF/z7SrlQgXdy8ofjb7bNJJylDOocrCo8KLzZwo=
trusted comment: timestamp:1556193335\tfile:test
y/rUw2y8/hOUYjZU71eHp/Wo1KZ40fGy2VJEDl34XMJM+TX48Ss/17u3IvIfbVR1FkZZSNCisQbuQY+bHwhEBg==
";

    fn key() -> PublicKey {
        KEY.parse().unwrap()
    }

    fn verify(signature: &str, signed: &[u8]) -> Result<Approval, Error> {
        Signature::parse(signature.as_bytes())?.verify(signed, &[key()])
    }

    #[test]
    fn minisigns_own_signatures_are_verified() {
        for (signature, time) in [(LEGACY, "1555779966"), (PREHASHED, "1556193335")] {
            let approval = verify(signature, b"test").unwrap();
            assert_eq!(approval.key.to_string(), "E7620F1842B4E81F");
            assert_eq!(approval.comment, format!("timestamp:{time}\tfile:test"));
            let forged = verify(signature, b"Test").unwrap_err();
            assert!(matches!(forged, Error::Forged { .. }), "{forged}");
        }
    }

    #[test]
    fn a_changed_comment_or_signature_is_no_approval() {
        let changes = [
            PREHASHED.replace("1556193335", "1556193336"),
            PREHASHED.replace("RUQf6LRCGA9i559r", "RUQf6LRCGA9i559s"),
            PREHASHED.replace("y/rUw2y8", "y/rUw2y9"),
        ];
        for changed in changes {
            assert_ne!(changed, PREHASHED);
            let forged = verify(&changed, b"test").unwrap_err();
            assert!(matches!(forged, Error::Forged { .. }), "{forged}");
        }
    }

    #[test]
    fn a_signature_by_another_key_is_told_apart_from_a_forged_one() {
        let changed = PREHASHED.replace("RUQf6LRC", "RUQf6LRD");
        let message = verify(&changed, b"test").unwrap_err().to_string();
        assert!(message.contains("E7620F1843B4E81F"), "{message}");
        assert!(message.contains("E7620F1842B4E81F"), "{message}");
    }

    #[test]
    fn a_file_that_is_no_signature_is_refused_before_it_is_used() {
        let short = STANDARD.encode([7; 20]);
        let lines: Vec<&str> = PREHASHED.lines().collect();
        let with = |line: usize, text: &str| {
            let mut lines = lines.clone();
            lines[line] = text;
            lines.join("\n")
        };
        for text in [
            String::new(),
            "nonsense".to_owned(),
            format!("{PREHASHED}more\n"),
            with(1, &short),
            with(3, &short),
            with(0, "a comment"),
            with(2, "trusted comment: \u{1b}[2J"),
        ] {
            let refused = verify(&text, b"test").unwrap_err();
            assert!(matches!(refused, Error::UnreadableSignature), "{text:?}");
        }
    }

    #[test]
    fn a_public_key_is_read_from_its_line_and_from_its_file() {
        let file = format!("untrusted comment: minisign public key E7620F1842B4E81F\n{KEY}\n");
        assert_eq!(file.parse(), Ok(key()));
        assert_eq!(key().to_string(), KEY);
        for text in ["", "minisign.pub", &KEY[1..], &format!("x\n{KEY}"), LEGACY] {
            assert_eq!(text.parse::<PublicKey>(), Err(InvalidPublicKey), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_verification_panic(
            lines in prop::collection::vec("[A-Za-z0-9+/=:\t ]{0,120}", 4..5),
            bytes in prop::collection::vec(any::<u8>(), 0..74),
        ) {
            let _ = verify(&lines.join("\n"), b"test");
            let comments = ["untrusted comment: a", "trusted comment: b"];
            let encoded = STANDARD.encode(&bytes);
            let text = [comments[0], &encoded, comments[1], &encoded].join("\n");
            let _ = verify(&text, b"test");
            let _ = Signature::parse(&bytes);
        }
    }
}
