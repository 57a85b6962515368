//! The attributes that attrium reads, one function each.

use snafu::{OptionExt, ensure};

use super::name::AttributeName::{self, *};
use super::value::{
    Code, DataSet, InvalidSnafu, MissingSnafu, Moment, Result, first_code, ge_integer, ge_text,
    integer, items, moment, number, numbers, optional_positive, positive, text, texts, vector,
};

/// What an item of the Detector Information Sequence says about its detector's image.
pub(crate) struct DetectorView {
    pub code: Option<Code>,
    pub orientation: Option<[f64; 6]>,
}

/// What was given to the patient. Its texts are the object's: compare them, never print them.
pub(crate) struct Radiopharmaceutical {
    pub name: Option<String>,
    pub code: Option<Code>,
    pub nuclide: Option<Code>,
    pub given: Option<Moment>,
}

/// The limits of an energy window in keV; a window may have several ranges.
pub(super) type EnergyWindow = Vec<[f64; 2]>;

/// Modality (0008,0060).
pub(crate) fn modality(set: &DataSet) -> Result<String> {
    text(set, Modality)?.context(MissingSnafu { name: Modality })
}

/// SOP Class UID (0008,0016).
pub(crate) fn sop_class(set: &DataSet) -> Result<String> {
    text(set, SopClassUid)?.context(MissingSnafu { name: SopClassUid })
}

/// Study Instance UID (0020,000D).
pub(crate) fn study_instance_uid(set: &DataSet) -> Result<String> {
    let name = StudyInstanceUid;
    text(set, name)?.context(MissingSnafu { name })
}

/// The values of Image Type (0008,0008), none if it is absent.
pub(crate) fn image_type(set: &DataSet) -> Result<Vec<String>> {
    texts(set, ImageType)
}

/// Rows (0028,0010), at least 1.
pub(crate) fn rows(set: &DataSet) -> Result<usize> {
    positive(set, Rows)
}

/// Columns (0028,0011), at least 1.
pub(crate) fn columns(set: &DataSet) -> Result<usize> {
    positive(set, Columns)
}

/// Number of Frames (0028,0008), at least 1; absent or empty is 1.
pub(crate) fn number_of_frames(set: &DataSet) -> Result<usize> {
    optional_positive(set, NumberOfFrames, 1)
}

/// Samples per Pixel (0028,0002); absent is 1.
pub(crate) fn samples_per_pixel(set: &DataSet) -> Result<usize> {
    optional_positive(set, SamplesPerPixel, 1)
}

/// Bits Allocated (0028,0100): 8 or 16 (PS3.3, C.8.4.7).
pub(crate) fn bits_allocated(set: &DataSet) -> Result<u32> {
    let name = BitsAllocated;
    let bits = positive(set, name)?;
    ensure!(
        bits == 8 || bits == 16,
        InvalidSnafu {
            name,
            value: bits as f64
        }
    );
    Ok(bits as u32)
}

/// Bits Stored (0028,0101), from 1 to `allocated`, which it is if absent.
pub(crate) fn bits_stored(set: &DataSet, allocated: u32) -> Result<u32> {
    let name = BitsStored;
    let bits = optional_positive(set, name, allocated as usize)?;
    ensure!(
        bits <= allocated as usize,
        InvalidSnafu {
            name,
            value: bits as f64
        }
    );
    Ok(bits as u32)
}

/// High Bit (0028,0102), from `stored - 1`, which it is if absent, to `allocated - 1`.
pub(crate) fn high_bit(set: &DataSet, allocated: u32, stored: u32) -> Result<u32> {
    let name = HighBit;
    let Some(bit) = integer(set, name)? else {
        return Ok(stored - 1);
    };
    ensure!(
        (i64::from(stored) - 1..i64::from(allocated)).contains(&bit),
        InvalidSnafu {
            name,
            value: bit as f64
        }
    );
    Ok(bit as u32)
}

/// Whether Pixel Representation (0028,0103) is two's complement; absent is unsigned.
pub(crate) fn is_signed(set: &DataSet) -> Result<bool> {
    let name = PixelRepresentation;
    match integer(set, name)? {
        None | Some(0) => Ok(false),
        Some(1) => Ok(true),
        Some(value) => InvalidSnafu {
            name,
            value: value as f64,
        }
        .fail(),
    }
}

