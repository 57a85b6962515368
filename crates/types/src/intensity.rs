//! On which scale a network sees counts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr};

/// On which scale a network sees the counts of a crop.
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
pub enum Intensity {
    /// In units of the patient's own uptake, so that activity, delay, speed and scanner change noise alone.
    #[default]
    Normalized,
    /// The logarithm of every count that is not zero, to the letter of the paper.
    Paper,
}
