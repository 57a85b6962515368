//! What is wrong with a run, its pods or its data: it is told in words that a person can act on, and
//! costs nothing else.

use std::time::Duration;

use serde_json::{Value, json};

use crate::bucket::{BUCKET, read, write};
use crate::manifest::{training_run, with};
use crate::namespace::{END, Namespace, condition};
use crate::training::{RUN, of_stage};

/// How long a person may have to wait to be told.
const TOLD: Duration = Duration::from_secs(30);
/// A resource that no node has.
const MIG: &str = "nvidia.com/mig-7g.80gb";

/// Waits for the end of a run that cannot succeed, and expects to be told why.
fn failed(namespace: &Namespace, reason: &str, words: &[&str]) -> Value {
    let run = namespace.wait_for(RUN, "Succeeded", "False", END);
    let succeeded = condition(&run, "Succeeded").unwrap();
    let message = &succeeded.message;
    assert_eq!(succeeded.reason, reason, "{message}");
    for word in words {
        assert!(message.contains(word), "no {word:?} in: {message}");
    }
    run
}

/// Waits until PodsHealthy tells of something.
fn told(namespace: &Namespace, within: Duration, word: &str) {
    let what = format!("told of {word}");
    namespace.wait_until(RUN, &what, within, |run| {
        let healthy = condition(run, "PodsHealthy");
        healthy.is_some_and(|it| it.status == "False" && it.message.contains(word))
    });
}

#[test]
fn an_image_that_is_not_there_is_told_in_the_kubelets_words_and_ends_the_run_in_time() {
    let namespace = Namespace::new("no-image");
    let patch = json!({"spec": {
        "compute": {"image": "localhost/nowhere:1"},
        "startDeadlineSeconds": 45,
    }});
    namespace.apply(&with(training_run(), &patch));
    told(&namespace, TOLD, "localhost/nowhere:1");
    let words = ["startDeadlineSeconds (45 s)", "nowhere"];
    failed(&namespace, "StartDeadlineExceeded", &words);
}

#[test]
fn a_gpu_that_no_node_has_is_told_in_the_schedulers_words() {
    let namespace = Namespace::new("no-gpu");
    let patch = json!({"spec": {
        "compute": {"accelerator": "Gpu", "gpuResource": MIG},
        "startDeadlineSeconds": 45,
    }});
    namespace.apply(&with(training_run(), &patch));
    told(&namespace, END, MIG);
    let run = failed(&namespace, "StartDeadlineExceeded", &["Insufficient"]);
    let preprocess = &run["status"]["stages"][0];
    assert_eq!(preprocess["succeeded"], 2, "preprocessing needs no GPU");
}

#[test]
fn only_trainings_hold_a_gpu() {
    let namespace = Namespace::new("gpu");
    let patch = json!({"spec": {"compute": {"accelerator": "Gpu"}}});
    namespace.apply(&with(training_run(), &patch));
    // The image of these tests computes on the processor alone, and its tasks say so.
    failed(&namespace, "BadConfiguration", &["cuda"]);
    let gpus = |stage: &str| {
        let job = namespace.list("jobs", &of_stage(stage)).swap_remove(0);
        let container = &job["spec"]["template"]["spec"]["containers"][0];
        container["resources"]["limits"]["nvidia.com/gpu"].clone()
    };
    assert_eq!(gpus("train"), "1");
    assert_eq!(gpus("preprocess"), Value::Null);
}

#[test]
fn a_container_that_needs_more_memory_than_it_may_take_is_told_of() {
    let namespace = Namespace::new("memory");
    let patch = json!({"spec": {
        "training": {"batchSize": 64},
        "augmentation": {"images": 64},
        "compute": {"parallelism": 1, "resources": {
            "requests": {"memory": "64Mi"},
            "limits": {"memory": "96Mi"},
        }},
    }});
    namespace.apply(&with(training_run(), &patch));
    namespace.wait_until(RUN, "told of its memory", END, |run| {
        condition(run, "PodsHealthy").is_some_and(|it| it.reason == "OOMKilled")
    });
    let run = failed(&namespace, "TaskFailed", &["memory"]);
    assert_eq!(run["status"]["stages"][0]["succeeded"], 2);
}

#[test]
fn a_bad_configuration_ends_a_run_at_once_in_the_tasks_words() {
    let namespace = Namespace::new("bad-labels");
    let labels = format!("s3://{BUCKET}/cohort/nowhere.csv");
    namespace.apply(&with(training_run(), &json!({"spec": {"labels": labels}})));
    let words = ["nowhere.csv", "does not exist"];
    failed(&namespace, "BadConfiguration", &words);
}

#[test]
fn an_index_whose_data_is_bad_leaves_the_others_their_results() {
    let namespace = Namespace::new("bad-index");
    let place = format!("s3://{BUCKET}/{}/", namespace.name);
    write(&place, "labels.csv", &with_a_lone_grade());
    let patch = json!({"spec": {
        "labels": format!("{place}labels.csv"),
        "tasks": ["Positive", "Perugini"],
    }});
    namespace.apply(&with(training_run(), &patch));
    let words = ["Perugini", "has 1 patient"];
    let run = failed(&namespace, "BadData", &words);
    let status = &run["status"];
    let train = &status["stages"][1];
    assert_eq!(
        (&train["succeeded"], &train["failed"]),
        (&json!(2), &json!(2))
    );
    let results = status["results"].as_array().unwrap();
    let tasks: Vec<_> = results.iter().map(|row| &row["task"]).collect();
    assert_eq!(tasks, ["Positive"], "{status}");
}

/// The cohort's labels with one study of a grade that no other has, so that two folds cannot share
/// its patients.
fn with_a_lone_grade() -> Vec<u8> {
    let table = read(&format!("s3://{BUCKET}/cohort/"), "labels.csv");
    let table = String::from_utf8(table).unwrap();
    let mut rows: Vec<Vec<&str>> = table.lines().map(|row| row.split(',').collect()).collect();
    let grade = rows[0].iter().position(|name| *name == "grade").unwrap();
    let zero = rows.iter().position(|row| row[grade] == "0").unwrap();
    rows[zero][grade] = "1";
    let rows: Vec<_> = rows.iter().map(|row| row.join(",") + "\n").collect();
    rows.concat().into_bytes()
}

#[test]
fn wrong_credentials_end_a_run_in_words_that_hold_no_secret() {
    let namespace = Namespace::new("wrong-key");
    namespace.apply(&json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "wrong"},
        "stringData": {"AWS_ACCESS_KEY_ID": "attrium", "AWS_SECRET_ACCESS_KEY": "mistaken"},
    }));
    let patch = json!({"spec": {"storage": {"credentialsSecret": "wrong"}}});
    namespace.apply(&with(training_run(), &patch));
    let run = failed(&namespace, "BadConfiguration", &["denied", "credentials"]);
    assert!(!run["status"].to_string().contains("mistaken"));
}

#[test]
fn a_run_is_deleted_when_its_time_after_its_end_is_over() {
    let namespace = Namespace::new("ttl");
    let patch = json!({"spec": {
        "labels": format!("s3://{BUCKET}/cohort/nowhere.csv"),
        "ttlSecondsAfterFinished": 5,
    }});
    namespace.apply(&with(training_run(), &patch));
    failed(&namespace, "BadConfiguration", &["nowhere.csv"]);
    let wait = ["wait", "--for=delete", RUN, "--timeout=30s"];
    namespace.kubectl(&wait).ok();
}
