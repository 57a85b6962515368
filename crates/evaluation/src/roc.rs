//! The receiver operating characteristic, the area below it and that area's interval.
//!
//! The area is that of the empirical curve: ties count one half, as in scikit-learn. Its variance
//! is DeLong's (Biometrics 1988; 44:837) in the form that takes the studies of one patient together
//! (Obuchowski, Biometrics 1997; 53:567): placement values are summed by patient before they are
//! squared. For a mean of several one-versus-rest areas each study's share in every area is summed
//! first, which accounts for their covariance. Where each patient has one study and there is one
//! area, this is DeLong's variance exactly.
//!
//! The interval is symmetric on the logit scale, so that it stays within (0, 1). Of few positives it is too narrow:
//! the less they differ by chance, the surer it seems. It is therefore widened to Newcombe's score interval (method 5,
//! Stat Med 2006; 25:559), with the numbers of patients, wherever that goes further; that of a mean of areas by as much
//! as the areas' own are widened, in the mean. Where the variance is zero (perfect separation) or cannot be known
//! (positives or negatives of a single patient), the score interval stands alone, or the mean of the areas' limits.
//! `examples/coverage.rs` simulates how often the truth is within.
//!
//! Of two means over the same studies each patient's shares are subtracted before they are squared,
//! which is DeLong's variance of a paired difference. That interval is symmetric about the difference.

use serde::{Deserialize, Serialize};

use super::interval::{self, Estimate, Interval, Z};
use super::root::bisect;

/// A variance below this is zero but for rounding: that of sums of equal placements.
const NO_VARIANCE: f64 = 1e-24;

/// One class against all others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RocCurve {
    /// What counts as positive: a class's name, or `positive`.
    pub name: String,
    /// The area below the curve.
    pub auc: f64,
    /// From (0, 0) to (1, 1), by falling threshold: every threshold at which the sensitivity
    /// changes, and the corners between. What lies within a horizontal stretch is left out.
    pub points: Vec<RocPoint>,
}

/// One threshold of a [`RocCurve`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RocPoint {
    /// The share of negatives that are called positive: 1 - specificity.
    pub false_positive_rate: f64,
    /// The share of positives that are called positive: the sensitivity.
    pub true_positive_rate: f64,
    /// Positive is called where the score is at least this; `None` at (0, 0), where nothing is.
    pub threshold: Option<f64>,
}

/// How many studies are called positive at one threshold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct ThresholdCounts {
    /// The score that is reached; `None` where nothing is called positive.
    pub(super) threshold: Option<f64>,
    pub(super) true_positives: u64,
    pub(super) false_positives: u64,
}

/// The counts at every distinct score, by falling threshold: from no study called positive to all.
pub(super) fn counts_by_threshold(scores: &[f64], positive: &[bool]) -> Vec<ThresholdCounts> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    let mut counts = ThresholdCounts {
        threshold: None,
        true_positives: 0,
        false_positives: 0,
    };
    let mut counts_by_threshold = vec![counts];
    for tied in order.chunk_by(|&a, &b| scores[a] == scores[b]) {
        let positives = tied.iter().filter(|&&study| positive[study]).count() as u64;
        counts.threshold = Some(scores[tied[0]]);
        counts.true_positives += positives;
        counts.false_positives += tied.len() as u64 - positives;
        counts_by_threshold.push(counts);
    }
    counts_by_threshold
}

/// The curve; `None` without positives or without negatives.
pub(super) fn curve(name: &str, scores: &[f64], positive: &[bool]) -> Option<RocCurve> {
    let auc = area(scores, positive)?.value;
    let mut corners: Vec<ThresholdCounts> = Vec::new();
    for counts in counts_by_threshold(scores, positive) {
        if let [.., first, second] = corners[..]
            && first.true_positives == counts.true_positives
            && second.true_positives == counts.true_positives
        {
            corners.pop();
        }
        corners.push(counts);
    }
    let last = corners.last()?;
    let (positives, negatives) = (last.true_positives as f64, last.false_positives as f64);
    let points = corners
        .iter()
        .map(|counts| RocPoint {
            false_positive_rate: counts.false_positives as f64 / negatives,
            true_positive_rate: counts.true_positives as f64 / positives,
            threshold: counts.threshold,
        })
        .collect();
    Some(RocCurve {
        name: name.to_owned(),
        auc,
        points,
    })
}

