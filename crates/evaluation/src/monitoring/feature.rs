//! What is watched.

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr};

/// What is watched of scans.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Display,
    EnumString,
    IntoStaticStr,
    Serialize,
    Deserialize,
)]
#[strum(serialize_all = "kebab-case")]
#[serde(rename_all = "kebab-case")]
pub enum Feature {
    /// The counts of the crop, which is what a decision is made on.
    Counts,
    /// The heart-to-contralateral ratio, among scans whose ratio is as negatives have it.
    Ratio,
    /// The log odds of a positive, among scans that score as negatives do.
    Score,
    /// The share of scans with a warning.
    Warnings,
    /// The share of objects that are set aside.
    SetAside,
    /// The scanners, and how many scans are of each.
    Scanner,
}

impl Feature {
    /// Those whose values are compared with a distribution.
    pub const VALUES: [Self; 3] = [Self::Counts, Self::Ratio, Self::Score];
    /// Those that may be outside of a reference.
    pub const CHARTED: [Self; 5] = [
        Self::Counts,
        Self::Ratio,
        Self::Score,
        Self::Warnings,
        Self::SetAside,
    ];

    /// What it is in a sentence.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Counts => "counts",
            Self::Ratio => "heart-to-contralateral ratio",
            Self::Score => "score",
            Self::Warnings => "share with a warning",
            Self::SetAside => "share set aside",
            Self::Scanner => "scanners",
        }
    }

    /// By how many standard deviations of the reference scans may lie off before a chart begins to count it, against a
    /// reference that is known as well as by so many studies: its standard error, and more.
    ///
    /// For counts the rest is a third of what a quarter of them comes to. Score and ratio have more: a few of what is
    /// among the negatives' are positives, as many as the prevalence has it, and a reference has the scores of the
    /// networks of single folds.
    pub(super) fn allowance(self, reference: f64) -> f64 {
        let least = match self {
            Self::Counts => 0.2,
            _ => 0.45,
        };
        least + 1.0 / reference.sqrt()
    }

    /// The probability that a side of its chart raises an alarm within [`HORIZON`](super::HORIZON) scans that are as the
    /// reference.
    ///
    /// Counts, ratio and score have two sides, warnings and what is set aside one, and but for the last each chart is
    /// there of all scans and by scanner: together four tenths of an alarm in 2,000 scans (`examples/monitor.rs` counts
    /// them). Counts have most of it, since they are what the image rests on.
    pub(super) const fn false_alarms(self) -> f64 {
        match self {
            Self::Counts => 0.06,
            _ => 0.015,
        }
    }
}

/// To which side something is off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Display, IntoStaticStr, Serialize, Deserialize)]
#[strum(serialize_all = "kebab-case")]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Below the reference.
    Lower,
    /// Above it.
    Higher,
}
