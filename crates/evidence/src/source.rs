//! What a result takes over from the object that it is about.

use std::fmt;

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use snafu::OptionExt;

use super::element::{DataSet, Value};
use super::encoding::Encoding;
use super::error::{AttributeSnafu, Error};
use super::read::{self, Extent};

/// Attributes that a result has even where its source does not, then without a value: type 2 of the Patient and the
/// General Study module (PS3.3, C.7.1.1 and C.7.2.1).
const REQUIRED: &[(Tag, VR)] = &[
    (tags::STUDY_DATE, VR::DA),
    (tags::STUDY_TIME, VR::TM),
    (tags::ACCESSION_NUMBER, VR::SH),
    (tags::REFERRING_PHYSICIAN_NAME, VR::PN),
    (tags::PATIENT_NAME, VR::PN),
    (tags::PATIENT_ID, VR::LO),
    (tags::PATIENT_BIRTH_DATE, VR::DA),
    (tags::PATIENT_SEX, VR::CS),
    (tags::STUDY_ID, VR::SH),
];

/// Attributes that go over where the source has them: type 3 of these modules and of Patient Study (C.7.2.2), that by
/// which an archive tells the patients of two issuers apart, and what says that a patient was made unknown. Not the
/// offset from UTC, which would be said of the result's own times too.
const OPTIONAL: &[Tag] = &[
    tags::SPECIFIC_CHARACTER_SET,
    tags::ISSUER_OF_ACCESSION_NUMBER_SEQUENCE,
    tags::STUDY_DESCRIPTION,
    tags::PROCEDURE_CODE_SEQUENCE,
    tags::ISSUER_OF_PATIENT_ID,
    tags::TYPE_OF_PATIENT_ID,
    tags::ISSUER_OF_PATIENT_ID_QUALIFIERS_SEQUENCE,
    tags::PATIENT_BIRTH_TIME,
    tags::OTHER_PATIENT_I_DS_SEQUENCE,
    tags::PATIENT_AGE,
    tags::PATIENT_IDENTITY_REMOVED,
    tags::DEIDENTIFICATION_METHOD,
    tags::DEIDENTIFICATION_METHOD_CODE_SEQUENCE,
    tags::LONGITUDINAL_TEMPORAL_INFORMATION_MODIFIED,
];

/// The longest that a UID may be (PS3.5, 9.1).
const UID_LENGTH: usize = 64;

/// What a result says of the object that it is about, so that an archive files both under one study of one patient.
///
/// Values go over as they are, whatever their character set and whether or not they are as the standard wants: to an
/// archive they are keys. It identifies a patient, so its `Debug` shows nothing of it.
#[derive(Clone)]
pub struct Source {
    pub(crate) inherited: DataSet,
    pub(crate) study_instance_uid: String,
    pub(crate) series_instance_uid: String,
    pub(crate) sop_class_uid: String,
    pub(crate) sop_instance_uid: String,
    pub(crate) rows: u32,
    pub(crate) columns: u32,
    pub(crate) frames: u32,
}

