//! What every task of a run reads and writes: its stores, its spec, its data set.

use super::attempt::Attempt;
use super::failure::{OrBadPlace, OrFail};
use super::inputs::Inputs;
use super::study_selection;
use super::{Summary, TaskContext, TaskError};
use sha2::{Digest, Sha256};

use attrium_api::{
    Accelerator, Compute, DataStatus, ScreeningJobSpec, StorageSpec, TrainingRunSpec,
};
use attrium_dataset::{Cohort, Labels, Pseudonyms, Shard};
use attrium_nn as nn;
use attrium_nn::Device;
use attrium_storage::{Storage, StorageOptions, Version};
use attrium_workflow::{Marker, Plan, StageKind, TaskSpec, Work, artefacts};

/// The largest table or page that is read back, in bytes.
pub(super) const LARGEST_TABLE: u64 = 1 << 30;
/// The largest shard of crops that is read back, in bytes: 64 KiB for each study.
const LARGEST_SHARD: u64 = 64 << 30;
/// The largest file of weights that is read, in bytes: VGG16's has half a gigabyte.
pub(super) const LARGEST_WEIGHTS: u64 = 2 << 30;

/// What a task reads and writes below the run's prefix.
pub(super) struct TaskFiles<'a> {
    /// The run's prefix.
    pub store: Storage,
    pub task: &'a TaskSpec,
    pub inputs: Inputs<'a>,
    pub attempt: Attempt,
}

impl<'a> TaskFiles<'a> {
    /// An attempt of a task, whose marker takes the place of another where there is one.
    pub(crate) fn new(
        store: Storage,
        plan: &'a Plan,
        task: &'a TaskSpec,
        replaces: Option<Version>,
    ) -> Self {
        Self {
            inputs: Inputs::new(store.clone(), plan, Some(task.id.stage)),
            attempt: Attempt::new(store.clone(), task, replaces),
            store,
            task,
        }
    }
}

impl TaskFiles<'_> {
    /// Puts the marker of this attempt, unless another attempt has put its own.
    pub(crate) fn put_marker(&self, summary: Summary) -> Result<(), TaskError> {
        let marker = Marker {
            summary,
            attempt: self.attempt.id().to_owned(),
            files: self.attempt.files(),
            inputs: self.inputs.digests(),
        };
        let bytes = serde_json::to_vec_pretty(&marker).or_retry()?;
        self.attempt.put_marker(bytes)
    }
}

/// A task of a run.
pub(super) struct TaskIo<'a, Spec> {
    pub spec: &'a Spec,
    pub context: &'a TaskContext<'a>,
    pub options: StorageOptions,
    pub files: &'a TaskFiles<'a>,
}

/// A task of a TrainingRun.
pub(super) type TrainingIo<'a> = TaskIo<'a, TrainingRunSpec>;
/// A task of a ScreeningJob.
pub(super) type ScreeningIo<'a> = TaskIo<'a, ScreeningJobSpec>;

impl<'a, Spec> TaskIo<'a, Spec> {
    /// The images' prefix, whose errors name no object.
    pub(crate) fn images(&self) -> Result<Storage, TaskError> {
        let images = Storage::open(self.context.resource.images(), &self.options);
        Ok(images.or_bad_place()?.foreign())
    }

    /// Writes an artefact, whole or not at all.
    pub(crate) fn put(&self, name: &str, bytes: Vec<u8>) -> Result<(), TaskError> {
        self.files.attempt.put(name, bytes)
    }

    /// Reads an artefact of an earlier task.
    pub(crate) fn get(&self, name: &str) -> Result<Vec<u8>, TaskError> {
        Ok(self.files.inputs.get(name, LARGEST_TABLE)?)
    }

    /// Reads an artefact that a failed task may not have left.
    pub(crate) fn try_get(&self, name: &str) -> Result<Option<Vec<u8>>, TaskError> {
        Ok(self.files.inputs.try_get(name, LARGEST_TABLE)?)
    }

    /// The URI at which an artefact is published.
    pub(crate) fn uri_of(&self, name: &str) -> Result<String, TaskError> {
        self.files.store.uri_of(name).or_retry()
    }

    /// The summaries of the tasks of an earlier stage that have ended well.
    pub(crate) fn summaries(&self, kind: StageKind) -> Result<Vec<Summary>, TaskError> {
        let own = self.files.task.id.stage;
        let stages = self.context.plan.stages.iter();
        let tasks = stages
            .filter(|stage| stage.kind == kind && kind < own)
            .flat_map(|stage| &stage.tasks);
        let mut summaries = Vec::new();
        for task in tasks {
            let read = self.files.inputs.marker(task)?;
            summaries.extend(read.map(|read| read.summary()));
        }
        Ok(summaries)
    }

    /// Reads a table of labels from anywhere, and warns of what is not used of it.
    pub(crate) fn labels(&self, uri: &str) -> Result<Labels, TaskError> {
        Ok(self.labels_and_digest(uri)?.0)
    }

