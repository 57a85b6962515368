//! Conditions of a status, with the types and reasons that attrium gives them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use attrium_types::text::truncate;

/// The conditions' types: what programs wait for.
pub mod conditions {
    /// The spec can be worked on.
    pub const ACCEPTED: &str = "Accepted";
    /// Every pod that should run does.
    pub const PODS_HEALTHY: &str = "PodsHealthy";
    /// Every gate has passed.
    pub const GATES_PASSED: &str = "GatesPassed";
    /// The bundle is in the store.
    pub const PUBLISHED: &str = "Published";
    /// The scans of a screening are as those of the model's cohort, as far as its control charts tell.
    pub const WITHIN_REFERENCE: &str = "WithinReference";
    /// Everything is done; False once that cannot be any more.
    pub const SUCCEEDED: &str = "Succeeded";
    /// It goes on by itself; False once it has ended, and while it waits for a change.
    pub const RECONCILING: &str = "Reconciling";
    /// It has failed, or goes on only once somebody changes something.
    pub const STALLED: &str = "Stalled";
}

/// The conditions' reasons.
pub mod reasons {
    /// Nothing more is to be said.
    pub const AS_EXPECTED: &str = "AsExpected";
    /// Tasks run.
    pub const RUNNING: &str = "Running";
    /// It was stopped and can go on.
    pub const INTERRUPTED: &str = "Interrupted";
    /// All tasks have ended well.
    pub const COMPLETED: &str = "Completed";
    /// A gate was missed.
    pub const GATE_MISSED: &str = "GateMissed";
    /// Nothing shows that the network to publish has learned anything.
    pub const NOTHING_LEARNED: &str = "NothingLearned";
    /// A model was to be recalibrated and could not be.
    pub const NOT_CALIBRATED: &str = "NotCalibrated";
    /// The spec names no gates, or no model to publish.
    pub const NOT_ASKED: &str = "NotAsked";
    /// A control chart has raised an alarm.
    pub const OUTSIDE_REFERENCE: &str = "OutsideReference";
    /// The model's bundle keeps no reference, or one that is too small.
    pub const NO_REFERENCE: &str = "NoReference";
    /// There are too few scans to be compared with a reference.
    pub const TOO_FEW: &str = "TooFew";
    /// A task's data is bad.
    pub const BAD_DATA: &str = "BadData";
    /// The configuration is bad.
    pub const BAD_CONFIGURATION: &str = "BadConfiguration";
    /// A task failed for another reason.
    pub const TASK_FAILED: &str = "TaskFailed";
    /// It has failed and is started again.
    pub const RETRYING: &str = "Retrying";
    /// It pauses, as its spec says.
    pub const SUSPENDED: &str = "Suspended";
    /// Somebody else has suspended its Job.
    pub const SUSPENDED_BY_OTHERS: &str = "SuspendedByOthers";
    /// Its queue has not admitted it yet.
    pub const QUEUED: &str = "Queued";
    /// The training run whose model it needs has not published one yet.
    pub const WAITING_FOR_MODEL: &str = "WaitingForModel";
    /// The training run whose model it needs will not publish one.
    pub const MODEL_UNAVAILABLE: &str = "ModelUnavailable";
    /// A stage ran longer than `activeDeadlineSeconds`.
    pub const DEADLINE_EXCEEDED: &str = "DeadlineExceeded";
    /// A pod waited longer than `startDeadlineSeconds`.
    pub const START_DEADLINE_EXCEEDED: &str = "StartDeadlineExceeded";
    /// The resource cannot be read.
    pub const MALFORMED: &str = "Malformed";
    /// The spec breaks a rule of its definition, which an older one did not have.
    pub const INVALID: &str = "Invalid";
    /// The spec names what the cluster's administrator does not allow.
    pub const NOT_ALLOWED: &str = "NotAllowed";
    /// Not one object could be used.
    pub const NO_USABLE_IMAGES: &str = "NoUsableImages";
    /// A greater share of the objects could not be used than `maxUnusable` allows.
    pub const TOO_MANY_UNUSABLE: &str = "TooManyUnusable";
    /// A pod waits for a node, an image, a volume or a Secret.
    pub const POD_PENDING: &str = "PodPending";
    /// Pods are about to run.
    pub const PODS_STARTING: &str = "PodsStarting";
    /// A container beside the task's keeps its pod from ending.
    pub const SIDECAR_RUNNING: &str = "SidecarRunning";
    /// Something that attrium did not make has a name that it needs.
    pub const NAME_TAKEN: &str = "NameTaken";
    /// A pod's node tells nothing of it any more.
    pub const NODE_LOST: &str = "NodeLost";
    /// The namespace is being deleted.
    pub const NAMESPACE_TERMINATING: &str = "NamespaceTerminating";
    /// Whoever reported it gave no reason.
    pub const UNSPECIFIED: &str = "Unspecified";
    /// A pod needed more memory than it may take.
    pub const OUT_OF_MEMORY: &str = "OOMKilled";
}

