//! Just enough of DICOM to find one frame: the data set as slices of the bytes it came in.
//!
//! The reader is attrium's own because objects come from archives nobody has looked through: it
//! copies nothing, follows nesting without recursion, and believes no length that the bytes do not
//! back, so that what an object can cost is bounded by its size. Never: text of the object in an
//! error or a `Debug`; a decoded pixel (see [`super::pixels`]).

mod attribute;
mod element;
mod file;
mod name;
mod transfer_syntax;

pub use attribute::AttributeError;
pub(super) use attribute::{Code, DetectorView};
pub(super) use attribute::{
    EnergyWindow, bits_allocated, bits_stored, body_part, columns, detector_vector, detector_views,
    energy_window_vector, energy_windows, ge_dataset_name, ge_detector_number, ge_picture_name,
    has_nm_attributes, high_bit, image_id, image_orientation, image_type, is_marked_lossy,
    is_signed, modality, number_of_detectors, number_of_energy_windows, number_of_frames,
    patient_gantry_relationship, patient_orientation, patient_position, photometric_interpretation,
    pixel_spacing, rescale_intercept, rescale_slope, rows, samples_per_pixel, series_description,
    sop_class, study_instance_uid,
};
pub use element::Malformed;
pub(super) use element::{DataSet, Value, Vr, fragments};
pub(super) use file::{DicomFile, FileError, open};
pub use name::AttributeName;
pub(super) use transfer_syntax::TransferSyntax;
