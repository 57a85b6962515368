//! What people are told meanwhile.

use super::*;

#[test]
fn progress_is_what_pods_told_last() {
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
    run.heard.progress = tasks.collect();
    run.now = after(600);
    run.step();
    let status = run.status().progress.expect("progress");
    // Four shards of one and half of five folds of twenty, of these and two tasks more.
    assert_eq!(status.percent, 43);
    assert_eq!((status.epoch, status.epochs), (Some(5), Some(10)));
    assert_eq!(status.loss, "0.2500".parse().ok());
    assert!(status.eta.is_some());
}

#[test]
fn many_failures_are_told_a_few_at_a_time() {
    let mut run = training("").until(Preprocess);
    for index in 0..4 {
        run.fail(Preprocess, index, 1, "the store is down");
    }
    run.fail(Train, 0, 1, "x");
    run.fail(Train, 1, 1, "x");
    run.fail(Train, 2, 1, "x");
    let decision = run.step();
    assert_eq!(decision.notices.len(), 6);
    assert_eq!(decision.notices[5].message, "2 tasks failed beside these");
    assert_eq!(reasons_of(&decision)[0], reasons::TASK_FAILED);
    assert_eq!(run.step().notices, []);
}

#[test]
fn a_job_that_may_not_be_made_yet_is_told_in_the_api_servers_words_and_as_nothing_else() {
    let mut run = training("");
    run.held = Some("exceeded quota: jobs".to_owned());
    let decision = run.step();
    assert_eq!(reasons_of(&decision), [reasons::POD_PENDING]);
    assert_eq!(decision.notices[0].message, "exceeded quota: jobs");
}

#[test]
fn failures_that_the_operator_before_has_told_of_are_not_told_again() {
    let mut run = training("").until(Train);
    run.fail(Train, 0, 1, "the store is down");
    run.now = after(60);
    run.fail(Train, 1, 1, "the disk is full");
    run.told_until = Some(after(30));
    let decision = run.step();
    assert_eq!(reasons_of(&decision), [reasons::TASK_FAILED]);
    let message = &decision.notices[0].message;
    assert!(message.ends_with("the disk is full"), "{message}");
}
