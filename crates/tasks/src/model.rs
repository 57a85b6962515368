//! Bundles from a store.

use std::collections::BTreeMap;

use snafu::{ResultExt, Snafu};

use super::TaskError;
use super::failure::OrFail;
use super::screener::Screener;
use super::task_io::{self, ScreeningIo};
use attrium_bundle as bundle;
use attrium_bundle::{CHECKSUMS, Model};
use attrium_nn::Device;
use attrium_storage as storage;
use attrium_storage::{Storage, StorageOptions};

/// The largest file of a bundle that is read, in bytes.
const LARGEST: u64 = 4 << 30;

/// Why a model cannot be opened.
#[derive(Debug, Snafu)]
pub enum ModelError {
    /// Its folder or a file of it cannot be read.
    #[snafu(display("the model bundle at {uri} cannot be read"))]
    Store {
        /// The bundle's folder.
        uri: String,
        /// Why.
        source: storage::Error,
    },
    /// It is not whole, or of a version that this attrium does not read.
    #[snafu(display("the model bundle at {uri} cannot be used"))]
    Bundle {
        /// The bundle's folder.
        uri: String,
        /// Why.
        source: bundle::Error,
    },
}

impl From<ModelError> for TaskError {
    /// A store that does not answer may answer later; a wrong place and a bundle of no use stay so for
    /// every task.
    fn from(error: ModelError) -> Self {
        match &error {
            ModelError::Store { source, .. } if !source.is_bad_place() => Self::retry(error),
            ModelError::Store { .. } | ModelError::Bundle { .. } => Self::bad_configuration(error),
        }
    }
}

/// Opens the bundle in a folder; every byte is checked, and nothing else is read.
///
/// # Errors
/// [`ModelError`].
pub fn open_model(
    uri: &str,
    options: &StorageOptions,
    device: &Device,
) -> Result<Model, ModelError> {
    let read = |folder: &Storage, name: &str| {
        let file = folder.get(name, LARGEST);
        file.context(StoreSnafu { uri })
    };
    let folder = Storage::open(uri, options).context(StoreSnafu { uri })?;
    let checksums = read(&folder, CHECKSUMS)?;
    let mut files = BTreeMap::new();
    for name in Model::files(&checksums).context(BundleSnafu { uri })? {
        let bytes = read(&folder, &name)?;
        files.insert(name, bytes);
    }
    files.insert(CHECKSUMS.to_owned(), checksums);
    Model::open(&files, device).context(BundleSnafu { uri })
}

/// The model and the threshold that a ScreeningJob asks for.
pub(super) fn screener(io: &ScreeningIo<'_>) -> Result<Screener, TaskError> {
    let Some(uri) = io.context.model else {
        return Err(TaskError::bad_configuration(
            "the model is not known: name spec.model.uri",
        ));
    };
    let device = task_io::device(&io.spec.compute)?;
    let model = open_model(uri, &io.options, &device)?;
    let threshold = model
        .threshold(&io.spec.operating_point)
        .or_bad_configuration()?;
    Ok(Screener {
        model,
        threshold,
        lossy: io.spec.lossy,
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use attrium_workflow::TaskExit;

    /// What a task ends with that cannot open the bundle in a folder.
    fn exit(folder: &Path) -> TaskExit {
        let uri = folder.to_str().expect("a path in UTF-8");
        let opened = open_model(uri, &StorageOptions::default(), &attrium_nn::cpu());
        TaskError::from(opened.expect_err("should be no bundle")).exit()
    }

    #[test]
    fn a_bundle_of_no_use_is_a_bad_configuration() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(exit(folder.path()), TaskExit::BadConfiguration);
        std::fs::write(folder.path().join(CHECKSUMS), "nonsense").expect("a file");
        assert_eq!(exit(folder.path()), TaskExit::BadConfiguration);
    }

    #[cfg(unix)]
    #[test]
    fn a_store_that_fails_is_tried_again() {
        let folder = tempfile::tempdir().expect("a folder");
        // Nothing can be read from a socket that is opened as a file.
        let socket = folder.path().join(CHECKSUMS);
        let _socket = std::os::unix::net::UnixListener::bind(socket).expect("a socket");
        assert_eq!(exit(folder.path()), TaskExit::Retry);
    }
}
