//! Cohen's kappa, plain and with quadratic weights, with its interval.
//!
//! The interval uses the large-sample standard error of Fleiss, Cohen and Everitt (Psychol Bull
//! 1969; 72:323), with the terms of one patient's studies summed before they are squared; where
//! each patient has one study it is theirs exactly.

use super::interval::{Estimate, Interval, Z};

/// How much a disagreement weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KappaWeights {
    /// Every disagreement alike.
    Unweighted,
    /// By the square of the distance between the classes.
    Quadratic,
}

impl KappaWeights {
    /// The agreement of two classes: 1 for the same class, 0 for the two that are farthest apart.
    fn agreement(self, classes: usize, a: usize, b: usize) -> f64 {
        match self {
            Self::Unweighted => f64::from(u8::from(a == b)),
            Self::Quadratic => {
                let farthest = (classes - 1) as f64;
                1.0 - (a.abs_diff(b) as f64 / farthest).powi(2)
            }
        }
    }
}

/// Cohen's kappa of two readings of the same studies.
///
/// `pairs` holds both readings of each study, as classes below `classes` (at least 2), and
/// `patients` numbers the patient of each study. `None` where kappa is undefined: without studies,
/// or where both readings name one single class throughout. There is no interval where the standard
/// error is zero (perfect agreement, for one).
pub fn kappa(
    pairs: &[(usize, usize)],
    classes: usize,
    weights: KappaWeights,
    patients: &[usize],
) -> Option<Estimate> {
    let table = ContingencyTable::new(pairs, classes, weights);
    let studies = table.studies;
    let (disagreement, by_chance) = table.disagreement();
    if by_chance == 0.0 {
        return None;
    }
    let value = 1.0 - studies * disagreement / by_chance;
    let expected = 1.0 - by_chance / (studies * studies);
    let observed = 1.0 - disagreement / studies;

    let center = observed * expected - 2.0 * expected + observed;
    let mut influence = vec![0.0; patients.iter().max().map_or(0, |last| last + 1)];
    for (&(a, b), &patient) in pairs.iter().zip(patients) {
        let chance = table.mean_agreement_of_first(a) + table.mean_agreement_of_second(b);
        let own = weights.agreement(classes, a, b) * (1.0 - expected);
        influence[patient] += own - chance * (1.0 - observed) - center;
    }
    let square: f64 = influence.iter().map(|share| share * share).sum();
    let error = square.sqrt() / (studies * (1.0 - expected).powi(2));
    // Rounding may leave something of an error of zero.
    let interval = (error > 1e-12).then(|| Interval {
        low: (value - Z * error).max(-1.0),
        high: (value + Z * error).min(1.0),
    });
    Some(Estimate { value, interval })
}

/// How often the first reading named one class and the second another.
struct ContingencyTable {
    weights: KappaWeights,
    studies: f64,
    /// `counts[first][second]`.
    counts: Vec<Vec<u64>>,
    first_totals: Vec<u64>,
    second_totals: Vec<u64>,
}

impl ContingencyTable {
    fn new(pairs: &[(usize, usize)], classes: usize, weights: KappaWeights) -> Self {
        let mut table = Self {
            weights,
            studies: pairs.len() as f64,
            counts: vec![vec![0; classes]; classes],
            first_totals: vec![0; classes],
            second_totals: vec![0; classes],
        };
        for &(a, b) in pairs {
            table.counts[a][b] += 1;
            table.first_totals[a] += 1;
            table.second_totals[b] += 1;
        }
        table
    }

    fn classes(&self) -> usize {
        self.counts.len()
    }

    /// The weighted disagreement in studies, and what chance would make of it, in studies squared.
    ///
    /// Disagreement rather than agreement is summed, so that perfect agreement is 1 exactly.
    fn disagreement(&self) -> (f64, f64) {
        let (mut disagreement, mut by_chance) = (0.0, 0.0);
        for (a, row) in self.counts.iter().enumerate() {
            for (b, &count) in row.iter().enumerate() {
                let weight = 1.0 - self.weights.agreement(self.classes(), a, b);
                disagreement += weight * count as f64;
                by_chance += weight * self.first_totals[a] as f64 * self.second_totals[b] as f64;
            }
        }
        (disagreement, by_chance)
    }

