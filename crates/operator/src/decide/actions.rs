//! What a decision asks for on the cluster, in three types: what is created, how Jobs are changed, and
//! what is stopped. A resource that has ended can be given the last alone.

use attrium_api::Uid;
use attrium_workflow::{ConditionState, StageKind};

/// What is created for a live resource, before its status says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Create {
    /// The ConfigMap of its manifest.
    Manifest { name: String },
    /// A stage's Job.
    Job {
        stage: StageKind,
        /// Which attempt at the stage, from 0.
        attempt: u32,
    },
}

/// How a Job of a live resource is changed, before its status says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JobPatch {
    pub(crate) name: String,
    /// Of this very Job: another of its name stays as it is.
    pub(crate) uid: Uid,
    pub(crate) changes: JobChanges,
}

/// Changes to how a Job runs; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct JobChanges {
    pub(crate) suspend: Option<bool>,
    pub(crate) parallelism: Option<i32>,
    /// How long it may run, in seconds; no limit where the inner one is absent.
    pub(crate) deadline: Option<Option<i64>>,
}

/// What is stopped, once the status is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Delete a Job and its pods, which end after a checkpoint.
    DeleteJob {
        name: String,
        /// Of this very Job: another of its name stays.
        uid: Uid,
    },
    /// Delete the resource.
    DeleteResource,
}

/// Why something was not created, as a sentence for the resource's status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The operator makes nothing of the resource until its spec, or what is allowed, has changed: the
    /// condition Accepted.
    NotAccepted(ConditionState),
    /// The API server finds it invalid, and it stays so.
    Invalid(String),
    /// The API server forbids it, and may allow it later: by a quota or a policy, for example.
    Forbidden(String),
    /// Something else has its name, which may be taken away.
    NameTaken(String),
}
