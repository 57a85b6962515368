//! From objects that were kept to studies that are decided on.
//!
//! Objects are looked at in batches, as many as wait, so that a hundred senders do not make a queue of one screening
//! after the other. What becomes of a study is decided by [`Study`] and written down in one transaction with what is
//! to be told. Timers go by a clock that never jumps, and begin anew when the process does.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use snafu::{ResultExt, Snafu};
use tokio::sync::mpsc::Receiver;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep_until};

use crate::clock;
use crate::composer::{self, Inputs};
use crate::intake::Kept;
use crate::journal;
use crate::overview;
use crate::screening::{self, Looked};
use crate::shared::{Shared, records};
use crate::study::{Effect, Finding, Reported, State, Study};
use attrium_api::StudyRules;
use attrium_dimse::AssociationId;
use attrium_spool as spool;
use attrium_spool::audit::{AuditEvent, AuditRecord, Fact};
use attrium_spool::{IndexError, ObjectFile, ObjectRow, ResultKind, Session, StudyRow};
use attrium_types::text::causes;

/// How many objects are looked at together.
const TOGETHER: usize = 64;
/// How soon a study that could not be settled, or that somebody still sends, is looked at again.
const AGAIN: Duration = Duration::from_secs(1);

/// Why something could not be taken in or settled; it is tried again.
#[derive(Debug, Snafu)]
pub(crate) enum Error {
    #[snafu(display("the station's spool cannot be used"))]
    Spool { source: spool::Error },
    #[snafu(transparent)]
    Index { source: IndexError },
}

/// When something last happened to an open study.
#[derive(Clone, Debug)]
struct Timing {
    first: Instant,
    last: Instant,
    /// Not before this is it looked at again.
    not_before: Instant,
    associations: BTreeSet<AssociationId>,
}

impl Timing {
    fn begin(now: Instant) -> Self {
        Self {
            first: now,
            last: now,
            not_before: now,
            associations: BTreeSet::new(),
        }
    }

    /// When the study is complete if nothing more arrives: once it was quiet for long enough and nobody sends it any
    /// more, and at the latest after its longest wait.
    fn due(&self, rules: &StudyRules, is_sending: bool, now: Instant) -> Instant {
        let latest = self.first + Duration::from_secs(rules.max_wait_seconds.into());
        let quiet = self.last + Duration::from_secs(rules.quiet_seconds.into());
        let due = if is_sending {
            quiet.max(now + AGAIN)
        } else {
            quiet
        };
        due.min(latest).max(self.not_before)
    }
}

/// Takes in what arrives and settles what is complete, until it is told to stop.
pub(crate) async fn run(
    shared: Arc<Shared>,
    mut kept: Receiver<Kept>,
    stop: impl Future<Output = ()>,
) {
    let mut timings = begin(&shared);
    tokio::pin!(stop);
    loop {
        let next = next(&shared, &timings);
        let mut batch = Vec::new();
        tokio::select! {
            () = &mut stop => return,
            count = kept.recv_many(&mut batch, TOGETHER) => if count == 0 { return },
            () = shared.associations.closed.notified() => {}
            () = sleep_until(next) => {}
        }
        if shared.counters.rescan.swap(false, Ordering::SeqCst) {
            batch.extend(unknown_objects(&shared));
        }
        if !batch.is_empty() {
            take_in(&shared, batch, &mut timings).await;
        }
        settle_due(&shared, &mut timings).await;
    }
}

/// Studies that were open when the process ended, and objects that nobody has looked at since they were kept.
fn begin(shared: &Shared) -> BTreeMap<u64, Timing> {
    shared.counters.rescan.store(true, Ordering::SeqCst);
    let now = Instant::now();
    let open = shared
        .index
        .read(|session| session.studies_in(State::Open.word()));
    let open = open.unwrap_or_else(|error| {
        tracing::error!("Open studies are not known: {}", causes(&error));
        Vec::new()
    });
    let timing = |row: StudyRow| (row.number, Timing::begin(now));
    open.into_iter().map(timing).collect()
}

fn next(shared: &Shared, timings: &BTreeMap<u64, Timing>) -> Instant {
    let now = Instant::now();
    let rules = &shared.manifest.spec.studies;
    let due =
        |timing: &Timing| timing.due(rules, shared.associations.any(&timing.associations), now);
    let rescan = shared.counters.rescan.load(Ordering::SeqCst).then_some(now);
    let soonest = timings.values().map(due).chain(rescan).min();
    soonest.unwrap_or(now + Duration::from_secs(3600))
}

