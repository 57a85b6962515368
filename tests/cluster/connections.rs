//! What stands between pods and their store fails in every way that proxies and networks know: nothing is
//! lost, and nothing is believed that is not so.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::json;

use crate::manifest::with;
use crate::namespace::Namespace;
use crate::proxy::{Fault, Proxy};
use crate::training::{expect_nothing_lost, first_checkpoint, long_run};

const fn refusal(status: StatusCode, body: &'static str) -> Fault {
    Fault::Refusal(status, "application/xml", body)
}

const EXPIRED: Fault = refusal(
    StatusCode::FORBIDDEN,
    "<Error><Code>ExpiredToken</Code><Message>The token has expired.</Message></Error>",
);
const DENIED: Fault = refusal(
    StatusCode::FORBIDDEN,
    "<Error><Code>AccessDenied</Code><Message>Access denied.</Message></Error>",
);
const SLOW_DOWN: Fault = refusal(
    StatusCode::SERVICE_UNAVAILABLE,
    "<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>",
);
const BROKEN: Fault = refusal(
    StatusCode::INTERNAL_SERVER_ERROR,
    "<Error><Code>InternalError</Code><Message>Please try again.</Message></Error>",
);

#[test]
fn a_run_outlasts_whatever_comes_between_it_and_its_store() {
    let namespace = Namespace::new("store-faults");
    let proxy = Proxy::before_the_store();
    let patch = json!({"spec": {"storage": {"endpoint": proxy.endpoint()}}});
    namespace.apply(&with(long_run(), &patch));
    first_checkpoint(&namespace);
    let latency = Fault::Latency(Duration::from_secs(2));
    proxy.fail_in_turn(&[latency, SLOW_DOWN, BROKEN, EXPIRED, DENIED]);
    expect_nothing_lost(&namespace);
}
