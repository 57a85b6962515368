//! What was injected, by the names that sites give it and by the standard's codes.

use attrium_types::Tracer;

use super::dicom::{self, Concept};

/// The names that sites write into Radiopharmaceutical (0018,0031).
pub(super) fn names(tracer: Tracer) -> &'static [&'static str] {
    match tracer {
        Tracer::Hmdp => &[
            "99mTc-HMDP",
            "Tc99m HDP",
            "TC-99M OXIDRONATE",
            "Technescan HDP",
        ],
        Tracer::Dpd => &["99mTc-DPD", "Tc99m DPD", "Teceos"],
        Tracer::Pyp => &["99mTc-PYP", "Tc99m Pyrophosphate", "Technescan PYP"],
        Tracer::Mdp => &["99mTc-MDP", "Tc99m Medronate"],
    }
}

/// Its code (PS3.16, CID 25), which DPD lacks.
pub(super) fn concept(tracer: Tracer) -> Option<&'static Concept> {
    match tracer {
        Tracer::Hmdp => Some(&dicom::OXIDRONATE),
        Tracer::Dpd => None,
        Tracer::Pyp => Some(&dicom::PYROPHOSPHATE),
        Tracer::Mdp => Some(&dicom::MEDRONATE),
    }
}
