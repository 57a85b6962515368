use super::element::Encoding;

/// The transfer syntaxes that attrium reads (PS3.5, 10 and A; PS3.6, Table A-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferSyntax {
    ImplicitLittle,
    ExplicitLittle,
    ExplicitBig,
    Rle,
    /// Process 14, any predictor, and its first-order form.
    JpegLossless,
    Jpeg2000Lossless,
    /// May be lossless, but does not promise it.
    Jpeg2000,
    JpegBaseline,
}

impl TransferSyntax {
    /// The syntax of a UID, if attrium reads it.
    pub fn from_uid(uid: &[u8]) -> Option<Self> {
        Some(match uid {
            b"1.2.840.10008.1.2" => Self::ImplicitLittle,
            b"1.2.840.10008.1.2.1" => Self::ExplicitLittle,
            b"1.2.840.10008.1.2.2" => Self::ExplicitBig,
            b"1.2.840.10008.1.2.5" => Self::Rle,
            b"1.2.840.10008.1.2.4.57" | b"1.2.840.10008.1.2.4.70" => Self::JpegLossless,
            b"1.2.840.10008.1.2.4.90" => Self::Jpeg2000Lossless,
            b"1.2.840.10008.1.2.4.91" => Self::Jpeg2000,
            b"1.2.840.10008.1.2.4.50" => Self::JpegBaseline,
            _ => return None,
        })
    }

    /// How the data set is written.
    pub const fn encoding(self) -> Encoding {
        match self {
            Self::ImplicitLittle => Encoding::IMPLICIT_LITTLE,
            Self::ExplicitBig => Encoding::EXPLICIT_BIG,
            _ => Encoding::EXPLICIT_LITTLE,
        }
    }

    /// Whether pixels come in fragments.
    pub const fn is_encapsulated(self) -> bool {
        !matches!(
            self,
            Self::ImplicitLittle | Self::ExplicitLittle | Self::ExplicitBig
        )
    }

    /// Whether pixels may differ from what the camera counted.
    pub const fn is_lossy(self) -> bool {
        matches!(self, Self::Jpeg2000 | Self::JpegBaseline)
    }
}
