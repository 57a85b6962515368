//! Which of a study's images is used where it has whole-body scans and static ones.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::Display;

/// Which of a study's images is used where it has whole-body scans and static ones of the thorax.
#[derive(
    Clone, Copy, Debug, Default, Display, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum PreferredAcquisition {
    /// The whole-body scan, as in the paper.
    #[default]
    WholeBody,
    /// The static image.
    Static,
}
