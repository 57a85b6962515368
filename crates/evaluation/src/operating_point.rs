//! Thresholds on the probability of a positive, and what each would have meant.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::calls::ScoredStudies;
use super::estimate_fields;
use super::interval::Estimate;
use super::predictive_values::{self, PredictiveValues};
use super::rate::{self, IntervalMethod};
use super::roc::{self, RocCurve, RocPoint, ThresholdCounts};
use super::youden;

/// The sensitivities that a threshold is given for.
pub const TARGET_SENSITIVITIES: [f64; 3] = [0.90, 0.95, 1.0];

/// How a threshold was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum OperatingPointKind {
    /// A threshold that was chosen before, on other studies ([`EvaluationOptions::threshold`]).
    ///
    /// [`EvaluationOptions::threshold`]: super::EvaluationOptions::threshold
    Chosen,
    /// The highest threshold at which the sensitivity is at least `target`.
    Sensitivity {
        /// The sensitivity to reach, in (0, 1].
        target: f64,
    },
    /// The greatest sum of sensitivity and specificity (Youden's index); of equals, the most
    /// sensitive.
    Youden,
    /// A stated threshold.
    Threshold,
}

impl fmt::Display for OperatingPointKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chosen => f.write_str("chosen before"),
            Self::Sensitivity { target } => write!(f, "sensitivity of {target:.2}"),
            Self::Youden => f.write_str("Youden's index"),
            Self::Threshold => f.write_str("stated"),
        }
    }
}

/// A threshold on the probability of a positive: positive is called where it is reached.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OperatingPoint {
    /// How the threshold was chosen.
    #[serde(flatten)]
    pub kind: OperatingPointKind,
    /// Positive is called where the probability of a positive is at least this.
    pub threshold: f64,
    /// Positives called positive.
    pub true_positives: u64,
    /// Positives called negative.
    pub false_negatives: u64,
    /// Negatives called positive.
    pub false_positives: u64,
    /// Negatives called negative.
    pub true_negatives: u64,
    /// The share of positives that are called positive. The interval is that of the threshold's true sensitivity; where
    /// the threshold was chosen on these positives, the share may lie above it.
    #[serde(flatten, with = "estimate_fields::sensitivity")]
    pub sensitivity: Option<Estimate>,
    /// How the interval of the sensitivity was made; in files of before it was told, by Wilson.
    #[serde(default)]
    pub sensitivity_interval_method: IntervalMethod,
    /// The share of positives that is expected to be called positive among those that the threshold was not chosen on;
    /// `None` where that cannot be told, and in files of before it was.
    #[serde(default)]
    pub expected_sensitivity: Option<f64>,
    /// The share of negatives that are called negative, with the interval of the threshold's true specificity.
    #[serde(flatten, with = "estimate_fields::specificity")]
    pub specificity: Option<Estimate>,
    /// How the interval of the specificity was made; in files of before it was told, by Wilson.
    #[serde(default)]
    pub specificity_interval_method: IntervalMethod,
    /// The share of negatives that is expected to be called negative among those that the threshold was not chosen on.
    #[serde(default)]
    pub expected_specificity: Option<f64>,
    /// Predictive values at the cohort's own prevalence.
    pub at_cohort: PredictiveValues,
    /// Predictive values at the stated prevalence.
    pub at_stated: PredictiveValues,
    /// Of 1000 studies at the stated prevalence, how many are called positive, rightly or not: what a department that
    /// screens with this threshold has to look at. The interval follows from the limits of sensitivity and specificity
    /// that make the fewest and the most calls, which is conservative.
    #[serde(flatten, with = "estimate_fields::alerts_per_1000")]
    pub alerts_per_1000: Option<Estimate>,
}

/// The point that was chosen before, if any; then one for each of [`TARGET_SENSITIVITIES`], Youden's,
/// and the threshold of 0.5.
///
/// Thresholds that are looked for are scores that were seen, so they are left out where there are
/// no positives or no negatives.
pub(super) fn operating_points(
    studies: ScoredStudies<'_>,
    prevalence: f64,
    chosen: Option<f64>,
) -> Vec<OperatingPoint> {
    let point = |kind, threshold| at_threshold(kind, threshold, studies, prevalence);
    let counts = roc::counts_by_threshold(studies.scores, studies.positive);
    let chosen = chosen.map(|threshold| point(OperatingPointKind::Chosen, threshold));
    let mut points = Vec::from_iter(chosen);
    for target in TARGET_SENSITIVITIES {
        if let Some(threshold) = for_sensitivity(&counts, target) {
            points.push(point(OperatingPointKind::Sensitivity { target }, threshold));
        }
    }
    if let Some(threshold) = youden::threshold(studies) {
        points.push(point(OperatingPointKind::Youden, threshold));
    }
    points.push(point(OperatingPointKind::Threshold, 0.5));
    points
}

