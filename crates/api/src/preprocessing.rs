//! How DICOM objects become crops.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use attrium_types::{CropMode, LossyPolicy};

/// How DICOM objects become crops of 128 x 128 pixels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Preprocessing {
    /// How the patient's extent, and from it the crop, is found on a whole-body scan. Robust takes
    /// the rows whose profile exceeds a small share of its maximum, so that stray counts outside
    /// the body do not move the crop; Paper takes every non-zero row. Default: Robust.
    pub crop: CropMode,
    /// The number of tasks that share the objects; an object belongs to the shard of its key's
    /// hash. Default: 4. From 1 to 999.
    #[schemars(range(min = 1, max = 999))]
    pub shards: u32,
    /// What becomes of images that went through lossy compression: Quarantine sets them aside
    /// with their reason, Accept uses them with a warning. Default: Quarantine.
    pub lossy: LossyPolicy,
}

impl Default for Preprocessing {
    fn default() -> Self {
        Self {
            crop: CropMode::default(),
            shards: default_shards(),
            lossy: LossyPolicy::default(),
        }
    }
}

/// The number of shards where a manifest does not say.
pub(super) const fn default_shards() -> u32 {
    4
}
