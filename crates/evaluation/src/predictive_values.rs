//! Predictive values: what a call is worth at the cohort's prevalence, and at another.

use serde::{Deserialize, Serialize};

use super::confusion::TwoByTwo;
use super::estimate_fields;
use super::interval::{Estimate, Interval, proportion};

/// Predictive values at one prevalence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PredictiveValues {
    /// The share of studies that are truly positive.
    pub prevalence: f64,
    /// The share of studies called positive that are so; `None` where nothing is called positive.
    ///
    /// The interval is Wilson's at the cohort's prevalence; at another it follows from the lower and
    /// from the upper Wilson limits of sensitivity and specificity together, which is conservative.
    #[serde(flatten, with = "estimate_fields::ppv")]
    pub ppv: Option<Estimate>,
    /// The share of studies called negative that are so, with an interval as for `ppv`; `None` where
    /// nothing is called negative.
    #[serde(flatten, with = "estimate_fields::npv")]
    pub npv: Option<Estimate>,
}

/// The share of positives among bone scans at which predictive values are stated unless another is named: published
/// shares are 0.007 to 0.014.
pub const REFERENCE_PREVALENCE: f64 = 0.01;

/// Predictive values in the cohort itself; its prevalence is 0 where it is empty.
pub(super) fn at_cohort(counts: &TwoByTwo) -> PredictiveValues {
    let prevalence = proportion(counts.positives(), counts.total());
    PredictiveValues {
        prevalence: prevalence.map_or(0.0, |share| share.value),
        ppv: proportion(counts.true_positives, counts.called_positive()),
        npv: proportion(counts.true_negatives, counts.called_negative()),
    }
}

/// Predictive values at a prevalence in (0, 1), by Bayes' rule from the cohort's sensitivity and
/// specificity; `None` where the cohort has no positives or no negatives.
pub(super) fn at(prevalence: f64, counts: &TwoByTwo) -> PredictiveValues {
    let sensitivity = proportion(counts.true_positives, counts.positives());
    let specificity = proportion(counts.true_negatives, counts.negatives());
    let (ppv, npv) = match (sensitivity, specificity) {
        (Some(sensitivity), Some(specificity)) => (
            with_limits(sensitivity, specificity, |sensitivity, specificity| {
                share(
                    sensitivity * prevalence,
                    (1.0 - specificity) * (1.0 - prevalence),
                )
            }),
            with_limits(sensitivity, specificity, |sensitivity, specificity| {
                share(
                    specificity * (1.0 - prevalence),
                    (1.0 - sensitivity) * prevalence,
                )
            }),
        ),
        _ => (None, None),
    };
    PredictiveValues {
        prevalence,
        ppv,
        npv,
    }
}

fn share(part: f64, rest: f64) -> Option<f64> {
    (part + rest > 0.0).then(|| part / (part + rest))
}

fn with_limits(
    sensitivity: Estimate,
    specificity: Estimate,
    value: impl Fn(f64, f64) -> Option<f64>,
) -> Option<Estimate> {
    let limits = sensitivity.interval.zip(specificity.interval);
    let interval = limits.and_then(|(sensitivity, specificity)| {
        Some(Interval {
            low: value(sensitivity.low, specificity.low)?,
            high: value(sensitivity.high, specificity.high)?,
        })
    });
    Some(Estimate {
        value: value(sensitivity.value, specificity.value)?,
        interval,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn counts(tp: u64, fn_: u64, fp: u64, tn: u64) -> TwoByTwo {
        TwoByTwo {
            true_positives: tp,
            false_negatives: fn_,
            false_positives: fp,
            true_negatives: tn,
        }
    }

    #[test]
    fn a_rarer_disease_makes_a_positive_worth_less() {
        // Sensitivity 0.9 and specificity 0.9: 0.9 in a balanced cohort, 1 in 12 at 1 %.
        let ppv = at(0.01, &counts(90, 10, 10, 90)).ppv.expect("defined");
        assert!((ppv.value - 1.0 / 12.0).abs() < 1e-15);
        let ppv = at_cohort(&counts(90, 10, 10, 90)).ppv;
        assert_eq!(ppv.map(|ppv| ppv.value), Some(0.9));
    }

    #[test]
    fn a_cohort_without_positives_says_nothing_of_another_prevalence() {
        let values = at(0.1, &counts(0, 0, 2, 8));
        assert_eq!((values.ppv, values.npv), (None, None));
        let ppv = at_cohort(&counts(0, 0, 2, 8)).ppv;
        assert_eq!(ppv.map(|ppv| ppv.value), Some(0.0));
        assert_eq!(at_cohort(&counts(0, 0, 0, 8)).ppv, None);
    }

    proptest! {
        #[test]
        fn at_the_cohorts_prevalence_bayes_rule_gives_the_cohorts_values(
            tp in 1u64..50, fn_ in 1u64..50, fp in 1u64..50, tn in 1u64..50,
        ) {
            let counts = counts(tp, fn_, fp, tn);
            let cohort = at_cohort(&counts);
            let bayes = at(cohort.prevalence, &counts);
            for (bayes, cohort) in [(bayes.ppv, cohort.ppv), (bayes.npv, cohort.npv)] {
                let (bayes, cohort) = (bayes.expect("defined"), cohort.expect("defined"));
                prop_assert!((bayes.value - cohort.value).abs() < 1e-12);
                let interval = bayes.interval.expect("an interval");
                prop_assert!(interval.low < bayes.value && bayes.value < interval.high);
            }
        }
    }
}
