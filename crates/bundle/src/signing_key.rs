//! Secret keys, and what is signed with them. They are minisign's own, with or without a password.

use std::fmt;
use std::io::Cursor;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use minisign::{KeyPair, SecretKeyBox};
use snafu::{OptionExt, ResultExt, Snafu, ensure};

use super::PublicKey;
use super::signature::Signature;

/// The bytes of a secret key, with what its password is stretched by and its checksum.
const KEY_BYTES: usize = 158;
/// The algorithm of a key.
const ED25519: &[u8] = b"Ed";
/// How the password of a key is stretched, where it has one.
const SCRYPT: &[u8] = b"Sc";

/// Why a secret key cannot be used or made.
#[derive(Debug, Snafu)]
pub enum KeyError {
    /// The text is none.
    #[snafu(display(
        "it is no secret key of minisign's: give the file that was made with the public key"
    ))]
    NotAKey,
    /// It does not open.
    #[snafu(display("it cannot be opened: check the password, or copy it again"))]
    Open {
        /// What minisign says.
        source: minisign::PError,
    },
    /// The key has a password, and none was given.
    #[snafu(display(
        "it is kept under a password: run this at a terminal, or give --password-file"
    ))]
    Password,
    /// What it signs is not what its public half verifies.
    #[snafu(display("its two halves do not belong together: copy the key again"))]
    Damaged,
    /// An empty password protects nothing.
    #[snafu(display("the password is empty: choose one"))]
    EmptyPassword,
    /// It cannot be made or used.
    #[snafu(display("minisign cannot work with it"))]
    Minisign {
        /// What minisign says.
        source: minisign::PError,
    },
}

/// A secret key, to approve bundles with.
pub struct SigningKey(minisign::SecretKey);

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").finish_non_exhaustive()
    }
}

/// A new key pair, as minisign's two files.
pub struct NewKeys {
    /// The file of the secret key, under its password.
    pub secret: String,
    /// The file of the public key.
    pub public: String,
    /// The public key.
    pub key: PublicKey,
}

impl SigningKey {
    /// Opens the file of a secret key; the password is asked for where it has one.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn open(text: &str, password: Option<&str>) -> Result<Self, KeyError> {
        let key = if Self::has_password(text)? {
            // Without one minisign would ask for it itself.
            let password = password.context(PasswordSnafu)?.to_owned();
            let file = SecretKeyBox::from_string(text);
            file.and_then(|file| file.into_secret_key(Some(password)))
        } else {
            // The program writes no checksum into such a key, which its crate would miss.
            minisign::SecretKey::from_bytes(&decoded(text)?)
        };
        Ok(Self(key.context(OpenSnafu)?))
    }

    /// Whether the file of a secret key is kept under a password.
    ///
    /// # Errors
    /// [`KeyError::NotAKey`].
    pub fn has_password(text: &str) -> Result<bool, KeyError> {
        Ok(decoded(text)?[ED25519.len()..].starts_with(SCRYPT))
    }

    /// Makes a key pair.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn generate(password: &str) -> Result<NewKeys, KeyError> {
        ensure!(!password.is_empty(), EmptyPasswordSnafu);
        let pair = KeyPair::generate_encrypted_keypair(Some(password.to_owned()));
        let KeyPair { pk, sk } = pair.context(MinisignSnafu)?;
        let secret = sk.to_box(Some("attrium: secret key to approve models with"));
        Ok(NewKeys {
            secret: secret.context(MinisignSnafu)?.into_string(),
            public: pk.to_box().context(MinisignSnafu)?.into_string(),
            key: PublicKey::from(pk),
        })
    }

    /// A new key without a password.
    #[cfg(test)]
    pub(crate) fn unprotected() -> Self {
        Self(KeyPair::generate_unencrypted_keypair().unwrap().sk)
    }

    /// The public key.
    ///
    /// # Errors
    /// [`KeyError::Minisign`].
    pub fn public(&self) -> Result<PublicKey, KeyError> {
        let key = minisign::PublicKey::from_secret_key(&self.0);
        key.map(PublicKey::from).context(MinisignSnafu)
    }

    /// Signs the content of a `SHA256SUMS`, and with it a comment of one line; returns the signature's file.
    ///
    /// # Errors
    /// [`KeyError::Minisign`].
    pub fn sign(&self, checksums: &[u8], comment: &str) -> Result<String, KeyError> {
        let about = "signature of an attrium model bundle";
        let signed = minisign::sign(
            None,
            &self.0,
            Cursor::new(checksums),
            Some(comment),
            Some(about),
        );
        let file = signed.context(MinisignSnafu)?.into_string();
        let keys = [self.public()?];
        let judged = Signature::parse(file.as_bytes()).and_then(|it| it.verify(checksums, &keys));
        ensure!(judged.is_ok(), DamagedSnafu);
        Ok(file)
    }
}

