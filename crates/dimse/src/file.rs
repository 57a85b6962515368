//! Heads of DICOM files (PS3.10, 7.1): written before what arrives, and read before what is sent.
//!
//! Never: a data set's contents.

use std::fmt;

use snafu::{OptionExt, Snafu, ensure};

use crate::provider::ObjectHeader;
use crate::uid::{Hidden, is_uid, trimmed};
use crate::user::ObjectToStore;
use crate::{IMPLEMENTATION_CLASS, IMPLEMENTATION_VERSION};

/// Length of the preamble, and what follows it.
const PREAMBLE: usize = 128;
const PREFIX: &[u8] = b"DICM";

/// Element numbers of group 0002 (PS3.10, 7.1).
mod element {
    pub(super) const GROUP_LENGTH: u16 = 0x0000;
    pub(super) const VERSION: u16 = 0x0001;
    pub(super) const SOP_CLASS: u16 = 0x0002;
    pub(super) const SOP_INSTANCE: u16 = 0x0003;
    pub(super) const TRANSFER_SYNTAX: u16 = 0x0010;
    pub(super) const IMPLEMENTATION_CLASS: u16 = 0x0012;
    pub(super) const IMPLEMENTATION_VERSION: u16 = 0x0013;
    pub(super) const SOURCE_AE_TITLE: u16 = 0x0016;
}

/// What a file says of its object, and where its data set is: what has to be known to send it as it is.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredFile {
    /// Media Storage SOP Class UID (0002,0002).
    pub sop_class_uid: String,
    /// Media Storage SOP Instance UID (0002,0003).
    pub sop_instance_uid: String,
    /// Transfer Syntax UID (0002,0010).
    pub transfer_syntax_uid: String,
    /// At which byte of the file the data set begins.
    pub data_set_offset: usize,
}

impl fmt::Debug for StoredFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredFile")
            .field("sop_class_uid", &self.sop_class_uid)
            .field("sop_instance_uid", &Hidden)
            .field("transfer_syntax_uid", &self.transfer_syntax_uid)
            .field("data_set_offset", &self.data_set_offset)
            .finish()
    }
}

/// Why a file cannot be sent as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Snafu)]
#[non_exhaustive]
pub enum NotSendable {
    /// It has no preamble and prefix.
    #[snafu(display("this is no DICOM file"))]
    NotDicom,
    /// Its file meta information is cut or malformed.
    #[snafu(display("the file meta information is malformed"))]
    Malformed,
    /// It does not say what it is.
    #[snafu(display(
        "the file meta information lacks a valid SOP class, SOP instance or transfer syntax"
    ))]
    Incomplete,
}

impl StoredFile {
    /// What is sent of the file that this was read from.
    pub fn object<'a>(&'a self, file: &'a [u8]) -> ObjectToStore<'a> {
        ObjectToStore {
            sop_class_uid: &self.sop_class_uid,
            sop_instance_uid: &self.sop_instance_uid,
            transfer_syntax_uid: &self.transfer_syntax_uid,
            data_set: file.get(self.data_set_offset..).unwrap_or_default(),
        }
    }

    /// Reads the head of a DICOM file, of which the first kilobyte suffices as a rule.
    ///
    /// # Errors
    /// A [`NotSendable`] where the head is not complete and valid.
    pub fn read(file: &[u8]) -> Result<Self, NotSendable> {
        let meta = file.get(PREAMBLE..).unwrap_or_default();
        let mut rest = meta.strip_prefix(PREFIX).context(NotDicomSnafu)?;
        let (mut class, mut instance, mut syntax) = (None, None, None);
        let mut end = None;
        // The group ends where its length says. One that is wrong, or missing, makes it end where another begins.
        while rest.starts_with(&[2, 0]) && end != Some(meta.len() - rest.len()) {
            let (number, value, after) = first(rest).context(MalformedSnafu)?;
            match number {
                element::GROUP_LENGTH => end = length(value, meta.len() - after.len()),
                element::SOP_CLASS => class = uid(value),
                element::SOP_INSTANCE => instance = uid(value),
                element::TRANSFER_SYNTAX => syntax = uid(value),
                _ => {}
            }
            rest = after;
        }
        ensure!(!rest.is_empty(), MalformedSnafu);
        Ok(Self {
            sop_class_uid: class.context(IncompleteSnafu)?,
            sop_instance_uid: instance.context(IncompleteSnafu)?,
            transfer_syntax_uid: syntax.context(IncompleteSnafu)?,
            data_set_offset: file.len() - rest.len(),
        })
    }
}

