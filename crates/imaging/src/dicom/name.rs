//! The attributes that attrium reads, by their tags and by their names in the standard.

use std::fmt;

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use strum::IntoStaticStr;

/// An attribute that attrium reads: the standard's, or GE's under their private creator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, IntoStaticStr)]
#[strum(serialize_all = "title_case")]
#[non_exhaustive]
#[allow(missing_docs, reason = "the names are DICOM's own")]
pub enum AttributeName {
    ImageType,
    #[strum(serialize = "SOP Class UID")]
    SopClassUid,
    Modality,
    CodeValue,
    CodingSchemeDesignator,
    CodeMeaning,
    SeriesDescription,
    ProtocolName,
    #[strum(serialize = "Manufacturer's Model Name")]
    ManufacturerModelName,
    AcquisitionDate,
    AcquisitionTime,
    #[strum(serialize = "Acquisition DateTime")]
    AcquisitionDateTime,
    #[strum(serialize = "Radiopharmaceutical Information Sequence")]
    RadiopharmaceuticalInformation,
    Radiopharmaceutical,
    #[strum(serialize = "Radiopharmaceutical Code Sequence")]
    RadiopharmaceuticalCode,
    #[strum(serialize = "Radionuclide Code Sequence")]
    RadionuclideCode,
    RadiopharmaceuticalStartTime,
    #[strum(serialize = "Radiopharmaceutical Start DateTime")]
    RadiopharmaceuticalStartDateTime,
    BodyPartExamined,
    CountsAccumulated,
    PatientPosition,
    #[strum(serialize = "Accession Number")]
    AccessionNumber,
    #[strum(serialize = "Patient's Name")]
    PatientName,
    #[strum(serialize = "Patient ID")]
    PatientId,
    #[strum(serialize = "Patient's Birth Date")]
    PatientBirthDate,
    #[strum(serialize = "Study Instance UID")]
    StudyInstanceUid,
    PatientOrientation,
    #[strum(serialize = "Image Orientation (Patient)")]
    ImageOrientation,
    #[strum(serialize = "Samples per Pixel")]
    SamplesPerPixel,
    PhotometricInterpretation,
    #[strum(serialize = "Number of Frames")]
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
    PixelPaddingValue,
    PixelPaddingRangeLimit,
    LossyImageCompression,
    EnergyWindowVector,
    #[strum(serialize = "Number of Energy Windows")]
    NumberOfEnergyWindows,
    #[strum(serialize = "Energy Window Information Sequence")]
    EnergyWindowInformation,
    #[strum(serialize = "Energy Window Range Sequence")]
    EnergyWindowRange,
    EnergyWindowLowerLimit,
    EnergyWindowUpperLimit,
    DetectorVector,
    #[strum(serialize = "Number of Detectors")]
    NumberOfDetectors,
    #[strum(serialize = "Detector Information Sequence")]
    DetectorInformation,
    #[strum(serialize = "View Code Sequence")]
    ViewCode,
    #[strum(serialize = "Image ID")]
    ImageId,
    #[strum(serialize = "Patient Gantry Relationship Code Sequence")]
    PatientGantryRelationship,
    #[strum(serialize = "Patient Orientation Code Sequence")]
    PatientOrientationCode,
    #[strum(serialize = "Patient Orientation Modifier Code Sequence")]
    PatientOrientationModifier,
    PixelData,
    FloatPixelData,
    DoubleFloatPixelData,
    #[strum(serialize = "GE Dataset Name")]
    GeDatasetName,
    #[strum(serialize = "GE Detector Number")]
    GeDetectorNumber,
    #[strum(serialize = "GE Picture Object Name")]
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
            Self::ProtocolName => tags::PROTOCOL_NAME,
            Self::ManufacturerModelName => tags::MANUFACTURER_MODEL_NAME,
            Self::AcquisitionDate => tags::ACQUISITION_DATE,
            Self::AcquisitionTime => tags::ACQUISITION_TIME,
            Self::AcquisitionDateTime => tags::ACQUISITION_DATE_TIME,
            Self::RadiopharmaceuticalInformation => tags::RADIOPHARMACEUTICAL_INFORMATION_SEQUENCE,
            Self::Radiopharmaceutical => tags::RADIOPHARMACEUTICAL,
            Self::RadiopharmaceuticalCode => tags::RADIOPHARMACEUTICAL_CODE_SEQUENCE,
            Self::RadionuclideCode => tags::RADIONUCLIDE_CODE_SEQUENCE,
            Self::RadiopharmaceuticalStartTime => tags::RADIOPHARMACEUTICAL_START_TIME,
            Self::RadiopharmaceuticalStartDateTime => tags::RADIOPHARMACEUTICAL_START_DATE_TIME,
            Self::CountsAccumulated => tags::COUNTS_ACCUMULATED,
            Self::BodyPartExamined => tags::BODY_PART_EXAMINED,
            Self::PatientPosition => tags::PATIENT_POSITION,
            Self::AccessionNumber => tags::ACCESSION_NUMBER,
            Self::PatientName => tags::PATIENT_NAME,
            Self::PatientId => tags::PATIENT_ID,
            Self::PatientBirthDate => tags::PATIENT_BIRTH_DATE,
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
            Self::PixelPaddingRangeLimit => tags::PIXEL_PADDING_RANGE_LIMIT,
            Self::PixelPaddingValue => tags::PIXEL_PADDING_VALUE,
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
            Self::PatientOrientationModifier => tags::PATIENT_ORIENTATION_MODIFIER_CODE_SEQUENCE,
            Self::PatientOrientationCode => tags::PATIENT_ORIENTATION_CODE_SEQUENCE,
            Self::PatientGantryRelationship => tags::PATIENT_GANTRY_RELATIONSHIP_CODE_SEQUENCE,
            Self::DoubleFloatPixelData => tags::DOUBLE_FLOAT_PIXEL_DATA,
            Self::FloatPixelData => tags::FLOAT_PIXEL_DATA,
            Self::PixelData => tags::PIXEL_DATA,
            Self::GeDatasetName => Tag(0x0011, 0x1012),
            Self::GeDetectorNumber => Tag(0x0011, 0x1015),
            Self::GePictureName => Tag(0x0011, 0x1030),
        }
    }
}

impl fmt::Display for AttributeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tag(group, element) = self.tag();
        let name: &str = self.into();
        write!(f, "{name} ({group:04X},{element:04X})")
    }
}
