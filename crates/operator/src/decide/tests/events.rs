//! Progress and events meanwhile.

use super::*;

#[test]
fn progress_is_what_pods_reported_last() {
    let mut run = training("").until(Train);
    let progress = Progress {
        done: 5,
        total: 10,
        epoch: Some(5),
        epochs: Some(10),
        loss: Some(0.25),
        ..Progress::default()
    };
    let tasks = (0..5).map(|index| (task(Train, index), progress));
    run.reports().progress = tasks.collect();
    run.observed.now = after(600);
    run.reconcile();
    let status = run.status().progress.expect("progress");
    // Four shards of one and half of five folds of twenty, of these and two tasks more.
    assert_eq!(status.percent, 43);
    assert_eq!((status.epoch, status.epochs), (Some(5), Some(10)));
    assert_eq!(status.loss, "0.2500".parse().ok());
    assert!(status.eta.is_some());
}

#[test]
fn many_failures_have_a_few_events_at_a_time() {
    let mut run = training("").until(Preprocess);
    for index in 0..4 {
        run.fail(Preprocess, index, 1, "the store is down");
    }
    run.fail(Train, 0, 1, "x");
    run.fail(Train, 1, 1, "x");
    run.fail(Train, 2, 1, "x");
    let reconciled = run.reconcile();
    assert_eq!(reconciled.events.len(), 6);
    assert_eq!(reconciled.events[5].message, "2 tasks failed beside these");
    assert_eq!(reasons_of(&reconciled)[0], reasons::TASK_FAILED);
    assert_eq!(run.reconcile().events, []);
}

#[test]
fn a_job_that_may_not_be_created_yet_has_one_event_with_the_api_servers_message() {
    let mut run = training("");
    run.refusal = Some(Refusal::Forbidden("exceeded quota: jobs".to_owned()));
    let reconciled = run.reconcile();
    assert_eq!(reasons_of(&reconciled), [reasons::POD_PENDING]);
    assert_eq!(reconciled.events[0].message, "exceeded quota: jobs");
}

#[test]
fn failures_that_the_operator_before_has_published_are_not_published_again() {
    let mut run = training("").until(Train);
    run.fail(Train, 0, 1, "the store is down");
    run.observed.now = after(60);
    run.fail(Train, 1, 1, "the disk is full");
    run.observed.events_published_until = Some(after(30));
    let reconciled = run.reconcile();
    assert_eq!(reasons_of(&reconciled), [reasons::TASK_FAILED]);
    let message = &reconciled.events[0].message;
    assert!(message.ends_with("the disk is full"), "{message}");
}