/// The area below one curve.
#[derive(Clone, Debug)]
pub(super) struct Area {
    pub(super) value: f64,
    positive: Vec<bool>,
    /// Of a positive, the share of negatives that score less; of a negative, the share of positives
    /// that score more; ties count one half. Either kind averages to `value`.
    placements: Vec<f64>,
}

/// The area below the curve of scores; `None` without positives or without negatives.
///
/// No score may be NaN.
pub(super) fn area(scores: &[f64], positive: &[bool]) -> Option<Area> {
    let positives = positive.iter().filter(|&&positive| positive).count() as u64;
    let negatives = positive.len() as u64 - positives;
    if positives == 0 || negatives == 0 {
        return None;
    }
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));
    let mut placements = vec![0.0; scores.len()];
    let (mut positives_below, mut negatives_below) = (0, 0);
    // Twice Mann and Whitney's U: ties count one half, and the sum stays exact.
    let mut twice_u: u128 = 0;
    for tied in order.chunk_by(|&a, &b| scores[a] == scores[b]) {
        let tied_positives = tied.iter().filter(|&&study| positive[study]).count() as u64;
        let tied_negatives = tied.len() as u64 - tied_positives;
        let above = 2 * (positives - positives_below) - tied_positives;
        let below = 2 * negatives_below + tied_negatives;
        for &study in tied {
            placements[study] = if positive[study] {
                below as f64 / (2 * negatives) as f64
            } else {
                above as f64 / (2 * positives) as f64
            };
        }
        twice_u += u128::from(tied_positives) * u128::from(below);
        positives_below += tied_positives;
        negatives_below += tied_negatives;
    }
    let pairs = 2 * u128::from(positives) * u128::from(negatives);
    Some(Area {
        value: twice_u as f64 / pairs as f64,
        positive: positive.to_vec(),
        placements,
    })
}

/// The area below the ROC curve of any score, with its interval.
///
/// `positive` says for each score whether its study truly is positive, `patients` numbers its
/// patient. `None` without positives or without negatives, or where a score is not finite.
pub fn auc(scores: &[f64], positive: &[bool], patients: &[usize]) -> Option<Estimate> {
    if !scores.iter().all(|score| score.is_finite()) {
        return None;
    }
    mean_area(&[area(scores, positive)?], patients)
}

/// The mean of areas over the same studies, with its interval; `None` for no areas.
///
/// `patients` numbers each study's patient, from 0 without gaps.
pub(super) fn mean_area(areas: &[Area], patients: &[usize]) -> Option<Estimate> {
    if areas.is_empty() {
        return None;
    }
    let count = areas.len() as f64;
    let value = areas.iter().map(|area| area.value).sum::<f64>() / count;
    let mean = |of: &dyn Fn(&Area) -> Interval| {
        let limits: Vec<Interval> = areas.iter().map(of).collect();
        Interval {
            low: limits.iter().map(|limit| limit.low).sum::<f64>() / count,
            high: limits.iter().map(|limit| limit.high).sum::<f64>() / count,
        }
    };
    let interval = match influence(areas, patients).and_then(standard_error) {
        Some(error) => {
            let logit = logit_interval(value, error);
            let wider = mean(&|area| widening(area, patients));
            Interval {
                low: (logit.low - wider.low).max(0.0),
                high: (logit.high + wider.high).min(1.0),
            }
        }
        None => mean(&|area| score_interval(area, patients)),
    };
    Some(Estimate {
        value,
        interval: Some(interval),
    })
}

/// How much further than the interval by its variance an area's score interval goes, downwards and upwards; 0 where it
/// does not, or has no variance to be compared with.
fn widening(area: &Area, patients: &[usize]) -> Interval {
    let error = influence(std::slice::from_ref(area), patients).and_then(standard_error);
    let Some(error) = error else {
        return Interval {
            low: 0.0,
            high: 0.0,
        };
    };
    let (logit, score) = (
        logit_interval(area.value, error),
        score_interval(area, patients),
    );
    Interval {
        low: (logit.low - score.low).max(0.0),
        high: (score.high - logit.high).max(0.0),
    }
}

