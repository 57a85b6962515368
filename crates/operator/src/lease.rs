//! Leadership: of several operators one holds the Lease and acts; the others keep their caches
//! warm.
//!
//! Whether a Lease has run out is told by how long its object has not changed before this
//! process's eyes, so that clocks need not agree. A leader that cannot renew stops acting well
//! before another may begin. Whoever ends gives its Lease back.

use std::mem;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff::Timestamp;
use kube::Client;
use kube::api::{Api, ObjectMeta, PostParams};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::stop::stopped;

/// How long a Lease lasts that is not renewed.
const DURATION: Duration = Duration::from_secs(15);
/// How long a leader acts on after its last renewal.
const TRUST: Duration = Duration::from_secs(12);
/// How often a leader renews, and how long a request may take.
const RENEWAL: Duration = Duration::from_secs(5);
/// How often a follower looks, and a leader tries again that could not renew.
const RETRY: Duration = Duration::from_secs(3);

/// Whether this process leads: a clone shares it.
#[derive(Clone, Debug)]
pub(crate) struct Leadership {
    until: Arc<Mutex<Option<Instant>>>,
    told_until: Arc<Mutex<Option<Timestamp>>>,
    leads: watch::Sender<bool>,
}

impl Default for Leadership {
    fn default() -> Self {
        Self {
            until: Arc::default(),
            told_until: Arc::default(),
            leads: watch::Sender::new(false),
        }
    }
}

impl Leadership {
    /// Whether this process leads now; asked before each thing that is written.
    pub(crate) fn holds(&self) -> bool {
        self.holds_at(Instant::now())
    }

    fn holds_at(&self, now: Instant) -> bool {
        let until = *self.until.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| now < until)
    }

    /// Tells when this process begins, after a lapse too, and ceases to lead.
    pub(crate) fn changes(&self) -> watch::Receiver<bool> {
        self.leads.subscribe()
    }

    /// Until when another process led, and has told people what happened: its last renewal.
    pub(crate) fn told_until(&self) -> Option<Timestamp> {
        let told_until = self.told_until.lock();
        *told_until.unwrap_or_else(PoisonError::into_inner)
    }

    fn follow_on(&self, renewal: Option<Timestamp>) {
        let told_until = self.told_until.lock();
        *told_until.unwrap_or_else(PoisonError::into_inner) = renewal;
    }

    /// Takes, or gives up, the lead.
    pub(super) fn set(&self, until: Option<Instant>) {
        let mut trusted = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        let before = mem::replace(&mut *trusted, until);
        drop(trusted);
        // Whoever came while the lead had lapsed was turned away: it is taken anew then.
        let lapsed = before.is_some_and(|before| before <= Instant::now());
        let leads = until.is_some();
        let changed = self.leads.send_if_modified(|before| {
            let changed = *before != leads || (leads && lapsed);
            *before = leads;
            changed
        });
        if changed && leads {
            tracing::info!("This operator leads");
        } else if changed {
            tracing::info!("This operator does not lead any more");
        }
    }
}

/// A Lease that operators vie for.
pub(super) struct Election {
    api: Api<Lease>,
    name: String,
    identity: String,
    leadership: Leadership,
    /// Whether this process has led before.
    has_led: bool,
    /// The Lease as it was last seen to change, and when.
    seen: Option<(Lease, Instant)>,
}

/// What to do about a Lease.
#[derive(Clone, Debug, PartialEq)]
enum Step {
    /// Make it.
    Create(Lease),
    /// Write it: renewed, or taken over.
    Replace(Lease),
    /// Somebody else holds it.
    Follow,
}

impl Election {
    pub(super) fn new(
        client: Client,
        namespace: &str,
        name: &str,
        identity: &str,
        leadership: Leadership,
    ) -> Self {
        Self {
            api: Api::namespaced(client, namespace),
            name: name.to_owned(),
            identity: identity.to_owned(),
            leadership,
            has_led: false,
            seen: None,
        }
    }

