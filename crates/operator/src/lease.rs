//! Leader election: of several operators one holds the Lease and acts; the others keep their caches
//! warm.
//!
//! A Lease has expired when this process has not seen its object change for as long as it lasts, so
//! that clocks need not agree. A leader that cannot renew stops acting well before another may begin. A
//! process that ends gives its Lease back.

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

use super::clock;
use super::stop::stopped;

/// How long a Lease lasts that is not renewed.
const LEASE_DURATION: Duration = Duration::from_secs(15);
/// How long a leader acts on after its last renewal.
const RENEW_DEADLINE: Duration = Duration::from_secs(12);
/// How often a leader renews, and how long a request may take.
const RENEW_PERIOD: Duration = Duration::from_secs(5);
/// How often a follower reads the Lease, and a leader retries that could not renew.
const RETRY_PERIOD: Duration = Duration::from_secs(3);

/// Whether this process leads: a clone shares it.
#[derive(Clone, Debug)]
pub(crate) struct Leadership {
    until: Arc<Mutex<Option<Instant>>>,
    events_published_until: Arc<Mutex<Option<Timestamp>>>,
    leads: watch::Sender<bool>,
}

impl Default for Leadership {
    fn default() -> Self {
        Self {
            until: Arc::default(),
            events_published_until: Arc::default(),
            leads: watch::Sender::new(false),
        }
    }
}

impl Leadership {
    /// Whether this process leads now.
    pub(crate) fn is_leader(&self) -> bool {
        self.is_leader_at(Instant::now())
    }