/// How much larger one mean of areas is than another over the same studies, with its interval; `None`
/// where either has no areas.
///
/// Where the variance is zero or cannot be known, the interval is made of both means' own, as if they
/// were of different studies.
pub(super) fn difference(one: &[Area], other: &[Area], patients: &[usize]) -> Option<Estimate> {
    let (own, others) = (mean_area(one, patients)?, mean_area(other, patients)?);
    let value = own.value - others.value;
    let shares = influence(one, patients).zip(influence(other, patients));
    let error = shares.and_then(|(mut shares, others)| {
        for (share, other) in shares.iter_mut().zip(others) {
            *share -= other;
        }
        standard_error(shares)
    });
    let interval = match error {
        Some(error) => Some(Interval {
            low: (value - Z * error).max(-1.0),
            high: (value + Z * error).min(1.0),
        }),
        None => interval::difference(own, others).interval,
    };
    Some(Estimate { value, interval })
}

/// Each patient's share in the deviation of a mean of areas; `None` where the positives or the
/// negatives of an area are of one patient.
fn influence(areas: &[Area], patients: &[usize]) -> Option<Vec<f64>> {
    let patient_count = patients.iter().max().map_or(0, |last| last + 1);
    let mut influence = vec![0.0; patient_count];
    let count = areas.len() as f64;
    let mut known = true;
    for area in areas {
        for positive in [true, false] {
            known &= add_influence(area, positive, patients, count, &mut influence);
        }
    }
    known.then_some(influence)
}

/// The root of the variance that patients' shares make; `None` where it is zero.
fn standard_error(shares: Vec<f64>) -> Option<f64> {
    let variance: f64 = shares.iter().map(|share| share * share).sum();
    (variance > NO_VARIANCE).then(|| variance.sqrt())
}

/// Adds each patient's share in the deviation of an area, from its positives or its negatives
/// alone; false where they are of one patient, whose deviation says nothing.
fn add_influence(
    area: &Area,
    positive: bool,
    patients: &[usize],
    areas: f64,
    influence: &mut [f64],
) -> bool {
    let mut sums = vec![None; influence.len()];
    let mut studies = 0.0;
    for (study, &patient) in patients.iter().enumerate() {
        if area.positive[study] == positive {
            studies += 1.0;
            *sums[patient].get_or_insert(0.0) += area.placements[study] - area.value;
        }
    }
    let of_kind = sums.iter().flatten().count() as f64;
    if of_kind < 2.0 {
        return false;
    }
    let scale = (of_kind / (of_kind - 1.0)).sqrt() / (studies * areas);
    for (share, sum) in influence.iter_mut().zip(sums) {
        *share += scale * sum.unwrap_or(0.0);
    }
    true
}

fn logit_interval(value: f64, error: f64) -> Interval {
    let center = (value / (1.0 - value)).ln();
    let margin = Z * error / (value * (1.0 - value));
    let logistic = |logit: f64| 1.0 / (1.0 + (-logit).exp());
    Interval {
        low: logistic(center - margin),
        high: logistic(center + margin),
    }
}

