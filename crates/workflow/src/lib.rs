//! What has to be done: a spec becomes a [`Plan`]; a plan and the observed states of its tasks
//! become the [`NextSteps`] actions, and what the tasks told becomes the resource's [`status()`];
//! [`artefacts`] names everything that a run leaves.
//!
//! Pure: no store, no clock, no cluster. The local runner and the operator ask the same
//! questions here and differ only in who starts a task.

pub mod artefacts;
mod conditions;
mod ending;
mod marker;
mod next;
mod plan;
mod progress;
mod retry;
mod status;
mod task_exit;
mod task_summary;
mod termination;
mod uid;
mod unusable;
mod withheld;

pub use conditions::{set_malformed, valid_spec};
pub use ending::{Ending, Failure, gravest};
pub use marker::{MarkedFile, Marker};
pub use next::{NextSteps, Observed, PlanOutcome, TaskState, next};
pub use plan::{Plan, Stage, StageKind, TaskRef, TaskSpec, Work};
pub use progress::{progress_status, share};
pub use retry::retry;
pub use status::{
    ClusterState, ConditionState, JobSummary, RunLocation, StatusInputs, complete, kept, status,
};
pub use task_exit::TaskExit;
pub use task_summary::{Progress, Summary, Unit};
pub use termination::LONGEST_MESSAGE;
pub use uid::{local_uid, local_uid_of, prefix, prefix_of};
pub use unusable::nothing_usable;
pub use withheld::{Withheld, not_calibrated, nothing_learned};
