use serde_json::json;

use super::*;
use crate::fixtures::{UID, screening_job, training_run};
use crate::names::Origin;

fn versioned(mut resource: Resource, uid: &str, version: &str) -> Resource {
    let metadata = resource.metadata_mut();
    metadata.uid = Some(uid.to_owned());
    metadata.resource_version = Some(version.to_owned());
    resource
}

fn ended(resource: Resource, model: bool) -> Resource {
    let model = model.then(|| json!({"uri": "s3://m/", "digest": "sha256:0"}));
    let status = json!({
        "phase": "Succeeded",
        "conditions": [{
            "type": "Succeeded", "status": "True", "reason": "Completed",
            "lastTransitionTime": "2026-11-24T10:00:00Z",
        }],
        "model": model,
    });
    let mut resource = resource;
    if let Resource::TrainingRun(run) = &mut resource {
        run.status = Some(serde_json::from_value(status).expect("a status"));
    }
    resource
}

fn origin(uid: &str, attempt: u32) -> Origin {
    Origin {
        uid: uid.to_owned(),
        stage: StageKind::Train,
        attempt,
    }
}

fn job(name: &str, uid: &str, attempt: u32) -> JobSeen {
    JobSeen {
        name: name.to_owned(),
        uid: format!("{name} {uid}"),
        version: "1".to_owned(),
        origin: origin(uid, attempt),
        suspended: false,
        queued: false,
        completions: 1,
        parallelism: None,
        deadline: None,
        active: 0,
        completed: BTreeSet::new(),
        failed: BTreeSet::new(),
        end: None,
        created: None,
        started: None,
        deleted: false,
    }
}

fn pod(name: &str, uid: &str, attempt: u32, state: PodState) -> PodSeen {
    PodSeen {
        name: name.to_owned(),
        uid: format!("{name} {uid}"),
        version: "1".to_owned(),
        origin: origin(uid, attempt),
        index: 0,
        node: None,
        created: None,
        deleted: None,
        ended: None,
        state,
    }
}

fn names(dossier: &Dossier) -> (Vec<&str>, Vec<&str>) {
    let jobs = dossier.jobs.values().map(|job| job.name.as_str()).collect();
    let pods = dossier.pods.iter().map(|pod| pod.name.as_str()).collect();
    (jobs, pods)
}

#[test]
fn a_dossier_has_the_latest_try_of_each_stage_and_its_pods() {
    let index = Index::default();
    let run = training_run("");
    let key = Key::of(&run);
    assert_eq!(index.put_resource(run.clone()), std::slice::from_ref(&key));
    for attempt in 0..2 {
        let name = format!("try-{attempt}");
        assert_eq!(
            index.put_job("hospital", job(&name, UID, attempt)),
            Some(key.clone())
        );
        let pod = pod(&name, UID, attempt, PodState::Succeeded);
        assert_eq!(index.put_pod("hospital", pod, None), Some(key.clone()));
    }
    let dossier = index.dossier(&key, Arc::new(run));
    assert_eq!(names(&dossier), (vec!["try-1"], vec!["try-1"]));
}

#[test]
fn a_resource_that_has_ended_is_a_few_words_without_jobs_and_pods() {
    let index = Index::default();
    let run = versioned(training_run(""), UID, "1");
    let key = Key::of(&run);
    index.put_resource(run.clone());
    let mut done = job("done", UID, 0);
    done.end = Some(crate::snapshot::JobEnd {
        failure: None,
        at: None,
    });
    index.put_job("hospital", done.clone());
    index.put_job("hospital", job("open", UID, 1));
    index.put_pod("hospital", pod("p", UID, 1, PodState::Succeeded), None);
    index.put_resource(versioned(ended(run, true), UID, "2"));
    let left: Vec<_> = index
        .leftovers(UID)
        .into_iter()
        .map(|job| job.name)
        .collect();
    assert_eq!(left, ["open"]);
    assert_eq!(index.unsettled(), std::slice::from_ref(&key));
    index.remove_job(&job("open", UID, 1));
    assert_eq!(index.unsettled(), []);
    assert!(matches!(index.get(&key), Some(Known::Over(over)) if over.model.is_some()));
    // What is told of them later costs nothing either.
    assert_eq!(index.put_job("hospital", done), None);
    let late = pod("p", UID, 1, PodState::Succeeded);
    assert_eq!(index.put_pod("hospital", late, None), None);
    let inner = index.inner();
    assert_eq!(
        (inner.pods.of(&UID.into()).count(), inner.memos.len()),
        (0, 0)
    );
}