    fn is_leader_at(&self, now: Instant) -> bool {
        let until = *self.until.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| now < until)
    }

    /// Tells when this process begins, after a lapse too, and ceases to lead.
    pub(crate) fn changes(&self) -> watch::Receiver<bool> {
        self.leads.subscribe()
    }

    /// Until when another process led, and has published events: its last renewal.
    pub(crate) fn events_published_until(&self) -> Option<Timestamp> {
        let until = self.events_published_until.lock();
        *until.unwrap_or_else(PoisonError::into_inner)
    }

    fn succeed(&self, renewal: Option<Timestamp>) {
        let until = self.events_published_until.lock();
        *until.unwrap_or_else(PoisonError::into_inner) = renewal;
    }

    /// Takes, or gives up, the lead.
    pub(super) fn set(&self, until: Option<Instant>) {
        let mut trusted = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        let before = mem::replace(&mut *trusted, until);
        drop(trusted);
        // What was to be done while the lead had lapsed was not: the lead then begins anew.
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

/// The election by a Lease.
pub(super) struct Election {
    api: Api<Lease>,
    name: String,
    identity: String,
    leadership: Leadership,
    /// Whether this process has led before.
    has_led: bool,
    /// The Lease as it was last seen to change, and when.
    observed: Option<(Lease, Instant)>,
}

/// What is done with a Lease.
#[derive(Clone, Debug, PartialEq)]
enum LeaseAction {
    /// Create it.
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
            observed: None,
        }
    }

    /// Acquires and renews the Lease until it is told to stop, and gives it back then.
    pub(super) async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut is_failing = false;
        loop {
            let pause = match timeout(RENEW_PERIOD, self.acquire_or_renew(Instant::now())).await {
                Ok(Ok(true)) => RENEW_PERIOD,
                Ok(Ok(false)) => RETRY_PERIOD,
                Ok(Err(kube::Error::Api(status))) if status.code == 409 => RETRY_PERIOD,
                Ok(Err(error)) => {
                    if !is_failing {
                        tracing::warn!(%error, "The Lease cannot be reached; it is retried");
                    }
                    is_failing = true;
                    RETRY_PERIOD
                }
                Err(_) => RETRY_PERIOD,
            };
            is_failing &= pause == RETRY_PERIOD;
            if !self.leadership.is_leader() {
                self.leadership.set(None);
            }
            tokio::select! {
                () = stopped(&mut stop) => break,
                () = sleep(pause) => {}
            }
        }
        let held = self.leadership.is_leader();
        self.leadership.set(None);
        if held {
            // Without it the next leader waits until the Lease has run out.
            let _ = timeout(RENEW_PERIOD, self.release()).await;
        }
    }

    /// Acquires the Lease if it can be had, or renews it. Whether this process holds it.
    async fn acquire_or_renew(&mut self, asked: Instant) -> kube::Result<bool> {
        let began = Instant::now();
        let found = match (&self.observed, self.leadership.is_leader_at(asked)) {
            // A leader knows its own Lease; should it not, the write is refused.
            (Some((lease, _)), true) => Some(lease.clone()),
            _ => self.api.get_opt(&self.name).await?,
        };
        if let Some(lease) = &found {
            // It may have been renewed while the answer was on its way.
            self.observe(lease, asked + began.elapsed());
        }
        let changed = self.observed.as_ref().map_or(asked, |(_, at)| *at);
        let is_stale = asked.duration_since(changed) >= LEASE_DURATION;
        let params = PostParams::default();
        let written = match self.decide(found.as_ref(), is_stale, clock::own()) {
            LeaseAction::Follow => {
                self.leadership.set(None);
                return Ok(false);
            }
            LeaseAction::Create(lease) => self.api.create(&params, &lease).await,
            LeaseAction::Replace(lease) => self.api.replace(&self.name, &params, &lease).await,
        };
        self.written(found.as_ref(), written, asked).map(|()| true)
    }

    /// Leads after the Lease was written, and follows if another process has written it.
    fn written(
        &mut self,
        found: Option<&Lease>,
        written: kube::Result<Lease>,
        asked: Instant,
    ) -> kube::Result<()> {
        match written {
            Ok(lease) => {
                self.succeed(found);
                self.observed = Some((lease, asked));
                self.leadership.set(Some(asked + RENEW_DEADLINE));
                Ok(())
            }
            Err(error) => {
                if let kube::Error::Api(status) = &error
                    && (status.code == 409 || status.code == 404)
                {
                    self.observed = None;
                    self.leadership.set(None);
                }
                Err(error)
            }
        }
    }

    /// Notes until when another process has held a Lease that is this one's now. A process that was
    /// started anew may have the identity of the one before.
    fn succeed(&mut self, found: Option<&Lease>) {
        let before = found.and_then(|lease| lease.spec.as_ref());
        let holder = before.and_then(|spec| spec.holder_identity.as_deref());
        if !self.has_led || holder != Some(&self.identity) {
            let renewal = before.and_then(|spec| spec.renew_time.as_ref());
            self.leadership.succeed(renewal.map(|time| time.0));
        }
        self.has_led = true;
    }

    /// Notes when a Lease was seen to change.
    fn observe(&mut self, lease: &Lease, now: Instant) {
        let version = |lease: &Lease| lease.metadata.resource_version.clone();
        let same = self
            .observed
            .as_ref()
            .is_some_and(|(observed, _)| version(observed) == version(lease));
        if !same {
            self.observed = Some((lease.clone(), now));
        }
    }

    fn decide(&self, found: Option<&Lease>, is_stale: bool, now: Timestamp) -> LeaseAction {
        let Some(lease) = found else {
            return LeaseAction::Create(Lease {
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
            return LeaseAction::Replace(lease);
        }
        LeaseAction::Follow
    }

    /// The Lease held by this process, after another holder's.
    fn spec(&self, before: &LeaseSpec, now: Timestamp) -> LeaseSpec {
        let is_own = before.holder_identity.as_deref() == Some(&self.identity);
        let transitions = before.lease_transitions.unwrap_or_default();
        LeaseSpec {
            holder_identity: Some(self.identity.clone()),
            lease_duration_seconds: i32::try_from(LEASE_DURATION.as_secs()).ok(),
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
        let Some((lease, _)) = &self.observed else {
            return Ok(());
        };
        let mut lease = lease.clone();
        if let Some(spec) = &mut lease.spec {
            spec.holder_identity = Some(String::new());
            spec.renew_time = Some(MicroTime(clock::own()));
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
        assert!(matches!(
            election.decide(None, false, now),
            LeaseAction::Create(_)
        ));
        let taken = |holder: &str, is_stale| {
            let action = election.decide(Some(&lease(holder, "1")), is_stale, now);
            match action {
                LeaseAction::Replace(lease) => lease.spec.and_then(|it| it.lease_transitions),
                LeaseAction::Create(_) | LeaseAction::Follow => None,
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
            let leads = election
                .acquire_or_renew(at(first, seconds))
                .await
                .expect("an answer");
            assert!(
                !leads && !election.leadership.is_leader(),
                "after {seconds} s"
            );
        }
        assert!(
            election
                .acquire_or_renew(at(first, 32))
                .await
                .expect("an answer")
        );
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
        assert!(election.acquire_or_renew(first).await.expect("an answer"));
        server.done();
        // The server does not answer any more.
        assert!(election.acquire_or_renew(at(first, 5)).await.is_err());
        assert!(election.leadership.is_leader_at(at(first, 11)));
        assert!(!election.leadership.is_leader_at(at(first, 12)));
    }

    #[test]
    fn a_lead_that_had_lapsed_begins_anew_and_one_that_is_renewed_in_time_goes_on() {
        let leadership = Leadership::default();
        let mut changes = leadership.changes();
        let mut is_announced = |until: Instant| {
            leadership.set(Some(until));
            let is_announced = changes.has_changed().expect("a leadership");
            changes.mark_unchanged();
            is_announced
        };
        let later = Instant::now() + RENEW_DEADLINE;
        assert!(is_announced(later));
        assert!(!is_announced(later));
        // It lapses between two renewals.
        is_announced(Instant::now());
        assert!(is_announced(later));
        assert!(!is_announced(later));
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_is_noted_when_its_answer_is_there_however_slow_the_server_is() {
        let slow = Duration::from_millis(50);
        let (client, server) = server(vec![
            Answer::get("leases/attrium-operator", &lease("other", "1")).after(slow),
        ]);
        let mut election = election(client);
        let first = Instant::now();
        assert!(!election.acquire_or_renew(first).await.expect("an answer"));
        let (_, noted) = election.observed.as_ref().expect("a Lease");
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
        assert!(election.acquire_or_renew(first).await.expect("an answer"));
        assert!(election.acquire_or_renew(at(first, 5)).await.is_err());
        assert!(!election.leadership.is_leader_at(at(first, 5)));
        server.done();
    }

    fn renewed(holder: &str, version: &str, second: i64) -> Lease {
        let mut lease = lease(holder, version);
        let renewal = Timestamp::from_second(second).expect("an instant");
        lease.spec.as_mut().expect("a spec").renew_time = Some(MicroTime(renewal));
        lease
    }

    #[tokio::test]
    async fn a_process_that_was_started_anew_knows_until_when_the_one_of_its_name_has_led() {
        let (client, server) = server(vec![
            Answer::get("leases/attrium-operator", &renewed("me", "1", 100)),
            Answer::put("leases/attrium-operator", &renewed("me", "2", 110)),
        ]);
        let mut election = election(client);
        assert!(
            election
                .acquire_or_renew(Instant::now())
                .await
                .expect("an answer")
        );
        let published_until = election
            .leadership
            .events_published_until()
            .expect("an instant");
        assert_eq!(published_until.as_second(), 100);
        server.done();
    }

    #[tokio::test]
    async fn a_leader_knows_until_when_another_one_has_published_events() {
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
            assert!(
                election
                    .acquire_or_renew(at(first, seconds))
                    .await
                    .expect("an answer")
            );
            let published_until = election
                .leadership
                .events_published_until()
                .expect("an instant");
            assert_eq!(published_until.as_second(), 100);
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
        assert!(!leadership.is_leader());
        server.done();
    }
}
