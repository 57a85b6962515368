//! Small resources for tests.

use crate::api::{Resource, ScreeningJob, TrainingRun, manifest};

/// Two shards, Linear and Residual, the Positive task, two folds.
pub(crate) fn training_run() -> TrainingRun {
    match read(TRAINING_RUN) {
        Resource::TrainingRun(run) => *run,
        Resource::ScreeningJob(_) => panic!("should be a training run"),
    }
}

/// Three shards and a model by its URI.
pub(crate) fn screening_job() -> ScreeningJob {
    match read(SCREENING_JOB) {
        Resource::ScreeningJob(job) => *job,
        Resource::TrainingRun(_) => panic!("should be a screening job"),
    }
}

fn read(text: &str) -> Resource {
    manifest::parse(text)
        .unwrap_or_else(|error| panic!("{error}"))
        .remove(0)
}

/// The manifest of [`training_run`].
pub(crate) const TRAINING_RUN: &str = "
apiVersion: attrium.dev/v1alpha1
kind: TrainingRun
metadata: {name: small, namespace: hospital}
spec:
  images: scans/
  labels: scans/labels.csv
  output: results/
  preprocessing: {shards: 2}
  tasks: [Positive]
  networks: [{architecture: Linear}, {architecture: Residual}]
  crossValidation: {folds: 2}
";

/// The manifest of [`screening_job`].
pub(crate) const SCREENING_JOB: &str = "
apiVersion: attrium.dev/v1alpha1
kind: ScreeningJob
metadata: {name: archive, namespace: hospital}
spec:
  images: scans/
  output: results/
  shards: 3
  model: {uri: results/model/Residual-Positive/}
";
