//! Results to standard output, errors of the pipe included.

use std::io::{self, Write};

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
