//! The attributes that attrium reads, one function each.

use snafu::{OptionExt, ensure};

use super::moment::{Moment, days, moment};
use super::name::AttributeName::{self, *};
use super::value::{
    Code, DataSet, InvalidSnafu, MissingSnafu, Result, first_code, ge_integer, ge_texts, integer,
    items, number, numbers, optional_positive, positive, text, texts, vector,
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
pub(crate) fn modality(set: &DataSet<'_>) -> Result<String> {
    text(set, Modality)?.context(MissingSnafu { name: Modality })
}

/// SOP Class UID (0008,0016).
pub(crate) fn sop_class(set: &DataSet<'_>) -> Result<String> {
    text(set, SopClassUid)?.context(MissingSnafu { name: SopClassUid })
}

/// Study Instance UID (0020,000D).
pub(crate) fn study_instance_uid(set: &DataSet<'_>) -> Result<String> {
    let name = StudyInstanceUid;
    text(set, name)?.context(MissingSnafu { name })
}

/// The values of Image Type (0008,0008), none if it is absent.
pub(crate) fn image_type(set: &DataSet<'_>) -> Result<Vec<String>> {
    texts(set, ImageType)
}

/// Rows (0028,0010), at least 1.
pub(crate) fn rows(set: &DataSet<'_>) -> Result<usize> {
    positive(set, Rows)
}

/// Columns (0028,0011), at least 1.
pub(crate) fn columns(set: &DataSet<'_>) -> Result<usize> {
    positive(set, Columns)
}

/// Number of Frames (0028,0008), at least 1; absent or empty is 1.
pub(crate) fn number_of_frames(set: &DataSet<'_>) -> Result<usize> {
    optional_positive(set, NumberOfFrames, 1)
}

/// Samples per Pixel (0028,0002); absent is 1.
pub(crate) fn samples_per_pixel(set: &DataSet<'_>) -> Result<usize> {
    optional_positive(set, SamplesPerPixel, 1)
}

/// Bits Allocated (0028,0100): 8 or 16 (PS3.3, C.8.4.7).
pub(crate) fn bits_allocated(set: &DataSet<'_>) -> Result<u32> {
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
pub(crate) fn bits_stored(set: &DataSet<'_>, allocated: u32) -> Result<u32> {
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
pub(crate) fn high_bit(set: &DataSet<'_>, allocated: u32, stored: u32) -> Result<u32> {
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
pub(crate) fn is_signed(set: &DataSet<'_>) -> Result<bool> {
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
pub(crate) fn photometric_interpretation(set: &DataSet<'_>) -> Result<String> {
    let name = PhotometricInterpretation;
    text(set, name)?.context(MissingSnafu { name })
}

/// Rescale Slope (0028,1053), finite and above 0; absent is 1.
pub(crate) fn rescale_slope(set: &DataSet<'_>) -> Result<f64> {
    let name = RescaleSlope;
    let value = number(set, name)?.unwrap_or(1.0);
    ensure!(
        value.is_finite() && value > 0.0,
        InvalidSnafu { name, value }
    );
    Ok(value)
}

/// Rescale Intercept (0028,1052), finite; absent is 0.
pub(crate) fn rescale_intercept(set: &DataSet<'_>) -> Result<f64> {
    let name = RescaleIntercept;
    let value = number(set, name)?.unwrap_or(0.0);
    ensure!(value.is_finite(), InvalidSnafu { name, value });
    Ok(value)
}

/// Pixel Spacing (0028,0030): millimetres between rows and between columns, if stated.
pub(crate) fn pixel_spacing(set: &DataSet<'_>) -> Result<Option<[f64; 2]>> {
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

/// Pixel Padding Value (0028,0120) and Pixel Padding Range Limit (0028,0121), which is the value itself
/// where it is absent (PS3.3, C.7.5.1.1.2), as stored in pixels of that sign.
pub(crate) fn pixel_padding(set: &DataSet<'_>, is_signed: bool) -> Result<Option<[i32; 2]>> {
    let stored = |name| -> Result<Option<i32>> {
        let Some(value) = integer(set, name)? else {
            return Ok(None);
        };
        // Its sign is the pixels', whatever its own value representation says.
        let bits = value as u16;
        Ok(Some(if is_signed {
            i32::from(bits as i16)
        } else {
            i32::from(bits)
        }))
    };
    let Some(value) = stored(PixelPaddingValue)? else {
        return Ok(None);
    };
    let limit = stored(PixelPaddingRangeLimit)?.unwrap_or(value);
    Ok(Some([value.min(limit), value.max(limit)]))
}

/// Counts Accumulated (0018,0070): the counts of all frames together (PS3.3, C.8.4.8), where more than 0 is
/// stated. An object is not lost for a value that cannot be read, which is compared only.
pub(crate) fn counts_accumulated(set: &DataSet<'_>) -> Option<f64> {
    let stated = number(set, CountsAccumulated).ok().flatten();
    stated.filter(|counts| counts.is_finite() && *counts > 0.0)
}

/// Whether the object has Float Pixel Data (7FE0,0008) or Double Float Pixel Data (7FE0,0009).
pub(crate) fn has_float_pixels(set: &DataSet<'_>) -> bool {
    [FloatPixelData, DoubleFloatPixelData]
        .iter()
        .any(|&name| set.get(name.tag()).is_some())
}

/// Whether Lossy Image Compression (0028,2110) is 01 (PS3.3, C.7.6.1.1.5).
pub(crate) fn is_marked_lossy(set: &DataSet<'_>) -> Result<bool> {
    Ok(text(set, LossyImageCompression)?.is_some_and(|mark| mark == "01" || mark == "1"))
}

/// Whether Quality Control Image (0028,0300) says that a phantom was imaged (PS3.3, C.7.6.1).
pub(crate) fn is_synthetic(set: &DataSet<'_>) -> Result<bool> {
    Ok(text(set, QualityControlImage)?.is_some_and(|mark| mark == "YES"))
}

/// Whether any attribute of nuclear medicine's own group is there.
pub(crate) fn has_nm_attributes(set: &DataSet<'_>) -> bool {
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
pub(crate) fn energy_window_vector(set: &DataSet<'_>) -> Result<Option<Vec<usize>>> {
    vector(set, EnergyWindowVector)
}

/// Detector Vector (0054,0020): each frame's detector, counted from 1 (PS3.3, C.8.4.8.1.3).
pub(crate) fn detector_vector(set: &DataSet<'_>) -> Result<Option<Vec<usize>>> {
    vector(set, DetectorVector)
}

/// Number of Energy Windows (0054,0011); absent is 1.
pub(crate) fn number_of_energy_windows(set: &DataSet<'_>) -> Result<usize> {
    optional_positive(set, NumberOfEnergyWindows, 1)
}

/// Number of Detectors (0054,0021), at least 1, if stated.
pub(crate) fn number_of_detectors(set: &DataSet<'_>) -> Result<Option<usize>> {
    let is_stated = integer(set, NumberOfDetectors)?.is_some();
    let number = optional_positive(set, NumberOfDetectors, 1)?;
    Ok(is_stated.then_some(number))
}

/// The ranges of each energy window (PS3.3, C.8.4.10); none where they are not stated.
pub(crate) fn energy_windows(set: &DataSet<'_>) -> Result<Vec<EnergyWindow>> {
    items(set, EnergyWindowInformation)?
        .iter()
        .map(|window| {
            let ranges = items(window, EnergyWindowRange)?;
            let limits = ranges.iter().map(|range| {
                let lower = number(range, EnergyWindowLowerLimit)?;
                let upper = number(range, EnergyWindowUpperLimit)?;
                let limits = lower.zip(upper).map(|(lower, upper)| [lower, upper]);
                // Some exporters write 0 for "not known".
                Ok(limits.filter(|limits| *limits != [0.0, 0.0]))
            });
            limits.filter_map(Result::transpose).collect()
        })
        .collect()
}

/// The view of each detector (PS3.3, C.8.4.11); the first item belongs to detector 1.
pub(crate) fn detector_views(set: &DataSet<'_>) -> Result<Vec<DetectorView>> {
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

/// View Code Sequence (0054,0220) of the object itself, where some exporters write it, if stated.
pub(crate) fn view_code(set: &DataSet<'_>) -> Result<Option<Code>> {
    first_code(set, ViewCode)
}

/// Image Orientation (Patient) (0020,0037): the directions of rows and columns in the patient
/// (PS3.3, C.7.6.2.1.1), where it is stated in full.
pub(crate) fn image_orientation(set: &DataSet<'_>) -> Result<Option<[f64; 6]>> {
    Ok(numbers(set, ImageOrientation)?.try_into().ok())
}

/// Patient Orientation (0020,0020): where the rows and the columns point, none if not stated.
pub(crate) fn patient_orientation(set: &DataSet<'_>) -> Result<Vec<String>> {
    texts(set, PatientOrientation)
}

/// Patient Position (0018,5100), if stated.
pub(crate) fn patient_position(set: &DataSet<'_>) -> Result<Option<String>> {
    text(set, PatientPosition)
}

/// The patient's posture: the modifier of Patient Orientation Code Sequence (0054,0410), in Patient
/// Orientation Modifier Code Sequence (0054,0412) within its item (PS3.3, C.8.4.6), if stated.
pub(crate) fn patient_posture(set: &DataSet<'_>) -> Result<Option<Code>> {
    match items(set, PatientOrientationCode)?.first() {
        Some(item) => first_code(item, PatientOrientationModifier),
        None => Ok(None),
    }
}

/// Patient Gantry Relationship Code Sequence (0054,0414), if stated.
pub(crate) fn patient_gantry_relationship(set: &DataSet<'_>) -> Result<Option<Code>> {
    first_code(set, PatientGantryRelationship)
}

/// Accession Number (0008,0050), if stated; it identifies a study.
pub(crate) fn accession_number(set: &DataSet<'_>) -> Result<Option<String>> {
    text(set, AccessionNumber)
}

/// Patient's Name (0010,0010), if stated; it identifies a patient.
pub(crate) fn patient_name(set: &DataSet<'_>) -> Result<Option<String>> {
    text(set, PatientName)
}

/// Patient ID (0010,0020), if stated; it identifies a patient.
pub(crate) fn patient_id(set: &DataSet<'_>) -> Result<Option<String>> {
    text(set, PatientId)
}

/// Patient's Birth Date (0010,0030) in days since one that means nothing; none where it is absent or no date. It
/// identifies a patient.
pub(crate) fn birth_date(set: &DataSet<'_>) -> Option<i64> {
    days(&text(set, PatientBirthDate).ok().flatten()?)
}

/// Manufacturer's Model Name (0008,1090); none where it is absent or cannot be read.
pub(crate) fn manufacturer_model_name(set: &DataSet<'_>) -> Option<String> {
    text(set, ManufacturerModelName).ok().flatten()
}

/// The values of Image ID (0054,0400), of which the standard knows one; none if not stated.
pub(crate) fn image_ids(set: &DataSet<'_>) -> Result<Vec<String>> {
    texts(set, ImageId)
}

/// The values of Series Description (0008,103E), of which the standard knows one; none if not stated.
pub(crate) fn series_descriptions(set: &DataSet<'_>) -> Result<Vec<String>> {
    texts(set, SeriesDescription)
}

/// Protocol Name (0018,1030), if stated.
pub(crate) fn protocol_name(set: &DataSet<'_>) -> Result<Option<String>> {
    text(set, ProtocolName)
}

/// When the acquisition began: Acquisition DateTime (0008,002A), or Acquisition Date and Time (0008,0022) and
/// (0008,0032).
pub(crate) fn acquisition_moment(set: &DataSet<'_>) -> Option<Moment> {
    moment(
        set,
        AcquisitionDateTime,
        AcquisitionTime,
        Some(AcquisitionDate),
    )
}

/// What was given to the patient (PS3.3, C.8.4.10): the items of the Radiopharmaceutical Information Sequence.
pub(crate) fn radiopharmaceuticals(set: &DataSet<'_>) -> Result<Vec<Radiopharmaceutical>> {
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
pub(crate) fn body_part(set: &DataSet<'_>) -> Result<Option<String>> {
    text(set, BodyPartExamined)
}

/// The values of GE's private name of the data set, (0011,xx12), none if not stated.
pub(crate) fn ge_dataset_names(set: &DataSet<'_>) -> Vec<String> {
    ge_texts(set, GeDatasetName)
}

/// The values of GE's private name of the picture, (0011,xx30), none if not stated.
pub(crate) fn ge_picture_names(set: &DataSet<'_>) -> Vec<String> {
    ge_texts(set, GePictureName)
}

/// GE's private number of the detector, (0011,xx15), counted from 1, if stated.
pub(crate) fn ge_detector_number(set: &DataSet<'_>) -> Option<i64> {
    ge_integer(set, GeDetectorNumber)
}
