//! The report on a resource that cannot be read: what is wrong with it, in its status and as an event.

use k8s_openapi::jiff::Timestamp;
use kube::api::{DynamicObject, Patch};
use serde_json::json;

use super::admission::broken_rules;
use super::context::Context;
use super::decide::{self, ResourceEvent};
use super::error::Error;
use super::resource_api::{self, is_status, patch_params};
use super::resource_entry::{MalformedResource, ResourceKey};
use attrium_api::{Status, reasons};
use attrium_workflow::set_malformed;

/// Writes into the status of a resource that cannot be read what is wrong with it. Returns the event
/// that says so as well.
///
/// What else its status says stays: a resource that has ended has ended, whatever it is now.
pub(super) async fn report(
    context: &Context,
    key: &ResourceKey,
    malformed: &MalformedResource,
) -> Result<ResourceEvent, Error> {
    let found = resource_api::dynamic(&context.client, key)
        .get_opt(&key.name)
        .await;
    let found = found.map_err(|source| Error::request("read the resource", source))?;
    let object = found.ok_or(Error::Stale)?;
    let rules = broken_rules(&serde_json::to_value(&object).unwrap_or_default());
    let error = rules.unwrap_or_else(|| malformed.error.clone());
    let message = format!("the resource cannot be read: {error}");
    let event = ResourceEvent::warning(reasons::MALFORMED, message.as_str());
    let status = object.data.get("status").cloned();
    let status = status.unwrap_or_else(|| json!({}));
    match serde_json::from_value(status) {
        Ok(status) if decide::ended(&status).is_none() => {
            let generation = malformed.generation;
            write(
                context,
                key,
                &object,
                &with_message(status, &message, generation, context.clock.now()),
            )
            .await?;
        }
        // A status that cannot be read, or that of a resource that has ended, stays as it is.
        _ => {}
    }
    Ok(event)
}

/// A status whose conditions say what is wrong.
fn with_message(
    mut status: Status,
    message: &str,
    generation: Option<i64>,
    now: Timestamp,
) -> Status {
    let now = decide::timestamp(now);
    set_malformed(&mut status.conditions, message, generation, &now);
    status.observed_generation = generation.or(status.observed_generation);
    status
}

/// Writes the conditions of a status, and the generation that they are about.
async fn write(
    context: &Context,
    key: &ResourceKey,
    object: &DynamicObject,
    status: &Status,
) -> Result<(), Error> {
    let patch = Patch::Merge(json!({
        "metadata": { "resourceVersion": object.metadata.resource_version },
        "status": {
            "observedGeneration": status.observed_generation,
            "conditions": status.conditions,
        },
    }));
    let api = resource_api::dynamic(&context.client, key);
    match api.patch_status(&key.name, &patch_params(), &patch).await {
        Ok(_) => Ok(()),
        Err(error) if is_status(&error, 409) => Err(Error::Stale),
        // What is wrong with it may keep its status from being written too: the event says it then.
        Err(kube::Error::Api(refusal)) if refusal.code < 500 => {
            let error = refusal.message.as_str();
            tracing::debug!(
                error,
                "The status of a malformed resource cannot be written"
            );
            Ok(())
        }
        Err(error) => Err(Error::request("write the status", error)),
    }
}
