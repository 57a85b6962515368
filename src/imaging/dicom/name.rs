use std::fmt;

use super::element::{Tag, Vr};

/// An attribute that attrium reads: standard ones by PS3.6, GE's by their private creator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the names are DICOM's own")]
pub enum AttributeName {
    TransferSyntaxUid,
    ImageType,
    SopClassUid,
    Modality,
    CodeValue,
    CodingSchemeDesignator,
    CodeMeaning,
    SeriesDescription,
    BodyPartExamined,
    PatientPosition,
    StudyInstanceUid,
    PatientOrientation,
    ImageOrientation,
    SamplesPerPixel,
    PhotometricInterpretation,
    NumberOfFrames,
    Rows,
    Columns,
    PixelSpacing,
    BitsAllocated,
    BitsStored,
    HighBit,
    PixelRepresentation,
    RescaleIntercept,
    RescaleSlope,
    LossyImageCompression,
    EnergyWindowVector,
    NumberOfEnergyWindows,
    EnergyWindowInformation,
    EnergyWindowRange,
    EnergyWindowLowerLimit,
    EnergyWindowUpperLimit,
    DetectorVector,
    NumberOfDetectors,
    DetectorInformation,
    ViewCode,
    ImageId,
    PatientGantryRelationship,
    PixelData,
    GeDatasetName,
    GeDetectorNumber,
    GePictureName,
}

impl AttributeName {
    /// The tag; a private one is where its block most often is.
    pub(super) const fn tag(self) -> Tag {
        match self {
            Self::TransferSyntaxUid => Tag(0x0002, 0x0010),
            Self::ImageType => Tag(0x0008, 0x0008),
            Self::SopClassUid => Tag(0x0008, 0x0016),
            Self::Modality => Tag(0x0008, 0x0060),
            Self::CodeValue => Tag(0x0008, 0x0100),
            Self::CodingSchemeDesignator => Tag(0x0008, 0x0102),
            Self::CodeMeaning => Tag(0x0008, 0x0104),
            Self::SeriesDescription => Tag(0x0008, 0x103E),
            Self::BodyPartExamined => Tag(0x0018, 0x0015),
            Self::PatientPosition => Tag(0x0018, 0x5100),
            Self::StudyInstanceUid => Tag(0x0020, 0x000D),
            Self::PatientOrientation => Tag(0x0020, 0x0020),
            Self::ImageOrientation => Tag(0x0020, 0x0037),
            Self::SamplesPerPixel => Tag(0x0028, 0x0002),
            Self::PhotometricInterpretation => Tag(0x0028, 0x0004),
            Self::NumberOfFrames => Tag(0x0028, 0x0008),
            Self::Rows => Tag(0x0028, 0x0010),
            Self::Columns => Tag(0x0028, 0x0011),
            Self::PixelSpacing => Tag(0x0028, 0x0030),
            Self::BitsAllocated => Tag(0x0028, 0x0100),
            Self::BitsStored => Tag(0x0028, 0x0101),
            Self::HighBit => Tag(0x0028, 0x0102),
            Self::PixelRepresentation => Tag(0x0028, 0x0103),
            Self::RescaleIntercept => Tag(0x0028, 0x1052),
            Self::RescaleSlope => Tag(0x0028, 0x1053),
            Self::LossyImageCompression => Tag(0x0028, 0x2110),
            Self::EnergyWindowVector => Tag(0x0054, 0x0010),
            Self::NumberOfEnergyWindows => Tag(0x0054, 0x0011),
            Self::EnergyWindowInformation => Tag(0x0054, 0x0012),
            Self::EnergyWindowRange => Tag(0x0054, 0x0013),
            Self::EnergyWindowLowerLimit => Tag(0x0054, 0x0014),
            Self::EnergyWindowUpperLimit => Tag(0x0054, 0x0015),
            Self::DetectorVector => Tag(0x0054, 0x0020),
            Self::NumberOfDetectors => Tag(0x0054, 0x0021),
            Self::DetectorInformation => Tag(0x0054, 0x0022),
            Self::ViewCode => Tag(0x0054, 0x0220),
            Self::ImageId => Tag(0x0054, 0x0400),
            Self::PatientGantryRelationship => Tag(0x0054, 0x0414),
            Self::PixelData => Tag(0x7FE0, 0x0010),
            Self::GeDatasetName => Tag(0x0011, 0x1012),
            Self::GeDetectorNumber => Tag(0x0011, 0x1015),
            Self::GePictureName => Tag(0x0011, 0x1030),
        }
    }

