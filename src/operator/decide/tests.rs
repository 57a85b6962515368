//! Every fault with what is done about it, and nothing else.

use std::collections::BTreeSet;

use super::*;
use crate::api::{
    Architecture, DataStatus, GateOutcome, Metric, ModelReference, Phase, ResultStatus,
    ScreeningStatus, Task, reasons,
};
use crate::operator::fixtures;
use crate::operator::heard::Told;
use crate::operator::names;
use crate::operator::names::Origin;
use crate::operator::seen::{JobEnd, JobFailure, PodState};
use crate::workflow::{Progress, Summary, TaskRef};

use StageKind::{Evaluate, Preprocess, Refit, Screen, Summarize, Train};

fn now() -> Timestamp {
    "2026-11-24T10:00:00Z".parse().expect("an instant")
}

fn after(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

fn situation(resource: Resource) -> Situation {
    Situation {
        resource,
        jobs: BTreeMap::new(),
        pods: Vec::new(),
        heard: Heard::default(),
        has_manifest: false,
        refused: None,
        held: None,
        model: Model::Given,
        words: Words::default(),
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

    fn set_status(&mut self, status: Option<Status>) {
        match &mut self.resource {
            Resource::TrainingRun(run) => run.status = status,
            Resource::ScreeningJob(job) => job.status = status,
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
            self.set_status(Some(status.clone()));
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

const RUNNING: PodState = PodState::Running {
    since: None,
    heard: true,
};

/// Nothing is done, written or told.
fn assert_idle(decision: &Decision) {
    assert_eq!(decision.before, []);
    assert_eq!(decision.after, []);
    assert_eq!(decision.status, None);
    assert_eq!(decision.notices, []);
}

#[test]
fn a_new_run_gets_its_manifest_and_the_job_of_its_first_stage_and_nothing_else() {
    let mut run = training("");
    let decision = run.step();
    assert_eq!(
        decision.before,
        [Action::CreateManifest, create(Preprocess)]
    );
    assert_eq!(decision.after, []);
    assert_eq!(reasons_of(&decision), ["StageStarted"]);
    let status = run.status();
    assert_eq!(
        (status.observed_generation, status.phase),
        (Some(1), Some(Phase::Running))
    );
    assert_eq!(status.stages.len(), 1);
    let job = names::job(&run.resource, Preprocess, 0);
    assert_eq!(status.stages[0].job.as_deref(), Some(job.as_str()));
    assert_eq!(
        reason_of(&status, "Accepted"),
        (ConditionStatus::True, "AsExpected".into())
    );
    assert_eq!(
        reason_of(&status, "Succeeded"),
        (ConditionStatus::Unknown, "Running".into())
    );
    let generations = status.conditions.iter().map(|it| it.observed_generation);
    assert!(
        generations
            .into_iter()
            .all(|generation| generation == Some(1))
    );
    assert_idle(&run.step());
}

#[test]
fn times_alone_are_never_written() {
    let mut run = training("");
    run.step();
    run.now = after(1);
    assert_idle(&run.step());
}

#[test]
fn a_run_goes_from_stage_to_stage_to_its_results() {
    let mut run = training("");
    run.step();
    let data = DataStatus {
        objects: 10,
        ..DataStatus::default()
    };
    let shard = Summary {
        data: Some(data),
        ..Summary::default()
    };
    run.complete(Preprocess, &shard);
    let decision = run.step();
    assert_eq!(decision.before, [create(Train)]);
    assert_eq!(reasons_of(&decision), ["StageFinished", "StageStarted"]);
    assert_eq!(run.status().data.map(|data| data.objects), Some(40));
    run.complete(Train, &Summary::default());
    assert_eq!(run.step().before, [create(Evaluate)]);
    let result = ResultStatus {
        architecture: Architecture::Residual,
        task: Task::Positive,
        auc: "0.91".parse().ok(),
        auc_interval: None,
        auc_hard: None,
        accuracy: None,
        sensitivity: None,
        specificity: None,
    };
    let evaluated = Summary {
        results: vec![result],
        report: Some("s3://models/report".to_owned()),
        ..Summary::default()
    };
    run.complete(Evaluate, &evaluated);
    assert_eq!(run.step().before, [create(Refit)]);
    let refitted = Summary {
        model: Some(model()),
        ..Summary::default()
    };
    run.complete(Refit, &refitted);
    let decision = run.step();
    assert_eq!((decision.before, decision.after), (vec![], vec![]));
    assert_eq!(
        decision
            .notices
            .iter()
            .map(|it| it.reason.as_str())
            .collect::<Vec<_>>(),
        ["StageFinished", "Succeeded"]
    );
    let status = run.status();
    assert_eq!(status.phase, Some(Phase::Succeeded));
    assert_eq!(status.progress.map(|it| it.percent), Some(100));
    assert_eq!(
        (status.model, status.report.as_deref()),
        (Some(model()), Some("s3://models/report"))
    );
    assert_eq!(status.best_auc, "0.91".parse().ok());
    assert_eq!(status.stages.len(), 4);
    for kind in ["Accepted", "PodsHealthy", "Published", "Succeeded"] {
        assert_eq!(word(&run.status(), kind).0, ConditionStatus::True, "{kind}");
    }
}

#[test]
fn a_missed_gate_ends_a_run_before_anything_is_trained_for_publishing() {
    let gates = "  gates: [{architecture: Residual, task: Positive, metric: auc, min: \"0.9\"}]";
    let mut run = training(gates).until(Evaluate);
    let gate = GateOutcome {
        architecture: Architecture::Residual,
        task: Task::Positive,
        metric: Metric::Auc,
        min: "0.9".parse().expect("a decimal"),
        value: "0.81".parse().ok(),
        passed: false,
    };
    let evaluated = Summary {
        gates: vec![gate],
        ..Summary::default()
    };
    run.complete(Evaluate, &evaluated);
    let decision = run.step();
    assert_eq!((&decision.before, &decision.after), (&vec![], &vec![]));
    assert_eq!(reasons_of(&decision), ["StageFinished", "GateMissed"]);
    let told = "Residual Positive auc is 0.81, below 0.9";
    assert_eq!(decision.notices[1].message, told);
    let status = run.status();
    assert_eq!(
        reason_of(&status, "Succeeded"),
        (ConditionStatus::False, "GateMissed".into())
    );
    assert_eq!(
        reason_of(&status, "Published"),
        (ConditionStatus::False, "GateMissed".into())
    );
    assert_eq!(word(&status, "GatesPassed").2, told);
}

#[test]
fn what_has_ended_stays_so_whatever_becomes_of_its_jobs() {
    let mut run = training("").until(Refit);
    let refitted = Summary {
        model: Some(model()),
        ..Summary::default()
    };
    run.complete(Refit, &refitted);
    run.step();
    assert_eq!(run.status().phase, Some(Phase::Succeeded));
    run.jobs.clear();
    run.heard = Heard::default();
    run.has_manifest = false;
    assert_idle(&run.step());

    let mut failed = training("").until(Train);
    failed.fail(Train, 0, 43, "no such bucket");
    failed.break_job(Train, "PodFailurePolicy");
    failed.step();
    assert_eq!(failed.status().phase, Some(Phase::Failed));
    failed.jobs.clear();
    assert_idle(&failed.step());
}

#[test]
fn a_job_that_somebody_deletes_while_it_runs_is_made_again_once_it_is_gone() {
    let mut run = training("").until(Train);
    run.job(Train).deleted = true;
    assert_idle(&run.step());
    run.jobs.remove(&Train);
    let again = Action::CreateJob {
        stage: Train,
        attempt: 0,
        again: true,
    };
    assert_eq!(run.step().before, [again]);
}

#[test]
fn a_stage_that_the_status_has_as_complete_is_never_done_again() {
    let mut run = training("").until(Train);
    let before = run.status();
    run.jobs.remove(&Preprocess);
    run.heard = Heard::default();
    assert_idle(&run.step());
    assert_eq!(run.status(), before);
    run.complete(Train, &Summary::default());
    run.jobs.remove(&Train);
    run.heard = Heard::default();
    run.add_job(Train, 0);
    run.complete(Train, &Summary::default());
    assert_eq!(run.step().before, [create(Evaluate)]);
}

#[test]
fn an_operator_that_has_just_started_goes_on_from_the_status_alone() {
    let mut run = training("").until(Refit);
    run.heard = Heard::default();
    run.jobs.retain(|kind, _| *kind == Refit);
    let evaluated = run.status();
    assert_idle(&run.step());
    assert_eq!(run.status(), evaluated);
    let refitted = Summary {
        model: Some(model()),
        ..Summary::default()
    };
    run.complete(Refit, &refitted);
    run.step();
    assert_eq!(run.status().phase, Some(Phase::Succeeded));
    assert_eq!(run.status().stages[..3], evaluated.stages[..3]);
}

#[test]
fn suspend_holds_pods_back_and_its_end_lets_them_go_on() {
    let mut run = training("").until(Train);
    let name = run.job(Train).name.clone();
    let suspend = |run: &mut Situation, value| match &mut run.resource {
        Resource::TrainingRun(run) => run.spec.suspend = value,
        Resource::ScreeningJob(_) => {}
    };
    let patch = |suspend| Action::PatchJob {
        name: name.clone(),
        changes: Changes {
            suspend: Some(suspend),
            ..Changes::default()
        },
    };
    suspend(&mut run, true);
    let decision = run.step();
    assert_eq!(
        (&decision.before, &decision.after),
        (&vec![patch(true)], &vec![])
    );
    assert_eq!(reasons_of(&decision), ["Suspended"]);
    assert_eq!(run.status().phase, Some(Phase::Suspended));
    assert_idle(&run.step());
    suspend(&mut run, false);
    let decision = run.step();
    assert_eq!(
        (&decision.before, &decision.after),
        (&vec![patch(false)], &vec![])
    );
    assert_eq!(reasons_of(&decision), ["Resumed"]);
    assert_idle(&run.step());
}

#[test]
fn nothing_is_made_for_a_run_that_is_suspended_from_the_start() {
    let mut run = training("  suspend: true");
    let decision = run.step();
    assert_eq!((&decision.before, &decision.after), (&vec![], &vec![]));
    let status = run.status();
    assert_eq!(
        (status.phase, status.stages.len()),
        (Some(Phase::Suspended), 0)
    );
    assert_eq!(
        reason_of(&status, "Succeeded"),
        (ConditionStatus::Unknown, "Suspended".into())
    );
}

#[test]
fn a_queued_run_waits_in_its_queues_words_and_is_never_unsuspended_by_the_operator() {
    let mut run = training("  queueName: gpu");
    let decision = run.step();
    assert_eq!(
        decision.before,
        [Action::CreateManifest, create(Preprocess)]
    );
    assert_eq!(reasons_of(&decision), ["StageStarted", "Queued"]);
    assert_eq!(run.status().phase, Some(Phase::Queued));
    run.words.queue = Some("insufficient quota for cpu".to_owned());
    let decision = run.step();
    assert_eq!((&decision.before, &decision.after), (&vec![], &vec![]));
    let (status, reason, message) = word(&run.status(), "Succeeded");
    assert_eq!(
        (status, reason.as_str()),
        (ConditionStatus::Unknown, "Queued")
    );
    assert!(message.ends_with("insufficient quota for cpu"), "{message}");
    run.job(Preprocess).suspended = false;
    let decision = run.step();
    assert_eq!((&decision.before, &decision.after), (&vec![], &vec![]));
    assert_eq!(run.status().phase, Some(Phase::Running));
}

#[test]
fn a_queued_run_that_is_suspended_leaves_its_queue_and_comes_back() {
    let mut run = training("  queueName: gpu").until(Train);
    let name = run.job(Train).name.clone();
    if let Resource::TrainingRun(run) = &mut run.resource {
        run.spec.suspend = true;
    }
    assert_eq!(run.step().before, [Action::DeleteJob { name }]);
    assert_idle(&run.step());
    if let Resource::TrainingRun(run) = &mut run.resource {
        run.spec.suspend = false;
    }
    let again = Action::CreateJob {
        stage: Train,
        attempt: 0,
        again: true,
    };
    assert_eq!(run.step().before, [again]);
}

#[test]
fn parallelism_and_deadline_may_change_while_a_stage_runs() {
    let mut run = training("").until(Train);
    if let Resource::TrainingRun(run) = &mut run.resource {
        run.spec.compute.parallelism = Some(2);
        run.spec.active_deadline_seconds = Some(60);
    }
    let changes = Changes {
        suspend: None,
        parallelism: Some(2),
        deadline: Some(Some(60)),
    };
    let name = run.job(Train).name.clone();
    assert_eq!(run.step().before, [Action::PatchJob { name, changes }]);
    assert_idle(&run.step());
}

#[test]
fn a_failure_ends_a_run_in_the_words_of_the_task_that_weighs_most() {
    let table = [
        (43, "PodFailurePolicy", "BadConfiguration"),
        (42, "FailedIndexes", "BadData"),
        (1, "FailedIndexes", "TaskFailed"),
    ];
    for (exit_code, job, expected) in table {
        let mut run = training("").until(Train);
        run.fail(Train, 3, exit_code, "labels.csv has no column grade");
        if job == "FailedIndexes" {
            run.job(Train).completed = [0, 1, 2, 4].into();
            run.job(Train).failed = [3].into();
        }
        run.break_job(Train, job);
        let decision = run.step();
        assert_eq!(
            (&decision.before, &decision.after),
            (&vec![], &vec![]),
            "{exit_code}"
        );
        assert!(reasons_of(&decision).contains(&"TaskFailed"));
        assert_eq!(
            decision.notices.last().map(|it| it.reason.as_str()),
            Some(expected)
        );
        let (status, reason, message) = word(&run.status(), "Succeeded");
        assert_eq!(
            (status, reason.as_str()),
            (ConditionStatus::False, expected)
        );
        assert_eq!(
            message,
            "train Residual Positive fold 3: labels.csv has no column grade"
        );
        assert_eq!(run.status().phase, Some(Phase::Failed));
        let failure = run.status().stages[1].failure.clone().expect("a failure");
        assert_eq!((failure.index, failure.exit_code), (3, exit_code));
    }
}

#[test]
fn a_shard_whose_objects_are_bad_leaves_the_others_of_a_screening_to_be_summed_up() {
    let mut job = screening("  model: {uri: s3://models/m/}").until(Screen);
    job.fail(Screen, 1, 42, "the prefix cannot be listed");
    job.job(Screen).completed = [0, 2].into();
    job.job(Screen).failed = [1].into();
    job.break_job(Screen, "FailedIndexes");
    assert_eq!(job.step().before, [create(Summarize)]);
    let summary = Summary {
        screening: Some(ScreeningStatus {
            objects: 9,
            screened: 9,
            ..ScreeningStatus::default()
        }),
        ..Summary::default()
    };
    // The failure has to be told though its pods are gone by now.
    job.heard = Heard::default();
    job.complete(Summarize, &summary);
    job.step();
    let (status, reason, message) = word(&job.status(), "Succeeded");
    assert_eq!(
        (status, reason.as_str()),
        (ConditionStatus::False, "BadData")
    );
    assert_eq!(message, "screen shard 2 of 3: the prefix cannot be listed");
    assert_eq!(job.status().screening.map(|it| it.screened), Some(9));
}

#[test]
fn a_pod_that_cannot_start_is_told_in_the_words_of_whom_it_waits_for_and_then_fails_the_run() {
    let table = [
        (
            "Unschedulable",
            "0/1 nodes are available: 1 Insufficient nvidia.com/gpu.",
        ),
        ("ImagePullBackOff", "Back-off pulling image \"x\""),
        (
            "CreateContainerConfigError",
            "secret \"scans-s3\" not found",
        ),
    ];
    for (reason, words) in table {
        let mut run = training("  startDeadlineSeconds: 60").until(Train);
        run.job(Train).active = 2;
        run.add_pod(Train, 0, waiting(reason, words));
        run.add_pod(Train, 1, waiting(reason, words));
        let decision = run.step();
        assert_eq!(
            (&decision.before, &decision.after),
            (&vec![], &vec![]),
            "{reason}"
        );
        assert_eq!(reasons_of(&decision), [reason]);
        let (status, told, message) = word(&run.status(), "PodsHealthy");
        assert_eq!((status, told.as_str()), (ConditionStatus::False, reason));
        assert_eq!(message, format!("pod-train-0 and 1 more: {words}"));
        assert_eq!(word(&run.status(), "Succeeded").0, ConditionStatus::Unknown);
        assert!(
            decision.again.is_some_and(|again| again.as_secs() <= 30),
            "{decision:?}"
        );
        assert_idle(&run.step());

        run.now = after(61);
        let name = run.job(Train).name.clone();
        let decision = run.step();
        assert_eq!(decision.before, []);
        assert_eq!(decision.after, [Action::DeleteJob { name }]);
        let (status, told, message) = word(&run.status(), "Succeeded");
        assert_eq!(
            (status, told.as_str()),
            (ConditionStatus::False, "StartDeadlineExceeded")
        );
        assert!(message.contains("startDeadlineSeconds (60 s)"), "{message}");
        assert!(message.ends_with(words), "{message}");
        assert_idle(&run.step());
    }
}

#[test]
fn a_volume_that_cannot_be_mounted_is_told_by_the_pods_events() {
    let mut run = training("").until(Train);
    run.add_pod(Train, 0, PodState::Waiting { why: None });
    assert_eq!(silent(run.pods.iter(), run.now).count(), 0);
    assert_eq!(silent(run.pods.iter(), after(10)).count(), 1);
    let why = Why {
        reason: "FailedMount".to_owned(),
        message: "configmap \"hospital-ca\" not found".to_owned(),
    };
    run.words.pods.insert("pod-train-0".to_owned(), why);
    run.step();
    let (status, reason, message) = word(&run.status(), "PodsHealthy");
    assert_eq!(
        (status, reason.as_str()),
        (ConditionStatus::False, "FailedMount")
    );
    assert_eq!(message, "pod-train-0: configmap \"hospital-ca\" not found");
}

#[test]
fn a_job_without_pods_is_told_by_its_own_events() {
    let mut run = training("").until(Train);
    assert!(!is_barren(run.job(Train), 0, now()));
    assert!(is_barren(run.job(Train), 0, after(10)));
    run.words.job = Some(Why {
        reason: "FailedCreate".to_owned(),
        message: "exceeded quota: pods".to_owned(),
    });
    run.step();
    let (_, reason, message) = word(&run.status(), "PodsHealthy");
    assert_eq!(reason, "FailedCreate");
    assert!(message.ends_with(": exceeded quota: pods"), "{message}");
}

#[test]
fn pods_that_wait_for_their_turn_while_others_run_are_never_overdue() {
    let mut run = training("  startDeadlineSeconds: 60").until(Train);
    run.add_pod(Train, 0, RUNNING);
    run.add_pod(
        Train,
        1,
        waiting("Unschedulable", "1 Insufficient nvidia.com/gpu"),
    );
    run.now = after(3600);
    let decision = run.step();
    assert_eq!((decision.before, decision.after), (vec![], vec![]));
    // Their time begins anew when the last one has ended.
    run.pods[0].state = PodState::Succeeded;
    run.pods[0].ended = Some(after(3600));
    run.now = after(3620);
    assert_eq!(run.step().after, []);
    run.now = after(3661);
    assert_eq!(run.step().after.len(), 1);
}

#[test]
fn a_pod_that_was_killed_for_its_memory_is_told_and_tried_again() {
    let mut run = training("").until(Train);
    run.add_pod(Train, 0, PodState::Failed);
    run.fail(Train, 0, 137, "it was killed (OOMKilled)");
    let decision = run.step();
    assert_eq!((&decision.before, &decision.after), (&vec![], &vec![]));
    assert_eq!(reasons_of(&decision), ["TaskFailed"]);
    let (status, reason, message) = word(&run.status(), "PodsHealthy");
    assert_eq!(
        (status, reason.as_str()),
        (ConditionStatus::False, "OOMKilled")
    );
    assert_eq!(
        message,
        "pod-train-0: it was killed (OOMKilled); it is tried again"
    );
    assert_eq!(word(&run.status(), "Succeeded").0, ConditionStatus::Unknown);
    run.add_pod(Train, 0, RUNNING).created = Some(after(5));
    let decision = run.step();
    assert_eq!(decision.notices, []);
    assert_eq!(word(&run.status(), "PodsHealthy").0, ConditionStatus::True);
}

#[test]
fn a_node_that_is_lost_is_told() {
    let mut run = training("").until(Train);
    let state = PodState::Running {
        since: None,
        heard: false,
    };
    run.add_pod(Train, 0, state);
    let decision = run.step();
    assert_eq!((&decision.before, &decision.after), (&vec![], &vec![]));
    assert_eq!(reasons_of(&decision), ["NodeLost"]);
    let (_, _, message) = word(&run.status(), "PodsHealthy");
    assert_eq!(
        message,
        "pod-train-0: the node node-1 does not report any more"
    );
    run.pods[0].state = RUNNING;
    assert_eq!(run.step().notices, []);
    assert_eq!(word(&run.status(), "PodsHealthy").0, ConditionStatus::True);
    // One that was to end and has not.
    run.pods[0].deleted = Some(now());
    run.now = after(20);
    assert_idle(&run.step());
    run.now = after(31);
    run.step();
    assert_eq!(reason_of(&run.status(), "PodsHealthy").1, "NodeLost");
}

#[test]
fn a_pod_that_was_deleted_or_disrupted_is_replaced_without_a_word() {
    let mut run = training("").until(Train);
    run.add_pod(Train, 0, RUNNING).deleted = Some(now());
    assert_idle(&run.step());
    run.pods[0].state = PodState::Failed;
    assert_idle(&run.step());
}

#[test]
fn a_stage_that_ran_too_long_ends_the_run() {
    let mut run = training("  activeDeadlineSeconds: 60").until(Train);
    run.break_job(Train, "DeadlineExceeded");
    let decision = run.step();
    assert_eq!((&decision.before, &decision.after), (&vec![], &vec![]));
    let (status, reason, message) = word(&run.status(), "Succeeded");
    assert_eq!(
        (status, reason.as_str()),
        (ConditionStatus::False, "DeadlineExceeded")
    );
    assert_eq!(
        message,
        "the stage train ran longer than activeDeadlineSeconds (60 s)"
    );
}

#[test]
fn results_that_are_gone_with_their_pod_are_told_once_more() {
    let mut run = training("").until(Evaluate);
    run.complete_in_silence(Evaluate);
    let decision = run.step();
    assert_eq!(
        (&decision.before, decision.again),
        (&vec![], Some(Duration::from_secs(2)))
    );
    assert!(run.status().stages[2].completion_time.is_none());
    run.now = after(10);
    let again = |attempt| Action::CreateJob {
        stage: Evaluate,
        attempt,
        again: true,
    };
    assert_eq!(run.step().before, [again(1)]);
    run.complete_in_silence(Evaluate);
    run.now = after(20);
    assert_eq!(run.step().before, [again(2)]);
    run.complete_in_silence(Evaluate);
    run.now = after(30);
    let decision = run.step();
    assert_eq!((&decision.before, &decision.after), (&vec![], &vec![]));
    assert_eq!(
        reason_of(&run.status(), "Succeeded"),
        (ConditionStatus::False, "TaskFailed".into())
    );
}

#[test]
fn a_job_whose_tasks_are_all_over_is_left_to_say_so_itself() {
    let mut run = training("").until(Refit);
    run.job(Refit).completed = [0].into();
    let decision = run.step();
    assert_eq!(
        (&decision.before, decision.again),
        (&vec![], Some(Duration::from_secs(2)))
    );
    assert_eq!(run.status().phase, Some(Phase::Running));
    // The summary comes before the Job's own word.
    let refitted = Summary {
        model: Some(model()),
        ..Summary::default()
    };
    run.heard.summaries.insert(task(Refit, 0), refitted);
    let decision = run.step();
    assert_eq!((&decision.before, &decision.after), (&vec![], &vec![]));
    assert_eq!(run.status().phase, Some(Phase::Succeeded));
    assert_idle(&run.step());
}

#[test]
fn a_summary_that_nothing_needs_is_not_asked_for() {
    let mut run = training("").until(Train);
    run.complete_in_silence(Train);
    assert_eq!(run.step().before, [create(Evaluate)]);
}

#[test]
fn a_screening_waits_for_its_model_and_keeps_it() {
    let mut job = screening("  model: {trainingRun: small}");
    job.model = Model::Waiting("There is no TrainingRun small in this namespace yet".to_owned());
    let decision = job.step();
    assert_eq!((&decision.before, &decision.after), (&vec![], &vec![]));
    assert_eq!(reasons_of(&decision), ["WaitingForModel"]);
    assert_eq!(job.status().phase, Some(Phase::Pending));
    assert_eq!(
        reason_of(&job.status(), "Accepted"),
        (ConditionStatus::Unknown, "WaitingForModel".into())
    );
    job.model = Model::Found(model());
    assert_eq!(job.step().before, [Action::CreateManifest, create(Screen)]);
    assert_eq!(job.status().model, Some(model()));
    // The run may go.
    job.model = Model::Missing("The TrainingRun small has ended".to_owned());
    assert_idle(&job.step());
}

#[test]
fn a_screening_whose_model_will_never_be_there_fails() {
    let mut job = screening("  model: {trainingRun: small}");
    job.model = Model::Missing("The TrainingRun small has ended without a model".to_owned());
    let decision = job.step();
    assert_eq!((&decision.before, &decision.after), (&vec![], &vec![]));
    let expected = (ConditionStatus::False, "ModelUnavailable".to_owned());
    assert_eq!(reason_of(&job.status(), "Succeeded"), expected);
    assert_eq!(reason_of(&job.status(), "Accepted"), expected);
}

#[test]
fn what_the_api_server_refuses_fails_the_run_and_what_it_holds_back_is_tried_again() {
    let mut run = training("");
    run.held = Some("exceeded quota: jobs".to_owned());
    let decision = run.step();
    assert_eq!(
        decision.before,
        [Action::CreateManifest, create(Preprocess)]
    );
    assert_eq!(
        (run.status().phase, run.status().stages.len()),
        (Some(Phase::Pending), 0)
    );
    assert_eq!(word(&run.status(), "PodsHealthy").2, "exceeded quota: jobs");

    let mut run = training("");
    run.refused = Some("the API server refuses the Job: no such field".to_owned());
    let decision = run.step();
    assert_eq!((&decision.before, &decision.after), (&vec![], &vec![]));
    let expected = (ConditionStatus::False, "BadConfiguration".to_owned());
    assert_eq!(reason_of(&run.status(), "Succeeded"), expected);
    assert_eq!(reason_of(&run.status(), "Accepted"), expected);
    assert_idle(&run.step());
}

#[test]
fn nothing_is_done_for_a_resource_that_is_being_deleted() {
    let mut run = training("").until(Train);
    if let Resource::TrainingRun(run) = &mut run.resource {
        run.metadata.deletion_timestamp =
            Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(now()));
    }
    run.complete(Train, &Summary::default());
    let decision = run.step();
    assert_eq!(decision, Decision::default());
}

#[test]
fn a_resource_is_deleted_so_long_after_its_end_and_nothing_before() {
    let mut run = training("  ttlSecondsAfterFinished: 100").until(Train);
    run.fail(Train, 0, 43, "x");
    run.break_job(Train, "PodFailurePolicy");
    run.step();
    let decision = run.step();
    assert_idle(&decision);
    assert_eq!(decision.again, Some(Duration::from_secs(100)));
    run.now = after(100);
    assert_eq!(run.step().after, [Action::DeleteResource]);
}

#[test]
fn a_run_without_one_usable_image_fails_before_anything_is_trained() {
    let table = [
        (0, 0, "there is no object below images"),
        (
            7,
            7,
            "none of the 28 objects below images can be used: 28 are quarantined",
        ),
    ];
    for (objects, quarantined, words) in table {
        let mut run = training("");
        run.step();
        let data = DataStatus {
            objects,
            quarantined,
            ..DataStatus::default()
        };
        let shard = Summary {
            data: Some(data),
            ..Summary::default()
        };
        run.complete(Preprocess, &shard);
        let decision = run.step();
        assert_eq!((&decision.before, &decision.after), (&vec![], &vec![]));
        let (status, reason, message) = word(&run.status(), "Succeeded");
        assert_eq!(
            (status, reason.as_str()),
            (ConditionStatus::False, "NoUsableImages")
        );
        assert!(message.starts_with(words), "{message}");
    }
}

#[test]
fn a_screening_that_decided_on_nothing_has_not_succeeded() {
    let mut job = screening("  model: {uri: s3://models/m/}").until(Summarize);
    let summary = Summary {
        screening: Some(ScreeningStatus {
            objects: 5,
            unusable: 5,
            ..ScreeningStatus::default()
        }),
        ..Summary::default()
    };
    job.complete(Summarize, &summary);
    job.step();
    let expected = (ConditionStatus::False, "NoUsableImages".to_owned());
    assert_eq!(reason_of(&job.status(), "Succeeded"), expected);
    assert_eq!(job.status().screening.map(|it| it.unusable), Some(5));
}

#[test]
fn progress_is_what_pods_told_last() {
    let mut run = training("").until(Train);
    let progress = Progress {
        done: 5,
        total: 10,
        epoch: Some(5),
        epochs: Some(10),
        loss: Some(0.25),
        ..Progress::default()
    };
    let tasks = (0..5).map(|index| (task(Train, index), progress));
    run.heard.progress = tasks.collect();
    run.now = after(600);
    run.step();
    let status = run.status().progress.expect("progress");
    // Four shards of one and half of five folds of twenty, of these and two tasks more.
    assert_eq!(status.percent, 43);
    assert_eq!((status.epoch, status.epochs), (Some(5), Some(10)));
    assert_eq!(status.loss, "0.2500".parse().ok());
    assert!(status.eta.is_some());
}

#[test]
fn many_failures_are_told_a_few_at_a_time() {
    let mut run = training("").until(Preprocess);
    for index in 0..4 {
        run.fail(Preprocess, index, 1, "the store is down");
    }
    run.fail(Train, 0, 1, "x");
    run.fail(Train, 1, 1, "x");
    run.fail(Train, 2, 1, "x");
    let decision = run.step();
    assert_eq!(decision.notices.len(), 6);
    assert_eq!(decision.notices[5].message, "2 tasks failed beside these");
    assert_eq!(reasons_of(&decision)[0], reasons::TASK_FAILED);
    assert_eq!(run.step().notices, []);
}
