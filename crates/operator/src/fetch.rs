//! The first step: what is known of a resource, and what has to be asked for beside.
//!
//! It reads the index, and asks for the events of pods and Jobs that say nothing of themselves, and
//! for the Workload of a Job in a queue: rarely, and few at a time. It changes nothing on the cluster.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use k8s_openapi::api::events::v1::Event;
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, ListParams};
use tokio::time::sleep;

use super::context::Context;
use super::decide::{Situation, Words, is_barren, silent};
use super::names;
use super::resource_entry::{Dossier, Key, Known, Malformed, Over};
use super::snapshot::Why;

/// What is known of a resource.
#[derive(Debug)]
pub(super) enum Found {
    /// It is gone.
    Nothing,
    /// It cannot be read.
    Malformed(std::sync::Arc<Malformed>),
    /// It has ended.
    Over(Over),
    /// There is something to do for it.
    Live(Box<Situation>),
}

/// How long what events said holds.
const FRESH: Duration = Duration::from_secs(15);
/// The most pods of a resource whose events are asked for at a time.
const PODS: usize = 3;
/// How many resources may have events asked for in a second.
pub(super) const QUESTIONS: usize = 8;
/// The most events of a list.
const EVENTS: u32 = 200;

/// What is known of a resource.
pub(super) async fn fetch(context: &Context, key: &Key) -> Found {
    let resource = match context.index.get(key) {
        None => return Found::Nothing,
        Some(Known::Malformed(malformed)) => return Found::Malformed(malformed),
        Some(Known::Over(over)) => return Found::Over(over),
        Some(Known::Live(resource)) => resource,
    };
    let dossier = context.index.dossier(key, resource);
    let now = Timestamp::now();
    let manifest = names::config_map(&dossier.resource);
    let words = words(context, key, &dossier, now).await;
    Found::Live(Box::new(Situation {
        resource: dossier.resource,
        jobs: dossier.jobs,
        pods: dossier.pods,
        heard: dossier.memo.heard,
        has_manifest: dossier.memo.manifest.as_ref() == Some(&manifest),
        refused: dossier.memo.refused,
        held: dossier.memo.held,
        model: dossier.model,
        words,
        told_until: context.leadership.told_until(),
        now,
    }))
}

/// What has to be asked for.
#[derive(Debug, Default)]
struct Questions {
    /// The pods that wait in silence: name and uid.
    pods: Vec<(String, String)>,
    /// The uid of a Job that should have pods.
    job: Option<String>,
    /// The uid of a Job that waits for its queue.
    queue: Option<String>,
}

impl Questions {
    fn of(dossier: &Dossier, now: Timestamp) -> Self {
        let mut jobs = dossier.jobs.values().filter(|job| job.is_open());
        let Some(job) = jobs.next_back() else {
            return Self::default();
        };
        let own = dossier
            .pods
            .iter()
            .filter(|pod| pod.origin.stage == job.origin.stage);
        let pods = silent(own.clone(), now).take(PODS);
        Self {
            pods: pods
                .map(|pod| (pod.name.clone(), pod.uid.clone()))
                .collect(),
            job: is_barren(job, own.count(), now).then(|| job.uid.clone()),
            queue: (job.queued && job.suspended).then(|| job.uid.clone()),
        }
    }

    fn is_empty(&self) -> bool {
        self.pods.is_empty() && self.job.is_none() && self.queue.is_none()
    }
}

async fn words(context: &Context, key: &Key, dossier: &Dossier, now: Timestamp) -> Words {
    let questions = Questions::of(dossier, now);
    if questions.is_empty() {
        return Words::default();
    }
    let is_fresh = |asked: Instant| asked.elapsed() < FRESH;
    if dossier.memo.asked.is_some_and(is_fresh) {
        return dossier.memo.words.clone();
    }
    let Ok(permit) = context.questions.clone().try_acquire_owned() else {
        return dossier.memo.words.clone();
    };
    tokio::spawn(async move {
        sleep(Duration::from_secs(1)).await;
        drop(permit);
    });
    let words = match ask(context, key, &questions).await {
        Ok(words) => words,
        Err(error) => {
            tracing::debug!(%error, "What is said of it cannot be read");
            dossier.memo.words.clone()
        }
    };
    let uid = dossier.resource.uid().unwrap_or_default();
    context.index.note(uid, |memo| {
        memo.words = words.clone();
        memo.asked = Some(Instant::now());
    });
    words
}

async fn ask(context: &Context, key: &Key, questions: &Questions) -> kube::Result<Words> {
    let api: Api<Event> = Api::namespaced(context.client.clone(), &key.namespace);
    let list = async |uid: &str| {
        let params = ListParams::default()
            .fields(&format!("regarding.uid={uid}"))
            .limit(EVENTS);
        api.list(&params).await.map(|list| list.items)
    };
    let mut pods = BTreeMap::new();
    for (name, uid) in &questions.pods {
        if let Some(why) = latest(&list(uid).await?) {
            pods.insert(name.clone(), why);
        }
    }
    let job = match &questions.job {
        Some(uid) => latest(&list(uid).await?),
        None => None,
    };
    let queue = match &questions.queue {
        Some(uid) => {
            let (client, workloads) = (&context.client, &context.workloads);
            workloads.why_queued(client, &key.namespace, uid).await?
        }
        None => None,
    };
    Ok(Words { pods, job, queue })
}

/// What the latest event says, if it is a warning: things have gone on since an earlier one.
fn latest(events: &[Event]) -> Option<Why> {
    let is_warning = |event: &Event| event.type_.as_deref() == Some("Warning");
    // Some writers tell the second only.
    let second = |event: &Event| at(event).map(Timestamp::as_second);
    let latest = events
        .iter()
        .max_by_key(|event| (second(event), is_warning(event)))
        .filter(|event| is_warning(event))?;
    Some(Why {
        reason: latest.reason.clone().unwrap_or_default(),
        message: latest.note.clone().unwrap_or_default(),
    })
}

/// When an event was last seen; its three writers have three places for that.
fn at(event: &Event) -> Option<Timestamp> {
    let series = event.series.as_ref().map(|it| it.last_observed_time.0);
    let legacy = event.deprecated_last_timestamp.as_ref().map(|time| time.0);
    let first = event.event_time.as_ref().map(|time| time.0);
    series.max(legacy).max(first)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// An event as the scheduler writes it, or as the kubelet does, which tells the second only.
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
    fn a_warning_counts_until_something_else_is_told() {
        let told = |events: &[Event]| latest(events).map(|why| why.reason);
        let mut events = vec![
            event("Warning", "FailedScheduling", "2026-11-24T10:00:01.500000Z"),
            event("Normal", "TriggeredScaleUp", "2026-11-24T10:00:01Z"),
        ];
        assert_eq!(told(&events).as_deref(), Some("FailedScheduling"));
        let scheduled = event("Normal", "Scheduled", "2026-11-24T10:02:00.700000Z");
        events.insert(0, scheduled);
        assert_eq!(told(&events), None);
        events.push(event("Warning", "FailedMount", "2026-11-24T10:02:00Z"));
        assert_eq!(told(&events).as_deref(), Some("FailedMount"));
        events.push(event("Normal", "Pulling", "2026-11-24T10:02:03Z"));
        assert_eq!(told(&events), None);
    }
}
