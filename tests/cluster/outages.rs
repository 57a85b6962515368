//! What all share is gone for a while: runs go on by themselves, nothing is done twice, and the operator
//! never restarts.
//!
//! These run at the same time, and bear each other's outage as well as their own.

use std::thread::sleep;
use std::time::Duration;

use crate::cluster::operators;
use crate::namespace::Namespace;
use crate::program::script;
use crate::training::{expect_nothing_lost, first_checkpoint, long_run};

/// Stops parts of the cluster for a while; they are there again even if the scenario fails.
pub(crate) struct Outage(&'static [&'static str]);

impl Outage {
    pub(crate) fn of(parts: &'static [&'static str]) -> Self {
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
    let namespace = Namespace::new(purpose);
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
