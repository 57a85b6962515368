//! What is left to be done for a resource that has ended: its Jobs are stopped, and it is deleted in
//! the end. Nothing is ever created for it again.

use std::time::Duration;

use k8s_openapi::jiff::{SignedDuration, Timestamp};

use super::Stop;
use crate::resource_entry::EndedResource;
use crate::snapshot::JobSnapshot;
use attrium_api::{ConditionStatus, Status, condition, conditions};

/// When a resource ended, if it has: a moment that only its status has.
pub(crate) fn ended(status: &Status) -> Option<Option<Timestamp>> {
    let succeeded = condition(&status.conditions, conditions::SUCCEEDED)?;
    let is_over = succeeded.status != ConditionStatus::Unknown;
    is_over.then(|| succeeded.last_transition_time.parse().ok())
}

/// What is done for a resource that has ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CleanUp {
    pub(crate) stop: Vec<Stop>,
    /// The generation that its status has to state: its spec was changed after its end, of which nothing
    /// follows but for when it is deleted.
    pub(crate) observe: Option<i64>,
    /// When it is due to be deleted.
    pub(crate) requeue: Option<Duration>,
}

/// Decides what is done for a resource that has ended and has these Jobs.
pub(crate) fn clean_up(resource: &EndedResource, jobs: &[JobSnapshot], now: Timestamp) -> CleanUp {
    if resource.is_being_deleted {
        return CleanUp::default();
    }
    let mut clean_up = CleanUp {
        stop: delete(jobs.iter().filter(|job| job.is_open())).collect(),
        observe: resource.unobserved,
        requeue: None,
    };
    if let (Some(ended), Some(ttl)) = (resource.ended, resource.ttl) {
        let left = SignedDuration::from_secs(i64::from(ttl)) - now.duration_since(ended);
        if left.is_positive() {
            clean_up.requeue = left.try_into().ok();
        } else {
            clean_up.stop.push(Stop::DeleteResource);
        }
    }
    clean_up
}

/// Deletes Jobs.
pub(super) fn delete<'a>(
    jobs: impl Iterator<Item = &'a JobSnapshot>,
) -> impl Iterator<Item = Stop> {
    jobs.map(|job| Stop::DeleteJob {
        name: job.name.clone(),
        uid: job.uid.clone(),
    })
}
