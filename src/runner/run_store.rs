//! What a run has left: its manifest and its status, below its prefix.

use snafu::ResultExt;

use super::Finished;
use super::error::{
    ChangedSnafu, Error, NoModelSnafu, NotPublishedSnafu, OpenOutputSnafu, ReadOutputSnafu,
    StoredManifestSnafu, WriteOutputSnafu,
};
use attrium_api::{Kind, ModelPlace, Resource, StageStatus, Status, Uid, manifest};
use attrium_storage as storage;
use attrium_storage::{Storage, StorageOptions};
use attrium_tasks::store_options;
use attrium_workflow as workflow;
use attrium_workflow::TaskSpec;
use attrium_workflow::artefacts::{MANIFEST, MARKERS, STATUS};

/// The largest manifest or status that is read back, in bytes.
const LARGEST: u64 = 4 << 20;

/// A run's prefix, open.
pub(super) struct RunStore {
    store: Storage,
    name: String,
    prefix: String,
    uid: Uid,
}

impl RunStore {
    /// Opens the prefix of a resource.
    pub(super) fn open(resource: &Resource, ca_bundle: Option<&[u8]>) -> Result<Self, Error> {
        Self::open_as(resource, workflow::local_uid(resource), ca_bundle)
    }

    /// Opens the prefix of a resource of this uid.
    fn open_as(resource: &Resource, uid: Uid, ca_bundle: Option<&[u8]>) -> Result<Self, Error> {
        let prefix = workflow::prefix(resource, &uid);
        let options = store_options(resource.storage(), ca_bundle);
        Self::at(prefix, uid, full_name(resource), &options)
    }

    fn at(prefix: String, uid: Uid, name: String, options: &StorageOptions) -> Result<Self, Error> {
        let store = Storage::open(&prefix, options).context(OpenOutputSnafu { name: &name })?;
        Ok(Self {
            store,
            name,
            prefix,
            uid,
        })
    }

    /// A prefix in memory.
    #[cfg(test)]
    pub(super) fn in_memory(resource: &Resource, store: Storage) -> Self {
        let uid = workflow::local_uid(resource);
        let prefix = workflow::prefix(resource, &uid);
        Self {
            store,
            name: full_name(resource),
            prefix,
            uid,
        }
    }

    /// The prefix's URI, with a `/` at its end.
    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Begins a run, or goes on with one: keeps the manifest and returns the status so far.
    ///
    /// Once a task has ended well, a spec that may not take the place of the one that was started
    /// is refused.
    pub(super) fn begin(&self, resource: &Resource) -> Result<Status, Error> {
        if !self.has_started()? {
            self.write_manifest(resource)?;
            return Ok(Status::default());
        }
        let status = self.read_status()?;
        if let Some(old) = self.read_manifest()? {
            let stages = vec![StageStatus::default()];
            let started = Status {
                stages,
                ..Status::default()
            };
            let old = self.with_status(&old, started);
            if manifest::check_update(&old, resource).is_err() {
                let fields = manifest::changed_fields(&old, resource).join(", ");
                let (name, prefix) = (&self.name, &self.prefix);
                return ChangedSnafu {
                    name,
                    prefix,
                    fields,
                }
                .fail();
            }
        }
        self.write_manifest(resource)?;
        Ok(status)
    }

    fn write_manifest(&self, resource: &Resource) -> Result<(), Error> {
        self.put(MANIFEST, &self.manifest(resource))
    }

    /// The manifest as it is kept: with its uid and without a status.
    fn manifest(&self, resource: &Resource) -> String {
        let mut resource = self.with_uid(resource);
        resource.set_status(None);
        yaml(&resource)
    }

