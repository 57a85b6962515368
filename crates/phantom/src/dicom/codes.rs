//! Coded concepts (DICOM PS3.16) in both of their schemes.

use dicom_core::VR;
use dicom_dictionary_std::tags;

use super::attributes::Attributes;

/// A concept with its SNOMED CT code and the retired SRT code of the same concept.
#[derive(Debug)]
pub(crate) struct Concept {
    snomed_ct: &'static str,
    /// None where the retired scheme never had it.
    retired: Option<&'static str>,
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
pub(crate) const TECHNETIUM: Concept = concept("72454006", "C-163A8", "^99m^Technetium");
/// Iodine-131 (CID 18).
pub(crate) const IODINE: Concept = concept("1368003", "C-114B1", "^131^Iodine");
/// Indium-111 (CID 18).
pub(crate) const INDIUM: Concept = concept("56609000", "C-145A4", "^111^Indium");
/// Gallium-67 (CID 18).
pub(crate) const GALLIUM: Concept = concept("2008008", "C-131A2", "^67^Gallium");
/// HMDP (CID 25).
pub(crate) const OXIDRONATE: Concept =
    concept("53951001", "C-B1213", "Technetium Tc^99m^ oxidronate");
/// MDP (CID 25).
pub(crate) const MEDRONATE: Concept =
    concept("96390006", "C-B1218", "Technetium Tc^99m^ medronate");
/// PYP (CID 25).
pub(crate) const PYROPHOSPHATE: Concept = Concept {
    snomed_ct: "764821009",
    retired: None,
    meaning: "Technetium Tc^99m^ pyrophosphate",
};
/// Sestamibi (CID 25).
pub(crate) const SESTAMIBI: Concept =
    concept("424299003", "C-163AB", "Technetium Tc^99m^ sestamibi");
/// Iodide (CID 25).
pub(crate) const IODIDE: Concept = concept("111160004", "C-B1086", "Sodium iodide I^131^");
/// Pentetreotide (CID 25).
pub(crate) const PENTETREOTIDE: Concept =
    concept("446800006", "C-145AA", "Indium^111 Pentetreotide");
/// Gallium citrate (CID 25).
pub(crate) const GALLIUM_CITRATE: Concept = concept("73065000", "C-B1041", "Gallium^67^ citrate");

const fn concept(snomed_ct: &'static str, retired: &'static str, meaning: &'static str) -> Concept {
    Concept {
        snomed_ct,
        retired: Some(retired),
        meaning,
    }
}

impl Concept {
    /// An item of a code sequence, in today's scheme or in the retired one.
    pub(crate) fn item(&self, retired: bool) -> Attributes {
        let (value, scheme) = match self.retired {
            Some(old) if retired => (old, "SRT"),
            _ => (self.snomed_ct, "SCT"),
        };
        let mut item = Attributes::new();
        item.text(tags::CODE_VALUE, VR::SH, value)
            .text(tags::CODING_SCHEME_DESIGNATOR, VR::SH, scheme)
            .text(tags::CODE_MEANING, VR::LO, self.meaning);
        item
    }
}
