//! `attrium crds`: the custom resource definitions.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use snafu::{ResultExt, Snafu};

use super::output;
use attrium_api::crd::Definition;

/// Prints the custom resource definitions, or writes them to a folder.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  attrium crds | kubectl apply --server-side -f -")]
pub(super) struct Args {
    /// The folder to write one file a kind to; it is made where it is missing.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Why the definitions could not be written.
#[derive(Debug, Snafu)]
pub(super) enum Error {
    #[snafu(display("cannot make the folder {}", path.display()))]
    MakeFolder { path: PathBuf, source: io::Error },
    #[snafu(display("cannot write {}", path.display()))]
    Write { path: PathBuf, source: io::Error },
    #[snafu(display("cannot write to standard output"))]
    Print { source: io::Error },
}

/// Prints or writes the definitions.
pub(super) fn run(args: Args) -> Result<(), Error> {
    match args.out {
        Some(folder) => write(&folder),
        None => {
            let documents = Definition::all().map(|definition| definition.to_yaml());
            output::print(&documents.join("---\n")).context(PrintSnafu)
        }
    }
}

fn write(folder: &Path) -> Result<(), Error> {
    fs::create_dir_all(folder).context(MakeFolderSnafu { path: folder })?;
    for definition in Definition::all() {
        let path = folder.join(definition.file_name());
        fs::write(&path, definition.to_yaml()).context(WriteSnafu { path: &path })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definitions_that_are_kept_are_those_that_are_generated() {
        let folder = tempfile::tempdir().expect("a folder");
        run(Args {
            out: Some(folder.path().to_owned()),
        })
        .expect("should be written");
        let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("crds");
        let names = |folder: &Path| {
            let entries = fs::read_dir(folder).expect("a folder");
            let mut names: Vec<_> = entries
                .map(|entry| entry.expect("an entry").file_name())
                .collect();
            names.sort();
            names
        };
        assert_eq!(names(&kept), names(folder.path()));
        for name in names(&kept) {
            let read = |folder: &Path| fs::read_to_string(folder.join(&name)).expect("a file");
            assert!(
                read(&kept) == read(folder.path()),
                "{} is out of date: run `attrium crds --out crds`",
                name.display()
            );
        }
    }
}
