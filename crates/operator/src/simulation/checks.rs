//! What must never be, whatever goes wrong: the invariants as far as an API server can see them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::cluster::{Cluster, Key, Type, controller, is_going, text};
use super::job_controller::{has_ended, is_over, task};
use super::kubelet::{model, report};
use super::network::OnItsWay;
use crate::created_resource::ATTEMPTS_OF_A_START;
use crate::decide::ResourceEvent;
use crate::names;
use attrium_api::{RETRY_ANNOTATION, Resource};
use attrium_workflow::{Plan, StageKind, TaskRef};

/// What is remembered to tell right from wrong, and what was wrong.
#[derive(Debug, Default)]
pub(super) struct Checks {
    pub(super) complaints: Vec<String>,
    /// The Jobs that attrium's processes have made, by their uid.
    made: BTreeSet<String>,
    /// The names of all Jobs that ever were.
    names: BTreeSet<String>,
    /// The Jobs that may be deleted.
    deletable: BTreeSet<String>,
    /// The resources that a process has read, and found live, before it makes anything.
    read: BTreeSet<(u64, String)>,
    /// Tasks of which a pod has failed, and of which an index has.
    failing: BTreeSet<(String, TaskRef)>,
    failed: BTreeSet<(String, TaskRef)>,
    /// The resources of which a Job was broken as a whole.
    broken: BTreeSet<String>,
    /// The events of failures, by the process that has published them.
    events: BTreeMap<(u64, String), u32>,
    /// How often a status said what.
    pub(super) said: BTreeMap<String, u64>,
}

/// The status of the condition Succeeded.
pub(super) fn succeeded(status: &Value) -> &Value {
    let conditions = status["conditions"].as_array();
    let found = conditions.and_then(|it| it.iter().find(|it| it["type"] == "Succeeded"));
    found.unwrap_or(&Value::Null)
}

/// Whether a status says that its resource has ended.
pub(super) fn is_end(status: &Value) -> bool {
    matches!(text(succeeded(status), "/status"), "True" | "False")
}

/// The first attempt at each stage since a resource was started last.
fn first_attempt(status: &Value) -> u64 {
    let count = status["retry"]["count"].as_u64().unwrap_or_default();
    count * u64::from(ATTEMPTS_OF_A_START)
}

/// Which attempt at its stage a Job is.
fn attempt(job: &Value) -> u64 {
    let attempt = &job["metadata"]["labels"][names::ATTEMPT];
    attempt
        .as_str()
        .and_then(|it| it.parse().ok())
        .unwrap_or_default()
}

fn stage(job: &Value) -> Option<StageKind> {
    task(job).map(|(_, task)| task.stage)
}

/// The plan of a resource, by its kind.
pub(super) fn plan(resource: &Value) -> Plan {
    let value = resource.clone();
    let resource = if resource["kind"] == "TrainingRun" {
        Resource::from_training(serde_json::from_value(value).expect("a training run"))
    } else {
        Resource::from_screening(serde_json::from_value(value).expect("a screening"))
    };
    Plan::new(&resource)
}

impl Checks {
    pub(super) fn complain(&mut self, complaint: String) {
        self.complaints.push(complaint);
    }

    fn ensure(&mut self, holds: bool, complaint: impl FnOnce() -> String) {
        if !holds {
            self.complaints.push(complaint());
        }
    }

    /// Invariant 24.
    pub(super) fn ensure_led(&mut self, request: &OnItsWay) {
        let OnItsWay {
            process,
            method,
            path,
            led,
            ..
        } = request;
        self.ensure(*led, || {
            format!("process {process} does not lead: {method} {path}")
        });
    }

    /// Invariant 27.
    pub(super) fn ensure_own(&mut self, object: &Value, what: &str) {
        let is_own = self.made.contains(text(object, "/metadata/uid"));
        let name = text(object, "/metadata/name");
        self.ensure(is_own, || {
            format!("{name} is not attrium's own and is {what}")
        });
    }

    pub(super) fn note_read(&mut self, process: u64, key: &Key, object: &Value) {
        if Type::RESOURCES.contains(&key.0) {
            let read = (process, text(object, "/metadata/uid").to_owned());
            if is_end(&object["status"]) || is_going(object) {
                self.read.remove(&read);
            } else {
                self.read.insert(read);
            }
        }
    }

    pub(super) fn note_created(&mut self, key: &Key, object: &Value) {
        if key.0 == Type::Job {
            self.made.insert(text(object, "/metadata/uid").to_owned());
        }
    }

