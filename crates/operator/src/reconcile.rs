//! A look at a resource, from top to bottom: fetch, decide, apply, report.

use std::sync::Arc;
use std::time::{Duration, Instant};

use k8s_openapi::jiff::Timestamp;
use snafu::ChainCompat;
use tokio::time::timeout;
use tracing::Instrument;

use super::apply::apply;
use super::context::Context;
use super::decide::{self, Decision, Situation, decide, settle};
use super::error::Error;
use super::fetch::{Found, fetch};
use super::queue::Outcome;
use super::resource_entry::{Key, Malformed, Over};
use super::status;
use attrium_api::{Phase, StageStatus, Status};

/// How long a look may take before it is tried again.
const LIMIT: Duration = Duration::from_secs(60);
/// When a resource is looked at again that has changed meanwhile.
const SOON: Duration = Duration::from_millis(250);

/// Looks at a resource.
pub(super) async fn look(context: Arc<Context>, key: Key) -> Outcome {
    if !context.leadership.holds() {
        return Outcome::Done;
    }
    let (namespace, resource) = (&*key.namespace, &*key.name);
    let span = tracing::info_span!("reconcile", kind = key.kind.name(), namespace, resource);
    async {
        let began = Instant::now();
        let looked = timeout(LIMIT, step(&context, &key)).await;
        let outcome = outcome(looked);
        let failed = outcome == Outcome::Failed;
        context
            .metrics
            .reconciled(key.kind, began.elapsed(), failed);
        outcome
    }
    .instrument(span)
    .await
}

fn outcome(
    looked: Result<Result<Option<Duration>, Error>, tokio::time::error::Elapsed>,
) -> Outcome {
    match looked {
        Ok(Ok(None)) | Ok(Err(Error::NotLeading)) => Outcome::Done,
        Ok(Ok(Some(again))) => Outcome::Again(again),
        Ok(Err(Error::Stale)) => Outcome::Again(SOON),
        Ok(Err(error)) => {
            let causes: Vec<_> = ChainCompat::new(&error).map(ToString::to_string).collect();
            tracing::warn!(
                error = causes.join(": "),
                "The look failed and is tried again"
            );
            Outcome::Failed
        }
        Err(_) => {
            tracing::warn!("The API server does not answer; it is tried again");
            Outcome::Failed
        }
    }
}

async fn step(context: &Context, key: &Key) -> Result<Option<Duration>, Error> {
    match fetch(context, key).await {
        Found::Nothing => Ok(None),
        Found::Malformed(malformed) => report_malformed(context, key, &malformed).await,
        Found::Over(over) => finish(context, key, &over).await,
        Found::Live(situation) => proceed(context, key, *situation).await,
    }
}

/// Goes on with a resource that has not ended.
async fn proceed(
    context: &Context,
    key: &Key,
    mut situation: Situation,
) -> Result<Option<Duration>, Error> {
    let uid = situation.resource.uid().unwrap_or_default().to_owned();
    let mut decision = decide(&situation);
    let was_held = situation.held.is_some();
    let obstacle = match make(context, key, &uid, &situation, &decision).await {
        Ok(()) => None,
        Err(error) if keep(&error, &mut situation.refused, &mut situation.held) => {
            context.index.note(&uid, |memo| {
                keep(&error, &mut memo.refused, &mut memo.held);
            });
            decision = decide(&situation);
            Some(error)
        }
        Err(error) => return Err(error),
    };
    tell(context, key, &uid, &situation, &decision).await?;
    if let Some(error @ Error::Held { .. }) = obstacle {
        return Err(error);
    }
    for action in &decision.after {
        apply(context, key, &uid, Some(&situation), action).await?;
    }
    if was_held && !decision.before.is_empty() {
        // The status was made of what no longer holds.
        return Ok(Some(Duration::ZERO));
    }
    Ok(decision.again)
}

/// Keeps the API server's word that something cannot be made, or not now. Whether an error is one.
fn keep(error: &Error, refused: &mut Option<String>, held: &mut Option<String>) -> bool {
    match error {
        Error::Refused { message } => *refused = Some(message.clone()),
        Error::Held { message } => *held = Some(message.clone()),
        _ => return false,
    }
    true
}

