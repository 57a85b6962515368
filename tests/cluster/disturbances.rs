//! What happens to pods and Jobs in the middle of a run, and costs it nothing that was done.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};

use crate::manifest::training_run;
use crate::namespace::{END, Namespace};
use crate::program::{finish, kubectl, kubectl_with};
use crate::results::prefix;
use crate::training::{
    RUN, expect_every_epoch_once, expect_nothing_lost, first_checkpoint, long_run, of_stage,
    running, running_pod,
};

/// Kills the process of a pod's container as the kernel would.
fn kill(pod: &Value) {
    let uid = pod["metadata"]["uid"].as_str().unwrap();
    let processes = fs::read_dir("/proc").unwrap().flatten().filter(|entry| {
        let text = |file: &str| fs::read_to_string(entry.path().join(file)).unwrap_or_default();
        text("cgroup").contains(uid) && text("cmdline").contains("stage")
    });
    let processes: Vec<_> = processes.map(|entry| entry.file_name()).collect();
    assert_eq!(processes.len(), 1, "{uid}: {processes:?}");
    let mut command = std::process::Command::new("kill");
    command.arg("-9").args(processes);
    finish(command, "").ok();
}

#[test]
fn a_container_that_is_killed_in_the_middle_of_an_epoch_loses_no_epoch() {
    let namespace = Namespace::new("killed");
    namespace.apply(&long_run());
    first_checkpoint(&namespace);
    kill(&running_pod(&namespace, "train"));
    expect_nothing_lost(&namespace);
    let pods = namespace.list("pods", &of_stage("train"));
    assert_eq!(pods.len(), 3, "one fold had two pods");
}

#[test]
fn a_pod_that_is_deleted_is_replaced_and_costs_no_try() {
    let namespace = Namespace::new("deleted-pod");
    namespace.apply(&long_run());
    first_checkpoint(&namespace);
    let pod = running_pod(&namespace, "train");
    let name = pod["metadata"]["name"].as_str().unwrap();
    namespace.kubectl(&["delete", "pod", name]).ok();
    let run = expect_nothing_lost(&namespace);
    assert_eq!(run["status"]["stages"][1]["failed"], 0, "{}", run["status"]);
}

/// Asks for a pod's end as the drain of its node does (KEP-3329: its condition DisruptionTarget tells so).
fn evict(namespace: &Namespace, pod: &Value) {
    let name = pod["metadata"]["name"].as_str().unwrap();
    let path = format!("/api/v1/namespaces/{}/pods/{name}/eviction", namespace.name);
    let eviction = json!({
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": name, "namespace": namespace.name},
    });
    kubectl_with(["create", "--raw", &path, "-f", "-"], &eviction.to_string()).ok();
}

#[test]
fn a_pod_that_is_evicted_from_a_node_that_is_drained_is_replaced_and_costs_no_try() {
    let namespace = Namespace::new("drained");
    namespace.apply(&long_run());
    first_checkpoint(&namespace);
    evict(&namespace, &running_pod(&namespace, "train"));
    let run = expect_nothing_lost(&namespace);
    assert_eq!(run["status"]["stages"][1]["failed"], 0, "{}", run["status"]);
}

#[test]
fn a_suspended_run_has_no_pods_and_goes_on_where_it_was() {
    let namespace = Namespace::new("suspended");
    let suspend = |it: bool| {
        let patch = json!({"spec": {"suspend": it}}).to_string();
        let arguments = ["patch", RUN, "--type=merge", "--patch", &patch];
        namespace.kubectl(&arguments).ok();
    };
    namespace.apply(&long_run());
    first_checkpoint(&namespace);
    suspend(true);
    namespace.wait_until(RUN, "suspended without pods", END, |run| {
        run["status"]["phase"] == "Suspended" && running(&namespace.list("pods", "")).is_empty()
    });
    suspend(false);
    let run = namespace.wait_for_success(RUN, END);
    expect_every_epoch_once(&namespace, &run);
}

#[test]
fn a_finished_run_stays_finished_when_its_jobs_are_deleted() {
    let namespace = Namespace::new("latched");
    namespace.apply(&training_run());
    let before = namespace.wait_for_success(RUN, END);
    namespace.kubectl(&["delete", "jobs", "--all"]).ok();
    sleep(Duration::from_secs(10));
    assert_eq!(namespace.list("jobs", ""), Vec::<Value>::new());
    assert_eq!(namespace.get(RUN)["status"], before["status"]);
}

#[test]
fn a_run_that_is_deleted_takes_its_jobs_along_and_its_name_is_another_run() {
    let namespace = Namespace::new("again");
    namespace.apply(&long_run());
    running_pod(&namespace, "train");
    let first = namespace.get(RUN);
    namespace.kubectl(&["delete", RUN, "--wait=false"]).ok();
    namespace.apply(&training_run());
    let second = namespace.wait_for_success(RUN, END);
    assert_ne!(first["metadata"]["uid"], second["metadata"]["uid"]);
    assert_ne!(prefix(&namespace, &first), prefix(&namespace, &second));
    let uid = &second["metadata"]["uid"];
    namespace.wait_until(RUN, "without the first run's Jobs", END, |_| {
        let jobs = namespace.list("jobs", "");
        jobs.iter()
            .all(|job| job["metadata"]["labels"]["attrium.dev/uid"] == *uid)
    });
}

#[test]
fn a_namespace_that_is_deleted_in_the_middle_of_a_training_comes_to_its_end() {
    let namespace = Namespace::new("ending");
    namespace.apply(&long_run());
    first_checkpoint(&namespace);
    let name = &namespace.name;
    kubectl(["delete", "namespace", name, "--timeout=120s"]).ok();
}