/// The bytes of the file of a secret key.
fn decoded(text: &str) -> Result<Vec<u8>, KeyError> {
    let line = text.lines().nth(1).context(NotAKeySnafu)?;
    let key = STANDARD.decode(line.trim()).ok().context(NotAKeySnafu)?;
    let is_key = key.len() == KEY_BYTES && key.starts_with(ED25519);
    is_key.then_some(key).context(NotAKeySnafu)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by minisign 0.11 with `-G -W`, for this test alone.
    const SECRET: &str = "untrusted comment: minisign encrypted secret key
RWQAAEIyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAASmKALjOTRKZRAHJSSE/W98WK9vM59c00Wa7FVyxot3EAvZqMTB3HcIsiWKTWEh5xo9d9MsGptoOW8BDVuQ3ggVPy/XlVD5cnAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
";
    const PUBLIC: &str = "RWRKYoAuM5NEposiWKTWEh5xo9d9MsGptoOW8BDVuQ3ggVPy/XlVD5cn";

    #[test]
    fn what_a_key_of_minisigns_signs_is_verified_by_its_public_key() {
        let key = SigningKey::open(SECRET, None).unwrap();
        let public: PublicKey = PUBLIC.parse().unwrap();
        assert_eq!(key.public().unwrap(), public);
        let file = key.sign(b"sums", "bundle:Residual-Positive").unwrap();
        let signature = Signature::parse(file.as_bytes()).unwrap();
        let approval = signature
            .verify(b"sums", std::slice::from_ref(&public))
            .unwrap();
        assert_eq!(approval.key, public.id());
        assert_eq!(approval.comment, "bundle:Residual-Positive");
        assert!(signature.verify(b"other", &[public]).is_err());
    }

    #[test]
    fn a_new_key_opens_with_its_password_alone() {
        let NewKeys {
            secret,
            public,
            key,
        } = SigningKey::generate("correct horse").unwrap();
        assert_eq!(public.parse(), Ok(key.clone()));
        assert!(matches!(
            SigningKey::open(&secret, None),
            Err(KeyError::Password)
        ));
        let wrong = SigningKey::open(&secret, Some("wrong"));
        assert!(matches!(wrong, Err(KeyError::Open { .. })));
        let opened = SigningKey::open(&secret, Some("correct horse")).unwrap();
        assert_eq!(opened.public().unwrap(), key);
        assert!(SigningKey::generate("").is_err());
    }

    #[test]
    fn a_file_that_is_no_secret_key_is_not_asked_a_password_for() {
        for text in ["", "nonsense", PUBLIC, &SECRET.replace("RWQ", "RUQ")] {
            let refused = SigningKey::open(text, None);
            assert!(matches!(refused, Err(KeyError::NotAKey)), "{text:?}");
        }
    }

    #[test]
    fn a_damaged_key_signs_nothing() {
        let damaged = SECRET.replace("7FVyxot3", "7FVyxot4");
        assert_ne!(damaged, SECRET);
        let key = SigningKey::open(&damaged, None).unwrap();
        assert!(matches!(
            key.sign(b"sums", "comment"),
            Err(KeyError::Damaged)
        ));
    }

    #[test]
    fn no_secret_is_told_of_a_key() {
        let key = SigningKey::open(SECRET, None).unwrap();
        assert_eq!(format!("{key:?}"), "SigningKey { .. }");
    }
}
