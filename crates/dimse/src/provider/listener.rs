//! Accepts connections until it is told to end.

use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::association::{Caller, Phase, Shared, host};
use super::{ListenerOptions, StorageService, TurnedAway};
use crate::tls::digest;

/// How long is waited after a connection could not be accepted, as where no descriptor is left.
const PAUSE: Duration = Duration::from_millis(100);

/// Connections beyond two for each association: of noise, and of peers that take leave.
const SPARE: usize = 32;

/// Serves associations on a listener until `shutdown` comes true.
///
/// From then on nobody is accepted. What is under way may end: a peer that is silent for a second between messages is
/// aborted, and so is everyone when the deadline of the shutdown has passed. Comes back when no connection is left.
pub async fn serve(
    listener: TcpListener,
    options: ListenerOptions,
    service: Arc<dyn StorageService>,
    shutdown: impl Future<Output = ()>,
) {
    let within = options.deadlines.shutdown;
    let shared = Arc::new(Shared::new(options, service));
    let (phases, phase) = watch::channel(Phase::Open);
    let mut connections = JoinSet::new();
    tokio::select! {
        biased;
        () = shutdown => {}
        () = accept(&listener, &shared, &phase, &mut connections) => {}
    }
    drop(listener);
    phases.send_replace(Phase::Closing);
    let ended = timeout(within, join(&mut connections)).await;
    if ended.is_err() {
        phases.send_replace(Phase::Over);
        join(&mut connections).await;
    }
}

/// Accepts connections, each in a task of its own. It has no end.
async fn accept(
    listener: &TcpListener,
    shared: &Arc<Shared>,
    phase: &watch::Receiver<Phase>,
    connections: &mut JoinSet<()>,
) {
    let most = shared.options.max_associations;
    let permits = Arc::new(Semaphore::new(most.saturating_mul(2) + SPARE));
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, address)) => {
                    let Ok(permit) = Arc::clone(&permits).try_acquire_owned() else {
                        let why = TurnedAway::TooManyConnections;
                        shared.service.turned_away(address.ip(), why);
                        continue;
                    };
                    let shared = Arc::clone(shared);
                    let task = connect(stream, address.ip(), shared, phase.clone(), permit);
                    connections.spawn(task);
                }
                Err(error) => {
                    tracing::warn!(%error, "A connection could not be accepted");
                    tokio::time::sleep(PAUSE).await;
                }
            },
            Some(ended) = connections.join_next() => note(ended),
        }
    }
}

/// Waits until every connection has ended.
async fn join(connections: &mut JoinSet<()>) {
    while let Some(ended) = connections.join_next().await {
        note(ended);
    }
}

/// A task ends by itself, or by a panic in the service: that is one peer's loss, and no other's.
fn note(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!("The service of an association panicked");
    }
}

/// Serves a connection, over TLS where that is asked for.
async fn connect(
    stream: TcpStream,
    address: IpAddr,
    shared: Arc<Shared>,
    phase: watch::Receiver<Phase>,
    _permit: OwnedSemaphorePermit,
) {
    // A response is a small packet that the peer waits for.
    let _ = stream.set_nodelay(true);
    let mut caller = Caller {
        address,
        certificate_sha256: None,
    };
    let Some(tls) = &shared.options.tls else {
        return host(stream, caller, &shared, phase).await;
    };
    let acceptor = TlsAcceptor::from(Arc::clone(tls));
    let within = shared.options.deadlines.handshake;
    match timeout(within, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => {
            let certificates = stream.get_ref().1.peer_certificates();
            let certificate = certificates.and_then(|chain| chain.first());
            caller.certificate_sha256 = certificate.map(|der| digest(der));
            host(stream, caller, &shared, phase).await;
        }
        Ok(Err(_)) => shared.service.turned_away(address, TurnedAway::Tls),
        Err(_) => shared.service.turned_away(address, TurnedAway::Late),
    }
}