/// A threshold to four significant digits, rounded down: stated as it is printed, it misses none of
/// the studies that reach it.
pub fn threshold_text(threshold: f64) -> String {
    let leading = if threshold > 0.0 {
        -threshold.log10().floor()
    } else {
        1.0
    };
    // A threshold lies from 0 to 1; below 1e-9 fewer digits will do.
    let decimals = (leading as usize + 3).clamp(4, 12);
    let nearest = format!("{threshold:.decimals$}");
    if nearest
        .parse()
        .is_ok_and(|nearest: f64| nearest > threshold)
    {
        format!("{:.decimals$}", threshold - 0.1_f64.powi(decimals as i32))
    } else {
        nearest
    }
}

/// The highest threshold of a curve at which the sensitivity is at least `sensitivity`, as
/// [`OperatingPointKind::Sensitivity`] has it; `None` for more than 1.
pub fn threshold_for_sensitivity(curve: &RocCurve, sensitivity: f64) -> Option<f64> {
    let reached = |point: &&RocPoint| point.true_positive_rate >= sensitivity;
    let points = curve.points.iter().filter(reached);
    points.into_iter().find_map(|point| point.threshold)
}

/// The highest score at which the sensitivity is at least `target`; `None` without positives or
/// without negatives.
fn for_sensitivity(counts: &[ThresholdCounts], target: f64) -> Option<f64> {
    let (positives, _) = totals(counts)?;
    counts
        .iter()
        .filter(|at| at.true_positives as f64 / positives as f64 >= target)
        .find_map(|at| at.threshold)
}

/// The numbers of positives and of negatives; `None` where either is 0.
fn totals(counts: &[ThresholdCounts]) -> Option<(u64, u64)> {
    let all = counts.last()?;
    let known = all.true_positives > 0 && all.false_positives > 0;
    known.then_some((all.true_positives, all.false_positives))
}

