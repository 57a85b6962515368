//! DICOM objects: their bytes are checked, and each attribute that attrium reads has a function.
//!
//! dicom-rs reads; this module makes sure beforehand that reading costs no more than the bytes are
//! worth, and answers in attrium's own errors. Never: text of the object in an error, which is why
//! the messages of dicom-rs, which quote values, are not passed on; a decoded pixel (see
//! [`super::pixels`]).

mod attribute;
mod bounds;
mod file;
mod name;
mod transfer_syntax;
mod value;

pub(super) use attribute::{
    DetectorView, Radiopharmaceutical, acquisition_moment, bits_allocated, bits_stored, body_part,
    columns, detector_vector, detector_views, energy_window_vector, energy_windows,
    ge_dataset_name, ge_detector_number, ge_picture_name, has_nm_attributes, high_bit, image_id,
    image_orientation, image_type, is_marked_lossy, is_signed, is_synthetic, modality,
    number_of_detectors, number_of_energy_windows, number_of_frames, patient_gantry_relationship,
    patient_id, patient_orientation, patient_position, photometric_interpretation, pixel_spacing,
    protocol_name, radiopharmaceuticals, rescale_intercept, rescale_slope, rows, samples_per_pixel,
    series_description, sop_class, study_instance_uid,
};
pub(super) use file::{DicomFile, open, without_panic};
pub use name::AttributeName;
pub(super) use transfer_syntax::TransferSyntax;
pub use value::AttributeError;
pub(super) use value::{Code, DAY, DataSet, Moment};
