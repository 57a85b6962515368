//! Values of elements, and the five ways in which reading one can fail.

use std::borrow::Cow;

use dicom_core::VR;
use dicom_core::chrono::Datelike;
use dicom_core::header::HasLength;
use dicom_core::value::{AsRange, DicomDate, DicomTime};
use dicom_object::mem::InMemElement;
use snafu::{OptionExt, Snafu, ensure};

use super::name::AttributeName::{self, CodeMeaning, CodeValue, CodingSchemeDesignator};

/// A data set in memory, of a file or of a sequence's item.
pub(crate) type DataSet = dicom_object::InMemDicomObject;

/// GE's private creator on Genie and Xeleris workstations.
const GE_CREATOR: &str = "GEMS_GENIE_1";

/// Why an attribute cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Snafu)]
#[snafu(visibility(pub(super)))]
pub enum AttributeError {
    /// It is not there, or empty.
    #[snafu(display("{name} is missing"))]
    Missing {
        /// The attribute.
        name: AttributeName,
    },
    /// It is a sequence where a value belongs, or a value where a sequence does, or its items are broken.
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
    /// Its value is not a number.
    #[snafu(display("{name} is not a number"))]
    NotConvertible {
        /// The attribute.
        name: AttributeName,
    },
    /// Its value is a number that makes no sense for it.
    #[snafu(display("{name} cannot be {value}"))]
    Invalid {
        /// The attribute.
        name: AttributeName,
        /// The value.
        value: f64,
    },
}

pub(super) type Result<T, E = AttributeError> = std::result::Result<T, E>;

/// A coded entry (PS3.3, 8.8). Text of the object: compare it, never print it.
#[derive(Clone)]
pub(crate) struct Code {
    pub value: String,
    pub scheme: String,
    pub meaning: String,
}

impl Code {
    /// Whether it is a concept of SNOMED, by its code or by its retired one, under any of the schemes'
    /// designators (PS3.16, 8.1; 99SDM and SNM3 are what older objects write).
    pub(crate) fn is(&self, current: &str, retired: &str) -> bool {
        let expected = match self.scheme.as_str() {
            "SCT" | "2.16.840.1.113883.6.96" => current,
            "SRT" | "SNM3" | "99SDM" => retired,
            _ => return false,
        };
        !expected.is_empty() && self.value == expected
    }

    /// Whether its scheme is SNOMED's.
    pub(crate) fn is_snomed(&self) -> bool {
        let scheme = self.scheme.as_str();
        ["SCT", "2.16.840.1.113883.6.96", "SRT", "SNM3", "99SDM"].contains(&scheme)
    }
}

/// A point in time, in seconds of no time zone: a date's days count 86,400 each.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Moment {
    /// On a date.
    Dated(i64),
    /// On a day that is not stated.
    OfDay(i64),
}

/// Seconds in a day.
pub(crate) const DAY: i64 = 86_400;

/// The moment that a date and time (DT), or a time (TM) with a date (DA) or without, states; none where it is
/// absent or cannot be understood.
pub(super) fn moment(
    set: &DataSet,
    date_time: AttributeName,
    time: AttributeName,
    date: Option<AttributeName>,
) -> Option<Moment> {
    let whole = set.get(date_time.tag()).and_then(|element| {
        let moment = element.to_datetime().ok()?;
        let time = moment.time()?;
        Some(Moment::Dated(days(moment.date())? * DAY + seconds(time)?))
    });
    whole.or_else(|| {
        let time = seconds(&set.get(time.tag())?.to_time().ok()?)?;
        let date = date.and_then(|date| set.get(date.tag())?.to_date().ok());
        Some(match date.and_then(|date| days(&date)) {
            Some(days) => Moment::Dated(days * DAY + time),
            None => Moment::OfDay(time),
        })
    })
}

fn seconds(time: &DicomTime) -> Option<i64> {
    let seconds = i64::from(*time.second().unwrap_or(&0));
    Some(i64::from(*time.hour()) * 3600 + i64::from(*time.minute()?) * 60 + seconds)
}

/// Days since a day of no meaning.
fn days(date: &DicomDate) -> Option<i64> {
    let date = date.exact().ok()?;
    Some(i64::from(date.num_days_from_ce()))
}

fn ge_element(set: &DataSet, name: AttributeName) -> Option<&InMemElement> {
    let tag = name.tag();
    set.private_element(tag.group(), GE_CREATOR, tag.element() as u8)
        .ok()
}

/// In implicit VR nothing says that a private value is text, so its bytes are read as text.
pub(super) fn ge_text(set: &DataSet, name: AttributeName) -> Option<String> {
    let bytes = ge_element(set, name)?.to_bytes().ok()?;
    Some(trim(&String::from_utf8_lossy(&bytes)).to_owned())
}

