//! What all tasks of a station share.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use tokio::sync::Notify;

use crate::clock;
use crate::study::{Effect, Rules, Study};
use attrium_api::{AlertEvent, ScreeningStation, Send, StationAlert};
use attrium_dimse::AssociationId;
use attrium_spool::audit::Audit;
use attrium_spool::{Index, Item, ItemState, OutboxItem, Session, Spool, StudyRow};
use attrium_tasks::Screener;

/// The prefix of an archive's items in the outbox.
pub(crate) const DESTINATION: &str = "destination/";
/// The prefix of a message's.
pub(crate) const ALERT: &str = "alert/";

/// What all tasks share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub manifest: ScreeningStation,
    pub rules: Rules,
    pub spool: Spool,
    pub index: Index,
    pub audit: Audit,
    pub screener: Screener,
    /// Where people open the page.
    pub page: String,
    pub counters: Counters,
    pub associations: Associations,
    /// That the outbox has something new.
    pub outbox: Notify,
}

/// What has happened since the process began.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Objects that were kept and acknowledged.
    pub kept: AtomicU64,
    /// Objects that were acknowledged and not kept.
    pub discarded: AtomicU64,
    /// Objects that were not taken.
    pub refused: AtomicU64,
    /// Callers that are no senders.
    pub strangers: AtomicU64,
    /// Connections that were no associations.
    pub noise: AtomicU64,
    /// When the last object was kept, in milliseconds since 1970; 0 for never.
    pub last_object: AtomicU64,
    /// Whether objects were kept that the index may not have.
    pub rescan: AtomicBool,
}

/// The associations that are open.
#[derive(Debug, Default)]
pub(crate) struct Associations {
    open: Mutex<BTreeSet<AssociationId>>,
    /// That one was closed.
    pub closed: Notify,
}

impl Associations {
    pub(crate) fn open(&self, association: AssociationId) {
        self.lock().insert(association);
    }

    pub(crate) fn close(&self, association: AssociationId) {
        self.lock().remove(&association);
        self.closed.notify_one();
    }

    /// Whether one of these is open.
    pub(crate) fn any(&self, associations: &BTreeSet<AssociationId>) -> bool {
        let open = self.lock();
        associations.iter().any(|it| open.contains(it))
    }