#[test]
fn what_a_task_told_outlives_its_pod() {
    let index = Index::default();
    let run = training_run("");
    let key = Key::of(&run);
    index.put_resource(run.clone());
    let pod = pod("p", UID, 0, PodState::Succeeded);
    let told = Ended {
        exit_code: Some(0),
        message: r#"{"message": "done"}"#.to_owned(),
        out_of_memory: false,
        disrupted: false,
    };
    index.put_pod("hospital", pod.clone(), Some(&told));
    index.remove_pod(&pod);
    let dossier = index.dossier(&key, Arc::new(run));
    assert_eq!(dossier.pods, []);
    let summary = dossier
        .memo
        .heard
        .summaries
        .values()
        .next()
        .expect("a summary");
    assert_eq!(summary.message, "done");
}

#[test]
fn a_name_that_is_used_again_at_once_is_another_resource() {
    let index = Index::default();
    let first = versioned(training_run(""), "first", "1");
    let second = versioned(training_run(""), "second", "2");
    let key = Key::of(&first);
    index.put_resource(first);
    index.put_job("hospital", job("old", "first", 0));
    index.put_resource(second.clone());
    assert_eq!(index.dossier(&key, Arc::new(second)).jobs, BTreeMap::new());
    assert_eq!(index.put_job("hospital", job("old", "first", 0)), None);
    assert_eq!(index.unsettled(), [key]);
}

#[test]
fn a_screening_is_looked_at_when_the_run_that_it_waits_for_changes() {
    let index = Index::default();
    let job = screening_job("  model: {trainingRun: small}");
    let key = Key::of(&job);
    index.put_resource(versioned(job.clone(), "job", "1"));
    let model = || {
        index
            .dossier(&key, Arc::new(versioned(job.clone(), "job", "1")))
            .model
    };
    assert!(matches!(model(), Model::Waiting(_)));
    let run = |version| versioned(training_run(""), UID, version);
    let training = Key::of(&run("2"));
    assert_eq!(
        index.put_resource(run("2")),
        [key.clone(), training.clone()]
    );
    assert!(matches!(model(), Model::Waiting(_)));
    // What the operator has written itself is told of by the watch as well.
    let over = || ended(run("3"), true);
    assert!(index.put_written(over()));
    assert_eq!(index.put_resource(over()), [key.clone(), training.clone()]);
    assert!(matches!(model(), Model::Found(_)));
    assert!(index.put_written(ended(run("4"), false)));
    assert!(matches!(model(), Model::Missing(_)));
}

#[test]
fn one_pod_of_a_resource_is_listened_to_and_one_that_was_not_heard_before_the_others() {
    let index = Index::default();
    index.put_resource(training_run(""));
    let running = PodState::Running { heard: true };
    index.put_job("hospital", job("j", UID, 0));
    for name in ["a", "b"] {
        let mut pod = pod(name, UID, 0, running.clone());
        pod.index = u32::from(name == "b");
        index.put_pod("hospital", pod, None);
    }
    let listened = || {
        index
            .running()
            .into_iter()
            .map(|(_, _, pod)| pod.name)
            .collect::<Vec<_>>()
    };
    index.note(UID, |_| {});
    assert_eq!(listened(), ["a"]);
    let task = TaskRef {
        stage: StageKind::Train,
        index: 0,
    };
    assert!(index.put_progress(UID, task, Progress::default()).is_some());
    assert_eq!(listened(), ["b"]);
}
