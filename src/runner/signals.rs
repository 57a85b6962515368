//! Ctrl-C and the request to terminate.

use std::process;
use std::thread;

use snafu::ResultExt;
use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::error::{Error, SignalsSnafu, ThreadSnafu};
use attrium_tasks::Interrupt;

/// Sets the flag at the first Ctrl-C or SIGTERM; a second one ends the process at once, with exit
/// code 130.
///
/// # Errors
/// The process may not listen to signals, or start a thread.
pub fn stop_on_signals(interrupt: Interrupt) -> Result<(), Error> {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .context(ThreadSnafu)?;
    let (mut interrupted, mut terminated) = {
        let _entered = runtime.enter();
        let listen = |kind| signal(kind).context(SignalsSnafu);
        (
            listen(SignalKind::interrupt())?,
            listen(SignalKind::terminate())?,
        )
    };
    let listen = move || {
        runtime.block_on(async {
            either(&mut interrupted, &mut terminated).await;
            interrupt.set();
            either(&mut interrupted, &mut terminated).await;
            process::exit(130);
        });
    };
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(listen)
        .context(ThreadSnafu)?;
    Ok(())
}

async fn either(first: &mut Signal, second: &mut Signal) {
    tokio::select! {
        _ = first.recv() => {}
        _ = second.recv() => {}
    }
}
