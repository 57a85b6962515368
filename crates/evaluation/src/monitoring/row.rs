//! What is told of each feature of a job.

use serde::{Deserialize, Serialize};
use strum::{Display, IntoStaticStr};

use super::feature::{Direction, Feature};

/// How many parts of a reference a job's scans are counted in.
pub const TENTHS: usize = 10;

/// How a feature of a job stands to its reference.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, Display, IntoStaticStr, Serialize, Deserialize,
)]
#[strum(serialize_all = "kebab-case")]
#[serde(rename_all = "kebab-case")]
pub enum MonitorState {
    /// Its chart has raised no alarm.
    Within,
    /// It has.
    Outside,
    /// There are too few scans.
    TooFew,
    /// The reference or the job does not tell.
    NotKnown,
    /// The reference has no scan of this scanner.
    NewScanner,
    /// The scans are of the scanners in other shares, which is no alarm: each is compared with its own.
    OtherMix,
}

/// What a row's scans are compared with.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, Display, IntoStaticStr, Serialize, Deserialize,
)]
#[strum(serialize_all = "kebab-case")]
#[serde(rename_all = "kebab-case")]
pub enum ComparedWith {
    /// The studies of their own scanner.
    OwnScanner,
    /// All studies, since there are too few of theirs.
    AllScanners,
    /// Each scan with those of its own scanner where there are enough, else with all.
    EachItsOwn,
}

/// A feature of a job beside its reference, of all scans or of one scanner.
#[derive(Clone, Debug, PartialEq)]
pub struct MonitorRow {
    /// What is watched.
    pub feature: Feature,
    /// The scanner; `None` of all scans.
    pub scanner: Option<String>,
    /// What the scans are compared with.
    pub compared_with: ComparedWith,
    /// Of how many studies the reference is.
    pub reference_studies: Option<u64>,
    /// Their mean, of counts the geometric one; or their share.
    pub reference_location: Option<f64>,
    /// Their standard deviation, of counts that of natural logarithms; none of a share.
    pub reference_spread: Option<f64>,
    /// How many scans of the job were looked at; of what is set aside, how many objects.
    pub scans: u64,
    /// The same of these.
    pub location: Option<f64>,
    /// The same of these.
    pub spread: Option<f64>,
    /// The greatest that the chart's sum has been.
    pub statistic: Option<f64>,
    /// What it may be.
    pub limit: Option<f64>,
    /// To which side that is.
    pub direction: Option<Direction>,
    /// The row of the job's table at which it was more.
    pub first_alarm: Option<u64>,
    /// What that comes to.
    pub state: MonitorState,
    /// How many of the scans lie in each tenth of the reference; empty of a share.
    pub tenths: Vec<u64>,
}

/// A job beside its model's reference.
#[derive(Clone, Debug, PartialEq)]
pub struct Monitoring {
    /// How many studies the reference has.
    pub reference_studies: u64,
    /// Whether reference or job has phantoms.
    pub synthetic: bool,
    /// How many scans were given a decision.
    pub scans: u64,
    /// A row for each feature of all scans, then of each scanner.
    pub rows: Vec<MonitorRow>,
}

impl Monitoring {
    /// What all rows come to: outside where any is, else how the counts of all scans stand, without which nothing is
    /// known of the images.
    pub fn state(&self) -> MonitorState {
        if self.outside().next().is_some() {
            return MonitorState::Outside;
        }
        let is_of_counts =
            |row: &&MonitorRow| row.feature == Feature::Counts && row.scanner.is_none();
        let counts = self.rows.iter().find(is_of_counts);
        counts.map_or(MonitorState::NotKnown, |row| row.state)
    }

    /// The rows that are outside of the reference.
    pub fn outside(&self) -> impl Iterator<Item = &MonitorRow> {
        let rows = self.rows.iter();
        rows.filter(|row| row.state == MonitorState::Outside)
    }

    /// The scanners that the reference lacks.
    pub fn new_scanners(&self) -> impl Iterator<Item = &MonitorRow> {
        let rows = self.rows.iter();
        rows.filter(|row| row.state == MonitorState::NewScanner)
    }
}
