//! The decision curve: whether screening with a network is worth more than looking at every scan, or at none.
//!
//! Whoever looks at a scan from a probability p of a positive on, holds a positive found worth (1 - p) / p scans looked at
//! in vain. At that rate the net benefit of a network counts its true positives less its false ones (Vickers and Elkin,
//! Med Decis Making 2006; 26:565): sensitivity x prevalence - (1 - specificity) x (1 - prevalence) x p / (1 - p), in
//! positives found a study. Nobody's scan looked at has the net benefit 0.
//!
//! Sensitivity and specificity are those of the studies whose probability of a positive is at least p, as the network
//! gives it: one that overstates its probabilities is judged with that.

use serde::{Deserialize, Serialize};

use super::calls::ScoredStudies;
use super::estimate_fields;
use super::interval::Estimate;
use super::predictive_values::with_limits;

/// The thresholds of the curve in percent: the preferred numbers R20 (ISO 3), of which ten times more comes 20 steps later.
const PERCENT: [f64; 41] = [
    0.5, 0.56, 0.63, 0.71, 0.8, 0.9, 1.0, 1.12, 1.25, 1.4, 1.6, 1.8, 2.0, 2.24, 2.5, 2.8, 3.15,
    3.55, 4.0, 4.5, 5.0, 5.6, 6.3, 7.1, 8.0, 9.0, 10.0, 11.2, 12.5, 14.0, 16.0, 18.0, 20.0, 22.4,
    25.0, 28.0, 31.5, 35.5, 40.0, 45.0, 50.0,
];

/// A network's net benefit over threshold probabilities.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DecisionCurve {
    /// The share of studies that are truly positive, in (0, 1): the stated one.
    pub prevalence: f64,
    /// By rising threshold probability, from 0.5 to 50 %.
    pub points: Vec<DecisionPoint>,
}

/// One threshold probability of a [`DecisionCurve`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DecisionPoint {
    /// From which probability of a positive on a scan would be looked at, in (0, 1).
    pub threshold: f64,
    /// The network's net benefit, in true positives a study, where positive is called from the threshold on. The interval
    /// follows from both lower and both upper limits of sensitivity and specificity, which is conservative.
    #[serde(flatten, with = "estimate_fields::net_benefit")]
    pub net_benefit: Option<Estimate>,
    /// The net benefit of looking at every scan. That of looking at none is 0.
    pub treat_all: f64,
}

impl DecisionPoint {
    /// Whether the network is worth more than looking at every scan and than looking at none.
    pub fn is_worth_more(&self) -> bool {
        self.net_benefit
            .is_some_and(|network| network.value > self.treat_all.max(0.0))
    }
}

impl DecisionCurve {
    /// The runs of threshold probabilities where the network is worth more than looking at every scan and than looking at
    /// none: the first and the last of each.
    pub fn worth_more(&self) -> Vec<(f64, f64)> {
        let runs = self
            .points
            .chunk_by(|one, next| one.is_worth_more() == next.is_worth_more());
        runs.filter_map(|run| match run {
            [first, .., last] if first.is_worth_more() => Some((first.threshold, last.threshold)),
            [only] if only.is_worth_more() => Some((only.threshold, only.threshold)),
            _ => None,
        })
        .collect()
    }
}

/// The curve at a prevalence in (0, 1); `None` without positives or without negatives.
pub(super) fn decision_curve(studies: ScoredStudies<'_>, prevalence: f64) -> Option<DecisionCurve> {
    let points = PERCENT.iter().map(|percent| {
        let threshold = percent / 100.0;
        let calls = studies.calls_at(threshold);
        let value = |sensitivity, specificity| {
            Some(net_benefit(threshold, prevalence, sensitivity, specificity))
        };
        Some(DecisionPoint {
            threshold,
            net_benefit: Some(with_limits(
                calls.sensitivity()?,
                calls.specificity()?,
                value,
            )?),
            treat_all: net_benefit(threshold, prevalence, 1.0, 0.0),
        })
    });
    Some(DecisionCurve {
        prevalence,
        points: points.collect::<Option<_>>()?,
    })
}

fn net_benefit(threshold: f64, prevalence: f64, sensitivity: f64, specificity: f64) -> f64 {
    let odds = threshold / (1.0 - threshold);
    sensitivity * prevalence - (1.0 - specificity) * (1.0 - prevalence) * odds
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn curve(scores: &[f64], positive: &[bool], prevalence: f64) -> Option<DecisionCurve> {
        let patients: Vec<usize> = (0..scores.len()).collect();
        let studies = ScoredStudies {
            scores,
            positive,
            patients: &patients,
        };
        decision_curve(studies, prevalence)
    }

    fn values(curve: &DecisionCurve) -> Vec<f64> {
        let points = curve.points.iter();
        points
            .map(|point| point.net_benefit.unwrap().value)
            .collect()
    }

    #[test]
    fn a_network_without_an_error_finds_every_positive_at_no_cost() {
        let found = curve(&[0.9, 0.8, 0.001, 0.002], &[true, true, false, false], 0.01).unwrap();
        assert_eq!(values(&found), [0.01; PERCENT.len()]);
        assert_eq!(found.worth_more(), [(0.005, 0.5)]);
    }

    #[test]
    fn a_network_that_calls_everything_is_looking_at_every_scan() {
        let found = curve(&[0.9, 0.8, 0.7], &[true, false, false], 0.03).unwrap();
        for point in &found.points {
            assert_eq!(point.net_benefit.unwrap().value, point.treat_all);
        }
        assert!(found.worth_more().is_empty());
        // A chance of 1 in 25 holds a positive worth 24 scans in vain: (0.03 - 0.97 / 24) in sum.
        let point = found.points[18];
        assert_eq!(point.threshold, 0.04);
        assert!((point.treat_all - (0.03 - 0.97 / 24.0)).abs() < 1e-15);
    }

    #[test]
    fn runs_where_a_network_is_worth_more_are_told_apart() {
        let mut found = curve(&[0.9, 0.001], &[true, false], 0.01).unwrap();
        for place in [0, 7, 8, 40] {
            found.points[place].net_benefit = None;
        }
        let at = |place: usize| found.points[place].threshold;
        assert_eq!(found.worth_more(), [(at(1), at(6)), (at(9), at(39))]);
    }

    #[test]
    fn negatives_alone_have_no_curve() {
        assert_eq!(curve(&[0.9, 0.1], &[false, false], 0.01), None);
    }

    proptest! {
        #[test]
        fn nothing_is_worth_more_than_finding_every_positive(
            studies in prop::collection::vec((0u8..=100, any::<bool>()), 2..60),
            prevalence in 0.001f64..0.5,
        ) {
            let scores: Vec<f64> = studies.iter().map(|study| f64::from(study.0) / 100.0).collect();
            let positive: Vec<bool> = studies.iter().map(|study| study.1).collect();
            if let Some(found) = curve(&scores, &positive, prevalence) {
                for point in &found.points {
                    let network = point.net_benefit.unwrap();
                    let interval = network.interval.unwrap();
                    prop_assert!(network.value <= prevalence + 1e-15 && point.treat_all < prevalence);
                    prop_assert!(interval.low <= network.value && network.value <= interval.high);
                }
            }
        }
    }
}