    /// How many are open.
    pub(crate) fn count(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeSet<AssociationId>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counters {
    pub(crate) fn add(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// A message, as JSON: nothing of it identifies a patient.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Message<'a> {
    api_version: &'static str,
    kind: &'static str,
    station: &'a str,
    event: &'static str,
    study: u64,
    revision: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    positive_probability: Option<f64>,
    threshold: f64,
    model: &'a str,
    synthetic: bool,
    synthetic_model: bool,
    opened_at: String,
    page: String,
    notice: &'static str,
}

/// What every message ends with.
const NOTICE: &str =
    "research use only, not a medical device: a physician looks at the images and decides";

impl Shared {
    /// What is known of a study.
    ///
    /// # Errors
    /// A record that another version has written.
    pub(crate) fn study(row: &StudyRow) -> records::Result<Study> {
        records::from_json(&row.record)
    }

    /// Writes down what has become of a study, and queues what is to be told.
    pub(crate) fn save(
        &self,
        session: &Session<'_>,
        row: &StudyRow,
        study: &Study,
        effects: &[Effect],
    ) -> records::Result<()> {
        let record = records::to_json(study)?;
        let now = clock::now();
        session.set_study(row.number, study.state.word(), now, &record)?;
        for effect in effects {
            if let Effect::Tell(event) = effect {
                self.tell(session, row, study, *event, now)?;
            }
        }
        Ok(())
    }

    /// Queues a message to everybody who asked for such.
    fn tell(
        &self,
        session: &Session<'_>,
        row: &StudyRow,
        study: &Study,
        event: AlertEvent,
        now: i64,
    ) -> records::Result<()> {
        let items = session.items_of(row.number)?;
        for alert in &self.manifest.spec.alerts {
            let target = format!("{ALERT}{}", alert.name);
            if event == AlertEvent::Amended && !withdraw(session, &items, &target, now)? {
                continue;
            }
            if !alert.on.contains(&event) {
                continue;
            }
            let item = Item {
                target,
                study: row.number,
                revision: study.revision,
                item: event.name().to_owned(),
                payload: Some(self.message(row, study, event)),
            };
            let waits = alert
                .unacknowledged_minutes
                .filter(|_| event == AlertEvent::Positive);
            let not_before = now + waits.map_or(0, |minutes| i64::from(minutes) * 60_000);
            session.queue_for(&item, now, not_before)?;
        }
        Ok(())
    }

    /// Withdraws what was to be told of a positive that somebody has seen now.
    pub(crate) fn stop_escalation(
        &self,
        session: &Session<'_>,
        number: u64,
        now: i64,
    ) -> records::Result<()> {
        let waiting = |alert: &&StationAlert| alert.unacknowledged_minutes.is_some();
        let targets: Vec<_> = self
            .manifest
            .spec
            .alerts
            .iter()
            .filter(waiting)
            .map(|alert| format!("{ALERT}{}", alert.name))
            .collect();
        for item in session.items_of(number)? {
            let is_positive = item.item.item == AlertEvent::Positive.name();
            if is_positive && targets.contains(&item.item.target) && item.attempts == 0 {
                session.withdraw(item.id, now)?;
            }
        }
        Ok(())
    }

    fn message(&self, row: &StudyRow, study: &Study, event: AlertEvent) -> String {
        let decided = study.decided();
        let greatest = decided.max_by(|(_, a), (_, b)| a.probability.total_cmp(&b.probability));
        let of_image = greatest.map(|(_, image)| (image.probability, image.synthetic));
        let of_study = study
            .decision
            .as_ref()
            .filter(|_| study.state != crate::study::State::Open)
            .map(|decision| (decision.probability, decision.synthetic));
        let decided = of_study.or(of_image);
        let model = &self.screener.model;
        let message = Message {
            api_version: attrium_api::API_VERSION,
            kind: "ScreeningStation",
            station: self.manifest.name(),
            event: event.name(),
            study: row.number,
            revision: study.revision,
            positive_probability: decided.map(|(probability, _)| probability),
            threshold: self.screener.threshold,
            model: &model.digest,
            synthetic: decided.is_some_and(|(_, synthetic)| synthetic),
            synthetic_model: model.manifest.synthetic,
            opened_at: clock::text(row.opened_at),
            page: format!("{}/studies/{}", self.page, row.number),
            notice: NOTICE,
        };
        serde_json::to_string(&message).unwrap_or_default()
    }

    /// Queues the results of a revision for every archive that wants them, in the place of earlier ones that are
    /// still on their way.
    pub(crate) fn queue_results(
        &self,
        session: &Session<'_>,
        number: u64,
        study: &Study,
        was_positive: bool,
    ) -> records::Result<()> {
        let now = clock::now();
        session.supersede(number, study.revision, DESTINATION, now)?;
        let positive = study.decision.as_ref().is_some_and(|it| it.positive);
        for destination in &self.manifest.spec.destinations {
            if destination.send == Send::Positives && !positive && !was_positive {
                continue;
            }
            for object in &destination.objects {
                let item = Item {
                    target: format!("{DESTINATION}{}", destination.name),
                    study: number,
                    revision: study.revision,
                    item: format!("{object:?}"),
                    payload: None,
                };
                session.queue(&item, now)?;
            }
        }
        Ok(())
    }
}

/// Withdraws what a target was to be told of a positive and was not; gives whether it was, or may have been.
fn withdraw(
    session: &Session<'_>,
    items: &[OutboxItem],
    target: &str,
    now: i64,
) -> records::Result<bool> {
    let is_positive =
        |it: &&OutboxItem| it.item.target == target && it.item.item == AlertEvent::Positive.name();
    let mut was_told = false;
    for item in items.iter().filter(is_positive) {
        if item.state == ItemState::Pending {
            session.withdraw(item.id, now)?;
        }
        was_told |= item.state == ItemState::Done || item.attempts > 0;
    }
    Ok(was_told)
}

/// Records as JSON, whose errors are those of a database that holds something else than expected.
pub(crate) mod records {
    use attrium_spool::database;
    use serde::Serialize;
    use serde::de::DeserializeOwned;

    pub(crate) type Result<T> = database::Result<T>;

    pub(crate) fn from_json<T: DeserializeOwned>(text: &str) -> Result<T> {
        serde_json::from_str(text).map_err(|error| database::unreadable(Box::new(error)))
    }

    pub(crate) fn to_json<T: Serialize>(value: &T) -> Result<String> {
        serde_json::to_string(value).map_err(|error| database::unreadable(Box::new(error)))
    }
}
