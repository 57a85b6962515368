//! Snapshots of Jobs and pods: the few fields that decisions are made of.
//!
//! Pure. Whole objects are never kept, so that an operator with thousands of runs stays small.

use std::collections::BTreeSet;

use k8s_openapi::api::batch::v1::{Job, JobCondition};
use k8s_openapi::api::core::v1::{
    ContainerStateTerminated, ContainerStatus, Pod, PodCondition, PodStatus,
};
use k8s_openapi::jiff::Timestamp;

use super::names::{self, Origin};
use attrium_api::{CONTAINER, Uid};
use attrium_workflow::TaskRef;

/// The annotation, and label, of a pod's completion index.
const INDEX: &str = "batch.kubernetes.io/job-completion-index";

/// A Job as it was last seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JobSnapshot {
    pub name: String,
    pub uid: Uid,
    pub resource_version: String,
    pub origin: Origin,
    pub suspended: bool,
    /// Whether a queue admits it.
    pub queued: bool,
    /// How many indexes it has.
    pub completions: u32,
    /// How many of its pods may run at a time.
    pub parallelism: Option<i32>,
    /// How long it may run, in seconds.
    pub deadline: Option<i64>,
    /// How many of its pods are active.
    pub active: u32,
    /// The indexes that have succeeded.
    pub completed: BTreeSet<u32>,
    /// The indexes that have failed for good.
    pub failed: BTreeSet<u32>,
    /// How it has ended, once it has.
    pub end: Option<JobEnd>,
    pub created: Option<Timestamp>,
    /// When it last began to run.
    pub started: Option<Timestamp>,
    pub is_being_deleted: bool,
}

/// How a Job has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JobEnd {
    /// Why it failed; nothing where every index has ended well.
    pub failure: Option<JobFailure>,
    pub at: Option<Timestamp>,
}

/// Why a Job has failed, as the Job controller says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JobFailure {
    /// One word, such as `FailedIndexes`.
    pub reason: String,
    /// A sentence.
    pub message: String,
}

impl JobSnapshot {
    /// Whether it has indexes to work on: one whose indexes are all over has yet to say that it has
    /// ended, and is left alone.
    pub(crate) fn is_open(&self) -> bool {
        let over = self.completed.len() + self.failed.len();
        self.end.is_none() && !self.is_being_deleted && over < self.completions as usize
    }

    /// The snapshot of a Job, if it is one of attrium's.
    pub(crate) fn of(job: &Job) -> Option<Self> {
        let metadata = &job.metadata;
        let labels = metadata.labels.as_ref()?;
        let (spec, status) = (job.spec.as_ref()?, job.status.clone().unwrap_or_default());
        let count = |number: Option<i32>| u32::try_from(number.unwrap_or_default());
        let indexes = |text: Option<String>| indexes(text.as_deref().unwrap_or_default());
        Some(Self {
            name: metadata.name.clone()?,
            uid: Uid::new(metadata.uid.as_deref()?)?,
            resource_version: metadata.resource_version.clone().unwrap_or_default(),
            origin: Origin::of(labels)?,
            suspended: spec.suspend.unwrap_or_default(),
            queued: labels.contains_key(names::QUEUE),
            completions: count(spec.completions).unwrap_or_default(),
            parallelism: spec.parallelism,
            deadline: spec.active_deadline_seconds,
            active: count(status.active).unwrap_or_default(),
            completed: indexes(status.completed_indexes),
            failed: indexes(status.failed_indexes),
            end: end(&status.conditions.unwrap_or_default()),
            created: metadata.creation_timestamp.as_ref().map(|time| time.0),
            started: status.start_time.map(|time| time.0),
            is_being_deleted: metadata.deletion_timestamp.is_some(),
        })
    }
}

