//! What somebody changes, or a queue, while a resource is worked on.

use super::*;

#[test]
fn suspend_holds_pods_back_and_its_end_lets_them_go_on() {
    let mut run = training("").until(Train);
    let name = run.job(Train).name.clone();
    let patch = |suspend| Action::PatchJob {
        name: name.clone(),
        changes: Changes {
            suspend: Some(suspend),
            ..Changes::default()
        },
    };
    run.spec().suspend = true;
    let decision = run.step();
    assert_eq!(
        (&decision.before, &decision.after),
        (&vec![patch(true)], &vec![])
    );
    assert_eq!(reasons_of(&decision), ["Suspended"]);
    assert_eq!(run.status().phase, Some(Phase::Suspended));
    assert_idle(&run.step());
    run.spec().suspend = false;
    let decision = run.step();
    assert_eq!(
        (&decision.before, &decision.after),
        (&vec![patch(false)], &vec![])
    );
    assert_eq!(reasons_of(&decision), ["Resumed"]);
    assert_idle(&run.step());
}

#[test]
fn nothing_is_made_for_a_run_that_is_suspended_from_the_start() {
    let mut run = training("  suspend: true");
    let decision = run.step();
    assert_nothing_done(&decision);
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
fn a_queued_run_waits_in_its_queues_words_and_is_never_unsuspended_by_the_operator() {
    let mut run = training("  queueName: gpu");
    let decision = run.step();
    assert_eq!(
        decision.before,
        [Action::CreateManifest, create(Preprocess)]
    );
    assert_eq!(reasons_of(&decision), ["StageStarted", "Queued"]);
    assert_eq!(run.status().phase, Some(Phase::Queued));
    run.words.queue = Some("insufficient quota for cpu".to_owned());
    let decision = run.step();
    assert_nothing_done(&decision);
    let (status, reason, message) = word(&run.status(), "Succeeded");
    assert_eq!(
        (status, reason.as_str()),
        (ConditionStatus::Unknown, "Queued")
    );
    assert!(message.ends_with("insufficient quota for cpu"), "{message}");
    run.job(Preprocess).suspended = false;
    let decision = run.step();
    assert_nothing_done(&decision);
    assert_eq!(run.status().phase, Some(Phase::Running));
}

#[test]
fn a_queued_run_that_is_suspended_leaves_its_queue_and_comes_back() {
    let mut run = training("  queueName: gpu").until(Train);
    let name = run.job(Train).name.clone();
    run.spec().suspend = true;
    assert_eq!(run.step().before, [Action::DeleteJob { name }]);
    assert_idle(&run.step());
    run.spec().suspend = false;
    let again = Action::CreateJob {
        stage: Train,
        attempt: 0,
        again: true,
    };
    assert_eq!(run.step().before, [again]);
}

#[test]
fn parallelism_and_deadline_may_change_while_a_stage_runs() {
    let mut run = training("").until(Train);
    run.spec().compute.parallelism = Some(2);
    run.spec().active_deadline_seconds = Some(60);
    let changes = Changes {
        suspend: None,
        parallelism: Some(2),
        deadline: Some(Some(60)),
    };
    let name = run.job(Train).name.clone();
    assert_eq!(run.step().before, [Action::PatchJob { name, changes }]);
    assert_idle(&run.step());
}
