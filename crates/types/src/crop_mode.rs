//! Which part of a scan a network sees.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr};

/// Which part of a scan a network sees: the thorax (paper, "Preprocessing") or the heart.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    Display,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    EnumString,
    IntoStaticStr,
)]
pub enum CropMode {
    /// Rows whose profile exceeds a small share of its maximum, small gaps closed: stray counts do not move the crop.
    #[default]
    Robust,
    /// Every non-zero row, to the letter of the paper.
    Paper,
    /// What lies around the heart, where it is found on the `Robust` crop: as much of every patient, in millimetres.
    Heart,
}