/// Newcombe's method 5: the areas that the observed one does not reject, with the variance that
/// two exponential distributions have.
fn score_interval(area: &Area, patients: &[usize]) -> Interval {
    let count = |positive: bool| {
        let mut seen: Vec<usize> = patients
            .iter()
            .zip(&area.positive)
            .filter(|&(_, &of)| of == positive)
            .map(|(&patient, _)| patient)
            .collect();
        seen.sort_unstable();
        seen.dedup();
        seen.len() as f64
    };
    let (m, n) = (count(true), count(false));
    let observed = area.value;
    let excess = |theta: f64| {
        let pairs = (m + n) / 2.0 - 1.0;
        let spread = 1.0 + pairs * (1.0 - theta) / (2.0 - theta) + pairs * theta / (1.0 + theta);
        (theta - observed).powi(2) - Z * Z * theta * (1.0 - theta) * spread / (m * n)
    };
    Interval {
        low: bisect(&excess, 0.0, observed),
        high: bisect(&excess, 1.0, observed),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn own_patients(studies: usize) -> Vec<usize> {
        (0..studies).collect()
    }

    fn estimate(scores: &[f64], positive: &[bool]) -> Option<Estimate> {
        auc(scores, positive, &own_patients(scores.len()))
    }

    fn limits(estimate: Option<Estimate>) -> Interval {
        let interval = estimate.and_then(|estimate| estimate.interval);
        interval.expect("both kinds are there")
    }

    #[test]
    fn ties_count_one_half() {
        let positive = [true, true, false, false];
        let value = |scores: &[f64]| estimate(scores, &positive).expect("both kinds").value;
        assert_eq!(value(&[0.9, 0.5, 0.5, 0.1]), 3.5 / 4.0);
        assert_eq!(value(&[0.3; 4]), 0.5);
        assert_eq!(value(&[0.0, -0.0, 0.0, -0.0]), 0.5);
    }

    #[test]
    fn one_kind_alone_has_no_area_and_no_curve() {
        assert_eq!(estimate(&[0.1, 0.2], &[true, true]), None);
        assert_eq!(estimate(&[], &[]), None);
        assert_eq!(curve("positive", &[0.1], &[false]), None);
    }

    #[test]
    fn a_score_that_is_not_a_number_has_no_area() {
        assert_eq!(estimate(&[0.1, f64::NAN], &[true, false]), None);
        assert_eq!(estimate(&[0.1, f64::INFINITY], &[true, false]), None);
    }

    #[test]
    fn perfect_separation_of_few_studies_is_uncertain() {
        let few = limits(estimate(&[0.1, 0.2, 0.8, 0.9], &[false, false, true, true]));
        assert_eq!(few.high, 1.0);
        assert!(few.low < 0.7, "{few:?}");
        let scores: Vec<f64> = (0..200).map(f64::from).collect();
        let positive: Vec<bool> = (0..200).map(|study| study >= 100).collect();
        assert!(limits(estimate(&scores, &positive)).low > 0.95);
    }

    #[test]
    fn a_single_positive_has_an_interval_all_the_same() {
        let scores = [0.1, 0.2, 0.3, 0.4, 0.35];
        let interval = limits(estimate(&scores, &[false, false, false, false, true]));
        assert!(interval.low < 0.75 && 0.75 < interval.high);
    }

    #[test]
    fn a_cohort_seen_twice_is_no_surer_if_its_patients_are_known() {
        let scores = [0.1, 0.4, 0.35, 0.8, 0.7, 0.2, 0.6, 0.5];
        let positive = [false, false, true, true, true, false, false, true];
        let twice = [scores, scores].concat();
        let twice_positive = [positive, positive].concat();
        let patients: Vec<usize> = (0..8).chain(0..8).collect();
        let once = limits(estimate(&scores, &positive));
        let grouped = limits(auc(&twice, &twice_positive, &patients));
        let naive = limits(estimate(&twice, &twice_positive));
        assert!((once.low - grouped.low).abs() < 1e-12);
        assert!(naive.low > once.low);
    }

    #[test]
    fn a_curve_keeps_each_change_of_sensitivity_and_the_corners() {
        let scores = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4];
        let positive = [true, true, false, false, false, true];
        let curve = curve("positive", &scores, &positive).expect("both kinds");
        let thresholds: Vec<_> = curve.points.iter().map(|point| point.threshold).collect();
        assert_eq!(
            thresholds,
            [None, Some(0.9), Some(0.8), Some(0.5), Some(0.4)]
        );
    }

    fn difference_of(one: &[f64], other: &[f64], positive: &[bool]) -> Option<Estimate> {
        let areas = [one, other].map(|scores| area(scores, positive).map(|area| vec![area]));
        let [Some(one), Some(other)] = areas else {
            return None;
        };
        difference(&one, &other, &own_patients(positive.len()))
    }

    #[test]
    fn areas_that_move_together_differ_more_surely_than_areas_of_other_studies() {
        let positive: Vec<bool> = (0..40).map(|study| study % 2 == 0).collect();
        let scores: Vec<f64> = (0..40)
            .map(|n| f64::from(n * 17 % 40) + f64::from(1 - n % 2) * 9.0)
            .collect();
        let mut better = scores.clone();
        better[0] += 9.0;
        let paired = difference_of(&better, &scores, &positive).expect("both kinds");
        let (one, other) = (estimate(&better, &positive), estimate(&scores, &positive));
        let unpaired = one
            .zip(other)
            .map(|(one, other)| interval::difference(one, other));
        let width = |interval: Interval| interval.high - interval.low;
        assert!(paired.value > 0.0);
        assert!(width(limits(Some(paired))) < 0.5 * width(limits(unpaired)));
    }

    #[test]
    fn two_perfect_separations_differ_by_nothing_with_an_uncertainty() {
        let positive = [false, false, true, true];
        let found = difference_of(&[0.1, 0.2, 0.8, 0.9], &[1.0, 2.0, 3.0, 4.0], &positive);
        let interval = limits(found);
        assert_eq!(found.map(|found| found.value), Some(0.0));
        assert!(interval.low < -0.3 && 0.3 < interval.high);
    }

    fn cohort() -> impl Strategy<Value = (Vec<f64>, Vec<bool>)> {
        prop::collection::vec((0u8..30, any::<bool>()), 2..80).prop_map(|studies| {
            let scores = studies.iter().map(|study| f64::from(study.0) / 30.0);
            (
                scores.collect(),
                studies.iter().map(|study| study.1).collect(),
            )
        })
    }

    proptest! {
        #[test]
        fn a_monotone_map_of_the_scores_changes_nothing((scores, positive) in cohort()) {
            let mapped: Vec<f64> = scores.iter().map(|score| (3.0 * score).exp() - 7.0).collect();
            prop_assert_eq!(estimate(&scores, &positive), estimate(&mapped, &positive));
        }

        #[test]
        fn the_opposite_scores_have_the_complement((scores, positive) in cohort()) {
            let opposite: Vec<f64> = scores.iter().map(|score| -score).collect();
            if let Some(estimate_) = estimate(&scores, &positive) {
                let other = estimate(&opposite, &positive).expect("both kinds");
                prop_assert!((estimate_.value + other.value - 1.0).abs() < 1e-12);
                let (one, two) = (limits(Some(estimate_)), limits(Some(other)));
                prop_assert!((one.low + two.high - 1.0).abs() < 1e-6);
            }
        }

        #[test]
        fn the_opposite_question_has_the_complement((scores, positive) in cohort()) {
            let negative: Vec<bool> = positive.iter().map(|positive| !positive).collect();
            if let Some(estimate_) = estimate(&scores, &positive) {
                let other = estimate(&scores, &negative).expect("both kinds");
                prop_assert!((estimate_.value + other.value - 1.0).abs() < 1e-12);
            }
        }

        #[test]
        fn an_interval_contains_its_area_within_0_and_1((scores, positive) in cohort()) {
            if let Some(estimate) = estimate(&scores, &positive) {
                let interval = limits(Some(estimate));
                prop_assert!(0.0 <= interval.low && interval.low <= estimate.value);
                prop_assert!(estimate.value <= interval.high && interval.high <= 1.0);
                prop_assert!(interval.low < interval.high);
            }
        }

        #[test]
        fn the_opposite_difference_has_the_mirrored_interval((scores, positive) in cohort()) {
            let other: Vec<f64> = scores.iter().map(|score| (score * 77.0) % 1.0).collect();
            if let Some(found) = difference_of(&scores, &other, &positive) {
                let opposite = difference_of(&other, &scores, &positive).expect("both kinds");
                let (one, two) = (limits(Some(found)), limits(Some(opposite)));
                prop_assert!((found.value + opposite.value).abs() < 1e-12);
                prop_assert!((one.low + two.high).abs() < 1e-9);
                prop_assert!(-1.0 <= one.low && one.low <= found.value && found.value <= one.high);
            }
        }

        #[test]
        fn trapezoids_below_the_curve_are_the_area((scores, positive) in cohort()) {
            if let Some(curve) = curve("positive", &scores, &positive) {
                let trapezoid = |pair: &[RocPoint]| {
                    (pair[1].false_positive_rate - pair[0].false_positive_rate)
                        * f64::midpoint(pair[1].true_positive_rate, pair[0].true_positive_rate)
                };
                let below: f64 = curve.points.windows(2).map(trapezoid).sum();
                prop_assert!((below - curve.auc).abs() < 1e-12);
            }
        }
    }
}
