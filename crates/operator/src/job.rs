//! A stage becomes a Job: one Indexed Job, whose indexes are the stage's tasks.
//!
//! Pure. What an exit code costs is stated here once, in the Job's own policies.

use std::collections::BTreeMap;

use k8s_openapi::api::batch::v1::{
    Job, JobSpec, PodFailurePolicy, PodFailurePolicyOnExitCodesRequirement,
    PodFailurePolicyOnPodConditionsPattern, PodFailurePolicyRule,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::created_resource::WholeResource;
use super::names::{self, StageNames};
use super::{Settings, owner, pod};
use attrium_api::{CONTAINER, ModelPlace, Resource};
use attrium_workflow::{Stage, TaskExit};

/// How often a task that failed is retried.
const BACKOFF_LIMIT_PER_INDEX: i32 = 3;

/// What a stage's Job is built from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StageJob<'a> {
    pub(crate) resource: &'a WholeResource,
    pub(crate) stage: &'a Stage,
    pub(crate) names: &'a StageNames,
    /// The bundle that a screening uses.
    pub(crate) model: Option<ModelPlace<'a>>,
    pub(crate) settings: &'a Settings,
}

impl StageJob<'_> {
    pub(crate) fn build(&self) -> Job {
        let is_queued = self.resource.queue_name().is_some();
        Job {
            metadata: ObjectMeta {
                name: Some(self.names.job.clone()),
                namespace: Some(self.resource.namespace().to_owned()),
                annotations: self.annotations(),
                labels: Some(self.labels()),
                owner_references: Some(vec![owner::reference(self.resource)]),
                ..ObjectMeta::default()
            },
            spec: Some(JobSpec {
                completion_mode: Some("Indexed".to_owned()),
                completions: Some(tasks(self.stage)),
                parallelism: Some(parallelism(self.resource, self.stage)),
                backoff_limit_per_index: Some(BACKOFF_LIMIT_PER_INDEX),
                active_deadline_seconds: self.resource.active_deadline_seconds().map(i64::from),
                pod_failure_policy: Some(failure_policy()),
                pod_replacement_policy: Some("Failed".to_owned()),
                // Kueue starts what it has admitted.
                suspend: Some(self.resource.suspend() || is_queued),
                template: pod::template(self),
                ..JobSpec::default()
            }),
            status: None,
        }
    }

    /// The labels of the Job, with those by which Kueue knows what admits it.
    fn labels(&self) -> BTreeMap<String, String> {
        let kueue = [
            (names::QUEUE, self.resource.queue_name()),
            (names::PRIORITY_CLASS, self.resource.priority_class()),
        ];
        let kueue = kueue
            .into_iter()
            .filter_map(|(label, value)| value.map(|value| (label.to_owned(), value.to_owned())));
        // attrium's own come last, and take the place of others of their names.
        let mut labels = self.resource.compute().job_labels.clone();
        labels.extend(self.names.labels.clone());
        labels.extend(kueue);
        labels
    }

    /// The annotations of the Job.
    fn annotations(&self) -> Option<BTreeMap<String, String>> {
        let mut annotations = self.resource.compute().job_annotations.clone();
        if self.resource.suspend() {
            annotations.insert(names::SUSPENDED.to_owned(), "true".to_owned());
        }
        (!annotations.is_empty()).then_some(annotations)
    }
}

/// How many tasks of a stage run at a time.
pub(crate) fn parallelism(resource: &Resource, stage: &Stage) -> i32 {
    let asked = resource.compute().parallelism.map(i32::try_from);
    let asked = asked.and_then(Result::ok).unwrap_or(i32::MAX);
    tasks(stage).min(asked)
}

fn tasks(stage: &Stage) -> i32 {
    i32::try_from(stage.tasks.len()).unwrap_or(i32::MAX)
}

