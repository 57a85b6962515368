//! The Job that runs is kept as the spec has it, and what it needs is kept in its place; whoever else has a
//! say in it is waited for.

use std::time::Duration;

use k8s_openapi::jiff::SignedDuration;

use super::health::{Health, starting};
use super::{Create, JobChanges, JobPatch, Transition, clean_up};
use crate::job::parallelism;
use crate::snapshot::{JobSnapshot, Problem};
use attrium_api::{ConditionStatus, Phase, Resource, reasons};
use attrium_workflow as workflow;
use attrium_workflow::{ConditionState, Stage};

use ConditionStatus::{False, Unknown};

/// How long a Job is left alone before the same is changed of it again; the time doubles with each.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(1);
/// How often that time doubles: up to four minutes.
const LONGEST_PAUSE: u32 = 8;
/// How often a queue is asked why it waits.
const QUEUE_RETRY: Duration = Duration::from_secs(30);

impl Transition<'_> {
    /// Stops Jobs of stages that the status has as complete: sidecars keep their pods from ending.
    pub(super) fn stop_lingering(&mut self) {
        let is_complete =
            |job: &&JobSnapshot| workflow::complete(&self.previous, job.origin.stage).is_some();
        let open = self.observed.snapshot.open_jobs();
        self.stop.extend(clean_up::delete(open.filter(is_complete)));
    }

    /// Keeps the Job that runs as the spec has it.
    pub(super) fn keep_running(&mut self) {
        self.stop_lingering();
        if self.is_namespace_ending() {
            self.stop_jobs();
            return;
        }
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
            self.change(job);
        }
        if self.tasks.lost.is_some() {
            let message = "Results are on their way";
            self.next.unfinished = ConditionState::new(Unknown, reasons::RUNNING, message);
        }
    }

    /// Whether the namespace is being deleted. Kubernetes deletes its pods before its Jobs, and a Job of
    /// indexes keeps a failed pod until another takes its place, which nothing may there: the namespace
    /// would never end.
    fn is_namespace_ending(&self) -> bool {
        let problem = self.observed.pending.job.as_ref();
        problem.is_some_and(|it| it.reason == reasons::NAMESPACE_TERMINATING)
    }

    /// Changes what of a Job differs from the spec, unless that was undone a moment ago.
    fn change(&mut self, job: &JobSnapshot) {
        let mut stages = self.plan.stages.iter();
        let stage = stages.find(|it| it.kind == job.origin.stage);
        let resource = &self.observed.snapshot.resource;
        let Some(changes) = stage.and_then(|it| changes(job, it, resource)) else {
            return;
        };
        if let Some(pause) = self.pause(job, &changes) {
            self.look_again(pause);
            return;
        }
        if changes.suspend == Some(false) {
            self.next.pods = starting();
        }
        let (name, uid) = (job.name.clone(), job.uid.clone());
        self.patch.push(JobPatch { name, uid, changes });
    }

    fn look_again(&mut self, after: Duration) {
        self.requeue = Some(self.requeue.map_or(after, |it| it.min(after)));
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
        for name in observed
            .snapshot
            .open_jobs()
            .filter_map(|job| job.config_map.as_ref())
        {
            let is_missing = |it: &Problem| it.message.contains(&format!("{name:?} not found"));
            let pods = observed.snapshot.pods.iter();
            let mut problems = pods.filter_map(|pod| observed.why_waiting(pod));
            if problems.any(is_missing) {
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
        self.look_again(QUEUE_RETRY);
    }

    pub(super) fn wait_for_queue(&mut self) {
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
        self.look_again(QUEUE_RETRY);
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
