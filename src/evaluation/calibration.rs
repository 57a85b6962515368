//! How far probabilities can be taken at their word: Brier score and expected calibration error.

use serde::{Deserialize, Serialize};

/// The number of bins of equal width between 0 and 1: [0, 0.1), [0.1, 0.2), ..., [0.9, 1].
pub const CALIBRATION_BINS: usize = 10;

/// The studies whose probability falls into one bin; an empty bin is left out.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CalibrationBin {
    /// The lower edge, which belongs to the bin.
    pub low: f64,
    /// The upper edge, which belongs to the next bin (1 belongs to the last).
    pub high: f64,
    /// The number of studies; at least 1.
    pub studies: u64,
    /// The mean of their probabilities.
    pub mean_probability: f64,
    /// The share of them that is truly positive.
    pub observed: f64,
    /// Wilson's interval of that share.
    pub observed_interval: super::Interval,
}
