//! Any text as a manifest: resources or violations, never a panic.
#![no_main]

use attrium::api::manifest;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Err(violations) = manifest::parse(text) {
        assert!(violations.iter().next().is_some());
    }
});
