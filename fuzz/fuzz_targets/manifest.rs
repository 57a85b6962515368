//! No text makes the manifest parser panic, hang or take much memory.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = attrium_api::manifest::parse(text);
});
