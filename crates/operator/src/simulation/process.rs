//! A process of attrium's operator: its caches, its queue, and the real code that reconciles.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::{FutureExt, StreamExt};
use k8s_openapi::api::core::v1::ObjectReference;
use kube::core::DeserializeGuard;
use kube::runtime::watcher::Event;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::mpsc::Receiver;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::cluster::{Change, Cluster, Type, is_labelled};
use super::network::Network;
use crate::clock::ServerClock;
use crate::clock::simulated::{CLOCK, Clock};
use crate::context::Context;
use crate::decide::ResourceEvent;
use crate::events::EventQueue;
use crate::fetch::QUERIES_PER_SECOND;
use crate::fixtures::settings;
use crate::index::{Index, Watched};
use crate::kueue::Workloads;
use crate::lease::{Election, Leadership};
use crate::metrics::Metrics;
use crate::queue::{Backoff, QueueReceiver, Requeue, WorkQueue, work_queue};
use crate::reconcile::reconcile;
use crate::resource_entry::ResourceKey;
use crate::serve::reconcile_all;
use crate::watch::{job_event, pod_event, resource_event};
use attrium_api::{Kind, Resource};

/// How far a watch is.
#[derive(Debug)]
enum Stream {
    /// It has yet to list, or to list again.
    Down,
    /// What it has listed is on its way; changes follow from a number on.
    Listing(Vec<Arc<Value>>, usize),
    /// Changes from a number on are on their way.
    Live(usize),
}

/// A process.
pub(super) struct Process {
    pub(super) number: u64,
    context: Arc<Context>,
    pub(super) clock: Clock,
    streams: [Stream; 4],
    queue: WorkQueue,
    receiver: QueueReceiver,
    due: BTreeMap<ResourceKey, Instant>,
    running: BTreeMap<ResourceKey, JoinHandle<Requeue>>,
    backoff: Backoff,
    events: Receiver<(ObjectReference, ResourceEvent)>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    /// Until when it stands still.
    pub(super) frozen: Option<Instant>,
    /// Until when nothing reaches it, nor it anything.
    pub(super) cut_off: Option<Instant>,
}

/// How many resources are reconciled at a time.
const MAX_RECONCILES: usize = 3;

impl Process {
    pub(super) fn start(number: u64, network: &Network, clock: Clock) -> Self {
        let leadership = Leadership::default();
        let server_clock = ServerClock::default();
        let client = network.client(number, &leadership, &server_clock);
        let (queue, receiver) = work_queue();
        let (event_queue, events) = EventQueue::taken();
        let context = Context {
            client,
            clock: server_clock,
            index: Arc::new(Index::default()),
            leadership,
            settings: settings(),
            metrics: Arc::new(Metrics::new()),
            events: event_queue,
            workloads: Workloads::default(),
            event_queries: Arc::new(Semaphore::new(QUERIES_PER_SECOND)),
        };
        Self {
            number,
            context: Arc::new(context),
            clock,
            streams: [const { Stream::Down }; 4],
            queue,
            receiver,
            due: BTreeMap::new(),
            running: BTreeMap::new(),
            backoff: Backoff::default(),
            events,
            stop: watch::Sender::new(false),
            tasks: Vec::new(),
            frozen: None,
            cut_off: None,
        }
    }

    pub(super) fn leads(&self) -> bool {
        self.context.leadership.is_leader()
    }

    /// Whether it stands still.
    pub(super) fn is_frozen(&self) -> bool {
        self.frozen.is_some_and(|until| Instant::now() < until)
    }

    /// Whether nothing reaches it.
    pub(super) fn is_cut_off(&self) -> bool {
        self.cut_off.is_some_and(|until| Instant::now() < until)
    }

    /// It ends at once, whatever it was doing.
    pub(super) fn crash(self) {
        for task in self.tasks {
            task.abort();
        }
        for (_, running) in self.running {
            running.abort();
        }
    }

    /// It is told to stop, as by SIGTERM: it gives its Lease back.
    pub(super) fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Stands for election, once its caches are filled.
    fn elect(&mut self) {
        let leadership = self.context.leadership.clone();
        let name = format!("process-{}", self.number);
        let client = self.context.client.clone();
        let election = Election::new(client, "attrium", "lease", &name, leadership.clone());
        let election = CLOCK.scope(self.clock.clone(), election.run(self.stop.subscribe()));
        self.tasks.push(tokio::spawn(election));
        let (index, queue) = (self.context.index.clone(), self.queue.clone());
        self.tasks
            .push(tokio::spawn(reconcile_all(leadership, index, queue)));
    }

    /// A watch goes on by a step: of its list, or of what follows. Whether there was anything to do.
    pub(super) fn watch(&mut self, cluster: &Cluster, number: usize) -> bool {
        let watched = Watched::ALL[number];
        let index = self.context.index.clone();
        let of = of(watched);
        let keys = match &mut self.streams[number] {
            Stream::Down => {
                if self.tasks.is_empty() && !self.may_list(number) {
                    return false;
                }
                index.begin_relist(watched, None);
                let objects = cluster.of(of).map(|(_, object)| object);
                let objects = objects.filter(|it| is_seen(of, it)).cloned().collect();
                self.streams[number] = Stream::Listing(objects, cluster.changes(of));
                Vec::new()
            }
            Stream::Listing(objects, next) => match objects.pop() {
                Some(object) => apply(&index, watched, Event::InitApply(&object)),
                None => {
                    self.streams[number] = Stream::Live(*next);
                    let keys = index.end_relist(watched, None);
                    if self.tasks.is_empty() && number == 3 {
                        self.elect();
                    }
                    keys
                }
            },
            Stream::Live(next) => {
                let Some(change) = cluster.change(of, *next) else {
                    return false;
                };
                *next += 1;
                tell(&index, watched, &change)
            }
        };
        for key in keys {
            self.queue.add(key);
        }
        true
    }

