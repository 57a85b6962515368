//! Manifests: YAML text becomes resources, or a list of everything that is wrong with it.
//!
//! The rules are the API server's own: the schema of the custom resource definitions with its
//! defaults, then its CEL rules; and as by `kubectl`, an unknown field is an error. No input makes
//! this panic, and none makes it take much memory: the size of the text, the number of its
//! documents, their depth and the expansion of YAML aliases are bounded. Nothing here reads a file.

mod fields;
mod schema;
mod validator;
mod violation;
mod yaml;

use serde_json::Value;

pub use violation::{Violation, Violations};
pub use yaml::{MAX_BYTES, MAX_DOCUMENTS};

use super::{Resource, ScreeningStation};
use validator::Validators;
use violation::Problem;

/// Reads the resources of a manifest, defaults in place, in their order.
///
/// A status that a document may bring is dropped, as an API server does.
///
/// # Errors
/// Every violation of every document at once; nothing is read after a place that is not YAML.
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

/// Reads the only station of a manifest, defaults in place.
///
/// # Errors
/// Every violation of every document at once, and a manifest of several documents.
pub fn parse_station(text: &str) -> Result<ScreeningStation, Violations> {
    let (documents, mut violations) = yaml::documents(text);
    let validators = Validators::new();
    let mut stations = Vec::new();
    for (index, document) in documents.iter().enumerate() {
        match validators.read_station(document) {
            Ok(station) => stations.push(station),
            Err(problems) => {
                violations.extend(problems.into_iter().map(|problem| problem.at(index + 1)));
            }
        }
    }
    if violations.is_empty() && stations.len() > 1 {
        let message = "one process serves one station: put each into a file of its own";
        violations.push(Problem::new("", message).at(2));
    }
    match stations.pop() {
        Some(station) if violations.is_empty() => Ok(station),
        _ => Err(Violations(violations)),
    }
}

/// Checks the spec of an object, such as one that an older definition of its kind let in.
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

#[cfg(test)]
mod tests;
