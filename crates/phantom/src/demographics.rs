//! The paper's patients in numbers ("Data"): who they are and why they were scanned.

use attrium_types::Grade;
use strum::{Display, VariantArray};

use super::random::Stream;

/// Patients of each Perugini grade, 0 to 3.
pub(crate) const GRADES: [f64; 4] = [991.0, 296.0, 23.0, 24.0];

/// Thoracic statics among the patients with suspected cardiac amyloidosis.
const STATICS_OF_SUSPECTED: f64 = 15.0 / 26.0;

/// Female patients beyond those with breast cancer (245 - 159), of all others but the men with
/// prostate cancer (81 + 55 + 26).
const FEMALE_OF_OTHERS: f64 = 86.0 / 162.0;

/// Share of scans with bone metastases. The paper does not give it; this is a usual share in a
/// population scanned for staging.
const METASTASES: f64 = 0.3;

/// A patient's sex, as DICOM Patient's Sex (0010,0040) has it.
#[derive(Clone, Copy, Debug, Display, PartialEq, Eq)]
pub enum Sex {
    /// Female.
    #[strum(serialize = "F")]
    Female,
    /// Male.
    #[strum(serialize = "M")]
    Male,
}

/// Why a patient was scanned.
#[derive(Clone, Copy, Debug, Display, PartialEq, Eq, VariantArray)]
pub enum Indication {
    /// Staging of a prostate cancer.
    #[strum(serialize = "prostate cancer")]
    ProstateCancer,
    /// Staging of a breast cancer.
    #[strum(serialize = "breast cancer")]
    BreastCancer,
    /// Staging of another cancer.
    #[strum(serialize = "other cancer")]
    OtherCancer,
    /// An orthopaedic or metabolic disease.
    #[strum(serialize = "orthopaedic or metabolic")]
    OrthopaedicOrMetabolic,
    /// Suspected cardiac amyloidosis.
    #[strum(serialize = "suspected cardiac amyloidosis")]
    SuspectedAmyloidosis,
}

impl Indication {
    /// Every indication, in the paper's order.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// Patients of each indication among those of grade 2 or 3, and among the others.
    const POSITIVE: [f64; 5] = [31.0, 3.0, 2.0, 0.0, 11.0];
    const NEGATIVE: [f64; 5] = [982.0, 156.0, 79.0, 55.0, 15.0];

    /// Draws an indication for a patient of this grade.
    pub(super) fn draw(grade: Grade, stream: &mut Stream) -> Self {
        let patients = if grade.value() >= 2 {
            &Self::POSITIVE
        } else {
            &Self::NEGATIVE
        };
        Self::ALL[stream.choose(patients)]
    }
}

/// What was acquired.
#[derive(Clone, Copy, Debug, Display, PartialEq, Eq)]
pub enum Protocol {
    /// Anterior and posterior sweeps over the whole body.
    #[strum(serialize = "whole-body")]
    WholeBody,
    /// Anterior and posterior images of the thorax.
    #[strum(serialize = "thoracic static")]
    ThoracicStatic,
}

/// Who a patient is; the body is drawn separately.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Person {
    /// Sex.
    pub sex: Sex,
    /// Age at the first scan in years, 40 to 99.
    pub age: u32,
    /// Why the patient was scanned.
    pub indication: Indication,
    /// What was acquired.
    pub protocol: Protocol,
    /// Whether the patient has bone metastases. Independent of everything else.
    pub metastases: bool,
}

impl Person {
    /// Draws a patient of this grade; only the indication depends on it.
    pub(super) fn draw(grade: Grade, stream: &mut Stream) -> Self {
        let indication = Indication::draw(grade, stream);
        let female = match indication {
            Indication::ProstateCancer => 0.0,
            Indication::BreastCancer => 1.0,
            _ => FEMALE_OF_OTHERS,
        };
        let sex = if stream.chance(female) {
            Sex::Female
        } else {
            Sex::Male
        };
        let age = stream.normal(77.0, 10.0).clamp(40.0, 99.0) as u32;
        let fixed = stream.chance(STATICS_OF_SUSPECTED);
        let protocol = if fixed && indication == Indication::SuspectedAmyloidosis {
            Protocol::ThoracicStatic
        } else {
            Protocol::WholeBody
        };
        Self {
            sex,
            age,
            indication,
            protocol,
            metastases: stream.chance(METASTASES),
        }
    }
}
