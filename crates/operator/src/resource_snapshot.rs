//! A snapshot of what the index has of one live resource.
//!
//! Pure.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use k8s_openapi::jiff::Timestamp;
use tokio::time::Instant;

use super::created_resource::CreatedResource;
use super::decide::{JobChanges, Model, PendingReasons};
use super::names;
use super::snapshot::{JobSnapshot, PodSnapshot};
use super::task_reports::TaskReports;
use attrium_api::Uid;
use attrium_workflow::StageKind;

/// What the index has of a live resource, its Jobs and its pods.
#[derive(Clone, Debug)]
pub(crate) struct ResourceSnapshot {
    pub(crate) resource: Arc<CreatedResource>,
    /// The latest Job of each stage.
    pub(crate) jobs: BTreeMap<StageKind, JobSnapshot>,
    /// Jobs from before it was started again that still have indexes to work on.
    pub(crate) superseded: Vec<JobSnapshot>,
    /// The pods of the latest Jobs.
    pub(crate) pods: Vec<PodSnapshot>,
    /// The model that it needs of a training run.
    pub(crate) model: Model,
    pub(crate) state: ControllerState,
}

impl ResourceSnapshot {
    /// Whether the ConfigMap of its manifest, as it is now, is there, as far as is known.
    pub(crate) fn has_manifest(&self) -> bool {
        self.state.manifest.as_deref() == Some(&names::config_map(&self.resource))
    }

    /// The Jobs that have indexes to work on.
    pub(crate) fn open_jobs(&self) -> impl Iterator<Item = &JobSnapshot> {
        self.jobs.values().filter(|job| job.is_open())
    }
}

/// How a Job was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PatchRecord {
    pub(crate) changes: JobChanges,
    /// How often in a row the same was changed.
    pub(crate) times: u32,
    pub(crate) at: Timestamp,
}

/// What this process keeps of a live resource beside the objects of the API server.
#[derive(Clone, Debug, Default)]
pub(crate) struct ControllerState {
    pub(crate) reports: TaskReports,
    /// The last ConfigMap of its manifest that this process has created.
    pub(crate) manifest: Option<String>,
    /// Why objects were pending when that was last asked for.
    pub(crate) pending: PendingReasons,
    /// When that was.
    pub(crate) asked: Option<Instant>,
    /// How its Jobs were changed last, by their uid.
    pub(crate) patched: HashMap<Uid, PatchRecord>,
}

impl ControllerState {
    /// Notes that a Job has been changed.
    pub(crate) fn note_patch(&mut self, job: &Uid, changes: &JobChanges, at: Timestamp) {
        let before = self.patched.get(job).filter(|it| it.changes == *changes);
        let times = before.map_or(0, |it| it.times + 1);
        let changes = changes.clone();
        let record = PatchRecord { changes, times, at };
        self.patched.insert(job.clone(), record);
    }
}
