use snafu::{OptionExt, ResultExt, Snafu, ensure};

use super::element::{DataSet, Element, Malformed, Value, Vr};
use super::file::trim_uid;
use super::name::AttributeName::{self, *};

/// GE's private creator on Genie and Xeleris workstations.
const GE_CREATOR: &str = "GEMS_GENIE_1";

/// Why an attribute cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Snafu)]
pub enum AttributeError {
    /// It is not there, or empty.
    #[snafu(display("{name} is missing"))]
    Missing {
        /// The attribute.
        name: AttributeName,
    },
    /// It is a sequence where a value belongs, or the other way about, or its items are broken.
    #[snafu(display("{name} cannot be read"))]
    Unreadable {
        /// The attribute.
        name: AttributeName,
    },
    /// Its value representation is of another kind.
    #[snafu(display("{name} has a value representation that does not fit it"))]
    WrongType {
        /// The attribute.
        name: AttributeName,
    },
    /// Its value is no number.
    #[snafu(display("{name} is no number"))]
    NotConvertible {
        /// The attribute.
        name: AttributeName,
    },
    /// Its value is a number that makes no sense there.
    #[snafu(display("{name} cannot be {value}"))]
    Invalid {
        /// The attribute.
        name: AttributeName,
        /// The value.
        value: f64,
    },
}

type Result<T, E = AttributeError> = std::result::Result<T, E>;

/// A coded entry (PS3.3, 8.8). Text of the object: compare it, never print it.
#[derive(Clone, Copy)]
pub struct Code<'a> {
    pub value: &'a [u8],
    pub scheme: &'a [u8],
    pub meaning: &'a [u8],
}

/// What an item of the Detector Information Sequence says about its detector's image.
pub struct DetectorView<'a> {
    pub code: Option<Code<'a>>,
    pub orientation: Option<[f64; 6]>,
}

/// The limits of an energy window in keV; a window may have several ranges.
pub type EnergyWindow = Vec<[f64; 2]>;

/// Modality (0008,0060).
pub fn modality<'a>(set: &DataSet<'a>) -> Result<&'a [u8]> {
    text(set, Modality)?.context(MissingSnafu { name: Modality })
}

/// SOP Class UID (0008,0016).
pub fn sop_class<'a>(set: &DataSet<'a>) -> Result<&'a [u8]> {
    let uid = text(set, SopClassUid)?.context(MissingSnafu { name: SopClassUid })?;
    Ok(trim_uid(uid))
}

/// Study Instance UID (0020,000D).
pub fn study_instance_uid<'a>(set: &DataSet<'a>) -> Result<&'a str> {
    let name = StudyInstanceUid;
    let uid = trim_uid(text(set, name)?.context(MissingSnafu { name })?);
    ensure!(!uid.is_empty(), MissingSnafu { name });
    std::str::from_utf8(uid)
        .ok()
        .context(UnreadableSnafu { name })
}

/// The values of Image Type (0008,0008), none if it is absent.
pub fn image_type<'a>(set: &DataSet<'a>) -> Result<Vec<&'a [u8]>> {
    texts(set, ImageType)
}

/// Rows (0028,0010), at least 1.
pub fn rows(set: &DataSet<'_>) -> Result<usize> {
    positive(set, Rows)
}

/// Columns (0028,0011), at least 1.
pub fn columns(set: &DataSet<'_>) -> Result<usize> {
    positive(set, Columns)
}

/// Number of Frames (0028,0008), at least 1; absent or empty is 1.
pub fn number_of_frames(set: &DataSet<'_>) -> Result<usize> {
    optional_positive(set, NumberOfFrames, 1)
}

/// Samples per Pixel (0028,0002); absent is 1.
pub fn samples_per_pixel(set: &DataSet<'_>) -> Result<usize> {
    optional_positive(set, SamplesPerPixel, 1)
}

