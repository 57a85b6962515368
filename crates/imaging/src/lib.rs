//! DICOM bytes become the anterior image of a bone scan, its crop, and the logarithm of that.
//!
//! [`read_anterior`] takes one object and gives the anterior view, upright and in counts, or says
//! why it cannot; [`crop`] cuts the thorax out of it as the paper does; [`log_image`] is
//! what a network sees. Bytes and numbers in, numbers out: nothing here opens a file.
//!
//! Never: a posterior image for an anterior; a crop of a scan that lies the other way up or does
//! not hold it; memory for what a header merely claims; text of the object (names, ids, dates,
//! descriptions) in an error, a warning or a `Debug`.

mod acquisition;
mod anterior;
mod crop;
mod dicom;
mod error;
mod extent;
mod facing;
mod frames;
#[doc(hidden)]
pub mod fuzzing;
mod grid;
mod image;
mod inspection;
mod kind;
mod orientation;
mod pixels;
mod render;
mod resample;
mod scan;
mod size;
mod units;
mod view;
mod warning;

pub use acquisition::Acquisition;
pub use crop::{Crop, CropRectangle, crop, log_image};
pub use dicom::{AttributeError, AttributeName};
pub use error::Error;
pub use image::Image;
pub use inspection::Inspection;
pub use render::draw;
pub use scan::{AnteriorImage, StudyUid, read_anterior, study};
pub use size::{CROP_PIXELS, CROP_SIZE};
pub use view::{View, ViewSource};
pub use warning::Warning;

#[cfg(test)]
mod tests;