    /// The same with the SHA-256 of the table as it was read: `sha256:` and hexadecimal digits.
    pub(crate) fn labels_and_digest(&self, uri: &str) -> Result<(Labels, String), TaskError> {
        let bytes = self.label_bytes(uri)?;
        let labels = Labels::parse(&bytes).or_bad_configuration()?;
        for column in labels.unknown_columns() {
            tracing::warn!(column, "A column of the labels is not used");
        }
        Ok((
            labels,
            format!("sha256:{}", hex::encode(Sha256::digest(bytes))),
        ))
    }

    fn label_bytes(&self, uri: &str) -> Result<Vec<u8>, TaskError> {
        let (folder, key) = Storage::open_object(uri, &self.options).or_bad_place()?;
        folder.get(&key, LARGEST_TABLE).or_bad_place()
    }

    fn read_labels(&self, uri: &str) -> Result<Labels, TaskError> {
        Labels::parse(&self.label_bytes(uri)?).or_bad_configuration()
    }
}

impl TrainingIo<'_> {
    /// The labelled studies under their pseudonyms.
    pub(crate) fn pseudonyms(&self) -> Result<Pseudonyms, TaskError> {
        Ok(self.pseudonymise(&self.labels(&self.spec.labels)?))
    }

    pub(crate) fn pseudonymise(&self, labels: &Labels) -> Pseudonyms {
        labels.pseudonymise(u64::from(self.spec.cross_validation.seed))
    }

    /// Refuses labels that have changed since shards were made of them. Labels that are gone or broken
    /// are refused by the task that needs them.
    pub(crate) fn notice_other_labels(&self) -> Result<(), TaskError> {
        match self.read_labels(&self.spec.labels) {
            Ok(labels) => self.check_labels(&self.pseudonymise(&labels)),
            Err(_) => Ok(()),
        }
    }

    /// Refuses labels other than those of the shards that are done: nearly every pseudonym would be
    /// another study's.
    pub(crate) fn check_labels(&self, labels: &Pseudonyms) -> Result<(), TaskError> {
        for task in self.context.plan.tasks() {
            if let Work::Preprocess { shard, .. } = task.work
                && let Some(digest) = self.labels_of(shard)?
            {
                return if digest == labels.digest() {
                    Ok(())
                } else {
                    Err(TaskError::bad_configuration(format!(
                        "{} has changed since this run began: restore it, or run under another name",
                        self.spec.labels
                    )))
                };
            }
        }
        Ok(())
    }

    /// The digest of the labels that a shard was made of, if it is done and has studies.
    fn labels_of(&self, shard: u32) -> Result<Option<String>, TaskError> {
        let head = self
            .files
            .inputs
            .head(&artefacts::shard(shard), Shard::HEADER)?;
        Ok(head.and_then(|head| Shard::labels_of(&head)))
    }

    /// The data set that preprocessing left, one record a study.
    pub(crate) fn cohort(&self) -> Result<Cohort, TaskError> {
        let mut shards = Vec::new();
        for shard in 0..self.spec.preprocessing.shards {
            let inputs = &self.files.inputs;
            let crops = inputs.get(&artefacts::shard(shard), LARGEST_SHARD)?;
            let table = self.get(&artefacts::shard_table(shard))?;
            shards.push(Shard::read(shard, &crops, &table).or_retry()?);
        }
        if shards.iter().any(|shard| shard.labels != shards[0].labels) {
            return Err(TaskError::bad_configuration(format!(
                "{} has changed while this run read it: delete the folder tasks/ of the run and run \
                 it again, or run under another name",
                self.spec.labels
            )));
        }
        let cohort = Cohort::assemble(&shards, self.spec.preprocessing.prefer);
        if cohort.is_empty() && !cohort.left_out.is_empty() {
            return Err(TaskError::bad_data(study_selection::ALL_AMBIGUOUS));
        }
        if cohort.is_empty() {
            return Err(TaskError::bad_data(
                "no object has a usable anterior image and a label: see dataset/quarantine-*.csv, and check that \
                 labels.csv has the studies of these images",
            ));
        }
        Ok(cohort)
    }

    /// The counts of a stage's data, added up.
    pub(crate) fn counted(&self, kind: StageKind) -> Result<DataStatus, TaskError> {
        let mut data = DataStatus::default();
        for summary in self.summaries(kind)? {
            data.add(&summary.data.unwrap_or_default());
        }
        Ok(data)
    }

    /// The device that networks are trained on.
    pub(crate) fn device(&self) -> Result<Device, TaskError> {
        device(&self.spec.compute)
    }
}

/// The device that the manifest asks for.
pub(super) fn device(compute: &Compute) -> Result<Device, TaskError> {
    match compute.accelerator {
        Accelerator::Cpu => Ok(nn::cpu()),
        Accelerator::Gpu => nn::gpu().or_bad_configuration(),
    }
}

/// How the stores of a resource are reached.
pub fn store_options(spec: &StorageSpec, ca_bundle: Option<&[u8]>) -> StorageOptions {
    StorageOptions {
        endpoint: spec.endpoint.clone(),
        region: spec.region.clone(),
        allow_http: spec.allow_http,
        ca_bundle: ca_bundle.map(<[u8]>::to_vec),
        ..StorageOptions::default()
    }
}
