//! Manifests: YAML text becomes resources, or a list of everything that is wrong with it.
//!
//! The rules are the API server's own: the schema of the custom resource definitions with its
//! defaults, then its CEL rules; and as by `kubectl`, an unknown field is an error. No input makes
//! this panic, and none makes it take much memory: the size of the text, the number of its
//! documents, their depth and the expansion of YAML aliases are bounded. Nothing here reads a file.

mod fields;
mod schema;
mod validator;
mod yaml;

use std::fmt;

use serde_json::Value;

use super::Resource;
use validator::Validators;

/// The largest manifest, in bytes.
pub const MAX_BYTES: usize = 1 << 20;
/// The most documents in a manifest.
pub const MAX_DOCUMENTS: usize = 256;

/// One thing that is wrong with a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The document, from 1; documents without content are not counted.
    pub document: usize,
    /// The line of the text, from 1, where the text is no YAML.
    pub line: Option<u64>,
    /// The field, such as `spec.tasks[1]`; empty for the document as a whole.
    pub path: String,
    /// What is wrong and what to do about it.
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "document {}", self.document)?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        if self.path.is_empty() {
            write!(f, ": {}", self.message)
        } else {
            write!(f, ": {}: {}", self.path, self.message)
        }
    }
}

/// Everything that is wrong with a manifest, in the order of its documents; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violations(Vec<Violation>);

impl Violations {
    /// Each violation.
    pub fn iter(&self) -> impl Iterator<Item = &Violation> {
        self.0.iter()
    }
}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, violation) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            violation.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Violations {}

/// Reads the resources of a manifest, defaults in place, in their order.
///
/// A status that a document may bring is dropped, as an API server does.
///
/// # Errors
/// Every violation of every document at once; after a place that is no YAML nothing more is read.
pub fn parse(text: &str) -> Result<Vec<Resource>, Violations> {
    let (documents, mut violations) = yaml::documents(text);
    let validators = Validators::new();
    let mut resources = Vec::new();
    for (index, document) in documents.iter().enumerate() {
        match validators.read(document) {
            Ok(resource) => resources.push(resource),
            Err(problems) => {
                violations.extend(problems.into_iter().map(|problem| problem.at(index + 1)));
            }
        }
    }
    violations.sort_by_key(|violation| violation.document);
    if violations.is_empty() {
        Ok(resources)
    } else {
        Err(Violations(violations))
    }
}

/// Everything that is wrong with the spec of an object, such as one that an older definition of its
/// kind let in.
///
/// # Errors
/// Every violation at or below `spec`.
pub fn check_spec(object: &Value) -> Result<(), Violations> {
    let problems = Validators::new().read(object).err().unwrap_or_default();
    let in_spec = |problem: &Problem| problem.path.split(['.', '[']).next() == Some("spec");
    violations(problems.into_iter().filter(in_spec))
}

/// Whether a resource may take the place of one that has started, by the API server's rules.
///
/// # Errors
/// The rules that the change breaks.
pub fn check_update(old: &Resource, new: &Resource) -> Result<(), Violations> {
    violations(Validators::new().update(old, new).into_iter())
}

/// The problems of the only document there is.
fn violations(problems: impl Iterator<Item = Problem>) -> Result<(), Violations> {
    let violations: Vec<_> = problems.map(|problem| problem.at(1)).collect();
    if violations.is_empty() {
        Ok(())
    } else {
        Err(Violations(violations))
    }
}

/// The fields of the spec that differ between two resources, such as `spec.training.epochs`.
///
/// A field that only one of them has is named by itself, a list as a whole.
pub fn changed_fields(old: &Resource, new: &Resource) -> Vec<String> {
    let spec = |resource: &Resource| {
        let document = serde_json::to_value(resource).unwrap_or_default();
        document.get("spec").cloned().unwrap_or_default()
    };
    let mut changed = Vec::new();
    fields::differing(&spec(old), &spec(new), "spec", &mut changed);
    changed
}

/// A violation within one document.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Problem {
    path: String,
    message: String,
}

impl Problem {
    fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            message: message.into(),
        }
    }

    /// The problem in a document, counted from 1.
    fn at(self, document: usize) -> Violation {
        Violation {
            document,
            line: None,
            path: self.path,
            message: self.message,
        }
    }
}

/// The kind that a document says it is.
fn kind_of(document: &Value) -> Option<&str> {
    document.get("kind").and_then(Value::as_str)
}

#[cfg(test)]
mod tests;
