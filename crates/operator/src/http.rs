//! Health, readiness and metrics over HTTP.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use snafu::ResultExt;
use tokio::net::TcpListener;

use super::error::{Error, ListenSnafu};
use super::index::Index;
use super::lease::Leadership;
use super::metrics::Metrics;
use super::watch::Synced;

/// What the answers are made of.
#[derive(Clone)]
pub(super) struct HttpState {
    pub(super) synced: Synced,
    pub(super) index: Arc<Index>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) leadership: Leadership,
}

/// The type of the text that Prometheus reads.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Answers for as long as the process lives.
pub(super) async fn serve(address: SocketAddr, state: HttpState) -> Result<(), Error> {
    let listener = listen(address).await.context(ListenSnafu { address })?;
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, routes(state)).await {
            tracing::error!(%error, "Health and metrics are not served any more");
        }
    });
    Ok(())
}

/// Listens at an address; at every address of IPv4 where all are meant and the node has no IPv6.
async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let error = match TcpListener::bind(address).await {
        Ok(listener) => return Ok(listener),
        Err(error) => error,
    };
    let is_all = address.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED);
    let is_taken = error.kind() == io::ErrorKind::AddrInUse;
    if !is_all || is_taken {
        return Err(error);
    }
    TcpListener::bind((Ipv4Addr::UNSPECIFIED, address.port()))
        .await
        .map_err(|_| error)
}

fn routes(state: HttpState) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(state)
}

async fn ready(State(state): State<HttpState>) -> Response {
    if *state.synced.borrow() {
        "ok\n".into_response()
    } else {
        let message = "the caches are not filled yet\n";
        (StatusCode::SERVICE_UNAVAILABLE, message).into_response()
    }
}

async fn metrics(State(state): State<HttpState>) -> Response {
    match state
        .metrics
        .text(&state.index, state.leadership.is_leader())
    {
        Ok(text) => ([(CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpStream;

    use super::*;

    /// Whether somebody answers at an address of this machine.
    async fn answers(host: &str, port: u16) -> bool {
        TcpStream::connect((host, port)).await.is_ok()
    }

    #[tokio::test]
    async fn who_listens_at_every_address_is_reached_by_ipv4_and_ipv6() {
        let every = SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0));
        let listener = listen(every).await.expect("should listen");
        let port = listener.local_addr().expect("an address").port();
        assert!(answers("127.0.0.1", port).await);
        let has_ipv6 = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).await.is_ok();
        assert_eq!(answers("::1", port).await, has_ipv6);
    }

    #[tokio::test]
    async fn a_port_that_is_taken_is_an_error_and_no_reason_to_leave_ipv6_out() {
        let Ok(other) = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).await else {
            return;
        };
        let port = other.local_addr().expect("an address").port();
        let every = SocketAddr::from((Ipv6Addr::UNSPECIFIED, port));
        let error = listen(every).await.expect_err("it is taken");
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    }
}
