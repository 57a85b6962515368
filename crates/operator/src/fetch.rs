//! The first step: what is known of a resource, and what has to be asked for beside.
//!
//! It reads the index, and asks for the events of pods and Jobs that are pending for no reason of their
//! own, for whether their namespace is being deleted, and for the Workload of a Job in a queue: rarely, and few at a time. It changes nothing on the
//! cluster.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, ListParams};
use tokio::time::{Instant, sleep};

use super::context::Context;
use super::decide::{ObservedState, PendingReasons, lacks_pods, unexplained};
use super::resource_entry::{EndedResource, MalformedResource, ResourceEntry, ResourceKey};
use super::resource_snapshot::ResourceSnapshot;
use super::snapshot::Problem;
use attrium_api::{Uid, reasons};

/// What is known of a resource.
#[derive(Debug)]
pub(super) enum Fetched {
    /// It is gone.
    Gone,
    /// It cannot be read.
    Malformed(Arc<MalformedResource>),
    /// It has ended.
    Ended(EndedResource),
    /// It has not ended.
    Live(Box<ObservedState>),
}

/// How long an answer holds.
const FRESH: Duration = Duration::from_secs(15);
/// The most pods of a resource whose events are asked for at a time.
const MAX_PODS: usize = 3;
/// How many resources may have events asked for in a second.
pub(super) const QUERIES_PER_SECOND: usize = 8;
/// The most events of a list.
const MAX_EVENTS: u32 = 200;

/// Fetches what is known of a resource.
pub(super) async fn fetch(context: &Context, key: &ResourceKey) -> Fetched {
    let resource = match context.index.get(key) {
        None => return Fetched::Gone,
        Some(ResourceEntry::Malformed(malformed)) => return Fetched::Malformed(malformed),
        Some(ResourceEntry::Ended(ended)) => return Fetched::Ended(ended),
        Some(ResourceEntry::Live(resource)) => resource,
    };
    let snapshot = context.index.snapshot(key, resource);
    let now = context.clock.now();
    let pending = pending(context, key, &snapshot, now).await;
    Fetched::Live(Box::new(ObservedState {
        snapshot,
        pending,
        events_published_until: context.leadership.events_published_until(),
        now,
    }))
}

/// The objects whose reason to be pending has to be asked for.
#[derive(Debug, Default)]
struct Queries {
    /// Pods without a reason of their own: name and uid.
    pods: Vec<(String, Uid)>,
    /// A Job that should have pods.
    job: Option<Uid>,
    /// A Job that somebody else than attrium has suspended, and whether it names a queue.
    held: Option<(Uid, bool)>,
}

impl Queries {
    fn new(snapshot: &ResourceSnapshot, now: Timestamp) -> Self {
        let Some(job) = snapshot.open_jobs().last() else {
            return Self::default();
        };
        let pods = snapshot.pods.iter();
        let own = pods.filter(|pod| pod.origin.stage == job.origin.stage);
        let pods = unexplained(own.clone(), now).take(MAX_PODS);
        Self {
            pods: pods
                .map(|pod| (pod.name.clone(), pod.uid.clone()))
                .collect(),
            job: lacks_pods(job, own, now).then(|| job.uid.clone()),
            held: (job.suspended && !job.suspended_by_attrium)
                .then(|| (job.uid.clone(), job.queued)),
        }
    }

    fn is_empty(&self) -> bool {
        self.pods.is_empty() && self.job.is_none() && self.held.is_none()
    }
}

/// Why objects of a resource are pending: asked for anew where the last answer is old and others do
/// not ask too often.
async fn pending(
    context: &Context,
    key: &ResourceKey,
    snapshot: &ResourceSnapshot,
    now: Timestamp,
) -> PendingReasons {
    let queries = Queries::new(snapshot, now);
    if queries.is_empty() {
        return PendingReasons::default();
    }
    let last = &snapshot.state.pending;
    let is_fresh = |asked: Instant| asked.elapsed() < FRESH;
    if snapshot.state.asked.is_some_and(is_fresh) {
        return last.clone();
    }
    let Ok(permit) = context.event_queries.clone().try_acquire_owned() else {
        return last.clone();
    };
    tokio::spawn(async move {
        sleep(Duration::from_secs(1)).await;
        drop(permit);
    });
    let pending = match ask(context, key, &queries).await {
        Ok(pending) => pending,
        Err(error) => {
            tracing::debug!(%error, "Events cannot be read");
            last.clone()
        }
    };
    context
        .index
        .update_state(snapshot.resource.uid(), |state| {
            state.pending = pending.clone();
            state.asked = Some(Instant::now());
        });
    pending
}

