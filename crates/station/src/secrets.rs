//! Secrets as files: a folder for each, as a pod mounts them and as one machine has them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use snafu::{OptionExt, ResultExt, Snafu, ensure};

/// The largest file of a secret.
const LARGEST: u64 = 1 << 20;

/// Where secrets are.
#[derive(Clone, Debug)]
pub struct Secrets {
    folder: Option<PathBuf>,
}

/// A secret that cannot be used.
#[derive(Debug, Snafu)]
pub enum SecretError {
    /// Nobody has said where secrets are.
    #[snafu(display(
        "the manifest names the secret {secret}: say with --secrets where secrets are"
    ))]
    NoFolder {
        /// The secret's name.
        secret: String,
    },
    /// A file of it is needed and not there, or cannot be read.
    #[snafu(display("the secret's file {} cannot be read", path.display()))]
    Read {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// A file of it is no text, or far too large.
    #[snafu(display("the secret's file {} is no text of a usual size", path.display()))]
    Unusable {
        /// The file.
        path: PathBuf,
    },
}

impl Secrets {
    /// The secrets below a folder.
    pub fn new(folder: Option<&Path>) -> Self {
        Self {
            folder: folder.map(Path::to_owned),
        }
    }

    /// A file of a secret, where it is there.
    ///
    /// # Errors
    /// No folder of secrets, and a file that cannot be read.
    pub fn find(&self, secret: &str, file: &str) -> Result<Option<Vec<u8>>, SecretError> {
        let folder = self.folder.as_ref().context(NoFolderSnafu { secret })?;
        let path = folder.join(secret).join(file);
        match fs::metadata(&path) {
            Ok(metadata) => ensure!(metadata.len() <= LARGEST, UnusableSnafu { path }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(_) => {}
        }
        fs::read(&path).map(Some).context(ReadSnafu { path })
    }

    /// A file of a secret that has to be there.
    ///
    /// # Errors
    /// It is not there, or cannot be read.
    pub fn file(&self, secret: &str, file: &str) -> Result<Vec<u8>, SecretError> {
        let folder = self.folder.as_ref().context(NoFolderSnafu { secret })?;
        let path = folder.join(secret).join(file);
        let missing = || io::Error::from(io::ErrorKind::NotFound);
        self.find(secret, file)?
            .ok_or_else(missing)
            .context(ReadSnafu { path })
    }

    /// A file of a secret as a line of text, where it is there.
    ///
    /// # Errors
    /// No folder of secrets, and a file that is no text or cannot be read.
    pub fn text(&self, secret: &str, file: &str) -> Result<Option<String>, SecretError> {
        let Some(bytes) = self.find(secret, file)? else {
            return Ok(None);
        };
        let text = String::from_utf8(bytes)
            .ok()
            .context(UnusableSnafu { path: file })?;
        Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
    }
}

/// A secret that a manifest may name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OptionalSecret<'a> {
    secrets: &'a Secrets,
    name: Option<&'a str>,
}

impl Secrets {
    /// A secret, if a manifest names one; one that is not named has no files.
    pub(crate) fn of<'a>(&'a self, name: Option<&'a str>) -> OptionalSecret<'a> {
        OptionalSecret {
            secrets: self,
            name,
        }
    }
}

impl OptionalSecret<'_> {
    /// As [`Secrets::find`].
    pub(crate) fn find(&self, file: &str) -> Result<Option<Vec<u8>>, SecretError> {
        self.name
            .map_or(Ok(None), |name| self.secrets.find(name, file))
    }

    /// As [`Secrets::text`].
    pub(crate) fn text(&self, file: &str) -> Result<Option<String>, SecretError> {
        self.name
            .map_or(Ok(None), |name| self.secrets.text(name, file))
    }

    /// A user's name and password, where both are there.
    pub(crate) fn login(&self) -> Result<Option<(String, String)>, SecretError> {
        Ok(self.text("username")?.zip(self.text("password")?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_a_folder_of_files() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("hook")).expect("a folder");
        fs::write(folder.path().join("hook/token"), "abc\n").expect("a file");
        let secrets = Secrets::new(Some(folder.path()));
        assert_eq!(
            secrets.text("hook", "token").expect("it"),
            Some("abc".to_owned())
        );
        assert_eq!(secrets.text("hook", "hmac").expect("nothing"), None);
        assert_eq!(secrets.file("hook", "token").expect("it"), b"abc\n");
        let error = secrets.file("hook", "hmac").expect_err("is not there");
        assert!(
            error.to_string().ends_with("hook/hmac cannot be read"),
            "{error}"
        );
    }

    #[test]
    fn whoever_names_a_secret_says_where_secrets_are() {
        let error = Secrets::new(None)
            .find("hook", "token")
            .expect_err("no folder");
        assert!(error.to_string().contains("--secrets"), "{error}");
    }
}