    /// Invariants 22 and 24: a Job is made for a resource that was read as live, once, and after the stages
    /// before it.
    pub(super) fn job_is_created(&mut self, cluster: &Cluster, request: &OnItsWay) {
        let job = &request.body;
        let (owner, name) = (
            controller(job).unwrap_or_default(),
            text(job, "/metadata/name"),
        );
        let was_read = self.read.contains(&(request.process, owner.to_owned()));
        self.ensure(was_read, || {
            format!("{name} is made of a resource that was not read")
        });
        let round = attempt(job) / u64::from(ATTEMPTS_OF_A_START);
        let is_rival = |other: &Value| {
            stage(other) == stage(job)
                && attempt(other) / u64::from(ATTEMPTS_OF_A_START) == round
                && !has_ended(other)
                && !is_going(other)
                && self.made.contains(text(other, "/metadata/uid"))
        };
        let rivals = cluster.controlled(Type::Job, owner).into_iter();
        let mut rivals = rivals.filter(|key| cluster.get(key).is_some_and(|it| is_rival(it)));
        let rival = rivals.next();
        self.ensure(rival.is_none(), || {
            format!("{name} is made beside {rival:?}")
        });
        let resource = Type::RESOURCES
            .into_iter()
            .find_map(|it| cluster.by_uid(it, owner));
        if let (Some((_, resource)), Some(stage)) = (resource, stage(job)) {
            let plan = plan(resource);
            let before = plan.tasks().filter(|it| it.id.stage < stage);
            let open = before
                .map(|it| (owner.to_owned(), it.id))
                .find(|it| !self.is_over(cluster, it));
            self.ensure(open.is_none(), || {
                format!("{name} is made before {open:?} is over")
            });
        }
    }

    fn is_over(&self, cluster: &Cluster, task: &(String, TaskRef)) -> bool {
        cluster.markers.contains(task) || self.failed.contains(task)
    }

    /// Invariants 23 and 27.
    pub(super) fn job_is_deleted(&mut self, job: &Value) {
        self.ensure_own(job, "deleted");
        let name = text(job, "/metadata/name");
        let may_go = self.deletable.contains(text(job, "/metadata/uid"));
        self.ensure(may_go, || {
            format!("{name} is deleted before its results are in the status")
        });
    }

    pub(super) fn resource_is_deleted(&mut self, resource: &Value) {
        let has_ttl = resource["spec"]["ttlSecondsAfterFinished"].is_u64();
        let may_go = has_ttl && is_end(&resource["status"]);
        let name = text(resource, "/metadata/name");
        self.ensure(may_go, || format!("{name} is deleted and has not ended"));
    }

    /// What a new status says has to be so.
    pub(super) fn status_is_written(
        &mut self,
        cluster: &Cluster,
        request: &OnItsWay,
        resource: &Value,
        new: &Value,
    ) {
        let uid = text(resource, "/metadata/uid").to_owned();
        self.read.remove(&(request.process, uid.clone()));
        self.end_is_end(resource, new);
        let reason = text(succeeded(new), "/reason");
        *self
            .said
            .entry(format!("{} {reason}", text(new, "/phase")))
            .or_default() += 1;
        if is_end(&resource["status"]) {
            return;
        }
        for stage in new["stages"].as_array().into_iter().flatten() {
            self.stage_is_so(cluster, &uid, stage);
        }
        self.results_are_so(cluster, &uid, resource, new);
        match new["phase"].as_str() {
            Some("Succeeded") => {
                let plan = plan(resource);
                let mut tasks = plan.tasks().map(|it| (uid.clone(), it.id));
                let open = tasks.find(|it| !cluster.markers.contains(it));
                self.ensure(open.is_none(), || {
                    format!("{uid} succeeds without {open:?}")
                });
            }
            Some("Failed") => self.failure_is_so(&uid, succeeded(new)),
            _ => {}
        }
    }

    /// Invariant 22.
    fn end_is_end(&mut self, resource: &Value, new: &Value) {
        let old = &resource["status"];
        let asked = &resource["metadata"]["annotations"][RETRY_ANNOTATION];
        let is_retry = asked.is_string()
            && *asked == new["retry"]["asked"]
            && *asked != old["retry"]["asked"]
            && succeeded(old)["status"] == "False";
        if !is_end(old) || is_retry {
            return;
        }
        let mut kept = new.clone();
        kept["observedGeneration"] = old["observedGeneration"].clone();
        let uid = text(resource, "/metadata/uid");
        self.ensure(kept == *old, || {
            format!("{uid} has ended, and its status becomes {new}")
        });
    }

    fn stage_is_so(&mut self, cluster: &Cluster, uid: &str, status: &Value) {
        let name = text(status, "/name");
        let of_stage = |it: &&(String, TaskRef)| it.0 == uid && it.1.stage.name() == name;
        let done = cluster.markers.iter().filter(of_stage).count() as u64;
        let failing = self.failing.iter().filter(of_stage).count() as u64;
        let count = |field: &str| status[field].as_u64().unwrap_or_default();
        let (succeeded, failed) = (count("succeeded"), count("failed"));
        self.ensure(succeeded <= done, || {
            format!("{uid} says that {succeeded} tasks of {name} have ended well, and {done} have")
        });
        self.ensure(failed <= failing, || {
            format!("{uid} says that {failed} tasks of {name} have failed, and {failing} have")
        });
        let job = status["job"].as_str();
        let is_job = job.is_none_or(|it| self.names.contains(it));
        self.ensure(is_job, || {
            format!("{uid} names the Job {job:?}, which never was")
        });
    }

