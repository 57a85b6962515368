//! The release of the chart is upgraded or goes, and no run is disturbed.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::cluster::{SYSTEM, exported};
use crate::manifest::{training_run, with};
use crate::namespace::{END, Namespace, condition};
use crate::program::{finish, helm, kubectl, script};
use crate::training::{RUN, expect_nothing_lost, first_checkpoint, long_run, of_stage};

const DEFINITIONS: [&str; 2] = ["trainingruns.attrium.dev", "screeningjobs.attrium.dev"];

#[test]
fn an_upgrade_does_not_disturb_a_run_in_flight() {
    let namespace = Namespace::alone("upgraded");
    let next = "localhost/attrium:next";
    let mut tag = Command::new("ctr");
    tag.arg("--address")
        .arg(Path::new(&exported("ATTRIUM_CLUSTER_STATE")).join("cri/containerd.sock"))
        .args(["--namespace", "k8s.io", "images", "tag", "--force"])
        .args(["localhost/attrium:test", next]);
    finish(tag, "").ok();
    namespace.apply(&long_run());
    first_checkpoint(&namespace);
    script("install", &["--set", "image.tag=next"]).ok();
    let run = expect_nothing_lost(&namespace);
    let images = |labels: &str| {
        let jobs = namespace.list("jobs", labels).into_iter();
        let image = |job: Value| job["spec"]["template"]["spec"]["containers"][0]["image"].clone();
        jobs.map(image).collect::<Vec<_>>()
    };
    // What has begun with an image ends with it.
    assert_eq!(images(&of_stage("train")), ["localhost/attrium:test"]);
    assert_eq!(images(&of_stage("evaluate")), ["localhost/attrium:test"]);
    let pods = namespace.list("pods", &of_stage("train"));
    assert_eq!(pods.len(), 2, "no pod was started again: {run}");
    let other = with(training_run(), &json!({"metadata": {"name": "other"}}));
    namespace.apply(&other);
    let label = "attrium.dev/name=other";
    let begun = |_: &Value| !images(label).is_empty();
    namespace.wait_until("trainingrun/other", "begun", END, begun);
    assert_eq!(images(label)[0], next);
    script("install", &[]).ok();
}

#[test]
fn an_uninstalled_release_leaves_the_definitions_and_the_resources() {
    let namespace = Namespace::alone("uninstalled");
    let mut run = training_run();
    run["spec"]["suspend"] = json!(true);
    namespace.apply(&run);
    helm(["uninstall", "attrium", "--namespace", SYSTEM, "--wait"]).ok();
    for definition in DEFINITIONS {
        kubectl(["get", "crd", definition]).ok();
    }
    let uid = |run: &Value| run["metadata"]["uid"].clone();
    let before = uid(&namespace.get("trainingrun/demo"));
    // Who waits by kstatus takes one that no operator has seen for one that is in progress.
    run["metadata"]["name"] = json!("unseen");
    namespace.apply(&run);
    let unseen = namespace.get("trainingrun/unseen");
    assert_eq!(unseen["status"], json!({"observedGeneration": -1}));
    script("install", &[]).ok();
    assert_eq!(uid(&namespace.get("trainingrun/demo")), before);
    namespace.wait_until("trainingrun/unseen", "seen", END, |run| {
        run["status"]["observedGeneration"] == 1
    });
}

#[test]
fn a_run_waits_for_its_secret_to_be_allowed_and_succeeds_under_the_admission_policy() {
    let namespace = Namespace::alone("allowed");
    script("install", &["--set-json", "tasks.allow.secrets=[]"]).ok();
    namespace.apply(&training_run());
    let run = namespace.wait_for(RUN, "Accepted", "False", END);
    let stalled = condition(&run, "Stalled").unwrap();
    assert_eq!((&*stalled.status, &*stalled.reason), ("True", "NotAllowed"));
    let field = "spec.storage.credentialsSecret names the Secret scans-s3";
    assert!(stalled.message.contains(field), "{}", stalled.message);
    assert_eq!(namespace.list("jobs", "").len(), 0);
    let values = "tasks.allow.secrets={scans-*},admissionPolicy.enabled=true";
    script("install", &["--set", values]).ok();
    let run = namespace.wait_for_success(RUN, END);
    let reconciling = condition(&run, "Reconciling").unwrap();
    assert_eq!(reconciling.status, "False");
    script("install", &[]).ok();
}
