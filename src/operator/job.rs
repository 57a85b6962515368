//! A stage becomes a Job: one Indexed Job, whose indices are the stage's tasks.
//!
//! Pure. What an exit code costs is said here once, in the Job's own policies.

use k8s_openapi::api::batch::v1::{
    Job, JobSpec, PodFailurePolicy, PodFailurePolicyOnExitCodesRequirement,
    PodFailurePolicyOnPodConditionsPattern, PodFailurePolicyRule,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::names::{self, StageNames};
use super::{Settings, pod};
use crate::api::{CONTAINER, Resource};
use crate::workflow::Stage;

/// How often a task that failed is tried again.
pub const RETRIES: i32 = 3;

/// A stage that is to run.
#[derive(Clone, Copy, Debug)]
pub struct StageJob<'a> {
    /// The resource that it belongs to.
    pub resource: &'a Resource,
    /// The stage of the resource's plan.
    pub stage: &'a Stage,
    /// The names of what it is made of.
    pub names: &'a StageNames,
    /// The bundle that a screening uses: its folder's URI.
    pub model: Option<&'a str>,
    /// What all pods have in common.
    pub settings: &'a Settings,
}

impl StageJob<'_> {
    /// The Job.
    pub fn build(&self) -> Job {
        let queue = self.resource.queue_name();
        let mut labels = self.names.labels.clone();
        if let Some(queue) = queue {
            labels.insert(names::QUEUE.to_owned(), queue.to_owned());
        }
        Job {
            metadata: ObjectMeta {
                name: Some(self.names.job.clone()),
                namespace: Some(self.resource.namespace().to_owned()),
                labels: Some(labels),
                owner_references: Some(vec![names::owner(self.resource)]),
                ..ObjectMeta::default()
            },
            spec: Some(JobSpec {
                completion_mode: Some("Indexed".to_owned()),
                completions: Some(tasks(self.stage)),
                parallelism: Some(parallelism(self.resource, self.stage)),
                backoff_limit_per_index: Some(RETRIES),
                active_deadline_seconds: self.resource.active_deadline_seconds().map(i64::from),
                pod_failure_policy: Some(failure_policy()),
                pod_replacement_policy: Some("Failed".to_owned()),
                // Kueue starts what it has admitted.
                suspend: Some(self.resource.suspend() || queue.is_some()),
                template: pod::template(self),
                ..JobSpec::default()
            }),
            status: None,
        }
    }
}

/// How many tasks of a stage run at a time.
pub fn parallelism(resource: &Resource, stage: &Stage) -> i32 {
    let asked = resource.compute().parallelism.map(i32::try_from);
    let asked = asked.and_then(Result::ok).unwrap_or(i32::MAX);
    tasks(stage).min(asked)
}

fn tasks(stage: &Stage) -> i32 {
    i32::try_from(stage.tasks.len()).unwrap_or(i32::MAX)
}

/// A disruption and a stop after a checkpoint cost nothing, a bad configuration ends the stage, bad
/// data its task; anything else costs one of the task's tries.
fn failure_policy() -> PodFailurePolicy {
    let disrupted = PodFailurePolicyRule {
        action: "Ignore".to_owned(),
        on_pod_conditions: Some(vec![PodFailurePolicyOnPodConditionsPattern {
            type_: "DisruptionTarget".to_owned(),
            status: "True".to_owned(),
        }]),
        ..PodFailurePolicyRule::default()
    };
    let [stopped, bad_configuration, bad_data] =
        [("Ignore", 130), ("FailJob", 43), ("FailIndex", 42)].map(|(action, code)| on_exit(action, code));
    PodFailurePolicy {
        rules: vec![disrupted, stopped, bad_configuration, bad_data],
    }
}

fn on_exit(action: &str, code: i32) -> PodFailurePolicyRule {
    PodFailurePolicyRule {
        action: action.to_owned(),
        on_exit_codes: Some(PodFailurePolicyOnExitCodesRequirement {
            container_name: Some(CONTAINER.to_owned()),
            operator: "In".to_owned(),
            values: vec![code],
        }),
        ..PodFailurePolicyRule::default()
    }
}
