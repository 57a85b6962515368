//! The process: what starts with it, and what ends with it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use kube::{Client, Config};
use snafu::ResultExt;
use tokio::runtime::Builder;
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

use super::context::Context;
use super::error::{ClientSnafu, ConfigurationSnafu, Error, RuntimeSnafu};
use super::fetch::QUESTIONS;
use super::http::{Facts, serve};
use super::index::Index;
use super::kueue::Workloads;
use super::lease::{Election, Leadership};
use super::metrics::Metrics;
use super::queue::{Requests, requests, work};
use super::stop::{stop_on_signals, stopped};
use super::watch::Watches;
use super::{Settings, progress, reconcile, status};

/// How an operator is run.
#[derive(Clone, Debug)]
pub struct Options {
    /// What pods have in common.
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
    /// How many resources are worked on at a time.
    pub most: usize,
}

/// Threads of the operator: it waits more than it computes.
const THREADS: usize = 2;
/// How long the end of the process waits for looks that have begun.
const LAST: Duration = Duration::from_secs(15);
/// How long an API server may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(5);

/// Runs the operator until it is told to stop by SIGTERM or Ctrl-C.
///
/// # Errors
/// Only what keeps it from starting: once it runs, every error is tried again.
pub fn run(options: &Options) -> Result<(), Error> {
    let mut runtime = Builder::new_multi_thread();
    let runtime = runtime.worker_threads(THREADS).enable_all().build();
    runtime.context(RuntimeSnafu)?.block_on(operate(options))
}

async fn operate(options: &Options) -> Result<(), Error> {
    let mut stop = stop_on_signals()?;
    let mut config = Config::infer().await.context(ConfigurationSnafu)?;
    config.connect_timeout = Some(CONNECT);
    let client = Client::try_from(config).context(ClientSnafu)?;
    let index = Arc::new(Index::default());
    let metrics = Arc::new(Metrics::new());
    let leadership = Leadership::default();
    let (requests, arrivals) = requests();
    let watches = Watches {
        client: client.clone(),
        namespaces: options.namespaces.clone(),
        index: index.clone(),
        requests: requests.clone(),
    };
    let synced = watches.start();
    let facts = Facts {
        synced: synced.clone(),
        index: index.clone(),
        metrics: metrics.clone(),
        leadership: leadership.clone(),
    };
    serve(options.listen, facts).await?;
    let (events, publisher) = status::events(client.clone(), &options.identity);
    let context = Arc::new(Context {
        client: client.clone(),
        index: index.clone(),
        leadership: leadership.clone(),
        settings: options.settings.clone(),
        metrics,
        events,
        workloads: Workloads::default(),
        questions: Arc::new(Semaphore::new(QUESTIONS)),
    });
    if !wait(synced, &mut stop).await {
        return Ok(());
    }
    let (finish, finished) = watch::channel(false);
    let (namespace, name) = (&options.lease_namespace, &options.lease_name);
    let election = Election::new(
        client,
        namespace,
        name,
        &options.identity,
        leadership.clone(),
    );
    let election = tokio::spawn(election.run(finished.clone()));
    let publisher = tokio::spawn(publisher.run(finished));
    tokio::spawn(look_at_all(leadership, index, requests.clone()));
    tokio::spawn(progress::listen(context.clone(), requests.clone()));
    let look = move |key| reconcile::look(context.clone(), key);
    let worker = tokio::spawn(work(requests, arrivals, options.most, stop.clone(), look));
    stopped(&mut stop).await;
    tracing::info!("Stopping");
    if timeout(LAST, worker).await.is_err() {
        tracing::warn!("Not every look has ended in time; the next leader goes on with it");
    }
    finish.send_replace(true);
    // What fails here has been told by the tasks themselves.
    let _ = election.await;
    let _ = publisher.await;
    Ok(())
}

/// Waits until caches are filled. False where the process has to stop before.
async fn wait(mut synced: watch::Receiver<bool>, stop: &mut watch::Receiver<bool>) -> bool {
    tokio::select! {
        synced = synced.wait_for(|synced| *synced) => synced.is_ok(),
        () = stopped(stop) => false,
    }
}

/// A new leader looks at everything that is not over: whoever led before may have left anything half
/// done.
async fn look_at_all(leadership: Leadership, index: Arc<Index>, requests: Requests) {
    let mut changes = leadership.changes();
    loop {
        if *changes.borrow_and_update() {
            for key in index.unsettled() {
                requests.now(key);
            }
        }
        if changes.changed().await.is_err() {
            return;
        }
    }
}
