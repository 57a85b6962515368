//! The controllers of a cluster beside attrium: of Jobs, of pods, and the garbage collector.
//!
//! Each does one thing of what it has to do at a time, so that anything may happen in between.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use super::cluster::{Cluster, Key, Type, controller, is_going, text};
use attrium_workflow::{StageKind, TaskRef};

/// What the Job controller remembers of a Job.
#[derive(Clone, Debug, Default)]
pub(super) struct JobRecord {
    /// How often each index has failed.
    failures: BTreeMap<u32, u32>,
    /// The pods that were counted, by their uid.
    counted: BTreeSet<String>,
    completed: BTreeSet<u32>,
    pub(super) failed: BTreeSet<u32>,
    /// Why the Job fails as a whole.
    pub(super) broken: Option<&'static str>,
    pods: u32,
}

/// How often an index is tried again.
const BACKOFF_LIMIT: u32 = 3;
const INDEX: &str = "batch.kubernetes.io/job-completion-index";

/// The task that an object's labels, and its index, name.
pub(super) fn task(object: &Value) -> Option<(String, TaskRef)> {
    let labels = &object["metadata"]["labels"];
    let stage = labels["app.kubernetes.io/component"].as_str()?;
    let stage = StageKind::ALL.into_iter().find(|it| it.name() == stage)?;
    let index = labels[INDEX].as_str().unwrap_or("0").parse().ok()?;
    let uid = labels["attrium.dev/uid"].as_str()?;
    Some((uid.to_owned(), TaskRef { stage, index }))
}

/// The phase of a pod.
pub(super) fn phase(pod: &Value) -> &str {
    text(pod, "/status/phase")
}

pub(super) fn is_over(pod: &Value) -> bool {
    matches!(phase(pod), "Succeeded" | "Failed")
}

/// Whether a Job has ended.
pub(super) fn has_ended(job: &Value) -> bool {
    let conditions = job["status"]["conditions"].as_array();
    conditions.is_some_and(|it| !it.is_empty())
}

impl Cluster {
    /// The Job controller looks at a Job.
    pub(super) fn sync_job(&mut self, key: &Key) {
        let Some(job) = self.get(key).cloned() else {
            return;
        };
        let uid = text(&job, "/metadata/uid").to_owned();
        let pods = self.controlled(Type::Pod, &uid);
        if is_going(&job) {
            return self.delete_in_foreground(key, &pods);
        }
        if has_ended(&job) {
            return;
        }
        for pod in &pods {
            self.count(&uid, pod);
        }
        let active: Vec<Key> = pods
            .into_iter()
            .filter(|it| !self.is_pod_over(it))
            .collect();
        self.break_overdue(&job, &uid);
        let is_broken = self.record(&uid).broken.is_some();
        let is_suspended = job["spec"]["suspend"] == true;
        if is_broken || is_suspended {
            for pod in &active {
                self.ask_to_end(pod);
            }
        } else {
            self.create_pods(&job, &uid, &active);
        }
        self.write_status(key, &job, &uid);
    }

    fn delete_in_foreground(&mut self, key: &Key, pods: &[Key]) {
        for pod in pods {
            self.delete_pod(pod);
        }
        if pods.is_empty() {
            self.remove(key);
        }
    }

    fn is_pod_over(&self, key: &Key) -> bool {
        self.get(key).is_none_or(|it| is_over(it))
    }

    /// Counts a pod that is over, as the policies of its Job say.
    fn count(&mut self, uid: &str, key: &Key) {
        let Some(pod) = self.get(key).filter(|it| is_over(it)).cloned() else {
            return;
        };
        let Some((_, TaskRef { index, .. })) = task(&pod) else {
            return;
        };
        let record = self.record(uid);
        if !record
            .counted
            .insert(text(&pod, "/metadata/uid").to_owned())
        {
            return;
        }
        if record.completed.contains(&index) || record.failed.contains(&index) {
            return;
        }
        let code =
            pod["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"].as_i64();
        let is_disrupted = pod["status"]["conditions"][0]["type"] == "DisruptionTarget";
        match code {
            _ if phase(&pod) == "Succeeded" => {
                record.completed.insert(index);
            }
            _ if is_disrupted => {}
            Some(130) => {}
            Some(43) => record.broken = Some("PodFailurePolicy"),
            Some(42) => {
                record.failed.insert(index);
            }
            _ => {
                let failures = record.failures.entry(index).or_default();
                *failures += 1;
                if *failures > BACKOFF_LIMIT {
                    record.failed.insert(index);
                }
            }
        }
    }

    fn break_overdue(&mut self, job: &Value, uid: &str) {
        let started: Option<Timestamp> = text(job, "/status/startTime").parse().ok();
        let limit = job["spec"]["activeDeadlineSeconds"].as_i64();
        if let Some((started, limit)) = started.zip(limit)
            && self.now.as_second() - started.as_second() > limit
        {
            self.record(uid).broken.get_or_insert("DeadlineExceeded");
        }
    }

