//! Which way a resource goes now: on, in wait, or to its end.

use std::time::Duration;

use k8s_openapi::jiff::SignedDuration;

use super::health::{HEALTHY, Health, Patient};
use super::observed::Standing;
use super::{Action, Changes, Model, Situation};
use crate::snapshot::{JobSeen, PodSeen};
use crate::{names, parallelism};
use attrium_api::{ConditionStatus, Phase, Resource, Status, reasons};
use attrium_workflow as workflow;
use attrium_workflow::{Ending, Outcome, Plan, Stage, StageKind, Word};

use ConditionStatus::{False, True, Unknown};

/// Which way a resource goes.
#[derive(Clone, Debug)]
pub(super) struct Course {
    /// What has to be done on the cluster.
    pub(super) actions: Vec<Action>,
    /// The stage whose Job is made, and the Job's name.
    pub(super) started: Option<(StageKind, String)>,
    /// How it ended.
    pub(super) ending: Option<Ending>,
    /// Why it failed, where no task did.
    pub(super) broken: Option<Word>,
    /// What it is doing, until it ends.
    pub(super) phase: Phase,
    /// The condition Accepted.
    pub(super) accepted: Word,
    /// The condition PodsHealthy.
    pub(super) pods: Word,
    /// The condition Succeeded, until it ends.
    pub(super) unfinished: Word,
    /// When to look again, whatever happens.
    pub(super) again: Option<Duration>,
}

/// What comes next.
enum Turn<'p> {
    /// Nothing: it has ended.
    End,
    /// A stage's Job is made, for a try at it from 0.
    Start(&'p Stage, u32),
    /// Its Job runs on.
    GoOn,
}

impl<'p> Turn<'p> {
    fn start(plan: &'p Plan, kind: StageKind, attempt: u32) -> Self {
        let mut stages = plan.stages.iter();
        let stage = stages.find(|stage| stage.kind == kind);
        stage.map_or(Self::GoOn, |stage| Self::Start(stage, attempt))
    }
}

/// How long a summary may be on its way when its Job has ended already.
const GRACE: SignedDuration = SignedDuration::from_secs(10);
/// How often a stage whose results were lost is done again.
const ATTEMPTS: u32 = 3;
/// How often a queue is asked why it waits.
const QUEUE: Duration = Duration::from_secs(30);

impl Course {
    /// The way that a resource goes which has not ended before.
    pub(super) fn of(
        situation: &Situation,
        plan: &Plan,
        standing: &Standing,
        previous: &Status,
    ) -> Self {
        let health = health(situation, plan);
        let mut course = Self {
            actions: Vec::new(),
            started: None,
            ending: None,
            broken: None,
            phase: Phase::Running,
            accepted: Word::new(True, reasons::AS_EXPECTED, "The spec is valid"),
            pods: health.word.clone(),
            unfinished: Word::new(Unknown, reasons::RUNNING, "Tasks run"),
            again: health.again,
        };
        match (
            course.turn(situation, plan, standing, &health),
            &situation.model,
        ) {
            (Turn::End, _) => {}
            _ if situation.resource.suspend() => course.suspend(situation),
            (Turn::Start(..), Model::Waiting(sentence)) if previous.model.is_none() => {
                course.wait_for_model(sentence);
            }
            (Turn::Start(stage, attempt), _) => course.start(situation, stage, attempt, previous),
            (Turn::GoOn, _) => course.go_on(situation, plan, standing),
        }
        course
    }

    /// Whether tasks run or are about to.
    pub(super) fn runs(&self) -> bool {
        self.phase == Phase::Running
    }

