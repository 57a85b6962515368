//! The process: what starts with it, and what ends with it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::Response;
use kube::client::ClientBuilder;
use kube::{Client, Config};
use snafu::ResultExt;
use tokio::runtime::Builder;
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;
use tower::util::MapResponseLayer;

use super::clock::ServerClock;
use super::context::Context;
use super::error::{ClientSnafu, ConfigurationSnafu, Error, RuntimeSnafu};
use super::events::{EventQueue, event_queue};
use super::fetch::QUERIES_PER_SECOND;
use super::http::{HttpState, serve};
use super::index::Index;
use super::kueue::Workloads;
use super::lease::{Election, Leadership};
use super::metrics::Metrics;
use super::queue::{WorkQueue, run_workers, work_queue};
use super::reconcile::reconcile;
use super::stop::{stop_on_signals, stopped};
use super::watch::Watches;
use super::{Settings, progress};

/// How an operator is run.
#[derive(Clone, Debug)]
pub struct Options {
    /// What all pods have in common.
    pub settings: Settings,
    /// The namespaces that are watched; all of them where there is none.
    pub namespaces: Vec<String>,
    /// The namespace of the Lease.
    pub lease_namespace: String,
    /// The name of the Lease.
    pub lease_name: String,
    /// What tells this process from its replicas.
    pub identity: String,
    /// Where health and metrics are served.
    pub listen: SocketAddr,
    /// How many resources are reconciled at a time.
    pub max_concurrent_reconciles: usize,
}

/// Threads of the operator: it waits more than it computes.
const THREADS: usize = 2;
/// How long the end of the process waits for reconciliations that have begun.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(15);
/// How long an API server may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Runs the operator until it is told to stop by SIGTERM or Ctrl-C.
///
/// # Errors
/// Only what keeps it from starting: once it runs, every error is retried.
pub fn run(options: &Options) -> Result<(), Error> {
    let mut runtime = Builder::new_multi_thread();
    let runtime = runtime.worker_threads(THREADS).enable_all().build();
    runtime.context(RuntimeSnafu)?.block_on(operate(options))
}

async fn operate(options: &Options) -> Result<(), Error> {
    let mut stop = stop_on_signals()?;
    let clock = ServerClock::default();
    let client = client(&clock).await?;
    let (events, publisher) = event_queue(client.clone(), &options.identity);
    let context = Arc::new(context(client, clock, options, events));
    let (queue, receiver) = work_queue();
    let synced = watches(&context, options, &queue).start();
    let http = HttpState {
        synced: synced.clone(),
        index: context.index.clone(),
        metrics: context.metrics.clone(),
        leadership: context.leadership.clone(),
    };
    serve(options.listen, http).await?;
    if !wait(synced, &mut stop).await {
        return Ok(());
    }
    let (finish, finished) = watch::channel(false);
    let election = tokio::spawn(election(&context, options).run(finished.clone()));
    let publisher = tokio::spawn(publisher.run(finished));
    let (leadership, index) = (context.leadership.clone(), context.index.clone());
    tokio::spawn(reconcile_all(leadership, index, queue.clone()));
    tokio::spawn(progress::follow(context.clone(), queue.clone()));
    let most = options.max_concurrent_reconciles;
    let reconcile = move |key| reconcile(context.clone(), key);
    let workers = tokio::spawn(run_workers(queue, receiver, most, stop.clone(), reconcile));
    stopped(&mut stop).await;
    tracing::info!("Stopping");
    if timeout(SHUTDOWN_TIMEOUT, workers).await.is_err() {
        tracing::warn!("Not every reconciliation has ended in time; the next leader goes on");
    }
    finish.send_replace(true);
    // What fails here has been logged by the tasks themselves.
    let _ = election.await;
    let _ = publisher.await;
    Ok(())
}

async fn client(clock: &ServerClock) -> Result<Client, Error> {
    let mut config = Config::infer().await.context(ConfigurationSnafu)?;
    config.connect_timeout = Some(CONNECT_TIMEOUT);
    let clock = clock.clone();
    let observe = MapResponseLayer::new(move |response: Response<_>| {
        clock.observe(response.headers());
        response
    });
    let builder = ClientBuilder::try_from(config).context(ClientSnafu)?;
    Ok(builder.with_layer(&observe).build())
}

fn context(client: Client, clock: ServerClock, options: &Options, events: EventQueue) -> Context {
    Context {
        client,
        clock,
        index: Arc::new(Index::default()),
        leadership: Leadership::default(),
        settings: options.settings.clone(),
        metrics: Arc::new(Metrics::new()),
        events,
        workloads: Workloads::default(),
        event_queries: Arc::new(Semaphore::new(QUERIES_PER_SECOND)),
    }
}

fn watches(context: &Context, options: &Options, queue: &WorkQueue) -> Watches {
    Watches {
        client: context.client.clone(),
        namespaces: options.namespaces.clone(),
        index: context.index.clone(),
        queue: queue.clone(),
    }
}

fn election(context: &Context, options: &Options) -> Election {
    Election::new(
        context.client.clone(),
        &options.lease_namespace,
        &options.lease_name,
        &options.identity,
        context.leadership.clone(),
    )
}

/// Waits until caches are filled. False where the process has to stop before.
async fn wait(mut synced: watch::Receiver<bool>, stop: &mut watch::Receiver<bool>) -> bool {
    tokio::select! {
        synced = synced.wait_for(|synced| *synced) => synced.is_ok(),
        () = stopped(stop) => false,
    }
}

/// A new leader reconciles every resource that is not finished: the one before may have left anything
/// half done.
pub(super) async fn reconcile_all(leadership: Leadership, index: Arc<Index>, queue: WorkQueue) {
    let mut changes = leadership.changes();
    loop {
        if *changes.borrow_and_update() {
            for key in index.unfinished() {
                queue.add(key);
            }
        }
        if changes.changed().await.is_err() {
            return;
        }
    }
}
