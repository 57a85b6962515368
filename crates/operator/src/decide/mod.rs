//! What has to be done for a resource, from what is known of it.
//!
//! Pure: no client, no clock. A terminal state is latched: of a resource whose condition Succeeded
//! is True or False nothing is made ever again, whatever becomes of its Jobs.

mod events;
mod health;
mod observed;
mod transition;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::jiff::{SignedDuration, Timestamp};

use super::snapshot::{JobSeen, PodSeen, Why};
use super::task_reports::Heard;
use attrium_api::{ConditionStatus, ProgressStatus, Resource, Status, condition, conditions};
use attrium_workflow as workflow;
use attrium_workflow::{Cluster, JobWord, Place, Plan, StageKind, View};

pub(crate) use events::Notice;
pub(crate) use health::{is_barren, silent};

use observed::Standing;
use transition::Course;

/// Everything that is known of a resource that has not ended.
#[derive(Clone, Debug)]
pub(crate) struct Situation {
    /// The resource, with its status.
    pub resource: Arc<Resource>,
    /// The latest Job of each stage.
    pub jobs: BTreeMap<StageKind, JobSeen>,
    /// The pods of those Jobs.
    pub pods: Vec<PodSeen>,
    /// What its tasks have told.
    pub heard: Heard,
    /// Whether the ConfigMap with its manifest, as it is now, is there, as far as is known.
    pub has_manifest: bool,
    /// Why the API server refused what was to be made, if it did.
    pub refused: Option<String>,
    /// Why the API server does not let be made now what may be made later.
    pub held: Option<String>,
    /// The model of a screening.
    pub model: Model,
    /// What events say.
    pub words: Words,
    /// Until when another operator has told people what happened.
    pub told_until: Option<Timestamp>,
    /// Now.
    pub now: Timestamp,
}

/// Where a screening's model is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Model {
    /// It needs none, or names it itself.
    Given,
    /// A training run has published it.
    Found(attrium_api::ModelReference),
    /// A training run has yet to publish it; a sentence says so.
    Waiting(String),
    /// No training run will publish it; a sentence says why.
    Missing(String),
}

/// What events say of pods, of Jobs and of queues.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Words {
    /// Why pods wait, by their names.
    pub pods: BTreeMap<String, Why>,
    /// Why the Job that should have pods has none.
    pub job: Option<Why>,
    /// Why the queue has not admitted the Job.
    pub queue: Option<String>,
}

/// One thing to be done on the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Make the ConfigMap of the manifest.
    CreateManifest,
    /// Make a stage's Job.
    CreateJob {
        /// The stage.
        stage: StageKind,
        /// Which try at it, from 0.
        attempt: u32,
        /// Whether the status says that the stage had a Job, so that the resource has to be looked
        /// at once more before.
        again: bool,
    },
    /// Change how a Job runs.
    PatchJob {
        /// The Job.
        name: String,
        /// The changes.
        changes: Changes,
    },
    /// Delete a Job and its pods, which stop after a checkpoint.
    DeleteJob {
        /// The Job.
        name: String,
    },
    /// Delete the resource.
    DeleteResource,
}

/// Changes to how a Job runs; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    /// Whether its pods are held back.
    pub suspend: Option<bool>,
    /// How many pods may run at a time.
    pub parallelism: Option<i32>,
    /// How long it may run, in seconds; no limit where the inner one is absent.
    pub deadline: Option<Option<i64>>,
}

/// What has to be done for a resource.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Decision {
    /// What is done first.
    pub before: Vec<Action>,
    /// The status to be written then, where it says more than other times.
    pub status: Option<Status>,
    /// What is done last, once the status is safe.
    pub after: Vec<Action>,
    /// What people are told.
    pub notices: Vec<Notice>,
    /// When to look again, whatever happens.
    pub again: Option<Duration>,
}

/// Decides what has to be done.
pub(crate) fn decide(situation: &Situation) -> Decision {
    let resource = &*situation.resource;
    let previous = resource.status().cloned().unwrap_or_default();
    if resource.metadata().deletion_timestamp.is_some() {
        return Decision::default();
    }
    if let Some(ended) = ended(&previous) {
        let jobs: Vec<_> = situation.jobs.values().collect();
        let ttl = resource.ttl_seconds_after_finished();
        return settle(&jobs, ended, ttl, situation.now);
    }
    let plan = Plan::new(resource);
    let standing = Standing::of(situation, &plan, &previous);
    let course = Course::of(situation, &plan, &standing, &previous);
    let status = status(situation, &plan, &standing, &course, &previous);
    let notices = events::notices(&previous, &status, situation, &plan, &course);
    let is_news = !same_but_for_times(&previous, &status);
    let after = match course.ending {
        Some(_) => leftovers(situation.jobs.values()),
        None => Vec::new(),
    };
    Decision {
        before: course.actions,
        status: is_news.then_some(status),
        after,
        notices,
        again: course.again,
    }
}