    /// Ends it where it has to end; else tells what comes next.
    fn turn<'p>(
        &mut self,
        situation: &Situation,
        plan: &'p Plan,
        standing: &Standing,
        health: &Health,
    ) -> Turn<'p> {
        if let Some(word) = refusal(situation) {
            self.accepted = word.clone();
            self.fail(word);
            return Turn::End;
        }
        if let Some((stage, failure)) = &standing.broken {
            let told = standing.failures.iter().any(|it| it.task.stage == *stage);
            match failure.reason.as_str() {
                "DeadlineExceeded" => {
                    let limit = situation.resource.active_deadline_seconds();
                    let limit = limit.map_or(String::new(), |limit| format!(" ({limit} s)"));
                    let message =
                        format!("the stage {stage} ran longer than activeDeadlineSeconds{limit}");
                    self.fail(Word::new(False, reasons::DEADLINE_EXCEEDED, message));
                }
                _ if told => self.ending = Some(Ending::Failed),
                _ => {
                    let message = format!("the Job of {stage} has failed: {}", failure.message);
                    self.fail(Word::new(False, reasons::TASK_FAILED, message));
                }
            }
            return Turn::End;
        }
        if let Some(word) = workflow::nothing_usable(plan, &standing.summaries) {
            self.fail(word);
            return Turn::End;
        }
        if let Some(message) = &health.overdue {
            let reason = reasons::START_DEADLINE_EXCEEDED;
            self.fail(Word::new(False, reason, message.clone()));
            return Turn::End;
        }
        if let Some(kind) = standing.lost {
            return self.recover(situation, plan, kind);
        }
        let next = workflow::next(plan, &standing.observed);
        match next.outcome {
            Some(outcome) => {
                self.finish(&outcome);
                Turn::End
            }
            None => match next.start.first() {
                Some(task) => Turn::start(plan, task.stage, 0),
                None => Turn::GoOn,
            },
        }
    }

    fn fail(&mut self, word: Word) {
        self.ending = Some(Ending::Failed);
        self.broken = Some(word);
        self.again = None;
    }

    fn finish(&mut self, outcome: &Outcome) {
        self.ending = Some(match outcome {
            Outcome::Succeeded => Ending::Succeeded,
            Outcome::GateMissed => Ending::GateMissed,
            Outcome::Failed { .. } => Ending::Failed,
        });
        self.pods = Word::new(True, reasons::AS_EXPECTED, "All pods have ended");
        self.again = None;
    }

    /// A stage whose results are gone is done again, which takes it no time.
    fn recover<'p>(&mut self, situation: &Situation, plan: &'p Plan, kind: StageKind) -> Turn<'p> {
        let Some(job) = situation.jobs.get(&kind) else {
            return Turn::GoOn;
        };
        let ended = job.end.as_ref().and_then(|end| end.at);
        let is_late = ended.is_some_and(|ended| situation.now.duration_since(ended) >= GRACE);
        if !is_late {
            self.again = Some(Duration::from_secs(2));
            return Turn::GoOn;
        }
        let attempt = job.origin.attempt + 1;
        if attempt >= ATTEMPTS {
            let message = format!(
                "the results of the stage {kind} were lost {attempt} times: its pods are deleted \
                 as soon as they end"
            );
            self.fail(Word::new(False, reasons::TASK_FAILED, message));
            return Turn::End;
        }
        Turn::start(plan, kind, attempt)
    }

    fn suspend(&mut self, situation: &Situation) {
        let message = "It pauses until spec.suspend is false";
        self.phase = Phase::Suspended;
        self.unfinished = Word::new(Unknown, reasons::SUSPENDED, message);
        self.pods = Health::without_pods("No pods have to run").word;
        self.again = None;
        for job in open(situation) {
            let name = job.name.clone();
            if job.queued {
                // A queue would let a Job that it has admitted go on at once.
                self.actions.push(Action::DeleteJob { name });
            } else if !job.suspended {
                let changes = Changes {
                    suspend: Some(true),
                    ..Changes::default()
                };
                self.actions.push(Action::PatchJob { name, changes });
            }
        }
    }

    fn wait_for_model(&mut self, sentence: &str) {
        let word = Word::new(Unknown, reasons::WAITING_FOR_MODEL, sentence);
        self.phase = Phase::Pending;
        self.accepted = word.clone();
        self.unfinished = word;
    }

    fn start(&mut self, situation: &Situation, stage: &Stage, attempt: u32, previous: &Status) {
        if !situation.has_manifest {
            self.actions.push(Action::CreateManifest);
        }
        let kind = stage.kind;
        let again = previous.stages.iter().any(|it| it.name == kind.name());
        self.actions.push(Action::CreateJob {
            stage: kind,
            attempt,
            again,
        });
        if let Some(message) = &situation.held {
            self.phase = Phase::Pending;
            self.pods = Word::new(False, reasons::POD_PENDING, message.clone());
            self.unfinished = Word::new(Unknown, reasons::POD_PENDING, message.clone());
            return;
        }
        self.started = Some((kind, names::job(&situation.resource, kind, attempt)));
        if situation.resource.queue_name().is_some() {
            self.queue(situation);
        }
    }

    /// Keeps the Job that runs as the spec has it.
    fn go_on(&mut self, situation: &Situation, plan: &Plan, standing: &Standing) {
        for job in open(situation) {
            if job.queued && job.suspended {
                self.queue(situation);
            }
            let stage = plan.stages.iter().find(|it| it.kind == job.origin.stage);
            if let Some(changes) = stage.and_then(|it| changes(job, it, &situation.resource)) {
                let name = job.name.clone();
                self.actions.push(Action::PatchJob { name, changes });
            }
        }
        if standing.lost.is_some() {
            let message = "Results are on their way";
            self.unfinished = Word::new(Unknown, reasons::RUNNING, message);
        }
    }

    fn queue(&mut self, situation: &Situation) {
        let queue = situation.resource.queue_name().unwrap_or_default();
        let message = match &situation.words.queue {
            Some(words) => format!("The queue {queue} has not admitted it yet: {words}"),
            None => format!("The queue {queue} has not admitted it yet"),
        };
        self.phase = Phase::Queued;
        self.unfinished = Word::new(Unknown, reasons::QUEUED, message);
        self.pods = Health::without_pods("No pods have to run before the queue admits them").word;
        self.again = Some(self.again.map_or(QUEUE, |again| again.min(QUEUE)));
    }
}

