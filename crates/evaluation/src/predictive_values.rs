//! Predictive values: what a call is worth at the cohort's prevalence, and at another.

use serde::{Deserialize, Serialize};

use super::calls::Calls;
use super::estimate_fields;
use super::interval::{Estimate, Interval};

/// Predictive values at one prevalence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PredictiveValues {
    /// The share of studies that are truly positive.
    pub prevalence: f64,
    /// The share of studies called positive that are so; `None` where nothing is called positive.
    ///
    /// The interval is Wilson's at the cohort's prevalence; at another it follows from the lower and
    /// from the upper limits of sensitivity and specificity together, which is conservative.
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
pub(super) fn at_cohort(calls: &Calls<'_>) -> PredictiveValues {
    let studies = calls.positive.len();
    let positives = calls.positive.iter().filter(|&&positive| positive);
    PredictiveValues {
        prevalence: positives.count() as f64 / studies.max(1) as f64,
        ppv: calls.ppv(),
        npv: calls.npv(),
    }
}

/// Predictive values at a prevalence in (0, 1), by Bayes' rule from the cohort's sensitivity and
/// specificity; `None` where the cohort has no positives or no negatives.
pub(super) fn at(
    prevalence: f64,
    sensitivity: Option<Estimate>,
    specificity: Option<Estimate>,
) -> PredictiveValues {
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

/// Of 1000 studies at a prevalence in (0, 1), how many are called positive, rightly or not; `None` where the cohort has
/// no positives or no negatives.
///
/// The interval joins the limits of sensitivity and specificity that make the fewest calls, and those that make the most,
/// which is conservative.
pub(super) fn alerts_per_1000(
    prevalence: f64,
    sensitivity: Option<Estimate>,
    specificity: Option<Estimate>,
) -> Option<Estimate> {
    with_limits(
        sensitivity?,
        complement(specificity?),
        |sensitivity, false_positive_rate| {
            let per_study = sensitivity * prevalence + false_positive_rate * (1.0 - prevalence);
            Some(1000.0 * per_study)
        },
    )
}

/// 1 less a share.
fn complement(share: Estimate) -> Estimate {
    Estimate {
        value: 1.0 - share.value,
        interval: share.interval.map(|interval| Interval {
            low: 1.0 - interval.high,
            high: 1.0 - interval.low,
        }),
    }
}

fn share(part: f64, rest: f64) -> Option<f64> {
    (part + rest > 0.0).then(|| part / (part + rest))
}

/// What two shares come to together, and what their lower and their upper limits do.
pub(super) fn with_limits(
    one: Estimate,
    other: Estimate,
    value: impl Fn(f64, f64) -> Option<f64>,
) -> Option<Estimate> {
    let limits = one.interval.zip(other.interval);
    let interval = limits.and_then(|(one, other)| {
        Some(Interval {
            low: value(one.low, other.low)?,
            high: value(one.high, other.high)?,
        })
    });
    Some(Estimate {
        value: value(one.value, other.value)?,
        interval,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// So many true positives, false negatives, false positives and true negatives, each a patient: their values in
    /// the cohort and, where one is given, at another prevalence.
    fn values(counts: [usize; 4], prevalence: Option<f64>) -> PredictiveValues {
        let [tp, fn_, fp, tn] = counts;
        let positive = [vec![true; tp + fn_], vec![false; fp + tn]].concat();
        let called = [
            vec![true; tp],
            vec![false; fn_],
            vec![true; fp],
            vec![false; tn],
        ];
        let patients: Vec<usize> = (0..positive.len()).collect();
        let calls = Calls {
            positive: &positive,
            called: called.concat(),
            patients: &patients,
        };
        match prevalence {
            None => at_cohort(&calls),
            Some(prevalence) => at(prevalence, calls.sensitivity(), calls.specificity()),
        }
    }

    #[test]
    fn a_rarer_disease_makes_a_positive_worth_less() {
        // Sensitivity 0.9 and specificity 0.9: 0.9 in a balanced cohort, 1 in 12 at 1 %.
        let ppv = values([90, 10, 10, 90], Some(0.01)).ppv.expect("defined");
        assert!((ppv.value - 1.0 / 12.0).abs() < 1e-15);
        let ppv = values([90, 10, 10, 90], None).ppv;
        assert_eq!(ppv.map(|ppv| ppv.value), Some(0.9));
    }

    #[test]
    fn a_cohort_without_positives_says_nothing_of_another_prevalence() {
        let stated = values([0, 0, 2, 8], Some(0.1));
        assert_eq!((stated.ppv, stated.npv), (None, None));
        let ppv = values([0, 0, 2, 8], None).ppv;
        assert_eq!(ppv.map(|ppv| ppv.value), Some(0.0));
        assert_eq!(values([0, 0, 0, 8], None).ppv, None);
    }

    proptest! {
        #[test]
        fn at_the_cohorts_prevalence_bayes_rule_gives_the_cohorts_values(
            counts in prop::array::uniform4(1usize..50),
        ) {
            let cohort = values(counts, None);
            let bayes = values(counts, Some(cohort.prevalence));
            for (bayes, cohort) in [(bayes.ppv, cohort.ppv), (bayes.npv, cohort.npv)] {
                let (bayes, cohort) = (bayes.expect("defined"), cohort.expect("defined"));
                prop_assert!((bayes.value - cohort.value).abs() < 1e-12);
                let interval = bayes.interval.expect("an interval");
                prop_assert!(interval.low < bayes.value && bayes.value < interval.high);
            }
        }
    }
}
