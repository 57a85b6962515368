//! How far the probability of a positive can be taken at its word: slope, intercept, observed over expected, and a
//! smooth curve (Van Calster et al., "Calibration: the Achilles heel of predictive analytics", 2019; Austin and
//! Steyerberg, 2014).

use serde::{Deserialize, Serialize};

use super::calibration::{self, CalibrationBin};
use super::estimate_fields;
use super::interval::{Estimate, Interval, Z};
use super::logistic;
use super::lowess;
use super::share::clustered_proportion;

/// The share of the studies that each point of the curve is a fit of.
const CURVE_SPAN: f64 = 0.75;
/// The points of the curve.
const CURVE_POINTS: usize = 33;
/// Probabilities nearer to 0 or 1 count as this near: their log odds would outweigh all others'.
const NEAREST: f64 = 1e-10;

/// How far the probability of a positive can be taken at its word, at the prevalence of the studies themselves.
///
/// Probabilities that are stated for another prevalence are brought to that of the studies first, so that what is
/// judged is the evidence and not the mix of a cohort.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reliability {
    /// In ten bins, the mean distance between probability and observed share of positives, weighted by studies.
    pub expected_calibration_error: f64,
    /// The mean of (p - truth)^2, in [0, 1].
    pub brier: f64,
    /// The slope of the logistic regression of the truth on the log odds: below 1, probabilities are too certain,
    /// above 1 not certain enough. `None` where log odds tell positives and negatives apart without an error, or
    /// where one of them is absent.
    #[serde(flatten, with = "estimate_fields::slope")]
    pub slope: Option<Estimate>,
    /// The intercept of the same regression with a slope of 1 (calibration in the large), in log odds: above 0,
    /// positives are more frequent than the probabilities say.
    #[serde(flatten, with = "estimate_fields::intercept")]
    pub intercept: Option<Estimate>,
    /// The positives that there are over the sum of the probabilities, with Wilson's interval of their share, of
    /// the effective number of studies where patients have several.
    #[serde(flatten, with = "estimate_fields::observed_over_expected")]
    pub observed_over_expected: Option<Estimate>,
    /// The observed share of positives along the probability: local linear regression on the log odds over three
    /// quarters of the studies (Cleveland, 1979), at points that are evenly spaced in log odds.
    pub curve: Vec<ReliabilityPoint>,
    /// The bins that are not empty.
    pub bins: Vec<CalibrationBin>,
}

/// A point of a smooth calibration curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReliabilityPoint {
    /// The probability of a positive.
    pub probability: f64,
    /// The smoothed share of positives, in [0, 1].
    pub observed: f64,
}

/// Judges probabilities in [0, 1] by what came true; `None` for no studies.
///
/// `patients` numbers each study's patient: studies of one count together in the errors of slope and intercept.
pub(super) fn reliability(
    probabilities: &[f64],
    positive: &[bool],
    patients: &[usize],
) -> Option<Reliability> {
    let bins = calibration::bins(probabilities, positive, patients);
    let log_odds: Vec<f64> = probabilities.iter().map(|&p| log_odds(p)).collect();
    let studies = logistic::Studies {
        covariate: &log_odds,
        positive,
        patients,
    };
    Some(Reliability {
        expected_calibration_error: calibration::expected_error(&bins)?,
        brier: calibration::brier(probabilities, positive)?,
        slope: logistic::slope(&studies).map(estimate),
        intercept: logistic::intercept(&studies).map(estimate),
        observed_over_expected: observed_over_expected(probabilities, positive, patients),
        curve: curve(&log_odds, positive),
        bins,
    })
}

/// The natural logarithm of the odds of a probability, which counts as no nearer to 0 or 1 than 1e-10.
pub fn log_odds(probability: f64) -> f64 {
    let probability = probability.clamp(NEAREST, 1.0 - NEAREST);
    (probability / (1.0 - probability)).ln()
}

/// A coefficient with the interval of its standard error.
fn estimate(coefficient: logistic::Coefficient) -> Estimate {
    let half = Z * coefficient.standard_error;
    Estimate {
        value: coefficient.value,
        interval: Some(Interval {
            low: coefficient.value - half,
            high: coefficient.value + half,
        }),
    }
}

