//! A training that takes long enough to be disturbed, and what shows that nothing of it was lost.

use serde_json::{Value, json};

use attrium_workflow::Marker;

use crate::bucket::{keys, read};
use crate::manifest::{training_run, with};
use crate::namespace::{END, Namespace};
use crate::results::prefix;

/// The name of every scenario's training run.
pub(crate) const RUN: &str = "trainingrun/demo";
/// Its stages.
const STAGES: usize = 3;
/// Its folds.
const FOLDS: usize = 2;

/// A run of two folds, one after the other, with several checkpoints each.
pub(crate) fn long_run() -> Value {
    let longer = json!({"spec": {
        "training": {"epochs": 25},
        "compute": {"parallelism": 1},
    }});
    with(training_run(), &longer)
}

/// The label of the pods and Jobs of a stage.
pub(crate) fn of_stage(stage: &str) -> String {
    format!("app.kubernetes.io/component={stage}")
}

/// Waits until a stage has a pod that runs, and returns the pod.
pub(crate) fn running_pod(namespace: &Namespace, stage: &str) -> Value {
    let found = || running(&namespace.list("pods", &of_stage(stage)));
    let what = format!("running a pod of {stage}");
    namespace.wait_until(RUN, &what, END, |_| !found().is_empty());
    found().swap_remove(0)
}

/// Those of some pods whose container runs and is not about to end.
pub(crate) fn running(pods: &[Value]) -> Vec<Value> {
    let runs = |pod: &&Value| {
        pod["status"]["containerStatuses"][0]["state"]["running"].is_object()
            && pod["metadata"]["deletionTimestamp"].is_null()
    };
    pods.iter().filter(runs).cloned().collect()
}

/// Waits until a fold of the run has a checkpoint.
pub(crate) fn first_checkpoint(namespace: &Namespace) {
    let place = prefix(namespace, &namespace.get(RUN));
    namespace.wait_until(RUN, "at a checkpoint", END, |_| {
        let mut keys = keys(&place).into_iter();
        keys.any(|key| key.ends_with("checkpoint/state"))
    });
}

/// Waits for the run's success, and expects each fold's history to have every epoch once and each
/// stage to have had one Job, whatever happened meanwhile.
pub(crate) fn expect_nothing_lost(namespace: &Namespace) -> Value {
    let run = namespace.wait_for_success(RUN, END);
    expect_every_epoch_once(namespace, &run);
    let jobs = namespace.list("jobs", "").len();
    assert_eq!(jobs, STAGES, "a Job for each stage, and none twice");
    run
}

/// Expects each fold's history to have every epoch once.
pub(crate) fn expect_every_epoch_once(namespace: &Namespace, run: &Value) {
    let place = prefix(namespace, run);
    let epochs = run["spec"]["training"]["epochs"].as_u64().unwrap();
    let wanted: Vec<_> = (1..=epochs).map(|epoch| epoch.to_string()).collect();
    for fold in 0..FOLDS {
        let marker = read(&place, &format!("tasks/train/{fold:03}.json"));
        let marker: Marker = serde_json::from_slice(&marker).unwrap();
        let mut files = marker.files.iter();
        let history = files.find(|file| file.name.ends_with("history.csv"));
        let table = String::from_utf8(read(&place, &history.unwrap().path)).unwrap();
        let rows = table.lines().skip(1);
        let found: Vec<_> = rows.filter_map(|row| row.split(',').next()).collect();
        assert_eq!(found, wanted, "{table}");
    }
}
