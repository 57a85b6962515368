//! The fifth step: events are published.
//!
//! Events are a convenience: they are published beside the work, and lost rather than waited for.

use std::time::Duration;

use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::watch;
use tokio::time::timeout;

use super::decide::ResourceEvent;
use super::resource_entry::ResourceKey;
use super::stop::stopped;
use attrium_api::{API_VERSION, Uid};
use attrium_types::text::truncate;

/// The most events that wait to be published.
const CAPACITY: usize = 4096;
/// The longest sentence of an event, in bytes.
const MAX_NOTE: usize = 1024;
/// How long the end of the process waits for events.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(3);

/// The queue of events that wait to be published.
#[derive(Clone)]
pub(super) struct EventQueue(Sender<(ObjectReference, ResourceEvent)>);

/// What publishes events.
pub(super) struct Publisher {
    receiver: Receiver<(ObjectReference, ResourceEvent)>,
    recorder: Recorder,
}

/// A queue of events, and what publishes them.
pub(super) fn event_queue(client: Client, identity: &str) -> (EventQueue, Publisher) {
    let (sender, receiver) = channel(CAPACITY);
    let reporter = Reporter {
        controller: "attrium.dev/operator".to_owned(),
        instance: Some(identity.to_owned()),
    };
    let recorder = Recorder::new(client, reporter);
    (EventQueue(sender), Publisher { receiver, recorder })
}

impl EventQueue {
    /// A queue whose events a test takes.
    #[cfg(test)]
    pub(super) fn taken() -> (Self, Receiver<(ObjectReference, ResourceEvent)>) {
        let (sender, receiver) = channel(CAPACITY);
        (Self(sender), receiver)
    }

    /// Has events of a resource published.
    pub(super) fn publish(&self, key: &ResourceKey, uid: &Uid, events: Vec<ResourceEvent>) {
        for event in events {
            let reference = ObjectReference {
                api_version: Some(API_VERSION.to_owned()),
                kind: Some(key.kind.to_string()),
                namespace: Some(key.namespace.to_string()),
                name: Some(key.name.to_string()),
                uid: Some(uid.to_string()),
                ..ObjectReference::default()
            };
            if self.0.try_send((reference, event)).is_err() {
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
                Some((reference, event)) = self.receiver.recv() => {
                    self.publish(&reference, &event).await;
                }
            }
        }
        self.receiver.close();
        let rest = async {
            while let Some((reference, event)) = self.receiver.recv().await {
                self.publish(&reference, &event).await;
            }
        };
        let _ = timeout(DRAIN_TIMEOUT, rest).await;
    }

    async fn publish(&self, reference: &ObjectReference, event: &ResourceEvent) {
        let note = truncate(event.message.clone(), MAX_NOTE);
        let published = Event {
            type_: if event.is_warning {
                EventType::Warning
            } else {
                EventType::Normal
            },
            reason: event.reason.clone(),
            note: Some(note),
            action: event.action.clone(),
            secondary: None,
        };
        if let Err(error) = self.recorder.publish(&published, reference).await {
            tracing::debug!(%error, "An event cannot be published");
        }
    }
}
