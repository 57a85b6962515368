//! What tasks report of themselves, kept beyond their pods.
//!
//! Pure. A task leaves its summary, or the sentence of its failure, as its pod's termination message,
//! and its progress in its log.

use std::collections::BTreeMap;

use k8s_openapi::jiff::Timestamp;

use super::snapshot::{PodSnapshot, Termination};
use attrium_api::Uid;
use attrium_workflow::{Progress, Summary, TaskExit, TaskRef};

/// What the tasks of one resource have reported.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct TaskReports {
    /// The summaries of tasks that have ended well, or nearly so.
    pub summaries: BTreeMap<TaskRef, Summary>,
    /// The last failures of tasks that have not ended well since.
    pub failures: BTreeMap<TaskRef, FailureReport>,
    /// How far tasks are that run.
    pub progress: BTreeMap<TaskRef, Progress>,
    /// The latest pod of each task that has ended: when it was created, and its uid.
    latest: BTreeMap<TaskRef, (Option<Timestamp>, Uid)>,
}

/// The failure of a task as its pod reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FailureReport {
    pub pod: Uid,
    /// What the failure means.
    pub exit: TaskExit,
    /// The exit code, or 1 where there is none.
    pub exit_code: i32,
    /// What happened, as a sentence.
    pub sentence: String,
    /// Whether the pod was killed for its memory.
    pub out_of_memory: bool,
    /// When it happened, as far as is known.
    pub at: Option<Timestamp>,
    /// Whether an event of it has been published.
    pub published: bool,
}

impl TaskReports {
    /// Records how a task's pod has terminated. Whether that was news: a watch that starts anew lists all pods
    /// again, in no order.
    pub(crate) fn record(&mut self, pod: &PodSnapshot, termination: &Termination) -> bool {
        let task = pod.task();
        let this = (pod.created, pod.uid.clone());
        if self.latest.get(&task).is_some_and(|it| *it >= this) {
            return false;
        }
        self.progress.remove(&task);
        let exit = termination.exit_code.map(TaskExit::from_exit_code);
        if termination.disrupted || exit == Some(TaskExit::Interrupted) {
            return false;
        }
        self.latest.insert(task, this);
        let summary = summary(termination);
        if let Some(summary) = &summary {
            self.summaries.insert(task, summary.clone());
        }
        if termination.exit_code == Some(0) {
            self.failures.remove(&task);
            return summary.is_some();
        }
        let shortfall = summary.and_then(|summary| summary.shortfall);
        let exit = match &shortfall {
            Some(_) => TaskExit::of_shortfall(task.stage),
            None => exit.unwrap_or(TaskExit::Retry),
        };
        let failure = FailureReport {
            pod: pod.uid.clone(),
            exit,
            exit_code: match shortfall {
                Some(_) => exit.exit_code().into(),
                None => termination.exit_code.unwrap_or(1),
            },
            sentence: shortfall.unwrap_or_else(|| sentence(termination)),
            out_of_memory: termination.out_of_memory,
            at: pod.ended.or(pod.created),
            published: false,
        };
        self.failures.insert(task, failure);
        true
    }

    /// Notes that events of these failures have been published.
    pub(crate) fn mark_published(&mut self, published: &Self) {
        for (task, failure) in &mut self.failures {
            let other = published.failures.get(task);
            failure.published |= other.is_some_and(|it| it.pod == failure.pod);
        }
    }
}

/// The summary that a container has left; one that fell short of what was asked leaves one too.
fn summary(termination: &Termination) -> Option<Summary> {
    let summary = Summary::from_message(&termination.message)?;
    (termination.exit_code == Some(0) || summary.shortfall.is_some()).then_some(summary)
}

