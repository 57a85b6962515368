//! The transfer syntaxes that attrium reads.

use dicom_dictionary_std::uids;

use super::parse::Encoding;

/// Retired, but still in archives.
const EXPLICIT_VR_BIG_ENDIAN: &str = "1.2.840.10008.1.2.2";

/// The transfer syntaxes that attrium reads (PS3.5, 10 and A).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TransferSyntax {
    /// Pixels as they are.
    ImplicitLittleEndian,
    /// Pixels as they are.
    ExplicitLittleEndian,
    /// Pixels as they are, the most significant byte first.
    ExplicitBigEndian,
    Rle,
    /// Process 14, any predictor, and its first-order form.
    JpegLossless,
    Jpeg2000Lossless,
    /// May be lossless, but does not promise it.
    Jpeg2000,
    JpegBaseline,
    /// Of 8 or 12 bits.
    JpegExtended,
}

impl TransferSyntax {
    /// The syntax of a UID, if attrium reads it.
    pub(crate) fn from_uid(uid: &str) -> Option<Self> {
        Some(match uid {
            uids::IMPLICIT_VR_LITTLE_ENDIAN => Self::ImplicitLittleEndian,
            uids::EXPLICIT_VR_LITTLE_ENDIAN => Self::ExplicitLittleEndian,
            EXPLICIT_VR_BIG_ENDIAN => Self::ExplicitBigEndian,
            uids::RLE_LOSSLESS => Self::Rle,
            uids::JPEG_LOSSLESS | uids::JPEG_LOSSLESS_SV1 => Self::JpegLossless,
            uids::JPEG2000_LOSSLESS => Self::Jpeg2000Lossless,
            uids::JPEG2000 => Self::Jpeg2000,
            uids::JPEG_BASELINE8_BIT => Self::JpegBaseline,
            uids::JPEG_EXTENDED12_BIT => Self::JpegExtended,
            _ => return None,
        })
    }

    /// How the headers of the data set are written.
    pub(super) const fn encoding(self) -> Encoding {
        match self {
            Self::ImplicitLittleEndian => Encoding::IMPLICIT,
            Self::ExplicitBigEndian => Encoding::BIG_ENDIAN,
            _ => Encoding::EXPLICIT,
        }
    }

    /// Whether pixels may differ from what the camera counted.
    pub(crate) const fn is_lossy(self) -> bool {
        matches!(
            self,
            Self::Jpeg2000 | Self::JpegBaseline | Self::JpegExtended
        )
    }
}