/// Does what has to be done before the status says so.
async fn make(
    context: &Context,
    key: &Key,
    uid: &str,
    situation: &Situation,
    decision: &Decision,
) -> Result<(), Error> {
    for action in &decision.before {
        apply(context, key, uid, Some(situation), action).await?;
    }
    Ok(())
}

/// Writes the status, and tells people and Prometheus.
async fn tell(
    context: &Context,
    key: &Key,
    uid: &str,
    situation: &Situation,
    decision: &Decision,
) -> Result<(), Error> {
    if !context.leadership.holds() {
        return Err(Error::NotLeading);
    }
    if let Some(status) = &decision.status {
        status::status(context, key, &situation.resource, status).await?;
        measure(context, situation, status);
    }
    for notice in &decision.notices {
        tracing::info!(reason = notice.reason, "{}", notice.message);
    }
    context.events.tell(key, uid, decision.notices.clone());
    let told = situation.heard.failures.clone();
    context.index.note(uid, |memo| {
        for (task, failure) in &mut memo.heard.failures {
            failure.announced |= told.get(task).is_some_and(|it| it.pod == failure.pod);
        }
    });
    Ok(())
}

/// What of a change of status Prometheus is told.
fn measure(context: &Context, situation: &Situation, new: &Status) {
    let empty = Status::default();
    let old = situation.resource.status().unwrap_or(&empty);
    if old.stages.is_empty() && !new.stages.is_empty() {
        let created = situation.resource.metadata().creation_timestamp.as_ref();
        if let Some(created) = created {
            let waited = Timestamp::now().duration_since(created.0);
            context.metrics.first_job(waited.as_secs_f64());
        }
    }
    for stage in newly_over(old, new) {
        // Of a stage that was cut short a task that has not ended well has failed.
        let (name, succeeded) = (&stage.name, stage.succeeded);
        let failed = stage.tasks.saturating_sub(succeeded);
        context.metrics.stage_ended(name, succeeded, failed);
    }
    if old.phase == Some(Phase::Queued) && new.phase == Some(Phase::Running) {
        let jobs = situation.jobs.values().rev();
        for job in jobs.filter(|job| job.queued).take(1) {
            if let (Some(created), Some(started)) = (job.created, job.started) {
                context
                    .metrics
                    .left_queue(started.duration_since(created).as_secs_f64());
            }
        }
    }
}

/// The stages that are over in a status and were not in the one before: complete, or cut short by the
/// end of the resource.
fn newly_over<'a>(old: &Status, new: &'a Status) -> impl Iterator<Item = &'a StageStatus> {
    let is_complete = |stage: &StageStatus| stage.completion_time.is_some();
    let was_complete = old.stages.iter().filter(|it| is_complete(it));
    let was_complete: Vec<_> = was_complete.map(|it| it.name.clone()).collect();
    let has_ended = decide::ended(new).is_some();
    new.stages
        .iter()
        .filter(move |stage| has_ended || is_complete(stage))
        .filter(move |stage| !was_complete.contains(&stage.name))
}

/// Stops what still runs of a resource that has ended, and deletes it in the end.
async fn finish(context: &Context, key: &Key, over: &Over) -> Result<Option<Duration>, Error> {
    if over.deleted {
        return Ok(None);
    }
    let jobs = context.index.leftovers(&over.uid);
    let jobs: Vec<_> = jobs.iter().collect();
    let decision = settle(&jobs, over.ended, over.ttl, Timestamp::now());
    for action in &decision.after {
        apply(context, key, &over.uid, None, action).await?;
    }
    Ok(decision.again)
}

async fn report_malformed(
    context: &Context,
    key: &Key,
    malformed: &Malformed,
) -> Result<Option<Duration>, Error> {
    if context.index.is_reported(malformed) {
        return Ok(None);
    }
    let notice = status::malformed(context, key, malformed).await?;
    context.index.note_reported(malformed);
    tracing::warn!("{}", notice.message);
    context.events.tell(key, &malformed.uid, vec![notice]);
    Ok(None)
}

#[cfg(test)]
mod tests;
