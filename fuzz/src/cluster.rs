//! What a cluster gives: manifests, Jobs, pods, and what tasks tell.

use attrium_operator::fuzzing;
use attrium_workflow::{Progress, Summary, progress_status};

use super::text;

/// A manifest.
pub fn manifest(bytes: &[u8]) -> bool {
    text(bytes).is_some_and(|text| attrium_api::manifest::parse(text).is_ok())
}

/// A Job as the API server writes it.
pub fn job(bytes: &[u8]) -> bool {
    fuzzing::job(bytes)
}

/// A pod as the API server writes it, and what is recorded of its end.
pub fn pod(bytes: &[u8]) -> bool {
    fuzzing::pod(bytes)
}

/// The last lines of a pod's log: the numbers of a progress become decimals of a status.
pub fn progress(bytes: &[u8]) -> bool {
    let progress = text(bytes).and_then(fuzzing::progress);
    let Some(progress) = progress else {
        return false;
    };
    let Progress {
        loss,
        validation_loss,
        images_per_second,
        ..
    } = progress;
    let numbers = [loss, validation_loss, images_per_second];
    assert!(numbers.into_iter().flatten().all(f64::is_finite));
    let running = [progress, progress];
    let _ = progress_status(0.5, Some(&progress), running.iter(), None);
    true
}

/// A termination message: the summary in it survives being sent again.
pub fn summary(bytes: &[u8]) -> bool {
    let Some(summary) = text(bytes).and_then(Summary::from_message) else {
        return false;
    };
    assert!(summary.seconds.is_finite());
    let message = summary.to_message();
    let read = Summary::from_message(&message).expect("should be read back");
    assert_eq!(read.gates, summary.gates);
    assert_eq!(read.model, summary.model);
    true
}
