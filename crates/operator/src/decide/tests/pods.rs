//! Pods that do not run, and what the status says of them.

use super::*;

#[test]
fn a_pod_that_cannot_start_has_its_reason_in_the_status_and_then_fails_the_run() {
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
        let reconciled = run.reconcile();
        assert_nothing_done(&reconciled);
        assert_eq!(reasons_of(&reconciled), [reason]);
        let (status, found, message) = word(&run.status(), "PodsHealthy");
        assert_eq!((status, found.as_str()), (ConditionStatus::False, reason));
        assert_eq!(message, format!("pod-train-0 and 1 more: {words}"));
        assert_eq!(word(&run.status(), "Succeeded").0, ConditionStatus::Unknown);
        assert!(
            reconciled.requeue.is_some_and(|it| it.as_secs() <= 30),
            "{reconciled:?}"
        );
        assert_idle(&run.reconcile());

        run.observed.now = after(61);
        let name = run.job(Train).name.clone();
        let reconciled = run.reconcile();
        assert_eq!(reconciled.create, []);
        assert_eq!(reconciled.stop, [Stop::DeleteJob { name }]);
        let (status, found, message) = word(&run.status(), "Succeeded");
        assert_eq!(
            (status, found.as_str()),
            (ConditionStatus::False, "StartDeadlineExceeded")
        );
        assert!(message.contains("startDeadlineSeconds (60 s)"), "{message}");
        assert!(message.ends_with(words), "{message}");
        assert_idle(&run.reconcile());
    }
}

#[test]
fn a_volume_that_cannot_be_mounted_is_explained_by_the_pods_events() {
    let mut run = training("").until(Train);
    run.add_pod(Train, 0, PodState::Waiting { problem: None });
    assert_eq!(
        unexplained(run.observed.snapshot.pods.iter(), now()).count(),
        0
    );
    assert_eq!(
        unexplained(run.observed.snapshot.pods.iter(), after(10)).count(),
        1
    );
    let problem = Problem {
        reason: "FailedMount".to_owned(),
        message: "configmap \"hospital-ca\" not found".to_owned(),
    };
    run.observed
        .pending
        .pods
        .insert("pod-train-0".to_owned(), problem);
    run.reconcile();
    let (status, reason, message) = word(&run.status(), "PodsHealthy");
    assert_eq!(
        (status, reason.as_str()),
        (ConditionStatus::False, "FailedMount")
    );
    assert_eq!(message, "pod-train-0: configmap \"hospital-ca\" not found");
}

#[test]
fn a_job_without_pods_is_explained_by_its_own_events() {
    let mut run = training("").until(Train);
    assert!(!lacks_pods(run.job(Train), 0, now()));
    assert!(lacks_pods(run.job(Train), 0, after(10)));
    run.observed.pending.job = Some(Problem {
        reason: "FailedCreate".to_owned(),
        message: "exceeded quota: pods".to_owned(),
    });
    run.reconcile();
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
    run.observed.now = after(3600);
    let reconciled = run.reconcile();
    assert_nothing_done(&reconciled);
    // Their time begins anew when the last one has ended.
    run.observed.snapshot.pods[0].state = PodState::Succeeded;
    run.observed.snapshot.pods[0].ended = Some(after(3600));
    run.observed.now = after(3620);
    assert_eq!(run.reconcile().stop, []);
    run.observed.now = after(3661);
    assert_eq!(run.reconcile().stop.len(), 1);
}

#[test]
fn a_pod_that_was_killed_for_its_memory_is_reported_and_retried() {
    let mut run = training("").until(Train);
    run.add_pod(Train, 0, PodState::Failed);
    run.fail(Train, 0, 137, "it was killed (OOMKilled)");
    let reconciled = run.reconcile();
    assert_nothing_done(&reconciled);
    assert_eq!(reasons_of(&reconciled), ["TaskFailed"]);
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
    let reconciled = run.reconcile();
    assert_eq!(reconciled.events, []);
    assert_eq!(word(&run.status(), "PodsHealthy").0, ConditionStatus::True);
}

#[test]
fn a_node_that_is_lost_is_reported() {
    let mut run = training("").until(Train);
    let state = PodState::Running { ready: false };
    run.add_pod(Train, 0, state);
    let reconciled = run.reconcile();
    assert_nothing_done(&reconciled);
    assert_eq!(reasons_of(&reconciled), ["NodeLost"]);
    let (_, _, message) = word(&run.status(), "PodsHealthy");
    assert_eq!(
        message,
        "pod-train-0: the node node-1 does not report any more"
    );
    run.observed.snapshot.pods[0].state = RUNNING;
    assert_eq!(run.reconcile().events, []);
    assert_eq!(word(&run.status(), "PodsHealthy").0, ConditionStatus::True);
    // One that was to end and has not.
    run.observed.snapshot.pods[0].deleted = Some(now());
    run.observed.now = after(20);
    assert_idle(&run.reconcile());
    run.observed.now = after(31);
    run.reconcile();
    assert_eq!(reason_of(&run.status(), "PodsHealthy").1, "NodeLost");
}

#[test]
fn a_pod_that_was_deleted_or_disrupted_is_replaced_in_silence() {
    let mut run = training("").until(Train);
    run.add_pod(Train, 0, RUNNING).deleted = Some(now());
    assert_idle(&run.reconcile());
    run.observed.snapshot.pods[0].state = PodState::Failed;
    assert_idle(&run.reconcile());
}
