//! What the index keeps, what it drops, and which resources it has reconciled.

use std::collections::BTreeSet;

use k8s_openapi::jiff::Timestamp;
use serde_json::json;

use super::*;
use crate::decide::{Model, ObservedState, PendingReasons, Stop, decide};
use crate::fixtures::{self, UID, screening_job, training_run, training_run_from, uid};
use crate::names::Origin;
use crate::snapshot::JobEnd;
use attrium_api::Resource;

fn versioned(resource: &CreatedResource, uid: &str, version: &str) -> CreatedResource {
    let mut resource = Resource::clone(resource);
    let metadata = resource.metadata_mut();
    metadata.uid = Some(uid.to_owned());
    metadata.resource_version = Some(version.to_owned());
    CreatedResource::new(resource).expect("a uid")
}

fn ended(mut resource: CreatedResource, model: bool) -> CreatedResource {
    let model = model.then(|| json!({"uri": "s3://m/", "digest": "sha256:0"}));
    let status = json!({
        "phase": "Succeeded",
        "conditions": [{
            "type": "Succeeded", "status": "True", "reason": "Completed",
            "lastTransitionTime": "2026-11-24T10:00:00Z",
        }],
        "model": model,
    });
    let status = serde_json::from_value(status).expect("a status");
    resource.resource_mut().set_status(Some(status));
    resource
}

fn owner(uid: &str) -> Owner {
    Owner {
        namespace: "hospital".into(),
        uid: fixtures::uid(uid),
    }
}

fn origin(attempt: u32) -> Origin {
    Origin {
        stage: StageKind::Train,
        attempt,
    }
}

fn job(name: &str, owner: &str, attempt: u32) -> JobSnapshot {
    JobSnapshot {
        name: name.to_owned(),
        uid: uid(&format!("{name} {owner}")),
        resource_version: "1".to_owned(),
        owner: self::owner(owner),
        origin: origin(attempt),
        suspended: false,
        suspended_by_attrium: false,
        queued: false,
        image: None,
        config_map: None,
        completions: 1,
        parallelism: None,
        deadline: None,
        active: 0,
        completed: BTreeSet::new(),
        failed: BTreeSet::new(),
        end: None,
        created: None,
        started: None,
        is_being_deleted: false,
    }
}

/// A pod of a Job.
fn pod(name: &str, job: &JobSnapshot, state: PodState) -> PodSnapshot {
    PodSnapshot {
        name: name.to_owned(),
        uid: uid(&format!("{name} {}", job.uid)),
        resource_version: "1".to_owned(),
        owner: job.owner.clone(),
        job: job.uid.clone(),
        origin: job.origin.clone(),
        index: 0,
        node: None,
        created: None,
        deleted: None,
        ended: None,
        image: None,
        sidecar: None,
        state,
    }
}

fn names(snapshot: &ResourceSnapshot) -> (Vec<&str>, Vec<&str>) {
    let jobs = snapshot
        .jobs
        .values()
        .map(|job| job.name.as_str())
        .collect();
    let pods = snapshot.pods.iter().map(|pod| pod.name.as_str()).collect();
    (jobs, pods)
}

#[test]
fn a_snapshot_has_the_latest_attempt_at_each_stage_and_its_pods() {
    let index = Index::default();
    let run = training_run("");
    let key = ResourceKey::of(&run);
    assert_eq!(
        index.apply_resource(run.clone(), Delivery::Changed),
        std::slice::from_ref(&key)
    );
    for attempt in 0..2 {
        let name = format!("try-{attempt}");
        let job = job(&name, UID, attempt);
        assert_eq!(
            index.apply_job(job.clone(), Delivery::Changed),
            Some(key.clone())
        );
        let pod = pod(&name, &job, PodState::Succeeded);
        assert_eq!(
            index.apply_pod(pod, None, Delivery::Changed),
            Some(key.clone())
        );
    }
    let snapshot = index.snapshot(&key, Arc::new(run));
    assert_eq!(names(&snapshot), (vec!["try-1"], vec!["try-1"]));
}

