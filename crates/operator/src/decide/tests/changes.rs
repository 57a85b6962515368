//! What somebody changes, or a queue, while a resource is worked on.

use super::*;

#[test]
fn suspend_holds_pods_back_and_its_end_lets_them_go_on() {
    let mut run = training("").until(Train);
    let job = run.job(Train).clone();
    let patch = |suspend| {
        let changes = JobChanges {
            suspend: Some(suspend),
            ..JobChanges::default()
        };
        super::patch(&job, changes)
    };
    run.spec().suspend = true;
    let reconciled = run.reconcile();
    assert_eq!(reconciled.patch, [patch(true)]);
    assert_eq!(reasons_of(&reconciled), ["Suspended"]);
    assert_eq!((reconciled.create, reconciled.stop), (vec![], vec![]));
    assert_eq!(run.status().phase, Some(Phase::Suspended));
    assert_idle(&run.reconcile());
    run.spec().suspend = false;
    let reconciled = run.reconcile();
    assert_eq!(reconciled.patch, [patch(false)]);
    assert_eq!(reasons_of(&reconciled), ["Resumed"]);
    assert_eq!((reconciled.create, reconciled.stop), (vec![], vec![]));
    assert_idle(&run.reconcile());
}

#[test]
fn nothing_is_created_for_a_run_that_is_suspended_from_the_start() {
    let mut run = training("  suspend: true");
    let reconciled = run.reconcile();
    assert_nothing_done(&reconciled);
    let status = run.status();
    assert_eq!(
        (status.phase, status.stages.len()),
        (Some(Phase::Suspended), 0)
    );
    assert_eq!(
        reason_of(&status, "Succeeded"),
        (ConditionStatus::Unknown, "Suspended".into())
    );
}

#[test]
fn a_queued_run_waits_with_its_queues_message_and_is_never_unsuspended_by_the_operator() {
    let mut run = training("  queueName: gpu");
    let reconciled = run.reconcile();
    assert_eq!(reconciled.create, [run.manifest(), create(Preprocess)]);
    assert_eq!(reasons_of(&reconciled), ["StageStarted", "Queued"]);
    assert_eq!(run.status().phase, Some(Phase::Queued));
    run.observed.pending.queue = Some("insufficient quota for cpu".to_owned());
    let reconciled = run.reconcile();
    assert_nothing_done(&reconciled);
    let (status, reason, message) = word(&run.status(), "Succeeded");
    assert_eq!(
        (status, reason.as_str()),
        (ConditionStatus::Unknown, "Queued")
    );
    assert!(message.ends_with("insufficient quota for cpu"), "{message}");
    run.job(Preprocess).suspended = false;
    let reconciled = run.reconcile();
    assert_nothing_done(&reconciled);
    assert_eq!(run.status().phase, Some(Phase::Running));
}

#[test]
fn a_queued_run_that_is_suspended_leaves_its_queue_and_comes_back() {
    let mut run = training("  queueName: gpu").until(Train);
    let job = run.job(Train).clone();
    run.spec().suspend = true;
    let reconciled = run.reconcile();
    assert_eq!(reconciled.stop, [delete(&job)]);
    assert_eq!((reconciled.create, reconciled.patch), (vec![], vec![]));
    assert_idle(&run.reconcile());
    run.spec().suspend = false;
    assert_eq!(run.reconcile().create, [recreate(Train, 0)]);
}

#[test]
fn a_job_that_somebody_else_has_suspended_is_theirs_to_let_go_on() {
    let mut run = training("").until(Train);
    run.job(Train).suspended = true;
    let reconciled = run.reconcile();
    assert_nothing_done(&reconciled);
    assert_eq!(reasons_of(&reconciled), ["SuspendedByOthers"]);
    assert_eq!(run.status().phase, Some(Phase::Suspended));
    assert_eq!(word(&run.status(), "PodsHealthy").0, ConditionStatus::False);
    run.observed.pending.queue = Some("insufficient quota".to_owned());
    run.reconcile();
    let (status, reason, message) = word(&run.status(), "Succeeded");
    assert_eq!(
        (status, reason.as_str()),
        (ConditionStatus::Unknown, "SuspendedByOthers")
    );
    assert!(message.ends_with("insufficient quota"), "{message}");
    // A pause of the resource changes nothing of that.
    run.spec().suspend = true;
    assert_nothing_done(&run.reconcile());
    run.spec().suspend = false;
    assert_nothing_done(&run.reconcile());
    run.job(Train).suspended = false;
    assert_nothing_done(&run.reconcile());
    assert_eq!(run.status().phase, Some(Phase::Running));
}

#[test]
fn what_another_undoes_is_done_again_after_pauses_that_grow() {
    let mut run = training("  compute: {parallelism: 2}").until(Train);
    let mut patches = 0;
    for second in 0..3600 {
        run.observed.now = after(second);
        run.job(Train).parallelism = Some(5);
        let reconciled = run.reconcile();
        patches += reconciled.patch.len();
        let requeue = reconciled.requeue;
        assert!(!reconciled.patch.is_empty() || requeue.is_some_and(|it| it.as_secs() <= 256));
    }
    assert!((9..30).contains(&patches), "{patches}");
}

#[test]
fn parallelism_and_deadline_may_change_while_a_stage_runs() {
    let mut run = training("").until(Train);
    run.spec().compute.parallelism = Some(2);
    run.spec().active_deadline_seconds = Some(60);
    let changes = JobChanges {
        suspend: None,
        parallelism: Some(2),
        deadline: Some(Some(60)),
    };
    let job = run.job(Train).clone();
    assert_eq!(run.reconcile().patch, [patch(&job, changes)]);
    assert_idle(&run.reconcile());
}
