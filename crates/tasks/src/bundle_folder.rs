//! The folder of a bundle in a store: its files, no more of them than a bundle may have.

use std::collections::BTreeMap;

use snafu::{ResultExt, Snafu};

use attrium_bundle as bundle;
use attrium_bundle::{
    CHECKSUMS, COHORT, Checksums, LARGEST_BUNDLE, LARGEST_CHECKSUMS, LARGEST_SIGNATURE, SIGNATURE,
};
use attrium_dataset::CohortDigests;
use attrium_storage as storage;
use attrium_storage::{Storage, StorageOptions};
use attrium_workflow::TaskExit;

/// Why a bundle cannot be used.
#[derive(Debug, Snafu)]
#[snafu(visibility(pub(super)))]
pub enum ModelError {
    /// Its folder or a file of it cannot be read.
    #[snafu(display("the model bundle at {uri} cannot be read"))]
    Store {
        /// The bundle's folder.
        uri: String,
        /// Why.
        source: storage::Error,
    },
    /// It is not whole, not what was demanded, or of a version that this attrium does not read.
    #[snafu(display("the model bundle at {uri} cannot be used"))]
    Bundle {
        /// The bundle's folder.
        uri: String,
        /// Why.
        source: bundle::Error,
    },
}

impl ModelError {
    /// What it costs who wanted to use the bundle: a store that does not answer may answer later; a wrong
    /// place and a bundle of no use stay so.
    pub fn exit(&self) -> TaskExit {
        match self {
            Self::Store { source, .. } if !source.is_bad_place() => TaskExit::Retry,
            Self::Store { .. } | Self::Bundle { .. } => TaskExit::BadConfiguration,
        }
    }
}

/// The folder of a bundle.
#[derive(Debug)]
pub(super) struct BundleFolder<'a> {
    uri: &'a str,
    storage: Storage,
}

impl<'a> BundleFolder<'a> {
    pub(super) fn open(uri: &'a str, options: &StorageOptions) -> Result<Self, ModelError> {
        let storage = Storage::open(uri, options).context(StoreSnafu { uri })?;
        Ok(Self { uri, storage })
    }

    /// The bundle's `SHA256SUMS`.
    pub(super) fn checksums(&self) -> Result<Vec<u8>, ModelError> {
        self.read(CHECKSUMS, LARGEST_CHECKSUMS)
    }

    /// The signature of that, if there is one.
    pub(super) fn signature(&self) -> Result<Option<Vec<u8>>, ModelError> {
        let file = self.storage.try_get(SIGNATURE, LARGEST_SIGNATURE);
        file.context(StoreSnafu { uri: self.uri })
    }

    /// Puts a signature beside the bundle, in the place of another one.
    pub(super) fn put_signature(&self, file: String) -> Result<(), ModelError> {
        let put = self.storage.put(SIGNATURE, file);
        put.context(StoreSnafu { uri: self.uri })
    }

    /// The bundle's files: those that its `SHA256SUMS` lists, and itself. How large one is, and all of them
    /// are, is looked at before it is read.
    pub(super) fn files(
        &self,
        checksums: Vec<u8>,
    ) -> Result<BTreeMap<String, Vec<u8>>, ModelError> {
        let uri = self.uri;
        let listed = Checksums::parse(&checksums).context(BundleSnafu { uri })?;
        let mut files = BTreeMap::new();
        let mut left = LARGEST_BUNDLE;
        for name in listed.names() {
            let bytes = self.read(name, left.min(bundle::largest(name)))?;
            left = left.saturating_sub(bytes.len() as u64);
            files.insert(name.to_owned(), bytes);
        }
        files.insert(CHECKSUMS.to_owned(), checksums);
        Ok(files)
    }

    /// The digests of what the bundle was trained on, where it keeps some; of its other files none is read.
    pub(super) fn cohort(&self, checksums: &[u8]) -> Result<Option<CohortDigests>, ModelError> {
        let uri = self.uri;
        let listed = Checksums::parse(checksums).context(BundleSnafu { uri })?;
        let mut files = BTreeMap::new();
        if listed.lists(COHORT) {
            let json = self.read(COHORT, bundle::largest(COHORT))?;
            files.insert(COHORT.to_owned(), json);
        }
        bundle::cohort(&files, &listed).context(BundleSnafu { uri })
    }

    fn read(&self, name: &str, limit: u64) -> Result<Vec<u8>, ModelError> {
        let file = self.storage.get(name, limit);
        file.context(StoreSnafu { uri: self.uri })
    }
}
