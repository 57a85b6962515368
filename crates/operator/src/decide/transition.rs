//! The transition of a live resource: on to the next stage, on hold, or to its end.

use std::time::Duration;

use k8s_openapi::jiff::SignedDuration;

use super::health::{HEALTHY, Health, JobPods, starting};
use super::observed::ObservedTasks;
use super::{Create, JobChanges, JobPatch, Model, ObservedState, Refusal, Stop, clean_up, model};
use crate::job::parallelism;
use crate::names;
use crate::snapshot::{JobFailure, JobSnapshot, PodSnapshot, PodState, Problem};
use attrium_api::{ConditionStatus, Phase, Resource, Status, reasons};
use attrium_workflow as workflow;
use attrium_workflow::{ConditionState, Ending, Plan, PlanOutcome, Stage, StageKind};

use ConditionStatus::{False, True, Unknown};

/// The transition of a live resource, with what it was decided from.
#[derive(Clone, Debug)]
pub(crate) struct Transition<'o> {
    pub(super) observed: &'o ObservedState,
    pub(super) plan: Plan,
    pub(super) tasks: ObservedTasks,
    /// The status that the resource has.
    pub(super) previous: Status,
    /// What is created, changed and stopped.
    pub(crate) create: Vec<Create>,
    pub(crate) patch: Vec<JobPatch>,
    pub(crate) stop: Vec<Stop>,
    /// When to reconcile again, whatever happens.
    pub(crate) requeue: Option<Duration>,
    pub(super) next: NextStatus,
}

/// What the next status says beside how tasks are.
#[derive(Clone, Debug)]
pub(super) struct NextStatus {
    /// The stage whose Job is created, and the Job's name.
    pub(super) started: Option<(StageKind, String)>,
    /// How the resource ends, if it does.
    pub(super) ending: Option<Ending>,
    /// Why it fails, where no task did.
    pub(super) broken: Option<ConditionState>,
    /// What it is doing, until it ends.
    pub(super) phase: Phase,
    /// The condition Accepted.
    pub(super) accepted: ConditionState,
    /// The condition PodsHealthy.
    pub(super) pods: ConditionState,
    /// The condition Succeeded, until it ends.
    pub(super) unfinished: ConditionState,
}

/// What follows on the tasks that there are.
enum NextStage {
    /// None: the resource ends.
    End,
    /// The Job of a stage is created, for an attempt at it from 0.
    Start(StageKind, u32),
    /// The Job of the present one runs on.
    Continue,
}

/// How long a summary may be on its way when its Job has ended already.
const SUMMARY_GRACE: SignedDuration = SignedDuration::from_secs(10);
/// When to look for such a summary again.
const SUMMARY_RETRY: Duration = Duration::from_secs(2);
/// How often a stage whose results were lost is attempted.
const MAX_ATTEMPTS: u32 = 3;
/// How long a Job is left alone before the same is changed of it again; the time doubles with each.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(1);
/// How often that time doubles: up to four minutes.
const LONGEST_PAUSE: u32 = 8;
/// How often a queue is asked why it waits.
const QUEUE_RETRY: Duration = Duration::from_secs(30);

impl NextStatus {
    fn new(health: &Health) -> Self {
        Self {
            started: None,
            ending: None,
            broken: None,
            phase: Phase::Running,
            accepted: ConditionState::new(True, reasons::AS_EXPECTED, "The spec is valid"),
            pods: health.condition.clone(),
            unfinished: ConditionState::new(Unknown, reasons::RUNNING, "Tasks run"),
        }
    }
}

impl<'o> Transition<'o> {
    pub(super) fn decide(
        observed: &'o ObservedState,
        plan: Plan,
        tasks: ObservedTasks,
        previous: Status,
    ) -> Self {
        let health = health(observed, &plan);
        let mut transition = Self {
            observed,
            plan,
            tasks,
            previous,
            create: Vec::new(),
            patch: Vec::new(),
            stop: Vec::new(),
            requeue: health.requeue,
            next: NextStatus::new(&health),
        };
        match (transition.next_stage(&health), &observed.snapshot.model) {
            (NextStage::End, _) => transition.stop_jobs(),
            _ if observed.snapshot.resource.suspend() => transition.suspend(),
            (NextStage::Start(..), Model::Awaited(awaited))
                if transition.previous.model.is_none() =>
            {
                transition.wait_for_model(&awaited.to_string());
            }
            (NextStage::Start(stage, attempt), _) => transition.start(stage, attempt),
            (NextStage::Continue, _) => transition.keep_running(),
        }
        // Whoever wrote the end may have gone before it stopped them.
        let superseded = observed.snapshot.superseded.iter();
        transition.stop.extend(clean_up::delete(superseded));
        transition
    }

