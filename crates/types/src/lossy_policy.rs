//! What becomes of images that went through lossy compression.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::Display;

/// What becomes of an image that went through lossy compression.
#[derive(
    Clone, Copy, Debug, Default, Display, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum LossyPolicy {
    /// It is set aside with its reason.
    #[default]
    Quarantine,
    /// It is used, with a warning.
    Accept,
}