#[test]
fn what_still_runs_from_before_a_new_start_is_no_job_of_a_stage_and_is_to_be_stopped() {
    let index = Index::default();
    let mut run = training_run("");
    let status = json!({"retry": {"asked": "yes", "count": 1, "time": "2026-11-24T10:00:00Z"}});
    let status = serde_json::from_value(status).expect("a status");
    run.resource_mut().set_status(Some(status));
    index.apply_resource(run.clone(), Delivery::Changed);
    let open = JobSnapshot {
        completions: 1,
        ..job("before", UID, 0)
    };
    index.apply_job(open.clone(), Delivery::Changed);
    let mut over = job("over", UID, 1);
    over.end = Some(JobEnd {
        failure: None,
        at: None,
    });
    index.apply_job(over, Delivery::Changed);
    let key = ResourceKey::of(&run);
    let snapshot = index.snapshot(&key, Arc::new(run));
    assert!(snapshot.jobs.is_empty());
    assert_eq!(snapshot.superseded, std::slice::from_ref(&open));
    let observed = ObservedState {
        snapshot,
        pending: PendingReasons::default(),
        events_published_until: None,
        now: Timestamp::UNIX_EPOCH,
    };
    let transition = decide(&observed).expect("a transition");
    let (name, uid) = (open.name, open.uid);
    assert_eq!(transition.stop, [Stop::DeleteJob { name, uid }]);
}

#[test]
fn a_resource_that_has_ended_is_a_few_words_without_jobs_and_pods() {
    let index = Index::default();
    let run = versioned(&training_run(""), UID, "1");
    let key = ResourceKey::of(&run);
    index.apply_resource(run.clone(), Delivery::Changed);
    let mut done = job("done", UID, 0);
    done.end = Some(JobEnd {
        failure: None,
        at: None,
    });
    index.apply_job(done.clone(), Delivery::Changed);
    let open = job("open", UID, 1);
    index.apply_job(open.clone(), Delivery::Changed);
    index.apply_pod(
        pod("p", &open, PodState::Succeeded),
        None,
        Delivery::Changed,
    );
    index.apply_resource(versioned(&ended(run, true), UID, "2"), Delivery::Changed);
    let left: Vec<_> = index
        .remaining_jobs(&uid(UID))
        .into_iter()
        .map(|job| job.name)
        .collect();
    assert_eq!(left, ["open"]);
    assert_eq!(index.unfinished(), std::slice::from_ref(&key));
    index.delete_job(&open);
    assert_eq!(index.unfinished(), []);
    assert!(matches!(index.get(&key), Some(ResourceEntry::Ended(ended)) if ended.model.is_some()));
    // What is delivered of them later costs nothing either.
    assert_eq!(index.apply_job(done, Delivery::Changed), None);
    let late = pod("p", &open, PodState::Succeeded);
    assert_eq!(index.apply_pod(late, None, Delivery::Changed), None);
    let inner = index.inner();
    assert_eq!(
        (inner.pods.of(&owner(UID)).count(), inner.states.len()),
        (0, 0)
    );
}

fn succeeded() -> Termination {
    Termination {
        exit_code: Some(0),
        message: r#"{"message": "done"}"#.to_owned(),
        out_of_memory: false,
        disrupted: false,
    }
}

/// A Job as it would be elsewhere.
fn elsewhere(mut job: JobSnapshot) -> JobSnapshot {
    job.owner.namespace = "elsewhere".into();
    job.uid = uid("forged");
    job.resource_version = "9".to_owned();
    job
}