/// Bits Allocated (0028,0100): 8 or 16 (PS3.3, C.8.4.7).
pub fn bits_allocated(set: &DataSet<'_>) -> Result<u32> {
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
pub fn bits_stored(set: &DataSet<'_>, allocated: u32) -> Result<u32> {
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
pub fn high_bit(set: &DataSet<'_>, allocated: u32, stored: u32) -> Result<u32> {
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
pub fn is_signed(set: &DataSet<'_>) -> Result<bool> {
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
pub fn photometric_interpretation<'a>(set: &DataSet<'a>) -> Result<&'a [u8]> {
    let name = PhotometricInterpretation;
    text(set, name)?.context(MissingSnafu { name })
}

/// Rescale Slope (0028,1053), finite and above 0; absent is 1.
pub fn rescale_slope(set: &DataSet<'_>) -> Result<f64> {
    let name = RescaleSlope;
    let value = number(set, name)?.unwrap_or(1.0);
    ensure!(
        value.is_finite() && value > 0.0,
        InvalidSnafu { name, value }
    );
    Ok(value)
}

/// Rescale Intercept (0028,1052), finite; absent is 0.
pub fn rescale_intercept(set: &DataSet<'_>) -> Result<f64> {
    let name = RescaleIntercept;
    let value = number(set, name)?.unwrap_or(0.0);
    ensure!(value.is_finite(), InvalidSnafu { name, value });
    Ok(value)
}

/// Pixel Spacing (0028,0030): millimetres between rows and between columns, if stated.
pub fn pixel_spacing(set: &DataSet<'_>) -> Result<Option<[f64; 2]>> {
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
pub fn is_marked_lossy(set: &DataSet<'_>) -> Result<bool> {
    Ok(text(set, LossyImageCompression)? == Some(b"01"))
}

/// Whether any attribute of nuclear medicine's own group is there.
pub fn has_nm_attributes(set: &DataSet<'_>) -> bool {
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
    .any(|&name| set.element(name).is_some())
}

/// Energy Window Vector (0054,0010): each frame's window, counted from 1 (PS3.3, C.8.4.8.1.2).
pub fn energy_window_vector(set: &DataSet<'_>) -> Result<Option<Vec<usize>>> {
    vector(set, EnergyWindowVector)
}

/// Detector Vector (0054,0020): each frame's detector, counted from 1 (PS3.3, C.8.4.8.1.3).
pub fn detector_vector(set: &DataSet<'_>) -> Result<Option<Vec<usize>>> {
    vector(set, DetectorVector)
}

/// Number of Energy Windows (0054,0011); absent is 1.
pub fn number_of_energy_windows(set: &DataSet<'_>) -> Result<usize> {
    optional_positive(set, NumberOfEnergyWindows, 1)
}

/// Number of Detectors (0054,0021); absent is 1.
pub fn number_of_detectors(set: &DataSet<'_>) -> Result<usize> {
    optional_positive(set, NumberOfDetectors, 1)
}

/// The ranges of each energy window (PS3.3, C.8.4.10); none where they are not stated.
pub fn energy_windows(set: &DataSet<'_>) -> Result<Vec<EnergyWindow>> {
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
pub fn detector_views<'a>(set: &DataSet<'a>) -> Result<Vec<DetectorView<'a>>> {
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
pub fn image_orientation(set: &DataSet<'_>) -> Result<Option<[f64; 6]>> {
    Ok(numbers(set, ImageOrientation)?.try_into().ok())
}

/// Patient Orientation (0020,0020): where the rows and the columns point, none if not stated.
pub fn patient_orientation<'a>(set: &DataSet<'a>) -> Result<Vec<&'a [u8]>> {
    texts(set, PatientOrientation)
}

/// Patient Position (0018,5100), if stated.
pub fn patient_position<'a>(set: &DataSet<'a>) -> Result<Option<&'a [u8]>> {
    text(set, PatientPosition)
}

