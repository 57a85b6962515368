//! When the process has to stop.

use snafu::ResultExt;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::error::{Error, RuntimeSnafu};

/// Waits until the process has to stop.
pub(super) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // Its sender lives as long as the process.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// True once the process is told to stop, by SIGTERM or Ctrl-C.
pub(super) fn stop_on_signals() -> Result<watch::Receiver<bool>, Error> {
    let mut terminate = signal(SignalKind::terminate()).context(RuntimeSnafu)?;
    let mut interrupt = signal(SignalKind::interrupt()).context(RuntimeSnafu)?;
    let (sender, stop) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        sender.send_replace(true);
        sender.closed().await;
    });
    Ok(stop)
}
