//! What was observed becomes the resource's status.

use std::collections::BTreeMap;

use super::{Ending, Failure};
use crate::api::{
    Condition, ConditionStatus, DataStatus, Decimal, Phase, ProgressStatus, Resource,
    ScreeningStatus, StageStatus, Status, conditions, reasons, set_condition,
};
use crate::stages::Summary;
use crate::workflow::{Observed, Plan, Stage, TaskRef, TaskState};

/// Everything that a status is made of.
pub(super) struct View<'a> {
    pub(super) resource: &'a Resource,
    pub(super) plan: &'a Plan,
    pub(super) observed: &'a Observed,
    pub(super) summaries: &'a BTreeMap<TaskRef, Summary>,
    pub(super) failures: &'a [Failure],
    /// How it ended, once it has.
    pub(super) ending: Option<Ending>,
    /// Now, as RFC 3339 has it.
    pub(super) now: &'a str,
}

/// The status that follows on another one.
pub(super) fn status(view: &View<'_>, previous: &Status, progress: ProgressStatus) -> Status {
    let mut status = Status {
        observed_generation: previous.observed_generation,
        phase: Some(phase(view.ending)),
        conditions: previous.conditions.clone(),
        stages: stages(view, &previous.stages),
        progress: Some(progress),
        ..Status::default()
    };
    for stage in &view.plan.stages {
        let summaries = || {
            let ids = stage.tasks.iter().map(|task| task.id);
            ids.filter_map(|id| view.summaries.get(&id))
        };
        status.data = data(summaries()).or(status.data);
        status.screening = screening(summaries()).or(status.screening);
        for summary in summaries() {
            if !summary.results.is_empty() {
                status.results.clone_from(&summary.results);
            }
            status.model = summary.model.clone().or(status.model);
            status.report = summary.report.clone().or(status.report);
        }
    }
    status.best_auc = best_auc(&status);
    for condition in [accepted(view), pods_healthy(view), gates_passed(view)] {
        set_condition(&mut status.conditions, condition);
    }
    let published = published(view, status.model.is_some());
    set_condition(&mut status.conditions, published);
    set_condition(&mut status.conditions, succeeded(view));
    status
}

const fn phase(ending: Option<Ending>) -> Phase {
    match ending {
        None => Phase::Running,
        Some(Ending::Succeeded) => Phase::Succeeded,
        Some(Ending::Interrupted) => Phase::Suspended,
        Some(Ending::GateMissed | Ending::Failed) => Phase::Failed,
    }
}

/// The stages of which a task has been started.
fn stages(view: &View<'_>, previous: &[StageStatus]) -> Vec<StageStatus> {
    let mut stages = Vec::new();
    for stage in &view.plan.stages {
        let old = previous.iter().find(|old| old.name == stage.kind.name());
        let mut new = count(stage, view.observed);
        if new.active + new.succeeded + new.failed == 0 {
            break;
        }
        let time = |old: Option<&String>| Some(old.map_or(view.now, String::as_str).to_owned());
        new.start_time = time(old.and_then(|old| old.start_time.as_ref()));
        if new.succeeded + new.failed == new.tasks {
            new.completion_time = time(old.and_then(|old| old.completion_time.as_ref()));
        }
        stages.push(new);
    }
    stages
}

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

fn data<'a>(summaries: impl Iterator<Item = &'a Summary>) -> Option<DataStatus> {
    summaries
        .filter_map(|summary| summary.data.as_ref())
        .fold(None, |sum, data| {
            let mut sum = sum.unwrap_or_default();
            DataStatus::add(&mut sum, data);
            Some(sum)
        })
}

