//! DICOM objects: their bytes are parsed, and each attribute that attrium reads has a function.
//!
//! Objects of an archive are seldom to the letter of the standard, and what was not understood is no
//! silence: what an archive did not know (VR UN), and texts in letters that the object does not declare,
//! are read as far as they can be. Reading costs no more than the bytes are worth. Never: text of the
//! object in an error; a decoded pixel (see [`super::pixels`]).

mod attribute;
mod data_set;
mod file;
mod moment;
mod name;
mod parse;
mod text;
mod transfer_syntax;
mod value;

pub(super) use attribute::{
    DetectorView, Radiopharmaceutical, accession_number, acquisition_moment, birth_date,
    bits_allocated, bits_stored, body_part, columns, counts_accumulated, detector_vector,
    detector_views, energy_window_vector, energy_windows, ge_dataset_names, ge_detector_number,
    ge_picture_names, has_float_pixels, has_nm_attributes, high_bit, image_ids, image_orientation,
    image_type, is_marked_lossy, is_signed, is_synthetic, manufacturer_model_name, modality,
    number_of_detectors, number_of_energy_windows, number_of_frames, patient_gantry_relationship,
    patient_id, patient_name, patient_orientation, patient_position, patient_posture,
    photometric_interpretation, pixel_padding, pixel_spacing, protocol_name, radiopharmaceuticals,
    rescale_intercept, rescale_slope, rows, samples_per_pixel, series_descriptions, sop_class,
    study_instance_uid, view_code,
};
pub(super) use file::{DicomFile, open, without_panic};
pub(super) use moment::{DAY, Moment};
pub use name::AttributeName;
pub(super) use text::{tokens, words};
pub(super) use transfer_syntax::TransferSyntax;
pub use value::AttributeError;
pub(super) use value::{Code, DataSet};
