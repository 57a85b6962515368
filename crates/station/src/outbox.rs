//! What is queued for archives and for people, until they have it: a task for each, so that none waits for another.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use snafu::{OptionExt, Snafu};
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use crate::archive::{Archive, Outcome};
use crate::clock;
use crate::delivery::{Answer, Tried};
use crate::email::Mailer;
use crate::journal;
use crate::shared::{DESTINATION, Shared};
use crate::webhook::WebhookClient;
use attrium_spool as spool;
use attrium_spool::audit::{AuditEvent, AuditRecord, Fact};
use attrium_spool::{IndexError, Item, ItemState, OutboxItem, ResultKind, Session};
use attrium_types::text::causes;

/// How many items are taken at a time.
const TOGETHER: u32 = 16;
/// How long a task waits at most before it looks again.
const LONGEST: Duration = Duration::from_secs(60);
/// How long a message is tried.
const MESSAGE_PATIENCE: Duration = Duration::from_secs(72 * 3600);

/// Who items are for.
pub(crate) enum Receiver {
    Archive(Archive),
    Messenger(Messenger),
}

/// How people are told.
pub(crate) enum Messenger {
    Webhook(WebhookClient),
    Mail(Mailer),
}

impl Messenger {
    async fn send(&self, station: &str, item: &Item) -> Outcome {
        match self {
            Self::Webhook(client) => client.send(station, item).await,
            Self::Mail(mailer) => mailer.send(station, item).await,
        }
    }

    /// Whether it can be reached; nobody is told anything.
    ///
    /// # Errors
    /// Why not, in a sentence.
    pub(crate) async fn greet(&self) -> Result<(), String> {
        match self {
            Self::Webhook(client) => client.greet().await.map_err(|error| causes(&error)),
            Self::Mail(mailer) => mailer.greet().await,
        }
    }
}

/// A task that brings items to one receiver.
pub(crate) struct Courier {
    pub shared: Arc<Shared>,
    /// As the items name it.
    pub target: String,
    pub receiver: Receiver,
    /// For how long an item is tried.
    pub patience: Duration,
}

#[derive(Debug, Snafu)]
enum Error {
    #[snafu(transparent)]
    Index { source: IndexError },
    #[snafu(display("the program broke off"))]
    BrokenOff,
}

impl Courier {
    /// For messages.
    pub(crate) fn of_messages(shared: Arc<Shared>, target: String, messenger: Messenger) -> Self {
        Self {
            shared,
            target,
            receiver: Receiver::Messenger(messenger),
            patience: MESSAGE_PATIENCE,
        }
    }

    /// Brings what is due, until it is told to stop.
    pub(crate) async fn run(self, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        loop {
            // Whoever queues something meanwhile is heard.
            let news = self.shared.outbox.notified();
            tokio::pin!(news);
            news.as_mut().enable();
            let pause = match self.bring_due().await {
                Ok(pause) => pause,
                Err(error) => {
                    tracing::error!("{} waits: {}", self.target, causes(&error));
                    Duration::from_secs(1)
                }
            };
            tokio::select! {
                () = &mut stop => return,
                () = news => {}
                () = sleep(pause) => {}
            }
        }
    }

    /// Brings what is due; gives how long to wait for the next.
    async fn bring_due(&self) -> Result<Duration, Error> {
        loop {
            let target = self.target.clone();
            let due = self
                .index(move |session| session.due_items(&target, clock::now(), TOGETHER))
                .await?;
            if due.is_empty() {
                return self.pause().await;
            }
            let outcomes = self.bring(&due).await;
            let has_failed = outcomes
                .iter()
                .any(|(answer, _)| *answer == Answer::Transient);
            self.write_down(due, outcomes).await?;
            if has_failed {
                // A receiver that is away is asked again by the first of its items alone.
                return self.pause().await;
            }
        }
    }

    async fn pause(&self) -> Result<Duration, Error> {
        let target = self.target.clone();
        let next = self
            .index(move |session| session.next_item(&target))
            .await?;
        let pause = next.map(|item| {
            let milliseconds = (item.next_at - clock::now()).max(100);
            Duration::from_millis(milliseconds.cast_unsigned())
        });
        Ok(pause.unwrap_or(LONGEST).min(LONGEST))
    }

    async fn bring(&self, due: &[OutboxItem]) -> Vec<Outcome> {
        match &self.receiver {
            Receiver::Archive(archive) => self.store(archive, due).await,
            Receiver::Messenger(messenger) => {
                let station = self.shared.manifest.name();
                let mut outcomes = Vec::new();
                for item in due {
                    outcomes.push(messenger.send(station, &item.item).await);
                }
                outcomes
            }
        }
    }

    /// Stores the results that the spool has; one that it lacks is refused for good.
    async fn store(&self, archive: &Archive, due: &[OutboxItem]) -> Vec<Outcome> {
        let mut outcomes: Vec<Option<Outcome>> = Vec::new();
        let mut results = Vec::new();
        for item in due {
            match self.result(item).await {
                Ok(bytes) => {
                    results.push(bytes);
                    outcomes.push(None);
                }
                Err(outcome) => outcomes.push(Some(outcome)),
            }
        }
        let stored = if results.is_empty() {
            Vec::new()
        } else {
            archive.store(&results).await
        };
        let mut stored = stored.into_iter();
        let transient = || (Answer::Transient, None);
        let outcome =
            |known: Option<Outcome>| known.or_else(|| stored.next()).unwrap_or_else(transient);
        outcomes.into_iter().map(outcome).collect()
    }

