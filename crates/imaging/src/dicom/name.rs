use std::fmt;

use dicom_core::Tag;
use dicom_dictionary_std::tags;

/// An attribute that attrium reads: the standard's, or GE's under their private creator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the names are DICOM's own")]
pub enum AttributeName {
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
    QualityControlImage,
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
    /// The tag; of a private attribute where its block most often is.
    pub(crate) const fn tag(self) -> Tag {
        match self {
            Self::ImageType => tags::IMAGE_TYPE,
            Self::SopClassUid => tags::SOP_CLASS_UID,
            Self::Modality => tags::MODALITY,
            Self::CodeValue => tags::CODE_VALUE,
            Self::CodingSchemeDesignator => tags::CODING_SCHEME_DESIGNATOR,
            Self::CodeMeaning => tags::CODE_MEANING,
            Self::SeriesDescription => tags::SERIES_DESCRIPTION,
            Self::BodyPartExamined => tags::BODY_PART_EXAMINED,
            Self::PatientPosition => tags::PATIENT_POSITION,
            Self::StudyInstanceUid => tags::STUDY_INSTANCE_UID,
            Self::PatientOrientation => tags::PATIENT_ORIENTATION,
            Self::ImageOrientation => tags::IMAGE_ORIENTATION_PATIENT,
            Self::SamplesPerPixel => tags::SAMPLES_PER_PIXEL,
            Self::PhotometricInterpretation => tags::PHOTOMETRIC_INTERPRETATION,
            Self::NumberOfFrames => tags::NUMBER_OF_FRAMES,
            Self::Rows => tags::ROWS,
            Self::Columns => tags::COLUMNS,
            Self::PixelSpacing => tags::PIXEL_SPACING,
            Self::QualityControlImage => tags::QUALITY_CONTROL_IMAGE,
            Self::BitsAllocated => tags::BITS_ALLOCATED,
            Self::BitsStored => tags::BITS_STORED,
            Self::HighBit => tags::HIGH_BIT,
            Self::PixelRepresentation => tags::PIXEL_REPRESENTATION,
            Self::RescaleIntercept => tags::RESCALE_INTERCEPT,
            Self::RescaleSlope => tags::RESCALE_SLOPE,
            Self::LossyImageCompression => tags::LOSSY_IMAGE_COMPRESSION,
            Self::EnergyWindowVector => tags::ENERGY_WINDOW_VECTOR,
            Self::NumberOfEnergyWindows => tags::NUMBER_OF_ENERGY_WINDOWS,
            Self::EnergyWindowInformation => tags::ENERGY_WINDOW_INFORMATION_SEQUENCE,
            Self::EnergyWindowRange => tags::ENERGY_WINDOW_RANGE_SEQUENCE,
            Self::EnergyWindowLowerLimit => tags::ENERGY_WINDOW_LOWER_LIMIT,
            Self::EnergyWindowUpperLimit => tags::ENERGY_WINDOW_UPPER_LIMIT,
            Self::DetectorVector => tags::DETECTOR_VECTOR,
            Self::NumberOfDetectors => tags::NUMBER_OF_DETECTORS,
            Self::DetectorInformation => tags::DETECTOR_INFORMATION_SEQUENCE,
            Self::ViewCode => tags::VIEW_CODE_SEQUENCE,
            Self::ImageId => tags::IMAGE_ID,
            Self::PatientGantryRelationship => tags::PATIENT_GANTRY_RELATIONSHIP_CODE_SEQUENCE,
            Self::PixelData => tags::PIXEL_DATA,
            Self::GeDatasetName => Tag(0x0011, 0x1012),
            Self::GeDetectorNumber => Tag(0x0011, 0x1015),
            Self::GePictureName => Tag(0x0011, 0x1030),
        }
    }

    const fn name(self) -> &'static str {
        match self {
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
            Self::QualityControlImage => "Quality Control Image",
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
