//! A node is lost, and operators are killed again and again.

use crate::cluster::{SYSTEM, operators};
use crate::namespace::{END, Namespace, condition};
use crate::outages::Outage;
use crate::program::kubectl;
use crate::training::{RUN, expect_nothing_lost, first_checkpoint, long_run, of_stage};

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
