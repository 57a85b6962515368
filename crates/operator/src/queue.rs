//! The work queue: resources to be reconciled, each once at a time, a bounded number at once, and again
//! after a while where that was asked for or where it failed.
//!
//! kube's scheduler delays requests and joins equal ones; here is what runs them.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures::StreamExt;
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use kube::runtime::scheduler::{ScheduleRequest, scheduler};
use tokio::sync::watch;
use tokio::task::{Id, JoinSet};
use tokio::time::Instant;

use super::resource_entry::ResourceKey;
use super::stop::stopped;

/// When a resource is reconciled again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Requeue {
    /// When something changes.
    AwaitChange,
    /// After a while.
    After(Duration),
    /// After a while that grows with each failure.
    BackOff,
}

impl From<Option<Duration>> for Requeue {
    fn from(delay: Option<Duration>) -> Self {
        delay.map_or(Self::AwaitChange, Self::After)
    }
}

/// The end of the queue where resources are added.
#[derive(Clone, Debug)]
pub(super) struct WorkQueue(UnboundedSender<ScheduleRequest<ResourceKey>>);

/// The end of the queue from which they are taken.
pub(super) type QueueReceiver = UnboundedReceiver<ScheduleRequest<ResourceKey>>;

/// The two ends of a queue.
pub(super) fn work_queue() -> (WorkQueue, QueueReceiver) {
    let (sender, receiver) = unbounded();
    (WorkQueue(sender), receiver)
}

impl WorkQueue {
    /// Adds a resource to be reconciled as soon as may be.
    pub(super) fn add(&self, key: ResourceKey) {
        self.add_after(key, Duration::ZERO);
    }

    /// Adds a resource to be reconciled after a while.
    fn add_after(&self, key: ResourceKey, delay: Duration) {
        let request = ScheduleRequest {
            message: key,
            run_at: Instant::now() + delay,
        };
        // When nobody listens the process is about to end.
        let _ = self.0.unbounded_send(request);
    }
}

/// Delays after failures of one resource: half a second, doubled with each, at most half a minute.
#[derive(Debug, Default)]
pub(super) struct Backoff(HashMap<ResourceKey, u32>);

impl Backoff {
    /// How long it is until a resource is reconciled again, if nothing changes.
    pub(super) fn delay(&mut self, key: &ResourceKey, requeue: Requeue) -> Option<Duration> {
        if requeue == Requeue::BackOff {
            return Some(self.after_failure(key));
        }
        self.0.remove(key);
        match requeue {
            Requeue::After(delay) => Some(delay),
            Requeue::AwaitChange | Requeue::BackOff => None,
        }
    }

    fn after_failure(&mut self, key: &ResourceKey) -> Duration {
        let failures = self.0.entry(key.clone()).or_default();
        let delay = Duration::from_millis(500 << (*failures).min(6));
        *failures += 1;
        delay.min(Duration::from_secs(30))
    }
}

/// Reconciles resources until it is told to stop, and ends what it has begun.
pub(super) async fn run_workers<Reconciliation>(
    queue: WorkQueue,
    receiver: QueueReceiver,
    max_concurrent: usize,
    mut stop: watch::Receiver<bool>,
    reconcile: impl Fn(ResourceKey) -> Reconciliation,
) where
    Reconciliation: Future<Output = Requeue> + Send + 'static,
{
    let mut scheduler = pin!(scheduler(receiver));
    let mut running = HashSet::new();
    let mut keys: HashMap<Id, ResourceKey> = HashMap::new();
    let mut backoff = Backoff::default();
    let mut workers = JoinSet::new();
    loop {
        let has_room = running.len() < max_concurrent;
        let mut next = scheduler.as_mut().hold_unless(|key| !running.contains(key));
        tokio::select! {
            () = stopped(&mut stop) => break,
            Some(joined) = workers.join_next_with_id() => {
                let (id, requeue) = joined.unwrap_or_else(|error| {
                    tracing::error!(%error, "A reconciliation broke off: this is a defect");
                    (error.id(), Requeue::BackOff)
                });
                let Some(key) = keys.remove(&id) else { continue };
                running.remove(&key);
                if let Some(delay) = backoff.delay(&key, requeue) {
                    queue.add_after(key, delay);
                }
            }
            Some(key) = next.next(), if has_room => {
                let handle = workers.spawn(reconcile(key.clone()));
                keys.insert(handle.id(), key.clone());
                running.insert(key);
            }
        }
    }
    while workers.join_next().await.is_some() {}
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Mutex};

    use tokio::time::sleep;

    use super::*;
    use attrium_api::Kind;

    fn key(name: &str) -> ResourceKey {
        ResourceKey::new(Kind::TrainingRun, "hospital", name)
    }

    #[test]
    fn failures_are_retried_later_and_later_but_within_half_a_minute() {
        let mut backoff = Backoff::default();
        let delays: Vec<_> = (0..8)
            .map(|_| backoff.after_failure(&key("a")).as_millis())
            .collect();
        assert_eq!(delays, [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000]);
        assert_eq!(backoff.delay(&key("a"), Requeue::AwaitChange), None);
        assert_eq!(backoff.after_failure(&key("a")).as_millis(), 500);
    }

    #[tokio::test(start_paused = true)]
    async fn a_resource_is_reconciled_once_at_a_time_and_no_more_than_may_at_once() {
        let (queue, receiver) = work_queue();
        for name in ["a", "b", "c", "a"] {
            queue.add(key(name));
        }
        let (stopper, stop) = watch::channel(false);
        let now = Arc::new(AtomicUsize::new(0));
        let most = Arc::new(AtomicUsize::new(0));
        let reconciled = Arc::new(Mutex::new(Vec::new()));
        let reconcile = {
            let (now, most, reconciled) = (now.clone(), most.clone(), reconciled.clone());
            move |key: ResourceKey| {
                let (now, most, reconciled) = (now.clone(), most.clone(), reconciled.clone());
                async move {
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    sleep(Duration::from_millis(50)).await;
                    now.fetch_sub(1, Ordering::SeqCst);
                    let name = key.name.to_string();
                    reconciled.lock().expect("no panic").push(name);
                    Requeue::AwaitChange
                }
            }
        };
        let workers = tokio::spawn(run_workers(queue.clone(), receiver, 2, stop, reconcile));
        sleep(Duration::from_millis(500)).await;
        stopper.send_replace(true);
        workers.await.expect("no panic");
        let mut reconciled = reconciled.lock().expect("no panic").clone();
        reconciled.sort_unstable();
        assert_eq!(
            (reconciled, most.load(Ordering::SeqCst)),
            (vec!["a".into(), "b".into(), "c".into()], 2)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_resource_that_changes_while_it_is_reconciled_is_reconciled_again() {
        let (queue, receiver) = work_queue();
        queue.add(key("a"));
        let (stopper, stop) = watch::channel(false);
        let reconciliations = Arc::new(AtomicUsize::new(0));
        let reconcile = {
            let reconciliations = reconciliations.clone();
            move |_| {
                let reconciliations = reconciliations.clone();
                async move {
                    reconciliations.fetch_add(1, Ordering::SeqCst);
                    sleep(Duration::from_millis(200)).await;
                    Requeue::AwaitChange
                }
            }
        };
        let workers = tokio::spawn(run_workers(queue.clone(), receiver, 2, stop, reconcile));
        sleep(Duration::from_millis(50)).await;
        queue.add(key("a"));
        queue.add(key("a"));
        sleep(Duration::from_millis(800)).await;
        stopper.send_replace(true);
        workers.await.expect("no panic");
        assert_eq!(reconciliations.load(Ordering::SeqCst), 2);
    }
}
