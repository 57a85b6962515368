//! Temperature scaling: one number that makes probabilities as certain as they have reason to be
//! (Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks", 2017).
//!
//! The logits of a study are divided by the temperature before the softmax. Probabilities are
//! enough for it: their logarithms are the logits but for a constant, which a softmax does not see.

use serde::{Deserialize, Serialize};

use super::reliability::Reliability;

/// The least and the greatest temperature that is looked for: where the best is beyond, as with
/// classes that are told apart without an error, it is the nearer of these.
pub const TEMPERATURE_RANGE: [f64; 2] = [0.05, 20.0];

/// Probabilities below this count as this: 0 has no logarithm.
const LEAST_PROBABILITY: f64 = 1e-300;

/// Newton's steps need about six iterations, and halving alone would need 60.
const MAX_ITERATIONS: usize = 100;

/// What one temperature for all studies makes of the probabilities.
///
/// It is fitted to the very studies that it is judged on here. With one free number that flatters
/// it little; a cohort of its own tells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TemperatureScaling {
    /// What brings the probabilities to the shares of classes in this cohort before they are scaled: for each class
    /// the natural logarithm of what its probability is multiplied by. Empty in files from before there was any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prior_correction: Vec<f64>,
    /// The temperature, in [`TEMPERATURE_RANGE`], of the least mean logarithmic loss: above 1 the
    /// probabilities were too certain, below 1 not certain enough.
    pub temperature: f64,
    /// The mean over studies of -ln of the true class's probability, in nats, as it was.
    pub log_loss: f64,
    /// The same after scaling.
    pub scaled_log_loss: f64,
    /// The Brier score after scaling, as [`Metrics::brier`](super::Metrics::brier).
    pub scaled_brier: f64,
    /// The calibration error after scaling, as
    /// [`Metrics::expected_calibration_error`](super::Metrics::expected_calibration_error).
    pub scaled_expected_calibration_error: f64,
    /// How far the probability of a positive can be taken at its word after scaling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reliability: Option<Reliability>,
}

/// The probabilities of one study at a temperature; they sum to 1.
///
/// At 1 they stay as they are, but for a sum that was not 1.
pub fn at_temperature(probabilities: &[f64], temperature: f64) -> Vec<f64> {
    let logits = logits(probabilities);
    let inverse = temperature.recip();
    let total = log_sum(&logits, inverse);
    let scaled = logits.iter().map(|logit| (logit * inverse - total).exp());
    scaled.collect()
}

/// The temperature of the least loss; `None` for no studies.
///
/// `rows` holds one probability for each class, `labels` the index of the true class. The loss is
/// convex in the temperature's inverse, so that its slope is 0 in one place at most.
pub(super) fn fit(rows: &[&[f64]], labels: &[usize]) -> Option<f64> {
    let rows: Vec<Vec<f64>> = rows.iter().map(|row| logits(row)).collect();
    let [coldest, hottest] = TEMPERATURE_RANGE;
    let (mut low, mut high) = (hottest.recip(), coldest.recip());
    if labels.is_empty() {
        return None;
    }
    if slope(&rows, labels, low).0 >= 0.0 {
        return Some(hottest);
    }
    if slope(&rows, labels, high).0 <= 0.0 {
        return Some(coldest);
    }
    let mut inverse = 1.0;
    for _ in 0..MAX_ITERATIONS {
        let (slope, curvature) = slope(&rows, labels, inverse);
        if slope > 0.0 {
            high = inverse;
        } else {
            low = inverse;
        }
        let newton = inverse - slope / curvature;
        let next = if low < newton && newton < high {
            newton
        } else {
            f64::midpoint(low, high)
        };
        let done = (next - inverse).abs() <= 1e-15 * inverse;
        inverse = next;
        if done {
            break;
        }
    }
    Some(inverse.recip())
}

/// The mean of -ln of the true class's probability, in nats; `None` for no studies.
pub(super) fn log_loss(rows: &[&[f64]], labels: &[usize]) -> Option<f64> {
    let study = |(row, &label): (&&[f64], &usize)| {
        let logits = logits(row);
        log_sum(&logits, 1.0) - logits[label]
    };
    let sum: f64 = rows.iter().zip(labels).map(study).sum();
    (!labels.is_empty()).then(|| sum / labels.len() as f64)
}

fn logits(probabilities: &[f64]) -> Vec<f64> {
    // f64::max would make a probability of what is no number.
    let at_least = |p: f64| {
        if p < LEAST_PROBABILITY {
            LEAST_PROBABILITY
        } else {
            p
        }
    };
    probabilities.iter().map(|&p| at_least(p).ln()).collect()
}

