//! Health, readiness and metrics over HTTP.

use std::net::SocketAddr;
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
    let listener = TcpListener::bind(address)
        .await
        .context(ListenSnafu { address })?;
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, routes(state)).await {
            tracing::error!(%error, "Health and metrics are not served any more");
        }
    });
    Ok(())
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
