//! The size of the images that the networks take.

/// Height and width of the images that the networks take, in pixels (paper, "Preprocessing").
pub const IMAGE_SIZE: usize = 128;

/// The number of pixels of one image.
pub const IMAGE_PIXELS: usize = IMAGE_SIZE * IMAGE_SIZE;
