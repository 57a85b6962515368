//! The scheduler and the kubelet: pods start, do their tasks, and end as attrium's tasks end.

use attrium_types::random::{ChaCha8Rng, below};
use attrium_workflow::{StageKind, TaskRef};
use serde_json::{Value, json};

use super::cluster::{Cluster, Key, Type, controller, is_going, text};
use super::job_controller::{is_over, phase, task};

/// How a container ends.
struct End {
    code: i64,
    reason: &'static str,
    message: String,
    is_disrupted: bool,
    /// Whether the task has written its marker.
    is_done: bool,
}

impl End {
    fn new(code: i64, message: impl Into<String>) -> Self {
        Self {
            code,
            reason: "",
            message: message.into(),
            is_disrupted: false,
            is_done: code == 0,
        }
    }
}

/// What a task tells when it has ended well.
pub(super) fn summary(uid: &str, task: TaskRef) -> Value {
    let objects = 10 + u64::from(task.index);
    match task.stage {
        StageKind::Preprocess => json!({ "message": "done", "data": { "objects": objects } }),
        StageKind::Screen => json!({ "screening": { "objects": objects, "screened": objects } }),
        StageKind::Train => json!({ "message": "trained" }),
        StageKind::Evaluate => json!({ "report": report(uid) }),
        StageKind::Refit => json!({ "model": model(uid) }),
        StageKind::Summarize => json!({
            "report": report(uid), "screening": { "objects": 21, "screened": 21 },
        }),
    }
}

/// The report of a resource.
pub(super) fn report(uid: &str) -> String {
    format!("s3://models/{uid}/report.html")
}

/// The model of a run.
pub(super) fn model(uid: &str) -> Value {
    json!({ "uri": format!("s3://models/{uid}/bundle/"), "digest": format!("sha256:{uid}") })
}

/// Whether a container beside the task's keeps a pod from ending.
fn has_sidecar(pod: &Value) -> bool {
    !pod["status"]["containerStatuses"][1].is_null()
}

impl Cluster {
    /// The next thing happens to a pod; in a calm only what is good for it.
    pub(super) fn step_pod(&mut self, key: &Key, random: &mut ChaCha8Rng, is_calm: bool) {
        let Some(pod) = self.get(key).cloned() else {
            return;
        };
        if is_over(&pod) {
            if is_going(&pod) {
                self.remove(key);
            }
            return;
        }
        match phase(&pod) {
            "Pending" if text(&pod, "/spec/nodeName").is_empty() => {
                self.schedule(key, !is_calm && below(random, 6) == 0);
            }
            "Pending" => self.start_container(key, &pod),
            _ => self.end_container(key, &pod, random, is_calm),
        }
    }

    fn schedule(&mut self, key: &Key, is_full: bool) {
        self.update(key, |pod| {
            if is_full {
                pod["status"]["conditions"] = json!([{
                    "type": "PodScheduled", "status": "False", "reason": "Unschedulable",
                    "message": "0/1 nodes are available",
                }]);
            } else {
                pod["spec"]["nodeName"] = json!("node");
                pod["status"]["conditions"] = json!([]);
            }
        });
    }

    fn start_container(&mut self, key: &Key, pod: &Value) {
        if self.missing_map(pod).is_some() {
            return;
        }
        let (time, image) = (
            self.time(),
            format!("registry.example/attrium@sha256:{}", "a".repeat(64)),
        );
        self.update(key, |pod| {
            pod["status"]["phase"] = json!("Running");
            pod["status"]["containerStatuses"] = json!([{
                "name": "attrium", "image": "", "imageID": image, "ready": true, "restartCount": 0,
                "state": { "running": { "startedAt": time } },
            }]);
        });
    }

    /// The ConfigMap that a pod has to mount, where it is not there.
    pub(super) fn missing_map(&self, pod: &Value) -> Option<String> {
        let volumes = pod["spec"]["volumes"].as_array()?;
        let maps = volumes
            .iter()
            .filter_map(|it| it["configMap"]["name"].as_str());
        let namespace = text(pod, "/metadata/namespace");
        let is_missing = |name: &&str| {
            let key = (Type::ConfigMap, namespace.to_owned(), (*name).to_owned());
            self.get(&key).is_none()
        };
        maps.into_iter().find(is_missing).map(str::to_owned)
    }