fn at_threshold(
    kind: OperatingPointKind,
    threshold: f64,
    studies: ScoredStudies<'_>,
    prevalence: f64,
) -> OperatingPoint {
    let calls = studies.calls_at(threshold);
    let counts = calls.counts();
    let [sensitivity, specificity] = rate::rates(kind, threshold, studies, &calls);
    let estimates = (sensitivity.estimate, specificity.estimate);
    OperatingPoint {
        kind,
        threshold,
        true_positives: counts.true_positives,
        false_negatives: counts.false_negatives,
        false_positives: counts.false_positives,
        true_negatives: counts.true_negatives,
        sensitivity: estimates.0,
        sensitivity_interval_method: sensitivity.method,
        expected_sensitivity: sensitivity.expected,
        specificity: estimates.1,
        specificity_interval_method: specificity.method,
        expected_specificity: specificity.expected,
        at_cohort: predictive_values::at_cohort(&calls),
        at_stated: predictive_values::at(prevalence, estimates.0, estimates.1),
        alerts_per_1000: predictive_values::alerts_per_1000(prevalence, estimates.0, estimates.1),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The points of studies that are each of a patient of its own.
    fn operating_points(
        scores: &[f64],
        positive: &[bool],
        prevalence: f64,
        chosen: Option<f64>,
    ) -> Vec<OperatingPoint> {
        let patients: Vec<usize> = (0..scores.len()).collect();
        let studies = ScoredStudies {
            scores,
            positive,
            patients: &patients,
        };
        super::operating_points(studies, prevalence, chosen)
    }

    fn find(points: &[OperatingPoint], kind: OperatingPointKind) -> &OperatingPoint {
        points
            .iter()
            .find(|point| point.kind == kind)
            .expect("the point is there")
    }

    #[test]
    fn full_sensitivity_is_reached_at_the_lowest_positive() {
        let scores = [0.9, 0.8, 0.3, 0.2, 0.1];
        let positive = [true, false, true, false, false];
        let points = operating_points(&scores, &positive, 0.1, None);
        let full = find(&points, OperatingPointKind::Sensitivity { target: 1.0 });
        assert_eq!(full.threshold, 0.3);
        assert_eq!((full.true_positives, full.false_positives), (2, 1));
        // 0.9 and 0.3 have Youden indices of 1/2 and 2/3.
        assert_eq!(find(&points, OperatingPointKind::Youden).threshold, 0.3);
        assert_eq!(
            find(&points, OperatingPointKind::Threshold).false_negatives,
            1
        );
    }

    #[test]
    fn a_threshold_that_was_chosen_before_comes_first_and_is_judged_as_it_is() {
        let scores = [0.9, 0.8, 0.3, 0.2, 0.1];
        let positive = [true, false, true, false, false];
        let points = operating_points(&scores, &positive, 0.1, Some(0.85));
        let [first, others @ ..] = &points[..] else {
            panic!("there are points")
        };
        assert_eq!(
            (first.kind, first.threshold),
            (OperatingPointKind::Chosen, 0.85)
        );
        assert_eq!(first.sensitivity.map(|share| share.value), Some(0.5));
        assert_eq!(first.specificity.map(|share| share.value), Some(1.0));
        assert_eq!(others, operating_points(&scores, &positive, 0.1, None));
    }

    #[test]
    fn a_threshold_as_text_has_four_digits_and_is_never_greater() {
        for (threshold, text) in [
            (0.5, "0.5000"),
            (0.12345, "0.1234"),
            (0.999_96, "0.9999"),
            (0.010_827_6, "0.01082"),
            (1.0, "1.0000"),
            (0.0, "0.0000"),
            (3.9999e-7, "0.0000003999"),
            (1e-15, "0.000000000000"),
        ] {
            assert_eq!(threshold_text(threshold), text);
        }
    }

    #[test]
    fn of_equal_youden_indices_the_most_sensitive_is_taken() {
        let scores = [0.9, 0.8, 0.4, 0.2];
        let positive = [true, false, true, false];
        let points = operating_points(&scores, &positive, 0.1, None);
        assert_eq!(find(&points, OperatingPointKind::Youden).threshold, 0.4);
    }

    #[test]
    fn a_curve_gives_the_threshold_that_the_operating_point_has() {
        let scores = [0.9, 0.8, 0.7, 0.65, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1];
        let positive = [
            true, true, false, false, false, true, true, false, true, false,
        ];
        let curve = roc::curve("positive", &scores, &positive).expect("both kinds are there");
        for (sensitivity, threshold) in [(0.4, 0.8), (0.5, 0.5), (0.8, 0.4), (1.0, 0.2)] {
            assert_eq!(
                threshold_for_sensitivity(&curve, sensitivity),
                Some(threshold)
            );
            let counts = roc::counts_by_threshold(&scores, &positive);
            assert_eq!(for_sensitivity(&counts, sensitivity), Some(threshold));
        }
        assert_eq!(threshold_for_sensitivity(&curve, 1.01), None);
    }

    #[test]
    fn without_positives_only_the_stated_threshold_remains() {
        let points = operating_points(&[0.9, 0.1], &[false, false], 0.1, None);
        assert_eq!(points.len(), 1);
        assert_eq!(points[0].sensitivity, None);
        assert_eq!(points[0].specificity.map(|share| share.value), Some(0.5));
    }

    proptest! {
        #[test]
        fn a_target_is_reached_and_the_next_higher_score_would_miss_it(
            studies in prop::collection::vec((0u8..20, any::<bool>()), 2..60),
        ) {
            let scores: Vec<f64> = studies.iter().map(|study| f64::from(study.0) / 20.0).collect();
            let positive: Vec<bool> = studies.iter().map(|study| study.1).collect();
            for point in operating_points(&scores, &positive, 0.1, None) {
                let OperatingPointKind::Sensitivity { target } = point.kind else { continue };
                prop_assert!(point.sensitivity.expect("there are positives").value >= target);
                let higher = scores.iter().copied().filter(|&score| score > point.threshold);
                let Some(next) = higher.min_by(f64::total_cmp) else { continue };
                let stricter = operating_points(&scores, &positive, 0.1, Some(next));
                prop_assert!(stricter[0].sensitivity.expect("there are positives").value < target);
            }
        }
    }
}
