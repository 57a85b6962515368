//! Sensitivity and specificity of a threshold, with intervals that know how it was chosen.
//!
//! A threshold that was chosen on the studies it is judged on finds more of them than of others. What it is expected to
//! do on others stands beside what it did, and the interval is that of its true rate on new studies.

use serde::{Deserialize, Serialize};

use super::calls::{Calls, ScoredStudies};
use super::interval::{Estimate, Interval};
use super::operating_point::OperatingPointKind;
use super::order_statistic::{self, OrderStatistic};
use super::youden;

/// How the interval of a rate at an operating point was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum IntervalMethod {
    /// Wilson's: the threshold does not depend on the studies that the rate is of.
    #[default]
    Wilson,
    /// Quantiles of the beta distribution that the true rate of a positive's score has, exact where each patient has one
    /// positive. The rate itself may lie above it.
    OrderStatistic,
    /// From the lower limit of Wilson's interval of the calls by thresholds that were chosen without each study's patient,
    /// to the upper limit of that of the calls themselves, or the other way round where that is wider.
    LeaveOneOut,
}

/// A sensitivity or a specificity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rate {
    /// What it was, with the interval of what it truly is.
    pub(super) estimate: Option<Estimate>,
    /// What it is expected to be on studies that the threshold was not chosen on; `None` where that cannot be told.
    pub(super) expected: Option<f64>,
    pub(super) method: IntervalMethod,
}

/// Sensitivity and specificity of the calls at a threshold that was chosen in some way.
pub(super) fn rates(
    kind: OperatingPointKind,
    threshold: f64,
    studies: ScoredStudies<'_>,
    calls: &Calls<'_>,
) -> [Rate; 2] {
    let plain = [calls.sensitivity(), calls.specificity()];
    match kind {
        OperatingPointKind::Chosen | OperatingPointKind::Threshold => plain.map(given),
        OperatingPointKind::Sensitivity { target } => [
            of_target(target, threshold, studies, calls),
            given(plain[1]),
        ],
        OperatingPointKind::Youden => {
            let left_out = youden::left_out_calls(studies);
            let left_out = left_out.as_ref();
            [
                searched(plain[0], left_out.and_then(Calls::sensitivity)),
                searched(plain[1], left_out.and_then(Calls::specificity)),
            ]
        }
    }
}

/// The rate of a threshold that the studies it is of had no say in.
fn given(estimate: Option<Estimate>) -> Rate {
    Rate {
        estimate,
        expected: estimate.map(|estimate| estimate.value),
        method: IntervalMethod::Wilson,
    }
}

/// The sensitivity of the highest threshold that reaches a target.
fn of_target(target: f64, threshold: f64, studies: ScoredStudies<'_>, calls: &Calls<'_>) -> Rate {
    let share = calls.of_positives();
    let scores = studies.scores.iter().zip(studies.positive);
    let at_threshold = scores.filter(|&(&score, &positive)| positive && score == threshold);
    let statistic = OrderStatistic {
        place: order_statistic::place(target, share.whole),
        tied: at_threshold.count() > 1,
        share,
    };
    let known = share.estimate().map(|estimate| Estimate {
        interval: Some(statistic.interval()),
        ..estimate
    });
    Rate {
        estimate: known,
        expected: known.map(|_| statistic.expected()),
        method: IntervalMethod::OrderStatistic,
    }
}

/// A rate of a threshold that was looked for, and the rate of thresholds that were chosen without each patient.
fn searched(own: Option<Estimate>, left_out: Option<Estimate>) -> Rate {
    let limits = |of: Option<Estimate>| of.and_then(|of| of.interval);
    let both = limits(own).zip(limits(left_out));
    let interval = both.map(|(own, others)| Interval {
        low: own.low.min(others.low),
        high: own.high.max(others.high),
    });
    Rate {
        estimate: own.map(|own| Estimate { interval, ..own }),
        expected: left_out.map(|left_out| left_out.value),
        method: IntervalMethod::LeaveOneOut,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCORES: [f64; 10] = [0.9, 0.8, 0.7, 0.6, 0.5, 0.45, 0.4, 0.3, 0.2, 0.1];
    const POSITIVE: [bool; 10] = [
        true, true, true, false, true, false, false, true, false, false,
    ];

    fn rates_of(kind: OperatingPointKind, threshold: f64) -> [Rate; 2] {
        let patients: Vec<usize> = (0..SCORES.len()).collect();
        let studies = ScoredStudies {
            scores: &SCORES,
            positive: &POSITIVE,
            patients: &patients,
        };
        rates(kind, threshold, studies, &studies.calls_at(threshold))
    }

    fn interval(rate: Rate) -> Interval {
        rate.estimate.unwrap().interval.unwrap()
    }

    #[test]
    fn a_threshold_at_the_lowest_positive_is_expected_to_miss_some_new_ones() {
        let [sensitivity, specificity] =
            rates_of(OperatingPointKind::Sensitivity { target: 1.0 }, 0.3);
        assert_eq!(sensitivity.estimate.unwrap().value, 1.0);
        assert_eq!(sensitivity.expected, Some(5.0 / 6.0));
        assert_eq!(sensitivity.method, IntervalMethod::OrderStatistic);
        assert!(interval(sensitivity).high < 1.0);
        // No negative had a say.
        assert_eq!(specificity.method, IntervalMethod::Wilson);
        assert_eq!(specificity.expected, Some(2.0 / 5.0));
    }

    #[test]
    fn a_threshold_that_was_given_is_taken_at_its_word() {
        let [given, _] = rates_of(OperatingPointKind::Chosen, 0.3);
        assert_eq!(given.expected, Some(1.0));
        assert_eq!(given.method, IntervalMethod::Wilson);
        assert_eq!(interval(given).high, 1.0);
    }

    #[test]
    fn youdens_threshold_is_judged_by_those_that_were_chosen_without_each_study() {
        // 0.7 has an index of 3/5, 0.5 one of 4/5 - 1/5, which is the same and lower.
        let [sensitivity, specificity] = rates_of(OperatingPointKind::Youden, 0.5);
        assert_eq!(sensitivity.estimate.unwrap().value, 0.8);
        // Without any one of the first four positives 0.7 or 0.3 is chosen by turns.
        assert!(sensitivity.expected.unwrap() < 0.8);
        assert!(interval(sensitivity).low < crate::proportion(4, 5).unwrap().interval.unwrap().low);
        assert_eq!(specificity.method, IntervalMethod::LeaveOneOut);
    }
}
