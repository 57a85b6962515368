//! A door for the fuzzer: what the operator makes of objects and logs.

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;

use super::progress::latest;
use super::snapshot::{JobSnapshot, PodSnapshot, termination};
use super::task_reports::TaskReports;
use attrium_workflow::Progress;

/// Whether this is a Job of attrium's.
pub fn job(json: &[u8]) -> bool {
    let job = serde_json::from_slice::<Job>(json).ok();
    let snapshot = job.as_ref().and_then(JobSnapshot::of);
    snapshot.is_some_and(|snapshot| {
        let is_over = snapshot.end.is_some() || snapshot.is_being_deleted;
        assert!(!(is_over && snapshot.is_open()));
        true
    })
}

/// Whether this is a pod of attrium's, after what it tells has been recorded.
pub fn pod(json: &[u8]) -> bool {
    let Ok(pod) = serde_json::from_slice::<Pod>(json) else {
        return false;
    };
    let Some(snapshot) = PodSnapshot::of(&pod) else {
        return false;
    };
    let mut reports = TaskReports::default();
    if let Some(ended) = termination(&pod, snapshot.deleted.is_some()) {
        reports.record(&snapshot, &ended);
        // What was recorded is not news again.
        assert!(!reports.record(&snapshot, &ended));
    }
    true
}

/// The latest progress in the lines of a log.
pub fn progress(log: &str) -> Option<Progress> {
    latest(log)
}