fn sentence(termination: &Termination) -> String {
    if termination.out_of_memory {
        return "the container needed more memory than it may take and was killed (OOMKilled): \
                raise compute.resources.limits.memory"
            .to_owned();
    }
    let message = termination.message.trim();
    if !message.is_empty() {
        return message.to_owned();
    }
    match termination.exit_code {
        Some(137) => "the container was killed (exit code 137)".to_owned(),
        Some(code) => format!("the container ended with exit code {code} and said nothing"),
        None => "the pod ended before its container had started".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;
    use crate::names::Origin;
    use crate::owner::Owner;
    use crate::snapshot::PodState;
    use attrium_workflow::StageKind;

    const TASK: TaskRef = TaskRef {
        stage: StageKind::Train,
        index: 2,
    };

    /// A pod of the task, created so many seconds after the first.
    fn pod(uid: &str, second: i64) -> PodSnapshot {
        PodSnapshot {
            name: uid.to_owned(),
            uid: fixtures::uid(uid),
            resource_version: "1".to_owned(),
            owner: Owner {
                namespace: "hospital".into(),
                uid: fixtures::uid("u"),
            },
            job: fixtures::uid("job"),
            origin: Origin {
                stage: TASK.stage,
                attempt: 0,
            },
            index: TASK.index,
            node: None,
            created: Timestamp::from_second(second).ok(),
            deleted: None,
            ended: None,
            image: None,
            sidecar: None,
            state: PodState::Failed,
        }
    }

    fn terminated(exit_code: i32, message: &str) -> Termination {
        Termination {
            exit_code: Some(exit_code),
            message: message.to_owned(),
            out_of_memory: false,
            disrupted: false,
        }
    }

    #[test]
    fn a_success_after_a_failure_leaves_the_summary_alone() {
        let mut reports = TaskReports::default();
        assert!(reports.record(&pod("a", 0), &terminated(1, "the store is down")));
        assert_eq!(reports.failures[&TASK].sentence, "the store is down");
        assert!(reports.record(&pod("b", 10), &terminated(0, r#"{"message": "done"}"#)));
        assert_eq!(reports.summaries[&TASK].message, "done");
        assert!(reports.failures.is_empty());
    }

    #[test]
    fn a_failure_is_news_once() {
        let mut reports = TaskReports::default();
        assert!(reports.record(&pod("a", 0), &terminated(1, "the store is down")));
        let before = reports.clone();
        assert!(!reports.record(&pod("a", 0), &terminated(1, "the store is down")));
        assert_eq!(reports, before);
    }

    #[test]
    fn what_an_earlier_pod_reported_is_not_recorded_again_after_a_later_one() {
        let mut reports = TaskReports::default();
        assert!(reports.record(&pod("a", 0), &terminated(1, "the store is down")));
        assert!(reports.record(&pod("b", 10), &terminated(1, "the disk is full")));
        assert!(!reports.record(&pod("a", 0), &terminated(1, "the store is down")));
        assert_eq!(reports.failures[&TASK].sentence, "the disk is full");
        assert!(reports.record(&pod("c", 20), &terminated(0, r#"{"message": "done"}"#)));
        assert!(!reports.record(&pod("b", 10), &terminated(1, "the disk is full")));
        assert!(reports.failures.is_empty());
    }

    #[test]
    fn a_task_that_was_stopped_or_disrupted_has_reported_nothing() {
        let mut reports = TaskReports::default();
        assert!(!reports.record(&pod("a", 0), &terminated(130, "interrupted")));
        let disrupted = Termination {
            disrupted: true,
            ..terminated(137, "")
        };
        assert!(!reports.record(&pod("b", 10), &disrupted));
        assert_eq!(reports, TaskReports::default());
    }

    #[test]
    fn a_task_that_fell_short_leaves_its_summary_and_fails_with_the_shortfall() {
        let mut reports = TaskReports::default();
        reports.record(
            &pod("a", 0),
            &terminated(42, r#"{"report": "r", "shortfall": "no bundle"}"#),
        );
        assert_eq!(reports.summaries[&TASK].report.as_deref(), Some("r"));
        assert_eq!(reports.failures[&TASK].sentence, "no bundle");
        assert_eq!(reports.failures[&TASK].exit, TaskExit::Incomplete);
    }

    #[test]
    fn an_alert_that_was_not_sent_is_reported_as_what_another_try_may_mend() {
        let summarize = PodSnapshot {
            origin: Origin {
                stage: StageKind::Summarize,
                ..pod("a", 0).origin
            },
            ..pod("a", 0)
        };
        for exit_code in [1, 42] {
            let mut reports = TaskReports::default();
            let message = r#"{"report": "r", "shortfall": "no alert was sent"}"#;
            assert!(reports.record(&summarize, &terminated(exit_code, message)));
            let summary = &reports.summaries[&summarize.task()];
            assert_eq!(summary.report.as_deref(), Some("r"));
            let failure = &reports.failures[&summarize.task()];
            assert_eq!((failure.exit, failure.exit_code), (TaskExit::Incomplete, 1));
        }
    }

    #[test]
    fn a_container_that_says_nothing_is_reported_by_its_exit_code() {
        let mut reports = TaskReports::default();
        reports.record(&pod("a", 0), &terminated(137, ""));
        assert_eq!(
            reports.failures[&TASK].sentence,
            "the container was killed (exit code 137)"
        );
        let killed = Termination {
            out_of_memory: true,
            ..terminated(137, "")
        };
        reports.record(&pod("b", 10), &killed);
        assert!(reports.failures[&TASK].sentence.contains("OOMKilled"));
    }
}