    fn create_pods(&mut self, job: &Value, uid: &str, active: &[Key]) {
        let completions = job["spec"]["completions"].as_u64().unwrap_or_default() as u32;
        let parallelism = job["spec"]["parallelism"].as_u64().unwrap_or_default() as usize;
        let record = self.record(uid).clone();
        let taken: Vec<u32> = active
            .iter()
            .filter_map(|pod| self.get(pod).and_then(|it| task(it)))
            .map(|(_, task)| task.index)
            .collect();
        let is_open = |index: &u32| {
            !record.completed.contains(index)
                && !record.failed.contains(index)
                && !taken.contains(index)
        };
        let room = parallelism.saturating_sub(active.len());
        let open: Vec<u32> = (0..completions).filter(is_open).take(room).collect();
        for index in open {
            self.create_pod(job, uid, index);
        }
    }

    /// Creates a pod of a Job's index.
    pub(super) fn create_pod(&mut self, job: &Value, uid: &str, index: u32) {
        let record = self.record(uid);
        record.pods += 1;
        let namespace = text(job, "/metadata/namespace").to_owned();
        if self.terminating.contains(&namespace) {
            return;
        }
        let number = self.record(uid).pods;
        let name = format!("{}-{index}-{number}", text(job, "/metadata/name"));
        let mut labels = job["spec"]["template"]["metadata"]["labels"].clone();
        labels[INDEX] = json!(index.to_string());
        let owner = json!({
            "apiVersion": "batch/v1", "kind": "Job", "name": job["metadata"]["name"], "uid": uid,
            "controller": true,
        });
        let volumes = &job["spec"]["template"]["spec"]["volumes"];
        let pod = json!({
            "metadata": { "labels": labels, "ownerReferences": [owner] },
            "spec": { "containers": [], "volumes": volumes },
            "status": { "phase": "Pending" },
        });
        self.create(&(Type::Pod, namespace, name), pod);
    }

    fn write_status(&mut self, key: &Key, job: &Value, uid: &str) {
        let pods = self.controlled(Type::Pod, uid);
        let active = pods.iter().filter(|it| !self.is_pod_over(it)).count();
        let record = self.record(uid).clone();
        let completions = job["spec"]["completions"].as_u64().unwrap_or_default() as usize;
        let is_suspended = job["spec"]["suspend"] == true;
        let time = self.time();
        let mut status = job["status"].as_object().cloned().unwrap_or_default();
        status.insert("active".to_owned(), json!(active));
        status.insert(
            "completedIndexes".to_owned(),
            json!(list(&record.completed)),
        );
        status.insert("failedIndexes".to_owned(), json!(list(&record.failed)));
        if is_suspended {
            status.remove("startTime");
        } else {
            status.entry("startTime").or_insert(json!(time));
        }
        let is_full = record.completed.len() + record.failed.len() >= completions;
        let end = match record.broken {
            Some(reason) => Some(("Failed", reason)),
            None if !is_full => None,
            None if record.failed.is_empty() => Some(("Complete", "CompletionsReached")),
            None => Some(("Failed", "FailedIndexes")),
        };
        if let Some((kind, reason)) = end.filter(|_| active == 0) {
            let condition = json!({
                "type": kind, "status": "True", "reason": reason, "message": format!("by {reason}"),
                "lastTransitionTime": time,
            });
            status.insert("conditions".to_owned(), json!([condition]));
        }
        self.update(key, |job| job["status"] = Value::Object(status));
    }

    /// Somebody deletes a pod: one that runs is asked to end, any other goes.
    pub(super) fn delete_pod(&mut self, key: &Key) {
        if self.is_pod_over(key) || phase_of(self, key) == "Pending" {
            self.remove(key);
        } else {
            self.ask_to_end(key);
        }
    }

    /// Asks a pod to end.
    fn ask_to_end(&mut self, key: &Key) {
        let time = self.time();
        if phase_of(self, key) == "Pending" {
            return self.remove(key);
        }
        if self.get(key).is_some_and(|it| !is_going(it)) {
            self.update(key, |pod| {
                pod["metadata"]["deletionTimestamp"] = json!(time)
            });
        }
    }

    /// The objects of a type of which a controller may have something to do.
    pub(super) fn with_work(&self, of: Type) -> Vec<Key> {
        let has_work = |(key, object): &(&Key, &Arc<Value>)| match key.0 {
            Type::Pod => {
                !is_over(object) || is_going(object) || self.is_orphan(object, &[Type::Job])
            }
            Type::Job => !has_ended(object) || self.is_orphan(object, &Type::RESOURCES),
            _ => true,
        };
        self.of(of)
            .filter(has_work)
            .map(|(key, _)| key.clone())
            .collect()
    }

    fn is_orphan(&self, object: &Value, owners: &[Type]) -> bool {
        let owner = controller(object);
        owner.is_some_and(|uid| owners.iter().all(|it| self.by_uid(*it, uid).is_none()))
    }

    /// The garbage collector looks at an object of a resource or of a Job.
    pub(super) fn collect(&mut self, key: &Key) {
        let Some(object) = self.get(key).cloned() else {
            return;
        };
        let owners: &[Type] = match key.0 {
            Type::Pod => &[Type::Job],
            _ => &Type::RESOURCES,
        };
        if !self.is_orphan(&object, owners) {
            return;
        }
        if key.0 == Type::Pod {
            self.delete_pod(key);
        } else {
            self.remove(key);
        }
    }
}

fn phase_of(cluster: &Cluster, key: &Key) -> String {
    let pod = cluster.get(key);
    pod.map(|it| phase(it).to_owned()).unwrap_or_default()
}

fn list(indexes: &BTreeSet<u32>) -> String {
    let indexes: Vec<String> = indexes.iter().map(u32::to_string).collect();
    indexes.join(",")
}