/// Nothing says that a private value is a number either in implicit VR, or where an archive did not
/// know the element (VR UN): its bytes are then read as a little-endian number of their length.
pub(super) fn ge_integer(set: &DataSet, name: AttributeName) -> Option<i64> {
    let element = ge_element(set, name)?;
    if element.vr() != VR::UN {
        let numbers = numbers_of(element, name).ok()?;
        return numbers.first().map(|&number| number as i64);
    }
    match *element.to_bytes().ok()? {
        [low, high] => Some(u16::from_le_bytes([low, high]).into()),
        [a, b, c, d, ..] => Some(i32::from_le_bytes([a, b, c, d]).into()),
        _ => None,
    }
}

/// A text without the spaces and zeros around it (PS3.5, 6.2).
fn trim(text: &str) -> &str {
    text.trim_matches(|letter: char| letter == '\0' || letter.is_whitespace())
}

/// The values of a text; none if it is absent or empty.
pub(super) fn texts(set: &DataSet, name: AttributeName) -> Result<Vec<String>> {
    let Some(element) = set.get(name.tag()) else {
        return Ok(Vec::new());
    };
    let is_text = !matches!(
        element.vr(),
        VR::US | VR::SS | VR::UL | VR::SL | VR::FL | VR::FD | VR::OB | VR::OW | VR::AT
    );
    ensure!(is_text, WrongTypeSnafu { name });
    let values: Cow<'_, [String]> = element.to_multi_str().or(UnreadableSnafu { name }.fail())?;
    let values: Vec<String> = values.iter().map(|value| trim(value).to_owned()).collect();
    Ok(if values.iter().all(String::is_empty) {
        Vec::new()
    } else {
        values
    })
}

pub(super) fn text(set: &DataSet, name: AttributeName) -> Result<Option<String>> {
    let first = texts(set, name)?.into_iter().next();
    Ok(first.filter(|text| !text.is_empty()))
}

/// The numbers of an element, binary or written out.
fn numbers_of(element: &InMemElement, name: AttributeName) -> Result<Vec<f64>> {
    let is_number = matches!(
        element.vr(),
        VR::US | VR::SS | VR::UL | VR::SL | VR::FL | VR::FD | VR::DS | VR::IS
    );
    ensure!(is_number, WrongTypeSnafu { name });
    let primitive = element
        .value()
        .primitive()
        .context(UnreadableSnafu { name })?;
    if primitive.multiplicity() == 0 || primitive.to_str().trim_matches(['\0', ' ']).is_empty() {
        return Ok(Vec::new());
    }
    primitive
        .to_multi_float64()
        .or(NotConvertibleSnafu { name }.fail())
}

pub(super) fn numbers(set: &DataSet, name: AttributeName) -> Result<Vec<f64>> {
    match set.get(name.tag()) {
        Some(element) => numbers_of(element, name),
        None => Ok(Vec::new()),
    }
}

pub(super) fn number(set: &DataSet, name: AttributeName) -> Result<Option<f64>> {
    Ok(numbers(set, name)?.first().copied())
}

pub(super) fn integer(set: &DataSet, name: AttributeName) -> Result<Option<i64>> {
    let Some(value) = number(set, name)? else {
        return Ok(None);
    };
    ensure!(
        value.fract() == 0.0 && value.abs() <= f64::from(u32::MAX),
        InvalidSnafu { name, value }
    );
    Ok(Some(value as i64))
}

pub(super) fn optional_positive(
    set: &DataSet,
    name: AttributeName,
    absent: usize,
) -> Result<usize> {
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

pub(super) fn positive(set: &DataSet, name: AttributeName) -> Result<usize> {
    let value = integer(set, name)?.context(MissingSnafu { name })?;
    ensure!(
        value > 0,
        InvalidSnafu {
            name,
            value: value as f64
        }
    );
    Ok(value as usize)
}

pub(super) fn vector(set: &DataSet, name: AttributeName) -> Result<Option<Vec<usize>>> {
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

pub(super) fn items(set: &DataSet, name: AttributeName) -> Result<&[DataSet]> {
    let Some(element) = set.get(name.tag()) else {
        return Ok(&[]);
    };
    match element.items() {
        Some(items) => Ok(items),
        None if element.is_empty() => Ok(&[]),
        None => UnreadableSnafu { name }.fail(),
    }
}

pub(super) fn first_code(set: &DataSet, name: AttributeName) -> Result<Option<Code>> {
    let Some(item) = items(set, name)?.first() else {
        return Ok(None);
    };
    let field = |name| Ok(text(item, name)?.unwrap_or_default());
    Ok(Some(Code {
        value: field(CodeValue)?,
        scheme: field(CodingSchemeDesignator)?,
        meaning: field(CodeMeaning)?,
    }))
}