    fn end_container(&mut self, key: &Key, pod: &Value, random: &mut ChaCha8Rng, is_calm: bool) {
        let Some((uid, task)) = task(pod) else {
            return;
        };
        if has_sidecar(pod) {
            if is_going(pod) || is_calm {
                self.end_sidecar(key);
            }
            return;
        }
        let name = text(pod, "/metadata/uid");
        let is_marked = self.markers.contains(&(uid.clone(), task));
        let done = || End::new(0, summary(&uid, task).to_string());
        let end = if is_going(pod) && !is_marked {
            End::new(130, "interrupted")
        } else if is_calm || is_marked {
            done()
        } else {
            match below(random, 40) {
                0..=3 => End::new(1, format!("{name} has lost the store")),
                4..=5 => End::new(42, format!("{name} has found bad data")),
                13 => End::new(43, format!("{name} has a bad configuration")),
                6 => End {
                    reason: "OOMKilled",
                    ..End::new(137, "")
                },
                7..=8 => End {
                    is_disrupted: true,
                    ..End::new(137, "")
                },
                9 => End::new(130, "interrupted"),
                // Killed between its marker and its end.
                10..=11 => End {
                    is_done: true,
                    ..End::new(137, format!("{name} was killed"))
                },
                12 => return self.lose_pod(key, uid, task),
                _ => done(),
            }
        };
        if end.is_done {
            self.markers.insert((uid, task));
        }
        self.write_end(key, &end);
        if end.code == 0 && below(random, 6) == 0 {
            self.keep_sidecar(key);
        }
    }

    /// A container beside the task's goes on, and keeps its pod from ending.
    fn keep_sidecar(&mut self, key: &Key) {
        let time = self.time();
        self.update(key, |pod| {
            pod["status"]["phase"] = json!("Running");
            let containers = pod["status"]["containerStatuses"].as_array_mut();
            containers.expect("containers").push(json!({
                "name": "proxy", "image": "", "imageID": "", "ready": true, "restartCount": 0,
                "state": { "running": { "startedAt": time } },
            }));
        });
    }

    fn end_sidecar(&mut self, key: &Key) {
        self.update(key, |pod| {
            pod["status"]["phase"] = json!("Succeeded");
            pod["status"]["containerStatuses"][1]["state"] =
                json!({ "terminated": { "exitCode": 0 } });
        });
    }

    /// A node is lost and its pod taken away; the container goes on there, and does its task to the end.
    fn lose_pod(&mut self, key: &Key, uid: String, task: TaskRef) {
        self.markers.insert((uid, task));
        self.remove(key);
    }

    fn write_end(&mut self, key: &Key, end: &End) {
        let time = self.time();
        self.update(key, |pod| {
            let status = &mut pod["status"];
            status["phase"] = json!(if end.code == 0 { "Succeeded" } else { "Failed" });
            status["containerStatuses"][0]["state"] = json!({ "terminated": {
                "exitCode": end.code, "reason": end.reason, "message": end.message,
                "finishedAt": time,
            } });
            if end.is_disrupted {
                status["conditions"] = json!([{ "type": "DisruptionTarget", "status": "True" }]);
            }
        });
    }

    /// The events of an object, as its kubelet writes them.
    pub(super) fn events(&self, uid: &str) -> Vec<Value> {
        let pod = self.by_uid(Type::Pod, uid).map(|(_, pod)| pod);
        let missing = pod.filter(|it| phase(it) == "Pending");
        let missing = missing.and_then(|it| self.missing_map(it));
        let event = missing.map(|name| {
            let note = format!(
                "MountVolume.SetUp failed for volume \"manifest\" : configmap {name:?} not found"
            );
            json!({
                "metadata": { "name": "e", "namespace": "hospital" }, "type": "Warning",
                "reason": "FailedMount", "note": note, "deprecatedLastTimestamp": self.time(),
            })
        });
        event.into_iter().collect()
    }

    /// A second pod of a pod's index, which its Job's controller has made too many.
    pub(super) fn double(&mut self, key: &Key) {
        let Some(pod) = self.get(key).cloned() else {
            return;
        };
        let (Some(uid), Some((_, task))) = (controller(&pod).map(str::to_owned), task(&pod)) else {
            return;
        };
        let job = self.by_uid(Type::Job, &uid).map(|(_, job)| job.clone());
        if let Some(job) = job.filter(|it| !is_going(it) && it["spec"]["suspend"] != true) {
            self.create_pod(&job, &uid, task.index);
        }
    }
}
