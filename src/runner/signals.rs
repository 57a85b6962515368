//! Ctrl-C and the request to terminate.

use std::process;
use std::thread;

use snafu::ResultExt;
use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::error::{Error, SignalsSnafu, ThreadSnafu};
use attrium_tasks::Interrupt;
use attrium_workflow::TaskExit;

/// Sets the flag at the first Ctrl-C or SIGTERM; a second one ends the process at once, as
/// [`TaskExit::Interrupted`] has it.
///
/// # Errors
/// The process may not listen to signals, or start a thread.
pub(crate) fn stop_on_signals(interrupt: Interrupt) -> Result<(), Error> {
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
            process::exit(TaskExit::Interrupted.exit_code().into());
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
