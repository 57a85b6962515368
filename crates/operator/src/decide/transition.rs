//! The transition of a live resource: on to the next stage, on hold, or to its end.

use std::time::Duration;

use k8s_openapi::jiff::SignedDuration;

use super::health::{HEALTHY, Health, JobPods, starting};
use super::observed::ObservedTasks;
use super::{Create, JobChanges, JobPatch, Model, ObservedState, Refusal, Stop, clean_up, model};
use crate::names;
use crate::snapshot::{JobFailure, PodSnapshot};
use attrium_api::{ConditionStatus, ModelReference, Phase, Resource, Status, reasons};
use attrium_workflow as workflow;
use attrium_workflow::{ConditionState, Ending, Plan, PlanOutcome, StageKind};

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

impl NextStatus {
    fn new(resource: &Resource, health: &Health) -> Self {
        Self {
            started: None,
            ending: None,
            broken: None,
            phase: Phase::Running,
            accepted: workflow::valid_spec(resource),
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
            next: NextStatus::new(&observed.snapshot.resource, &health),
        };
        match (transition.next_stage(&health), &observed.snapshot.model) {
            (NextStage::End, _) => transition.stop_jobs(),
            _ if observed.snapshot.resource.suspend() => transition.suspend(),
            (NextStage::Start(..), Model::Awaited(awaited))
                if transition.begun_with().is_none() =>
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
                let health = health(self.observed, &self.plan);
                self.next = NextStatus::new(&self.observed.snapshot.resource, &health);
                self.next.phase = Phase::Pending;
                self.next.accepted = accepted.clone();
                self.next.unfinished = ConditionState {
                    status: Unknown,
                    ..accepted.clone()
                };
                self.requeue = None;
            }
            Refusal::Invalid(message) => {
                let health = health(self.observed, &self.plan);
                self.next = NextStatus::new(&self.observed.snapshot.resource, &health);
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

    /// The model of another training run that it has begun with.
    pub(super) fn begun_with(&self) -> Option<&ModelReference> {
        let kind = self.observed.snapshot.resource.kind();
        self.previous.begun_with(kind)
    }

    /// Whether tasks run or are about to.
    pub(super) fn is_running(&self) -> bool {
        self.next.ending.is_none() && self.next.phase == Phase::Running
    }

    /// Ends the resource where it has to end; else finds its next stage.
    fn next_stage(&mut self, health: &Health) -> NextStage {
        if let Model::Missing(run) = &self.observed.snapshot.model
            && self.begun_with().is_none()
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
            PlanOutcome::Withheld(withheld) => Ending::Withheld(*withheld),
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
    pub(super) fn stop_jobs(&mut self) {
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
