//! The reconciliation of a resource, from top to bottom: fetch, decide, admit, create, write the status,
//! publish events, stop, requeue.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::error::Elapsed;
use tokio::time::timeout;
use tracing::Instrument;

use super::apply::{create, patch_jobs, stop};
use super::context::Context;
use super::decide::{
    ObservedState, Refusal, ResourceEvent, StatusUpdate, clean_up, decide, start_again,
};
use super::error::Error;
use super::fetch::{Fetched, fetch};
use super::queue::Requeue;
use super::resource_entry::{EndedResource, MalformedResource, ResourceKey};
use super::{malformed, status};
use attrium_api::Uid;
use attrium_types::text::causes;

/// How long a reconciliation may take before it is retried.
const TIMEOUT: Duration = Duration::from_secs(60);
/// When a resource is looked at again of whose namespace not everything is known.
const UNLISTED: Duration = Duration::from_secs(15);
/// When a resource is reconciled again that has changed meanwhile.
const SOON: Duration = Duration::from_millis(250);

/// Reconciles a resource.
pub(super) async fn reconcile(context: Arc<Context>, key: ResourceKey) -> Requeue {
    if !context.leadership.is_leader() {
        return Requeue::AwaitChange;
    }
    if !context.index.is_listed(&key.namespace) {
        return Requeue::After(UNLISTED);
    }
    let (namespace, resource) = (&*key.namespace, &*key.name);
    let span = tracing::info_span!("reconcile", kind = key.kind.name(), namespace, resource);
    async {
        let began = Instant::now();
        let result = timeout(TIMEOUT, reconcile_resource(&context, &key)).await;
        let requeue = requeue(result);
        let has_failed = requeue == Requeue::BackOff;
        let metrics = &context.metrics;
        metrics.reconciled(key.kind, began.elapsed(), has_failed);
        requeue
    }
    .instrument(span)
    .await
}

fn requeue(result: Result<Result<Requeue, Error>, Elapsed>) -> Requeue {
    match result {
        Ok(Ok(requeue)) => requeue,
        Ok(Err(Error::NotLeading)) => Requeue::AwaitChange,
        Ok(Err(Error::Stale)) => Requeue::After(SOON),
        Ok(Err(error)) => {
            let error = causes(&error);
            tracing::warn!(error, "The reconciliation failed and is retried");
            Requeue::BackOff
        }
        Err(_) => {
            tracing::warn!("The API server does not answer; the reconciliation is retried");
            Requeue::BackOff
        }
    }
}

async fn reconcile_resource(context: &Context, key: &ResourceKey) -> Result<Requeue, Error> {
    match fetch(context, key).await {
        Fetched::Gone => Ok(Requeue::AwaitChange),
        Fetched::Malformed(malformed) => reconcile_malformed(context, key, &malformed).await,
        Fetched::Ended(ended) => reconcile_ended(context, key, &ended).await,
        Fetched::Live(observed) => reconcile_live(context, key, &observed).await,
    }
}

async fn reconcile_live(
    context: &Context,
    key: &ResourceKey,
    observed: &ObservedState,
) -> Result<Requeue, Error> {
    let (snapshot, uid) = (&observed.snapshot, observed.snapshot.resource.uid());
    if let Some(StatusUpdate { status, events }) = start_again(observed) {
        if let Some(status) = &status {
            status::write(context, key, snapshot, status).await?;
        }
        publish(context, key, uid, observed, events)?;
        return Ok(Requeue::After(SOON));
    }
    let Some(mut transition) = decide(observed) else {
        return Ok(Requeue::AwaitChange);
    };
    let refusal = create(context, key, snapshot, &transition.create).await?;
    if let Some(refusal) = &refusal {
        transition.refuse(refusal);
    }
    patch_jobs(context, key, uid, &transition.patch, observed.now).await?;
    let StatusUpdate { status, events } = transition.status_update();
    if let Some(status) = &status {
        status::write(context, key, snapshot, status).await?;
    }
    publish(context, key, uid, observed, events)?;
    if let Some(Refusal::Forbidden(message) | Refusal::NameTaken(message)) = refusal {
        return Err(Error::Refused { message });
    }
    stop(context, key, uid, &transition.stop).await?;
    Ok(Requeue::from(transition.requeue))
}

/// Publishes the events of a transition. A failure that has its event gets no other.
fn publish(
    context: &Context,
    key: &ResourceKey,
    uid: &Uid,
    observed: &ObservedState,
    events: Vec<ResourceEvent>,
) -> Result<(), Error> {
    context.ensure_leader()?;
    for event in &events {
        tracing::info!(reason = event.reason, "{}", event.message);
    }
    context.events.publish(key, uid, events);
    let published = &observed.snapshot.state.reports;
    context.index.update_state(uid, |state| {
        state.reports.mark_published(published);
    });
    Ok(())
}

/// Stops what still runs of a resource that has ended, and deletes it in the end.
async fn reconcile_ended(
    context: &Context,
    key: &ResourceKey,
    ended: &EndedResource,
) -> Result<Requeue, Error> {
    let jobs = context.index.remaining_jobs(&ended.uid);
    let clean_up = clean_up(ended, &jobs, context.clock.now());
    if let Some(generation) = clean_up.observe {
        status::observe(context, key, &ended.uid, generation).await?;
    }
    stop(context, key, &ended.uid, &clean_up.stop).await?;
    Ok(Requeue::from(clean_up.requeue))
}

/// Reports what is wrong with a resource that cannot be read, once for each generation.
async fn reconcile_malformed(
    context: &Context,
    key: &ResourceKey,
    malformed: &MalformedResource,
) -> Result<Requeue, Error> {
    if context.index.is_reported(malformed) {
        return Ok(Requeue::AwaitChange);
    }
    let event = malformed::report(context, key, malformed).await?;
    context.index.mark_reported(malformed);
    tracing::warn!("{}", event.message);
    context.events.publish(key, &malformed.uid, vec![event]);
    Ok(Requeue::AwaitChange)
}

#[cfg(test)]
mod tests;
