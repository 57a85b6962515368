//! The runtime that drives the stores, started at the first use.

use std::{future::Future, io, sync::LazyLock};

use tokio::runtime::{Builder, Handle, Runtime};

use super::Error;

/// Two threads are enough: they wait for the network, and files are read on threads of their own.
static RUNTIME: LazyLock<io::Result<Runtime>> = LazyLock::new(|| {
    Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("storage")
        .enable_all()
        .build()
});

pub(super) fn handle() -> Result<&'static Handle, Error> {
    match &*RUNTIME {
        Ok(runtime) => Ok(runtime.handle()),
        Err(error) => Err(Error::io("storage".to_owned(), error)),
    }
}

/// Waits for a future on the calling thread, which must not be one of an asynchronous runtime.
pub(super) fn block_on<F: Future>(future: F) -> Result<F::Output, Error> {
    Ok(handle()?.block_on(future))
}
