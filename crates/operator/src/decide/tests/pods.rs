//! Pods that do not run, and what the status says of them.

use super::*;

fn starting() -> (ConditionStatus, String) {
    (ConditionStatus::Unknown, "PodsStarting".to_owned())
}

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
        let job = run.job(Train).clone();
        let reconciled = run.reconcile();
        assert_eq!(reconciled.create, []);
        assert_eq!(reconciled.stop, [delete(&job)]);
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
    let lacks = |run: &mut World, at| {
        let pods = run.observed.snapshot.pods.clone();
        lacks_pods(run.job(Train), pods.iter(), at)
    };
    assert!(!lacks(&mut run, now()));
    assert!(lacks(&mut run, after(10)));
    run.add_pod(Train, 0, PodState::Failed);
    assert!(!lacks(&mut run, after(10)));
    run.observed.snapshot.pods[0].deleted = Some(now());
    assert!(lacks(&mut run, after(10)));
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
fn the_job_of_a_namespace_that_ends_is_deleted_so_that_it_can_end() {
    let mut run = training("").until(Train);
    let job = run.job(Train).clone();
    let pod = run.add_pod(Train, 0, PodState::Failed);
    pod.deleted = Some(now());
    run.observed.pending.job = Some(Problem {
        reason: reasons::NAMESPACE_TERMINATING.to_owned(),
        message: "the namespace is being deleted".to_owned(),
    });
    let reconciled = run.reconcile();
    assert_eq!(reconciled.create, []);
    assert_eq!(reconciled.stop, [delete(&job)]);
    assert_eq!(word(&run.status(), "PodsHealthy").0, ConditionStatus::False);
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
    assert_eq!(reason_of(&run.status(), "PodsHealthy"), starting());
}

#[test]
fn pods_are_healthy_once_every_one_that_should_run_does() {
    let mut run = training("  compute: {parallelism: 2}").until(Train);
    let healthy = |run: &mut World| {
        run.reconcile();
        reason_of(&run.status(), "PodsHealthy")
    };
    let as_expected = (ConditionStatus::True, "AsExpected".to_owned());
    assert_eq!(healthy(&mut run), starting());
    run.add_pod(Train, 0, RUNNING);
    run.add_pod(Train, 1, PodState::Waiting { problem: None });
    assert_eq!(healthy(&mut run), starting());
    run.observed.snapshot.pods[1].state = RUNNING;
    assert_eq!(healthy(&mut run), as_expected);
    // One that has ended is counted by its Job a little later, and then the next should run.
    run.observed.snapshot.pods[0].state = PodState::Succeeded;
    assert_eq!(healthy(&mut run), as_expected);
    run.job(Train).completed.insert(0);
    assert_eq!(healthy(&mut run), starting());
    run.observed.snapshot.pods[1].deleted = Some(now());
    assert_eq!(healthy(&mut run), starting());
}

#[test]
fn a_sidecar_that_outlives_its_task_is_told_and_the_tasks_end_counts() {
    let mut run = training("").until(Evaluate);
    run.job(Evaluate).active = 1;
    let pod = run.add_pod(Evaluate, 0, PodState::Succeeded);
    pod.sidecar = Some("istio-proxy".to_owned());
    pod.ended = Some(now());
    run.observed.now = after(10);
    run.reconcile();
    let (status, reason, message) = word(&run.status(), "PodsHealthy");
    assert_eq!(
        (status, reason.as_str()),
        (ConditionStatus::False, "SidecarRunning")
    );
    assert!(message.contains("the container istio-proxy"), "{message}");
    let job = run.job(Evaluate).clone();
    run.reports()
        .summaries
        .insert(task(Evaluate, 0), Summary::default());
    let reconciled = run.reconcile();
    assert_eq!(reconciled.create, [create(Refit)]);
    assert_eq!(reconciled.stop, []);
    // The Job goes once the status has its results.
    assert_eq!(run.reconcile().stop, [delete(&job)]);
    assert_idle(&run.reconcile());
}

#[test]
fn the_manifest_that_a_pod_does_not_find_is_made_again() {
    let mut run = training("").until(Train);
    let manifest = run.manifest();
    // What may change while work goes on does not change what the pods read.
    run.resource().resource_mut().metadata_mut().generation = Some(9);
    run.add_pod(Train, 0, PodState::Waiting { problem: None });
    let Create::Manifest { name } = &manifest else {
        panic!("should be a manifest")
    };
    let problem = |map: &str| Problem {
        reason: "FailedMount".to_owned(),
        message: format!("MountVolume.SetUp failed for volume \"v\" : configmap {map:?} not found"),
    };
    let pod = "pod-train-0".to_owned();
    run.observed
        .pending
        .pods
        .insert(pod.clone(), problem("hospital-ca"));
    assert_eq!(run.reconcile().create, []);
    run.observed.pending.pods.insert(pod, problem(name));
    assert_eq!(run.reconcile().create, [manifest]);
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
    assert_eq!(reason_of(&run.status(), "PodsHealthy"), starting());
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
    run.add_pod(Train, 0, RUNNING);
    run.reconcile();
    run.observed.snapshot.pods[0].deleted = Some(now());
    assert_idle(&run.reconcile());
    run.observed.snapshot.pods[0].state = PodState::Failed;
    assert_idle(&run.reconcile());
}
