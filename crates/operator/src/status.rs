//! The fourth step: the status is written.
//!
//! It is patched with what differs, and only on top of the version that it was decided from.

use serde_json::{Map, Value, json};

use super::context::Context;
use super::created_resource::CreatedResource;
use super::error::Error;
use super::resource_api::{is_status, patch_status};
use super::resource_entry::ResourceKey;
use super::resource_snapshot::ResourceSnapshot;
use attrium_api::{Resource, Status, Uid};

/// Writes the status of the resource of a snapshot.
pub(super) async fn write(
    context: &Context,
    key: &ResourceKey,
    snapshot: &ResourceSnapshot,
    status: &Status,
) -> Result<(), Error> {
    context.ensure_leader()?;
    let resource = &snapshot.resource;
    let old = serde_json::to_value(resource.status()).unwrap_or_default();
    let new = serde_json::to_value(status).unwrap_or_default();
    let patch = json!({
        "metadata": { "resourceVersion": resource.metadata().resource_version },
        "status": difference(&old, &new),
    });
    let written = match patch_status(&context.client, key, patch).await {
        // Something in it that another has made is against the schema: the rest is worth more.
        Err(error) if is_status(&error, 422) => {
            let refused = error.to_string();
            tracing::error!(
                error = refused,
                "The status is refused, and cut to the least: this is a defect"
            );
            let status = json!(minimal(resource.status(), status));
            let patch = json!({
                "metadata": { "resourceVersion": resource.metadata().resource_version },
                "status": difference(&old, &status),
            });
            patch_status(&context.client, key, patch).await
        }
        written => written,
    };
    index_written(context, written)?;
    let metrics = &context.metrics;
    metrics.status_written(snapshot, status, context.clock.now());
    Ok(())
}

/// Writes into the status of a resource that has ended which generation it is about, so that who compares
/// the two does not wait for ever.
pub(super) async fn observe(
    context: &Context,
    key: &ResourceKey,
    uid: &Uid,
    generation: i64,
) -> Result<(), Error> {
    context.ensure_leader()?;
    let patch = json!({
        "metadata": { "uid": uid.as_str() },
        "status": { "observedGeneration": generation },
    });
    index_written(context, patch_status(&context.client, key, patch).await)
}

/// Keeps what was written, so that the next reconciliation does not have to wait for the watch.
fn index_written(context: &Context, written: kube::Result<Resource>) -> Result<(), Error> {
    let written = written.map_err(|error| {
        if is_status(&error, 409) || is_status(&error, 404) {
            Error::Stale
        } else {
            Error::request("write the status", error)
        }
    })?;
    if let Some(written) = CreatedResource::new(written) {
        context.index.apply_written(written);
    }
    Ok(())
}

/// The least of a status that a decision is made from: phase, stages and conditions, without the words of
/// others. What was written before stays.
fn minimal(previous: Option<&Status>, status: &Status) -> Status {
    let mut least = previous.cloned().unwrap_or_default();
    least.phase = status.phase;
    least.stages.clone_from(&status.stages);
    for stage in &mut least.stages {
        if let Some(failure) = &mut stage.failure {
            failure.message = UNTOLD.to_owned();
        }
    }
    least.conditions.clone_from(&status.conditions);
    for condition in &mut least.conditions {
        condition.message = UNTOLD.to_owned();
    }
    least.model.clone_from(&status.model);
    least.report.clone_from(&status.report);
    least
}

/// In place of words that the API server does not take.
const UNTOLD: &str = "See the operator's log";

/// The JSON merge patch (RFC 7396) that makes one value of another.
fn difference(old: &Value, new: &Value) -> Value {
    let (Value::Object(old), Value::Object(new)) = (old, new) else {
        return new.clone();
    };
    let mut patch = Map::new();
    for (field, value) in new {
        match old.get(field) {
            Some(before) if before == value => {}
            Some(before) => {
                patch.insert(field.clone(), difference(before, value));
            }
            None => {
                patch.insert(field.clone(), value.clone());
            }
        }
    }
    for field in old.keys().filter(|field| !new.contains_key(*field)) {
        patch.insert(field.clone(), Value::Null);
    }
    Value::Object(patch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_has_what_differs_and_takes_away_what_is_gone() {
        let old = json!({"phase": "Running", "progress": {"percent": 3, "eta": "x"}, "a": [1, 2]});
        let new = json!({"phase": "Running", "progress": {"percent": 4}, "a": [1], "b": {}});
        let patch = json!({"progress": {"percent": 4, "eta": null}, "a": [1], "b": {}});
        assert_eq!(difference(&old, &new), patch);
        assert_eq!(difference(&old, &old), json!({}));
        assert_eq!(difference(&Value::Null, &new), new);
    }
}
