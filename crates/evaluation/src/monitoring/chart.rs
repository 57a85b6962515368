//! Control charts: sums that stay near zero as long as scans are as the reference, and grow once they are not (Page,
//! "Continuous inspection schemes", 1954; Hawkins and Olwell, "Cumulative sum charts and charting for quality
//! improvement", 1998).

use super::feature::{Direction, Feature};
use super::limit;
use super::reference::ReferenceShare;
use crate::interval::proportion;

/// What a chart tells.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Reading {
    /// The greatest that its sum has been.
    pub(super) statistic: f64,
    /// What it may be.
    pub(super) limit: f64,
    /// To which side that is.
    pub(super) direction: Direction,
    /// The row at which it was more.
    pub(super) first_alarm: Option<u64>,
}

/// The first time that a sum is beyond its limit.
#[derive(Clone, Copy, Debug)]
struct Alarm {
    row: u64,
    limit: f64,
    direction: Direction,
}

/// Whether scores lie above or below a reference, by two sums.
#[derive(Clone, Debug)]
pub(super) struct ShiftChart {
    sums: [f64; 2],
    greatest: [f64; 2],
    limit: f64,
    alarm: Option<Alarm>,
}

const SIDES: [Direction; 2] = [Direction::Lower, Direction::Higher];

impl ShiftChart {
    pub(super) const fn new() -> Self {
        Self {
            sums: [0.0; 2],
            greatest: [0.0; 2],
            limit: 0.0,
            alarm: None,
        }
    }

    /// Adds the normal score of a scan, with its allowance and the limit as it is now.
    pub(super) fn add(&mut self, score: f64, allowance: f64, limit: f64, row: u64) {
        self.limit = limit;
        for (side, sign) in [-1.0, 1.0].into_iter().enumerate() {
            let sum = (self.sums[side] + sign * score - allowance).max(0.0);
            self.sums[side] = sum;
            self.greatest[side] = sum.max(self.greatest[side]);
            if sum > limit && self.alarm.is_none() {
                self.alarm = Some(Alarm {
                    row,
                    limit,
                    direction: SIDES[side],
                });
            }
        }
    }

    pub(super) fn reading(&self) -> Reading {
        let side = match self.alarm {
            Some(alarm) => usize::from(alarm.direction == Direction::Higher),
            None => usize::from(self.greatest[1] > self.greatest[0]),
        };
        Reading {
            statistic: self.greatest[side],
            limit: self.alarm.map_or(self.limit, |alarm| alarm.limit),
            direction: SIDES[side],
            first_alarm: self.alarm.map(|alarm| alarm.row),
        }
    }
}

/// The odds of an event that a chart of shares is made to find, by those of the reference.
const ODDS: f64 = 3.0;

/// Whether a share is greater than in a reference: the sum of logarithms of likelihood ratios (Reynolds and Stoumbos,
/// "A CUSUM chart for monitoring a proportion when inspecting continuously", 1999).
///
/// The reference's share is taken to be the upper limit of its 95 % interval, and a share of three times its odds is
/// looked for.
#[derive(Clone, Debug)]
pub(super) struct ShareChart {
    /// What an event adds, and what its absence takes away.
    steps: [f64; 2],
    limit: f64,
    sum: f64,
    greatest: f64,
    first_alarm: Option<u64>,
}

impl ShareChart {
    /// A chart of a feature against its share of a reference; `None` where that is of nothing.
    pub(super) fn new(feature: Feature, reference: ReferenceShare) -> Option<Self> {
        let estimate = proportion(reference.part, reference.whole)?;
        // A share of all is no chart's: nothing is more.
        let usual = estimate.interval?.high.min(1.0 - 1e-9);
        let odds = ODDS * usual / (1.0 - usual);
        let unusual = odds / (1.0 + odds);
        Some(Self {
            steps: [
                ((1.0 - unusual) / (1.0 - usual)).ln(),
                (unusual / usual).ln(),
            ],
            limit: limit::of_likelihood(feature.false_alarms()),
            sum: 0.0,
            greatest: 0.0,
            first_alarm: None,
        })
    }

    pub(super) fn add(&mut self, is_event: bool, row: u64) {
        self.sum = (self.sum + self.steps[usize::from(is_event)]).max(0.0);
        self.greatest = self.sum.max(self.greatest);
        if self.sum > self.limit && self.first_alarm.is_none() {
            self.first_alarm = Some(row);
        }
    }

    pub(super) fn reading(&self) -> Reading {
        Reading {
            statistic: self.greatest,
            limit: self.limit,
            direction: Direction::Higher,
            first_alarm: self.first_alarm,
        }
    }
}
