//! Bundles from a store.

use std::collections::BTreeMap;

use snafu::{ResultExt, Snafu};

use super::TaskError;
use super::failure::OrFail;
use super::screener::Screener;
use super::task_io::{self, ScreeningContext};
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
    /// It is no whole bundle that this attrium reads.
    #[snafu(display("the model bundle at {uri} cannot be used"))]
    Bundle {
        /// The bundle's folder.
        uri: String,
        /// Why.
        source: bundle::Error,
    },
}

impl From<ModelError> for TaskError {
    /// A store that does not answer may answer later; a wrong place or a bundle that is of no use stays
    /// so for every task.
    fn from(error: ModelError) -> Self {
        match &error {
            ModelError::Store { source, .. } if !source.is_bad_place() => Self::other(error),
            ModelError::Store { .. } | ModelError::Bundle { .. } => Self::configuration(error),
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
pub(super) fn screener(run: &ScreeningContext<'_>) -> Result<Screener, TaskError> {
    let Some(uri) = run.context.model else {
        return Err(TaskError::configuration(
            "the model is not known: name spec.model.uri",
        ));
    };
    let device = task_io::device(&run.spec.compute)?;
    let model = open_model(uri, &run.options, &device)?;
    let threshold = model
        .threshold(&run.spec.operating_point)
        .or_bad_configuration()?;
    Ok(Screener {
        model,
        threshold,
        lossy: run.spec.lossy,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_that_is_away_is_tried_again_and_a_bundle_of_no_use_is_not() {
        let uri = "s3://models/m/".to_owned();
        let away = ModelError::Store {
            source: storage::Error::outage(&uri),
            uri,
        };
        assert_eq!(TaskError::from(away).exit_code(), 1);
        let code = |folder: &std::path::Path| {
            let uri = folder.to_str().expect("a path in UTF-8");
            let opened = open_model(uri, &StorageOptions::default(), &attrium_nn::cpu());
            TaskError::from(opened.expect_err("should be no bundle")).exit_code()
        };
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(code(folder.path()), 43);
        std::fs::write(folder.path().join(CHECKSUMS), "nonsense").expect("a file");
        assert_eq!(code(folder.path()), 43);
    }
}
