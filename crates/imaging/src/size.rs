//! The sizes that images and crops may have.

/// Rows and columns of a crop (paper, "Preprocessing").
pub const CROP_SIZE: usize = 128;

/// Pixels of a crop.
pub const CROP_PIXELS: usize = CROP_SIZE * CROP_SIZE;

/// The most pixels that a side of an image may have: four times a whole-body scan's length.
pub(crate) const MAX_SIDE: usize = 4096;

/// The most pixels that all frames of an object may have together.
pub(crate) const MAX_PIXELS: usize = 1 << 26;