    /// Whether the watches before one have been listed.
    fn may_list(&self, number: usize) -> bool {
        let mut before = self.streams[..number].iter();
        before.all(|it| matches!(it, Stream::Live(_)))
    }

    /// A watch breaks, and lists anew.
    pub(super) fn break_watch(&mut self, number: usize) {
        self.streams[number] = Stream::Down;
    }

    /// A watch tells again of what it has told.
    pub(super) fn repeat(&mut self, number: usize, changes: usize) {
        if let Stream::Live(next) = &mut self.streams[number] {
            *next = next.saturating_sub(changes);
        }
    }

    /// Begins to reconcile what is due, and takes note of what has ended. Whether there was anything to do.
    pub(super) fn reconcile(&mut self) -> bool {
        self.take_queued();
        let ended = self.end_reconciliations();
        let now = Instant::now();
        let is_due =
            |(key, at): &(&ResourceKey, &Instant)| **at <= now && !self.running.contains_key(key);
        let room = MAX_RECONCILES - self.running.len();
        let due: Vec<_> = self
            .due
            .iter()
            .filter(is_due)
            .map(|(key, _)| key.clone())
            .take(room)
            .collect();
        for key in &due {
            self.due.remove(key);
            let reconciling = reconcile(self.context.clone(), key.clone());
            let reconciling = tokio::spawn(CLOCK.scope(self.clock.clone(), reconciling));
            self.running.insert(key.clone(), reconciling);
        }
        ended || !due.is_empty()
    }

    fn take_queued(&mut self) {
        while let Some(Some(request)) = self.receiver.next().now_or_never() {
            let at = self.due.entry(request.message).or_insert(request.run_at);
            *at = (*at).min(request.run_at);
        }
    }

    fn end_reconciliations(&mut self) -> bool {
        let ended = self.running.iter().filter(|(_, it)| it.is_finished());
        let ended: Vec<_> = ended.map(|(key, _)| key.clone()).collect();
        for key in &ended {
            let handle = self.running.remove(key).expect("should run");
            let requeue = handle.now_or_never().expect("has ended").expect("no panic");
            if let Some(delay) = self.backoff.delay(key, requeue) {
                let at = Instant::now() + delay;
                let due = self.due.entry(key.clone()).or_insert(at);
                *due = (*due).min(at);
            }
        }
        !ended.is_empty()
    }

    /// The events that it has published since the last time.
    pub(super) fn published(&mut self) -> Vec<ResourceEvent> {
        let mut published = Vec::new();
        while let Ok((_, event)) = self.events.try_recv() {
            published.push(event);
        }
        published
    }
}

/// The type of what is watched.
const fn of(watched: Watched) -> Type {
    match watched {
        Watched::Resources(Kind::TrainingRun) => Type::TrainingRun,
        Watched::Resources(Kind::ScreeningJob) => Type::ScreeningJob,
        Watched::Jobs => Type::Job,
        Watched::Pods => Type::Pod,
    }
}

/// Whether a watch of a type tells of an object.
fn is_seen(of: Type, object: &Value) -> bool {
    Type::RESOURCES.contains(&of) || is_labelled(object)
}

/// A watch tells of a change, if it does of such an object.
fn tell(index: &Index, watched: Watched, change: &Change) -> Vec<ResourceKey> {
    match (is_seen(of(watched), &change.object), change.is_deleted) {
        (false, _) => Vec::new(),
        (true, true) => apply(index, watched, Event::Delete(&change.object)),
        (true, false) => apply(index, watched, Event::Apply(&change.object)),
    }
}

fn apply(index: &Index, watched: Watched, event: Event<&Arc<Value>>) -> Vec<ResourceKey> {
    match watched {
        Watched::Resources(kind @ Kind::TrainingRun) => {
            resource_event(index, kind, Resource::from_training, guarded(event))
        }
        Watched::Resources(kind @ Kind::ScreeningJob) => {
            resource_event(index, kind, Resource::from_screening, guarded(event))
        }
        Watched::Jobs => job_event(index, map(event, read)),
        Watched::Pods => pod_event(index, map(event, read)),
    }
}

fn read<K: for<'a> Deserialize<'a>>(object: &Value) -> K {
    K::deserialize(object).expect("should be an object of its type")
}

fn guarded<K: for<'a> Deserialize<'a>>(event: Event<&Arc<Value>>) -> Event<DeserializeGuard<K>> {
    map(event, |object| DeserializeGuard(Ok(read(object))))
}

fn map<K>(event: Event<&Arc<Value>>, read: impl Fn(&Value) -> K) -> Event<K> {
    match event {
        Event::Apply(object) => Event::Apply(read(object)),
        Event::Delete(object) => Event::Delete(read(object)),
        Event::InitApply(object) => Event::InitApply(read(object)),
        Event::Init => Event::Init,
        Event::InitDone => Event::InitDone,
    }
}
