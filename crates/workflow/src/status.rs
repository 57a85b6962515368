//! What was observed becomes the resource's status, wherever its tasks run.

use std::collections::BTreeMap;

use super::conditions;
use super::{
    Ending, Failure, Observed, Plan, Stage, StageKind, Summary, TaskRef, TaskState, gravest,
};
use attrium_api::{
    ConditionStatus, DataStatus, Phase, ProgressStatus, Resource, ScreeningStatus, StageStatus,
    Status, TaskFailure,
};
use attrium_types::Decimal;
use attrium_types::text::truncate;

/// Everything that a status is made of.
pub struct StatusInputs<'a> {
    /// The resource.
    pub resource: &'a Resource,
    /// Its plan.
    pub plan: &'a Plan,
    /// How its tasks stand.
    pub observed: &'a Observed,
    /// What the tasks that have ended well have told.
    pub summaries: &'a BTreeMap<TaskRef, Summary>,
    /// The tasks that failed, in the order of their failures.
    pub failures: &'a [Failure],
    /// How it ended, once it has.
    pub ending: Option<Ending>,
    /// Why it failed, where no task did.
    pub broken: Option<&'a ConditionState>,
    /// Where its tasks run.
    pub location: RunLocation<'a>,
    /// Now, as RFC 3339 has it.
    pub now: &'a str,
}

/// Where tasks run.
#[derive(Clone, Copy)]
pub enum RunLocation<'a> {
    /// In this process.
    ThisProcess,
    /// On a cluster.
    Cluster(&'a ClusterState),
}

/// What a status says of a resource on a cluster beside its tasks.
#[derive(Clone, Debug)]
pub struct ClusterState {
    /// The generation of the resource.
    pub generation: Option<i64>,
    /// What it is doing, until it ends.
    pub phase: Phase,
    /// The condition Accepted.
    pub accepted: ConditionState,
    /// The condition PodsHealthy.
    pub pods: ConditionState,
    /// The condition Succeeded, until it ends.
    pub unfinished: ConditionState,
    /// The Jobs that have been made, and their pods that are active.
    pub jobs: BTreeMap<StageKind, JobSummary>,
}

/// A stage's Job in a status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobSummary {
    /// Its name.
    pub name: String,
    /// How many of its pods are active.
    pub active: u32,
}

/// A condition without its type and its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConditionState {
    /// Whether it holds.
    pub status: ConditionStatus,
    /// Why, for programs.
    pub reason: String,
    /// Why, for people.
    pub message: String,
}

impl ConditionState {
    /// A condition's state with its reason and sentence.
    pub fn new(status: ConditionStatus, reason: &str, message: impl Into<String>) -> Self {
        Self {
            status,
            reason: reason.to_owned(),
            message: message.into(),
        }
    }
}

/// The status that follows on another one.
///
/// On a cluster a stage that the other status has as complete stays as it is there, since its Job
/// and its pods may be gone.
pub fn status(inputs: &StatusInputs<'_>, previous: &Status, progress: ProgressStatus) -> Status {
    let mut status = Status {
        observed_generation: inputs.generation().or(previous.observed_generation),
        phase: Some(phase(inputs)),
        conditions: previous.conditions.clone(),
        stages: stages(inputs, &previous.stages),
        progress: Some(progress),
        images: previous.images.clone(),
        retry: previous.retry.clone(),
        started_from: previous.started_from.clone(),
        ..Status::default()
    };
    for stage in &inputs.plan.stages {
        let summaries = || {
            let ids = stage.tasks.iter().map(|task| task.id);
            ids.filter_map(|id| inputs.summaries.get(&id))
        };
        status.data = data(summaries()).or(status.data);
        status.screening = screening(summaries()).or(status.screening);
        for summary in summaries() {
            if !summary.results.is_empty() {
                status.results.clone_from(&summary.results);
            }
            if !summary.gates.is_empty() {
                status.gates.clone_from(&summary.gates);
            }
            status.model = summary.model.clone().or(status.model);
            status.report = summary.report.clone().or(status.report);
        }
    }
    status.best_auc = best_auc(&status);
    conditions::set(inputs, &mut status);
    status
}

/// What a status keeps of the stages that it has as complete, as their tasks would tell it, so
/// that it can be told again once their pods are gone.
pub fn kept(plan: &Plan, status: &Status) -> (BTreeMap<TaskRef, Summary>, Vec<Failure>) {
    let mut summaries = BTreeMap::new();
    let mut failures = Vec::new();
    let is_complete = |kind: StageKind| complete(status, kind).is_some();
    let complete_stages = || plan.stages.iter().filter(|stage| is_complete(stage.kind));
    let last = complete_stages().next_back().map(|stage| stage.kind);
    for stage in complete_stages() {
        let Some(first) = stage.tasks.first() else {
            continue;
        };
        let mut summary = Summary::default();
        if Some(stage.kind) == last {
            summary.data.clone_from(&status.data);
            summary.screening.clone_from(&status.screening);
            summary.results.clone_from(&status.results);
            summary.gates.clone_from(&status.gates);
            summary.model.clone_from(&status.model);
            summary.report.clone_from(&status.report);
        }
        summaries.insert(first.id, summary);
        if let Some(failure) = complete(status, stage.kind).and_then(|it| it.failure.as_ref())
            && let Some(task) = stage.tasks.get(failure.index as usize)
        {
            failures.push(Failure::of_process(
                task,
                failure.exit_code,
                &failure.message,
            ));
        }
    }
    (summaries, failures)
}

