//! Any bytes as a DICOM object: read or refused, never a panic of attrium's own.
//!
//! A panic of dicom-rs is caught inside and is no finding; so the hook, which libFuzzer sets to
//! abort on every panic, aborts on attrium's only.
#![no_main]

use std::panic;
use std::process;

use attrium_imaging::{CROP_PIXELS, crop, log_image, read_anterior};
use attrium_types::{CropMode, LossyPolicy};
use libfuzzer_sys::fuzz_target;

fuzz_target!(
    init: {
        panic::set_hook(Box::new(|info| {
            let is_foreign = info
                .location()
                .is_some_and(|location| location.file().contains("/registry/"));
            if !is_foreign {
                eprintln!("{info}");
                process::abort();
            }
        }));
    },
    |bytes: &[u8]| {
        let Ok(image) = read_anterior(bytes, LossyPolicy::Accept) else {
            return;
        };
        let counts = &image.counts;
        assert_eq!(counts.pixels.len(), counts.rows * counts.columns);
        assert!(counts.pixels.iter().all(|count| count.is_finite() && *count >= 0.0));
        for mode in [CropMode::Robust, CropMode::Paper] {
            if let Ok(crop) = crop(&image, mode) {
                assert_eq!(crop.counts.len(), CROP_PIXELS);
                assert!(log_image(&crop.counts).iter().all(|value| value.is_finite()));
            }
        }
    }
);