/// The objects that the spool has and the index does not.
fn unknown_objects(shared: &Shared) -> Vec<Kept> {
    let found = shared
        .spool
        .objects()
        .context(SpoolSnafu)
        .and_then(|files| {
            let is_unknown = |session: &Session<'_>| {
                let mut unknown = Vec::new();
                for file in files {
                    if session.object(file.arrival)?.is_none() {
                        unknown.push(file);
                    }
                }
                Ok(unknown)
            };
            Ok(shared.index.read(is_unknown)?)
        });
    let files = found.unwrap_or_else(|error: Error| {
        tracing::error!("Objects that were kept are not found: {}", causes(&error));
        Vec::new()
    });
    let kept = |file| Kept {
        file,
        sender: None,
        association: None,
    };
    files.into_iter().map(kept).collect()
}

/// Looks at objects together, and writes down what they are.
async fn take_in(shared: &Arc<Shared>, batch: Vec<Kept>, timings: &mut BTreeMap<u64, Timing>) {
    for batch in batch.chunks(TOGETHER) {
        let (task, objects) = (shared.clone(), batch.to_vec());
        let taken = spawn_blocking(move || {
            let files: Vec<ObjectFile> = objects.iter().map(|kept| kept.file).collect();
            let looked = screening::look(&task.spool, &task.screener, &files);
            let looked = looked.context(SpoolSnafu)?;
            let studies = task.index.write(|session| {
                let mut studies = Vec::new();
                for (kept, looked) in objects.iter().zip(&looked) {
                    studies.push(take_in_one(&task, session, kept, looked)?);
                }
                Ok(studies)
            })?;
            let kept = objects.iter().map(kept_record);
            task.journal(&kept.collect::<Vec<_>>());
            Ok::<_, Error>(studies)
        });
        let now = Instant::now();
        match taken.await {
            Ok(Ok(studies)) => {
                for (kept, study) in batch.iter().zip(studies) {
                    if let Some(number) = study {
                        touch(timings, number, kept.association, now);
                    }
                }
                shared.outbox.notify_waiters();
            }
            failed => {
                tell_failure(
                    "Objects wait, they cannot be taken in",
                    failed.map(|it| it.err()),
                );
                shared.counters.rescan.store(true, Ordering::SeqCst);
                tokio::time::sleep(AGAIN).await;
            }
        }
    }
}

fn kept_record(kept: &Kept) -> AuditRecord {
    let record = journal::record(AuditEvent::ObjectKept, None, kept.sender.as_deref());
    journal::with(record, "object", Fact::Object(kept.file.digest))
}

fn tell_failure(what: &str, failed: Result<Option<Error>, tokio::task::JoinError>) {
    match failed {
        Ok(Some(error)) => tracing::error!("{what}: {}", causes(&error)),
        Ok(None) => {}
        Err(_) => tracing::error!("{what}: the program broke off"),
    }
}

fn touch(
    timings: &mut BTreeMap<u64, Timing>,
    number: u64,
    association: Option<AssociationId>,
    now: Instant,
) {
    let timing = timings.entry(number).or_insert_with(|| Timing::begin(now));
    timing.last = now;
    timing.associations.extend(association);
}

/// Adds an object to its study; gives the study's number where something has changed for it.
fn take_in_one(
    shared: &Shared,
    session: &Session<'_>,
    kept: &Kept,
    looked: &Looked,
) -> records::Result<Option<u64>> {
    let file = &kept.file;
    if session.object(file.arrival)?.is_some() {
        return Ok(None);
    }
    let now = clock::now();
    let mut object = ObjectRow {
        arrival: file.arrival,
        digest: file.digest.to_string(),
        bytes: file.bytes,
        study: None,
        instance: None,
        sender: kept.sender.clone(),
        received_at: now,
        is_removed: false,
    };
    let Some(keys) = &looked.keys else {
        tracing::warn!(
            "An object that does not say of which study it is was kept, and is of no use"
        );
        session.add_object(&object)?;
        return Ok(None);
    };
    let row = match session.study_by_key(&keys.study)? {
        Some(row) => row,
        None => added(session, &keys.study, now)?,
    };
    let mut study: Study = Shared::study(&row)?;
    object.study = Some(row.number);
    object.instance = Some(keys.instance.clone());
    let others = session.objects_of(row.number)?;
    session.add_object(&object)?;
    let is_there = |other: &&ObjectRow| !other.is_removed && other.digest == object.digest;
    if others.iter().any(|other| is_there(&other)) {
        study.repeat();
        shared.save(session, &row, &study, &[])?;
        return Ok(None);
    }
    let same = |other: &&ObjectRow| other.instance == object.instance;
    let replaced: Vec<u64> = others.iter().filter(same).map(|it| it.arrival).collect();
    let mut effects = study.keep(file.arrival, &replaced);
    effects.extend(study.screened(file.arrival, looked.finding.clone(), &shared.rules));
    shared.save(session, &row, &study, &effects)?;
    tell(row.number, &looked.finding);
    Ok(Some(row.number))
}

