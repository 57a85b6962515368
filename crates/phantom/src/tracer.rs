//! What was injected, by the names that sites give it and by the standard's codes.

use strum::{Display, VariantArray};

use super::dicom::Concept;

/// A radiopharmaceutical labelled with 99mTc that bone takes up.
#[derive(Clone, Copy, Debug, Default, Display, PartialEq, Eq, VariantArray)]
#[strum(serialize_all = "UPPERCASE")]
pub enum Tracer {
    /// Oxidronate, HMDP or HDP: the paper's.
    #[default]
    Hmdp,
    /// 3,3-diphosphono-1,2-propanodicarboxylic acid.
    Dpd,
    /// Pyrophosphate.
    Pyp,
    /// Medronate.
    Mdp,
}

impl Tracer {
    /// Every tracer.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The names that sites write into Radiopharmaceutical (0018,0031).
    pub fn names(self) -> &'static [&'static str] {
        match self {
            Self::Hmdp => &[
                "99mTc-HMDP",
                "Tc99m HDP",
                "TC-99M OXIDRONATE",
                "Technescan HDP",
            ],
            Self::Dpd => &["99mTc-DPD", "Tc99m DPD", "Teceos"],
            Self::Pyp => &["99mTc-PYP", "Tc99m Pyrophosphate", "Technescan PYP"],
            Self::Mdp => &["99mTc-MDP", "Tc99m Medronate"],
        }
    }

    /// Its code (PS3.16, CID 25), which DPD lacks.
    pub(super) fn concept(self) -> Option<&'static Concept> {
        match self {
            Self::Hmdp => Some(&super::dicom::OXIDRONATE),
            Self::Dpd => None,
            Self::Pyp => Some(&super::dicom::PYROPHOSPHATE),
            Self::Mdp => Some(&super::dicom::MEDRONATE),
        }
    }
}