/// When a resource ended, if it has: a moment that only its status tells.
pub(crate) fn ended(status: &Status) -> Option<Option<Timestamp>> {
    let succeeded = condition(&status.conditions, conditions::SUCCEEDED)?;
    let is_over = succeeded.status != ConditionStatus::Unknown;
    is_over.then(|| succeeded.last_transition_time.parse().ok())
}

/// What has to be done for a resource that ended at a time: stop what still runs, and delete it
/// in the end.
pub(crate) fn settle(
    jobs: &[&JobSeen],
    ended: Option<Timestamp>,
    ttl: Option<u32>,
    now: Timestamp,
) -> Decision {
    let mut decision = Decision {
        after: leftovers(jobs.iter().copied()),
        ..Decision::default()
    };
    if let (Some(ended), Some(ttl)) = (ended, ttl) {
        let left = SignedDuration::from_secs(i64::from(ttl)) - now.duration_since(ended);
        if left.is_positive() {
            decision.again = left.try_into().ok();
        } else {
            decision.after.push(Action::DeleteResource);
        }
    }
    decision
}

/// The Jobs that still run though nothing needs them any more.
fn leftovers<'a>(jobs: impl Iterator<Item = &'a JobSeen>) -> Vec<Action> {
    jobs.filter(|job| job.is_open())
        .map(|job| Action::DeleteJob {
            name: job.name.clone(),
        })
        .collect()
}

fn status(
    situation: &Situation,
    plan: &Plan,
    standing: &Standing,
    course: &Course,
    previous: &Status,
) -> Status {
    let resource = &*situation.resource;
    let jobs = situation.jobs.iter();
    let mut jobs: BTreeMap<_, _> = jobs
        .map(|(kind, job)| {
            let (name, active) = (job.name.clone(), job.active);
            (*kind, JobWord { name, active })
        })
        .collect();
    if let Some((kind, name)) = &course.started {
        let name = name.clone();
        jobs.insert(*kind, JobWord { name, active: 0 });
    }
    let cluster = Cluster {
        generation: resource.metadata().generation,
        phase: course.phase,
        accepted: course.accepted.clone(),
        pods: course.pods.clone(),
        unfinished: course.unfinished.clone(),
        jobs,
    };
    let now = text(situation.now);
    let view = View {
        resource,
        plan,
        observed: &standing.observed,
        summaries: &standing.summaries,
        failures: &standing.failures,
        ending: course.ending,
        broken: course.broken.as_ref(),
        place: Place::Cluster(&cluster),
        now: &now,
    };
    let progress = progress(situation, plan, standing, course, previous);
    let mut status = workflow::status(&view, previous, progress);
    if let Resource::ScreeningJob(_) = resource {
        // A screening goes on with the model that it began with, whatever becomes of the run.
        status.model = previous.model.clone().or(match &situation.model {
            Model::Found(model) => Some(model.clone()),
            _ => None,
        });
    }
    status
}

fn progress(
    situation: &Situation,
    plan: &Plan,
    standing: &Standing,
    course: &Course,
    previous: &Status,
) -> ProgressStatus {
    let told = &situation.heard.progress;
    let running = |id| {
        let progress = told.get(&id).filter(|progress| progress.total > 0);
        progress.map_or(0.0, |it| (it.done as f64 / it.total as f64).clamp(0.0, 1.0))
    };
    let share = workflow::share(plan, &standing.observed, running, 0.0);
    let epochs = told.values().rev().find(|it| it.epoch.is_some());
    let runs = course.ending.is_none() && course.runs();
    let eta = runs.then(|| eta(previous, share, situation.now)).flatten();
    workflow::progress_status(share, epochs, told.values(), eta.map(text))
}

/// When it ends if it goes on as it has.
fn eta(status: &Status, share: f64, now: Timestamp) -> Option<Timestamp> {
    let began: Timestamp = status.stages.first()?.start_time.as_ref()?.parse().ok()?;
    let since = now.duration_since(began).as_secs_f64();
    let left = since * (1.0 - share) / share;
    (share > 0.02)
        .then(|| SignedDuration::try_from_secs_f64(left).ok())
        .flatten()
        .and_then(|left| now.checked_add(left).ok())
}

/// An instant as RFC 3339 has it, to the second.
pub(crate) fn text(instant: Timestamp) -> String {
    let whole = Timestamp::from_second(instant.as_second());
    whole.unwrap_or(instant).to_string()
}

/// Whether two statuses say the same but for when.
fn same_but_for_times(old: &Status, new: &Status) -> bool {
    let timeless = |status: &Status| {
        let mut status = status.clone();
        for condition in &mut status.conditions {
            condition.last_transition_time.clear();
        }
        for stage in &mut status.stages {
            stage.start_time = stage.start_time.take().map(|_| String::new());
            stage.completion_time = stage.completion_time.take().map(|_| String::new());
        }
        if let Some(progress) = &mut status.progress {
            progress.eta = None;
        }
        status
    };
    timeless(old) == timeless(new)
}