fn added(session: &Session<'_>, key: &str, now: i64) -> records::Result<StudyRow> {
    let record = records::to_json(&Study::default())?;
    let state = State::Open.word().to_owned();
    let number = session.add_study(key, &state, now, &record)?;
    Ok(StudyRow {
        number,
        key: key.to_owned(),
        state,
        opened_at: now,
        changed_at: now,
        record,
    })
}

fn tell(study: u64, finding: &Finding) {
    match finding {
        Finding::Decided(image) => {
            let decision = overview::word(image.positive);
            tracing::info!(study, decision, "An image was decided on");
        }
        Finding::OtherView => tracing::info!(study, "An image shows another view"),
        Finding::Unusable { reason, .. } => tracing::info!(study, reason, "An image is not used"),
        Finding::Waiting | Finding::Replaced => {}
    }
}

/// Settles every study that is complete.
async fn settle_due(shared: &Arc<Shared>, timings: &mut BTreeMap<u64, Timing>) {
    let now = Instant::now();
    let rules = &shared.manifest.spec.studies;
    let due = timings.iter().filter(|(_, timing)| {
        timing.due(rules, shared.associations.any(&timing.associations), now) <= now
    });
    let due: Vec<u64> = due.map(|(number, _)| *number).collect();
    for number in due {
        let task = shared.clone();
        match spawn_blocking(move || settle(&task, number)).await {
            Ok(Ok(Settled::Yes)) => {
                timings.remove(&number);
                shared.outbox.notify_waiters();
            }
            failed => {
                tell_failure(
                    "A study waits, it cannot be settled",
                    failed.map(|it| it.err()),
                );
                if let Some(timing) = timings.get_mut(&number) {
                    timing.not_before = Instant::now() + AGAIN;
                }
            }
        }
    }
}

/// Whether a study was settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Settled {
    Yes,
    /// An object waits to be screened, or one has come meanwhile.
    NotYet,
}

/// Decides on a study, makes its results, and queues them in the transaction that writes the decision down.
fn settle(shared: &Shared, number: u64) -> Result<Settled, Error> {
    screen_waiting(shared, number)?;
    let Some(row) = shared.index.read(|session| session.study(number))? else {
        return Ok(Settled::Yes);
    };
    let mut study = shared.index.read(|_| Shared::study(&row))?;
    if study.state != State::Open {
        return Ok(Settled::Yes);
    }
    let mut effects = study.complete(&shared.screener.model.digest, &shared.rules);
    if study.state == State::Open {
        return Ok(Settled::NotYet);
    }
    let deliver = effects.iter().find_map(|effect| match effect {
        Effect::Deliver { previous } => Some(*previous),
        _ => None,
    });
    let composed = match deliver {
        Some(previous) => composed(shared, number, &study, previous)?,
        None => false,
    };
    if deliver.is_some() && !composed {
        effects.extend(study.not_composed());
    }
    let was_positive = deliver.flatten().is_some_and(|previous| previous.positive);
    let settled = shared.index.write(|session| {
        // Whatever has come meanwhile is decided on with the rest.
        if session.study(number)?.as_ref() != Some(&row) {
            return Ok(Settled::NotYet);
        }
        shared.save(session, &row, &study, &effects)?;
        if composed {
            shared.queue_results(session, number, &study, was_positive)?;
        }
        Ok(Settled::Yes)
    })?;
    if settled == Settled::Yes {
        shared.journal(&[settled_record(number, &study)]);
        let state = study.state.word();
        tracing::info!(
            study = number,
            revision = study.revision,
            state,
            "A study is complete"
        );
    }
    Ok(settled)
}

fn settled_record(number: u64, study: &Study) -> AuditRecord {
    let decision = study
        .decision
        .as_ref()
        .filter(|_| study.state != State::Unusable);
    let event = match decision {
        Some(_) => AuditEvent::Decided,
        None => AuditEvent::Unusable,
    };
    let record = journal::record(event, Some(number), None);
    let record = journal::with(record, "revision", Fact::Number(study.revision.into()));
    match decision {
        Some(decision) => journal::with(
            record,
            "decision",
            Fact::Word(overview::word(decision.positive)),
        ),
        None => record,
    }
}