/// Photometric Interpretation (0028,0004).
pub(crate) fn photometric_interpretation(set: &DataSet) -> Result<String> {
    let name = PhotometricInterpretation;
    text(set, name)?.context(MissingSnafu { name })
}

/// Rescale Slope (0028,1053), finite and above 0; absent is 1.
pub(crate) fn rescale_slope(set: &DataSet) -> Result<f64> {
    let name = RescaleSlope;
    let value = number(set, name)?.unwrap_or(1.0);
    ensure!(
        value.is_finite() && value > 0.0,
        InvalidSnafu { name, value }
    );
    Ok(value)
}

/// Rescale Intercept (0028,1052), finite; absent is 0.
pub(crate) fn rescale_intercept(set: &DataSet) -> Result<f64> {
    let name = RescaleIntercept;
    let value = number(set, name)?.unwrap_or(0.0);
    ensure!(value.is_finite(), InvalidSnafu { name, value });
    Ok(value)
}

/// Pixel Spacing (0028,0030): millimetres between rows and between columns, if stated.
pub(crate) fn pixel_spacing(set: &DataSet) -> Result<Option<[f64; 2]>> {
    let name = PixelSpacing;
    let Ok(spacing) = <[f64; 2]>::try_from(numbers(set, name)?) else {
        return Ok(None);
    };
    for value in spacing {
        ensure!(
            value.is_finite() && value >= 0.0,
            InvalidSnafu { name, value }
        );
    }
    // Some exporters write 0 for "not known".
    Ok(spacing.iter().all(|&value| value > 0.0).then_some(spacing))
}

/// Whether Lossy Image Compression (0028,2110) is 01 (PS3.3, C.7.6.1.1.5).
pub(crate) fn is_marked_lossy(set: &DataSet) -> Result<bool> {
    Ok(text(set, LossyImageCompression)?.is_some_and(|mark| mark == "01"))
}

/// Whether Quality Control Image (0028,0300) says that a phantom was imaged (PS3.3, C.7.6.1).
pub(crate) fn is_synthetic(set: &DataSet) -> Result<bool> {
    Ok(text(set, QualityControlImage)?.is_some_and(|mark| mark == "YES"))
}

/// Whether any attribute of nuclear medicine's own group is there.
pub(crate) fn has_nm_attributes(set: &DataSet) -> bool {
    [
        EnergyWindowVector,
        NumberOfEnergyWindows,
        EnergyWindowInformation,
        DetectorVector,
        NumberOfDetectors,
        DetectorInformation,
        ImageId,
    ]
    .iter()
    .any(|&name| set.get(name.tag()).is_some())
}

/// Energy Window Vector (0054,0010): each frame's window, counted from 1 (PS3.3, C.8.4.8.1.2).
pub(crate) fn energy_window_vector(set: &DataSet) -> Result<Option<Vec<usize>>> {
    vector(set, EnergyWindowVector)
}

/// Detector Vector (0054,0020): each frame's detector, counted from 1 (PS3.3, C.8.4.8.1.3).
pub(crate) fn detector_vector(set: &DataSet) -> Result<Option<Vec<usize>>> {
    vector(set, DetectorVector)
}

/// Number of Energy Windows (0054,0011); absent is 1.
pub(crate) fn number_of_energy_windows(set: &DataSet) -> Result<usize> {
    optional_positive(set, NumberOfEnergyWindows, 1)
}

/// Number of Detectors (0054,0021); absent is 1.
pub(crate) fn number_of_detectors(set: &DataSet) -> Result<usize> {
    optional_positive(set, NumberOfDetectors, 1)
}

/// The ranges of each energy window (PS3.3, C.8.4.10); none where they are not stated.
pub(crate) fn energy_windows(set: &DataSet) -> Result<Vec<EnergyWindow>> {
    items(set, EnergyWindowInformation)?
        .iter()
        .map(|window| {
            let ranges = items(window, EnergyWindowRange)?;
            let limits = ranges.iter().map(|range| {
                let lower = number(range, EnergyWindowLowerLimit)?;
                let upper = number(range, EnergyWindowUpperLimit)?;
                Ok(lower.zip(upper).map(|(lower, upper)| [lower, upper]))
            });
            limits.filter_map(Result::transpose).collect()
        })
        .collect()
}

