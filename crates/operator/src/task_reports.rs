//! What tasks have told of themselves, kept beyond their pods.
//!
//! Pure. A task tells its summary or the sentence of its failure as its pod's termination message,
//! and how far it is in its log.

use std::collections::BTreeMap;

use k8s_openapi::jiff::Timestamp;

use super::snapshot::{Ended, PodSeen};
use attrium_workflow::{Progress, Summary, TaskRef};

/// What the tasks of one resource have told.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Heard {
    /// The summaries of tasks that have ended well, or nearly so.
    pub summaries: BTreeMap<TaskRef, Summary>,
    /// The last failures of tasks that have not ended well since.
    pub failures: BTreeMap<TaskRef, Told>,
    /// How far tasks are that run.
    pub progress: BTreeMap<TaskRef, Progress>,
    /// The latest pod of each task that has told how it ended: when it was made, and its uid.
    latest: BTreeMap<TaskRef, (Option<Timestamp>, String)>,
}

/// A failure as a pod told it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    /// The pod's uid.
    pub pod: String,
    /// The exit code, or 1 where there is none.
    pub exit_code: i32,
    /// What happened, as a sentence.
    pub sentence: String,
    /// Whether the pod was killed for its memory.
    pub out_of_memory: bool,
    /// When it happened, as far as is known.
    pub at: Option<Timestamp>,
    /// Whether an event has told of it.
    pub announced: bool,
}

/// The exit code of a task that stopped after a checkpoint.
const STOPPED: i32 = 130;

impl Heard {
    /// Hears how a task's pod has ended. Whether that was news: a watch that begins anew tells of all
    /// pods again, in no order.
    pub(crate) fn hear(&mut self, pod: &PodSeen, ended: &Ended) -> bool {
        let task = pod.task();
        let this = (pod.created, pod.uid.clone());
        if self.latest.get(&task).is_some_and(|it| *it >= this) {
            return false;
        }
        self.progress.remove(&task);
        if ended.disrupted || ended.exit_code == Some(STOPPED) {
            return false;
        }
        self.latest.insert(task, this);
        let summary = summary(ended);
        if let Some(summary) = &summary {
            self.summaries.insert(task, summary.clone());
        }
        if ended.exit_code == Some(0) {
            self.failures.remove(&task);
            return summary.is_some();
        }
        let shortfall = summary.and_then(|summary| summary.shortfall);
        let told = Told {
            pod: pod.uid.clone(),
            exit_code: ended.exit_code.unwrap_or(1),
            sentence: shortfall.unwrap_or_else(|| sentence(ended)),
            out_of_memory: ended.out_of_memory,
            at: pod.ended.or(pod.created),
            announced: false,
        };
        self.failures.insert(task, told);
        true
    }
}

/// The summary that a container has left; one that fell short of what was asked leaves one too.
fn summary(ended: &Ended) -> Option<Summary> {
    if matches!(ended.exit_code, Some(0 | 42)) {
        Summary::from_message(&ended.message)
    } else {
        None
    }
}

fn sentence(ended: &Ended) -> String {
    if ended.out_of_memory {
        return "the container needed more memory than it may take and was killed (OOMKilled): \
                raise compute.resources.limits.memory"
            .to_owned();
    }
    let message = ended.message.trim();
    if !message.is_empty() {
        return message.to_owned();
    }
    match ended.exit_code {
        Some(137) => "the container was killed (exit code 137)".to_owned(),
        Some(code) => format!("the container ended with exit code {code} and said nothing"),
        None => "the pod ended before its container had started".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::Origin;
    use crate::snapshot::PodState;
    use attrium_workflow::StageKind;

    const TASK: TaskRef = TaskRef {
        stage: StageKind::Train,
        index: 2,
    };

    /// A pod of the task, made so many seconds after the first.
    fn pod(uid: &str, second: i64) -> PodSeen {
        PodSeen {
            name: uid.to_owned(),
            uid: uid.to_owned(),
            version: "1".to_owned(),
            origin: Origin {
                uid: "u".to_owned(),
                stage: TASK.stage,
                attempt: 0,
            },
            index: TASK.index,
            node: None,
            created: Timestamp::from_second(second).ok(),
            deleted: None,
            ended: None,
            state: PodState::Failed,
        }
    }

    fn ended(exit_code: i32, message: &str) -> Ended {
        Ended {
            exit_code: Some(exit_code),
            message: message.to_owned(),
            out_of_memory: false,
            disrupted: false,
        }
    }

    #[test]
    fn a_success_after_a_failure_leaves_the_summary_alone() {
        let mut heard = Heard::default();
        assert!(heard.hear(&pod("a", 0), &ended(1, "the store is down")));
        assert_eq!(heard.failures[&TASK].sentence, "the store is down");
        assert!(heard.hear(&pod("b", 10), &ended(0, r#"{"message": "done"}"#)));
        assert_eq!(heard.summaries[&TASK].message, "done");
        assert!(heard.failures.is_empty());
    }

    #[test]
    fn a_failure_is_news_once() {
        let mut heard = Heard::default();
        assert!(heard.hear(&pod("a", 0), &ended(1, "the store is down")));
        let before = heard.clone();
        assert!(!heard.hear(&pod("a", 0), &ended(1, "the store is down")));
        assert_eq!(heard, before);
    }

    #[test]
    fn what_an_earlier_pod_told_is_not_heard_again_after_a_later_one() {
        let mut heard = Heard::default();
        assert!(heard.hear(&pod("a", 0), &ended(1, "the store is down")));
        assert!(heard.hear(&pod("b", 10), &ended(1, "the disk is full")));
        assert!(!heard.hear(&pod("a", 0), &ended(1, "the store is down")));
        assert_eq!(heard.failures[&TASK].sentence, "the disk is full");
        assert!(heard.hear(&pod("c", 20), &ended(0, r#"{"message": "done"}"#)));
        assert!(!heard.hear(&pod("b", 10), &ended(1, "the disk is full")));
        assert!(heard.failures.is_empty());
    }

    #[test]
    fn a_task_that_was_stopped_or_disrupted_has_told_nothing() {
        let mut heard = Heard::default();
        assert!(!heard.hear(&pod("a", 0), &ended(130, "interrupted")));
        let disrupted = Ended {
            disrupted: true,
            ..ended(137, "")
        };
        assert!(!heard.hear(&pod("b", 10), &disrupted));
        assert_eq!(heard, Heard::default());
    }

    #[test]
    fn a_task_that_fell_short_leaves_its_summary_and_fails_with_the_shortfall() {
        let mut heard = Heard::default();
        heard.hear(
            &pod("a", 0),
            &ended(42, r#"{"report": "r", "shortfall": "no bundle"}"#),
        );
        assert_eq!(heard.summaries[&TASK].report.as_deref(), Some("r"));
        assert_eq!(heard.failures[&TASK].sentence, "no bundle");
    }

    #[test]
    fn a_container_that_says_nothing_is_told_by_its_exit_code() {
        let mut heard = Heard::default();
        heard.hear(&pod("a", 0), &ended(137, ""));
        assert_eq!(
            heard.failures[&TASK].sentence,
            "the container was killed (exit code 137)"
        );
        let killed = Ended {
            out_of_memory: true,
            ..ended(137, "")
        };
        heard.hear(&pod("b", 10), &killed);
        assert!(heard.failures[&TASK].sentence.contains("OOMKilled"));
    }
}
