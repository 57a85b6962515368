//! What is old goes: files first, rows later. And a disk that has failed is tried again.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::sleep;

use crate::clock;
use crate::coordinator;
use crate::journal;
use crate::shared::Shared;
use crate::study::State;
use attrium_spool::audit::AuditEvent;
use attrium_spool::{ItemState, StudyRow};
use attrium_types::text::causes;

/// How often it is looked whether the disk is well.
const PROBE: Duration = Duration::from_secs(5);
/// After how many of these it is looked for what is old.
const PROBES: u32 = 120;
/// A day in milliseconds.
const DAY: i64 = 86_400_000;

/// Looks after the spool until it is told to stop.
pub(crate) async fn run(shared: Arc<Shared>, stop: impl Future<Output = ()>) {
    tokio::pin!(stop);
    let mut round = 0_u32;
    loop {
        let task = shared.clone();
        let is_time = round.is_multiple_of(PROBES);
        let worked = spawn_blocking(move || {
            probe(&task);
            if is_time {
                clear(&task, clock::now());
            }
        });
        if worked.await.is_err() {
            tracing::error!("The station's spool was not looked after: the program broke off");
        }
        round = round.wrapping_add(1);
        tokio::select! {
            () = &mut stop => return,
            () = sleep(PROBE) => {}
        }
    }
}

/// Lets a spool whose disk has failed take objects again, once a file can be written.
fn probe(shared: &Shared) {
    if shared.spool.accepts().is_err()
        && let Err(error) = shared.spool.probe()
    {
        tracing::error!("The spool takes nothing: {}", causes(&error));
    }
}

/// Removes the files of studies that are done and old, and the rows of those that are older still.
pub(crate) fn clear(shared: &Shared, now: i64) {
    let retention = &shared.manifest.spec.retention;
    let objects = now - DAY * i64::from(retention.object_days);
    let rows = now - DAY * i64::from(retention.study_days);
    if let Err(error) = clear_strays(shared, objects) {
        tracing::error!("Old objects of no study stay: {}", causes(&error));
    }
    for state in State::ALL {
        let studies = shared
            .index
            .read(|session| session.studies_in(state.word()));
        for row in studies.unwrap_or_default() {
            let cleared = if state == State::Expired && row.changed_at < rows {
                shared
                    .index
                    .write(|session| session.remove_study(row.number))
            } else if state != State::Expired && row.changed_at < objects {
                expire(shared, &row)
            } else {
                Ok(())
            };
            if let Err(error) = cleared {
                tracing::error!(study = row.number, "An old study stays: {}", causes(&error));
            }
        }
    }
}

/// Removes the files of old objects that do not say of which study they are.
fn clear_strays(shared: &Shared, before: i64) -> Result<(), attrium_spool::IndexError> {
    let strays = shared.index.read(|session| session.stray_objects(before))?;
    let files: Vec<_> = strays
        .iter()
        .filter_map(|object| coordinator::file(object, object.arrival))
        .collect();
    if let Err(error) = shared.spool.remove(&files) {
        tracing::error!("Old objects of no study stay: {}", causes(&error));
        return Ok(());
    }
    shared.index.write(|session| {
        for object in &strays {
            session.mark_removed(object.arrival)?;
        }
        Ok(())
    })
}

/// Removes the files of a study, unless it is open or something of it is still on its way.
fn expire(shared: &Shared, row: &StudyRow) -> Result<(), attrium_spool::IndexError> {
    let (study, objects, pending) = shared.index.read(|session| {
        let items = session.items_of(row.number)?;
        let pending = items
            .iter()
            .filter(|item| item.state == ItemState::Pending)
            .count();
        Ok((
            Shared::study(row)?,
            session.objects_of(row.number)?,
            pending,
        ))
    })?;
    if !study.may_expire(pending) {
        return Ok(());
    }
    let files: Vec<_> = objects
        .iter()
        .filter_map(|object| coordinator::file(object, object.arrival))
        .collect();
    let removed = shared
        .spool
        .remove(&files)
        .and_then(|()| shared.spool.remove_results(row.number));
    if let Err(error) = removed {
        tracing::error!(study = row.number, "Files stay: {}", causes(&error));
        return Ok(());
    }
    shared.index.write(|session| {
        let mut study = study;
        study.expire();
        for object in &objects {
            session.mark_removed(object.arrival)?;
        }
        shared.save(session, row, &study, &[])
    })?;
    shared.journal(&[journal::record(AuditEvent::Expired, Some(row.number), None)]);
    Ok(())
}
