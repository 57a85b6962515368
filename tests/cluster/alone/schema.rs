//! A resource that an older definition let in and that this operator cannot read.

use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};

use crate::cluster::operators;
use crate::manifest::{training_run, with};
use crate::namespace::{END, Namespace, condition};
use crate::program::{kubectl, kubectl_with};
use crate::training::RUN;

const DEFINITION: &str = "crd/trainingruns.attrium.dev";

/// The definition with resources that may be anything, for as long as this lives.
struct Lenient {
    strict: String,
}

impl Lenient {
    fn new() -> Self {
        let strict = kubectl(["get", DEFINITION, "--output", "json"]).ok();
        let anything = json!([{
            "op": "replace",
            "path": "/spec/versions/0/schema/openAPIV3Schema",
            "value": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
        }]);
        let patch = anything.to_string();
        kubectl(["patch", DEFINITION, "--type=json", "--patch", &patch]).ok();
        Self { strict }
    }
}

impl Drop for Lenient {
    fn drop(&mut self) {
        let mut definition: Value = serde_json::from_str(&self.strict).unwrap();
        definition["metadata"]["resourceVersion"].take();
        let text = definition.to_string();
        drop(kubectl_with(["replace", "--filename", "-"], &text).ok());
    }
}

#[test]
fn a_resource_that_an_older_definition_let_in_is_told_of_and_disturbs_no_other() {
    let namespace = Namespace::alone("schema");
    let before = operators();
    let lenient = Lenient::new();
    let folds = json!({"spec": {"crossValidation": {"folds": "many"}}});
    // The API server takes a moment to see a definition's change.
    let malformed = with(training_run(), &folds);
    let mut tries = (0..60).map(|_| namespace.try_apply(&malformed).is_ok());
    let applied = tries.any(|applied| {
        sleep(Duration::from_millis(500));
        applied
    });
    assert!(applied);
    drop(lenient);
    let run = namespace.wait_for(RUN, "Accepted", "False", END);
    let accepted = condition(&run, "Accepted").unwrap();
    assert!(accepted.message.contains("folds"), "{}", accepted.message);
    assert_eq!(namespace.list("jobs", ""), Vec::<Value>::new());

    let other = with(training_run(), &json!({"metadata": {"name": "other"}}));
    namespace.apply(&other);
    namespace.wait_for_success("trainingrun/other", END);
    assert_eq!(operators(), before, "no operator has restarted");
}