#[test]
fn a_job_of_another_namespace_counts_for_nothing_whatever_it_refers_to() {
    let index = Index::default();
    let run = training_run("");
    let key = ResourceKey::of(&run);
    // It may be there before the resource is.
    let forged = elsewhere(job("j", UID, 0));
    index.apply_job(forged.clone(), Delivery::Changed);
    index.apply_resource(run.clone(), Delivery::Changed);
    let own = job("j", UID, 0);
    index.apply_job(own.clone(), Delivery::Changed);
    assert_eq!(index.apply_job(forged.clone(), Delivery::Changed), None);
    let pod_of_forged = pod("p", &forged, PodState::Succeeded);
    assert_eq!(
        index.apply_pod(pod_of_forged, Some(succeeded()), Delivery::Changed),
        None
    );
    let snapshot = index.snapshot(&key, Arc::new(run.clone()));
    assert_eq!(snapshot.jobs.values().collect::<Vec<_>>(), [&own]);
    assert_eq!(
        (snapshot.pods.len(), snapshot.state.reports.summaries.len()),
        (0, 0)
    );
    assert_eq!(index.delete_job(&forged), None);
    index.apply_resource(versioned(&ended(run, false), UID, "2"), Delivery::Changed);
    assert_eq!(index.remaining_jobs(&uid(UID)), [own]);
}

#[test]
fn a_pod_that_no_job_of_the_resource_controls_reports_nothing() {
    let index = Index::default();
    let run = training_run("");
    let key = ResourceKey::of(&run);
    index.apply_resource(run.clone(), Delivery::Changed);
    let job = job("j", UID, 0);
    index.apply_job(job.clone(), Delivery::Changed);
    let of = |change: fn(&mut PodSnapshot)| {
        let mut pod = pod("p", &job, PodState::Running { ready: true });
        change(&mut pod);
        pod
    };
    let forged = [
        of(|pod| pod.job = uid("another")),
        of(|pod| pod.origin.stage = StageKind::Evaluate),
        of(|pod| pod.origin.attempt = 1),
    ];
    for pod in forged {
        index.apply_pod(pod, Some(succeeded()), Delivery::Changed);
        let snapshot = index.snapshot(&key, Arc::new(run.clone()));
        assert_eq!(
            (snapshot.pods.len(), snapshot.state.reports.summaries.len()),
            (0, 0)
        );
        assert_eq!(index.running_pods(), []);
    }
}

#[test]
fn what_a_pod_reported_before_its_job_was_known_counts_once_it_is() {
    let index = Index::default();
    let run = training_run("");
    let key = ResourceKey::of(&run);
    let job = job("j", UID, 0);
    index.apply_pod(
        pod("p", &job, PodState::Succeeded),
        Some(succeeded()),
        Delivery::Changed,
    );
    index.apply_resource(run.clone(), Delivery::Changed);
    let reported = || {
        let snapshot = index.snapshot(&key, Arc::new(run.clone()));
        snapshot.state.reports.summaries.len()
    };
    assert_eq!(reported(), 0);
    assert_eq!(index.apply_job(job, Delivery::Changed), Some(key.clone()));
    assert_eq!(reported(), 1);
}

#[test]
fn what_a_task_reported_outlives_its_pod() {
    let index = Index::default();
    let run = training_run("");
    let key = ResourceKey::of(&run);
    index.apply_resource(run.clone(), Delivery::Changed);
    let job = job("j", UID, 0);
    index.apply_job(job.clone(), Delivery::Changed);
    let pod = pod("p", &job, PodState::Succeeded);
    index.apply_pod(pod.clone(), Some(succeeded()), Delivery::Changed);
    index.delete_pod(&pod);
    let snapshot = index.snapshot(&key, Arc::new(run));
    assert_eq!(snapshot.pods, []);
    let summary = snapshot
        .state
        .reports
        .summaries
        .values()
        .next()
        .expect("a summary");
    assert_eq!(summary.message, "done");
}

