//! The events of a transition: what differs between two statuses, and the failures of tasks.

use k8s_openapi::jiff::Timestamp;

use super::Transition;
use crate::task_reports::FailureReport;
use attrium_api::{
    Condition, ConditionStatus, Phase, StageStatus, Status, condition, conditions, reasons,
};

/// An event of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ResourceEvent {
    /// Why, as one word for programs.
    pub(crate) reason: String,
    /// Why, as a sentence for people.
    pub(crate) message: String,
    /// What was being done: events of the same reason and action become one series.
    pub(crate) action: String,
    pub(crate) is_warning: bool,
}

/// The most failed tasks that have an event of their own at a time.
const MAX_FAILURES: usize = 5;

impl ResourceEvent {
    pub(super) fn normal(reason: &str, message: impl Into<String>) -> Self {
        Self {
            reason: reason.to_owned(),
            message: message.into(),
            action: reason.to_owned(),
            is_warning: false,
        }
    }

    fn about(self, action: &str) -> Self {
        Self {
            action: action.to_owned(),
            ..self
        }
    }

    /// An event that somebody should look at.
    pub(crate) fn warning(reason: &str, message: impl Into<String>) -> Self {
        Self {
            is_warning: true,
            ..Self::normal(reason, message)
        }
    }
}

/// The events of a transition that leads to a status.
pub(super) fn events(transition: &Transition<'_>, new: &Status) -> Vec<ResourceEvent> {
    let old = &transition.previous;
    let stages = new.stages.iter();
    let mut events: Vec<_> = stages.flat_map(|stage| stage_events(old, stage)).collect();
    events.extend(failures(transition));
    events.extend(phase(old, new));
    if transition.next.ending.is_none() {
        events.extend(accepted(old, new));
        events.extend(pods(old, new));
    }
    events.extend(end(new));
    events
}

fn stage_events(old: &Status, stage: &StageStatus) -> Vec<ResourceEvent> {
    let before = old.stages.iter().find(|it| it.name == stage.name);
    let mut events = Vec::new();
    if before.is_none() {
        let job = stage.job.as_deref().unwrap_or_default();
        let (name, tasks) = (&stage.name, stage.tasks);
        let message = format!("{name}: {} in the Job {job}", counted(tasks, "task"));
        events.push(ResourceEvent::normal("StageStarted", message).about(name));
    }
    let was_complete = before.is_some_and(|it| it.completion_time.is_some());
    if stage.completion_time.is_some() && !was_complete {
        let (name, failed, tasks) = (&stage.name, stage.failed, stage.tasks);
        let event = if failed == 0 {
            let message = format!("{name}: {} ended well", counted(tasks, "task"));
            ResourceEvent::normal("StageFinished", message)
        } else {
            let message = format!("{name}: {failed} of {} failed", counted(tasks, "task"));
            ResourceEvent::warning("StageFinished", message)
        };
        events.push(event.about(name));
    }
    events
}

fn counted(number: u32, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

fn failures(transition: &Transition<'_>) -> Vec<ResourceEvent> {
    let observed = transition.observed;
    let published_until = observed.events_published_until;
    let failures = observed.snapshot.state.reports.failures.iter();
    let news: Vec<_> = failures
        .filter(|(_, failure)| !failure.published && !was_published(failure, published_until))
        .collect();
    let mut events: Vec<_> = news
        .iter()
        .take(MAX_FAILURES)
        .map(|(id, failure)| {
            let work = transition.plan.task(**id).map(|task| task.work.to_string());
            let work = work.unwrap_or_else(|| id.to_string());
            let message = format!("{work}: {}", failure.sentence);
            ResourceEvent::warning(reasons::TASK_FAILED, message).about(&id.to_string())
        })
        .collect();
    if news.len() > MAX_FAILURES {
        let others = u32::try_from(news.len() - MAX_FAILURES).unwrap_or(u32::MAX);
        let message = format!("{} failed beside these", counted(others, "task"));
        events.push(ResourceEvent::warning(reasons::TASK_FAILED, message));
    }
    events
}

/// Whether another operator has published an event of a failure; pods' times have no fractions of
/// seconds.
fn was_published(failure: &FailureReport, published_until: Option<Timestamp>) -> bool {
    let times = failure.at.zip(published_until);
    times.is_some_and(|(at, until)| at.as_second() < until.as_second())
}

fn phase(old: &Status, new: &Status) -> Option<ResourceEvent> {
    if old.phase == new.phase {
        return None;
    }
    let unfinished = condition(&new.conditions, conditions::SUCCEEDED)?;
    let (reason, message) = (unfinished.reason.as_str(), unfinished.message.as_str());
    match (old.phase, new.phase) {
        (_, Some(Phase::Queued)) => Some(ResourceEvent::normal(reasons::QUEUED, message)),
        // The event of a Job that others have suspended is that of PodsHealthy.
        (_, Some(Phase::Suspended)) if reason == reasons::SUSPENDED => {
            Some(ResourceEvent::normal(reason, message))
        }
        // The event of a Job that may not be created yet is that of PodsHealthy.
        (_, Some(Phase::Pending)) if reason == reasons::WAITING_FOR_MODEL => {
            Some(ResourceEvent::normal(reason, message))
        }
        (Some(Phase::Suspended), Some(Phase::Running)) => {
            Some(ResourceEvent::normal("Resumed", "It goes on"))
        }
        _ => None,
    }
}

/// The event of a resource of which no Job is made.
fn accepted(old: &Status, new: &Status) -> Option<ResourceEvent> {
    let find = |status: &Status| condition(&status.conditions, conditions::ACCEPTED).cloned();
    let (before, now) = (find(old), find(new)?);
    let is_news = before.is_none_or(|it| (it.status, &it.message) != (now.status, &now.message));
    let is_refused = now.status == ConditionStatus::False;
    (is_news && is_refused).then(|| ResourceEvent::warning(&now.reason, now.message))
}

fn pods(old: &Status, new: &Status) -> Option<ResourceEvent> {
    let find = |status: &Status| condition(&status.conditions, conditions::PODS_HEALTHY).cloned();
    let (before, now) = (find(old), find(new)?);
    let is_bad = |it: &Condition| it.status == ConditionStatus::False;
    let is_news = is_bad(&now) && !before.as_ref().is_some_and(is_bad);
    // A failed task has an event of its own.
    let has_event = [reasons::TASK_FAILED, reasons::OUT_OF_MEMORY].contains(&now.reason.as_str());
    (is_news && !has_event).then(|| ResourceEvent::warning(&now.reason, now.message))
}

/// The event of a resource's end, of which there is one only.
fn end(new: &Status) -> Option<ResourceEvent> {
    let succeeded = condition(&new.conditions, conditions::SUCCEEDED)?;
    match succeeded.status {
        ConditionStatus::Unknown => None,
        ConditionStatus::True => Some(ResourceEvent::normal("Succeeded", &succeeded.message)),
        ConditionStatus::False => {
            let gates = condition(&new.conditions, conditions::GATES_PASSED);
            let missed = gates.filter(|_| succeeded.reason == reasons::GATE_MISSED);
            let message = missed.map_or(&succeeded.message, |gates| &gates.message);
            Some(ResourceEvent::warning(&succeeded.reason, message))
        }
    }
}