    /// Whether any task has ended well.
    fn has_started(&self) -> Result<bool, Error> {
        let listed = self.store.at(MARKERS).and_then(|markers| markers.list());
        let first = match listed.map(|mut list| list.next()) {
            Err(storage::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
            Ok(first) => first.transpose(),
        };
        first
            .map(|first| first.is_some())
            .context(ReadOutputSnafu { name: &self.name })
    }

    pub(super) fn write_status(&self, status: &Status) -> Result<(), Error> {
        self.put(STATUS, &yaml(status))
    }

    /// Takes a task's marker away, so that it is done again.
    pub(super) fn forget(&self, task: &TaskSpec) -> Result<(), Error> {
        let file = "a marker";
        self.store.delete(&task.marker).context(WriteOutputSnafu {
            name: &self.name,
            file,
        })
    }

    pub(super) fn with_status(&self, resource: &Resource, status: Status) -> Resource {
        let mut resource = self.with_uid(resource);
        resource.set_status(Some(status));
        resource
    }

    fn with_uid(&self, resource: &Resource) -> Resource {
        let mut resource = resource.clone();
        let namespace = resource.namespace().to_owned();
        let metadata = resource.metadata_mut();
        metadata.namespace = Some(namespace);
        metadata.uid = Some(self.uid.to_string());
        resource
    }

    fn read_manifest(&self) -> Result<Option<Resource>, Error> {
        let Some(text) = self.try_get(MANIFEST)? else {
            return Ok(None);
        };
        let (name, prefix) = (&self.name, &self.prefix);
        let resources = manifest::parse(&text).context(StoredManifestSnafu { name, prefix })?;
        Ok(resources.into_iter().next())
    }

    /// The status so far; one that cannot be read counts as absent, since it is only a record.
    fn read_status(&self) -> Result<Status, Error> {
        let text = self.try_get(STATUS)?;
        Ok(text
            .and_then(|text| serde_saphyr::from_str(&text).ok())
            .unwrap_or_default())
    }

    fn try_get(&self, file: &'static str) -> Result<Option<String>, Error> {
        let bytes = self
            .store
            .try_get(file, LARGEST)
            .context(ReadOutputSnafu { name: &self.name })?;
        Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    fn put(&self, file: &'static str, text: &str) -> Result<(), Error> {
        self.store
            .put(file, text.as_bytes())
            .context(WriteOutputSnafu {
                name: &self.name,
                file,
            })
    }
}

/// Keeps the manifest of a run whose tasks are started one by one, where none is kept yet.
///
/// # Errors
/// The run's prefix cannot be written to.
pub(crate) fn keep_manifest(
    resource: &Resource,
    uid: &Uid,
    ca_bundle: Option<&[u8]>,
) -> Result<(), Error> {
    let run = RunStore::open_as(resource, uid.clone(), ca_bundle)?;
    // Another task of the run may be about to do the same: the first one's is kept.
    let manifest = run.manifest(resource).into_bytes();
    let kept = match run.store.put_if_absent(MANIFEST, manifest.clone()) {
        Err(storage::Error::AlreadyExists { .. }) => Ok(()),
        // In a store that cannot tell, two tasks may both write it: all of a run have the same one.
        Err(storage::Error::Unsupported { .. }) => match run.store.exists(MANIFEST) {
            Ok(true) => Ok(()),
            Ok(false) => run.store.put(MANIFEST, manifest),
            Err(error) => Err(error),
        },
        put => put,
    };
    kept.context(WriteOutputSnafu {
        name: &run.name,
        file: MANIFEST,
    })
}

/// The bundle that a resource needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FoundModel {
    /// The folder's URI, with a `/` at its end.
    uri: String,
    /// The digest that it has to have.
    digest: Option<String>,
}

impl FoundModel {
    pub(crate) fn place(&self) -> ModelPlace<'_> {
        ModelPlace {
            uri: &self.uri,
            digest: self.digest.as_deref(),
        }
    }
}

/// Finds the bundle that a screening names by its URI, or that a resource needs of a training run of the same
/// namespace, which was run before, now or earlier, with the same output.
///
/// # Errors
/// The training run has left no model, or its status cannot be read.
pub(crate) fn find_model(
    resource: &Resource,
    earlier: &[Finished],
    ca_bundle: Option<&[u8]>,
) -> Result<Option<FoundModel>, Error> {
    let Some(run) = resource.publisher() else {
        return Ok(resource.model().map(|model| FoundModel {
            uri: folder(model.uri),
            digest: model.digest.map(str::to_owned),
        }));
    };
    let is_it = |other: &&Finished| {
        other.resource.kind() == Kind::TrainingRun
            && other.resource.namespace() == resource.namespace()
            && other.resource.name() == run
    };
    let (status, prefix) = match earlier.iter().rev().find(is_it) {
        Some(finished) => (finished.status(), finished.prefix.clone()),
        None => {
            let store = RunStore::of_training_run(resource, run, ca_bundle)?;
            (store.read_status()?, store.prefix)
        }
    };
    match status.model {
        Some(model) => Ok(Some(FoundModel {
            uri: folder(&model.uri),
            digest: Some(model.digest),
        })),
        None if status.stages.is_empty() => NoModelSnafu {
            run,
            output: resource.output(),
        }
        .fail(),
        None => NotPublishedSnafu { run, prefix }.fail(),
    }
}

impl RunStore {
    /// The store of a training run that a resource names.
    fn of_training_run(by: &Resource, run: &str, ca_bundle: Option<&[u8]>) -> Result<Self, Error> {
        let uid = workflow::local_uid_of(Kind::TrainingRun, by.namespace(), run);
        let prefix = workflow::prefix_of(by.output(), by.namespace(), run, &uid);
        let name = format!("{} {}/{run}", Kind::TrainingRun, by.namespace());
        let options = store_options(by.storage(), ca_bundle);
        Self::at(prefix, uid, name, &options)
    }
}

fn folder(uri: &str) -> String {
    format!("{}/", uri.trim_end_matches('/'))
}

/// What people are told of a resource: `TrainingRun hospital/prod`.
pub(crate) fn full_name(resource: &Resource) -> String {
    format!(
        "{} {}/{}",
        resource.kind(),
        resource.namespace(),
        resource.name()
    )
}

fn yaml(value: &impl serde::Serialize) -> String {
    serde_saphyr::to_string(value).expect("a resource should be written as YAML")
}
