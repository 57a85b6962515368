//! How far a chart may go before it is an alarm.

use super::feature::Feature;
use crate::root::bisect;

/// Within how many scans the probability of a false alarm is meant.
pub const HORIZON: f64 = 2000.0;

/// What Siegmund's approximation adds to a limit for the step by which a sum of normal scores oversteps it.
const OVERSHOOT: f64 = 1.166;

/// The greatest limit that is looked for: of a reference that is too small to tell anything.
const GREATEST: f64 = 2000.0;

/// How many standard errors of the reference are added up over, on each side, and the step.
const ERRORS: f64 = 4.5;
const STEP: f64 = 0.25;

/// The mean number of scans until a sum of normal scores, which falls by `drift` a scan and never below zero, reaches
/// a limit (Siegmund, "Sequential analysis", 1985).
pub(super) fn run_length(drift: f64, limit: f64) -> f64 {
    let barrier = limit + OVERSHOOT;
    let exponent = 2.0 * drift * barrier;
    if exponent.abs() < 1e-3 {
        return barrier * barrier * (1.0 + exponent / 3.0);
    }
    (exponent.exp() - 1.0 - exponent) / (2.0 * drift * drift)
}

/// The probability of an alarm within [`HORIZON`] scans that are as the cohort that `reference` studies were drawn of.
///
/// By so few studies the middle of a cohort is known but for an error, which every scan of a job has in common:
/// the probability is the mean over that error. Run lengths are taken as exponential.
pub(super) fn false_alarms(allowance: f64, reference: f64, limit: f64) -> f64 {
    let steps = (ERRORS / STEP) as i32;
    let (mut sum, mut weights) = (0.0, 0.0);
    for step in -steps..=steps {
        let error = f64::from(step) * STEP;
        let weight = (-error * error / 2.0).exp();
        let drift = allowance - error / reference.sqrt();
        sum += weight * -(-HORIZON / run_length(drift, limit)).exp_m1();
        weights += weight;
    }
    sum / weights
}

/// The limit of a chart of normal scores, by the probability of a false alarm on one side.
pub(super) fn of_shift(allowance: f64, reference: f64, probability: f64) -> f64 {
    let excess = |limit: f64| false_alarms(allowance, reference, limit) - probability;
    bisect(&excess, 0.0, GREATEST)
}

/// The limit of a sum of logarithms of likelihood ratios, by the probability of a false alarm.
///
/// From whichever scan it is added up, such a sum ever exceeds its limit with a probability of at most exp(-limit)
/// (Ville, 1939), and there are so many scans to begin with (Lorden, "Procedures for reacting to a change in
/// distribution", 1971).
pub(super) fn of_likelihood(probability: f64) -> f64 {
    (HORIZON / probability).ln()
}

/// The limits of a feature's chart for references of any size.
#[derive(Clone, Debug)]
pub(super) struct ShiftLimits(Vec<f64>);

/// The logarithm of the smallest reference that there is a limit for, the steps from one to the next, and their number.
const SMALLEST: f64 = 3.0;
const LOGARITHMS: f64 = 0.25;
const NODES: usize = 45;

impl ShiftLimits {
    pub(super) fn new(feature: Feature) -> Self {
        let limit = |node: usize| {
            let reference = (SMALLEST + LOGARITHMS * node as f64).exp();
            of_shift(
                feature.allowance(reference),
                reference,
                feature.false_alarms(),
            )
        };
        Self((0..NODES).map(limit).collect())
    }

    /// The limit against a reference of so many studies, between two by a straight line of the logarithm.
    pub(super) fn at(&self, reference: f64) -> f64 {
        let last = (NODES - 1) as f64;
        let place = ((reference.ln() - SMALLEST) / LOGARITHMS).clamp(0.0, last);
        let node = (place as usize).min(NODES - 2);
        let (low, high) = (self.0[node], self.0[node + 1]);
        low + (high - low) * (place - node as f64)
    }
}
