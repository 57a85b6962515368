//! How the rows of a whole-body scan that show the patient are found.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr};

/// How the patient's extent is found on a whole-body scan (paper, "Preprocessing").
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
}
