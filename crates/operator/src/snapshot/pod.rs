//! The snapshot of a pod, and how it has ended.

use k8s_openapi::api::core::v1::{
    ContainerStateTerminated, ContainerStatus, Pod, PodCondition, PodStatus,
};
use k8s_openapi::jiff::Timestamp;

use super::JobSnapshot;
use crate::names::{self, Origin};
use crate::owner::{self, Owner};
use attrium_api::{CONTAINER, Uid};
use attrium_workflow::TaskRef;

/// The annotation, and label, of a pod's completion index.
const INDEX: &str = "batch.kubernetes.io/job-completion-index";

/// A pod as it was last seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PodSnapshot {
    pub name: String,
    pub uid: Uid,
    pub resource_version: String,
    /// The resource that its labels name: it is its pod only if its Job is that resource's.
    pub owner: Owner,
    /// The uid of the Job that controls it.
    pub job: Uid,
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
    /// The very image that its container runs, by its digest.
    pub image: Option<String>,
    /// A container that still runs although the task's has ended.
    pub sidecar: Option<String>,
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

    /// Whether it is a pod of a Job.
    pub(crate) fn is_of(&self, job: &JobSnapshot) -> bool {
        (&self.owner, &self.job, &self.origin) == (&job.owner, &job.uid, &job.origin)
    }

    /// The snapshot of a pod, if it says that it is one of attrium's.
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
            owner: Owner {
                namespace: metadata.namespace.as_deref()?.into(),
                uid: Uid::new(labels.get(names::UID)?.as_str())?,
            },
            job: owner::job(metadata)?,
            origin: Origin::of(labels)?,
            index: index.parse().ok()?,
            node: pod.spec.as_ref().and_then(|spec| spec.node_name.clone()),
            created: metadata.creation_timestamp.as_ref().map(|time| time.0),
            deleted: metadata.deletion_timestamp.as_ref().map(|time| time.0),
            ended: terminated(&status)
                .and_then(|it| it.finished_at.as_ref())
                .map(|time| time.0),
            image: image(&status),
            sidecar: sidecar(&status),
            state: state(&status),
        })
    }
}

/// A node names an image by its repository and digest, or by a digest of its own by which no other node
/// would find it.
fn image(status: &PodStatus) -> Option<String> {
    let id = &container(status)?.image_id;
    let reference = id.rsplit_once("://").map_or(id.as_str(), |(_, id)| id);
    let (repository, digest) = reference.split_once("@sha256:")?;
    let is_digest = digest.len() == 64 && digest.bytes().all(|it| it.is_ascii_hexdigit());
    (is_digest && !repository.is_empty()).then(|| reference.to_owned())
}

fn sidecar(status: &PodStatus) -> Option<String> {
    terminated(status)?;
    let mut others = status.container_statuses.iter().flatten();
    let runs = |it: &&ContainerStatus| it.state.as_ref().is_some_and(|it| it.running.is_some());
    others.find(runs).map(|it| it.name.clone())
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
/// container's end; of a pod that is deleted, or that another container keeps from ending, once its
/// container has ended.
pub(crate) fn termination(pod: &Pod, is_deleted: bool) -> Option<Termination> {
    let status = pod.status.as_ref()?;
    let is_over = matches!(status.phase.as_deref(), Some("Succeeded" | "Failed"));
    let terminated = terminated(status);
    let is_enough = is_deleted || sidecar(status).is_some();
    if !is_over && (!is_enough || terminated.is_none()) {
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

    fn pod(status: &Value) -> Pod {
        let labels = json!({
            "app.kubernetes.io/component": "train",
            "attrium.dev/uid": "u",
            "attrium.dev/attempt": "0",
            "batch.kubernetes.io/job-completion-index": "2",
        });
        let job = json!({
            "apiVersion": "batch/v1", "kind": "Job", "name": "j", "uid": "ju", "controller": true,
        });
        let pod = json!({
            "metadata": {
                "name": "p", "namespace": "hospital", "uid": "pu", "labels": labels,
                "ownerReferences": [job],
            },
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
    fn an_image_is_known_by_its_repository_and_digest() {
        let digest = "a".repeat(64);
        let image = |id: &str| {
            let mut status = with_container(&json!({"running": {}}));
            status["containerStatuses"][0]["imageID"] = id.into();
            PodSnapshot::of(&pod(&status))
                .expect("one of attrium's")
                .image
        };
        let whole = format!("ghcr.io/attrium@sha256:{digest}");
        assert_eq!(image(&whole), Some(whole.clone()));
        assert_eq!(image(&format!("docker-pullable://{whole}")), Some(whole));
        for id in [
            "",
            "sha256:abc",
            "ghcr.io/attrium@sha256:abc",
            &format!("sha256:{digest}"),
        ] {
            assert_eq!(image(id), None, "{id}");
        }
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
