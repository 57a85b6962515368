//! The probe of an operator that runs elsewhere: whether it is ready, as `helm test` asks.
//!
//! It changes nothing, and knows of no cluster.

use std::time::Duration;

use axum::http::{Request, Uri};
use kube::{Client, Config};
use snafu::ResultExt;
use tokio::runtime::Builder;

use super::Error;
use super::error::{ClientSnafu, RequestSnafu, RuntimeSnafu};

/// How long an answer is waited for.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Asks the operator at an address, such as `http://attrium:8080`, whether it is ready.
///
/// # Errors
/// When it is not, or does not answer.
pub fn probe(address: &Uri) -> Result<(), Error> {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.context(RuntimeSnafu)?.block_on(ask(address))
}

async fn ask(address: &Uri) -> Result<(), Error> {
    let mut config = Config::new(address.clone());
    config.connect_timeout = Some(TIMEOUT);
    config.read_timeout = Some(TIMEOUT);
    // Not ready is an answer, which is not asked for again.
    config.default_retry = false;
    let client = Client::try_from(config).context(ClientSnafu)?;
    let question = Request::get("/readyz").body(Vec::new());
    let question = question.expect("should be a request");
    let answer = client.request_text(question).await;
    answer.map(|_| ()).with_context(|_| RequestSnafu {
        what: format!("hear from {address} that the operator is ready"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::http::StatusCode;
    use axum::routing::get;
    use tokio::net::TcpListener;

    async fn probe_answered_by(status: StatusCode) -> Result<(), Error> {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("should listen");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let router = Router::new().route("/readyz", get(move || async move { status }));
        let server = tokio::spawn(async { axum::serve(listener, router).await });
        let result = ask(&address.parse().expect("should be an address")).await;
        server.abort();
        result
    }

    #[tokio::test]
    async fn only_an_operator_that_is_ready_passes() {
        assert!(probe_answered_by(StatusCode::OK).await.is_ok());
        assert!(
            probe_answered_by(StatusCode::SERVICE_UNAVAILABLE)
                .await
                .is_err()
        );
    }

    #[tokio::test]
    async fn an_operator_that_is_not_there_is_named() {
        let error = ask(&Uri::from_static("http://127.0.0.1:1")).await;
        let message = error.expect_err("should fail").to_string();
        assert!(message.contains("http://127.0.0.1:1"), "{message}");
    }
}
