//! `examples/ci/retrain`, as a pipeline runs it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::bucket::keys;
use crate::cluster::exported;
use crate::manifest::{training_run, with};
use crate::namespace::{Namespace, condition};
use crate::program::{Ended, finish};

/// Runs the script on a manifest, with a kubeconfig whose context names the namespace.
fn retrain(namespace: &Namespace, manifest: &Value, name: &str) -> Ended {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(&namespace.name);
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("training-run.yaml");
    fs::write(&file, manifest.to_string()).unwrap();
    let mut command = Command::new(root().join("examples/ci/retrain"));
    command
        .arg(file)
        .args([name, "5m"])
        .env("KUBECONFIG", kubeconfig(namespace, &folder));
    finish(command, "")
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A copy of the administrator's kubeconfig for one namespace.
fn kubeconfig(namespace: &Namespace, folder: &Path) -> PathBuf {
    let copy = folder.join("kubeconfig");
    fs::copy(exported("KUBECONFIG"), &copy).unwrap();
    let mut command = Command::new("kubectl");
    command
        .args(["config", "set-context", "--current"])
        .arg(format!("--namespace={}", namespace.name))
        .env("KUBECONFIG", &copy);
    finish(command, "").ok();
    copy
}

/// A gate on the network's share of a class that it gets right.
fn gate(metric: &str, min: &str) -> Value {
    json!({"architecture": "Linear", "task": "Positive", "metric": metric, "min": min})
}

#[test]
fn a_pipeline_whose_gates_pass_ends_well_and_shows_the_results() {
    let namespace = Namespace::new("gates-passed");
    let gates = json!({"spec": {"gates": [gate("auc", "0")]}});
    let ended = retrain(&namespace, &with(training_run(), &gates), "retraining-1");
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    let run = namespace.get("trainingrun/retraining-1");
    let auc = run["status"]["results"][0]["auc"].as_str().unwrap();
    let model = run["status"]["model"]["uri"].as_str().unwrap();
    for word in ["Linear", "Positive", auc, model] {
        assert!(ended.stdout.contains(word), "no {word} in {}", ended.stdout);
    }
    assert!(ended.stderr.contains("has succeeded"), "{}", ended.stderr);
}

#[test]
fn a_pipeline_whose_gate_is_missed_fails_and_publishes_nothing() {
    let namespace = Namespace::new("gate-missed");
    // A network that learns nothing is not right about everything.
    let hopeless = json!({"spec": {
        "training": {"learningRate": "1e-9", "minLearningRate": "1e-9"},
        "gates": [gate("sensitivity", "1"), gate("specificity", "1")],
    }});
    let ended = retrain(&namespace, &with(training_run(), &hopeless), "retraining-2");
    assert_eq!(ended.code, Some(1), "{}{}", ended.stdout, ended.stderr);
    assert!(
        ended.stderr.contains("A gate was missed"),
        "{}",
        ended.stderr
    );
    let run = namespace.get("trainingrun/retraining-2");
    assert_eq!(condition(&run, "Succeeded").unwrap().reason, "GateMissed");
    assert_eq!(condition(&run, "Published").unwrap().status, "False");
    let output = format!("s3://{}/results/{}/", crate::bucket::BUCKET, namespace.name);
    let models = keys(&output)
        .into_iter()
        .filter(|key| key.contains("/model/"));
    assert_eq!(models.collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn a_pipeline_with_a_manifest_that_is_refused_is_told_why() {
    let namespace = Namespace::new("refused");
    let ended = retrain(
        &namespace,
        &with(training_run(), &json!({"spec": {"tasks": ["Guess"]}})),
        "x",
    );
    assert_eq!(ended.code, Some(2), "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stderr.contains("spec.tasks"), "{}", ended.stderr);
}