    /// Makes of a transition whose Job was not created the one that follows on that: the end for what the
    /// API server finds invalid, and a wait for what may be created later.
    pub(crate) fn refuse(&mut self, refusal: &Refusal) {
        match refusal {
            Refusal::NotAccepted(accepted) => {
                self.next = NextStatus::new(&health(self.observed, &self.plan));
                self.next.phase = Phase::Pending;
                self.next.accepted = accepted.clone();
                self.next.unfinished = ConditionState {
                    status: Unknown,
                    ..accepted.clone()
                };
                self.requeue = None;
            }
            Refusal::Invalid(message) => {
                self.next = NextStatus::new(&health(self.observed, &self.plan));
                self.reject(reasons::BAD_CONFIGURATION, message);
                self.stop_jobs();
            }
            Refusal::Forbidden(message) => self.hold(reasons::POD_PENDING, message),
            Refusal::NameTaken(message) => self.hold(reasons::NAME_TAKEN, message),
        }
    }

    /// Waits until what was refused may be created.
    fn hold(&mut self, reason: &str, message: &str) {
        self.next.started = None;
        self.next.phase = Phase::Pending;
        self.next.pods = ConditionState::new(False, reason, message);
        self.next.unfinished = ConditionState::new(Unknown, reason, message);
    }

    /// Whether tasks run or are about to.
    pub(super) fn is_running(&self) -> bool {
        self.next.ending.is_none() && self.next.phase == Phase::Running
    }

    /// Ends the resource where it has to end; else finds its next stage.
    fn next_stage(&mut self, health: &Health) -> NextStage {
        if let Model::Missing(run) = &self.observed.snapshot.model
            && self.previous.model.is_none()
        {
            self.reject(reasons::MODEL_UNAVAILABLE, &model::missing(run));
            return NextStage::End;
        }
        if let Some((stage, failure)) = self.tasks.broken.clone() {
            self.fail_with_job(stage, &failure);
            return NextStage::End;
        }
        if let Some(condition) =
            workflow::nothing_usable(&self.plan, &self.tasks.summaries, &self.tasks.failures)
        {
            self.fail(condition);
            return NextStage::End;
        }
        if let Some(message) = &health.overdue {
            let reason = reasons::START_DEADLINE_EXCEEDED;
            self.fail(ConditionState::new(False, reason, message.clone()));
            return NextStage::End;
        }
        if let Some(stage) = self.tasks.lost {
            return self.recover(stage);
        }
        let next = workflow::next(&self.plan, &self.tasks.states);
        match next.outcome {
            Some(outcome) => {
                self.finish(&outcome);
                NextStage::End
            }
            None => match next.start.first() {
                Some(task) => {
                    NextStage::Start(task.stage, self.observed.snapshot.resource.first_attempt())
                }
                None => NextStage::Continue,
            },
        }
    }

    /// Ends a resource of which nothing can come, whatever its tasks do.
    fn reject(&mut self, reason: &str, message: &str) {
        let condition = ConditionState::new(False, reason, message);
        self.next.accepted = condition.clone();
        self.fail(condition);
    }

    fn fail(&mut self, condition: ConditionState) {
        self.next.ending = Some(Ending::Failed);
        self.next.broken = Some(condition);
        self.requeue = None;
    }

    /// Ends a resource whose Job has failed as a whole: with the sentence of a task, where one has failed.
    fn fail_with_job(&mut self, stage: StageKind, failure: &JobFailure) {
        let is_reported = self.tasks.failures.iter().any(|it| it.task.stage == stage);
        match failure.reason.as_str() {
            "DeadlineExceeded" => {
                let limit = self.observed.snapshot.resource.active_deadline_seconds();
                let limit = limit.map_or(String::new(), |limit| format!(" ({limit} s)"));
                let message =
                    format!("the stage {stage} ran longer than activeDeadlineSeconds{limit}");
                self.fail(ConditionState::new(
                    False,
                    reasons::DEADLINE_EXCEEDED,
                    message,
                ));
            }
            _ if is_reported => self.next.ending = Some(Ending::Failed),
            _ => {
                let message = format!("the Job of {stage} has failed: {}", failure.message);
                self.fail(ConditionState::new(False, reasons::TASK_FAILED, message));
            }
        }
    }

    fn finish(&mut self, outcome: &PlanOutcome) {
        self.next.ending = Some(match outcome {
            PlanOutcome::Succeeded => Ending::Succeeded,
            PlanOutcome::GateMissed => Ending::GateMissed,
            PlanOutcome::Failed { .. } => Ending::Failed,
        });
        self.next.pods = ConditionState::new(True, reasons::AS_EXPECTED, "All pods have ended");
        self.requeue = None;
    }

