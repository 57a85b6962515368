//! Public keys and secret keys as arguments: by themselves, or in files.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use snafu::{IntoError, ResultExt, Snafu, ensure};

use attrium_bundle::{InvalidPublicKey, LARGEST_SIGNATURE, PublicKey, SignaturePolicy};
use attrium_storage::StorageOptions;

/// The most keys that are trusted at a time.
const MOST_KEYS: usize = 16;

/// Whose signatures are demanded of a model.
#[derive(Debug, clap::Args)]
pub(super) struct Signatures {
    /// A public key of minisign's, or its file, whose signature approves a model: with any, a bundle whose
    /// signature is not by one of them is refused. May be given up to 16 times.
    #[arg(long = "trusted-key", value_name = "KEY")]
    trusted_keys: Vec<String>,
    /// Refuse a bundle that is not signed by a trusted key.
    #[arg(long)]
    require_signed: bool,
}

impl Signatures {
    /// What is demanded.
    ///
    /// # Errors
    /// A key that cannot be used.
    pub(super) fn policy(&self) -> Result<SignaturePolicy, Error> {
        Ok(SignaturePolicy {
            trusted: public_keys(&self.trusted_keys)?,
            required: self.require_signed,
        })
    }
}

/// Why a key cannot be used.
#[derive(Debug, Snafu)]
pub(super) enum Error {
    #[snafu(display("{} cannot be read: name a key or a file that is there", path.display()))]
    Read { path: PathBuf, source: io::Error },
    #[snafu(display("{} is too large for a key: name a file of one", path.display()))]
    Large { path: PathBuf },
    #[snafu(display("{text} cannot be used as a public key"))]
    Invalid {
        text: String,
        source: InvalidPublicKey,
    },
    #[snafu(display("{count} public keys are too many: name {MOST_KEYS} at most"))]
    TooMany { count: usize },
}

/// Public keys, each by itself or in a file.
///
/// # Errors
/// A key that cannot be used.
pub(super) fn public_keys(texts: &[String]) -> Result<Vec<PublicKey>, Error> {
    let count = texts.len();
    ensure!(count <= MOST_KEYS, TooManySnafu { count });
    texts.iter().map(|text| public_key(text)).collect()
}

fn public_key(text: &str) -> Result<PublicKey, Error> {
    if let Ok(key) = text.parse() {
        return Ok(key);
    }
    let file = read(Path::new(text))?;
    file.parse().context(InvalidSnafu { text })
}

/// How a bundle's store is reached, with these certificate authorities beside the system's.
///
/// # Errors
/// A file that cannot be read.
pub(super) fn store_options(ca_bundle: Option<&Path>) -> Result<StorageOptions, Error> {
    let read_whole = |path: &Path| fs::read(path).context(ReadSnafu { path });
    Ok(StorageOptions {
        ca_bundle: ca_bundle.map(read_whole).transpose()?,
        ..StorageOptions::default()
    })
}

/// The text of a file of a key, which is short.
///
/// # Errors
/// A file that cannot be read.
pub(super) fn read(path: &Path) -> Result<String, Error> {
    let mut bytes = Vec::new();
    let read =
        File::open(path).and_then(|file| file.take(LARGEST_SIGNATURE + 1).read_to_end(&mut bytes));
    read.context(ReadSnafu { path })?;
    ensure!(bytes.len() as u64 <= LARGEST_SIGNATURE, LargeSnafu { path });
    String::from_utf8(bytes).map_err(|error| {
        let source = io::Error::new(io::ErrorKind::InvalidData, error.utf8_error());
        ReadSnafu { path }.into_error(source)
    })
}
