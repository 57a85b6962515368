//! Every fault with what is done about it, and nothing else: a little world, and a file for each kind
//! of thing that may happen in it.

mod changes;
mod events;
mod failures;
mod models;
mod pods;
mod stages;

use std::collections::BTreeSet;

use super::*;
use attrium_api::{
    DataStatus, GateOutcome, ModelReference, Phase, ResultStatus, ScreeningStatus, TrainingRunSpec,
    reasons,
};
use attrium_types::{Architecture, Metric, Target};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::fixtures;
use crate::names;
use crate::names::Origin;
use crate::snapshot::{JobEnd, JobFailure, PodState};
use crate::task_reports::Told;
use attrium_workflow::{Progress, Summary, TaskRef};

use StageKind::{Evaluate, Preprocess, Refit, Screen, Summarize, Train};

fn now() -> Timestamp {
    "2026-11-24T10:00:00Z".parse().expect("an instant")
}

fn after(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

fn situation(resource: Resource) -> Situation {
    Situation {
        resource: Arc::new(resource),
        jobs: BTreeMap::new(),
        pods: Vec::new(),
        heard: Heard::default(),
        has_manifest: false,
        refused: None,
        held: None,
        model: Model::Given,
        words: Words::default(),
        told_until: None,
        now: now(),
    }
}

/// A training of 4 shards and 5 folds, evaluated and refitted.
fn training(lines: &str) -> Situation {
    situation(fixtures::training_run(lines))
}

/// A screening of 3 shards.
fn screening(lines: &str) -> Situation {
    situation(fixtures::screening_job(lines))
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

impl Situation {
    fn tasks(&self, stage: StageKind) -> u32 {
        let plan = Plan::new(&self.resource);
        let stage = plan
            .stages
            .iter()
            .find(|it| it.kind == stage)
            .expect("a stage");
        u32::try_from(stage.tasks.len()).expect("few tasks")
    }

    /// The spec of a training, to be changed.
    fn spec(&mut self) -> &mut TrainingRunSpec {
        match Arc::make_mut(&mut self.resource) {
            Resource::TrainingRun(run) => &mut run.spec,
            Resource::ScreeningJob(_) => panic!("should be a training"),
        }
    }

    fn status(&self) -> Status {
        self.resource.status().cloned().unwrap_or_default()
    }

    /// Decides, and does to this little world what a cluster would.
    fn step(&mut self) -> Decision {
        let decision = decide(self);
        for action in decision.before.iter().chain(&decision.after) {
            match action {
                Action::CreateManifest => self.has_manifest = true,
                Action::CreateJob { stage, attempt, .. } => self.add_job(*stage, *attempt),
                Action::PatchJob { name, changes } => {
                    let jobs = self.jobs.values_mut();
                    for job in jobs.filter(|job| job.name == *name) {
                        job.suspended = changes.suspend.unwrap_or(job.suspended);
                        job.parallelism = changes.parallelism.or(job.parallelism);
                        job.deadline = changes.deadline.unwrap_or(job.deadline);
                    }
                }
                Action::DeleteJob { name } => self.jobs.retain(|_, job| job.name != *name),
                Action::DeleteResource => {}
            }
        }
        if let Some(status) = &decision.status {
            Arc::make_mut(&mut self.resource).set_status(Some(status.clone()));
        }
        for told in self.heard.failures.values_mut() {
            told.announced = true;
        }
        decision
    }

    fn add_job(&mut self, stage: StageKind, attempt: u32) {
        let tasks = i32::try_from(self.tasks(stage)).expect("few tasks");
        let job = JobSeen {
            name: names::job(&self.resource, stage, attempt),
            uid: format!("{stage} {attempt}"),
            version: "1".to_owned(),
            origin: Origin {
                uid: fixtures::UID.to_owned(),
                stage,
                attempt,
            },
            suspended: self.resource.queue_name().is_some(),
            queued: self.resource.queue_name().is_some(),
            completions: self.tasks(stage),
            parallelism: Some(
                self.resource
                    .compute()
                    .parallelism
                    .map_or(tasks, |it| it as i32),
            ),
            deadline: self.resource.active_deadline_seconds().map(i64::from),
            active: 0,
            completed: BTreeSet::new(),
            failed: BTreeSet::new(),
            end: None,
            created: Some(self.now),
            started: Some(self.now),
            deleted: false,
        };
        self.jobs.insert(stage, job);
    }

    fn job(&mut self, stage: StageKind) -> &mut JobSeen {
        self.jobs.get_mut(&stage).expect("a Job")
    }

    /// A stage's tasks end well, with a summary each.
    fn complete(&mut self, stage: StageKind, summary: &Summary) {
        for index in 0..self.tasks(stage) {
            self.heard
                .summaries
                .insert(task(stage, index), summary.clone());
        }
        self.complete_in_silence(stage);
    }

    fn complete_in_silence(&mut self, stage: StageKind) {
        let (tasks, now) = (self.tasks(stage), self.now);
        let job = self.job(stage);
        job.completed = (0..tasks).collect();
        job.end = Some(JobEnd {
            failure: None,
            at: Some(now),
        });
    }

    /// A stage's Job fails as a whole.
    fn break_job(&mut self, stage: StageKind, reason: &str) {
        let now = self.now;
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
        let told = Told {
            pod: format!("{stage} {index}"),
            exit_code,
            sentence: sentence.to_owned(),
            out_of_memory: exit_code == 137,
            at: Some(self.now),
            announced: false,
        };
        self.heard.failures.insert(task(stage, index), told);
    }

    fn add_pod(&mut self, stage: StageKind, index: u32, state: PodState) -> &mut PodSeen {
        self.pods.push(PodSeen {
            name: format!("pod-{stage}-{index}"),
            uid: format!("{stage} {index}"),
            version: "1".to_owned(),
            origin: self.jobs[&stage].origin.clone(),
            index,
            node: Some("node-1".to_owned()),
            created: Some(self.now),
            deleted: None,
            ended: None,
            state,
        });
        self.pods.last_mut().expect("a pod")
    }

    /// Goes on to where a stage's Job has just been made.
    fn until(mut self, stage: StageKind) -> Self {
        self.step();
        let plan = Plan::new(&self.resource);
        for before in plan
            .stages
            .iter()
            .map(|it| it.kind)
            .take_while(|kind| *kind != stage)
        {
            self.complete(before, &Summary::default());
            self.step();
        }
        assert!(self.jobs.contains_key(&stage));
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

fn reasons_of(decision: &Decision) -> Vec<&str> {
    decision
        .notices
        .iter()
        .map(|notice| notice.reason.as_str())
        .collect()
}

fn create(stage: StageKind) -> Action {
    Action::CreateJob {
        stage,
        attempt: 0,
        again: false,
    }
}

fn waiting(reason: &str, message: &str) -> PodState {
    PodState::Waiting {
        why: Some(Why {
            reason: reason.to_owned(),
            message: message.to_owned(),
        }),
    }
}

const RUNNING: PodState = PodState::Running { heard: true };

/// Nothing is done on the cluster.
#[track_caller]
fn assert_nothing_done(decision: &Decision) {
    assert_eq!((&decision.before, &decision.after), (&vec![], &vec![]));
}

/// Nothing is done, written or told.
#[track_caller]
fn assert_idle(decision: &Decision) {
    assert_eq!(decision.before, []);
    assert_eq!(decision.after, []);
    assert_eq!(decision.status, None);
    assert_eq!(decision.notices, []);
}