fn end(conditions: &[JobCondition]) -> Option<JobEnd> {
    let holds = |kind: &str| {
        conditions
            .iter()
            .find(|it| it.type_ == kind && it.status == "True")
    };
    let at = |it: &JobCondition| it.last_transition_time.as_ref().map(|time| time.0);
    if let Some(complete) = holds("Complete") {
        return Some(JobEnd {
            failure: None,
            at: at(complete),
        });
    }
    holds("Failed").map(|failed| JobEnd {
        failure: Some(JobFailure {
            reason: failed.reason.clone().unwrap_or_default(),
            message: failed.message.clone().unwrap_or_default(),
        }),
        at: at(failed),
    })
}

/// The most indexes of a Job that are read: a stage has no more tasks.
const MAX_INDEX: u32 = 1000;

/// The indexes that the Job controller writes as `1,3-5,7`.
fn indexes(text: &str) -> BTreeSet<u32> {
    let parse = |text: &str| text.trim().parse().ok();
    let range = |part: &str| match part.split_once('-') {
        Some((first, last)) => Some(parse(first)?..=parse(last)?),
        None => parse(part).map(|index: u32| index..=index),
    };
    let ranges = text.split(',').filter_map(range);
    ranges
        .flat_map(|range| *range.start()..=(*range.end()).min(MAX_INDEX))
        .collect()
}

/// A pod as it was last seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PodSnapshot {
    pub name: String,
    pub uid: Uid,
    pub resource_version: String,
    pub origin: Origin,
    /// The completion index, which is that of its task.
    pub index: u32,
    /// The node that it is bound to.
    pub node: Option<String>,
    pub created: Option<Timestamp>,
    /// When it was asked to end, with the time it has for that.
    pub deleted: Option<Timestamp>,
    /// When its container ended.
    pub ended: Option<Timestamp>,
    pub state: PodState,
}

/// What a pod's container does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PodState {
    /// Its container has not been started.
    Waiting {
        /// Why not, as the scheduler or the kubelet says, where they do.
        problem: Option<Problem>,
    },
    /// Its container runs.
    Running {
        /// False once its node has ceased to report it.
        ready: bool,
    },
    /// It has ended well.
    Succeeded,
    /// It has ended in another way.
    Failed,
}

/// What keeps a pod or a Job from running.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Problem {
    /// One word for programs.
    pub reason: String,
    /// A sentence for people.
    pub message: String,
}

impl PodSnapshot {
    /// The task that it does.
    pub(crate) fn task(&self) -> TaskRef {
        TaskRef {
            stage: self.origin.stage,
            index: self.index,
        }
    }

    /// The snapshot of a pod, if it is one of attrium's.
    pub(crate) fn of(pod: &Pod) -> Option<Self> {
        let metadata = &pod.metadata;
        let labels = metadata.labels.as_ref()?;
        let annotations = metadata.annotations.as_ref();
        let index = labels
            .get(INDEX)
            .or_else(|| annotations.and_then(|it| it.get(INDEX)))?;
        let status = pod.status.clone().unwrap_or_default();
        Some(Self {
            name: metadata.name.clone()?,
            uid: Uid::new(metadata.uid.as_deref()?)?,
            resource_version: metadata.resource_version.clone().unwrap_or_default(),
            origin: Origin::of(labels)?,
            index: index.parse().ok()?,
            node: pod.spec.as_ref().and_then(|spec| spec.node_name.clone()),
            created: metadata.creation_timestamp.as_ref().map(|time| time.0),
            deleted: metadata.deletion_timestamp.as_ref().map(|time| time.0),
            ended: terminated(&status)
                .and_then(|it| it.finished_at.as_ref())
                .map(|time| time.0),
            state: state(&status),
        })
    }
}

fn state(status: &PodStatus) -> PodState {
    match status.phase.as_deref() {
        Some("Succeeded") => return PodState::Succeeded,
        Some("Failed") => return PodState::Failed,
        _ => {}
    }
    // A container ends before its pod does.
    match terminated(status).map(|it| it.exit_code) {
        Some(0) => return PodState::Succeeded,
        Some(_) => return PodState::Failed,
        None => {}
    }
    let container = container(status);
    let state = container.and_then(|it| it.state.as_ref());
    if state.is_some_and(|it| it.running.is_some()) {
        return PodState::Running {
            ready: !is_false(condition(status, "Ready")),
        };
    }
    PodState::Waiting {
        problem: problem(status, container),
    }
}