#[test]
fn a_name_that_is_used_again_at_once_is_another_resource() {
    let index = Index::default();
    let first = versioned(&training_run(""), "first", "1");
    let second = versioned(&training_run(""), "second", "2");
    let key = ResourceKey::of(&first);
    index.apply_resource(first, Delivery::Changed);
    index.apply_job(job("old", "first", 0), Delivery::Changed);
    index.apply_resource(second.clone(), Delivery::Changed);
    assert_eq!(index.snapshot(&key, Arc::new(second)).jobs, BTreeMap::new());
    assert_eq!(
        index.apply_job(job("old", "first", 0), Delivery::Changed),
        None
    );
    assert_eq!(index.unfinished(), [key]);
}

#[test]
fn a_screening_is_reconciled_when_the_run_that_it_waits_for_changes() {
    let index = Index::default();
    let job = screening_job("  model: {trainingRun: small}");
    let key = ResourceKey::of(&job);
    index.apply_resource(versioned(&job, "job", "1"), Delivery::Changed);
    let model = || {
        index
            .snapshot(&key, Arc::new(versioned(&job, "job", "1")))
            .model
    };
    assert!(matches!(model(), Model::Awaited(_)));
    let run = |version| versioned(&training_run(""), UID, version);
    let training = ResourceKey::of(&run("2"));
    assert_eq!(
        index.apply_resource(run("2"), Delivery::Changed),
        [key.clone(), training.clone()]
    );
    assert!(matches!(model(), Model::Awaited(_)));
    // What the operator has written itself is delivered by the watch as well.
    let published = || ended(run("3"), true);
    assert!(index.apply_written(published()));
    assert_eq!(
        index.apply_resource(published(), Delivery::Changed),
        [key.clone(), training.clone()]
    );
    assert!(matches!(model(), Model::Published(_)));
    assert!(index.apply_written(ended(run("4"), false)));
    assert!(matches!(model(), Model::Missing(_)));
}

#[test]
fn a_training_is_reconciled_when_the_run_that_it_starts_from_changes() {
    let index = Index::default();
    let mut adapted = training_run_from("{trainingRun: other}");
    let network = &mut fixtures::training_spec(&mut adapted).networks[0];
    let start = network.start_from.as_mut().expect("a model");
    start.training_run = Some("small".to_owned());
    adapted.resource_mut().metadata_mut().name = Some("adapted".to_owned());
    let adapted = || versioned(&adapted, "adapted", "1");
    let key = ResourceKey::of(&adapted());
    index.apply_resource(adapted(), Delivery::Changed);
    let model = || index.snapshot(&key, Arc::new(adapted())).model;
    assert!(matches!(model(), Model::Awaited(_)));
    let publisher = versioned(&training_run(""), UID, "2");
    let training = ResourceKey::of(&publisher);
    assert_eq!(
        index.apply_resource(publisher, Delivery::Changed),
        [key.clone(), training]
    );
    assert!(index.apply_written(ended(versioned(&training_run(""), UID, "3"), true)));
    assert!(matches!(model(), Model::Published(_)));
}

#[test]
fn the_log_of_one_pod_of_a_resource_is_read_and_of_one_without_progress_before_the_others() {
    let index = Index::default();
    index.apply_resource(training_run(""), Delivery::Changed);
    let running = PodState::Running { ready: true };
    let job = job("j", UID, 0);
    index.apply_job(job.clone(), Delivery::Changed);
    for name in ["a", "b"] {
        let mut pod = pod(name, &job, running.clone());
        pod.index = u32::from(name == "b");
        index.apply_pod(pod, None, Delivery::Changed);
    }
    let read = || {
        index
            .running_pods()
            .into_iter()
            .map(|(_, _, pod)| pod.name)
            .collect::<Vec<_>>()
    };
    index.update_state(&uid(UID), |_| {});
    assert_eq!(read(), ["a"]);
    let task = TaskRef {
        stage: StageKind::Train,
        index: 0,
    };
    assert!(
        index
            .apply_progress(&uid(UID), task, Progress::default())
            .is_some()
    );
    assert_eq!(read(), ["b"]);
}