/// A condition's state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum ConditionStatus {
    /// It holds.
    True,
    /// It does not.
    False,
    /// It cannot be told yet.
    #[default]
    Unknown,
}

/// One aspect of a resource's state, as Kubernetes writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// Which aspect.
    #[serde(rename = "type")]
    #[schemars(length(min = 1, max = 64))]
    pub kind: String,
    /// True, False or Unknown.
    pub status: ConditionStatus,
    /// Why, as one word for programs.
    #[schemars(length(min = 1, max = 64))]
    pub reason: String,
    /// Why, as a sentence for people.
    #[serde(default)]
    #[schemars(length(max = 2048))]
    pub message: String,
    /// When the status last changed.
    #[schemars(schema_with = "super::time::schema")]
    pub last_transition_time: String,
    /// The generation of the resource that this condition is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
}

/// The longest message, in bytes.
const MESSAGE: usize = 2048;

impl Condition {
    /// A condition that changed at an instant (RFC 3339).
    pub fn new(
        kind: &str,
        status: ConditionStatus,
        reason: &str,
        message: impl Into<String>,
        now: &str,
    ) -> Self {
        Self {
            kind: kind.to_owned(),
            status,
            reason: word(reason),
            message: truncate(message, MESSAGE),
            last_transition_time: now.to_owned(),
            observed_generation: None,
        }
    }
}

/// The longest reason, in bytes.
const REASON: usize = 64;

/// A reason as Kubernetes writes one. Others may have made it, such as a scheduler of one's own.
fn word(reason: &str) -> String {
    let is_allowed = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | ',' | ':');
    let word: String = reason.chars().filter(is_allowed).take(REASON).collect();
    if word.is_empty() {
        reasons::UNSPECIFIED.to_owned()
    } else {
        word
    }
}

/// Puts a condition among others: it takes the place of the one of its type, and keeps that one's
/// transition time where the status stays the same.
pub fn set_condition(conditions: &mut Vec<Condition>, mut condition: Condition) {
    match conditions
        .iter_mut()
        .find(|other| other.kind == condition.kind)
    {
        Some(other) => {
            if other.status == condition.status {
                condition
                    .last_transition_time
                    .clone_from(&other.last_transition_time);
            }
            *other = condition;
        }
        None => conditions.push(condition),
    }
}

/// The condition of a type.
pub fn condition<'a>(conditions: &'a [Condition], kind: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.kind == kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn succeeded(status: ConditionStatus, now: &str) -> Condition {
        Condition::new(conditions::SUCCEEDED, status, reasons::RUNNING, "", now)
    }

    #[test]
    fn a_reason_is_one_word_of_at_most_64_characters_whoever_has_made_it() {
        let reason = |text: &str| {
            let now = "2026-11-24T10:00:00Z";
            Condition::new(
                conditions::PODS_HEALTHY,
                ConditionStatus::False,
                text,
                "",
                now,
            )
            .reason
        };
        assert_eq!(reason("ImagePullBackOff"), "ImagePullBackOff");
        assert_eq!(reason("no nodes: 3/3 full"), "nonodes:33full");
        assert_eq!(reason(&"Backend".repeat(20)).len(), 64);
        assert_eq!(reason("…"), "Unspecified");
    }

    #[test]
    fn a_condition_keeps_its_transition_time_until_its_status_changes() {
        let mut all = vec![];
        set_condition(
            &mut all,
            succeeded(ConditionStatus::Unknown, "2026-11-24T10:00:00Z"),
        );
        set_condition(
            &mut all,
            succeeded(ConditionStatus::Unknown, "2026-11-24T11:00:00Z"),
        );
        assert_eq!(all[0].last_transition_time, "2026-11-24T10:00:00Z");
        set_condition(
            &mut all,
            succeeded(ConditionStatus::True, "2026-11-24T12:00:00Z"),
        );
        assert_eq!(all[0].last_transition_time, "2026-11-24T12:00:00Z");
        assert_eq!(all.len(), 1);
    }

    #[test]
    fn conditions_of_other_types_stay_as_they_are() {
        let accepted = Condition::new(
            conditions::ACCEPTED,
            ConditionStatus::True,
            reasons::AS_EXPECTED,
            "",
            "2026-11-24T10:00:00Z",
        );
        let mut all = vec![accepted.clone()];
        set_condition(
            &mut all,
            succeeded(ConditionStatus::False, "2026-11-24T11:00:00Z"),
        );
        assert_eq!(all[0], accepted);
        assert!(condition(&all, conditions::SUCCEEDED).is_some());
        assert!(condition(&all, conditions::PUBLISHED).is_none());
    }

    #[test]
    fn a_long_message_is_cut_at_a_character() {
        let long = "ä".repeat(4000);
        let cut = Condition::new("Succeeded", ConditionStatus::False, "BadData", long, "");
        assert_eq!(cut.message.len(), 2048);
    }
}
