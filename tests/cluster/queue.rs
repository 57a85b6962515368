//! Kueue: a run waits for its queue, is admitted stage by stage, and loses no epoch when it is evicted.

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::manifest::with;
use crate::namespace::{END, Namespace, condition};
use crate::program::{kubectl, kubectl_with};
use crate::training::{RUN, expect_every_epoch_once, first_checkpoint, long_run};

/// A ClusterQueue of a scenario's own and the LocalQueue `gpu` that leads to it.
struct Queue<'a> {
    namespace: &'a Namespace,
}

impl<'a> Queue<'a> {
    fn new(namespace: &'a Namespace, stop: &str) -> Self {
        let name = &namespace.name;
        let objects = [
            json!({"kind": "ResourceFlavor", "metadata": {"name": name}}),
            json!({"kind": "ClusterQueue", "metadata": {"name": name}, "spec": {
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}},
                "stopPolicy": stop,
                "resourceGroups": [{
                    "coveredResources": ["cpu", "memory"],
                    "flavors": [{"name": name, "resources": [
                        {"name": "cpu", "nominalQuota": "2"},
                        {"name": "memory", "nominalQuota": "4Gi"},
                    ]}],
                }],
            }}),
            json!({"kind": "LocalQueue", "metadata": {"name": "gpu", "namespace": name},
                "spec": {"clusterQueue": name}}),
        ];
        for mut object in objects {
            object["apiVersion"] = json!("kueue.x-k8s.io/v1beta1");
            // Its webhook may need a moment more than its pod.
            let applied = (0..20).any(|_| {
                let text = object.to_string();
                let ended = kubectl_with(["apply", "--filename", "-"], &text);
                thread::sleep(Duration::from_secs(u64::from(!ended.is_ok())));
                ended.is_ok()
            });
            assert!(applied, "{object}");
        }
        Self { namespace }
    }

    fn set(&self, stop: &str) {
        let patch = json!({"spec": {"stopPolicy": stop}}).to_string();
        let queue = format!("clusterqueue/{}", self.namespace.name);
        kubectl(["patch", &queue, "--type=merge", "--patch", &patch]).ok();
    }
}

impl Drop for Queue<'_> {
    fn drop(&mut self) {
        for kind in ["clusterqueue", "resourceflavor"] {
            let object = format!("{kind}/{}", self.namespace.name);
            drop(kubectl(["delete", &object, "--wait=false"]));
        }
    }
}

fn is_queued(run: &Value) -> bool {
    run["status"]["phase"] == "Queued"
}

#[test]
fn a_run_waits_for_its_queue_and_loses_no_epoch_when_it_is_evicted() {
    let namespace = Namespace::new("queue");
    let queue = Queue::new(&namespace, "Hold");
    namespace.apply(&with(long_run(), &json!({"spec": {"queueName": "gpu"}})));
    let run = namespace.wait_until(RUN, "queued for Kueue's reason", END, |run| {
        is_queued(run) && condition(run, "Succeeded").is_some_and(|it| it.message.contains(": "))
    });
    let succeeded = condition(&run, "Succeeded").unwrap();
    assert_eq!(succeeded.reason, "Queued");
    let words = &succeeded.message;
    assert!(
        words.contains("gpu") && words.contains("inactive"),
        "{words}"
    );
    assert_eq!(namespace.list("pods", ""), Vec::<Value>::new());

    queue.set("None");
    first_checkpoint(&namespace);
    queue.set("HoldAndDrain");
    namespace.wait_until(RUN, "queued again", END, is_queued);
    queue.set("None");
    let run = namespace.wait_for_success(RUN, END);
    expect_every_epoch_once(&namespace, &run);
}
