//! Estimates and their confidence intervals; Wilson's interval of a proportion.

use serde::{Deserialize, Serialize};

/// The confidence level of every interval here.
pub const CONFIDENCE_LEVEL: f64 = 0.95;

/// The standard normal quantile that belongs to [`CONFIDENCE_LEVEL`], two-sided.
pub(super) const Z: f64 = 1.959963984540054;

/// A two-sided 95 % confidence interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Interval {
    /// The lower limit.
    pub low: f64,
    /// The upper limit.
    pub high: f64,
}

/// A number computed from a cohort, and how far chance may have moved it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The number itself; never NaN.
    pub value: f64,
    /// Its 95 % interval; `None` where the method gives none.
    pub interval: Option<Interval>,
}

/// The share `part / whole` with Wilson's score interval (Wilson 1927, without continuity
/// correction); `None` when `whole` is 0.
pub fn proportion(part: u64, whole: u64) -> Option<Estimate> {
    let value = part as f64 / whole as f64;
    (whole > 0).then(|| Estimate {
        value,
        interval: Some(wilson(value, whole as f64)),
    })
}

/// Wilson's score interval of a share of `n` independent studies, which need not be a whole number.
pub(super) fn wilson(value: f64, n: f64) -> Interval {
    let center = value + Z * Z / (2.0 * n);
    let margin = Z * (value * (1.0 - value) / n + Z * Z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + Z * Z / n;
    // At the ends the formula gives the end itself, but for rounding.
    let low = if value == 0.0 {
        0.0
    } else {
        (center - margin) / scale
    };
    let high = if value == 1.0 {
        1.0
    } else {
        (center + margin) / scale
    };
    Interval { low, high }
}

/// How much larger one estimate is than another from other studies, with an interval from the limits
/// of both (Zou and Donner 2008, "MOVER"); for two shares with Wilson's limits that is method 10 of
/// Newcombe (1998).
pub(super) fn difference(one: Estimate, other: Estimate) -> Estimate {
    let value = one.value - other.value;
    let interval = one
        .interval
        .zip(other.interval)
        .map(|(own, others)| Interval {
            low: value - (one.value - own.low).hypot(others.high - other.value),
            high: value + (own.high - one.value).hypot(other.value - others.low),
        });
    Estimate { value, interval }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_papers_recall_of_38_in_47_has_its_interval() {
        let estimate = proportion(38, 47).expect("47 is not 0");
        let interval = estimate.interval.expect("a proportion has an interval");
        assert_eq!(format!("{:.2}", interval.low), "0.67");
        assert_eq!(format!("{:.2}", interval.high), "0.90");
    }

    #[test]
    fn a_difference_has_newcombes_interval() {
        // Newcombe (1998), table II, contrasts of 56/70 and 48/80, and of 10/10 and 0/10.
        for ([one, other], [low, high]) in [
            ([(56, 70), (48, 80)], ["0.0524", "0.3339"]),
            ([(10, 10), (0, 10)], ["0.6075", "1.0000"]),
        ] {
            let [one, other] = [one, other].map(|(part, whole)| proportion(part, whole).unwrap());
            let interval = difference(one, other).interval.unwrap();
            let found = [interval.low, interval.high].map(|limit| format!("{limit:.4}"));
            assert_eq!(found, [low, high]);
        }
    }

    #[test]
    fn a_share_of_nothing_is_undefined() {
        assert_eq!(proportion(0, 0), None);
    }

    proptest! {
        #[test]
        fn wilsons_interval_contains_its_share_and_stays_within_0_and_1(
            whole in 1u64..3000, part in 0u64..3000,
        ) {
            let part = part % (whole + 1);
            let estimate = proportion(part, whole).expect("whole is not 0");
            let interval = estimate.interval.expect("a proportion has an interval");
            prop_assert!(0.0 <= interval.low && interval.low <= estimate.value);
            prop_assert!(estimate.value <= interval.high && interval.high <= 1.0);
            prop_assert!(interval.low < interval.high);
        }

        #[test]
        fn the_share_of_the_others_has_the_mirrored_interval(whole in 1u64..3000, part in 0u64..3000) {
            let part = part % (whole + 1);
            let share = proportion(part, whole).and_then(|e| e.interval).expect("an interval");
            let rest = proportion(whole - part, whole).and_then(|e| e.interval).expect("an interval");
            prop_assert!((share.low + rest.high - 1.0).abs() < 1e-12);
            prop_assert!((share.high + rest.low - 1.0).abs() < 1e-12);
        }

        #[test]
        fn ten_times_the_studies_narrow_the_interval(whole in 1u64..300, part in 0u64..300) {
            let part = part % (whole + 1);
            let width = |part, whole| {
                let interval = proportion(part, whole).and_then(|e| e.interval).expect("an interval");
                interval.high - interval.low
            };
            prop_assert!(width(10 * part, 10 * whole) < width(part, whole));
        }
    }
}
