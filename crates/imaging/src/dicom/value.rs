//! Values of elements, and the five ways in which reading one can fail.

use dicom_core::VR;
use snafu::{OptionExt, Snafu, ensure};

pub(crate) use super::data_set::DataSet;
use super::data_set::{Element, Value, trim};
use super::name::AttributeName::{self, CodeMeaning, CodeValue, CodingSchemeDesignator};

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

/// The designators of SNOMED CT, and of its retired codes (PS3.16, 8.1; 99SDM and SNM3 are what older objects
/// write).
const SNOMED_CT: [&str; 2] = ["SCT", "2.16.840.1.113883.6.96"];
const RETIRED: [&str; 3] = ["SRT", "SNM3", "99SDM"];

impl Code {
    /// Whether it is a concept of SNOMED, by its code or by its retired one, which is empty where it has none.
    pub(crate) fn is(&self, current: &str, retired: &str) -> bool {
        let is_of = |schemes: &[&str], code: &str| {
            schemes.contains(&self.scheme.as_str()) && !code.is_empty() && self.value == code
        };
        is_of(&SNOMED_CT, current) || is_of(&RETIRED, retired)
    }

    /// Whether its scheme is SNOMED's.
    pub(crate) fn is_snomed(&self) -> bool {
        let mut schemes = SNOMED_CT.iter().chain(&RETIRED);
        schemes.any(|scheme| *scheme == self.scheme)
    }
}

fn ge_element<'s, 'a>(set: &'s DataSet<'a>, name: AttributeName) -> Option<&'s Element<'a>> {
    let tag = name.tag();
    set.private(tag.group(), GE_CREATOR, tag.element() as u8)
}

/// The values of GE's private text, whose bytes are text whether or not the object says so.
pub(super) fn ge_texts(set: &DataSet<'_>, name: AttributeName) -> Vec<String> {
    let text = ge_element(set, name).and_then(|element| set.text_of(element));
    text.map_or_else(Vec::new, |text| split(&text))
}

/// Nothing says that a private value is a number in implicit VR, or where an archive did not know the
/// element (VR UN): its bytes are then read as a little-endian number of their length.
pub(super) fn ge_integer(set: &DataSet<'_>, name: AttributeName) -> Option<i64> {
    let element = ge_element(set, name)?;
    if element.vr != VR::UN {
        let numbers = numbers_of(set, element, name).ok()?;
        return numbers.first().map(|&number| number as i64);
    }
    match *element.bytes()? {
        [low, high] => Some(u16::from_le_bytes([low, high]).into()),
        [a, b, c, d, ..] => Some(i32::from_le_bytes([a, b, c, d]).into()),
        _ => None,
    }
}

/// The values that backslashes part; none where all are empty.
fn split(text: &str) -> Vec<String> {
    let values: Vec<String> = text
        .split('\\')
        .map(|value| trim(value).to_owned())
        .collect();
    if values.iter().all(String::is_empty) {
        return Vec::new();
    }
    values
}

/// The values of a text; none if it is absent or empty.
pub(super) fn texts(set: &DataSet<'_>, name: AttributeName) -> Result<Vec<String>> {
    let Some(element) = set.get(name.tag()) else {
        return Ok(Vec::new());
    };
    ensure!(
        !is_binary(element.vr) && !matches!(element.vr, VR::OB | VR::OW | VR::AT),
        WrongTypeSnafu { name }
    );
    let text = set.text_of(element).context(UnreadableSnafu { name })?;
    Ok(split(&text))
}

pub(super) fn text(set: &DataSet<'_>, name: AttributeName) -> Result<Option<String>> {
    let first = texts(set, name)?.into_iter().next();
    Ok(first.filter(|text| !text.is_empty()))
}

const fn is_binary(vr: VR) -> bool {
    matches!(
        vr,
        VR::US | VR::SS | VR::UL | VR::SL | VR::FL | VR::FD | VR::SV | VR::UV
    )
}

/// The numbers of an element, binary or written out.
fn numbers_of(set: &DataSet<'_>, element: &Element<'_>, name: AttributeName) -> Result<Vec<f64>> {
    if matches!(element.vr, VR::DS | VR::IS) {
        let text = set.text_of(element).context(UnreadableSnafu { name })?;
        let read = |value: String| value.replace(',', ".").parse();
        let numbers = split(&text).into_iter().map(read);
        return numbers
            .collect::<std::result::Result<_, _>>()
            .or(NotConvertibleSnafu { name }.fail());
    }
    ensure!(is_binary(element.vr), WrongTypeSnafu { name });
    binary_numbers(element).context(UnreadableSnafu { name })
}

/// The whole numbers and floating-point numbers of PS3.5, 6.2, of which the last is left out where it is
/// cut short.
fn binary_numbers(element: &Element<'_>) -> Option<Vec<f64>> {
    fn each<const N: usize>(
        element: &Element<'_>,
        number: impl Fn([u8; N]) -> f64,
    ) -> Option<Vec<f64>> {
        let bytes = element.little_endian(N)?;
        Some(bytes.as_chunks().0.iter().map(|&it| number(it)).collect())
    }
    match element.vr {
        VR::US => each(element, |it| u16::from_le_bytes(it).into()),
        VR::SS => each(element, |it| i16::from_le_bytes(it).into()),
        VR::UL => each(element, |it| u32::from_le_bytes(it).into()),
        VR::SL => each(element, |it| i32::from_le_bytes(it).into()),
        VR::FL => each(element, |it| f32::from_le_bytes(it).into()),
        VR::FD => each(element, f64::from_le_bytes),
        VR::SV => each(element, |it| i64::from_le_bytes(it) as f64),
        VR::UV => each(element, |it| u64::from_le_bytes(it) as f64),
        _ => None,
    }
}

pub(super) fn numbers(set: &DataSet<'_>, name: AttributeName) -> Result<Vec<f64>> {
    match set.get(name.tag()) {
        Some(element) => numbers_of(set, element, name),
        None => Ok(Vec::new()),
    }
}

pub(super) fn number(set: &DataSet<'_>, name: AttributeName) -> Result<Option<f64>> {
    Ok(numbers(set, name)?.first().copied())
}

pub(super) fn integer(set: &DataSet<'_>, name: AttributeName) -> Result<Option<i64>> {
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
    set: &DataSet<'_>,
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

pub(super) fn positive(set: &DataSet<'_>, name: AttributeName) -> Result<usize> {
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

pub(super) fn vector(set: &DataSet<'_>, name: AttributeName) -> Result<Option<Vec<usize>>> {
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

pub(super) fn items<'s, 'a>(
    set: &'s DataSet<'a>,
    name: AttributeName,
) -> Result<&'s [DataSet<'a>]> {
    match set.get(name.tag()).map(|element| &element.value) {
        None => Ok(&[]),
        Some(Value::Items(items)) => Ok(items),
        Some(Value::Bytes([])) => Ok(&[]),
        Some(_) => UnreadableSnafu { name }.fail(),
    }
}

pub(super) fn first_code(set: &DataSet<'_>, name: AttributeName) -> Result<Option<Code>> {
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