    /// How well a class of the first reading agrees with the second reading of any study.
    fn mean_agreement_of_first(&self, class: usize) -> f64 {
        self.mean(&self.second_totals, |other| {
            self.weights.agreement(self.classes(), class, other)
        })
    }

    /// How well a class of the second reading agrees with the first reading of any study.
    fn mean_agreement_of_second(&self, class: usize) -> f64 {
        self.mean(&self.first_totals, |other| {
            self.weights.agreement(self.classes(), other, class)
        })
    }

    fn mean(&self, totals: &[u64], agreement: impl Fn(usize) -> f64) -> f64 {
        let totals = totals.iter().enumerate();
        totals
            .map(|(class, &total)| agreement(class) * total as f64 / self.studies)
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn own_patients(studies: usize) -> Vec<usize> {
        (0..studies).collect()
    }

    fn kappa_of(pairs: &[(usize, usize)], weights: KappaWeights) -> Option<Estimate> {
        kappa(pairs, 4, weights, &own_patients(pairs.len()))
    }

    #[test]
    fn perfect_agreement_is_1_without_an_interval() {
        let pairs = [(0, 0), (1, 1), (3, 3), (3, 3)];
        for weights in [KappaWeights::Unweighted, KappaWeights::Quadratic] {
            let estimate = kappa_of(&pairs, weights).expect("two classes are named");
            assert_eq!(estimate.value, 1.0);
            assert_eq!(estimate.interval, None);
        }
    }

    #[test]
    fn a_single_class_throughout_leaves_kappa_undefined() {
        assert_eq!(kappa_of(&[(2, 2); 5], KappaWeights::Unweighted), None);
        assert_eq!(kappa_of(&[], KappaWeights::Quadratic), None);
    }

    #[test]
    fn a_distant_grade_weighs_more_when_weights_are_quadratic() {
        let near = [(0, 0), (0, 1), (3, 3), (2, 2), (1, 1)];
        let far = [(0, 0), (0, 3), (3, 3), (2, 2), (1, 1)];
        let value = |pairs: &[_]| {
            kappa_of(pairs, KappaWeights::Quadratic)
                .expect("defined")
                .value
        };
        assert!(value(&near) > value(&far));
    }

    #[test]
    fn every_study_read_twice_widens_the_interval_only_if_it_is_known_to_be_one_patient() {
        let once = [
            (0, 0),
            (0, 1),
            (3, 3),
            (2, 2),
            (1, 1),
            (2, 1),
            (3, 2),
            (0, 0),
        ];
        let twice = [once, once].concat();
        let patients: Vec<usize> = (0..8).chain(0..8).collect();
        let width = |estimate: Option<Estimate>| {
            let interval = estimate.and_then(|e| e.interval).expect("an interval");
            interval.high - interval.low
        };
        let single = width(kappa_of(&once, KappaWeights::Quadratic));
        let grouped = width(kappa(&twice, 4, KappaWeights::Quadratic, &patients));
        let naive = width(kappa_of(&twice, KappaWeights::Quadratic));
        assert!((single - grouped).abs() < 1e-12);
        assert!(naive < single);
    }

    proptest! {
        #[test]
        fn kappa_does_not_care_who_reads_first(
            pairs in prop::collection::vec((0usize..4, 0usize..4), 1..60),
        ) {
            let swapped: Vec<_> = pairs.iter().map(|&(a, b)| (b, a)).collect();
            for weights in [KappaWeights::Unweighted, KappaWeights::Quadratic] {
                match (kappa_of(&pairs, weights), kappa_of(&swapped, weights)) {
                    (Some(one), Some(other)) => {
                        prop_assert!((one.value - other.value).abs() < 1e-12);
                        prop_assert_eq!(one.interval.is_some(), other.interval.is_some());
                        if let (Some(one), Some(other)) = (one.interval, other.interval) {
                            prop_assert!((one.low - other.low).abs() < 1e-9);
                        }
                    }
                    (one, other) => prop_assert_eq!(one, other),
                }
            }
        }

        #[test]
        fn an_interval_contains_its_kappa(
            pairs in prop::collection::vec((0usize..4, 0usize..4), 1..60),
        ) {
            if let Some(Estimate { value, interval: Some(interval) }) =
                kappa_of(&pairs, KappaWeights::Quadratic)
            {
                prop_assert!(interval.low <= value && value <= interval.high);
            }
        }
    }
}