    /// Attempts a stage whose results are gone once more, which takes it no time.
    fn recover(&mut self, stage: StageKind) -> NextStage {
        let observed = self.observed;
        let Some(job) = observed.snapshot.jobs.get(&stage) else {
            return NextStage::Continue;
        };
        let ended = job.end.as_ref().and_then(|end| end.at);
        let is_late = |ended| observed.now.duration_since(ended) >= SUMMARY_GRACE;
        if !ended.is_some_and(is_late) {
            self.requeue = Some(SUMMARY_RETRY);
            return NextStage::Continue;
        }
        let attempt = job.origin.attempt + 1;
        let times = attempt - self.observed.snapshot.resource.first_attempt();
        if times >= MAX_ATTEMPTS {
            let message = format!(
                "the results of the stage {stage} were lost {times} times: its pods are deleted \
                 as soon as they end"
            );
            self.fail(ConditionState::new(False, reasons::TASK_FAILED, message));
            return NextStage::End;
        }
        NextStage::Start(stage, attempt)
    }

    /// Stops every Job: the resource ends.
    fn stop_jobs(&mut self) {
        self.stop = clean_up::delete(self.observed.snapshot.open_jobs()).collect();
    }

    fn suspend(&mut self) {
        let message = "It pauses until spec.suspend is false";
        self.next.phase = Phase::Suspended;
        self.next.unfinished = ConditionState::new(Unknown, reasons::SUSPENDED, message);
        self.next.pods = Health::without_pods("No pods have to run").condition;
        self.requeue = None;
        // A queue would let a Job that it has admitted go on at once.
        let (queued, others): (Vec<_>, Vec<_>) =
            self.observed.snapshot.open_jobs().partition(|it| it.queued);
        self.stop.extend(clean_up::delete(queued.into_iter()));
        let running = others.into_iter().filter(|job| !job.suspended);
        self.patch.extend(running.map(|job| JobPatch {
            name: job.name.clone(),
            uid: job.uid.clone(),
            changes: JobChanges {
                suspend: Some(true),
                ..JobChanges::default()
            },
        }));
    }

    fn wait_for_model(&mut self, message: &str) {
        let condition = ConditionState::new(Unknown, reasons::WAITING_FOR_MODEL, message);
        self.next.phase = Phase::Pending;
        self.next.accepted = condition.clone();
        self.next.unfinished = condition;
    }

    fn start(&mut self, stage: StageKind, attempt: u32) {
        let snapshot = &self.observed.snapshot;
        if !snapshot.has_manifest() {
            let name = names::config_map(&snapshot.resource);
            self.create.push(Create::Manifest { name });
        }
        self.create.push(Create::Job { stage, attempt });
        self.next.started = Some((stage, names::job(&snapshot.resource, stage, attempt)));
        self.next.pods = starting();
        if snapshot.resource.queue_name().is_some() {
            self.wait_for_queue();
        }
        self.stop_lingering();
    }

    /// Stops Jobs of stages that the status has as complete: sidecars keep their pods from ending.
    fn stop_lingering(&mut self) {
        let is_complete =
            |job: &&JobSnapshot| workflow::complete(&self.previous, job.origin.stage).is_some();
        let open = self.observed.snapshot.open_jobs();
        self.stop.extend(clean_up::delete(open.filter(is_complete)));
    }

    /// Keeps the Job that runs as the spec has it.
    fn keep_running(&mut self) {
        self.stop_lingering();
        self.restore_manifest();
        let snapshot = &self.observed.snapshot;
        let is_current =
            |job: &&JobSnapshot| workflow::complete(&self.previous, job.origin.stage).is_none();
        let jobs: Vec<_> = snapshot.open_jobs().filter(is_current).collect();
        for job in jobs {
            if job.queued && job.suspended {
                self.wait_for_queue();
            } else if job.suspended && !job.suspended_by_attrium {
                self.wait_for_others(&job.name);
            }
            let mut stages = self.plan.stages.iter();
            let stage = stages.find(|it| it.kind == job.origin.stage);
            if let Some(changes) = stage.and_then(|it| changes(job, it, &snapshot.resource)) {
                if let Some(pause) = self.pause(job, &changes) {
                    self.requeue = Some(self.requeue.map_or(pause, |it| it.min(pause)));
                    continue;
                }
                let (name, uid) = (job.name.clone(), job.uid.clone());
                if changes.suspend == Some(false) {
                    self.next.pods = starting();
                }
                self.patch.push(JobPatch { name, uid, changes });
            }
        }
        if self.tasks.lost.is_some() {
            let message = "Results are on their way";
            self.next.unfinished = ConditionState::new(Unknown, reasons::RUNNING, message);
        }
    }

