//! The status that a transition leads to, and whether it has to be written.

use std::collections::BTreeMap;

use k8s_openapi::jiff::{SignedDuration, Timestamp};

use super::events::events;
use super::{Model, ResourceEvent, Transition};
use crate::snapshot::PodState;
use attrium_api::{Accelerator, ImageStatus, ProgressStatus, Resource, Status};
use attrium_workflow as workflow;
use attrium_workflow::{ClusterState, JobSummary, Plan, RunLocation, StageKind, StatusInputs};

/// What users learn of a transition.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StatusUpdate {
    /// The status to be written, where it says more than other times.
    pub(crate) status: Option<Status>,
    pub(crate) events: Vec<ResourceEvent>,
}

impl Transition<'_> {
    /// What users learn of it.
    pub(crate) fn status_update(&self) -> StatusUpdate {
        let status = self.status();
        let events = events(self, &status);
        let is_news = !same_but_for_times(&self.previous, &status);
        StatusUpdate {
            status: is_news.then_some(status),
            events,
        }
    }

    fn status(&self) -> Status {
        let snapshot = &self.observed.snapshot;
        let next = &self.next;
        let cluster = ClusterState {
            generation: snapshot.resource.metadata().generation,
            phase: next.phase,
            accepted: next.accepted.clone(),
            pods: next.pods.clone(),
            unfinished: next.unfinished.clone(),
            jobs: self.jobs(),
        };
        let now = timestamp(self.observed.now);
        let inputs = StatusInputs {
            resource: &snapshot.resource,
            plan: &self.plan,
            observed: &self.tasks.states,
            summaries: &self.tasks.summaries,
            failures: &self.tasks.failures,
            ending: next.ending,
            broken: next.broken.as_ref(),
            location: RunLocation::Cluster(&cluster),
            now: &now,
        };
        let mut status = workflow::status(&inputs, &self.previous, self.progress());
        status.images = self.images();
        // It goes on with the model that it began with, whatever becomes of the run.
        let begun_with = self.begun_with().cloned().or(match &snapshot.model {
            Model::Published(model) => Some(model.clone()),
            Model::Given | Model::Awaited(_) | Model::Missing(_) => None,
        });
        match &**snapshot.resource {
            Resource::ScreeningJob(_) => status.model = begun_with,
            Resource::TrainingRun(_) => status.started_from = begun_with,
        }
        status
    }

    /// The images that tasks have run: those of the first pods, and the very ones once a node has told them.
    fn images(&self) -> Vec<ImageStatus> {
        let mut images = self.previous.images.clone();
        let snapshot = &self.observed.snapshot;
        for job in snapshot.jobs.values() {
            let pods = || snapshot.pods.iter().filter(|pod| pod.is_of(job));
            let has_run = pods().any(|pod| !matches!(pod.state, PodState::Waiting { .. }));
            let Some(image) = job.image.as_ref().filter(|_| has_run) else {
                continue;
            };
            let accelerator = accelerator(&snapshot.resource, &self.plan, job.origin.stage);
            let known = images.iter().position(|it| it.accelerator == accelerator);
            let at = known.unwrap_or_else(|| {
                images.push(ImageStatus {
                    accelerator,
                    image: image.clone(),
                    pinned: None,
                });
                images.len() - 1
            });
            let entry = &mut images[at];
            if entry.pinned.is_none() && entry.image == *image {
                entry.pinned = pods().find_map(|pod| pod.image.clone());
            }
        }
        images.sort_by_key(|it| it.accelerator == Accelerator::Gpu);
        images
    }

    /// The Job of each stage, with the one that is created.
    fn jobs(&self) -> BTreeMap<StageKind, JobSummary> {
        let jobs = self.observed.snapshot.jobs.iter();
        let mut jobs: BTreeMap<_, _> = jobs
            .map(|(stage, job)| {
                let (name, active) = (job.name.clone(), job.active);
                (*stage, JobSummary { name, active })
            })
            .collect();
        if let Some((stage, name)) = &self.next.started {
            let name = name.clone();
            jobs.insert(*stage, JobSummary { name, active: 0 });
        }
        jobs
    }

    fn progress(&self) -> ProgressStatus {
        let reported = &self.observed.snapshot.state.reports.progress;
        let running = |id| {
            let progress = reported.get(&id).filter(|progress| progress.total > 0);
            progress.map_or(0.0, |it| (it.done as f64 / it.total as f64).clamp(0.0, 1.0))
        };
        let share = workflow::share(&self.plan, &self.tasks.states, running, 0.0);
        let epochs = reported.values().rev().find(|it| it.epoch.is_some());
        let eta = self.is_running().then(|| self.eta(share)).flatten();
        workflow::progress_status(share, epochs, reported.values(), eta.map(timestamp))
    }

    /// When it ends if it goes on as it has.
    fn eta(&self, share: f64) -> Option<Timestamp> {
        let (first, now) = (self.previous.stages.first()?, self.observed.now);
        let began: Timestamp = first.start_time.as_ref()?.parse().ok()?;
        let since = now.duration_since(began).as_secs_f64();
        let left = since * (1.0 - share) / share;
        (share > 0.02)
            .then(|| SignedDuration::try_from_secs_f64(left).ok())
            .flatten()
            .and_then(|left| now.checked_add(left).ok())
    }
}

/// What the tasks of a stage run on.
fn accelerator(resource: &Resource, plan: &Plan, stage: StageKind) -> Accelerator {
    let mut stages = plan.stages.iter();
    let is_accelerated = stages.any(|it| it.kind == stage && it.accelerated);
    if is_accelerated {
        resource.compute().accelerator
    } else {
        Accelerator::Cpu
    }
}

/// An instant as RFC 3339 has it, to the second.
pub(crate) fn timestamp(instant: Timestamp) -> String {
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
