//! How DICOM objects become crops.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use attrium_types::{CropMode, Intensity, LossyPolicy, PreferredAcquisition, Tracer};

/// How DICOM objects become crops of 128 x 128 pixels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Preprocessing {
    /// How the patient's extent, and from it the crop, is found on a whole-body scan. Robust takes
    /// the rows whose profile exceeds a small share of its maximum, so that stray counts outside
    /// the body do not move the crop; Paper takes every non-zero row.
    /// Heart takes 192 mm x 192 mm around the heart that is found on the Robust crop. Default: Robust.
    pub crop: CropMode,
    /// The scale on which a network sees counts. Normalized divides them by the patient's own uptake in
    /// the crop, so that a scan of half the counts is the same scan with more noise; Paper takes the
    /// logarithm of every count that is not zero, which the activity, the delay, the speed and the scanner
    /// move. Default: Normalized.
    pub intensity: Intensity,
    /// The number of tasks that share the objects; an object belongs to the shard of its key's
    /// hash. Default: 4. From 1 to 999.
    #[schemars(range(min = 1, max = 999))]
    pub shards: u32,
    /// The bone tracers whose scans are used: HMDP (also called HDP), DPD, PYP, MDP. A heart with ATTR takes up
    /// far less of MDP, so that its scans have a warning. A scan of another tracer, one that this list leaves
    /// out or an early image is set aside; one that does not say has a warning. Default: all four. At least 1.
    #[schemars(length(min = 1, max = 4))]
    pub tracers: Vec<Tracer>,
    /// Which image is used of a study that has whole-body scans and static ones: WholeBody, Static. What is
    /// derived from another image, has a view that is guessed or is of an earlier phase gives way before that.
    /// Default: WholeBody.
    pub prefer: PreferredAcquisition,
    /// What becomes of images that went through lossy compression: Quarantine sets them aside
    /// with their reason, Accept uses them with a warning. Default: Quarantine.
    pub lossy: LossyPolicy,
}

impl Default for Preprocessing {
    fn default() -> Self {
        Self {
            crop: CropMode::default(),
            intensity: Intensity::default(),
            shards: default_shards(),
            tracers: default_tracers(),
            prefer: PreferredAcquisition::default(),
            lossy: LossyPolicy::default(),
        }
    }
}

/// The number of shards where a manifest does not say.
pub(super) const fn default_shards() -> u32 {
    4
}

/// The tracers where a manifest does not say.
pub(super) fn default_tracers() -> Vec<Tracer> {
    Tracer::ALL.to_vec()
}
