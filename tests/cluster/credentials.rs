//! Credentials and authorities that are not there: a person is told within 30 s what is missing, and the
//! run goes on by itself once it is there.

use std::time::Duration;

use serde_json::{Value, json};

use crate::cluster::exported;
use crate::manifest::{training_run, with};
use crate::namespace::{END, Namespace, condition};

const TOLD: Duration = Duration::from_secs(30);

/// Applies a run and expects to be told in time that its pods cannot start, in words that name what is
/// missing.
fn expect_missing(namespace: &Namespace, run: &Value, words: &[&str]) {
    namespace.apply(run);
    let what = format!("PodsHealthy=False with the words {words:?}");
    let run = namespace.wait_until("trainingrun/demo", &what, TOLD, |run| {
        condition(run, "PodsHealthy").is_some_and(|healthy| {
            healthy.status == "False" && words.iter().all(|word| healthy.message.contains(word))
        })
    });
    assert_eq!(condition(&run, "Succeeded").unwrap().status, "Unknown");
}

#[test]
fn a_missing_secret_is_told_in_the_kubelets_words_and_mended_by_making_it() {
    let namespace = Namespace::new("missing-secret");
    let storage = json!({"spec": {"storage": {"credentialsSecret": "forgotten"}}});
    let run = with(training_run(), &storage);
    expect_missing(&namespace, &run, &["secret", "forgotten", "not found"]);
    namespace.secret("forgotten", &["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]);
    let run = namespace.wait_for_success("trainingrun/demo", END);
    assert_eq!(condition(&run, "PodsHealthy").unwrap().status, "True");
}

#[test]
fn a_missing_key_of_a_secret_is_told_in_the_kubelets_words() {
    let namespace = Namespace::new("missing-key");
    namespace.secret("half", &["AWS_ACCESS_KEY_ID"]);
    let storage = json!({"spec": {"storage": {"credentialsSecret": "half"}}});
    let run = with(training_run(), &storage);
    expect_missing(&namespace, &run, &["AWS_SECRET_ACCESS_KEY", "half"]);
}

#[test]
fn a_missing_authority_is_told_in_the_kubelets_words() {
    let namespace = Namespace::new("missing-authority");
    let storage = json!({"spec": {"storage": {
        "endpoint": exported("ATTRIUM_CLUSTER_S3_TLS"),
        "allowHttp": false,
        "caBundle": {"configMap": "forgotten-ca"},
    }}});
    let run = with(training_run(), &storage);
    expect_missing(
        &namespace,
        &run,
        &["configmap", "forgotten-ca", "not found"],
    );
}
