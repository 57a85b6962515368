//! Pods that do not run, and what is said of them.

use super::*;

#[test]
fn a_pod_that_cannot_start_is_told_in_the_words_of_whom_it_waits_for_and_then_fails_the_run() {
    let table = [
        (
            "Unschedulable",
            "0/1 nodes are available: 1 Insufficient nvidia.com/gpu.",
        ),
        ("ImagePullBackOff", "Back-off pulling image \"x\""),
        (
            "CreateContainerConfigError",
            "secret \"scans-s3\" not found",
        ),
    ];
    for (reason, words) in table {
        let mut run = training("  startDeadlineSeconds: 60").until(Train);
        run.job(Train).active = 2;
        run.add_pod(Train, 0, waiting(reason, words));
        run.add_pod(Train, 1, waiting(reason, words));
        let decision = run.step();
        assert_eq!(
            (&decision.before, &decision.after),
            (&vec![], &vec![]),
            "{reason}"
        );
        assert_eq!(reasons_of(&decision), [reason]);
        let (status, told, message) = word(&run.status(), "PodsHealthy");
        assert_eq!((status, told.as_str()), (ConditionStatus::False, reason));
        assert_eq!(message, format!("pod-train-0 and 1 more: {words}"));
        assert_eq!(word(&run.status(), "Succeeded").0, ConditionStatus::Unknown);
        assert!(
            decision.again.is_some_and(|again| again.as_secs() <= 30),
            "{decision:?}"
        );
        assert_idle(&run.step());

        run.now = after(61);
        let name = run.job(Train).name.clone();
        let decision = run.step();
        assert_eq!(decision.before, []);
        assert_eq!(decision.after, [Action::DeleteJob { name }]);
        let (status, told, message) = word(&run.status(), "Succeeded");
        assert_eq!(
            (status, told.as_str()),
            (ConditionStatus::False, "StartDeadlineExceeded")
        );
        assert!(message.contains("startDeadlineSeconds (60 s)"), "{message}");
        assert!(message.ends_with(words), "{message}");
        assert_idle(&run.step());
    }
}

#[test]
fn a_volume_that_cannot_be_mounted_is_told_by_the_pods_events() {
    let mut run = training("").until(Train);
    run.add_pod(Train, 0, PodState::Waiting { why: None });
    assert_eq!(silent(run.pods.iter(), run.now).count(), 0);
    assert_eq!(silent(run.pods.iter(), after(10)).count(), 1);
    let why = Why {
        reason: "FailedMount".to_owned(),
        message: "configmap \"hospital-ca\" not found".to_owned(),
    };
    run.words.pods.insert("pod-train-0".to_owned(), why);
    run.step();
    let (status, reason, message) = word(&run.status(), "PodsHealthy");
    assert_eq!(
        (status, reason.as_str()),
        (ConditionStatus::False, "FailedMount")
    );
    assert_eq!(message, "pod-train-0: configmap \"hospital-ca\" not found");
}

#[test]
fn a_job_without_pods_is_told_by_its_own_events() {
    let mut run = training("").until(Train);
    assert!(!is_barren(run.job(Train), 0, now()));
    assert!(is_barren(run.job(Train), 0, after(10)));
    run.words.job = Some(Why {
        reason: "FailedCreate".to_owned(),
        message: "exceeded quota: pods".to_owned(),
    });
    run.step();
    let (_, reason, message) = word(&run.status(), "PodsHealthy");
    assert_eq!(reason, "FailedCreate");
    assert!(message.ends_with(": exceeded quota: pods"), "{message}");
}

#[test]
fn pods_that_wait_for_their_turn_while_others_run_are_never_overdue() {
    let mut run = training("  startDeadlineSeconds: 60").until(Train);
    run.add_pod(Train, 0, RUNNING);
    run.add_pod(
        Train,
        1,
        waiting("Unschedulable", "1 Insufficient nvidia.com/gpu"),
    );
    run.now = after(3600);
    let decision = run.step();
    assert_nothing_done(&decision);
    // Their time begins anew when the last one has ended.
    run.pods[0].state = PodState::Succeeded;
    run.pods[0].ended = Some(after(3600));
    run.now = after(3620);
    assert_eq!(run.step().after, []);
    run.now = after(3661);
    assert_eq!(run.step().after.len(), 1);
}

#[test]
fn a_pod_that_was_killed_for_its_memory_is_told_and_tried_again() {
    let mut run = training("").until(Train);
    run.add_pod(Train, 0, PodState::Failed);
    run.fail(Train, 0, 137, "it was killed (OOMKilled)");
    let decision = run.step();
    assert_nothing_done(&decision);
    assert_eq!(reasons_of(&decision), ["TaskFailed"]);
    let (status, reason, message) = word(&run.status(), "PodsHealthy");
    assert_eq!(
        (status, reason.as_str()),
        (ConditionStatus::False, "OOMKilled")
    );
    assert_eq!(
        message,
        "pod-train-0: it was killed (OOMKilled); it is tried again"
    );
    assert_eq!(word(&run.status(), "Succeeded").0, ConditionStatus::Unknown);
    run.add_pod(Train, 0, RUNNING).created = Some(after(5));
    let decision = run.step();
    assert_eq!(decision.notices, []);
    assert_eq!(word(&run.status(), "PodsHealthy").0, ConditionStatus::True);
}

#[test]
fn a_node_that_is_lost_is_told() {
    let mut run = training("").until(Train);
    let state = PodState::Running { heard: false };
    run.add_pod(Train, 0, state);
    let decision = run.step();
    assert_nothing_done(&decision);
    assert_eq!(reasons_of(&decision), ["NodeLost"]);
    let (_, _, message) = word(&run.status(), "PodsHealthy");
    assert_eq!(
        message,
        "pod-train-0: the node node-1 does not report any more"
    );
    run.pods[0].state = RUNNING;
    assert_eq!(run.step().notices, []);
    assert_eq!(word(&run.status(), "PodsHealthy").0, ConditionStatus::True);
    // One that was to end and has not.
    run.pods[0].deleted = Some(now());
    run.now = after(20);
    assert_idle(&run.step());
    run.now = after(31);
    run.step();
    assert_eq!(reason_of(&run.status(), "PodsHealthy").1, "NodeLost");
}

#[test]
fn a_pod_that_was_deleted_or_disrupted_is_replaced_without_a_word() {
    let mut run = training("").until(Train);
    run.add_pod(Train, 0, RUNNING).deleted = Some(now());
    assert_idle(&run.step());
    run.pods[0].state = PodState::Failed;
    assert_idle(&run.step());
}
