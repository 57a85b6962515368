//! The manifests of `examples/cluster/`, made small and pointed at the bucket of the scenarios.

use std::path::Path;
use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::bucket::{BUCKET, COHORT};

/// The training run of the examples, with a network that is trained in seconds.
pub(crate) fn training_run() -> Value {
    LazyLock::force(&COHORT);
    let mut run = example("training-run.yaml", "TrainingRun");
    merge(
        &mut run,
        &json!({"spec": {
            "images": format!("s3://{BUCKET}/cohort/images/"),
            "labels": format!("s3://{BUCKET}/cohort/labels.csv"),
            "output": format!("s3://{BUCKET}/results/"),
            "networks": [{"architecture": "Linear"}],
            "augmentation": {"images": 8},
            "training": {"epochs": 1, "batchSize": 4},
            "publish": {"architecture": "Linear", "force": true},
            "compute": {"resources": {"requests": {"cpu": "10m", "memory": "64Mi"}}},
        }}),
    );
    run
}

/// The screening job of the examples, of the cohort.
pub(crate) fn screening_job() -> Value {
    LazyLock::force(&COHORT);
    let mut job = example("screening-job.yaml", "ScreeningJob");
    merge(
        &mut job,
        &json!({"spec": {
            "images": format!("s3://{BUCKET}/cohort/images/"),
            "output": format!("s3://{BUCKET}/results/"),
            "compute": {"resources": {"requests": {"cpu": "10m", "memory": "64Mi"}}},
        }}),
    );
    job
}

/// Merges a patch into a value as `kubectl patch --type=merge` would.
pub(crate) fn merge(value: &mut Value, patch: &Value) {
    let Value::Object(fields) = patch else {
        *value = patch.clone();
        return;
    };
    if !value.is_object() {
        *value = json!({});
    }
    let target = value.as_object_mut().expect("should be an object");
    for (name, field) in fields {
        if field.is_null() {
            target.remove(name);
        } else {
            merge(target.entry(name).or_insert(Value::Null), field);
        }
    }
}

/// A manifest with a patch merged into it.
pub(crate) fn with(mut manifest: Value, patch: &Value) -> Value {
    merge(&mut manifest, patch);
    manifest
}

/// The document of a kind in an example's file.
fn example(file: &str, kind: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("examples/cluster")
        .join(file);
    let text = std::fs::read_to_string(path).expect("should be there");
    let documents: Vec<Value> = serde_saphyr::from_multiple(&text).expect("should be YAML");
    let found = documents
        .into_iter()
        .find(|document| document["kind"] == kind);
    found.unwrap_or_else(|| panic!("{file} has no {kind}"))
}
