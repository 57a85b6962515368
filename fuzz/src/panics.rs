//! Whose panic it is.
//!
//! A panic of a library's decoder is caught where it is called and is no finding. One of
//! attrium's own would be caught there as well, so it has to be noticed before it unwinds.

use std::panic::{self, PanicHookInfo};
use std::process;

/// Whether a panic is of attrium's own code.
pub fn is_own(info: &PanicHookInfo<'_>) -> bool {
    info.location()
        .is_none_or(|location| !location.file().contains("/registry/"))
}

/// Aborts on attrium's own panics, in place of libFuzzer's hook, which aborts on all.
pub fn abort_on_own() {
    panic::set_hook(Box::new(|info| {
        if is_own(info) {
            eprintln!("{info}");
            process::abort();
        }
    }));
}
