//! Manifests of small runs, and where they leave their results.

use std::fs;
use std::path::{Path, PathBuf};

use attrium_api::Kind;
use attrium_workflow::{local_uid_of, prefix_of};

use crate::cohort::COHORT;

/// A training of one small network on the whole cohort, quick and of no use. `out` is the folder
/// of its results.
pub(crate) fn training(out: &Path) -> String {
    format!(
        "apiVersion: attrium.dev/v1alpha1
kind: TrainingRun
metadata: {{name: small, namespace: ward}}
spec:
  images: {}
  labels: {}
  output: {}
  preprocessing: {{shards: 2}}
  tasks: [Positive]
  networks: [{{architecture: Linear}}]
  crossValidation: {{folds: 2, seed: 1}}
  augmentation: {{images: 8}}
  training: {{epochs: 1, batchSize: 8, learningRate: \"1e-3\"}}
",
        COHORT.images.display(),
        COHORT.labels.display(),
        out.display()
    )
}

/// A screening of the whole cohort. `model` is the value of `spec.model`.
pub(crate) fn screening(out: &Path, model: &str) -> String {
    format!(
        "apiVersion: attrium.dev/v1alpha1
kind: ScreeningJob
metadata: {{name: archive, namespace: ward}}
spec:
  images: {}
  output: {}
  model: {model}
  shards: 2
  operatingPoint: {{threshold: \"0\"}}
",
        COHORT.images.display(),
        out.display()
    )
}

/// A manifest with one line in the place of another, which must be there.
pub(crate) fn with(manifest: &str, line: &str, instead: &str) -> String {
    let start = format!("  {line}:");
    let mut found = 0;
    let lines: Vec<&str> = manifest
        .lines()
        .map(|old| {
            let is_it = old.starts_with(&start);
            found += usize::from(is_it);
            if is_it { instead } else { old }
        })
        .collect();
    assert_eq!(found, 1, "{line} is there {found} times");
    lines.join("\n") + "\n"
}

/// Writes a manifest.
pub(crate) fn write(path: &Path, manifest: &str) -> PathBuf {
    fs::write(path, manifest).expect("should be written");
    path.to_owned()
}

/// Where the training of [`training`] leaves its results.
pub(crate) fn training_prefix(out: &Path) -> PathBuf {
    prefix(out, Kind::TrainingRun, "small")
}

/// Where the screening of [`screening`] leaves its results.
pub(crate) fn screening_prefix(out: &Path) -> PathBuf {
    prefix(out, Kind::ScreeningJob, "archive")
}

/// Where a resource of that name leaves its results.
pub(crate) fn prefix(out: &Path, kind: Kind, name: &str) -> PathBuf {
    let out = out.to_str().expect("should be text");
    let uid = local_uid_of(kind, "ward", name);
    PathBuf::from(prefix_of(out, "ward", name, &uid))
}
