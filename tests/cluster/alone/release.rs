//! The release of the chart is upgraded or goes, and no run is disturbed.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::cluster::{SYSTEM, exported};
use crate::manifest::training_run;
use crate::namespace::Namespace;
use crate::program::{finish, helm, kubectl, script};
use crate::training::{expect_nothing_lost, first_checkpoint, long_run, of_stage};

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
    let image = |stage: &str| {
        let job = namespace.list("jobs", &of_stage(stage)).swap_remove(0);
        job["spec"]["template"]["spec"]["containers"][0]["image"].clone()
    };
    assert_eq!(image("train"), "localhost/attrium:test");
    assert_eq!(image("evaluate"), next);
    let pods = namespace.list("pods", &of_stage("train"));
    assert_eq!(pods.len(), 2, "no pod was started again: {run}");
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
    let uid = |run: &serde_json::Value| run["metadata"]["uid"].clone();
    let before = uid(&namespace.get("trainingrun/demo"));
    script("install", &[]).ok();
    assert_eq!(uid(&namespace.get("trainingrun/demo")), before);
}
