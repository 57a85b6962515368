//! Every fault with what is done about it, and nothing else: a little cluster, and a file for each kind
//! of thing that may happen on it.

mod changes;
mod events;
mod failures;
mod models;
mod pods;
mod stages;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::SignedDuration;

use super::*;
use crate::created_resource::CreatedResource;
use crate::fixtures;
use crate::names::{self, Origin};
use crate::owner::Owner;
use crate::resource_entry::ResourceEntry;
use crate::resource_snapshot::ControllerState;
use crate::snapshot::{JobEnd, JobFailure, JobSnapshot, PodSnapshot, PodState};
use crate::task_reports::{FailureReport, TaskReports};
use attrium_api::{
    CalibrationStatus, ConditionStatus, DataStatus, GateOutcome, ModelReference, Phase,
    RETRY_ANNOTATION, ResultStatus, ScreeningStatus, Status, TrainingRunSpec, condition, reasons,
};
use attrium_types::{Architecture, Metric, Target};
use attrium_workflow::{ConditionState, Progress, StageKind, Summary, TaskExit, TaskRef};

use StageKind::{Evaluate, Preprocess, Refit, Screen, Summarize, Train};

fn now() -> Timestamp {
    "2026-11-24T10:00:00Z".parse().expect("an instant")
}

fn after(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

/// A resource, and the little cluster that it is on.
struct World {
    observed: ObservedState,
    /// Why the API server creates nothing.
    refusal: Option<Refusal>,
}

/// What a reconciliation has done.
#[derive(Clone, Debug, Default, PartialEq)]
struct Reconciled {
    create: Vec<Create>,
    patch: Vec<JobPatch>,
    stop: Vec<Stop>,
    status: Option<Status>,
    events: Vec<ResourceEvent>,
    requeue: Option<Duration>,
}

fn world(resource: CreatedResource) -> World {
    let snapshot = ResourceSnapshot {
        resource: Arc::new(resource),
        jobs: BTreeMap::new(),
        superseded: Vec::new(),
        pods: Vec::new(),
        model: Model::Given,
        state: ControllerState::default(),
    };
    World {
        observed: ObservedState {
            snapshot,
            pending: PendingReasons::default(),
            events_published_until: None,
            now: now(),
        },
        refusal: None,
    }
}

/// A training of 4 shards and 5 folds, evaluated and refitted.
fn training(lines: &str) -> World {
    world(fixtures::training_run(lines))
}

/// A screening of 3 shards.
fn screening(lines: &str) -> World {
    world(fixtures::screening_job(lines))
}

fn task(stage: StageKind, index: u32) -> TaskRef {
    TaskRef { stage, index }
}

fn model() -> ModelReference {
    ModelReference {
        uri: "s3://models/m/".to_owned(),
        digest: "sha256:0".to_owned(),
    }
}

fn awaited(publisher: Publisher) -> Model {
    let run = "small".to_owned();
    Model::Awaited(Awaited { run, publisher })
}

impl World {
    fn resource(&mut self) -> &mut CreatedResource {
        Arc::make_mut(&mut self.observed.snapshot.resource)
    }

    fn reports(&mut self) -> &mut TaskReports {
        &mut self.observed.snapshot.state.reports
    }

    /// The spec of a training, to be changed.
    fn spec(&mut self) -> &mut TrainingRunSpec {
        fixtures::training_spec(self.resource())
    }

    /// What creates the ConfigMap of its manifest.
    fn manifest(&self) -> Create {
        let name = names::config_map(&self.observed.snapshot.resource);
        Create::Manifest { name }
    }

    fn status(&self) -> Status {
        let resource = &self.observed.snapshot.resource;
        resource.status().cloned().unwrap_or_default()
    }

    /// Reconciles, and does to this little world what a cluster would.
    fn reconcile(&mut self) -> Reconciled {
        let resource = CreatedResource::clone(&self.observed.snapshot.resource);
        let reconciled = match ResourceEntry::new(resource) {
            ResourceEntry::Ended(ended) => {
                assert!(decide(&self.observed).is_none());
                let jobs: Vec<_> = self.observed.snapshot.jobs.values().cloned().collect();
                let clean_up = clean_up(&ended, &jobs, self.observed.now);
                Reconciled {
                    stop: clean_up.stop,
                    requeue: clean_up.requeue,
                    ..Reconciled::default()
                }
            }
            _ => self.reconcile_live().unwrap_or_default(),
        };
        self.apply(&reconciled);
        reconciled
    }

    fn reconcile_live(&self) -> Option<Reconciled> {
        if let Some(StatusUpdate { status, events }) = start_again(&self.observed) {
            return Some(Reconciled {
                status,
                events,
                ..Reconciled::default()
            });
        }
        let mut transition = decide(&self.observed)?;
        let refusal = self.refusal.as_ref();
        if let Some(refusal) = refusal.filter(|_| !transition.create.is_empty()) {
            transition.refuse(refusal);
        }
        let update = transition.status_update();
        Some(Reconciled {
            create: transition.create,
            patch: transition.patch,
            stop: transition.stop,
            status: update.status,
            events: update.events,
            requeue: transition.requeue,
        })
    }

    /// Somebody asks for another start.
    fn ask_for_retry(&mut self, word: &str) {
        let metadata = self.resource().resource_mut().metadata_mut();
        let annotations = metadata.annotations.get_or_insert_default();
        annotations.insert(RETRY_ANNOTATION.to_owned(), word.to_owned());
    }

    /// What the index would still have: Jobs that ended before the last start are forgotten.
    fn forget_old_jobs(&mut self) {
        let first = self.observed.snapshot.resource.first_attempt();
        let jobs = &mut self.observed.snapshot.jobs;
        jobs.retain(|_, job| job.origin.attempt >= first);
        self.observed.snapshot.pods.clear();
        *self.reports() = TaskReports::default();
    }

    fn apply(&mut self, reconciled: &Reconciled) {
        for create in reconciled.create.iter().filter(|_| self.refusal.is_none()) {
            match create {
                Create::Manifest { name } => {
                    self.observed.snapshot.state.manifest = Some(name.clone());
                }
                Create::Job { stage, attempt } => {
                    let job = self.new_job(*stage, *attempt);
                    self.observed.snapshot.jobs.insert(*stage, job);
                }
            }
        }
        let now = self.observed.now;
        for JobPatch { uid, changes, .. } in &reconciled.patch {
            let state = &mut self.observed.snapshot.state;
            state.note_patch(uid, changes, now);
            let jobs = self.observed.snapshot.jobs.values_mut();
            for job in jobs.filter(|job| job.uid == *uid) {
                job.suspended = changes.suspend.unwrap_or(job.suspended);
                job.suspended_by_attrium = job.suspended;
                job.parallelism = changes.parallelism.or(job.parallelism);
                job.deadline = changes.deadline.unwrap_or(job.deadline);
            }
        }
        for stop in &reconciled.stop {
            if let Stop::DeleteJob { uid, .. } = stop {
                let jobs = &mut self.observed.snapshot.jobs;
                jobs.retain(|_, job| job.uid != *uid);
            }
        }
        if let Some(status) = &reconciled.status {
            let status = Some(status.clone());
            self.resource().resource_mut().set_status(status);
        }
        for failure in self.reports().failures.values_mut() {
            failure.published = true;
        }
    }

    fn tasks(&self, stage: StageKind) -> u32 {
        let plan = Plan::new(&self.observed.snapshot.resource);
        let stage = plan
            .stages
            .iter()
            .find(|it| it.kind == stage)
            .expect("a stage");
        u32::try_from(stage.tasks.len()).expect("few tasks")
    }

    fn new_job(&self, stage: StageKind, attempt: u32) -> JobSnapshot {
        let (resource, now) = (&self.observed.snapshot.resource, self.observed.now);
        let tasks = i32::try_from(self.tasks(stage)).expect("few tasks");
        let asked = resource.compute().parallelism;
        JobSnapshot {
            name: names::job(resource, stage, attempt),
            uid: fixtures::uid(&format!("{stage} {attempt}")),
            resource_version: "1".to_owned(),
            owner: Owner {
                namespace: resource.namespace().into(),
                uid: resource.uid().clone(),
            },
            origin: Origin { stage, attempt },
            suspended: resource.queue_name().is_some(),
            suspended_by_attrium: false,
            queued: resource.queue_name().is_some(),
            image: Some("attrium:1".to_owned()),
            config_map: Some(names::config_map(resource)),
            completions: self.tasks(stage),
            parallelism: Some(asked.map_or(tasks, |it| it as i32)),
            deadline: resource.active_deadline_seconds().map(i64::from),
            active: 0,
            completed: BTreeSet::new(),
            failed: BTreeSet::new(),
            end: None,
            created: Some(now),
            started: Some(now),
            is_being_deleted: false,
        }
    }

    fn job(&mut self, stage: StageKind) -> &mut JobSnapshot {
        self.observed.snapshot.jobs.get_mut(&stage).expect("a Job")
    }

    /// A stage's tasks end well, with a summary each.
    fn complete(&mut self, stage: StageKind, summary: &Summary) {
        for index in 0..self.tasks(stage) {
            let summary = summary.clone();
            self.reports().summaries.insert(task(stage, index), summary);
        }
        self.complete_without_report(stage);
    }

    fn complete_without_report(&mut self, stage: StageKind) {
        let (tasks, now) = (self.tasks(stage), self.observed.now);
        let job = self.job(stage);
        job.completed = (0..tasks).collect();
        job.end = Some(JobEnd {
            failure: None,
            at: Some(now),
        });
    }

    /// A stage's Job fails as a whole.
    fn break_job(&mut self, stage: StageKind, reason: &str) {
        let now = self.observed.now;
        self.job(stage).end = Some(JobEnd {
            failure: Some(JobFailure {
                reason: reason.to_owned(),
                message: "the controller says so".to_owned(),
            }),
            at: Some(now),
        });
    }

    /// A task's pod has failed.
    fn fail(&mut self, stage: StageKind, index: u32, exit_code: i32, sentence: &str) {
        let failure = FailureReport {
            pod: fixtures::uid(&format!("{stage} {index}")),
            exit: TaskExit::from_exit_code(exit_code),
            exit_code,
            sentence: sentence.to_owned(),
            out_of_memory: exit_code == 137,
            at: Some(self.observed.now),
            published: false,
        };
        self.reports().failures.insert(task(stage, index), failure);
    }

    fn add_pod(&mut self, stage: StageKind, index: u32, state: PodState) -> &mut PodSnapshot {
        let snapshot = &mut self.observed.snapshot;
        let job = &snapshot.jobs[&stage];
        snapshot.pods.push(PodSnapshot {
            name: format!("pod-{stage}-{index}"),
            uid: fixtures::uid(&format!("{stage} {index}")),
            resource_version: "1".to_owned(),
            owner: job.owner.clone(),
            job: job.uid.clone(),
            origin: job.origin.clone(),
            index,
            node: Some("node-1".to_owned()),
            created: Some(self.observed.now),
            deleted: None,
            ended: None,
            image: None,
            sidecar: None,
            state,
        });
        snapshot.pods.last_mut().expect("a pod")
    }

    /// Goes on to where a stage's Job has just been created.
    fn until(mut self, stage: StageKind) -> Self {
        self.reconcile();
        let plan = Plan::new(&self.observed.snapshot.resource);
        for before in plan
            .stages
            .iter()
            .map(|it| it.kind)
            .take_while(|kind| *kind != stage)
        {
            self.complete(before, &Summary::default());
            self.reconcile();
        }
        assert!(self.observed.snapshot.jobs.contains_key(&stage));
        self
    }
}

fn word(status: &Status, kind: &str) -> (ConditionStatus, String, String) {
    let condition = condition(&status.conditions, kind).expect("a condition");
    (
        condition.status,
        condition.reason.clone(),
        condition.message.clone(),
    )
}

fn reason_of(status: &Status, kind: &str) -> (ConditionStatus, String) {
    let (status, reason, _) = word(status, kind);
    (status, reason)
}

fn reasons_of(reconciled: &Reconciled) -> Vec<&str> {
    reconciled
        .events
        .iter()
        .map(|event| event.reason.as_str())
        .collect()
}

fn delete(job: &JobSnapshot) -> Stop {
    let (name, uid) = (job.name.clone(), job.uid.clone());
    Stop::DeleteJob { name, uid }
}

fn patch(job: &JobSnapshot, changes: JobChanges) -> JobPatch {
    let (name, uid) = (job.name.clone(), job.uid.clone());
    JobPatch { name, uid, changes }
}

fn create(stage: StageKind) -> Create {
    Create::Job { stage, attempt: 0 }
}

fn recreate(stage: StageKind, attempt: u32) -> Create {
    Create::Job { stage, attempt }
}

fn waiting(reason: &str, message: &str) -> PodState {
    PodState::Waiting {
        problem: Some(Problem {
            reason: reason.to_owned(),
            message: message.to_owned(),
        }),
    }
}

const RUNNING: PodState = PodState::Running { ready: true };

/// Nothing is done on the cluster.
#[track_caller]
fn assert_nothing_done(reconciled: &Reconciled) {
    assert_eq!(reconciled.create, []);
    assert_eq!(reconciled.patch, []);
    assert_eq!(reconciled.stop, []);
}

/// Nothing is done, written or published.
#[track_caller]
fn assert_idle(reconciled: &Reconciled) {
    assert_nothing_done(reconciled);
    assert_eq!(reconciled.status, None);
    assert_eq!(reconciled.events, []);
}