    /// How long it is until a Job may be changed in a way in which it was changed before, and that
    /// somebody has undone: two that insist would never rest.
    fn pause(&self, job: &JobSnapshot, changes: &JobChanges) -> Option<Duration> {
        let record = self.observed.snapshot.state.patched.get(&job.uid)?;
        if record.changes != *changes {
            return None;
        }
        let pause = FIRST_PAUSE * (1 << record.times.min(LONGEST_PAUSE));
        let left = pause - self.observed.now.duration_since(record.at);
        left.is_positive().then(|| left.try_into().ok()).flatten()
    }

    /// Creates the ConfigMap of the manifest again that a pod has not found.
    fn restore_manifest(&mut self) {
        let observed = self.observed;
        for job in observed.snapshot.open_jobs() {
            let Some(name) = &job.config_map else {
                continue;
            };
            let is_missing =
                |problem: &Problem| problem.message.contains(&format!("{name:?} not found"));
            let problems = observed
                .snapshot
                .pods
                .iter()
                .filter_map(|pod| match &pod.state {
                    PodState::Waiting { problem } => {
                        problem.as_ref().or(observed.pending.pods.get(&pod.name))
                    }
                    _ => None,
                });
            if problems.into_iter().any(is_missing) {
                let name = name.clone();
                self.create.push(Create::Manifest { name });
            }
        }
    }

    /// Waits for whoever has suspended a Job: it is theirs to let it go on.
    fn wait_for_others(&mut self, job: &str) {
        let message = match &self.observed.pending.queue {
            Some(reason) => format!("Kueue holds the Job {job}: {reason}"),
            None => format!(
                "Something else has suspended the Job {job}: it goes on when spec.suspend of the Job is false again"
            ),
        };
        let reason = reasons::SUSPENDED_BY_OTHERS;
        self.next.phase = Phase::Suspended;
        self.next.unfinished = ConditionState::new(Unknown, reason, message.clone());
        self.next.pods = ConditionState::new(False, reason, message);
        let earlier = self.requeue.map_or(QUEUE_RETRY, |it| it.min(QUEUE_RETRY));
        self.requeue = Some(earlier);
    }

    fn wait_for_queue(&mut self) {
        let queue = self.observed.snapshot.resource.queue_name();
        let queue = queue.unwrap_or_default();
        let message = match &self.observed.pending.queue {
            Some(reason) => format!("The queue {queue} has not admitted it yet: {reason}"),
            None => format!("The queue {queue} has not admitted it yet"),
        };
        let pods = "No pods have to run before the queue admits them";
        self.next.phase = Phase::Queued;
        self.next.unfinished = ConditionState::new(Unknown, reasons::QUEUED, message);
        self.next.pods = Health::without_pods(pods).condition;
        let earlier = self.requeue.map_or(QUEUE_RETRY, |it| it.min(QUEUE_RETRY));
        self.requeue = Some(earlier);
    }
}

/// What of a Job differs from the spec.
fn changes(job: &JobSnapshot, stage: &Stage, resource: &Resource) -> Option<JobChanges> {
    let parallelism = parallelism(resource, stage);
    let deadline = resource.active_deadline_seconds().map(i64::from);
    let changes = JobChanges {
        // What others have suspended is theirs to let go on.
        suspend: (job.suspended && job.suspended_by_attrium && !job.queued).then_some(false),
        parallelism: (job.parallelism != Some(parallelism)).then_some(parallelism),
        deadline: (job.deadline != deadline).then_some(deadline),
    };
    (changes != JobChanges::default()).then_some(changes)
}

/// The health of the pods that should run.
fn health(observed: &ObservedState, plan: &Plan) -> Health {
    let snapshot = &observed.snapshot;
    let mut jobs = plan.stages.iter().rev();
    let job = jobs.find_map(|stage| snapshot.jobs.get(&stage.kind));
    let Some(job) = job.filter(|job| job.is_open() && !job.suspended) else {
        let health = Health::without_pods(HEALTHY);
        let is_to_come = job.is_some_and(|job| job.is_being_deleted && job.end.is_none());
        let condition = if is_to_come {
            starting()
        } else {
            health.condition
        };
        return Health {
            condition,
            ..health
        };
    };
    let pods = snapshot.pods.iter();
    let pods: Vec<&PodSnapshot> = pods
        .filter(|pod| pod.origin.stage == job.origin.stage)
        .collect();
    Health::of(&JobPods {
        job,
        pods: &pods,
        reports: &snapshot.state.reports,
        pending: &observed.pending,
        start_deadline: snapshot.resource.start_deadline_seconds(),
        now: observed.now,
    })
}
