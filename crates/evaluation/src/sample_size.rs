//! How many studies it takes to show a share, such as a sensitivity, to be at least so large.
//!
//! A study shows it whose lower limit of Wilson's 95 % interval is not below it. Since what is found varies, a number of
//! studies is asked for with which that comes about with a stated probability, the assurance; the binomial distribution
//! has it exactly.

use serde::Serialize;
use snafu::{Snafu, ensure};

use super::beta::regularized_incomplete;
use super::interval::wilson;

/// The most studies that are planned.
pub const MOST_STUDIES: u64 = 1_000_000;

/// A share that is expected, and how large a study is to show it to be at least.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ShareDemand {
    /// What is expected, in (0, 1).
    pub expected: f64,
    /// The least lower limit, above 0 and below `expected`.
    pub lower: f64,
}

/// So many studies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ShareSize {
    /// Enough where what is found is just what is expected.
    pub as_expected: u64,
    /// Enough with the assurance; a greater number is enough too.
    pub assured: u64,
}

/// A plan that no study answers.
#[derive(Clone, Copy, Debug, PartialEq, Snafu)]
#[snafu(visibility(pub(super)))]
pub enum PlanError {
    /// A number outside its range.
    #[snafu(display("{name} is {value}: {range}"))]
    OutOfRange {
        /// What it is.
        name: &'static str,
        /// The number.
        value: f64,
        /// What it has to be.
        range: &'static str,
    },
    /// It takes more than [`MOST_STUDIES`].
    #[snafu(display(
        "it takes more than {MOST_STUDIES} studies to tell {expected} from {lower}: state a lower limit that is farther off"
    ))]
    TooMany {
        /// What is expected.
        expected: f64,
        /// What it is to be told from.
        lower: f64,
    },
}

/// Refuses what is not above 0 and below 1.
pub(super) fn ensure_part(name: &'static str, value: f64) -> Result<(), PlanError> {
    let range = "state a number above 0 and below 1";
    ensure!(
        value > 0.0 && value < 1.0,
        OutOfRangeSnafu { name, value, range }
    );
    Ok(())
}

impl ShareDemand {
    /// How many studies it takes with an assurance in (0, 1).
    ///
    /// # Errors
    /// [`PlanError`] of numbers out of their ranges, and where it takes more than [`MOST_STUDIES`].
    pub fn size(self, assurance: f64) -> Result<ShareSize, PlanError> {
        let Self { expected, lower } = self;
        ensure_part("the expected share", expected)?;
        ensure_part("the lower limit", lower)?;
        ensure_part("the assurance", assurance)?;
        ensure!(
            lower < expected,
            OutOfRangeSnafu {
                name: "the lower limit",
                value: lower,
                range: "state one below what is expected",
            }
        );
        let as_expected = least(1, MOST_STUDIES, |studies| {
            wilson(expected, studies as f64).low >= lower
        });
        let assured = as_expected.and_then(|_| self.assured(assurance));
        as_expected
            .zip(assured)
            .map(|(as_expected, assured)| ShareSize {
                as_expected,
                assured,
            })
            .ok_or(PlanError::TooMany { expected, lower })
    }

    /// The probability that so many studies show it.
    pub fn probability(self, studies: u64) -> f64 {
        let shows =
            |part: u64| wilson(part as f64 / studies as f64, studies as f64).low >= self.lower;
        least(0, studies, shows).map_or(0.0, |part| at_least(part, studies, self.expected))
    }

    /// The number from which on studies are enough. The probability grows with their number but for steps back, since
    /// no part of a study can be found; so it is looked for from above.
    fn assured(self, assurance: f64) -> Option<u64> {
        let is_enough = |studies: u64| self.probability(studies) >= assurance;
        let mut above = 8;
        while !(above..above + above / 8).all(is_enough) {
            above *= 2;
            if above > MOST_STUDIES {
                return None;
            }
        }
        let last = (1..above).rev().find(|&studies| !is_enough(studies));
        Some(last.unwrap_or_default() + 1)
    }
}

/// How many scans it takes to have so many positives among them with an assurance in (0, 1), where so large a share of
/// them is positive; in (0, 1), too.
pub fn scans_for(positives: u64, prevalence: f64, assurance: f64) -> Option<u64> {
    let most = 1000 * MOST_STUDIES;
    least(positives.max(1), most, |scans| {
        at_least(positives, scans, prevalence) >= assurance
    })
}

/// The probability of at least `part` events in `whole` independent ones of a probability each (NIST DLMF 8.17.5).
fn at_least(part: u64, whole: u64, probability: f64) -> f64 {
    if part == 0 {
        return 1.0;
    }
    regularized_incomplete(part as f64, (whole - part + 1) as f64, probability)
}

/// The least number from `from` to `to` for which something holds that holds for all greater ones, too.
pub(super) fn least(from: u64, to: u64, holds: impl Fn(u64) -> bool) -> Option<u64> {
    let (mut low, mut high) = (from, to);
    if !holds(high) {
        return None;
    }
    while low < high {
        let middle = low.midpoint(high);
        if holds(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Some(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WANTED: ShareDemand = ShareDemand {
        expected: 0.95,
        lower: 0.9,
    };

    #[test]
    fn what_is_found_as_expected_has_the_limit_and_one_study_less_has_not() {
        let size = WANTED.size(0.9).unwrap();
        let limit = |studies: u64| wilson(0.95, studies as f64).low;
        assert!(limit(size.as_expected) >= 0.9 && limit(size.as_expected - 1) < 0.9);
        assert!(size.assured > size.as_expected);
    }

    #[test]
    fn from_the_assured_number_on_every_study_is_enough() {
        for assurance in [0.5, 0.8, 0.9] {
            let assured = WANTED.size(assurance).unwrap().assured;
            assert!(WANTED.probability(assured - 1) < assurance);
            for studies in assured..2 * assured {
                assert!(WANTED.probability(studies) >= assurance, "{studies}");
            }
        }
    }

    #[test]
    fn a_limit_that_hardly_differs_is_refused_rather_than_counted_for_hours() {
        let near = ShareDemand {
            expected: 0.95,
            lower: 0.949_9,
        };
        let refused = near.size(0.9).unwrap_err().to_string();
        assert!(refused.contains("more than 1000000 studies"), "{refused}");
    }

    #[test]
    fn numbers_out_of_their_ranges_are_named() {
        for (expected, lower, assurance, name) in [
            (1.0, 0.9, 0.9, "the expected share is 1"),
            (f64::NAN, 0.9, 0.9, "the expected share is NaN"),
            (0.9, 0.0, 0.9, "the lower limit is 0"),
            (0.9, 0.95, 0.9, "the lower limit is 0.95"),
            (0.9, 0.9, 0.9, "the lower limit is 0.9"),
            (0.95, 0.9, 1.0, "the assurance is 1"),
        ] {
            let refused = ShareDemand { expected, lower }.size(assurance).unwrap_err();
            let sentence = refused.to_string();
            assert!(sentence.starts_with(name), "{sentence}");
        }
    }

    #[test]
    fn one_scan_in_a_hundred_takes_more_than_a_hundred_for_one_positive() {
        // 1 - 0.99^n >= 0.9.
        assert_eq!(scans_for(1, 0.01, 0.9), Some(230));
        assert_eq!(scans_for(0, 0.01, 0.9), Some(1));
    }
}