    /// The value representation where the object does not name it (PS3.6, 6).
    pub(super) const fn vr(self) -> Vr {
        Vr(match self {
            Self::TransferSyntaxUid | Self::SopClassUid | Self::StudyInstanceUid => *b"UI",
            Self::ImageType
            | Self::Modality
            | Self::BodyPartExamined
            | Self::PatientPosition
            | Self::PatientOrientation
            | Self::PhotometricInterpretation
            | Self::LossyImageCompression => *b"CS",
            Self::CodeValue | Self::CodingSchemeDesignator | Self::ImageId => *b"SH",
            Self::CodeMeaning
            | Self::SeriesDescription
            | Self::GeDatasetName
            | Self::GePictureName => *b"LO",
            Self::ImageOrientation
            | Self::PixelSpacing
            | Self::RescaleIntercept
            | Self::RescaleSlope
            | Self::EnergyWindowLowerLimit
            | Self::EnergyWindowUpperLimit => *b"DS",
            Self::SamplesPerPixel
            | Self::Rows
            | Self::Columns
            | Self::BitsAllocated
            | Self::BitsStored
            | Self::HighBit
            | Self::PixelRepresentation
            | Self::EnergyWindowVector
            | Self::NumberOfEnergyWindows
            | Self::DetectorVector
            | Self::NumberOfDetectors => *b"US",
            Self::NumberOfFrames => *b"IS",
            Self::EnergyWindowInformation
            | Self::EnergyWindowRange
            | Self::DetectorInformation
            | Self::ViewCode
            | Self::PatientGantryRelationship => *b"SQ",
            Self::PixelData => *b"OW",
            Self::GeDetectorNumber => *b"SL",
        })
    }

    /// Whether a tag is one of the sequences that attrium opens.
    pub(super) fn is_sequence(tag: Tag) -> bool {
        [
            Self::EnergyWindowInformation,
            Self::EnergyWindowRange,
            Self::DetectorInformation,
            Self::ViewCode,
            Self::PatientGantryRelationship,
        ]
        .iter()
        .any(|name| name.tag() == tag)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::TransferSyntaxUid => "Transfer Syntax UID",
            Self::ImageType => "Image Type",
            Self::SopClassUid => "SOP Class UID",
            Self::Modality => "Modality",
            Self::CodeValue => "Code Value",
            Self::CodingSchemeDesignator => "Coding Scheme Designator",
            Self::CodeMeaning => "Code Meaning",
            Self::SeriesDescription => "Series Description",
            Self::BodyPartExamined => "Body Part Examined",
            Self::PatientPosition => "Patient Position",
            Self::StudyInstanceUid => "Study Instance UID",
            Self::PatientOrientation => "Patient Orientation",
            Self::ImageOrientation => "Image Orientation (Patient)",
            Self::SamplesPerPixel => "Samples per Pixel",
            Self::PhotometricInterpretation => "Photometric Interpretation",
            Self::NumberOfFrames => "Number of Frames",
            Self::Rows => "Rows",
            Self::Columns => "Columns",
            Self::PixelSpacing => "Pixel Spacing",
            Self::BitsAllocated => "Bits Allocated",
            Self::BitsStored => "Bits Stored",
            Self::HighBit => "High Bit",
            Self::PixelRepresentation => "Pixel Representation",
            Self::RescaleIntercept => "Rescale Intercept",
            Self::RescaleSlope => "Rescale Slope",
            Self::LossyImageCompression => "Lossy Image Compression",
            Self::EnergyWindowVector => "Energy Window Vector",
            Self::NumberOfEnergyWindows => "Number of Energy Windows",
            Self::EnergyWindowInformation => "Energy Window Information Sequence",
            Self::EnergyWindowRange => "Energy Window Range Sequence",
            Self::EnergyWindowLowerLimit => "Energy Window Lower Limit",
            Self::EnergyWindowUpperLimit => "Energy Window Upper Limit",
            Self::DetectorVector => "Detector Vector",
            Self::NumberOfDetectors => "Number of Detectors",
            Self::DetectorInformation => "Detector Information Sequence",
            Self::ViewCode => "View Code Sequence",
            Self::ImageId => "Image ID",
            Self::PatientGantryRelationship => "Patient Gantry Relationship Code Sequence",
            Self::PixelData => "Pixel Data",
            Self::GeDatasetName => "GE Dataset Name",
            Self::GeDetectorNumber => "GE Detector Number",
            Self::GePictureName => "GE Picture Object Name",
        }
    }
}

impl fmt::Display for AttributeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tag(group, element) = self.tag();
        write!(f, "{} ({group:04X},{element:04X})", self.name())
    }
}
