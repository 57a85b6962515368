//! Coded concepts (DICOM PS3.16) in both of their schemes.

use dicom_core::VR;
use dicom_dictionary_std::tags;

use super::attributes::Attributes;

/// A concept with its SNOMED CT code and the retired SRT code of the same concept.
pub(super) struct Concept {
    snomed_ct: &'static str,
    retired: &'static str,
    meaning: &'static str,
}

/// Anterior projection (CID 26).
pub(super) const ANTERIOR: Concept = concept("399321004", "G-5215", "Anterior projection");
/// Posterior projection (CID 26).
pub(super) const POSTERIOR: Concept = concept("399001007", "G-5216", "Posterior projection");
/// Recumbent (CID 19).
pub(super) const RECUMBENT: Concept = concept("102538003", "F-10450", "recumbent");
/// Supine (CID 20).
pub(super) const SUPINE: Concept = concept("40199007", "F-10340", "supine");
/// Head first (CID 21).
pub(super) const HEAD_FIRST: Concept = concept("102540008", "F-10470", "headfirst");
/// Technetium-99m (CID 18).
pub(super) const TECHNETIUM: Concept = concept("72454009", "C-163A8", "^99m^Technetium");

const fn concept(snomed_ct: &'static str, retired: &'static str, meaning: &'static str) -> Concept {
    Concept {
        snomed_ct,
        retired,
        meaning,
    }
}

impl Concept {
    /// An item of a code sequence, in today's scheme or in the retired one.
    pub(super) fn item(&self, retired: bool) -> Attributes {
        let (value, scheme) = if retired {
            (self.retired, "SRT")
        } else {
            (self.snomed_ct, "SCT")
        };
        let mut item = Attributes::new();
        item.text(tags::CODE_VALUE, VR::SH, value)
            .text(tags::CODING_SCHEME_DESIGNATOR, VR::SH, scheme)
            .text(tags::CODE_MEANING, VR::LO, self.meaning);
        item
    }
}
