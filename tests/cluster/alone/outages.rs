//! What all share is gone for a while: runs go on by themselves, nothing is done twice, and the
//! operator never restarts.

use std::thread::sleep;
use std::time::Duration;

use crate::cluster::{SYSTEM, operators};
use crate::namespace::{END, Namespace, condition};
use crate::program::{kubectl, script};
use crate::training::{RUN, expect_nothing_lost, first_checkpoint, long_run, of_stage};

/// Stops parts of the cluster for a while; they are there again even if the scenario fails.
struct Outage(&'static [&'static str]);

impl Outage {
    fn of(parts: &'static [&'static str]) -> Self {
        script("component", &[&["stop"], parts].concat()).ok();
        Self(parts)
    }
}

impl Drop for Outage {
    fn drop(&mut self) {
        let mut parts = self.0.to_vec();
        parts.reverse();
        let started = script("component", &[&["start"], &parts[..]].concat());
        assert!(
            started.is_ok() || std::thread::panicking(),
            "{}",
            started.stderr
        );
    }
}

/// Disturbs a run in the middle of its training, and expects it to end as if nothing had been.
fn disturb(purpose: &str, disturbance: impl FnOnce(&Namespace)) {
    let namespace = Namespace::alone(purpose);
    let before = operators();
    assert_eq!(before.len(), 2, "{before:?}");
    namespace.apply(&long_run());
    first_checkpoint(&namespace);
    disturbance(&namespace);
    expect_nothing_lost(&namespace);
    assert_eq!(operators(), before, "no operator has restarted");
}

#[test]
fn a_run_outlasts_the_api_server_and_etcd() {
    disturb("no-api-server", |_| {
        let outage = Outage::of(&["apiserver", "etcd"]);
        sleep(Duration::from_secs(30));
        drop(outage);
    });
}

#[test]
fn a_run_outlasts_the_store() {
    disturb("no-store", |_| {
        let outage = Outage::of(&["s3"]);
        sleep(Duration::from_secs(60));
        drop(outage);
    });
}

#[test]
fn a_run_outlasts_its_node() {
    let namespace = Namespace::alone("no-node");
    namespace.apply(&long_run());
    first_checkpoint(&namespace);
    let outage = Outage::of(&["kubelet"]);
    namespace.wait_until(RUN, "told of the node", END, |run| {
        condition(run, "PodsHealthy").is_some_and(|it| it.reason == "NodeLost")
    });
    drop(outage);
    expect_nothing_lost(&namespace);
}

#[test]
fn operators_that_are_killed_at_each_stage_repeat_nothing() {
    let namespace = Namespace::alone("no-operator");
    namespace.apply(&long_run());
    for stage in ["preprocess", "train", "evaluate"] {
        let what = format!("at the stage {stage}");
        namespace.wait_until(RUN, &what, END, |_| {
            !namespace.list("jobs", &of_stage(stage)).is_empty()
        });
        for (name, _) in operators() {
            let kill = ["--grace-period=0", "--force", "--wait=false"];
            let delete = ["--namespace", SYSTEM, "delete", "pod", &name];
            kubectl(delete.iter().chain(&kill)).ok();
        }
    }
    expect_nothing_lost(&namespace);
}
