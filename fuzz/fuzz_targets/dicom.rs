//! No bytes make the DICOM reader or the crop panic, hang or take much memory.
#![no_main]

use attrium::api::{CropMode, LossyPolicy};
use attrium::imaging::{crop, read_anterior};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(image) = read_anterior(bytes, LossyPolicy::Accept) {
        for mode in [CropMode::Robust, CropMode::Paper] {
            let _ = crop(&image, mode);
        }
    }
});
