//! What a threshold will find of new positives that is itself the score of one of the positives: the k-th highest of n.
//!
//! Whatever distribution the scores have, so long as it is continuous, a new positive reaches the k-th highest of n
//! scores with a probability that has the beta distribution of k and n + 1 - k (Wilks, Ann Math Stat 1941; 12:91). Its
//! quantiles are the interval, and its mean, k / (n + 1), is less than the k / n that the threshold finds of the
//! positives it was chosen on.
//!
//! Positives that share the threshold's score show that scores are not continuous. More positives reach it than were
//! asked for, and the probability is at least what it were without ties (Scheffe and Tukey, Ann Math Stat 1945;
//! 16:187): lower limit and mean stay those of the place that was asked for, and are lower bounds. As upper limit stands
//! that of Clopper and Pearson for all the positives that reach it, which no ties break.
//!
//! Where patients have several positives, effective numbers stand for k and n (`share.rs`), which is no longer exact.

use super::beta;
use super::interval::Interval;
use super::share::Share;

/// A threshold at the score of one of the positives.
#[derive(Clone, Copy, Debug)]
pub(super) struct OrderStatistic {
    /// The positives, and how many reach the threshold.
    pub(super) share: Share,
    /// The place that was asked for, from the highest score, 1, on; at most the number that reaches the threshold.
    pub(super) place: u64,
    /// Whether several positives have the threshold's score.
    pub(super) tied: bool,
}

/// The least number of `positives` that makes a sensitivity of at least `target`, in (0, 1].
pub(super) fn place(target: f64, positives: u64) -> u64 {
    // The product may be off by a rounding; the quotient is what a sensitivity is.
    let reaches = |place: &u64| *place as f64 / positives as f64 >= target;
    let about = (target * positives as f64) as u64;
    let first = about.saturating_sub(1).max(1)..=positives;
    first.into_iter().find(reaches).unwrap_or(positives)
}

impl OrderStatistic {
    /// The 95 % interval of the probability that a new positive reaches the threshold.
    pub(super) fn interval(&self) -> Interval {
        let (share, place) = (&self.share, self.share.scaled(self.place));
        let n = share.effective;
        let high = match self.tied {
            false => beta::quantile(0.975, place, n + 1.0 - place),
            true if share.part == share.whole => 1.0,
            true => {
                let reached = share.scaled(share.part);
                beta::quantile(0.975, reached + 1.0, n - reached)
            }
        };
        Interval {
            low: beta::quantile(0.025, place, n + 1.0 - place),
            high,
        }
    }

    /// The mean of that probability.
    pub(super) fn expected(&self) -> f64 {
        self.share.scaled(self.place) / (self.share.effective + 1.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(reached: usize, positives: usize, place: u64, tied: bool) -> OrderStatistic {
        OrderStatistic {
            share: Share::new((0..positives).map(|positive| (positive, positive < reached))),
            place,
            tied,
        }
    }

    #[test]
    fn the_lowest_of_47_positives_will_miss_one_new_positive_in_48() {
        let lowest = of(47, 47, 47, false);
        assert_eq!(lowest.expected(), 47.0 / 48.0);
        let interval = lowest.interval();
        assert!((interval.low - 0.025_f64.powf(1.0 / 47.0)).abs() < 1e-14);
        assert!((interval.high - 0.975_f64.powf(1.0 / 47.0)).abs() < 1e-14);
    }

    #[test]
    fn ties_widen_the_interval_upwards_alone() {
        let (alone, tied) = (of(43, 47, 43, false), of(44, 47, 43, true));
        assert_eq!(tied.expected(), alone.expected());
        let (alone, tied) = (alone.interval(), tied.interval());
        assert_eq!(tied.low, alone.low);
        assert!(tied.high > alone.high);
        assert_eq!(of(47, 47, 43, true).interval().high, 1.0);
    }

    #[test]
    fn two_positives_of_each_patient_that_agree_count_once() {
        let twice = (0..24).flat_map(|patient| [(patient, true); 2]);
        let lowest = OrderStatistic {
            share: Share::new(twice),
            place: 48,
            tied: false,
        };
        assert_eq!(lowest.expected(), 24.0 / 25.0);
        let low = lowest.interval().low;
        assert!((low - 0.025_f64.powf(1.0 / 24.0)).abs() < 1e-14);
    }

    proptest! {
        #[test]
        fn a_place_is_the_first_that_reaches_its_target(target in 0.01f64..=1.0, positives in 1u64..3000) {
            let found = place(target, positives);
            prop_assert!(found >= 1 && found <= positives);
            prop_assert!(found as f64 / positives as f64 >= target);
            prop_assert!(found == 1 || ((found - 1) as f64 / (positives as f64)) < target);
        }

        #[test]
        fn the_mean_lies_within_the_interval(positives in 1usize..400, place in 0usize..400) {
            let place = place % positives + 1;
            let found = of(place, positives, place as u64, false);
            let Interval { low, high } = found.interval();
            prop_assert!(0.0 < low && low < found.expected() && found.expected() < high && high < 1.0);
        }
    }
}
