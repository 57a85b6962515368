//! Bundles from a store.

use std::collections::BTreeMap;

use snafu::ResultExt;

use super::TaskError;
use super::bundle_folder::{BundleFolder, BundleSnafu, ModelError};
use super::failure::OrFail;
use super::screener::Screener;
use super::task_io::{self, ScreeningIo, TaskIo};
use attrium_api::{ModelPlace, ModelSource};
use attrium_bundle as bundle;
use attrium_bundle::{Checksums, Demands, Model, SignaturePolicy};
use attrium_dataset::CohortDigests;
use attrium_nn::Device;
use attrium_storage::StorageOptions;
use attrium_workflow::TaskExit;

impl From<ModelError> for TaskError {
    /// For every task of a screening it stays as it is.
    fn from(error: ModelError) -> Self {
        match error.exit() {
            TaskExit::BadConfiguration => Self::bad_configuration(error),
            _ => Self::retry(error),
        }
    }
}

/// Opens the bundle in a folder, if it is what is demanded; every byte is checked, and nothing else is read.
///
/// # Errors
/// [`ModelError`].
pub fn open_model(
    uri: &str,
    demands: &Demands,
    options: &StorageOptions,
    device: &Device,
) -> Result<Model, ModelError> {
    let (model, _) = open_files(uri, demands, options, device)?;
    Ok(model)
}

/// The same, with the bundle's files.
pub(super) fn open_files(
    uri: &str,
    demands: &Demands,
    options: &StorageOptions,
    device: &Device,
) -> Result<(Model, BTreeMap<String, Vec<u8>>), ModelError> {
    let folder = BundleFolder::open(uri, options)?;
    let checksums = folder.checksums()?;
    let signature = if demands.signatures.looks_at_signatures() {
        folder.signature()?
    } else {
        None
    };
    let proof = demands.check(&checksums, signature.as_deref());
    let proof = proof.context(BundleSnafu { uri })?;
    let files = folder.files(checksums)?;
    let mut model = Model::open(&files, device).context(BundleSnafu { uri })?;
    model.approval = proof.approval;
    Ok((model, files))
}

/// Opens the bundle that a manifest names, if it is what the manifest and whoever runs it demand.
///
/// # Errors
/// [`ModelError`].
pub(super) fn open_source<Spec>(
    io: &TaskIo<'_, Spec>,
    source: &ModelSource,
    place: ModelPlace<'_>,
    signatures: &SignaturePolicy,
    device: &Device,
) -> Result<Model, ModelError> {
    if let Some(warning) = io.context.resource.model_warning() {
        tracing::warn!("{warning}");
    }
    let demands = Demands {
        digest: place.digest.map(str::to_owned),
        signatures: SignaturePolicy {
            trusted: signatures.trusted.clone(),
            required: signatures.required || source.require_signed,
        },
    };
    open_model(place.uri, &demands, &io.options, device)
}

/// The files of the bundle that a screening was begun with, by its digest; every byte is checked, and no network made.
pub(super) fn files(
    io: &ScreeningIo<'_>,
    digest: &str,
) -> Result<BTreeMap<String, Vec<u8>>, ModelError> {
    let uri = io.context.model.map_or("", |model| model.uri);
    let folder = BundleFolder::open(uri, &io.options)?;
    let checksums = folder.checksums()?;
    let demands = Demands {
        digest: Some(digest.to_owned()),
        ..Demands::default()
    };
    let checked = demands.check(&checksums, None);
    checked.context(BundleSnafu { uri })?;
    let files = folder.files(checksums)?;
    bundle::compare(&files).context(BundleSnafu { uri })?;
    Ok(files)
}

/// The digest of the bundle in a folder, as its `SHA256SUMS` has it; no other file is read.
///
/// # Errors
/// [`ModelError`].
pub(super) fn digest(uri: &str, options: &StorageOptions) -> Result<String, ModelError> {
    let checksums = BundleFolder::open(uri, options)?.checksums()?;
    let checksums = Checksums::parse(&checksums).context(BundleSnafu { uri })?;
    Ok(checksums.digest())
}