fn problem(status: &PodStatus, container: Option<&ContainerStatus>) -> Option<Problem> {
    if let Some(scheduled) = condition(status, "PodScheduled")
        && scheduled.status == "False"
    {
        return Some(Problem {
            reason: scheduled.reason.clone().unwrap_or_default(),
            message: scheduled.message.clone().unwrap_or_default(),
        });
    }
    let init = status.init_container_statuses.iter().flatten();
    let waiting = init
        .chain(container)
        .filter_map(|it| it.state.as_ref()?.waiting.as_ref())
        .find(|waiting| {
            // These reasons only say that the kubelet is at work on it.
            let reason = waiting.reason.as_deref().unwrap_or_default();
            !matches!(reason, "" | "ContainerCreating" | "PodInitializing")
        })?;
    Some(Problem {
        reason: waiting.reason.clone().unwrap_or_default(),
        message: waiting.message.clone().unwrap_or_default(),
    })
}

fn container(status: &PodStatus) -> Option<&ContainerStatus> {
    let mut containers = status.container_statuses.iter().flatten();
    containers.find(|container| container.name == CONTAINER)
}

fn terminated(status: &PodStatus) -> Option<&ContainerStateTerminated> {
    container(status)?.state.as_ref()?.terminated.as_ref()
}

fn condition<'a>(status: &'a PodStatus, kind: &str) -> Option<&'a PodCondition> {
    let mut conditions = status.conditions.iter().flatten();
    conditions.find(|condition| condition.type_ == kind)
}

fn is_false(condition: Option<&PodCondition>) -> bool {
    condition.is_some_and(|condition| condition.status == "False")
}

/// How the container of a pod that has ended came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Termination {
    /// Its exit code, if it ever ran.
    pub exit_code: Option<i32>,
    /// Its termination message; of a pod whose container left none, the kubelet's own message.
    pub message: String,
    /// Whether it was killed for its memory.
    pub out_of_memory: bool,
    /// Whether it was taken away for reasons that are not its own, so that it counts for nothing.
    pub disrupted: bool,
}