/// A disruption and a stop after a checkpoint cost nothing, a bad configuration ends the stage, bad
/// data its task; anything else costs one of the task's retries.
fn failure_policy() -> PodFailurePolicy {
    let disrupted = PodFailurePolicyRule {
        action: "Ignore".to_owned(),
        on_pod_conditions: Some(vec![PodFailurePolicyOnPodConditionsPattern {
            type_: "DisruptionTarget".to_owned(),
            status: "True".to_owned(),
        }]),
        ..PodFailurePolicyRule::default()
    };
    let [stopped, bad_configuration, bad_data] = [
        ("Ignore", TaskExit::Interrupted),
        ("FailJob", TaskExit::BadConfiguration),
        ("FailIndex", TaskExit::BadData),
    ]
    .map(|(action, exit)| on_exit(action, exit));
    PodFailurePolicy {
        rules: vec![disrupted, stopped, bad_configuration, bad_data],
    }
}

fn on_exit(action: &str, exit: TaskExit) -> PodFailurePolicyRule {
    PodFailurePolicyRule {
        action: action.to_owned(),
        on_exit_codes: Some(PodFailurePolicyOnExitCodesRequirement {
            container_name: Some(CONTAINER.to_owned()),
            operator: "In".to_owned(),
            values: vec![exit.exit_code().into()],
        }),
        ..PodFailurePolicyRule::default()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::created_resource::CreatedResource;
    use crate::fixtures::{UID, job, resource, screening_job, training_run};
    use attrium_workflow::StageKind;

    fn spec(resource: &CreatedResource, stage: StageKind) -> JobSpec {
        job(resource, stage, None).spec.expect("should have a spec")
    }

    #[test]
    fn a_job_has_an_index_for_each_task_and_runs_as_many_as_are_asked_for() {
        let table = [
            ("", 5),
            ("  compute: {parallelism: 2}", 2),
            ("  compute: {parallelism: 9}", 5),
        ];
        for (lines, parallelism) in table {
            let spec = spec(&training_run(lines), StageKind::Train);
            assert_eq!(spec.completion_mode.as_deref(), Some("Indexed"));
            assert_eq!(spec.completions, Some(5));
            assert_eq!(spec.parallelism, Some(parallelism), "{lines}");
        }
    }

    #[test]
    fn the_pods_of_a_later_stage_run_the_image_of_the_first() {
        let digest = format!("registry.example/attrium@sha256:{}", "a".repeat(64));
        let mut run = training_run("  compute: {accelerator: Gpu}");
        let images = serde_json::json!([
            {"accelerator": "Cpu", "image": "registry.example/attrium:0", "pinned": digest},
            {"accelerator": "Gpu", "image": "registry.example/attrium:0-cuda"},
        ]);
        let status = serde_json::json!({ "images": images });
        let status = serde_json::from_value(status).expect("a status");
        run.resource_mut().set_status(Some(status));
        let image = |stage| {
            let template = spec(&run, stage).template.spec.expect("a spec");
            template.containers[0].image.clone().expect("an image")
        };
        assert_eq!(image(StageKind::Evaluate), digest);
        assert_eq!(image(StageKind::Train), "registry.example/attrium:0-cuda");
    }

    #[test]
    fn a_job_waits_while_its_resource_is_suspended_or_queued() {
        let suspended = |lines: &str| spec(&training_run(lines), StageKind::Train).suspend;
        assert_eq!(suspended(""), Some(false));
        assert_eq!(suspended("  suspend: true"), Some(true));
        assert_eq!(suspended("  queueName: gpu"), Some(true));
    }

    #[test]
    fn the_queue_is_the_jobs_label_and_not_its_pods() {
        let job = job(&training_run("  queueName: gpu"), StageKind::Train, None);
        let labels = job.metadata.labels.expect("labels");
        assert_eq!(
            labels.get("kueue.x-k8s.io/queue-name").map(String::as_str),
            Some("gpu")
        );
        let template = job.spec.expect("a spec").template;
        let labels = template.metadata.and_then(|it| it.labels).expect("labels");
        assert!(!labels.contains_key("kueue.x-k8s.io/queue-name"));
        assert_eq!(labels.get("attrium.dev/uid").map(String::as_str), Some(UID));
    }

    #[test]
    fn what_a_policy_asks_for_is_on_jobs_and_config_maps_and_never_in_place_of_attriums_own() {
        let lines =
            "  compute: {jobLabels: {cost-centre: \"17\"}, jobAnnotations: {owner: nuclear}}";
        let mut run = training_run(lines);
        let name = "attrium.dev/uid".to_owned();
        let labels = &mut run.resource_mut().compute_mut().job_labels;
        labels.insert(name.clone(), "forged".to_owned());
        let job = job(&run, StageKind::Train, None).metadata;
        let map = crate::manifest::config_map(&crate::fixtures::whole(&run), "m").metadata;
        for metadata in [job, map] {
            let (labels, annotations) = (metadata.labels.unwrap_or_default(), metadata.annotations);
            assert_eq!(labels["cost-centre"], "17");
            assert_eq!(labels[&name], UID);
            assert_eq!(annotations.unwrap_or_default()["owner"], "nuclear");
        }
    }

    #[test]
    fn a_job_belongs_to_its_resource() {
        let job = job(
            &screening_job("  model: {uri: m/}"),
            StageKind::Screen,
            None,
        );
        let owner = &job.metadata.owner_references.expect("owners")[0];
        assert_eq!(
            (owner.kind.as_str(), owner.uid.as_str()),
            ("ScreeningJob", UID)
        );
        assert_eq!(
            (owner.controller, owner.block_owner_deletion),
            (Some(true), Some(true))
        );
        assert_eq!(job.metadata.namespace.as_deref(), Some("hospital"));
    }

    #[test]
    fn what_an_ending_costs_is_decided_in_this_order() {
        let rules = failure_policy().rules;
        let found: Vec<_> = rules
            .iter()
            .map(|rule| {
                let codes = rule.on_exit_codes.as_ref().map(|it| it.values.clone());
                (rule.action.as_str(), codes.unwrap_or_default())
            })
            .collect();
        let expected = [
            ("Ignore", vec![]),
            ("Ignore", vec![130]),
            ("FailJob", vec![43]),
            ("FailIndex", vec![42]),
        ];
        assert_eq!(found, expected);
        let condition = &rules[0].on_pod_conditions.as_ref().expect("conditions")[0];
        assert_eq!(condition.type_, "DisruptionTarget");
    }

    #[test]
    fn a_deadline_is_each_stages() {
        let run = training_run("  activeDeadlineSeconds: 60");
        assert_eq!(
            spec(&run, StageKind::Evaluate).active_deadline_seconds,
            Some(60)
        );
        assert_eq!(
            spec(&training_run(""), StageKind::Evaluate).active_deadline_seconds,
            None
        );
    }

    /// The Job of an example's training is that of a golden file;
    /// `ATTRIUM_BLESS=1 cargo test -p attrium-operator job` writes it anew.
    fn check(example: &str, golden: &str) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let read = |path: &str| fs::read_to_string(root.join(path)).expect("should be read");
        let run = resource(&read(example));
        let job = serde_saphyr::to_string(&job(&run, StageKind::Train, None)).expect("YAML");
        if std::env::var_os("ATTRIUM_BLESS").is_some() {
            fs::write(root.join(golden), &job).expect("should be written");
        }
        assert_eq!(job, read(golden));
    }

    #[test]
    fn the_job_of_the_papers_training_is_the_golden_one() {
        let golden = "tests/golden/operator/train-job.yaml";
        check("examples/paper/training-run.yaml", golden);
    }

    #[test]
    fn a_job_with_a_pod_template_is_the_golden_one() {
        let golden = "tests/golden/operator/train-job-on-gpus.yaml";
        check("examples/cluster/gpu.yaml", golden);
    }
}