/// The digest of the bundle at a place, if it is the one that was meant, and what tells the scans again that it has
/// seen; of its other files only the checksums are read.
///
/// # Errors
/// [`ModelError`].
pub(super) fn seen(
    place: ModelPlace<'_>,
    options: &StorageOptions,
) -> Result<(String, Option<CohortDigests>), ModelError> {
    let uri = place.uri;
    let folder = BundleFolder::open(uri, options)?;
    let checksums = folder.checksums()?;
    let demands = Demands {
        digest: place.digest.map(str::to_owned),
        ..Demands::default()
    };
    let proof = demands
        .check(&checksums, None)
        .context(BundleSnafu { uri })?;
    Ok((proof.digest, folder.cohort(&checksums)?))
}

/// The model and the threshold that a ScreeningJob asks for.
pub(super) fn screener(
    io: &ScreeningIo<'_>,
    signatures: &SignaturePolicy,
) -> Result<Screener, TaskError> {
    let Some(place) = io.context.model else {
        return Err(TaskError::bad_configuration(
            "the model is not known: name spec.model.uri",
        ));
    };
    let device = task_io::device(&io.spec.compute)?;
    let model = open_source(io, &io.spec.model, place, signatures, &device)?;
    let model = match &io.spec.prevalence {
        Some(prevalence) => model
            .at_prevalence(prevalence.value())
            .or_bad_configuration()?,
        None => model,
    };
    let threshold = model
        .threshold(&io.spec.operating_point)
        .or_bad_configuration()?;
    let tracers = io.spec.tracers.clone();
    Ok(Screener::new(model, threshold, io.spec.lossy, tracers))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use attrium_bundle::{CHECKSUMS, SIGNATURE};

    /// Why the bundle in a folder is not opened.
    fn refusal(folder: &Path, demands: &Demands) -> TaskError {
        let uri = folder.to_str().expect("a path in UTF-8");
        let options = StorageOptions::default();
        let opened = open_model(uri, demands, &options, &attrium_nn::cpu());
        TaskError::from(opened.expect_err("should be no bundle"))
    }

    /// What a task ends with that cannot open the bundle in a folder.
    fn exit(folder: &Path) -> TaskExit {
        refusal(folder, &Demands::default()).exit()
    }

    /// Makes a file of so many bytes, all of them holes.
    fn put_holes(folder: &Path, name: &str, size: u64) {
        let file = std::fs::File::create(folder.join(name)).expect("a file");
        file.set_len(size).expect("a long file");
    }

    /// A folder whose `SHA256SUMS` lists one file.
    fn folder_of(name: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        let sums = format!("{}  {name}\n", "0".repeat(64));
        std::fs::write(folder.path().join(CHECKSUMS), sums).expect("a file");
        folder
    }

    #[test]
    fn a_file_that_is_too_large_is_refused_before_it_is_read() {
        let table = [
            ("bundle.json", 1 << 30),
            ("weights.safetensors", 5 << 30),
            (CHECKSUMS, 1 << 20),
            (SIGNATURE, 1 << 20),
        ];
        for (name, size) in table {
            let folder = folder_of(if size < 1 << 30 { "bundle.json" } else { name });
            put_holes(folder.path(), name, size);
            let signatures = SignaturePolicy {
                required: name == SIGNATURE,
                ..SignaturePolicy::default()
            };
            let demands = Demands {
                signatures,
                ..Demands::default()
            };
            let refusal = refusal(folder.path(), &demands);
            assert_eq!(refusal.exit(), TaskExit::BadConfiguration);
            let words = format!("{name} has {size} bytes, more than the");
            let sentence = refusal.sentence();
            assert!(sentence.contains(&words), "{sentence}");
        }
    }

    #[test]
    fn an_exchanged_bundle_is_refused_before_any_other_file_is_read() {
        let folder = folder_of("bundle.json");
        let demands = Demands {
            digest: Some("sha256:1".to_owned()),
            ..Demands::default()
        };
        let refusal = refusal(folder.path(), &demands);
        assert_eq!(refusal.exit(), TaskExit::BadConfiguration);
        let sentence = refusal.sentence();
        assert!(sentence.contains("and not sha256:1,"), "{sentence}");
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
