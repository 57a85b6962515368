//! What has to be done for a resource, from what is known of it.
//!
//! Pure: no client, no clock. A terminal state is latched: of a resource whose condition Succeeded
//! is True or False nothing is created ever again, whatever becomes of its Jobs.

mod actions;
mod clean_up;
mod events;
mod health;
mod model;
mod observed;
mod status;
mod transition;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use k8s_openapi::jiff::Timestamp;

use super::resource_snapshot::ResourceSnapshot;
use super::snapshot::Problem;
use attrium_api::reasons;
use attrium_workflow::Plan;

pub(crate) use actions::{Create, JobChanges, JobPatch, Refusal, Stop};
pub(crate) use clean_up::{clean_up, ended};
pub(crate) use events::ResourceEvent;
pub(crate) use health::{lacks_pods, unexplained};
pub(crate) use model::{Awaited, Model, Publisher};
pub(crate) use status::{StatusUpdate, timestamp};
pub(crate) use transition::Transition;

use observed::ObservedTasks;

/// The observed state of a live resource: all that a decision is made of.
#[derive(Clone, Debug)]
pub(crate) struct ObservedState {
    pub(crate) snapshot: ResourceSnapshot,
    pub(crate) pending: PendingReasons,
    /// Until when another operator has published events.
    pub(crate) events_published_until: Option<Timestamp>,
    pub(crate) now: Timestamp,
}

/// Why pods and Jobs are pending, as events and queues say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PendingReasons {
    /// Of pods, by their names.
    pub(crate) pods: BTreeMap<String, Problem>,
    /// Of the Job that should have pods and has none.
    pub(crate) job: Option<Problem>,
    /// Of the Job that its queue has not admitted.
    pub(crate) queue: Option<String>,
}

/// The status of a resource that has failed and that somebody asks to be started again.
pub(crate) fn start_again(observed: &ObservedState) -> Option<StatusUpdate> {
    let resource = &observed.snapshot.resource;
    let (asked, status) = (resource.retry_asked()?, resource.status()?);
    if resource.metadata().deletion_timestamp.is_some() {
        return None;
    }
    let now = timestamp(observed.now);
    let generation = resource.metadata().generation;
    let status = attrium_workflow::retry(status, &Plan::new(resource), asked, generation, &now);
    let event = ResourceEvent::normal(reasons::RETRYING, format!("Started again: {asked}"));
    Some(StatusUpdate {
        status: Some(status),
        events: vec![event],
    })
}

/// Decides what is done for a live resource: nothing for one that has ended after all, or is being
/// deleted, and what it owns with it.
pub(crate) fn decide(observed: &ObservedState) -> Option<Transition<'_>> {
    let resource = &observed.snapshot.resource;
    let status = resource.status().cloned().unwrap_or_default();
    if resource.metadata().deletion_timestamp.is_some() || ended(&status).is_some() {
        return None;
    }
    let plan = Plan::new(resource);
    let tasks = ObservedTasks::new(&observed.snapshot, &plan, &status);
    Some(Transition::decide(observed, plan, tasks, status))
}