/// Patient Gantry Relationship Code Sequence (0054,0414), if stated.
pub fn patient_gantry_relationship<'a>(set: &DataSet<'a>) -> Result<Option<Code<'a>>> {
    first_code(set, PatientGantryRelationship)
}

/// Image ID (0054,0400), if stated.
pub fn image_id<'a>(set: &DataSet<'a>) -> Result<Option<&'a [u8]>> {
    text(set, ImageId)
}

/// Series Description (0008,103E), if stated.
pub fn series_description<'a>(set: &DataSet<'a>) -> Result<Option<&'a [u8]>> {
    text(set, SeriesDescription)
}

/// Body Part Examined (0018,0015), if stated.
pub fn body_part<'a>(set: &DataSet<'a>) -> Result<Option<&'a [u8]>> {
    text(set, BodyPartExamined)
}

/// GE's private name of the data set, (0011,xx12), if stated.
pub fn ge_dataset_name<'a>(set: &DataSet<'a>) -> Option<&'a [u8]> {
    ge_text(set, GeDatasetName)
}

/// GE's private name of the picture, (0011,xx30), if stated.
pub fn ge_picture_name<'a>(set: &DataSet<'a>) -> Option<&'a [u8]> {
    ge_text(set, GePictureName)
}

/// GE's private number of the detector, (0011,xx15), counted from 1, if stated.
pub fn ge_detector_number(set: &DataSet<'_>) -> Option<i64> {
    let element = ge_element(set, GeDetectorNumber)?;
    numbers_of(set, element, GeDetectorNumber)
        .ok()?
        .first()
        .map(|&number| number as i64)
}

fn ge_element<'s, 'a>(set: &'s DataSet<'a>, name: AttributeName) -> Option<&'s Element<'a>> {
    let tag = name.tag();
    set.private(GE_CREATOR, tag.0, tag.1 as u8)
}

fn ge_text<'a>(set: &DataSet<'a>, name: AttributeName) -> Option<&'a [u8]> {
    match ge_element(set, name)?.value {
        Value::Plain(bytes) => Some(trim(bytes)),
        _ => None,
    }
}

fn plain<'a>(element: &Element<'a>, name: AttributeName) -> Result<&'a [u8]> {
    match element.value {
        Value::Plain(bytes) => Ok(bytes),
        _ => UnreadableSnafu { name }.fail(),
    }
}

/// A text without the spaces and zeros around it (PS3.5, 6.2).
fn trim(text: &[u8]) -> &[u8] {
    let mut text = text.trim_ascii();
    while let [rest @ .., 0] = text {
        text = rest.trim_ascii_end();
    }
    text
}

fn texts<'a>(set: &DataSet<'a>, name: AttributeName) -> Result<Vec<&'a [u8]>> {
    let Some(element) = set.element(name) else {
        return Ok(Vec::new());
    };
    let bytes = trim(plain(element, name)?);
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    Ok(bytes.split(|&byte| byte == b'\\').map(trim).collect())
}

fn text<'a>(set: &DataSet<'a>, name: AttributeName) -> Result<Option<&'a [u8]>> {
    Ok(texts(set, name)?
        .first()
        .copied()
        .filter(|text| !text.is_empty()))
}

/// The numbers of an element, binary or written out.
fn numbers_of(set: &DataSet<'_>, element: &Element<'_>, name: AttributeName) -> Result<Vec<f64>> {
    let bytes = plain(element, name)?;
    let encoding = set.encoding;
    // An unknown value representation hides the dictionary's (PS3.5, 6.2.2).
    let vr = element.vr.filter(|vr| vr.0 != *b"UN").unwrap_or(name.vr());
    let numbers = match &vr.0 {
        b"US" => chunks(bytes, |bytes| encoding.u16(bytes).into()),
        b"SS" => chunks(bytes, |bytes| (encoding.u16(bytes) as i16).into()),
        b"UL" => chunks(bytes, |bytes| encoding.u32(bytes).into()),
        b"SL" => chunks(bytes, |bytes| (encoding.u32(bytes) as i32).into()),
        b"FL" => chunks(bytes, |bytes| f32::from_bits(encoding.u32(bytes)).into()),
        b"DS" | b"IS" => return written_numbers(bytes, name),
        _ => return WrongTypeSnafu { name }.fail(),
    };
    numbers.context(UnreadableSnafu { name })
}