    async fn result(&self, item: &OutboxItem) -> Result<Vec<u8>, Outcome> {
        let kind = match item.item.item.as_str() {
            "Report" => ResultKind::Report,
            _ => ResultKind::Image,
        };
        let (study, revision) = (item.item.study, item.item.revision);
        let spool = self.shared.spool.clone();
        let read = spawn_blocking(move || spool.read_result(study, revision, kind)).await;
        match read {
            Ok(Ok(bytes)) => Ok(bytes),
            Ok(Err(spool::Error::NotFound)) => Err((
                Answer::Permanent,
                Some("the result is not there any more".to_owned()),
            )),
            Ok(Err(error)) => Err((Answer::Transient, Some(causes(&error)))),
            Err(_) => Err((Answer::Transient, None)),
        }
    }

    /// Writes down what came of the tries, and of the studies that they are of, in one transaction.
    async fn write_down(&self, due: Vec<OutboxItem>, outcomes: Vec<Outcome>) -> Result<(), Error> {
        let (shared, target) = (self.shared.clone(), self.target.clone());
        let patience = i64::try_from(self.patience.as_millis()).unwrap_or(i64::MAX);
        let written = spawn_blocking(move || {
            let mut records = Vec::new();
            shared.index.write(|session| {
                for (item, (answer, detail)) in due.iter().zip(outcomes) {
                    let tried = Tried {
                        queued_at: item.queued_at,
                        attempts: item.attempts + 1,
                        now: clock::now(),
                        patience,
                        jitter: jitter(item),
                    };
                    let attempt = tried.attempt(answer, detail);
                    tell(&target, item, &attempt);
                    records.extend(ended_record(&target, item, attempt.state));
                    session.tried(item.id, &attempt)?;
                    if target.starts_with(DESTINATION) {
                        settle_delivery(&shared, session, item.item.study)?;
                    }
                }
                Ok(())
            })?;
            shared.journal(&records);
            shared.outbox.notify_waiters();
            Ok(())
        });
        written.await.ok().context(BrokenOffSnafu)?
    }

    async fn index<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Session<'_>) -> spool::database::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        let shared = self.shared.clone();
        let looked = spawn_blocking(move || shared.index.read(look)).await;
        Ok(looked.ok().context(BrokenOffSnafu)??)
    }
}

/// Another pause for each item and try, the same after a restart.
fn jitter(item: &OutboxItem) -> f64 {
    let seed = item.id.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ u64::from(item.attempts) << 32;
    (seed >> 40) as f64 / (1_u64 << 24) as f64
}

fn tell(target: &str, item: &OutboxItem, attempt: &spool::Attempt) {
    let (study, revision, what) = (item.item.study, item.item.revision, &item.item.item);
    let said = attempt.detail.as_deref().unwrap_or_default();
    match attempt.state {
        ItemState::Done => tracing::info!(study, revision, "{target} has the {what}"),
        ItemState::Pending => {
            tracing::warn!(
                study,
                revision,
                "{target} has not taken the {what} yet: {said}"
            );
        }
        ItemState::Refused | ItemState::GivenUp | ItemState::Superseded => {
            tracing::error!(study, revision, "{target} does not take the {what}: {said}");
        }
    }
}

/// The record of an item that has come to its end.
fn ended_record(target: &str, item: &OutboxItem, state: ItemState) -> Option<AuditRecord> {
    let is_result = target.starts_with(DESTINATION);
    let event = match state {
        ItemState::Done if is_result => AuditEvent::Delivered,
        ItemState::Done => AuditEvent::Alerted,
        ItemState::Refused | ItemState::GivenUp => AuditEvent::Undelivered,
        ItemState::Pending | ItemState::Superseded => return None,
    };
    let record = journal::record(event, Some(item.item.study), Some(target));
    Some(journal::with(
        record,
        "revision",
        Fact::Number(item.item.revision.into()),
    ))
}

/// Takes in how the results of a study's revision stand.
pub(crate) fn settle_delivery(
    shared: &Shared,
    session: &Session<'_>,
    number: u64,
) -> spool::database::Result<()> {
    let Some(row) = session.study(number)? else {
        return Ok(());
    };
    let mut study = Shared::study(&row)?;
    let items = session.items_of(number)?;
    let current: Vec<_> = items
        .iter()
        .filter(|item| item.item.revision == study.revision)
        .filter(|item| item.item.target.starts_with(DESTINATION))
        .collect();
    let count = |states: &[ItemState]| {
        current
            .iter()
            .filter(|it| states.contains(&it.state))
            .count()
    };
    let pending = count(&[ItemState::Pending]);
    let failed = count(&[ItemState::Refused, ItemState::GivenUp]);
    let before = study.clone();
    let effects = study.delivery(pending, failed);
    if study == before {
        return Ok(());
    }
    shared.save(session, &row, &study, &effects)
}