/// The view of each detector (PS3.3, C.8.4.11); the first item belongs to detector 1.
pub(crate) fn detector_views(set: &DataSet) -> Result<Vec<DetectorView>> {
    items(set, DetectorInformation)?
        .iter()
        .map(|detector| {
            Ok(DetectorView {
                code: first_code(detector, ViewCode)?,
                orientation: image_orientation(detector)?,
            })
        })
        .collect()
}

/// Image Orientation (Patient) (0020,0037): the directions of rows and columns in the patient
/// (PS3.3, C.7.6.2.1.1), where it is stated in full.
pub(crate) fn image_orientation(set: &DataSet) -> Result<Option<[f64; 6]>> {
    Ok(numbers(set, ImageOrientation)?.try_into().ok())
}

/// Patient Orientation (0020,0020): where the rows and the columns point, none if not stated.
pub(crate) fn patient_orientation(set: &DataSet) -> Result<Vec<String>> {
    texts(set, PatientOrientation)
}

/// Patient Position (0018,5100), if stated.
pub(crate) fn patient_position(set: &DataSet) -> Result<Option<String>> {
    text(set, PatientPosition)
}

/// Patient Gantry Relationship Code Sequence (0054,0414), if stated.
pub(crate) fn patient_gantry_relationship(set: &DataSet) -> Result<Option<Code>> {
    first_code(set, PatientGantryRelationship)
}

/// Patient ID (0010,0020), if stated; it identifies a patient.
pub(crate) fn patient_id(set: &DataSet) -> Result<Option<String>> {
    text(set, PatientId)
}

/// Image ID (0054,0400), if stated.
pub(crate) fn image_id(set: &DataSet) -> Result<Option<String>> {
    text(set, ImageId)
}

/// Series Description (0008,103E), if stated.
pub(crate) fn series_description(set: &DataSet) -> Result<Option<String>> {
    text(set, SeriesDescription)
}

/// Protocol Name (0018,1030), if stated.
pub(crate) fn protocol_name(set: &DataSet) -> Result<Option<String>> {
    text(set, ProtocolName)
}

/// When the acquisition began: Acquisition DateTime (0008,002A), or Acquisition Date and Time (0008,0022) and
/// (0008,0032).
pub(crate) fn acquisition_moment(set: &DataSet) -> Option<Moment> {
    moment(
        set,
        AcquisitionDateTime,
        AcquisitionTime,
        Some(AcquisitionDate),
    )
}

/// What was given to the patient (PS3.3, C.8.4.10): the items of the Radiopharmaceutical Information Sequence.
pub(crate) fn radiopharmaceuticals(set: &DataSet) -> Result<Vec<Radiopharmaceutical>> {
    items(set, RadiopharmaceuticalInformation)?
        .iter()
        .map(|item| {
            let start = RadiopharmaceuticalStartDateTime;
            Ok(Radiopharmaceutical {
                name: text(item, AttributeName::Radiopharmaceutical)?,
                code: first_code(item, RadiopharmaceuticalCode)?,
                nuclide: first_code(item, RadionuclideCode)?,
                given: moment(item, start, RadiopharmaceuticalStartTime, None),
            })
        })
        .collect()
}

/// Body Part Examined (0018,0015), if stated.
pub(crate) fn body_part(set: &DataSet) -> Result<Option<String>> {
    text(set, BodyPartExamined)
}

/// GE's private name of the data set, (0011,xx12), if stated.
pub(crate) fn ge_dataset_name(set: &DataSet) -> Option<String> {
    ge_text(set, GeDatasetName)
}

/// GE's private name of the picture, (0011,xx30), if stated.
pub(crate) fn ge_picture_name(set: &DataSet) -> Option<String> {
    ge_text(set, GePictureName)
}

/// GE's private number of the detector, (0011,xx15), counted from 1, if stated.
pub(crate) fn ge_detector_number(set: &DataSet) -> Option<i64> {
    ge_integer(set, GeDetectorNumber)
}