/// Where the group ends of which this is the length, counted from behind its element (PS3.5, 7.2).
fn length(value: &[u8], behind: usize) -> Option<usize> {
    let length = u32::from_le_bytes(*value.first_chunk()?);
    usize::try_from(length).ok()?.checked_add(behind)
}

/// An identifier, where the value is one.
fn uid(value: &[u8]) -> Option<String> {
    let text = trimmed(std::str::from_utf8(value).ok()?);
    is_uid(text).then(|| text.to_owned())
}

/// The first element in Explicit VR Little Endian (PS3.5, 7.1.2): its number, its value and what comes after.
fn first(bytes: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let (&[_, _, e0, e1, v0, v1, l0, l1], rest) = bytes.split_first_chunk()?;
    let (length, rest) = match &[v0, v1] {
        b"OB" | b"UN" | b"OW" | b"SQ" | b"UT" => {
            let (length, rest) = rest.split_first_chunk()?;
            (u32::from_le_bytes(*length), rest)
        }
        _ => (u32::from(u16::from_le_bytes([l0, l1])), rest),
    };
    let (value, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    Some((u16::from_le_bytes([e0, e1]), value, rest))
}

/// The head of the file of an object that arrives: preamble, prefix and file meta information (PS3.10, 7.1).
pub(crate) fn head(object: &ObjectHeader, source_ae_title: &str) -> Vec<u8> {
    let mut meta = Vec::with_capacity(512);
    meta.extend_from_slice(&[2, 0]);
    meta.extend_from_slice(&element::VERSION.to_le_bytes());
    meta.extend_from_slice(b"OB\0\0\x02\0\0\0\0\x01");
    let mut text = |number, vr, text| write(&mut meta, number, vr, text);
    text(element::SOP_CLASS, b"UI", &object.sop_class_uid);
    text(element::SOP_INSTANCE, b"UI", &object.sop_instance_uid);
    text(element::TRANSFER_SYNTAX, b"UI", &object.transfer_syntax_uid);
    text(element::IMPLEMENTATION_CLASS, b"UI", IMPLEMENTATION_CLASS);
    text(
        element::IMPLEMENTATION_VERSION,
        b"SH",
        IMPLEMENTATION_VERSION,
    );
    text(element::SOURCE_AE_TITLE, b"AE", source_ae_title);
    let mut head = vec![0; PREAMBLE];
    head.extend_from_slice(PREFIX);
    head.extend_from_slice(&[2, 0]);
    head.extend_from_slice(&element::GROUP_LENGTH.to_le_bytes());
    head.extend_from_slice(b"UL\x04\0");
    let length = u32::try_from(meta.len()).unwrap_or(u32::MAX);
    head.extend_from_slice(&length.to_le_bytes());
    head.extend_from_slice(&meta);
    head
}

/// Appends a short text, its length made even by a zero where it is an identifier, and else by a space (PS3.5, 6.2).
fn write(meta: &mut Vec<u8>, number: u16, vr: &[u8; 2], text: &str) {
    let padding = if vr == b"UI" { 0 } else { b' ' };
    let length = text.len().next_multiple_of(2);
    meta.extend_from_slice(&[2, 0]);
    meta.extend_from_slice(&number.to_le_bytes());
    meta.extend_from_slice(vr);
    // Identifiers have 64 bytes, and titles 16.
    meta.extend_from_slice(&u16::try_from(length).unwrap_or(u16::MAX).to_le_bytes());
    meta.extend_from_slice(text.as_bytes());
    meta.resize(meta.len() + length - text.len(), padding);
}

#[cfg(test)]
mod tests {
    use dicom_object::FileMetaTable;
    use proptest::prelude::*;

    use super::*;
    use crate::EXPLICIT_LITTLE_ENDIAN;

    fn object() -> ObjectHeader {
        ObjectHeader {
            sop_class_uid: "1.2.840.10008.5.1.4.1.1.20".into(),
            sop_instance_uid: "2.25.123".into(),
            transfer_syntax_uid: EXPLICIT_LITTLE_ENDIAN.into(),
        }
    }

    #[test]
    fn a_head_is_what_another_reader_takes() {
        let head = head(&object(), "SYMBIA1");
        let meta = FileMetaTable::from_reader(&head[PREAMBLE..]).unwrap();
        assert_eq!(meta.media_storage_sop_class_uid(), object().sop_class_uid);
        assert_eq!(meta.media_storage_sop_instance_uid(), "2.25.123");
        assert_eq!(meta.transfer_syntax(), EXPLICIT_LITTLE_ENDIAN);
        assert_eq!(meta.implementation_class_uid(), IMPLEMENTATION_CLASS);
        assert_eq!(
            meta.source_application_entity_title.as_deref(),
            Some("SYMBIA1 ")
        );
        let length = usize::try_from(meta.information_group_length).unwrap();
        assert_eq!(head.len(), PREAMBLE + 4 + 12 + length);
    }

    #[test]
    fn a_head_is_read_back() {
        let mut file = head(&object(), "A");
        let offset = file.len();
        assert_eq!(StoredFile::read(&file), Err(NotSendable::Malformed));
        file.extend_from_slice(&[8, 0, 5, 0, b'C', b'S', 0, 0]);
        let read = StoredFile::read(&file).unwrap();
        assert_eq!(read.data_set_offset, offset);
        assert_eq!(read.sop_instance_uid, "2.25.123");
        assert!(!format!("{read:?}").contains("2.25.123"));
    }

    #[test]
    fn a_data_set_that_poses_as_file_meta_information_is_not_read() {
        let mut file = head(&object(), "A");
        let offset = file.len();
        let mut other = Vec::new();
        write(&mut other, element::SOP_INSTANCE, b"UI", "2.25.666");
        file.extend_from_slice(&other);
        let read = StoredFile::read(&file).unwrap();
        assert_eq!(read.data_set_offset, offset);
        assert_eq!(read.sop_instance_uid, "2.25.123");
    }

    #[test]
    fn a_group_length_that_is_wrong_does_not_hide_the_data_set() {
        let mut file = head(&object(), "A");
        let offset = file.len();
        file.extend_from_slice(&[8, 0, 5, 0, b'C', b'S', 0, 0]);
        for wrong in [0u32, 7, 3_000, u32::MAX] {
            file[PREAMBLE + 12..PREAMBLE + 16].copy_from_slice(&wrong.to_le_bytes());
            let read = StoredFile::read(&file);
            match wrong {
                // It says that there is nothing, and then it names no object.
                0 => assert_eq!(read, Err(NotSendable::Incomplete)),
                _ => assert_eq!(read.unwrap().data_set_offset, offset),
            }
        }
    }

    #[test]
    fn a_file_that_is_cut_or_names_no_object_is_not_sendable() {
        let whole = head(&object(), "A");
        assert_eq!(StoredFile::read(&whole[..130]), Err(NotSendable::NotDicom));
        assert_eq!(StoredFile::read(&whole[..180]), Err(NotSendable::Malformed));
        let hostile = ObjectHeader {
            sop_instance_uid: "../../x".into(),
            ..object()
        };
        let mut file = head(&hostile, "A");
        file.push(8);
        assert_eq!(StoredFile::read(&file), Err(NotSendable::Incomplete));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut file = vec![0; PREAMBLE];
            file.extend_from_slice(b"DICM\x02\0");
            file.extend_from_slice(&bytes);
            if let Ok(read) = StoredFile::read(&file) {
                prop_assert!(read.data_set_offset < file.len());
            }
        }
    }
}
