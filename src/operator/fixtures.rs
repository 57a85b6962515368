//! Stages of small resources for tests.

use k8s_openapi::api::batch::v1::Job;

use super::names::StageNames;
use super::{Settings, StageJob};
use crate::api::{Resource, manifest};
use crate::workflow::{Plan, StageKind};

/// The uid of the resources here.
pub(super) const UID: &str = "7e3f4f4e-3a51-4f2a-9a0e-0d5b8c1f2a34";

/// The resource of a manifest as a cluster has it.
pub(super) fn resource(text: &str) -> Resource {
    let parsed = manifest::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let mut resource = parsed.into_iter().next().expect("should be one");
    let metadata = match &mut resource {
        Resource::TrainingRun(run) => &mut run.metadata,
        Resource::ScreeningJob(job) => &mut job.metadata,
    };
    metadata.uid = Some(UID.to_owned());
    metadata.generation = Some(1);
    resource
}

/// A training run whose spec has more lines: of YAML, with two spaces in front.
pub(super) fn training_run(lines: &str) -> Resource {
    resource(&format!(
        "apiVersion: attrium.dev/v1alpha1
kind: TrainingRun
metadata: {{name: small, namespace: hospital}}
spec:
  images: s3://scans/
  labels: s3://scans/labels.csv
  output: s3://models/
  tasks: [Positive]
  networks: [{{architecture: Residual}}]
  publish: {{architecture: Residual, task: Positive, method: Refit}}
{lines}
"
    ))
}

/// A screening job whose spec has more lines.
pub(super) fn screening_job(lines: &str) -> Resource {
    resource(&format!(
        "apiVersion: attrium.dev/v1alpha1
kind: ScreeningJob
metadata: {{name: archive, namespace: hospital}}
spec:
  images: s3://scans/
  output: s3://models/
  shards: 3
{lines}
"
    ))
}

pub(super) fn settings() -> Settings {
    Settings {
        image: "registry.example/attrium:1".to_owned(),
        cuda_image: "registry.example/attrium:1-cuda".to_owned(),
        image_pull_policy: None,
    }
}

/// The Job of a stage.
pub(super) fn job(resource: &Resource, kind: StageKind, model: Option<&str>) -> Job {
    let plan = Plan::new(resource);
    let stage = plan.stages.iter().find(|stage| stage.kind == kind);
    StageJob {
        resource,
        stage: stage.expect("should be a stage of the plan"),
        names: &StageNames::new(resource, kind, 0),
        model,
        settings: &settings(),
    }
    .build()
}
