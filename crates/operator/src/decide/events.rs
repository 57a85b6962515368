//! What people are told: the difference between two statuses, as events.

use k8s_openapi::jiff::Timestamp;

use super::Situation;
use super::transition::Course;
use crate::task_reports::Told;
use attrium_api::{
    Condition, ConditionStatus, Phase, StageStatus, Status, condition, conditions, reasons,
};
use attrium_workflow::Plan;

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    /// Why, as one word for programs.
    pub reason: String,
    /// Why, as a sentence for people.
    pub message: String,
    /// What was being done: events of the same reason and action are told as one.
    pub action: String,
    /// Whether somebody should look.
    pub is_warning: bool,
}

/// The most failed tasks that are told of at a time.
const FAILURES: usize = 5;

impl Notice {
    fn normal(reason: &str, message: impl Into<String>) -> Self {
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

/// What is to be told when a status follows on another one.
pub(super) fn notices(
    old: &Status,
    new: &Status,
    situation: &Situation,
    plan: &Plan,
    course: &Course,
) -> Vec<Notice> {
    let mut notices: Vec<_> = new
        .stages
        .iter()
        .flat_map(|stage| stage_notices(old, stage))
        .collect();
    notices.extend(failures(situation, plan));
    notices.extend(phase(old, new));
    if course.ending.is_none() {
        notices.extend(pods(old, new));
    }
    notices.extend(end(new));
    notices
}

fn stage_notices(old: &Status, stage: &StageStatus) -> Vec<Notice> {
    let before = old.stages.iter().find(|it| it.name == stage.name);
    let mut notices = Vec::new();
    if before.is_none() {
        let job = stage.job.as_deref().unwrap_or_default();
        let (name, tasks) = (&stage.name, stage.tasks);
        let message = format!("{name}: {} in the Job {job}", counted(tasks, "task"));
        notices.push(Notice::normal("StageStarted", message).about(name));
    }
    let was_complete = before.is_some_and(|it| it.completion_time.is_some());
    if stage.completion_time.is_some() && !was_complete {
        let (name, failed, tasks) = (&stage.name, stage.failed, stage.tasks);
        let notice = if failed == 0 {
            let message = format!("{name}: {} ended well", counted(tasks, "task"));
            Notice::normal("StageFinished", message)
        } else {
            let message = format!("{name}: {failed} of {} failed", counted(tasks, "task"));
            Notice::warning("StageFinished", message)
        };
        notices.push(notice.about(name));
    }
    notices
}

fn counted(number: u32, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

fn failures(situation: &Situation, plan: &Plan) -> Vec<Notice> {
    let told = situation.heard.failures.iter();
    let is_news = |told: &Told| !told.announced && !was_told(told, situation.told_until);
    let news: Vec<_> = told.filter(|(_, told)| is_news(told)).collect();
    let mut notices: Vec<_> = news
        .iter()
        .take(FAILURES)
        .map(|(id, told)| {
            let work = plan.task(**id).map(|task| task.work.to_string());
            let work = work.unwrap_or_else(|| id.to_string());
            let message = format!("{work}: {}", told.sentence);
            Notice::warning(reasons::TASK_FAILED, message).about(&id.to_string())
        })
        .collect();
    if news.len() > FAILURES {
        let message = format!(
            "{} failed beside these",
            counted_tasks(news.len() - FAILURES)
        );
        notices.push(Notice::warning(reasons::TASK_FAILED, message));
    }
    notices
}

/// Whether another operator has told of a failure; pods' times have no fractions of seconds.
fn was_told(told: &Told, told_until: Option<Timestamp>) -> bool {
    let times = told.at.zip(told_until);
    times.is_some_and(|(at, until)| at.as_second() < until.as_second())
}

fn counted_tasks(number: usize) -> String {
    counted(u32::try_from(number).unwrap_or(u32::MAX), "task")
}

fn phase(old: &Status, new: &Status) -> Option<Notice> {
    if old.phase == new.phase {
        return None;
    }
    let unfinished = condition(&new.conditions, conditions::SUCCEEDED)?;
    let (reason, message) = (unfinished.reason.as_str(), unfinished.message.as_str());
    match (old.phase, new.phase) {
        (_, Some(Phase::Queued)) => Some(Notice::normal(reasons::QUEUED, message)),
        (_, Some(Phase::Suspended)) => Some(Notice::normal(reasons::SUSPENDED, message)),
        // A Job that may not be made yet is told of by its pods.
        (_, Some(Phase::Pending)) if reason == reasons::WAITING_FOR_MODEL => {
            Some(Notice::normal(reason, message))
        }
        (Some(Phase::Suspended), Some(Phase::Running)) => {
            Some(Notice::normal("Resumed", "It goes on"))
        }
        _ => None,
    }
}

fn pods(old: &Status, new: &Status) -> Option<Notice> {
    let find = |status: &Status| condition(&status.conditions, conditions::PODS_HEALTHY).cloned();
    let (before, now) = (find(old), find(new)?);
    let is_bad = |it: &Condition| it.status == ConditionStatus::False;
    let is_news = is_bad(&now) && !before.as_ref().is_some_and(is_bad);
    // A failed task has an event of its own.
    let is_told = [reasons::TASK_FAILED, reasons::OUT_OF_MEMORY].contains(&now.reason.as_str());
    (is_news && !is_told).then(|| Notice::warning(&now.reason, now.message))
}

/// The end of a resource; it has one only.
fn end(new: &Status) -> Option<Notice> {
    let succeeded = condition(&new.conditions, conditions::SUCCEEDED)?;
    match succeeded.status {
        ConditionStatus::Unknown => None,
        ConditionStatus::True => Some(Notice::normal("Succeeded", &succeeded.message)),
        ConditionStatus::False => {
            let gates = condition(&new.conditions, conditions::GATES_PASSED);
            let missed = gates.filter(|_| succeeded.reason == reasons::GATE_MISSED);
            let message = missed.map_or(&succeeded.message, |gates| &gates.message);
            Some(Notice::warning(&succeeded.reason, message))
        }
    }
}