impl Source {
    /// Reads the header of a DICOM file (PS3.10), whether or not it has a preamble.
    ///
    /// # Errors
    /// [`Error::NotDicom`], [`Error::Malformed`], [`Error::TransferSyntax`], and [`Error::Attribute`] where study,
    /// series, object or the image's size are not told.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        let file = read::file(bytes, Extent::Header)?;
        let set = &file.set;
        Ok(Self {
            inherited: inherited(set),
            study_instance_uid: uid(set, tags::STUDY_INSTANCE_UID)?,
            series_instance_uid: uid(set, tags::SERIES_INSTANCE_UID)?,
            sop_class_uid: uid(set, tags::SOP_CLASS_UID)?,
            sop_instance_uid: uid(set, tags::SOP_INSTANCE_UID)?,
            rows: size(set, tags::ROWS, file.encoding)?,
            columns: size(set, tags::COLUMNS, file.encoding)?,
            frames: frames(set)?,
        })
    }

    /// Study Instance UID (0020,000D).
    pub fn study_instance_uid(&self) -> &str {
        &self.study_instance_uid
    }

    /// Series Instance UID (0020,000E).
    pub fn series_instance_uid(&self) -> &str {
        &self.series_instance_uid
    }

    /// SOP Class UID (0008,0016).
    pub fn sop_class_uid(&self) -> &str {
        &self.sop_class_uid
    }

    /// SOP Instance UID (0008,0018).
    pub fn sop_instance_uid(&self) -> &str {
        &self.sop_instance_uid
    }

    /// Rows (0028,0010) of a frame.
    pub const fn rows(&self) -> u32 {
        self.rows
    }

    /// Columns (0028,0011) of a frame.
    pub const fn columns(&self) -> u32 {
        self.columns
    }

    /// Number of Frames (0028,0008), 1 where the object does not say.
    pub const fn frames(&self) -> u32 {
        self.frames
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").finish_non_exhaustive()
    }
}

fn inherited(set: &DataSet) -> DataSet {
    let mut inherited = DataSet::new();
    for (tag, vr) in REQUIRED {
        let value = set.get(*tag).map(|element| element.value.clone());
        let value = value.filter(|value| matches!(value, Value::Bytes(_)));
        inherited.put(*tag, *vr, value.unwrap_or(Value::Bytes(Vec::new())));
    }
    for tag in OPTIONAL {
        if let Some(element) = set.get(*tag).filter(|element| !element.value.is_empty()) {
            inherited.put(*tag, element.vr, element.value.clone());
        }
    }
    inherited
}

/// A UID as it is; not all in archives are of digits and dots alone.
fn uid(set: &DataSet, tag: Tag) -> Result<String, Error> {
    let uid = set
        .ascii(tag)
        .filter(|uid| uid.len() <= UID_LENGTH)
        .filter(|uid| uid.bytes().all(is_of_uid));
    uid.map(str::to_owned).context(AttributeSnafu { tag })
}

const fn is_of_uid(byte: u8) -> bool {
    matches!(byte, b'.' | b'-' | b'_') || byte.is_ascii_alphanumeric()
}

fn size(set: &DataSet, tag: Tag, encoding: Encoding) -> Result<u32, Error> {
    // Padding of texts may be the number's low byte: the value itself is wanted.
    let value = set.get(tag).and_then(|element| match &element.value {
        Value::Bytes(bytes) => bytes.first_chunk().copied(),
        Value::Items(_) | Value::Fragments(_) => None,
    });
    let size = value.map(|bytes| u32::from(encoding.u16(bytes)));
    size.filter(|size| *size > 0)
        .context(AttributeSnafu { tag })
}

/// Number of Frames (0028,0008): absent or empty is 1, and 0 is an error.
fn frames(set: &DataSet) -> Result<u32, Error> {
    let tag = tags::NUMBER_OF_FRAMES;
    match set.bytes(tag) {
        None | Some([]) => Ok(1),
        Some(_) => {
            let frames = set.ascii(tag).and_then(|text| text.parse().ok());
            frames.filter(|it| *it > 0).context(AttributeSnafu { tag })
        }
    }
}

/// What an object says that it is.
#[derive(Clone, PartialEq, Eq)]
pub struct Instance {
    /// SOP Class UID (0008,0016).
    pub sop_class_uid: String,
    /// SOP Instance UID (0008,0018).
    pub sop_instance_uid: String,
}

/// What an object says that it is, by the beginning of its file; none where that does not reach so far, or is no DICOM.
pub fn instance_of(beginning: &[u8]) -> Option<Instance> {
    let set = read::beginning(beginning, tags::SOP_INSTANCE_UID)?;
    Some(Instance {
        sop_class_uid: uid(&set, tags::SOP_CLASS_UID).ok()?,
        sop_instance_uid: uid(&set, tags::SOP_INSTANCE_UID).ok()?,
    })
}
