//! Coded concepts of a report (PS3.16).

use dicom_core::VR;
use dicom_dictionary_std::tags;

use super::element::DataSet;

/// The designator of the codes that no public scheme has (PS3.16, 8).
pub(crate) const PRIVATE_SCHEME: &str = "99ATTRIUM";

/// A concept: value, scheme and meaning (PS3.3, 8.8).
#[derive(Clone, Copy)]
pub(crate) struct Code(&'static str, &'static str, &'static str);

impl Code {
    /// The item of a code sequence.
    pub(crate) fn item(self) -> DataSet {
        let Self(value, scheme, meaning) = self;
        DataSet::new()
            .text(tags::CODE_VALUE, VR::SH, value)
            .text(tags::CODING_SCHEME_DESIGNATOR, VR::SH, scheme)
            .text(tags::CODE_MEANING, VR::LO, meaning)
    }
}

const fn dcm(value: &'static str, meaning: &'static str) -> Code {
    Code(value, "DCM", meaning)
}

const fn sct(value: &'static str, meaning: &'static str) -> Code {
    Code(value, "SCT", meaning)
}

const fn private(value: &'static str, meaning: &'static str) -> Code {
    Code(value, PRIVATE_SCHEME, meaning)
}

// TID 1500, 1204 and 1501: the report and its parts.
pub(crate) const REPORT: Code = dcm("126000", "Imaging Measurement Report");
pub(crate) const LANGUAGE: Code = dcm("121049", "Language of Content Item and Descendants");
pub(crate) const ENGLISH: Code = Code("en", "RFC5646", "English");
pub(crate) const PROCEDURE_REPORTED: Code = dcm("121058", "Procedure reported");
pub(crate) const BONE_SCAN: Code = sct("41747008", "Bone imaging, whole body");
pub(crate) const MEASUREMENTS: Code = dcm("126010", "Imaging Measurements");
pub(crate) const GROUP: Code = dcm("125007", "Measurement Group");
pub(crate) const EVALUATIONS: Code = Code("C0034375", "UMLS", "Qualitative Evaluations");
pub(crate) const COMMENT: Code = dcm("121106", "Comment");

// TID 1002 and 1004: the observer.
pub(crate) const OBSERVER_TYPE: Code = dcm("121005", "Observer Type");
pub(crate) const DEVICE: Code = dcm("121007", "Device");
pub(crate) const DEVICE_UID: Code = dcm("121012", "Device Observer UID");
pub(crate) const DEVICE_NAME: Code = dcm("121013", "Device Observer Name");
pub(crate) const DEVICE_MANUFACTURER: Code = dcm("121014", "Device Observer Manufacturer");
pub(crate) const DEVICE_MODEL: Code = dcm("121015", "Device Observer Model Name");
pub(crate) const DEVICE_SERIAL_NUMBER: Code = dcm("121016", "Device Observer Serial Number");

// TID 1410: what was seen, and where.
pub(crate) const TRACKING_IDENTIFIER: Code = dcm("112039", "Tracking Identifier");
pub(crate) const TRACKING_UID: Code = dcm("112040", "Tracking Unique Identifier");
pub(crate) const FINDING: Code = dcm("121071", "Finding");
pub(crate) const FINDING_SITE: Code = sct("363698007", "Finding Site");
pub(crate) const HEART: Code = sct("80891009", "Heart");
pub(crate) const IMAGE_REGION: Code = dcm("111030", "Image Region");
pub(crate) const SUSPECTED: Code = private("suspected", "Suspected cardiac amyloidosis");
pub(crate) const NOT_SUSPECTED: Code =
    private("not-suspected", "No suspicion of cardiac amyloidosis");
pub(crate) const SUSPICION: Code = private("suspicion", "Suspicion of cardiac amyloidosis");
pub(crate) const YES: Code = sct("373066001", "Yes");
pub(crate) const NO: Code = sct("373067005", "No");

// TID 1419 and 4019: numbers, and what computed them.
pub(crate) const CERTAINTY: Code = dcm("111012", "Certainty of Finding");
pub(crate) const PROBABILITY: Code = private("probability", "Probability of cardiac amyloidosis");
pub(crate) const THRESHOLD: Code = private("threshold", "Least probability that is positive");
pub(crate) const CONTRALATERAL_RATIO: Code = private("h-cl", "Heart to contralateral ratio");
pub(crate) const PERCENT: Code = Code("%", "UCUM", "percent");
pub(crate) const RATIO: Code = Code("{ratio}", "UCUM", "ratio");
pub(crate) const ALGORITHM_NAME: Code = dcm("111001", "Algorithm Name");
pub(crate) const ALGORITHM_PARAMETERS: Code = dcm("111002", "Algorithm Parameters");
pub(crate) const ALGORITHM_VERSION: Code = dcm("111003", "Algorithm Version");

// CID 7202: what a source image was for.
pub(crate) const SOURCE_IMAGE: Code = dcm("121322", "Source image for image processing operation");
