//! What stands between pods and their store, or between the operator and its API server, fails in every
//! way that proxies and networks know: nothing is lost, and nothing is believed that is not so.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::json;

use crate::manifest::with;
use crate::namespace::Namespace;
use crate::proxy::{Fault, Proxy};
use crate::training::{expect_nothing_lost, first_checkpoint, long_run};

const XML: &str = "application/xml";
const EXPIRED: Fault = Fault::Refusal(
    StatusCode::FORBIDDEN,
    XML,
    "<Error><Code>ExpiredToken</Code><Message>The token has expired.</Message></Error>",
);
const DENIED: Fault = Fault::Refusal(
    StatusCode::FORBIDDEN,
    XML,
    "<Error><Code>AccessDenied</Code><Message>Access denied.</Message></Error>",
);
const SLOW_DOWN: Fault = Fault::Refusal(
    StatusCode::SERVICE_UNAVAILABLE,
    XML,
    "<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>",
);
const BROKEN: Fault = Fault::Refusal(
    StatusCode::INTERNAL_SERVER_ERROR,
    XML,
    "<Error><Code>InternalError</Code><Message>Please try again.</Message></Error>",
);
const SIGN_IN: Fault = Fault::Refusal(
    StatusCode::OK,
    "text/html",
    "<html><body>Please sign in</body></html>",
);

#[test]
fn a_run_outlasts_whatever_comes_between_it_and_its_store() {
    let namespace = Namespace::new("store-faults");
    let proxy = Proxy::before_the_store();
    let patch = json!({"spec": {"storage": {"endpoint": proxy.endpoint()}}});
    namespace.apply(&with(long_run(), &patch));
    first_checkpoint(&namespace);
    for fault in [
        Fault::Latency(Duration::from_secs(2)),
        SLOW_DOWN,
        BROKEN,
        EXPIRED,
        DENIED,
        SIGN_IN,
        Fault::Cut,
        Fault::Short,
        Fault::OneWay,
        Fault::Hang,
    ] {
        proxy.fail(fault, Duration::from_secs(6));
    }
    expect_nothing_lost(&namespace);
}