    /// Vies for the Lease until it is told to stop, and gives it back then.
    pub(super) async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut is_failing = false;
        loop {
            let pause = match timeout(RENEWAL, self.step(Instant::now())).await {
                Ok(Ok(true)) => RENEWAL,
                Ok(Ok(false)) => RETRY,
                Ok(Err(kube::Error::Api(status))) if status.code == 409 => RETRY,
                Ok(Err(error)) => {
                    if !is_failing {
                        tracing::warn!(%error, "The Lease cannot be reached; it is tried again");
                    }
                    is_failing = true;
                    RETRY
                }
                Err(_) => RETRY,
            };
            is_failing &= pause == RETRY;
            if !self.leadership.holds() {
                self.leadership.set(None);
            }
            tokio::select! {
                () = stopped(&mut stop) => break,
                () = sleep(pause) => {}
            }
        }
        let held = self.leadership.holds();
        self.leadership.set(None);
        if held {
            // Without it the next leader waits until the Lease has run out.
            let _ = timeout(RENEWAL, self.release()).await;
        }
    }

    /// Looks at the Lease and does what is to be done about it. Whether this process holds it.
    async fn step(&mut self, asked: Instant) -> kube::Result<bool> {
        let began = Instant::now();
        let found = match (&self.seen, self.leadership.holds_at(asked)) {
            // A leader knows its own Lease; should it not, the write is refused.
            (Some((lease, _)), true) => Some(lease.clone()),
            _ => self.api.get_opt(&self.name).await?,
        };
        if let Some(lease) = &found {
            // It may have been renewed while the answer was on its way.
            self.note(lease, asked + began.elapsed());
        }
        let changed = self.seen.as_ref().map_or(asked, |(_, at)| *at);
        let is_stale = asked.duration_since(changed) >= DURATION;
        let written = match self.decide(found.as_ref(), is_stale, Timestamp::now()) {
            Step::Follow => {
                self.leadership.set(None);
                return Ok(false);
            }
            Step::Create(lease) => self.api.create(&PostParams::default(), &lease).await,
            Step::Replace(lease) => {
                self.api
                    .replace(&self.name, &PostParams::default(), &lease)
                    .await
            }
        };
        match written {
            Ok(lease) => {
                self.follow_on(found.as_ref());
                self.seen = Some((lease, asked));
                self.leadership.set(Some(asked + TRUST));
                Ok(true)
            }
            Err(error) => {
                if let kube::Error::Api(status) = &error
                    && (status.code == 409 || status.code == 404)
                {
                    // Somebody else has written it.
                    self.seen = None;
                    self.leadership.set(None);
                }
                Err(error)
            }
        }
    }

    /// Notes until when another process has held a Lease that is this one's now. A process that was
    /// started anew may have the name of the one before.
    fn follow_on(&mut self, found: Option<&Lease>) {
        let before = found.and_then(|lease| lease.spec.as_ref());
        let holder = before.and_then(|spec| spec.holder_identity.as_deref());
        if !self.has_led || holder != Some(&self.identity) {
            let renewal = before.and_then(|spec| spec.renew_time.as_ref());
            self.leadership.follow_on(renewal.map(|time| time.0));
        }
        self.has_led = true;
    }

    /// Notes when a Lease was seen to change.
    fn note(&mut self, lease: &Lease, now: Instant) {
        let version = |lease: &Lease| lease.metadata.resource_version.clone();
        let same = self
            .seen
            .as_ref()
            .is_some_and(|(seen, _)| version(seen) == version(lease));
        if !same {
            self.seen = Some((lease.clone(), now));
        }
    }

    fn decide(&self, found: Option<&Lease>, is_stale: bool, now: Timestamp) -> Step {
        let Some(lease) = found else {
            return Step::Create(Lease {
                metadata: ObjectMeta {
                    name: Some(self.name.clone()),
                    ..ObjectMeta::default()
                },
                spec: Some(self.spec(&LeaseSpec::default(), now)),
            });
        };
        let spec = lease.spec.clone().unwrap_or_default();
        let holder = spec.holder_identity.as_deref().unwrap_or_default();
        if holder == self.identity || holder.is_empty() || is_stale {
            let mut lease = lease.clone();
            lease.spec = Some(self.spec(&spec, now));
            return Step::Replace(lease);
        }
        Step::Follow
    }

    /// The Lease held by this process, after another holder's.
    fn spec(&self, before: &LeaseSpec, now: Timestamp) -> LeaseSpec {
        let is_own = before.holder_identity.as_deref() == Some(&self.identity);
        let transitions = before.lease_transitions.unwrap_or_default();
        LeaseSpec {
            holder_identity: Some(self.identity.clone()),
            lease_duration_seconds: i32::try_from(DURATION.as_secs()).ok(),
            acquire_time: if is_own {
                before.acquire_time.clone()
            } else {
                Some(MicroTime(now))
            },
            renew_time: Some(MicroTime(now)),
            lease_transitions: Some(if is_own { transitions } else { transitions + 1 }),
            ..LeaseSpec::default()
        }
    }

    async fn release(&self) -> kube::Result<()> {
        let Some((lease, _)) = &self.seen else {
            return Ok(());
        };
        let mut lease = lease.clone();
        if let Some(spec) = &mut lease.spec {
            spec.holder_identity = Some(String::new());
            spec.renew_time = Some(MicroTime(Timestamp::now()));
        }
        self.api
            .replace(&self.name, &PostParams::default(), &lease)
            .await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{Answer, server};

    fn lease(holder: &str, version: &str) -> Lease {
        Lease {
            metadata: ObjectMeta {
                name: Some("attrium-operator".to_owned()),
                resource_version: Some(version.to_owned()),
                ..ObjectMeta::default()
            },
            spec: Some(LeaseSpec {
                holder_identity: Some(holder.to_owned()),
                lease_transitions: Some(4),
                ..LeaseSpec::default()
            }),
        }
    }

    fn election(client: Client) -> Election {
        let leadership = Leadership::default();
        Election::new(client, "attrium", "attrium-operator", "me", leadership)
    }

    #[tokio::test]
    async fn a_lease_that_nobody_holds_is_taken_and_somebody_elses_is_not() {
        let (client, _server) = server(Vec::new());
        let election = election(client);
        let now = Timestamp::UNIX_EPOCH;
        assert!(matches!(election.decide(None, false, now), Step::Create(_)));
        let taken = |holder: &str, is_stale| {
            let step = election.decide(Some(&lease(holder, "1")), is_stale, now);
            match step {
                Step::Replace(lease) => lease.spec.and_then(|it| it.lease_transitions),
                Step::Create(_) | Step::Follow => None,
            }
        };
        assert_eq!(taken("", false), Some(5));
        assert_eq!(taken("me", false), Some(4));
        assert_eq!(taken("other", false), None);
        assert_eq!(taken("other", true), Some(5));
    }

    /// An instant so many seconds from a first one.
    fn at(first: Instant, seconds: u64) -> Instant {
        first + Duration::from_secs(seconds)
    }

    #[tokio::test]
    async fn a_lease_is_taken_over_once_it_has_not_changed_for_its_duration() {
        let follow = || Answer::get("leases/attrium-operator", &lease("other", "1"));
        let (client, server) = server(vec![
            follow(),
            follow(),
            Answer::get("leases/attrium-operator", &lease("other", "2")),
            Answer::get("leases/attrium-operator", &lease("other", "2")),
            Answer::get("leases/attrium-operator", &lease("other", "2")),
            Answer::put("leases/attrium-operator", &lease("me", "3")),
        ]);
        let mut election = election(client);
        let first = Instant::now();
        for seconds in [0, 14, 16, 30] {
            let leads = election.step(at(first, seconds)).await.expect("an answer");
            assert!(!leads && !election.leadership.holds(), "after {seconds} s");
        }
        assert!(election.step(at(first, 32)).await.expect("an answer"));
        server.done();
    }

    #[tokio::test]
    async fn a_leader_that_cannot_renew_stops_acting_before_its_lease_runs_out() {
        let (client, server) = server(vec![
            Answer::get("leases/attrium-operator", &lease("", "1")),
            Answer::put("leases/attrium-operator", &lease("me", "2")),
        ]);
        let mut election = election(client);
        let first = Instant::now();
        assert!(election.step(first).await.expect("an answer"));
        server.done();
        // The server does not answer any more.
        assert!(election.step(at(first, 5)).await.is_err());
        assert!(election.leadership.holds_at(at(first, 11)));
        assert!(!election.leadership.holds_at(at(first, 12)));
    }

    #[test]
    fn a_lead_that_had_lapsed_begins_anew_and_one_that_is_renewed_in_time_goes_on() {
        let leadership = Leadership::default();
        let mut changes = leadership.changes();
        let mut is_told = |until: Instant| {
            leadership.set(Some(until));
            let is_told = changes.has_changed().expect("a leadership");
            changes.mark_unchanged();
            is_told
        };
        let later = Instant::now() + TRUST;
        assert!(is_told(later));
        assert!(!is_told(later));
        // Nobody looks while it lapses.
        is_told(Instant::now());
        assert!(is_told(later));
        assert!(!is_told(later));
    }

    #[tokio::test]
    async fn a_lease_is_noted_when_its_answer_is_there_however_slow_the_server_is() {
        let slow = Duration::from_millis(50);
        let (client, server) = server(vec![
            Answer::get("leases/attrium-operator", &lease("other", "1")).after(slow),
        ]);
        let mut election = election(client);
        let first = Instant::now();
        assert!(!election.step(first).await.expect("an answer"));
        let (_, noted) = election.seen.as_ref().expect("a Lease");
        assert!(*noted >= first + slow);
        server.done();
    }

    #[tokio::test]
    async fn a_leader_whose_lease_somebody_has_written_follows() {
        let (client, server) = server(vec![
            Answer::get("leases/attrium-operator", &lease("", "1")),
            Answer::put("leases/attrium-operator", &lease("me", "2")),
            Answer::refuse("PUT", "leases/attrium-operator", 409, "Conflict"),
        ]);
        let mut election = election(client);
        let first = Instant::now();
        assert!(election.step(first).await.expect("an answer"));
        assert!(election.step(at(first, 5)).await.is_err());
        assert!(!election.leadership.holds_at(at(first, 5)));
        server.done();
    }

    fn renewed(holder: &str, version: &str, second: i64) -> Lease {
        let mut lease = lease(holder, version);
        let renewal = Timestamp::from_second(second).expect("an instant");
        lease.spec.as_mut().expect("a spec").renew_time = Some(MicroTime(renewal));
        lease
    }

    #[tokio::test]
    async fn a_process_that_was_started_anew_knows_what_the_one_of_its_name_has_told() {
        let (client, server) = server(vec![
            Answer::get("leases/attrium-operator", &renewed("me", "1", 100)),
            Answer::put("leases/attrium-operator", &renewed("me", "2", 110)),
        ]);
        let mut election = election(client);
        assert!(election.step(Instant::now()).await.expect("an answer"));
        let told_until = election.leadership.told_until().expect("an instant");
        assert_eq!(told_until.as_second(), 100);
        server.done();
    }

    #[tokio::test]
    async fn a_leader_knows_until_when_another_one_has_told_what_happened() {
        let (client, server) = server(vec![
            Answer::get("leases/attrium-operator", &renewed("", "1", 100)),
            Answer::put("leases/attrium-operator", &renewed("me", "2", 110)),
            // Its own lead has lapsed.
            Answer::get("leases/attrium-operator", &renewed("me", "2", 110)),
            Answer::put("leases/attrium-operator", &renewed("me", "3", 130)),
        ]);
        let mut election = election(client);
        let first = Instant::now();
        for seconds in [0, 20] {
            assert!(election.step(at(first, seconds)).await.expect("an answer"));
            let told_until = election.leadership.told_until().expect("an instant");
            assert_eq!(told_until.as_second(), 100);
        }
        server.done();
    }

    #[tokio::test]
    async fn a_lease_is_given_back_at_the_end() {
        let (client, server) = server(vec![
            Answer::get("leases/attrium-operator", &lease("", "1")),
            Answer::put("leases/attrium-operator", &lease("me", "2")),
            Answer::put("leases/attrium-operator", &lease("", "3"))
                .with_body("/spec/holderIdentity", ""),
        ]);
        let election = election(client);
        let leadership = election.leadership.clone();
        let (stopper, stop) = watch::channel(false);
        let run = tokio::spawn(election.run(stop));
        let mut leads = leadership.changes();
        leads.wait_for(|leads| *leads).await.expect("a leader");
        stopper.send_replace(true);
        run.await.expect("no panic");
        assert!(!leadership.holds());
        server.done();
    }
}