fn screening<'a>(summaries: impl Iterator<Item = &'a Summary>) -> Option<ScreeningStatus> {
    summaries
        .filter_map(|summary| summary.screening.as_ref())
        .fold(None, |sum, counts| {
            let mut sum = sum.unwrap_or_default();
            ScreeningStatus::add(&mut sum, counts);
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

fn condition(
    view: &View<'_>,
    kind: &str,
    status: ConditionStatus,
    reason: &str,
    message: impl Into<String>,
) -> Condition {
    Condition::new(kind, status, reason, message, view.now)
}

fn accepted(view: &View<'_>) -> Condition {
    let message = "The spec is valid";
    condition(
        view,
        conditions::ACCEPTED,
        ConditionStatus::True,
        reasons::AS_EXPECTED,
        message,
    )
}

fn pods_healthy(view: &View<'_>) -> Condition {
    let message = "Tasks run in one process, without pods";
    condition(
        view,
        conditions::PODS_HEALTHY,
        ConditionStatus::True,
        reasons::AS_EXPECTED,
        message,
    )
}

fn gates_passed(view: &View<'_>) -> Condition {
    let kind = conditions::GATES_PASSED;
    let asked = match view.resource {
        Resource::TrainingRun(run) => run.spec.gates.len(),
        Resource::ScreeningJob(_) => 0,
    };
    let gates: Vec<_> = view
        .summaries
        .values()
        .flat_map(|summary| &summary.gates)
        .collect();
    let missed: Vec<_> = gates
        .iter()
        .filter(|gate| !gate.passed)
        .map(|gate| {
            let value = gate
                .value
                .as_ref()
                .map_or("undefined".to_owned(), ToString::to_string);
            let (architecture, task, metric) = (gate.architecture, gate.task, gate.metric);
            format!(
                "{architecture} {task} {metric} is {value}, below {}",
                gate.min
            )
        })
        .collect();
    if asked == 0 {
        let message = "The spec names no gates";
        condition(
            view,
            kind,
            ConditionStatus::True,
            reasons::NOT_ASKED,
            message,
        )
    } else if !missed.is_empty() {
        let message = missed.join("; ");
        condition(
            view,
            kind,
            ConditionStatus::False,
            reasons::GATE_MISSED,
            message,
        )
    } else if gates.is_empty() {
        let message = "The networks are not evaluated yet";
        condition(
            view,
            kind,
            ConditionStatus::Unknown,
            unfinished(view),
            message,
        )
    } else {
        let message = "Every gate has passed";
        condition(
            view,
            kind,
            ConditionStatus::True,
            reasons::AS_EXPECTED,
            message,
        )
    }
}

fn published(view: &View<'_>, has_model: bool) -> Condition {
    let kind = conditions::PUBLISHED;
    let asked = match view.resource {
        Resource::TrainingRun(run) => run.spec.publish.is_some(),
        Resource::ScreeningJob(_) => false,
    };
    if !asked {
        let message = "The spec names no model to publish";
        condition(
            view,
            kind,
            ConditionStatus::False,
            reasons::NOT_ASKED,
            message,
        )
    } else if has_model {
        let message = "The bundle is in the store";
        condition(
            view,
            kind,
            ConditionStatus::True,
            reasons::AS_EXPECTED,
            message,
        )
    } else if let Some(shortfall) = view
        .summaries
        .values()
        .find_map(|summary| summary.shortfall.as_deref())
    {
        condition(
            view,
            kind,
            ConditionStatus::False,
            reasons::TASK_FAILED,
            shortfall,
        )
    } else if view.observed.gate_missed {
        let message = "A gate was missed";
        condition(
            view,
            kind,
            ConditionStatus::False,
            reasons::GATE_MISSED,
            message,
        )
    } else if let Some(Ending::Failed) = view.ending {
        let message = "The run failed before";
        condition(
            view,
            kind,
            ConditionStatus::False,
            reasons::TASK_FAILED,
            message,
        )
    } else {
        let message = "The bundle is not there yet";
        condition(
            view,
            kind,
            ConditionStatus::Unknown,
            unfinished(view),
            message,
        )
    }
}

fn succeeded(view: &View<'_>) -> Condition {
    let kind = conditions::SUCCEEDED;
    match view.ending {
        None => {
            let message = "Tasks run";
            condition(
                view,
                kind,
                ConditionStatus::Unknown,
                reasons::RUNNING,
                message,
            )
        }
        Some(Ending::Interrupted) => {
            let message = "It was stopped; run again, it goes on";
            condition(
                view,
                kind,
                ConditionStatus::Unknown,
                reasons::INTERRUPTED,
                message,
            )
        }
        Some(Ending::Succeeded) => {
            let message = "All tasks have ended well";
            condition(
                view,
                kind,
                ConditionStatus::True,
                reasons::COMPLETED,
                message,
            )
        }
        Some(Ending::GateMissed) => {
            let message = "A gate was missed; nothing is published";
            condition(
                view,
                kind,
                ConditionStatus::False,
                reasons::GATE_MISSED,
                message,
            )
        }
        Some(Ending::Failed) => {
            let (reason, message) = failed(view.failures);
            condition(view, kind, ConditionStatus::False, reason, message)
        }
    }
}

/// The reason and the sentence of the failure that weighs most.
fn failed(failures: &[Failure]) -> (&'static str, String) {
    let first = |code: u8| failures.iter().find(|failure| failure.exit_code == code);
    let (reason, failure) = match (first(43), first(42)) {
        (Some(failure), _) => (reasons::BAD_CONFIGURATION, Some(failure)),
        (None, Some(failure)) => (reasons::BAD_DATA, Some(failure)),
        (None, None) => (reasons::TASK_FAILED, failures.first()),
    };
    let message = failure.map(|failure| format!("{}: {}", failure.work, failure.sentence));
    (
        reason,
        message.unwrap_or_else(|| "A task failed".to_owned()),
    )
}

fn unfinished(view: &View<'_>) -> &'static str {
    match view.ending {
        Some(Ending::Interrupted) => reasons::INTERRUPTED,
        Some(Ending::Failed) => reasons::TASK_FAILED,
        _ => reasons::RUNNING,
    }
}