/// How a pod has ended: once its phase says so, since a disruption may be reported after its
/// container's end; of a pod that is deleted, once its container has ended.
pub(crate) fn termination(pod: &Pod, is_deleted: bool) -> Option<Termination> {
    let status = pod.status.as_ref()?;
    let is_over = matches!(status.phase.as_deref(), Some("Succeeded" | "Failed"));
    let terminated = terminated(status);
    if !is_over && (!is_deleted || terminated.is_none()) {
        return None;
    }
    let reason = terminated.and_then(|it| it.reason.as_deref());
    let message = terminated.and_then(|it| it.message.clone());
    let disrupted = condition(status, "DisruptionTarget").is_some_and(|it| it.status == "True");
    Some(Termination {
        exit_code: terminated.map(|it| it.exit_code),
        message: message
            .or_else(|| status.message.clone())
            .unwrap_or_default(),
        out_of_memory: reason == Some("OOMKilled"),
        disrupted,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn indexes_are_read_as_the_job_controller_writes_them() {
        let read = |text| indexes(text).into_iter().collect::<Vec<_>>();
        assert_eq!(read("1,3-5,7"), [1, 3, 4, 5, 7]);
        assert_eq!(read(""), [0; 0]);
        assert_eq!(read("0"), [0]);
        assert_eq!(read("x,2"), [2]);
    }

    fn pod(status: &Value) -> Pod {
        let labels = json!({
            "app.kubernetes.io/component": "train",
            "attrium.dev/uid": "u",
            "attrium.dev/attempt": "0",
            "batch.kubernetes.io/job-completion-index": "2",
        });
        let pod = json!({
            "metadata": {"name": "p", "uid": "pu", "labels": labels},
            "spec": {"containers": [], "nodeName": "n"},
            "status": status,
        });
        serde_json::from_value(pod).expect("a pod")
    }

    fn with_container(state: &Value) -> Value {
        json!({"phase": "Pending", "containerStatuses": [{
            "name": "attrium", "image": "", "imageID": "", "ready": false, "restartCount": 0,
            "state": state,
        }]})
    }

    fn state_of(status: &Value) -> PodState {
        PodSnapshot::of(&pod(status))
            .expect("one of attrium's")
            .state
    }

    #[test]
    fn a_waiting_pod_has_the_problem_that_the_scheduler_or_the_kubelet_reports() {
        let unschedulable = json!({"phase": "Pending", "conditions": [{
            "type": "PodScheduled", "status": "False", "reason": "Unschedulable",
            "message": "0/1 nodes are available: 1 Insufficient nvidia.com/gpu.",
        }]});
        let waiting_for = |reason: &str, message: &str| PodState::Waiting {
            problem: Some(Problem {
                reason: reason.to_owned(),
                message: message.to_owned(),
            }),
        };
        let message = "0/1 nodes are available: 1 Insufficient nvidia.com/gpu.";
        assert_eq!(
            state_of(&unschedulable),
            waiting_for("Unschedulable", message)
        );
        let waiting = json!({"waiting": {"reason": "ImagePullBackOff", "message": "no such"}});
        let expected = waiting_for("ImagePullBackOff", "no such");
        assert_eq!(state_of(&with_container(&waiting)), expected);
        let creating = json!({"waiting": {"reason": "ContainerCreating"}});
        let expected = PodState::Waiting { problem: None };
        assert_eq!(state_of(&with_container(&creating)), expected);
    }

    #[test]
    fn a_running_pod_that_its_node_no_longer_reports_is_not_ready() {
        let mut status = with_container(&json!({"running": {"startedAt": "2026-11-24T10:00:00Z"}}));
        let is_ready = |status: &Value| match state_of(status) {
            PodState::Running { ready } => ready,
            other => panic!("{other:?}"),
        };
        assert!(is_ready(&status));
        status["conditions"] = json!([{"type": "Ready", "status": "False"}]);
        assert!(!is_ready(&status));
    }

    #[test]
    fn a_failed_container_is_explained_by_its_termination_message() {
        let terminated = json!({"terminated": {
            "exitCode": 42, "reason": "Error", "message": "no column grade",
        }});
        let mut status = with_container(&terminated);
        status["phase"] = json!("Failed");
        let ended = termination(&pod(&status), false).expect("should have ended");
        let expected = Termination {
            exit_code: Some(42),
            message: "no column grade".to_owned(),
            out_of_memory: false,
            disrupted: false,
        };
        assert_eq!(ended, expected);
    }

    #[test]
    fn an_evicted_pod_has_the_kubelets_message_and_counts_for_nothing() {
        let status = json!({
            "phase": "Failed", "reason": "Evicted", "message": "The node was low on memory",
            "conditions": [{"type": "DisruptionTarget", "status": "True"}],
        });
        let ended = termination(&pod(&status), false).expect("should have ended");
        assert_eq!((ended.exit_code, ended.disrupted), (None, true));
        assert_eq!(ended.message, "The node was low on memory");
        let running = pod(&with_container(&json!({"running": {}})));
        assert_eq!(termination(&running, true), None);
    }

    #[test]
    fn a_container_that_has_ended_does_not_wait_and_terminates_only_with_its_pod() {
        let status = |exit_code: i32| {
            let mut status = with_container(&json!({"terminated": {"exitCode": exit_code}}));
            status["phase"] = json!("Running");
            status
        };
        assert_eq!(state_of(&status(0)), PodState::Succeeded);
        assert_eq!(state_of(&status(137)), PodState::Failed);
        let killed = pod(&status(137));
        assert_eq!(termination(&killed, false), None);
        // Nothing follows on its deletion.
        let ended = termination(&killed, true).expect("should have ended");
        assert_eq!(ended.exit_code, Some(137));
    }
}
