//! DICOM bytes become the anterior image of a bone scan, its crop, and the logarithm of that.
//!
//! [`read_anterior`] takes one object and gives the anterior view, upright and in counts, or says
//! why it cannot; [`crop`](crop()) cuts the thorax out of it as the paper does; [`admit`] does so where the object
//! says ([`judge`]) and the crop shows ([`judged_crop`]) a late bone scan of a thorax, and else sets it aside;
//! [`intensities`] is what a network sees. Bytes and numbers in, numbers out: nothing here opens a file.
//!
//! Never: a posterior image for an anterior; a crop of a scan that lies the other way up or does
//! not hold it; memory for what a header merely claims; text of the object (names, ids, dates,
//! descriptions) in an error, a warning or a `Debug`.

mod acquisition;
mod admission;
mod anterior;
mod crop;
mod descriptor;
mod dicom;
mod error;
mod extent;
mod facing;
mod frames;
#[doc(hidden)]
pub mod fuzzing;
mod grid;
mod heart;
mod image;
mod inspection;
mod intensity;
mod kind;
mod network;
mod noise;
mod orientation;
mod patient_label;
mod phase;
mod pixels;
mod placement;
mod provenance;
mod region;
mod render;
mod resample;
mod scan;
mod scanner;
mod size;
pub mod thorax;
mod tracer;
mod units;
mod view;
mod warning;

pub use acquisition::Acquisition;
pub use admission::{Admitted, admit, judge, judged_crop};
pub use crop::{Crop, CropRectangle, crop};
pub use descriptor::{DESCRIPTOR, DESCRIPTOR_VERSION, descriptor};
pub use dicom::{AttributeError, AttributeName};
pub use error::Error;
pub use heart::{Ellipse, Heart, HeartRatios, HeartRegions};
pub use image::Image;
pub use inspection::Inspection;
pub use intensity::intensities;
pub use patient_label::PatientLabel;
pub use phase::StatedPhase;
pub use placement::Placement;
pub use provenance::{Origin, PatientId, Provenance};
pub use region::StatedRegion;
pub use render::{black_level, draw, outlines};
pub use scan::{AnteriorImage, StudyUid, read_anterior, study};
pub use scanner::{NoScannerModel, ScannerModel};
pub use size::{CROP_PIXELS, CROP_SIZE};
pub use tracer::StatedTracer;
pub use view::{View, ViewSource};
pub use warning::Warning;

#[cfg(test)]
mod tests;