fn observed_over_expected(
    probabilities: &[f64],
    positive: &[bool],
    patients: &[usize],
) -> Option<Estimate> {
    let studies = patients.iter().copied().zip(positive.iter().copied());
    let share = clustered_proportion(studies)?;
    let expected = probabilities.iter().sum::<f64>() / positive.len() as f64;
    let over = |share: f64| share / expected;
    (expected > 0.0).then(|| Estimate {
        value: over(share.value),
        interval: share.interval.map(|interval| Interval {
            low: over(interval.low),
            high: over(interval.high),
        }),
    })
}

fn curve(log_odds: &[f64], positive: &[bool]) -> Vec<ReliabilityPoint> {
    let truth: Vec<f64> = positive.iter().map(|&it| f64::from(u8::from(it))).collect();
    let least = log_odds.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = log_odds.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let place = |point: usize| point as f64 / (CURVE_POINTS - 1) as f64;
    let at: Vec<f64> = (0..CURVE_POINTS)
        .map(|point| least + place(point) * (greatest - least))
        .collect();
    let fitted = lowess::fit(log_odds, &truth, CURVE_SPAN, &at);
    let points = at.iter().zip(fitted);
    points
        .filter_map(|(log_odds, observed)| {
            Some(ReliabilityPoint {
                probability: (1.0 + (-log_odds).exp()).recip(),
                observed: observed?.clamp(0.0, 1.0),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Studies of which as many are positive as their probabilities say, in a hundred steps.
    fn calibrated() -> (Vec<f64>, Vec<bool>) {
        let studies = (1..100).flat_map(|percent| {
            (0..100).map(move |study| (f64::from(percent) / 100.0, study < percent))
        });
        studies.unzip()
    }

    fn own(studies: &[bool]) -> Vec<usize> {
        (0..studies.len()).collect()
    }

    #[test]
    fn probabilities_that_come_true_have_a_slope_of_1_an_intercept_of_0_and_as_many_as_expected() {
        let (probabilities, positive) = calibrated();
        let found = reliability(&probabilities, &positive, &own(&positive)).unwrap();
        assert!((found.slope.unwrap().value - 1.0).abs() < 1e-9);
        assert!(found.intercept.unwrap().value.abs() < 1e-9);
        assert!((found.observed_over_expected.unwrap().value - 1.0).abs() < 1e-9);
        // A straight line in log odds over three quarters of the studies follows the S only so far.
        for point in &found.curve {
            assert!(
                (point.probability - point.observed).abs() < 0.06,
                "{point:?}"
            );
        }
    }

    #[test]
    fn twice_too_certain_probabilities_have_a_slope_of_a_half() {
        let (probabilities, positive) = calibrated();
        let odds = |p: f64| (p / (1.0 - p)).powi(2);
        let certain: Vec<f64> = probabilities
            .iter()
            .map(|&p| odds(p) / (1.0 + odds(p)))
            .collect();
        let found = reliability(&certain, &positive, &own(&positive)).unwrap();
        assert!((found.slope.unwrap().value - 0.5).abs() < 1e-9);
    }

    #[test]
    fn what_has_no_slope_says_so_and_has_the_rest() {
        let separated = reliability(
            &[0.1, 0.2, 0.8, 0.9],
            &[false, false, true, true],
            &[0, 1, 2, 3],
        );
        let separated = separated.unwrap();
        assert_eq!(separated.slope, None);
        assert!(separated.intercept.is_some());
        let negatives = reliability(&[0.1, 0.2], &[false, false], &[0, 1]).unwrap();
        assert_eq!((negatives.slope, negatives.intercept), (None, None));
        assert_eq!(
            negatives.observed_over_expected.map(|it| it.value),
            Some(0.0)
        );
        assert_eq!(reliability(&[], &[], &[]), None);
        let certain = reliability(&[0.0, 1.0, 0.0], &[false, true, true], &[0, 1, 2]).unwrap();
        let json = serde_json::to_string(&certain).unwrap();
        assert!(!json.contains("NaN") && !json.contains("inf"), "{json}");
    }
}
