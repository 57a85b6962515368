//! Gaussian naive Bayes with one feature: how likely each class is, given one number of a study.
//!
//! It turns the heart-to-contralateral ratio into a probability for each of several classes, which can be compared
//! with that of a network. It is scikit-learn's `GaussianNB()`. It is fitted anew without each fold
//! and never sees the studies that it is applied to.

use std::collections::BTreeMap;

/// Added to each class's variance, as a share of the variance of all values: scikit-learn's default.
const SMOOTHING: f64 = 1e-9;

/// The probability of each class for each study, by the studies of all other folds.
///
/// The slices have one entry a study: its value (finite), its class (below `count`) and its fold. A
/// class that the other folds lack has probability 0. `None` for a study without other folds.
pub fn out_of_fold_probabilities(
    values: &[f64],
    classes: &[usize],
    folds: &[usize],
    count: usize,
) -> Vec<Option<Vec<f64>>> {
    let mut fitted: BTreeMap<usize, Option<GaussianBayes>> = BTreeMap::new();
    values
        .iter()
        .zip(folds)
        .map(|(&value, fold)| {
            let model = fitted.entry(*fold).or_insert_with(|| {
                let others = (0..values.len()).filter(|&study| folds[study] != *fold);
                let others = others.map(|study| (values[study], classes[study]));
                GaussianBayes::fit(&others.collect::<Vec<_>>(), count)
            });
            model.as_ref().map(|model| model.probabilities(value))
        })
        .collect()
}

/// The distribution of a number in each class; `None` for a class without studies.
struct GaussianBayes {
    classes: Vec<Option<Normal>>,
}

struct Normal {
    log_prior: f64,
    mean: f64,
    variance: f64,
}

impl GaussianBayes {
    /// From a value and a class of each study; `None` without studies.
    fn fit(studies: &[(f64, usize)], count: usize) -> Option<Self> {
        let all: Vec<f64> = studies.iter().map(|study| study.0).collect();
        let smoothing = SMOOTHING * moments(&all)?.1;
        let classes = (0..count)
            .map(|class| {
                let own = studies.iter().filter(|study| study.1 == class);
                let own: Vec<f64> = own.map(|study| study.0).collect();
                let (mean, variance) = moments(&own)?;
                Some(Normal {
                    log_prior: (own.len() as f64 / all.len() as f64).ln(),
                    mean,
                    variance: variance + smoothing,
                })
            })
            .collect();
        Some(Self { classes })
    }

    fn probabilities(&self, value: f64) -> Vec<f64> {
        let joint = |class: &Option<Normal>| class.as_ref().map(|class| class.log_joint(value));
        let joints: Vec<Option<f64>> = self.classes.iter().map(joint).collect();
        let highest = joints.iter().flatten().copied().fold(f64::MIN, f64::max);
        let weights = joints.iter().map(|joint| match joint {
            Some(joint) => (joint - highest).exp(),
            None => 0.0,
        });
        let sum: f64 = weights.clone().sum();
        weights.map(|weight| weight / sum).collect()
    }
}

impl Normal {
    /// The logarithm of the prior times the density.
    fn log_joint(&self, value: f64) -> f64 {
        // Where all values are equal they carry no information, and the priors remain.
        if self.variance == 0.0 {
            return self.log_prior;
        }
        let scale = (std::f64::consts::TAU * self.variance).ln();
        self.log_prior - 0.5 * (scale + (value - self.mean).powi(2) / self.variance)
    }
}

/// The mean and the population variance; `None` of no values.
fn moments(values: &[f64]) -> Option<(f64, f64)> {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (!values.is_empty()).then_some((mean, squares / count))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Case {
        values: Vec<f64>,
        classes: Vec<usize>,
        folds: Vec<usize>,
        probabilities: Vec<Vec<f64>>,
    }

    #[test]
    fn the_probabilities_are_those_of_scikit_learn() {
        let golden = include_str!("../../../tests/golden/training/gaussian_bayes.json");
        let cases: Vec<Case> = serde_json::from_str(golden).expect("the cases are there");
        assert_eq!(cases.len(), 3);
        for (number, case) in cases.iter().enumerate() {
            let found = out_of_fold_probabilities(&case.values, &case.classes, &case.folds, 4);
            assert_eq!(found.len(), case.probabilities.len());
            for (study, (found, expected)) in found.iter().zip(&case.probabilities).enumerate() {
                let found = found.as_ref().expect("there are other folds");
                for (one, other) in found.iter().zip(expected) {
                    assert!((one - other).abs() < 1e-12, "case {number}, study {study}");
                }
            }
        }
    }

    #[test]
    fn the_left_out_fold_changes_nothing_of_its_own_probabilities() {
        let (classes, folds) = ([0, 1, 0, 1, 0, 1], [0, 0, 1, 1, 2, 2]);
        let of = |classes: &[usize]| {
            out_of_fold_probabilities(&[0.1, 0.5, 0.2, 0.7, 0.15, 0.4], classes, &folds, 2)
        };
        let (one, other) = (of(&classes), of(&[1, 0, 0, 1, 0, 1]));
        assert_eq!(one[..2], other[..2]);
        assert_ne!(one[2..], other[2..]);
    }

    #[test]
    fn a_class_that_the_other_folds_lack_has_probability_0() {
        let (values, folds) = ([0.1, 0.2, 0.3, 0.9], [0, 0, 1, 1]);
        let found = out_of_fold_probabilities(&values, &[0, 1, 0, 2], &folds, 3);
        for (study, absent) in [(0, 1), (1, 1), (2, 2), (3, 2)] {
            let probabilities = found[study].as_ref().expect("there are other folds");
            assert_eq!(probabilities[absent], 0.0);
            assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn values_that_are_all_one_leave_the_shares_of_the_classes() {
        let found = out_of_fold_probabilities(&[0.5; 5], &[0, 1, 1, 1, 0], &[0, 1, 1, 1, 1], 2);
        let shares = found[0].as_ref().expect("there are other folds");
        assert!((shares[0] - 0.25).abs() < 1e-12 && (shares[1] - 0.75).abs() < 1e-12);
    }

    #[test]
    fn a_single_fold_has_no_others_to_learn_from() {
        let found = out_of_fold_probabilities(&[0.5, 0.6], &[0, 1], &[0, 0], 2);
        assert_eq!(found, [None, None]);
    }
}