/// The Jobs that have something to work on.
fn open(situation: &Situation) -> impl Iterator<Item = &JobSeen> {
    situation.jobs.values().filter(|job| job.is_open())
}

/// What of a Job differs from the spec.
fn changes(job: &JobSeen, stage: &Stage, resource: &Resource) -> Option<Changes> {
    let parallelism = parallelism(resource, stage);
    let deadline = resource.active_deadline_seconds().map(i64::from);
    let changes = Changes {
        suspend: (job.suspended && !job.queued).then_some(false),
        parallelism: (job.parallelism != Some(parallelism)).then_some(parallelism),
        deadline: (job.deadline != deadline).then_some(deadline),
    };
    (changes != Changes::default()).then_some(changes)
}

/// Why nothing can come of a resource, whatever its tasks do: the conditions Accepted and Succeeded.
fn refusal(situation: &Situation) -> Option<Word> {
    if let Some(message) = &situation.refused {
        return Some(Word::new(
            False,
            reasons::BAD_CONFIGURATION,
            message.clone(),
        ));
    }
    let status = situation.resource.status();
    match &situation.model {
        Model::Missing(message) if status.is_none_or(|it| it.model.is_none()) => Some(Word::new(
            False,
            reasons::MODEL_UNAVAILABLE,
            message.clone(),
        )),
        _ => None,
    }
}

fn health(situation: &Situation, plan: &Plan) -> Health {
    let mut jobs = plan.stages.iter().rev();
    let job = jobs.find_map(|stage| situation.jobs.get(&stage.kind));
    let Some(job) = job.filter(|job| job.is_open() && !job.suspended) else {
        return Health::without_pods(HEALTHY);
    };
    let pods: Vec<&PodSeen> = situation
        .pods
        .iter()
        .filter(|pod| pod.origin.stage == job.origin.stage)
        .collect();
    Health::of(&Patient {
        job,
        pods: &pods,
        heard: &situation.heard,
        words: &situation.words,
        start_deadline: situation.resource.start_deadline_seconds(),
        now: situation.now,
    })
}
