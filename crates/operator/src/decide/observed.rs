//! The observed states of a plan's tasks: from Jobs, from what pods reported, and from the status.

use std::collections::BTreeMap;

use crate::resource_snapshot::ResourceSnapshot;
use crate::snapshot::{JobFailure, JobSnapshot, PodSnapshot, PodState};
use attrium_api::Status;
use attrium_workflow as workflow;
use attrium_workflow::{
    Failure, Observed, Plan, Stage, StageKind, Summary, TaskExit, TaskRef, TaskSpec, TaskState,
    Withheld,
};

/// The observed tasks of a plan.
#[derive(Clone, Debug, Default)]
pub(super) struct ObservedTasks {
    pub(super) states: Observed,
    /// What those that have ended well have reported.
    pub(super) summaries: BTreeMap<TaskRef, Summary>,
    /// The failures of those that failed for good.
    pub(super) failures: Vec<Failure>,
    /// A stage that failed as a whole, for no reason of a single index.
    pub(super) broken: Option<(StageKind, JobFailure)>,
    /// A stage whose tasks have ended well, but whose results are gone with its pod.
    pub(super) lost: Option<StageKind>,
}

/// Indexes have failed, each for its own reason.
const FAILED_INDEXES: &str = "FailedIndexes";

impl ObservedTasks {
    /// The tasks of a plan as a snapshot and the status show them.
    pub(super) fn new(snapshot: &ResourceSnapshot, plan: &Plan, status: &Status) -> Self {
        let (summaries, failures) = workflow::kept(plan, status);
        let mut tasks = Self {
            summaries,
            failures,
            ..Self::default()
        };
        for stage in &plan.stages {
            let job = snapshot.jobs.get(&stage.kind);
            match (workflow::complete(status, stage.kind), job) {
                (Some(_), job) => tasks.add_complete(stage, job),
                (None, Some(job)) => tasks.add_observed(stage, job, snapshot),
                (None, None) => {}
            }
        }
        tasks.states.withheld = Withheld::of(&snapshot.resource, tasks.summaries.values());
        tasks
    }

    /// A stage that the status has as complete; its Job may be gone.
    fn add_complete(&mut self, stage: &Stage, job: Option<&JobSnapshot>) {
        for task in &stage.tasks {
            let is_failed = match job {
                Some(job) => job.failed.contains(&task.id.index),
                None => self.failures.iter().any(|failure| failure.task == task.id),
            };
            let state = if is_failed {
                TaskState::Failed
            } else {
                TaskState::Succeeded
            };
            self.states.tasks.insert(task.id, state);
        }
    }

    /// A stage whose Job has the states of its tasks.
    fn add_observed(&mut self, stage: &Stage, job: &JobSnapshot, snapshot: &ResourceSnapshot) {
        for task in &stage.tasks {
            let state = match state(task.id.index, job) {
                TaskState::Running if has_succeeded(task, snapshot) => TaskState::Succeeded,
                state => state,
            };
            self.states.tasks.insert(task.id, state);
            if let Some(summary) = snapshot.state.reports.summaries.get(&task.id) {
                self.summaries.insert(task.id, summary.clone());
            }
            if state == TaskState::Failed {
                let failure = reported(task, snapshot);
                self.failures
                    .push(failure.unwrap_or_else(|| unreported(task, job)));
            }
        }
        self.find_lost(stage);
        let failure = job.end.as_ref().and_then(|end| end.failure.as_ref());
        if let Some(failure) = failure.filter(|failure| failure.reason != FAILED_INDEXES) {
            self.broken = Some((stage.kind, failure.clone()));
            self.add_causes(stage, snapshot);
        }
    }

    /// Notes the stage if its results are needed and gone.
    fn find_lost(&mut self, stage: &Stage) {
        let is_needed = matches!(
            stage.kind,
            StageKind::Evaluate | StageKind::Refit | StageKind::Summarize
        );
        for task in &stage.tasks {
            let is_over = self.states.tasks.get(&task.id) == Some(&TaskState::Succeeded);
            if is_needed && is_over && !self.summaries.contains_key(&task.id) {
                self.states.tasks.insert(task.id, TaskState::Running);
                self.lost = Some(stage.kind);
            }
        }
    }

    /// The tasks for which a Job failed as a whole: those whose pods reported a failure.
    fn add_causes(&mut self, stage: &Stage, snapshot: &ResourceSnapshot) {
        for task in &stage.tasks {
            let known = self.failures.iter().any(|failure| failure.task == task.id);
            if !known && let Some(failure) = reported(task, snapshot) {
                self.states.tasks.insert(task.id, TaskState::Failed);
                self.failures.push(failure);
            }
        }
    }
}

fn state(index: u32, job: &JobSnapshot) -> TaskState {
    let is_complete = matches!(&job.end, Some(end) if end.failure.is_none());
    if job.failed.contains(&index) {
        TaskState::Failed
    } else if job.completed.contains(&index) || is_complete {
        TaskState::Succeeded
    } else if job.end.is_some() {
        TaskState::Pending
    } else {
        TaskState::Running
    }
}

/// Whether a task has ended well although its Job has not counted it, as another container keeps its pod
/// from ending.
fn has_succeeded(task: &TaskSpec, snapshot: &ResourceSnapshot) -> bool {
    let is_held = |pod: &PodSnapshot| {
        pod.task() == task.id && pod.sidecar.is_some() && pod.state == PodState::Succeeded
    };
    let summaries = &snapshot.state.reports.summaries;
    summaries.contains_key(&task.id) && snapshot.pods.iter().any(is_held)
}

/// A task's failure as its pod reported it.
fn reported(task: &TaskSpec, snapshot: &ResourceSnapshot) -> Option<Failure> {
    let failure = snapshot.state.reports.failures.get(&task.id)?;
    Some(Failure {
        exit_code: failure.exit_code,
        ..Failure::new(task, failure.exit, &failure.sentence)
    })
}

/// The failure of a task whose pods are gone.
fn unreported(task: &TaskSpec, job: &JobSnapshot) -> Failure {
    let name = &job.name;
    let sentence = format!("its pods have failed and are gone: see the Job {name}");
    Failure::new(task, TaskExit::Retry, sentence)
}
