//! How the headers of elements are written (PS3.5, 7.1 and annex A).

use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::{StandardDataDictionary, uids};

/// Retired, but still in archives.
const EXPLICIT_VR_BIG_ENDIAN: &str = "1.2.840.10008.1.2.2";

/// Compresses the whole data set, its headers too.
const DEFLATED: &[&str] = &[
    uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
    uids::JPIP_REFERENCED_DEFLATE,
];

/// The length of a value that ends with a delimiter.
pub(crate) const UNDEFINED: u32 = u32::MAX;

pub(crate) const ITEM: Tag = Tag(0xFFFE, 0xE000);
pub(crate) const ITEM_END: Tag = Tag(0xFFFE, 0xE00D);
pub(crate) const SEQUENCE_END: Tag = Tag(0xFFFE, 0xE0DD);

/// How the headers of elements are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Encoding {
    pub has_vr: bool,
    pub is_big_endian: bool,
}

impl Encoding {
    pub(crate) const EXPLICIT: Self = Self {
        has_vr: true,
        is_big_endian: false,
    };
    pub(crate) const IMPLICIT: Self = Self {
        has_vr: false,
        is_big_endian: false,
    };

    /// The encoding of a transfer syntax; none where its data sets are compressed as a whole.
    pub(crate) fn of(transfer_syntax: &str) -> Option<Self> {
        match transfer_syntax {
            uids::IMPLICIT_VR_LITTLE_ENDIAN => Some(Self::IMPLICIT),
            EXPLICIT_VR_BIG_ENDIAN => Some(Self {
                has_vr: true,
                is_big_endian: true,
            }),
            deflated if DEFLATED.contains(&deflated) => None,
            _ => Some(Self::EXPLICIT),
        }
    }

    pub(crate) fn u16(self, bytes: [u8; 2]) -> u16 {
        if self.is_big_endian {
            u16::from_be_bytes(bytes)
        } else {
            u16::from_le_bytes(bytes)
        }
    }

    pub(crate) fn u32(self, bytes: [u8; 4]) -> u32 {
        if self.is_big_endian {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        }
    }

    pub(crate) fn of_u16(self, number: u16) -> [u8; 2] {
        if self.is_big_endian {
            number.to_be_bytes()
        } else {
            number.to_le_bytes()
        }
    }

    pub(crate) fn of_u32(self, number: u32) -> [u8; 4] {
        if self.is_big_endian {
            number.to_be_bytes()
        } else {
            number.to_le_bytes()
        }
    }

    /// A tag as it is written.
    pub(crate) fn of_tag(self, Tag(group, element): Tag) -> [u8; 4] {
        let ([g0, g1], [e0, e1]) = (self.of_u16(group), self.of_u16(element));
        [g0, g1, e0, e1]
    }
}

/// The value representation by the standard's dictionary; UN for what it does not have.
pub(crate) fn vr_of(tag: Tag) -> VR {
    let is_creator = tag.0 % 2 == 1 && (0x0010..=0x00FF).contains(&tag.1);
    if is_creator {
        return VR::LO;
    }
    StandardDataDictionary
        .by_tag(tag)
        .map_or(VR::UN, |entry| entry.vr().relaxed())
}

/// Whether lengths of values have two bytes (PS3.5, 7.1.2).
pub(crate) const fn is_short(vr: VR) -> bool {
    !matches!(
        vr,
        VR::OB
            | VR::OD
            | VR::OF
            | VR::OL
            | VR::OV
            | VR::OW
            | VR::SQ
            | VR::SV
            | VR::UC
            | VR::UN
            | VR::UR
            | VR::UT
            | VR::UV
    )
}