/// ln of the sum of exp(sharpness * logit).
fn log_sum(logits: &[f64], inverse: f64) -> f64 {
    let greatest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = logits
        .iter()
        .map(|logit| ((logit - greatest) * inverse).exp())
        .sum();
    greatest * inverse + sum.ln()
}

/// The loss' first and second derivative by the temperature's inverse: how far the mean logit is
/// from the true class's, and the logits' variance, summed over the studies.
fn slope(rows: &[Vec<f64>], labels: &[usize], inverse: f64) -> (f64, f64) {
    let mut sums = (0.0, 0.0);
    for (logits, &label) in rows.iter().zip(labels) {
        let total = log_sum(logits, inverse);
        let weighted = logits
            .iter()
            .map(|logit| (logit, (logit * inverse - total).exp()));
        let (mean, square) = weighted.fold((0.0, 0.0), |(mean, square), (logit, weight)| {
            (mean + weight * logit, square + weight * logit * logit)
        });
        sums.0 += mean - logits[label];
        sums.1 += square - mean * mean;
    }
    sums
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn probabilities_that_are_right_as_often_as_they_say_are_left_alone() {
        let rows: Vec<&[f64]> = vec![&[0.25, 0.75]; 4];
        let temperature = fit(&rows, &[1, 1, 1, 0]).unwrap();
        assert!((temperature - 1.0).abs() < 1e-12, "{temperature}");
    }

    #[test]
    fn twice_too_certain_logits_have_the_temperature_2() {
        // Odds of 9 where 3 come true: ln 9 = 2 ln 3.
        let rows: Vec<&[f64]> = vec![&[0.1, 0.9]; 4];
        let temperature = fit(&rows, &[1, 1, 1, 0]).unwrap();
        assert!((temperature - 2.0).abs() < 1e-12, "{temperature}");
        let scaled = at_temperature(&[0.1, 0.9], temperature);
        assert!((scaled[1] - 0.75).abs() < 1e-12, "{scaled:?}");
    }

    #[test]
    fn classes_that_are_told_apart_without_an_error_have_the_least_temperature() {
        let rows: Vec<&[f64]> = vec![&[0.3, 0.7], &[0.6, 0.4]];
        assert_eq!(fit(&rows, &[1, 0]), Some(TEMPERATURE_RANGE[0]));
        assert_eq!(fit(&rows, &[0, 1]), Some(TEMPERATURE_RANGE[1]));
        assert_eq!(fit(&[], &[]), None);
    }

    #[test]
    fn a_probability_of_0_stays_finite() {
        let rows: Vec<&[f64]> = vec![&[0.0, 1.0], &[1.0, 0.0], &[0.4, 0.6]];
        let temperature = fit(&rows, &[1, 1, 1]).unwrap();
        assert!(temperature.is_finite() && temperature > 1.0);
        assert!(log_loss(&rows, &[1, 1, 1]).unwrap().is_finite());
        assert_eq!(at_temperature(&[0.0, 1.0], 1.0)[1], 1.0);
    }

    #[test]
    fn a_probability_that_is_nan_stays_nan() {
        for probabilities in [[f64::NAN; 2], [f64::NAN, 0.5]] {
            let scaled = at_temperature(&probabilities, 2.0);
            assert!(scaled.iter().all(|p| p.is_nan()), "{scaled:?}");
        }
    }

    proptest! {
        #[test]
        fn no_other_temperature_has_a_smaller_loss(
            studies in prop::collection::vec(([0.01f64..1.0, 0.01..1.0, 0.01..1.0], 0usize..3), 1..40),
            other in 0.05f64..20.0,
        ) {
            let (rows, labels): (Vec<_>, Vec<_>) = studies
                .into_iter()
                .map(|(row, label)| (row.map(|p| p / row.iter().sum::<f64>()), label))
                .unzip();
            let rows: Vec<&[f64]> = rows.iter().map(<[f64; 3]>::as_slice).collect();
            let loss = |temperature| {
                let scaled: Vec<_> = rows.iter().map(|row| at_temperature(row, temperature)).collect();
                let scaled: Vec<&[f64]> = scaled.iter().map(Vec::as_slice).collect();
                log_loss(&scaled, &labels).unwrap()
            };
            let temperature = fit(&rows, &labels).unwrap();
            prop_assert!(loss(temperature) <= loss(other) + 1e-9);
        }
    }
}