async fn ask(
    context: &Context,
    key: &ResourceKey,
    queries: &Queries,
) -> kube::Result<PendingReasons> {
    let api: Api<Event> = Api::namespaced(context.client.clone(), &key.namespace);
    let list = async |uid: &Uid| {
        let params = ListParams::default()
            .fields(&format!("regarding.uid={uid}"))
            .limit(MAX_EVENTS);
        api.list(&params).await.map(|list| list.items)
    };
    let mut pods = BTreeMap::new();
    for (name, uid) in &queries.pods {
        if let Some(problem) = latest_warning(&list(uid).await?) {
            pods.insert(name.clone(), problem);
        }
    }
    let job = match &queries.job {
        Some(_) if is_ending(context, &key.namespace).await => Some(Problem {
            reason: reasons::NAMESPACE_TERMINATING.to_owned(),
            message: "the namespace is being deleted".to_owned(),
        }),
        Some(uid) => latest_warning(&list(uid).await?),
        None => None,
    };
    let queue = match &queries.held {
        Some((uid, is_queued)) => {
            let (client, workloads) = (&context.client, &context.workloads);
            let kueue = workloads.of(client, &key.namespace, uid).await?;
            kueue.reason(*is_queued)
        }
        None => None,
    };
    Ok(PendingReasons { pods, job, queue })
}

/// Whether a namespace is being deleted: no event says so, since none can be made there any more. An
/// operator that may not ask takes it for one that stays.
async fn is_ending(context: &Context, namespace: &str) -> bool {
    let namespaces: Api<Namespace> = Api::all(context.client.clone());
    let found = namespaces.get_metadata(namespace).await;
    found.is_ok_and(|it| it.metadata.deletion_timestamp.is_some())
}

/// The latest event, if it is a warning: things have gone on since an earlier one.
fn latest_warning(events: &[Event]) -> Option<Problem> {
    let is_warning = |event: &Event| event.type_.as_deref() == Some("Warning");
    // Some writers have the second only.
    let second = |event: &Event| last_seen(event).map(Timestamp::as_second);
    let latest = events
        .iter()
        .max_by_key(|event| (second(event), is_warning(event)))
        .filter(|event| is_warning(event))?;
    Some(Problem {
        reason: latest.reason.clone().unwrap_or_default(),
        message: latest.note.clone().unwrap_or_default(),
    })
}

/// When an event was last seen; its three writers have three places for that.
fn last_seen(event: &Event) -> Option<Timestamp> {
    let series = event.series.as_ref().map(|it| it.last_observed_time.0);
    let legacy = event.deprecated_last_timestamp.as_ref().map(|time| time.0);
    let first = event.event_time.as_ref().map(|time| time.0);
    series.max(legacy).max(first)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// An event as the scheduler writes it, or as the kubelet does, which has the second only.
    fn event(kind: &str, reason: &str, time: &str) -> Event {
        let field = if time.contains('.') {
            "eventTime"
        } else {
            "deprecatedLastTimestamp"
        };
        let mut event = json!({"metadata": {}, "type": kind, "reason": reason, "note": reason});
        event[field] = json!(time);
        serde_json::from_value(event).expect("an event")
    }

    #[test]
    fn a_warning_counts_until_another_event_follows() {
        let reason = |events: &[Event]| latest_warning(events).map(|problem| problem.reason);
        let mut events = vec![
            event("Warning", "FailedScheduling", "2026-11-24T10:00:01.500000Z"),
            event("Normal", "TriggeredScaleUp", "2026-11-24T10:00:01Z"),
        ];
        assert_eq!(reason(&events).as_deref(), Some("FailedScheduling"));
        let scheduled = event("Normal", "Scheduled", "2026-11-24T10:02:00.700000Z");
        events.insert(0, scheduled);
        assert_eq!(reason(&events), None);
        events.push(event("Warning", "FailedMount", "2026-11-24T10:02:00Z"));
        assert_eq!(reason(&events).as_deref(), Some("FailedMount"));
        events.push(event("Normal", "Pulling", "2026-11-24T10:02:03Z"));
        assert_eq!(reason(&events), None);
    }
}