fn chunks<const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> f64) -> Option<Vec<f64>> {
    let (chunks, rest) = bytes.as_chunks::<N>();
    rest.is_empty()
        .then(|| chunks.iter().map(|&chunk| number(chunk)).collect())
}

fn written_numbers(bytes: &[u8], name: AttributeName) -> Result<Vec<f64>> {
    let bytes = trim(bytes);
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    bytes
        .split(|&byte| byte == b'\\')
        .map(|number| {
            let number = std::str::from_utf8(trim(number)).ok();
            number
                .and_then(|number| number.parse().ok())
                .context(NotConvertibleSnafu { name })
        })
        .collect()
}

fn numbers(set: &DataSet<'_>, name: AttributeName) -> Result<Vec<f64>> {
    match set.element(name) {
        Some(element) => numbers_of(set, element, name),
        None => Ok(Vec::new()),
    }
}

fn number(set: &DataSet<'_>, name: AttributeName) -> Result<Option<f64>> {
    Ok(numbers(set, name)?.first().copied())
}

fn integer(set: &DataSet<'_>, name: AttributeName) -> Result<Option<i64>> {
    let Some(value) = number(set, name)? else {
        return Ok(None);
    };
    ensure!(
        value.fract() == 0.0 && value.abs() <= f64::from(u32::MAX),
        InvalidSnafu { name, value }
    );
    Ok(Some(value as i64))
}

fn optional_positive(set: &DataSet<'_>, name: AttributeName, absent: usize) -> Result<usize> {
    match integer(set, name)? {
        None => Ok(absent),
        Some(value) if value > 0 => Ok(value as usize),
        Some(value) => InvalidSnafu {
            name,
            value: value as f64,
        }
        .fail(),
    }
}

fn positive(set: &DataSet<'_>, name: AttributeName) -> Result<usize> {
    ensure!(set.element(name).is_some(), MissingSnafu { name });
    let value = optional_positive(set, name, 0)?;
    ensure!(value > 0, MissingSnafu { name });
    Ok(value)
}

fn vector(set: &DataSet<'_>, name: AttributeName) -> Result<Option<Vec<usize>>> {
    let numbers = numbers(set, name)?;
    if numbers.is_empty() {
        return Ok(None);
    }
    numbers
        .into_iter()
        .map(|value| {
            ensure!(
                value.fract() == 0.0 && (1.0..=f64::from(u16::MAX)).contains(&value),
                InvalidSnafu { name, value }
            );
            Ok(value as usize)
        })
        .collect::<Result<_>>()
        .map(Some)
}

fn items<'a>(set: &DataSet<'a>, name: AttributeName) -> Result<Vec<DataSet<'a>>> {
    let Some(element) = set.element(name) else {
        return Ok(Vec::new());
    };
    match element.value {
        Value::Sequence(encoding, bytes) => {
            DataSet::items(encoding, bytes).or(UnreadableSnafu { name }.fail())
        }
        Value::Plain([]) => Ok(Vec::new()),
        _ => UnreadableSnafu { name }.fail(),
    }
}

fn first_code<'a>(set: &DataSet<'a>, name: AttributeName) -> Result<Option<Code<'a>>> {
    let Some(item) = items(set, name)?.into_iter().next() else {
        return Ok(None);
    };
    let field = |name| Ok(text(&item, name)?.unwrap_or_default());
    Ok(Some(Code {
        value: field(CodeValue)?,
        scheme: field(CodingSchemeDesignator)?,
        meaning: field(CodeMeaning)?,
    }))
}
