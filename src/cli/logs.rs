//! Log lines on standard error: for people, or as JSON for what collects a pod's logs.

use std::io;

use tracing_subscriber::EnvFilter;

/// Starts logging; `ATTRIUM_LOG` says how much, `warn` where it is not set.
pub(super) fn start(json: bool) {
    let usual = if json { "attrium=info,warn" } else { "warn" };
    let filter = EnvFilter::try_from_env("ATTRIUM_LOG").unwrap_or_else(|_| EnvFilter::new(usual));
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr);
    // A process logs from its start to its end; a second start changes nothing.
    let _ = if json {
        logs.json().flatten_event(true).try_init()
    } else {
        logs.without_time().with_target(false).try_init()
    };
}