    /// Invariant 23.
    fn results_are_so(&mut self, cluster: &Cluster, uid: &str, resource: &Value, new: &Value) {
        let is_training = resource["kind"] == "TrainingRun";
        let mut expect = |stage: StageKind, field: &str, truth: Value| {
            let told = &new[field];
            let marker = (uid.to_owned(), TaskRef { stage, index: 0 });
            if !told.is_null() {
                let is_true = *told == truth && cluster.markers.contains(&marker);
                self.ensure(is_true, || format!("{uid} says that its {field} is {told}"));
            }
            let stages = new["stages"].as_array().into_iter().flatten();
            let mut of_stage = stages.filter(|it| it["name"] == stage.name());
            let is_done =
                of_stage.any(|it| it["completionTime"].is_string() && it["succeeded"] == 1);
            self.ensure(!is_done || !told.is_null(), || {
                format!("{uid} has {stage} as complete, and its {field} is not there")
            });
        };
        if is_training {
            expect(StageKind::Evaluate, "report", json!(report(uid)));
            expect(StageKind::Refit, "model", model(uid));
        } else {
            expect(StageKind::Summarize, "report", json!(report(uid)));
        }
    }

    fn failure_is_so(&mut self, uid: &str, condition: &Value) {
        let has_failing = self.failing.iter().any(|it| it.0 == uid);
        let message = text(condition, "/message");
        let is_so = match text(condition, "/reason") {
            // Nothing waits for so long here.
            "StartDeadlineExceeded" => false,
            "DeadlineExceeded" => self.broken.contains(uid),
            "ModelUnavailable" | "GateMissed" | "NothingLearned" | "NotCalibrated" => true,
            _ => has_failing || message.contains("were lost"),
        };
        self.ensure(is_so, || format!("{uid} fails for no reason: {condition}"));
    }

    /// An event that a process publishes: of each pod's failure one at most.
    pub(super) fn event(&mut self, process: u64, event: &ResourceEvent) {
        if event.reason == "TaskFailed"
            && event.message.contains("uid-")
            && event.action.contains('/')
        {
            let times = self
                .events
                .entry((process, event.message.clone()))
                .or_default();
            *times += 1;
            let is_first = *times == 1;
            let message = &event.message;
            self.ensure(is_first, || {
                format!("process {process} says twice: {message}")
            });
        }
    }

    /// Remembers what of the present state later checks need.
    pub(super) fn note(&mut self, cluster: &Cluster) {
        for of in Type::RESOURCES {
            for (_, resource) in cluster.of(of) {
                self.note_deletable(cluster, resource);
            }
        }
        for (key, job) in cluster.of(Type::Job) {
            self.names.insert(key.2.clone());
            let record = cluster.record_of(text(job, "/metadata/uid"));
            if let (Some((uid, task)), Some(record)) = (task(job), record) {
                let failed = record.failed.iter();
                self.failed.extend(failed.map(|index| {
                    (
                        uid.clone(),
                        TaskRef {
                            index: *index,
                            ..task
                        },
                    )
                }));
                if record.broken.is_some() {
                    self.broken.insert(uid);
                }
            }
        }
        for (_, pod) in cluster.of(Type::Pod) {
            if is_over(pod) && pod["status"]["phase"] == "Failed" {
                self.failing.extend(task(pod));
            }
        }
    }

    fn note_deletable(&mut self, cluster: &Cluster, resource: &Value) {
        let (uid, status) = (text(resource, "/metadata/uid"), &resource["status"]);
        let stages: Vec<&Value> = status["stages"].as_array().into_iter().flatten().collect();
        for key in cluster.controlled(Type::Job, uid) {
            let Some(job) = cluster.get(&key) else {
                continue;
            };
            let is_complete = |it: &&Value| {
                it["completionTime"].is_string()
                    && stage(job).is_some_and(|of| it["name"] == of.name())
            };
            let is_queued = job["metadata"]["labels"][names::QUEUE].is_string();
            if is_end(status)
                || stages.iter().any(is_complete)
                || attempt(job) < first_attempt(status)
                || (is_queued && resource["spec"]["suspend"] == true)
            {
                self.deletable.insert(text(job, "/metadata/uid").to_owned());
            }
        }
    }

    /// The cluster is another one: what was said of what is gone may be said again, and a Job may be deleted
    /// of a resource that was known to have ended before. Its tasks find their markers.
    pub(super) fn restored(&mut self, cluster: &Cluster) {
        self.events.clear();
        let jobs = cluster.of(Type::Job);
        let uids = jobs.map(|(_, job)| text(job, "/metadata/uid").to_owned());
        self.deletable.extend(uids);
    }
}
