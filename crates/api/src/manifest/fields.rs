//! Which fields a document may have: unknown ones are found, and a field that is `null` is dropped.

use std::collections::BTreeSet;

use serde_json::Value;

use super::violation::Problem;

/// The fields of an object's metadata, as Kubernetes has them.
pub(super) const METADATA: [&str; 15] = [
    "annotations",
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "finalizers",
    "generateName",
    "generation",
    "labels",
    "managedFields",
    "name",
    "namespace",
    "ownerReferences",
    "resourceVersion",
    "selfLink",
    "uid",
];

/// Drops every field that is null, wherever the schema lists the fields.
pub(super) fn prune_nulls(schema: &Value, value: &mut Value) {
    match value {
        Value::Object(fields) if !keeps_unknown(schema) => {
            fields.retain(|_, field| !field.is_null());
            for (name, field) in fields {
                if let Some(schema) = child(schema, name) {
                    prune_nulls(schema, field);
                }
            }
        }
        Value::Array(items) => {
            if let Some(schema) = schema.get("items") {
                items.iter_mut().for_each(|item| prune_nulls(schema, item));
            }
        }
        _ => {}
    }
}

/// Finds every field that the schema does not know.
pub(super) fn unknown(schema: &Value, value: &Value, path: &str, problems: &mut Vec<Problem>) {
    match value {
        Value::Object(fields) if !keeps_unknown(schema) => {
            for (name, field) in fields {
                let path = join(path, name);
                match child(schema, name) {
                    Some(schema) => unknown(schema, field, &path, problems),
                    None => problems.push(Problem::new(path, unknown_field(name, &names(schema)))),
                }
            }
        }
        Value::Array(items) => {
            if let Some(schema) = schema.get("items") {
                for (index, item) in items.iter().enumerate() {
                    unknown(schema, item, &format!("{path}[{index}]"), problems);
                }
            }
        }
        _ => {}
    }
}

/// Finds every field in which two documents differ.
pub(super) fn differing(old: &Value, new: &Value, path: &str, changed: &mut Vec<String>) {
    let (Value::Object(old), Value::Object(new)) = (old, new) else {
        if old != new {
            changed.push(path.to_owned());
        }
        return;
    };
    let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    for name in names {
        let path = join(path, name);
        match (old.get(name), new.get(name)) {
            (Some(old), Some(new)) => differing(old, new, &path, changed),
            _ => changed.push(path),
        }
    }
}

/// What to say of a field that does not exist among those that do.
pub(super) fn unknown_field(name: &str, known: &[&str]) -> String {
    let name: String = name.chars().take(80).collect();
    match nearest(&name, known) {
        Some(near) => format!("there is no such field: did you mean {near}?"),
        None if known.is_empty() => "there is no such field".to_owned(),
        None => format!("there is no such field: known are {}", known.join(", ")),
    }
}

/// The path of a field within an object.
pub(super) fn join(path: &str, name: &str) -> String {
    let name: String = name.chars().take(80).collect();
    if path.is_empty() {
        name
    } else {
        format!("{path}.{name}")
    }
}

/// The known word that a wrong one is most like, if it is like any.
pub(super) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let word = word.to_lowercase();
    let distance = |known: &str| strsim::levenshtein(&word, &known.to_lowercase());
    known
        .iter()
        .map(|candidate| (distance(candidate), *candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len() / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

fn keeps_unknown(schema: &Value) -> bool {
    schema.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(true))
        || (schema.get("properties").is_none() && schema.get("additionalProperties").is_none())
}

fn child<'a>(schema: &'a Value, name: &str) -> Option<&'a Value> {
    schema
        .get("properties")
        .and_then(|properties| properties.get(name))
        .or_else(|| {
            schema
                .get("additionalProperties")
                .filter(|schema| schema.is_object())
        })
}

fn names(schema: &Value) -> Vec<&str> {
    let properties = schema.get("properties").and_then(Value::as_object);
    properties
        .into_iter()
        .flatten()
        .map(|(name, _)| name.as_str())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_word_has_its_nearest_neighbour() {
        let known = ["epochs", "batchSize", "patience"];
        assert_eq!(nearest("epoch", &known), Some("epochs"));
        assert_eq!(nearest("batchsize", &known), Some("batchSize"));
        assert_eq!(nearest("colour", &known), None);
    }
}
