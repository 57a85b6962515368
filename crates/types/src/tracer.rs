//! Bone tracers that the heart takes up in ATTR amyloidosis.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr, VariantArray};

/// A bone tracer labelled with technetium-99m.
#[derive(
    Clone,
    Copy,
    Debug,
    Display,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "UPPERCASE")]
#[strum(serialize_all = "UPPERCASE")]
pub enum Tracer {
    /// Hydroxymethylene diphosphonate, also HDP: oxidronate.
    Hmdp,
    /// 3,3-diphosphono-1,2-propanedicarboxylic acid: butedronate.
    Dpd,
    /// Pyrophosphate.
    Pyp,
    /// Methylene diphosphonate: medronate. A heart with ATTR takes up far less of it: 1 positive in 3,446 scans
    /// where HMDP gave 15 in 3,472 (Cuscaden et al. 2020).
    Mdp,
}

impl Tracer {
    /// All of them.
    pub const ALL: &[Self] = Self::VARIANTS;
}
