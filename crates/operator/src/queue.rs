//! A queue of resources to be looked at: each once at a time, a bounded number at once, and again
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

use super::resource_entry::Key;
use super::stop::stopped;

/// How a look at a resource came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Nothing has to be done before something changes.
    Done,
    /// It has to be looked at again after a while.
    Again(Duration),
    /// It failed, and has to be tried again.
    Failed,
}

/// Where requests are made.
#[derive(Clone, Debug)]
pub(super) struct Requests(UnboundedSender<ScheduleRequest<Key>>);

/// Where requests arrive.
pub(super) type Arrivals = UnboundedReceiver<ScheduleRequest<Key>>;

/// A queue's two ends.
pub(super) fn requests() -> (Requests, Arrivals) {
    let (sender, receiver) = unbounded();
    (Requests(sender), receiver)
}

impl Requests {
    /// Asks for a look as soon as may be.
    pub(super) fn now(&self, key: Key) {
        self.after(Duration::ZERO, key);
    }

    /// Asks for a look after a while.
    fn after(&self, delay: Duration, key: Key) {
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
struct Failures(HashMap<Key, u32>);

impl Failures {
    fn delay(&mut self, key: &Key) -> Duration {
        let failures = self.0.entry(key.clone()).or_default();
        let delay = Duration::from_millis(500 << (*failures).min(6));
        *failures += 1;
        delay.min(Duration::from_secs(30))
    }

    fn forget(&mut self, key: &Key) {
        self.0.remove(key);
    }
}

/// Works on requests until it is told to stop, and ends what it has begun.
pub(super) async fn work<Work>(
    requests: Requests,
    arrivals: Arrivals,
    most: usize,
    mut stop: watch::Receiver<bool>,
    look: impl Fn(Key) -> Work,
) where
    Work: Future<Output = Outcome> + Send + 'static,
{
    let mut scheduler = pin!(scheduler(arrivals));
    let mut running = HashSet::new();
    let mut keys: HashMap<Id, Key> = HashMap::new();
    let mut failures = Failures::default();
    let mut looks = JoinSet::new();
    loop {
        let has_room = running.len() < most;
        let mut next = scheduler.as_mut().hold_unless(|key| !running.contains(key));
        tokio::select! {
            () = stopped(&mut stop) => break,
            Some(ended) = looks.join_next_with_id() => {
                let (id, outcome) = match ended {
                    Ok((id, outcome)) => (id, outcome),
                    Err(error) => {
                        tracing::error!(%error, "A look at a resource broke off: this is a defect");
                        (error.id(), Outcome::Failed)
                    }
                };
                let Some(key) = keys.remove(&id) else { continue };
                running.remove(&key);
                match outcome {
                    Outcome::Done => failures.forget(&key),
                    Outcome::Again(delay) => {
                        failures.forget(&key);
                        requests.after(delay, key);
                    }
                    Outcome::Failed => requests.after(failures.delay(&key), key),
                }
            }
            Some(key) = next.next(), if has_room => {
                let handle = looks.spawn(look(key.clone()));
                keys.insert(handle.id(), key.clone());
                running.insert(key);
            }
        }
    }
    while looks.join_next().await.is_some() {}
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::resource_entry::Kind;

    fn key(name: &str) -> Key {
        Key::new(Kind::TrainingRun, "hospital", name)
    }

    #[test]
    fn failures_are_tried_again_later_and_later_but_within_half_a_minute() {
        let mut failures = Failures::default();
        let delays: Vec<_> = (0..8)
            .map(|_| failures.delay(&key("a")).as_millis())
            .collect();
        assert_eq!(delays, [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000]);
        failures.forget(&key("a"));
        assert_eq!(failures.delay(&key("a")).as_millis(), 500);
    }

    #[tokio::test]
    async fn a_resource_is_looked_at_once_at_a_time_and_no_more_than_may_at_once() {
        let (sender, arrivals) = requests();
        for name in ["a", "b", "c", "a"] {
            sender.now(key(name));
        }
        let (stopper, stop) = watch::channel(false);
        let now = Arc::new(AtomicUsize::new(0));
        let most = Arc::new(AtomicUsize::new(0));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let look = {
            let (now, most, seen) = (now.clone(), most.clone(), seen.clone());
            move |key: Key| {
                let (now, most, seen) = (now.clone(), most.clone(), seen.clone());
                async move {
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    now.fetch_sub(1, Ordering::SeqCst);
                    seen.lock().expect("no panic").push(key.name.to_string());
                    Outcome::Done
                }
            }
        };
        let worker = tokio::spawn(work(sender.clone(), arrivals, 2, stop, look));
        tokio::time::sleep(Duration::from_millis(500)).await;
        stopper.send_replace(true);
        worker.await.expect("no panic");
        let mut seen = seen.lock().expect("no panic").clone();
        seen.sort_unstable();
        assert_eq!(
            (seen, most.load(Ordering::SeqCst)),
            (vec!["a".into(), "b".into(), "c".into()], 2)
        );
    }

    #[tokio::test]
    async fn a_resource_that_changes_while_it_is_looked_at_is_looked_at_again() {
        let (sender, arrivals) = requests();
        sender.now(key("a"));
        let (stopper, stop) = watch::channel(false);
        let looks = Arc::new(AtomicUsize::new(0));
        let look = {
            let looks = looks.clone();
            move |_| {
                let looks = looks.clone();
                async move {
                    looks.fetch_add(1, Ordering::SeqCst);
                    tokio::time::sleep(Duration::from_millis(200)).await;
                    Outcome::Done
                }
            }
        };
        let worker = tokio::spawn(work(sender.clone(), arrivals, 2, stop, look));
        tokio::time::sleep(Duration::from_millis(50)).await;
        sender.now(key("a"));
        sender.now(key("a"));
        tokio::time::sleep(Duration::from_millis(800)).await;
        stopper.send_replace(true);
        worker.await.expect("no panic");
        assert_eq!(looks.load(Ordering::SeqCst), 2);
    }
}
