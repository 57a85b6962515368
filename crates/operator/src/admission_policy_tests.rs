//! The chart's ValidatingAdmissionPolicy on what the operator makes, and on what it never does.

use std::fs;
use std::path::Path;

use kube::core::cel::{ErrorKind, Validator};
use serde_json::{Value, json};

use crate::fixtures::{job, screening_job, training_run, whole};
use crate::manifest::config_map;
use crate::names;
use attrium_workflow::StageKind;

/// The policy, with a word in the place of each value of a release's.
fn policy() -> Value {
    let path = "../../charts/attrium/templates/admissionpolicy.yaml";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let text = fs::read_to_string(path).expect("should be read");
    let lines = text.lines().filter(|line| !line.starts_with("{{"));
    let plain = |line: &str| {
        let mut parts = line.split("{{");
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |line, part| {
            line + "release" + part.split_once("}}").map_or("", |(_, rest)| rest)
        })
    };
    let text = lines.map(plain).collect::<Vec<_>>().join("\n");
    let first = text.split("\n---\n").next().unwrap_or_default();
    serde_saphyr::from_str(first).expect("should be YAML")
}

/// The expression of the policy's validation, variables in their places.
fn expression(policy: &Value) -> String {
    let spec = &policy["spec"];
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let mut expression = text(&spec["validations"][0]["expression"]);
    let variables = spec["variables"].as_array().expect("variables");
    for variable in variables.iter().rev() {
        let name = format!("variables.{}", text(&variable["name"]));
        expression = expression.replace(&name, &format!("({})", text(&variable["expression"])));
    }
    expression
}

/// The object that is written and the one that was there, as a schema tells a map's keys from fields.
fn schema(rule: &str) -> Value {
    let text = json!({ "type": "string" });
    let owner = json!({ "type": "object", "properties": {
        "apiVersion": text, "controller": { "type": "boolean" }, "kind": text, "uid": text,
    } });
    let metadata = json!({ "type": "object", "properties": {
        "labels": { "type": "object", "additionalProperties": text },
        "ownerReferences": { "type": "array", "items": owner },
    } });
    let object = json!({ "type": "object", "properties": { "metadata": metadata } });
    json!({
        "type": "object",
        "properties": { "objects": { "type": "array", "items": object } },
        "x-kubernetes-validations": [{ "rule": rule }],
    })
}

/// Whether the policy lets an object be written in the place of another.
fn lets(object: Option<&Value>, old: Option<&Value>) -> bool {
    let both = "[object, oldObject]";
    let expression = expression(&policy());
    assert_eq!(expression.matches(both).count(), 1, "{expression}");
    let rule = expression.replace(both, "self.objects");
    let objects: Vec<_> = object.into_iter().chain(old).collect();
    let document = json!({ "objects": objects });
    let Err(errors) = Validator::new().validate(&schema(&rule), &document, None) else {
        return true;
    };
    for error in errors {
        assert_eq!(
            error.kind,
            ErrorKind::ValidationFailure,
            "{}",
            error.message
        );
    }
    false
}

/// Everything that the operator makes.
fn made() -> [Value; 3] {
    let (run, screening) = (training_run(""), screening_job("  model: {uri: m/}"));
    let json = |it: Result<Value, serde_json::Error>| it.expect("JSON");
    [
        json(serde_json::to_value(job(&run, StageKind::Train, None))),
        json(serde_json::to_value(job(
            &screening,
            StageKind::Screen,
            None,
        ))),
        json(serde_json::to_value(config_map(
            &whole(&run),
            &names::config_map(&run),
        ))),
    ]
}

#[test]
fn the_policy_lets_the_operator_make_change_and_delete_what_is_its_own() {
    for own in made() {
        assert!(lets(Some(&own), None), "{own}");
        assert!(lets(Some(&own), Some(&own)), "{own}");
        assert!(lets(None, Some(&own)), "{own}");
    }
}

#[test]
fn the_policy_lets_the_operator_write_nothing_that_no_resource_owns() {
    let [own, ..] = made();
    let with = |pointer: &str, value: Value| {
        let mut object = own.clone();
        *object.pointer_mut(pointer).expect("a field") = value;
        object
    };
    let label = |key: &str| format!("/metadata/labels/{}", key.replace('/', "~1"));
    let mut bare = own.clone();
    bare["metadata"] = json!({ "name": "bare" });
    let foreign = [
        bare,
        with("/metadata/ownerReferences", json!([])),
        with("/metadata/ownerReferences/0/controller", json!(false)),
        with("/metadata/ownerReferences/0/apiVersion", json!("apps/v1")),
        with("/metadata/ownerReferences/0/kind", json!("Deployment")),
        with("/metadata/ownerReferences/0/uid", json!("another")),
        with(&label("attrium.dev/uid"), json!("another")),
        with(&label("app.kubernetes.io/managed-by"), json!("Helm")),
    ];
    for object in foreign {
        assert!(!lets(Some(&object), None), "{object}");
        assert!(!lets(None, Some(&object)), "{object}");
        assert!(!lets(Some(&own), Some(&object)), "{object}");
        assert!(!lets(Some(&object), Some(&own)), "{object}");
    }
}

#[test]
fn the_policy_is_about_whatever_the_operator_may_write_of_its_own() {
    let rules = policy()["spec"]["matchConstraints"]["resourceRules"].clone();
    let rules = rules.as_array().expect("rules").iter();
    let found: Vec<_> = rules
        .map(|rule| (rule["resources"][0].clone(), rule["operations"].clone()))
        .collect();
    let every = json!(["CREATE", "UPDATE", "DELETE"]);
    let expected = [(json!("jobs"), every.clone()), (json!("configmaps"), every)];
    assert_eq!(found, expected);
}
