//! A door for the fuzzer: a frame's samples alone.

use super::dicom;
use super::pixels::{self, PixelLayout};

/// The bits of each pixel of an object's first frame, as [`read_anterior`](super::read_anterior) decodes them.
pub fn first_frame(bytes: &[u8]) -> Option<Vec<u16>> {
    let file = dicom::open(bytes).ok()?;
    let layout = PixelLayout::read(&file.set).ok()?;
    pixels::decode(&file, &layout, 0).ok()
}
