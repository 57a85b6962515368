//! [`attrium_fuzz::source`] by libFuzzer.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(
    init: attrium_fuzz::abort_on_own(),
    |bytes: &[u8]| {
        attrium_fuzz::source(bytes);
    }
);
