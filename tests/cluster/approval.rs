//! A model that is not the one that was asked for, or that nobody has approved, screens nothing.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::bucket::{BUCKET, write};
use crate::manifest::{screening_job, with};
use crate::namespace::{END, Namespace, condition};

const JOB: &str = "screeningjob/archive";

/// Puts the bundle that comes with attrium into the bucket; returns its folder.
fn bundle(name: &str) -> String {
    let uri = format!("s3://{BUCKET}/approval/{name}/");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/heart-perugini");
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let key = path.file_name().unwrap().to_str().unwrap();
        write(&uri, key, &fs::read(&path).unwrap());
    }
    uri
}

/// Screens with a model of no training run, which has to fail; returns the job and what it says.
fn refused(namespace: &Namespace, mut model: Value) -> (Value, String) {
    model["trainingRun"] = Value::Null;
    namespace.apply(&with(screening_job(), &json!({"spec": {"model": model}})));
    let job = namespace.wait_for(JOB, "Succeeded", "False", END);
    let succeeded = condition(&job, "Succeeded").unwrap();
    assert_eq!(
        succeeded.reason, "BadConfiguration",
        "{}",
        succeeded.message
    );
    (job, succeeded.message)
}

#[test]
fn a_screening_whose_model_was_exchanged_says_so_and_screens_nothing() {
    let namespace = Namespace::new("exchanged");
    let digest = format!("sha256:{}", "0".repeat(64));
    let model = json!({"uri": bundle("exchanged"), "digest": digest});
    let (job, message) = refused(&namespace, model);
    assert!(message.contains(&digest), "{message}");
    assert_eq!(job["status"]["screening"], Value::Null);
}

#[test]
fn a_screening_that_requires_a_signature_says_whose_is_missing() {
    let namespace = Namespace::new("unsigned");
    let model = json!({"uri": bundle("unsigned"), "requireSigned": true});
    let (job, message) = refused(&namespace, model);
    assert!(message.contains("no public key is trusted"), "{message}");
    let accepted = condition(&job, "Accepted").unwrap().message;
    assert!(accepted.contains("state spec.model.digest"), "{accepted}");
}
