//! The last step: what became of it is written into the status, and people are told by events.
//!
//! A status is patched with what differs, and only on top of the version that it was decided from.
//! Events are a convenience: they are published beside the work, and lost rather than waited for.

use std::fmt::Debug;
use std::time::Duration;

use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::jiff::Timestamp;
use kube::Client;
use kube::api::{Api, ApiResource, DynamicObject, Patch};
use kube::core::NamespaceResourceScope;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::watch;
use tokio::time::timeout;

use super::apply::{is, patch_params, request};
use super::context::Context;
use super::decide::{self, Notice};
use super::error::Error;
use super::resource_entry::{Key, Kind, Malformed};
use super::stop::stopped;
use attrium_api::{
    API_VERSION, Condition, ConditionStatus, Resource, ScreeningJob, Status, TrainingRun,
    conditions, manifest, reasons, set_condition,
};

/// The most events that wait to be published.
const WAITING: usize = 4096;
/// The longest sentence of an event, in bytes.
const NOTE: usize = 1024;
/// The most of what is wrong with a resource that its status tells.
const TOLD_VIOLATIONS: usize = 8;
/// How long the end of the process waits for events.
const LAST: Duration = Duration::from_secs(3);

/// Writes a resource's status.
pub(super) async fn status(
    context: &Context,
    key: &Key,
    resource: &Resource,
    new: &Status,
) -> Result<(), Error> {
    let old = serde_json::to_value(resource.status()).unwrap_or_default();
    let new = serde_json::to_value(new).unwrap_or_default();
    let version = resource.metadata().resource_version.as_deref();
    let patch = json!({
        "metadata": { "resourceVersion": version },
        "status": difference(&old, &new),
    });
    let written = patch_status(context, key, patch).await?;
    context.index.put_written(written);
    Ok(())
}

/// Says in the status of a resource that cannot be read what is wrong with it.
///
/// What else its status says stays: a resource that has ended has ended, whatever it is now.
pub(super) async fn malformed(
    context: &Context,
    key: &Key,
    malformed: &Malformed,
) -> Result<Notice, Error> {
    let resource = match key.kind {
        Kind::TrainingRun => ApiResource::erase::<TrainingRun>(&()),
        Kind::ScreeningJob => ApiResource::erase::<ScreeningJob>(&()),
    };
    let client = context.client.clone();
    let api: Api<DynamicObject> = Api::namespaced_with(client, &key.namespace, &resource);
    let found = api.get_opt(&key.name).await;
    let found = found.map_err(|source| request("read the resource".to_owned(), source))?;
    let Some(object) = found else {
        return Err(Error::Stale);
    };
    let message = format!(
        "the resource cannot be read: {}",
        wrong_with(&object, malformed)
    );
    let notice = Notice::warning(reasons::MALFORMED, message.as_str());
    let status = object
        .data
        .get("status")
        .cloned()
        .unwrap_or_else(|| json!({}));
    let Ok(mut status) = serde_json::from_value::<Status>(status) else {
        return Ok(notice);
    };
    if decide::ended(&status).is_some() {
        return Ok(notice);
    }
    let now = decide::text(Timestamp::now());
    let (kind, state) = (conditions::ACCEPTED, ConditionStatus::False);
    let mut accepted = Condition::new(kind, state, reasons::MALFORMED, message, &now);
    accepted.observed_generation = malformed.generation;
    set_condition(&mut status.conditions, accepted);
    let patch = Patch::Merge(json!({
        "metadata": { "resourceVersion": object.metadata.resource_version },
        "status": { "conditions": status.conditions },
    }));
    match api.patch_status(&key.name, &patch_params(), &patch).await {
        Ok(_) => Ok(notice),
        Err(error) if is(&error, 409) => Err(Error::Stale),
        // What is wrong with it may keep its status from being written too: an event tells then.
        Err(kube::Error::Api(refusal)) if refusal.code < 500 => {
            let error = refusal.message.as_str();
            tracing::debug!(
                error,
                "The status of a malformed resource cannot be written"
            );
            Ok(notice)
        }
        Err(error) => Err(request("write the status".to_owned(), error)),
    }
}

