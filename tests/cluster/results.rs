//! From `kubectl apply` to metrics, a report and a model in the bucket.

use serde_json::{Value, json};

use crate::bucket::{STUDIES, keys, read};
use crate::cluster::exported;
use crate::manifest::{screening_job, training_run, with};
use crate::namespace::{END, Namespace, condition};

/// The prefix of a resource's results.
pub(crate) fn prefix(namespace: &Namespace, resource: &Value) -> String {
    let text = |value: &Value| value.as_str().expect("should be text").to_owned();
    let output = text(&resource["spec"]["output"]);
    let (name, uid) = (&resource["metadata"]["name"], &resource["metadata"]["uid"]);
    format!("{output}{}/{}/{}/", namespace.name, text(name), text(uid))
}

/// What every finished training run has to show for itself, in its status and in the bucket.
fn expect_results_of_a_training(namespace: &Namespace, run: &Value) {
    let status = &run["status"];
    for kind in ["Accepted", "Published", "Succeeded"] {
        assert_eq!(
            condition(run, kind).unwrap().status,
            "True",
            "{kind}: {status}"
        );
    }
    assert_eq!(status["phase"], "Succeeded");
    assert_eq!(status["data"]["used"], STUDIES, "{status}");
    assert_eq!(status["results"][0]["architecture"], "Linear");
    let auc = status["results"][0]["auc"]
        .as_str()
        .expect("should be there");
    assert!((0.0..=1.0).contains(&auc.parse::<f64>().unwrap()), "{auc}");
    let stages: Vec<_> = status["stages"].as_array().unwrap().iter().collect();
    let done = |stage: &&Value| stage["succeeded"] == stage["tasks"] && stage["failed"] == 0;
    assert!(stages.len() == 3 && stages.iter().all(done), "{status}");

    let place = prefix(namespace, run);
    let found = keys(&place);
    for key in [
        "manifest.yaml",
        "metrics.json",
        "quarantine.csv",
        "report/index.html",
    ] {
        assert!(
            found.iter().any(|name| name == key),
            "{key} is not in {found:?}"
        );
    }
    let model = status["model"]["uri"].as_str().expect("should be there");
    assert!(model.starts_with(&place), "{model} is not below {place}");
    assert!(keys(model).iter().any(|name| name == "bundle.json"));
    assert_eq!(status["report"], format!("{place}report/index.html"));
    let report = String::from_utf8(read(&place, "report/index.html")).unwrap();
    assert!(report.contains("esearch use only"));
}

#[test]
fn a_training_run_ends_with_metrics_a_report_and_a_model_that_a_screening_job_uses() {
    let namespace = Namespace::new("results");
    namespace.apply(&training_run());
    let run = namespace.wait_for_success("trainingrun/demo", END);
    expect_results_of_a_training(&namespace, &run);

    let jobs = namespace.list("jobs", "attrium.dev/name=demo");
    assert_eq!(jobs.len(), 3, "a Job for each stage, and none twice");
    let other = with(
        run.clone(),
        &json!({"spec": {"crossValidation": {"folds": 3}}}),
    );
    let refused = namespace.try_apply(&other).refused();
    assert!(refused.contains("spec"), "{refused}");

    namespace.apply(&screening_job());
    let job = namespace.wait_for_success("screeningjob/archive", END);
    let counts = &job["status"]["screening"];
    assert_eq!(counts["unusable"], 0, "{counts}");
    assert!(
        counts["screened"].as_u64() >= Some(u64::from(STUDIES)),
        "{counts}"
    );
    let place = prefix(&namespace, &job);
    let table = String::from_utf8(read(&place, "screening.csv")).unwrap();
    let digest = run["status"]["model"]["digest"].as_str().unwrap();
    assert!(
        table.contains(digest),
        "the model of the run is not in {table}"
    );
}

#[test]
fn a_store_of_a_private_authority_is_reached_over_https() {
    let namespace = Namespace::new("https");
    namespace.authority("hospital-ca");
    let storage = json!({"spec": {"storage": {
        "endpoint": exported("ATTRIUM_CLUSTER_S3_TLS"),
        "allowHttp": false,
        "caBundle": {"configMap": "hospital-ca", "key": "ca.crt"},
    }}});
    namespace.apply(&with(training_run(), &storage));
    let run = namespace.wait_for_success("trainingrun/demo", END);
    expect_results_of_a_training(&namespace, &run);
}

#[test]
fn a_store_of_an_unknown_authority_is_not_spoken_to() {
    let namespace = Namespace::new("unknown-authority");
    let storage = json!({"spec": {
        "storage": {"endpoint": exported("ATTRIUM_CLUSTER_S3_TLS"), "allowHttp": false},
        "activeDeadlineSeconds": 60,
    }});
    namespace.apply(&with(training_run(), &storage));
    let run = namespace.wait_for("trainingrun/demo", "Succeeded", "False", END);
    assert_eq!(run["status"]["data"]["used"], Value::Null);
    assert!(keys(&prefix(&namespace, &run)).is_empty());
}