/// A stage that a status has as complete.
pub fn complete(status: &Status, kind: StageKind) -> Option<&StageStatus> {
    let mut stages = status.stages.iter();
    stages.find(|stage| stage.name == kind.name() && stage.completion_time.is_some())
}

impl StatusInputs<'_> {
    pub(super) fn cluster(&self) -> Option<&ClusterState> {
        match self.location {
            RunLocation::ThisProcess => None,
            RunLocation::Cluster(cluster) => Some(cluster),
        }
    }

    pub(super) fn generation(&self) -> Option<i64> {
        self.cluster().and_then(|cluster| cluster.generation)
    }
}

fn phase(inputs: &StatusInputs<'_>) -> Phase {
    match inputs.ending {
        None => inputs
            .cluster()
            .map_or(Phase::Running, |cluster| cluster.phase),
        Some(Ending::Succeeded) => Phase::Succeeded,
        Some(Ending::Interrupted) => Phase::Suspended,
        Some(Ending::Withheld(_) | Ending::Failed) => Phase::Failed,
    }
}

/// The stages that have been started.
fn stages(inputs: &StatusInputs<'_>, previous: &[StageStatus]) -> Vec<StageStatus> {
    let mut stages = Vec::new();
    for stage in &inputs.plan.stages {
        let old = previous.iter().find(|old| old.name == stage.kind.name());
        if let (Some(old), Some(_)) = (old, inputs.cluster())
            && old.completion_time.is_some()
        {
            stages.push(old.clone());
            continue;
        }
        let mut new = count(stage, inputs.observed);
        let job = inputs.cluster().and_then(|it| it.jobs.get(&stage.kind));
        if let Some(job) = job {
            new.job = Some(job.name.clone());
            new.active = job.active;
        }
        if job.is_none() && new.active + new.succeeded + new.failed == 0 {
            // On a cluster a stage whose Job is gone has been started all the same.
            match old.filter(|_| inputs.cluster().is_some()) {
                Some(old) => new.job.clone_from(&old.job),
                None => break,
            }
        }
        if inputs.ending.is_some() {
            // What still runs is stopped, and this is the last status.
            new.active = 0;
        }
        let time = |old: Option<&String>| Some(old.map_or(inputs.now, String::as_str).to_owned());
        new.start_time = time(old.and_then(|old| old.start_time.as_ref()));
        if new.succeeded + new.failed == new.tasks {
            new.completion_time = time(old.and_then(|old| old.completion_time.as_ref()));
        }
        new.failure = failure(inputs, stage.kind);
        stages.push(new);
    }
    stages
}

/// The failure of a stage that weighs most.
fn failure(inputs: &StatusInputs<'_>, stage: StageKind) -> Option<TaskFailure> {
    let failures = inputs.failures.iter();
    let own = failures.filter(|failure| failure.task.stage == stage);
    gravest(own).map(|failure| TaskFailure {
        index: failure.task.index,
        exit_code: failure.exit_code,
        message: truncate(&failure.sentence, FAILURE),
    })
}

/// The longest sentence of a stage's failure, in bytes.
const FAILURE: usize = 1024;

fn count(stage: &Stage, observed: &Observed) -> StageStatus {
    let mut status = StageStatus {
        name: stage.kind.name().to_owned(),
        tasks: u32::try_from(stage.tasks.len()).unwrap_or(u32::MAX),
        ..StageStatus::default()
    };
    for task in &stage.tasks {
        match observed.tasks.get(&task.id).copied().unwrap_or_default() {
            TaskState::Pending => {}
            TaskState::Running => status.active += 1,
            TaskState::Succeeded => status.succeeded += 1,
            TaskState::Failed => status.failed += 1,
        }
    }
    status
}

/// What became of the data, of all tasks that tell of it; absent where none does.
pub(super) fn data<'a>(summaries: impl Iterator<Item = &'a Summary>) -> Option<DataStatus> {
    let counts = summaries.filter_map(|summary| summary.data.as_ref());
    sum(counts, DataStatus::add)
}

fn screening<'a>(summaries: impl Iterator<Item = &'a Summary>) -> Option<ScreeningStatus> {
    let counts = summaries.filter_map(|summary| summary.screening.as_ref());
    sum(counts, ScreeningStatus::add)
}

fn sum<'a, T: Default + 'a>(
    counts: impl Iterator<Item = &'a T>,
    add: impl Fn(&mut T, &T),
) -> Option<T> {
    counts.fold(None, |sum, counts| {
        let mut sum = sum.unwrap_or_default();
        add(&mut sum, counts);
        Some(sum)
    })
}

fn best_auc(status: &Status) -> Option<Decimal> {
    let aucs = status
        .results
        .iter()
        .filter_map(|result| result.auc.as_ref());
    aucs.max_by(|a, b| a.value().total_cmp(&b.value())).cloned()
}