/// What is wrong with an object, field by field where its schema tells.
fn wrong_with(object: &DynamicObject, malformed: &Malformed) -> String {
    let object = serde_json::to_value(object).unwrap_or_default();
    let Err(violations) = manifest::check_spec(&object) else {
        return malformed.error.clone();
    };
    let told = violations
        .iter()
        .take(TOLD_VIOLATIONS)
        .map(|violation| format!("{} {}", violation.path, violation.message));
    told.collect::<Vec<_>>().join("; ")
}

async fn patch_status(context: &Context, key: &Key, patch: Value) -> Result<Resource, Error> {
    match key.kind {
        Kind::TrainingRun => {
            let run: TrainingRun = patch_as(context, key, patch).await?;
            Ok(Resource::from_training(run))
        }
        Kind::ScreeningJob => {
            let job: ScreeningJob = patch_as(context, key, patch).await?;
            Ok(Resource::from_screening(job))
        }
    }
}

async fn patch_as<K>(context: &Context, key: &Key, patch: Value) -> Result<K, Error>
where
    K: kube::Resource<Scope = NamespaceResourceScope, DynamicType = ()> + DeserializeOwned,
    K: Clone + Debug,
{
    let api: Api<K> = Api::namespaced(context.client.clone(), &key.namespace);
    let written = api
        .patch_status(&key.name, &patch_params(), &Patch::Merge(patch))
        .await;
    written.map_err(|error| {
        if is(&error, 409) || is(&error, 404) {
            Error::Stale
        } else {
            request("write the status".to_owned(), error)
        }
    })
}

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

/// Where events are handed in.
#[derive(Clone)]
pub(super) struct Events(Sender<(ObjectReference, Notice)>);

/// Where events are published.
pub(super) struct Publisher {
    receiver: Receiver<(ObjectReference, Notice)>,
    recorder: Recorder,
}

/// Both ends of the way of events.
pub(super) fn events(client: Client, identity: &str) -> (Events, Publisher) {
    let (sender, receiver) = channel(WAITING);
    let reporter = Reporter {
        controller: "attrium.dev/operator".to_owned(),
        instance: Some(identity.to_owned()),
    };
    let recorder = Recorder::new(client, reporter);
    (Events(sender), Publisher { receiver, recorder })
}

impl Events {
    /// Tells people something about a resource.
    pub(super) fn tell(&self, key: &Key, uid: &str, notices: Vec<Notice>) {
        for notice in notices {
            let reference = ObjectReference {
                api_version: Some(API_VERSION.to_owned()),
                kind: Some(key.kind.name().to_owned()),
                namespace: Some(key.namespace.to_string()),
                name: Some(key.name.to_string()),
                uid: Some(uid.to_owned()),
                ..ObjectReference::default()
            };
            if self.0.try_send((reference, notice)).is_err() {
                tracing::debug!("An event is dropped: too many wait");
            }
        }
    }
}

impl Publisher {
    /// Publishes events until it is told to stop, and then those that wait.
    pub(super) async fn run(mut self, mut stop: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                () = stopped(&mut stop) => break,
                Some((reference, notice)) = self.receiver.recv() => {
                    self.publish(&reference, &notice).await;
                }
            }
        }
        self.receiver.close();
        let rest = async {
            while let Some((reference, notice)) = self.receiver.recv().await {
                self.publish(&reference, &notice).await;
            }
        };
        let _ = timeout(LAST, rest).await;
    }

    async fn publish(&self, reference: &ObjectReference, notice: &Notice) {
        let mut note = notice.message.clone();
        note.truncate(note.floor_char_boundary(NOTE));
        let event = Event {
            type_: if notice.is_warning {
                EventType::Warning
            } else {
                EventType::Normal
            },
            reason: notice.reason.clone(),
            note: Some(note),
            action: notice.action.clone(),
            secondary: None,
        };
        if let Err(error) = self.recorder.publish(&event, reference).await {
            tracing::debug!(%error, "An event cannot be published");
        }
    }
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
