//! Results to standard output, errors of the pipe included.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

/// What stands below everything that a model or a run has found.
pub(super) const RESEARCH: &str = "Research use only: a physician confirms every positive.\n";

/// How a result is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// Text for people.
    #[default]
    Table,
    /// One JSON document.
    Json,
    /// One YAML document.
    Yaml,
}

/// Prints a result in a format; `table` makes the text for people.
///
/// # Errors
/// As [`print`], and a result that cannot be written in the format.
pub(super) fn print_as<T: Serialize>(
    format: Format,
    result: &T,
    table: impl FnOnce(&T) -> String,
) -> io::Result<()> {
    match format {
        Format::Table => print(&table(result)),
        Format::Json => print(&(serde_json::to_string_pretty(result)? + "\n")),
        Format::Yaml => {
            let yaml = serde_saphyr::to_string(result);
            print(&yaml.map_err(io::Error::other)?)
        }
    }
}

/// Writes a result to standard output; a reader that has left early is not an error.
///
/// # Errors
/// Any other failure to write.
pub(super) fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
    {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Writes a new file that the user alone may read, for what tells of patients.
///
/// # Errors
/// Whatever keeps it from being written, a file of that name among it: it might be the labels themselves.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    private().create_new(true).open(path)?.write_all(bytes)
}

/// Writes a file that the user alone may read, in the place of one that there may be.
///
/// # Errors
/// Whatever keeps it from being written.
pub(super) fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file: File = private().create(true).truncate(true).open(path)?;
    file.write_all(bytes)
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_tells_of_patients_is_for_the_user_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let mode = |path: &Path| {
            let metadata = fs::metadata(path).expect("should be there");
            metadata.permissions().mode() & 0o777
        };
        let new = folder.path().join("new");
        write_new(&new, b"1").expect("should be written");
        assert_eq!(mode(&new), 0o600);
        assert!(write_new(&new, b"2").is_err());
        let drawn = folder.path().join("drawn");
        write_private(&drawn, b"longer").expect("should be written");
        write_private(&drawn, b"short").expect("should be written");
        assert_eq!(mode(&drawn), 0o600);
        assert_eq!(fs::read(&drawn).expect("should be read"), b"short");
    }
}