/// Looks again at objects that nobody could look at before.
fn screen_waiting(shared: &Shared, number: u64) -> Result<(), Error> {
    let study = shared.index.read(|session| match session.study(number)? {
        Some(row) => Shared::study(&row).map(Some),
        None => Ok(None),
    })?;
    let waiting: BTreeSet<u64> = study.iter().flat_map(Study::waiting).collect();
    if waiting.is_empty() {
        return Ok(());
    }
    let files = shared.spool.objects().context(SpoolSnafu)?;
    let is_waiting = |file: &ObjectFile| waiting.contains(&file.arrival);
    let files: Vec<_> = files.into_iter().filter(is_waiting).collect();
    let looked = screening::look(&shared.spool, &shared.screener, &files).context(SpoolSnafu)?;
    let is_there = |arrival: &&u64| files.iter().any(|file| file.arrival == **arrival);
    let gone: Vec<u64> = waiting.iter().filter(|it| !is_there(it)).copied().collect();
    shared.index.write(|session| {
        let Some(row) = session.study(number)? else {
            return Ok(());
        };
        let mut study = Shared::study(&row)?;
        let mut effects = Vec::new();
        for looked in looked {
            effects.extend(study.screened(looked.file.arrival, looked.finding, &shared.rules));
        }
        for arrival in gone {
            let finding = Finding::Unusable {
                reason: "gone".to_owned(),
                sentence: "its file is not in the spool any more".to_owned(),
            };
            effects.extend(study.screened(arrival, finding, &shared.rules));
        }
        shared.save(session, &row, &study, &effects)
    })?;
    Ok(())
}

/// Makes the results of a decision and keeps them; those that an earlier process has kept stay. Gives whether they are
/// there.
fn composed(
    shared: &Shared,
    number: u64,
    study: &Study,
    previous: Option<Reported>,
) -> Result<bool, Error> {
    let (spool, revision) = (&shared.spool, study.revision);
    let kinds = [ResultKind::Report, ResultKind::Image];
    if kinds
        .iter()
        .all(|kind| spool.read_result(number, revision, *kind).is_ok())
    {
        return Ok(true);
    }
    let Some(decision) = &study.decision else {
        return Ok(false);
    };
    let objects = shared.index.read(|session| session.objects_of(number))?;
    let Some(file) = objects.iter().find_map(|it| file(it, decision.arrival)) else {
        return Ok(false);
    };
    let object = spool.read(&file).context(SpoolSnafu)?;
    let before = previous.and_then(|it| {
        let report = spool.read_result(number, it.revision, ResultKind::Report);
        Some((report.ok()?, it.positive))
    });
    let is_input = |row: &&ObjectRow| study.decided().any(|(arrival, _)| arrival == row.arrival);
    let digests: Vec<String> = objects
        .iter()
        .filter(is_input)
        .map(|it| it.digest.clone())
        .collect();
    let inputs = Inputs {
        object: &object,
        digests: &digests,
        candidates: decision.candidates,
        station: shared.manifest.name(),
        revision,
        previous: before
            .as_ref()
            .map(|(report, positive)| (&report[..], *positive)),
        composed_at: clock::moment(clock::now()),
    };
    let results = match composer::compose(&shared.screener, &inputs) {
        Ok(results) => results,
        Err(error) => {
            tracing::error!(study = number, "No result was made: {}", causes(&error));
            return Ok(false);
        }
    };
    for (kind, result) in kinds.into_iter().zip([results.report, results.image]) {
        match spool.put_result(number, revision, kind, &result.bytes) {
            Ok(()) | Err(spool::Error::OtherResult) => {}
            Err(source) => return Err(Error::Spool { source }),
        }
    }
    Ok(true)
}

/// The file of an object, if it is the one of this arrival and still there.
pub(crate) fn file(row: &ObjectRow, arrival: u64) -> Option<ObjectFile> {
    let is_it = row.arrival == arrival && !row.is_removed;
    is_it.then_some(ObjectFile {
        digest: row.digest.parse().ok()?,
        arrival: row.arrival,
        bytes: row.bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: StudyRules = StudyRules {
        quiet_seconds: 30,
        max_wait_seconds: 900,
        alert_at: attrium_api::AlertAt::FirstPositive,
        synthetic: attrium_api::SyntheticScans::Withhold,
    };

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_study_is_complete_once_it_is_quiet() {
        let now = Instant::now();
        let mut timing = Timing::begin(now);
        timing.last = now + seconds(10);
        assert_eq!(timing.due(&RULES, false, now), now + seconds(40));
    }

    #[test]
    fn a_study_that_is_still_sent_waits_for_its_longest_time_and_no_longer() {
        let now = Instant::now();
        let timing = Timing::begin(now);
        let later = now + seconds(500);
        assert_eq!(timing.due(&RULES, true, later), later + AGAIN);
        assert_eq!(
            timing.due(&RULES, true, now + seconds(899)),
            now + seconds(900)
        );
        assert_eq!(
            timing.due(&RULES, true, now + seconds(2000)),
            now + seconds(900)
        );
    }

    #[test]
    fn a_study_that_could_not_be_settled_is_left_alone_for_a_while() {
        let now = Instant::now();
        let mut timing = Timing::begin(now);
        timing.not_before = now + seconds(2000);
        assert_eq!(timing.due(&RULES, false, now), now + seconds(2000));
    }
}
