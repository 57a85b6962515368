//! How the tasks of a plan stand, from Jobs, from what pods told, and from what the status keeps.

use std::collections::BTreeMap;

use super::Situation;
use crate::snapshot::{JobFailure, JobSeen};
use attrium_api::Status;
use attrium_workflow as workflow;
use attrium_workflow::{
    Failure, Observed, Plan, Stage, StageKind, Summary, TaskRef, TaskSpec, TaskState,
};

/// How the tasks of a plan stand.
#[derive(Clone, Debug, Default)]
pub(super) struct Standing {
    /// Their states.
    pub(super) observed: Observed,
    /// What those that have ended well have told.
    pub(super) summaries: BTreeMap<TaskRef, Summary>,
    /// Those that failed for good.
    pub(super) failures: Vec<Failure>,
    /// A stage that failed as a whole, for no reason of a single index.
    pub(super) broken: Option<(StageKind, JobFailure)>,
    /// A stage whose tasks have ended well, but whose results are gone with its pod.
    pub(super) lost: Option<StageKind>,
}

/// Indexes have failed, each for its own reason.
const FAILED_INDEXES: &str = "FailedIndexes";

impl Standing {
    /// How the tasks of a plan stand.
    pub(super) fn of(situation: &Situation, plan: &Plan, status: &Status) -> Self {
        let mut standing = Self::default();
        let (kept, failures) = workflow::kept(plan, status);
        standing.summaries = kept;
        standing.failures = failures;
        for stage in &plan.stages {
            let job = situation.jobs.get(&stage.kind);
            match (workflow::complete(status, stage.kind), job) {
                (Some(_), job) => standing.keep(stage, job),
                (None, Some(job)) => standing.look(stage, job, situation),
                (None, None) => {}
            }
        }
        let mut gates = standing.summaries.values().flat_map(|it| &it.gates);
        standing.observed.gate_missed = gates.any(|gate| !gate.passed);
        standing
    }

    /// A stage that the status has as complete; its Job may be gone.
    fn keep(&mut self, stage: &Stage, job: Option<&JobSeen>) {
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
            self.observed.tasks.insert(task.id, state);
        }
    }

    /// A stage whose Job tells how its tasks stand.
    fn look(&mut self, stage: &Stage, job: &JobSeen, situation: &Situation) {
        for task in &stage.tasks {
            let state = state(task.id.index, job);
            self.observed.tasks.insert(task.id, state);
            if let Some(summary) = situation.heard.summaries.get(&task.id) {
                self.summaries.insert(task.id, summary.clone());
            }
            if state == TaskState::Failed {
                let failure = told(task, situation);
                self.failures
                    .push(failure.unwrap_or_else(|| untold(task, job)));
            }
        }
        self.miss(stage);
        let failure = job.end.as_ref().and_then(|end| end.failure.as_ref());
        if let Some(failure) = failure.filter(|failure| failure.reason != FAILED_INDEXES) {
            self.broken = Some((stage.kind, failure.clone()));
            self.blame(stage, situation);
        }
    }

    /// Notes a stage whose results are needed and gone.
    fn miss(&mut self, stage: &Stage) {
        let is_needed = matches!(
            stage.kind,
            StageKind::Evaluate | StageKind::Refit | StageKind::Summarize
        );
        for task in &stage.tasks {
            let is_over = self.observed.tasks.get(&task.id) == Some(&TaskState::Succeeded);
            if is_needed && is_over && !self.summaries.contains_key(&task.id) {
                self.observed.tasks.insert(task.id, TaskState::Running);
                self.lost = Some(stage.kind);
            }
        }
    }

    /// The tasks that a Job failed for as a whole: those whose pods told of a failure.
    fn blame(&mut self, stage: &Stage, situation: &Situation) {
        for task in &stage.tasks {
            let known = self.failures.iter().any(|failure| failure.task == task.id);
            if !known && let Some(failure) = told(task, situation) {
                self.observed.tasks.insert(task.id, TaskState::Failed);
                self.failures.push(failure);
            }
        }
    }
}

fn state(index: u32, job: &JobSeen) -> TaskState {
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

/// A task's failure as its pod told it.
fn told(task: &TaskSpec, situation: &Situation) -> Option<Failure> {
    let told = situation.heard.failures.get(&task.id)?;
    Some(Failure {
        task: task.id,
        work: task.work,
        exit_code: told.exit_code,
        sentence: told.sentence.clone(),
    })
}

/// The failure of a task whose pods are gone.
fn untold(task: &TaskSpec, job: &JobSeen) -> Failure {
    let name = &job.name;
    Failure {
        task: task.id,
        work: task.work,
        exit_code: 1,
        sentence: format!("its pods have failed and are gone: see the Job {name}"),
    }
}
