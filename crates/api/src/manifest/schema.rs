//! What violates the schema, as sentences that say what would be right.

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde_json::Value;

use super::fields::{join, nearest};
use super::violation::Problem;

/// Every violation of the schema in a document.
pub(super) fn problems(validator: &jsonschema::Validator, document: &Value) -> Vec<Problem> {
    validator
        .iter_errors(document)
        .map(|error| problem(document, &error))
        .collect()
}

fn problem(document: &Value, error: &ValidationError<'_>) -> Problem {
    let mut path = path(document, error.instance_path().as_str());
    let value = error.instance();
    let message = match error.kind() {
        ValidationErrorKind::Required { property } => {
            path = join(&path, property.as_str().unwrap_or_default());
            "is required".to_owned()
        }
        ValidationErrorKind::Type { kind } => wrong_type(kind, value),
        ValidationErrorKind::Enum { options } => not_one_of(options, value),
        ValidationErrorKind::Minimum { limit } => {
            format!("is {value}, below the least value {limit}")
        }
        ValidationErrorKind::Maximum { limit } => {
            format!("is {value}, above the greatest value {limit}")
        }
        ValidationErrorKind::MaxLength { limit } => {
            format!("is longer than {limit} characters: shorten it")
        }
        ValidationErrorKind::MinLength { .. } => "is empty: give it a value".to_owned(),
        ValidationErrorKind::MaxItems { limit } => {
            format!("has more than {limit} items: name fewer")
        }
        ValidationErrorKind::MinItems { limit } => {
            format!("has fewer than {limit} items: name more")
        }
        ValidationErrorKind::MaxProperties { limit } => {
            format!("has more than {limit} entries: name fewer")
        }
        ValidationErrorKind::Pattern { pattern } => wrong_pattern(pattern, value),
        _ => format!("is not allowed: {}", truncate(&error.to_string(), 200)),
    };
    Problem::new(path, message)
}

/// Only quantities and decimals have a pattern.
fn wrong_pattern(pattern: &str, value: &Value) -> String {
    let wanted = if pattern.contains("Ki") {
        "a quantity: write \"500m\", 2 or \"4Gi\""
    } else {
        "a decimal number: write \"0.88\" or \"1e-4\""
    };
    format!("is {}, which is not {wanted}", short(value))
}

fn wrong_type(kind: &TypeKind, value: &Value) -> String {
    let TypeKind::Single(wanted) = kind else {
        return format!("is {}, which is of the wrong type", short(value));
    };
    let wanted = wanted.to_string();
    let remedy = match (wanted.as_str(), value) {
        ("string", Value::Number(number)) => format!(": put it in quotes, \"{number}\""),
        ("string", Value::Bool(_)) => ": put it in quotes".to_owned(),
        ("integer" | "boolean", Value::String(_)) => ": write it without quotes".to_owned(),
        _ => String::new(),
    };
    format!("is {}, not {}{remedy}", short(value), with_article(&wanted))
}

fn not_one_of(options: &Value, value: &Value) -> String {
    let options: Vec<_> = options
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let known = options.join(", ");
    match value.as_str().and_then(|word| nearest(word, &options)) {
        Some(near) => format!(
            "is {}: did you mean {near}? Known are {known}",
            short(value)
        ),
        None => format!(
            "is {}, which is not known: use one of {known}",
            short(value)
        ),
    }
}

fn with_article(kind: &str) -> String {
    let article = if kind.starts_with(['a', 'e', 'i', 'o', 'u']) {
        "an"
    } else {
        "a"
    };
    format!("{article} {kind}")
}

/// A value as it may be shown in a sentence.
fn short(value: &Value) -> String {
    match value {
        Value::Object(_) => "an object".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        value => truncate(&value.to_string(), 80),
    }
}

fn truncate(text: &str, characters: usize) -> String {
    if text.chars().count() <= characters {
        return text.to_owned();
    }
    text.chars().take(characters).chain("...".chars()).collect()
}

/// A JSON pointer as a field path, such as `spec.tasks[1]`.
fn path(document: &Value, pointer: &str) -> String {
    let mut path = String::new();
    let mut value = Some(document);
    for token in pointer.split('/').skip(1) {
        let token = token.replace("~1", "/").replace("~0", "~");
        if value.is_some_and(Value::is_array) {
            path.push_str(&format!("[{token}]"));
            value = token
                .parse()
                .ok()
                .and_then(|index: usize| value?.get(index));
        } else {
            path = join(&path, &token);
            value = value.and_then(|value| value.get(&token));
        }
    }
    path
}
