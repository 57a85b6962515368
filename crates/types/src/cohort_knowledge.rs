//! Whether it is known what a model was trained on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether it is known on which scans a model was trained. Only where it is, finding none of them means that there
/// is none.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum CohortKnowledge {
    /// Its bundle keeps digests of all.
    Known,
    /// Its bundle keeps digests of what it was trained on itself; it started from one that keeps none.
    PartlyKnown,
    /// Its bundle keeps none.
    #[default]
    Unknown,
}
