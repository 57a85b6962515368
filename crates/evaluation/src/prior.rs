//! What probabilities take to be the share of each class, and how they are brought to other shares.
//!
//! By Bayes' rule the odds of two classes are those of the evidence times those of the prior, so that another prior
//! multiplies each class's probability by the ratio of its two shares (Elkan, "The foundations of cost-sensitive
//! learning", 2001; Saerens, Latinne and Decaestecker, 2002). It moves thresholds with it and, between positive and
//! negative, no order.

use attrium_types::Target;

/// What probabilities take to be the share of each class.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum AssumedPrior {
    /// The shares in the cohort that they are evaluated on.
    #[default]
    Cohort,
    /// As many studies of each class: what networks are trained towards whose classes weigh n / (k n_c).
    Balanced,
    /// Shares in proportion to the square roots of those in the cohort: the same, where a class weighs the square
    /// root of n / (k n_c).
    SquareRoot,
    /// So large a share of positives, in (0, 1), for which the probabilities are stated.
    Prevalence(f64),
}

impl AssumedPrior {
    /// The prevalence that probabilities are stated for, where they are stated for one.
    pub const fn stated(self) -> Option<f64> {
        match self {
            Self::Prevalence(stated) => Some(stated),
            Self::Cohort | Self::Balanced | Self::SquareRoot => None,
        }
    }

    /// What brings probabilities to the shares of a cohort: for each class the natural logarithm of what its
    /// probability is multiplied by, before all are made to sum to 1.
    ///
    /// `labels` are those of the cohort. A class that no study is of keeps its probability, and a stated prevalence
    /// stays where the cohort has no positives or no negatives.
    pub fn correction(self, target: Target, labels: &[usize]) -> Vec<f64> {
        let classes = target.classes().len();
        match self {
            Self::Cohort => vec![0.0; classes],
            Self::Balanced => weights(labels, classes)
                .map(|weight| -weight.ln())
                .collect(),
            Self::SquareRoot => weights(labels, classes)
                .map(|weight| -weight.ln() / 2.0)
                .collect(),
            Self::Prevalence(stated) => {
                let first = target.first_positive_class();
                let positives = labels.iter().filter(|&&label| label >= first).count();
                let own = positives as f64 / labels.len() as f64;
                let is_mixed = own > 0.0 && own < 1.0;
                let factors = prevalence_factors(stated, if is_mixed { own } else { stated });
                (0..classes)
                    .map(|class| factors[usize::from(class >= first)].ln())
                    .collect()
            }
        }
    }
}

/// n / (k n_c) of each class, of which k occur; 1 of one that does not.
fn weights(labels: &[usize], classes: usize) -> impl Iterator<Item = f64> {
    let count = |class| labels.iter().filter(|&&label| label == class).count();
    let counts: Vec<usize> = (0..classes).map(count).collect();
    let present = counts.iter().filter(|&&count| count > 0).count();
    let studies = labels.len();
    counts.into_iter().map(move |count| match count {
        0 => 1.0,
        count => studies as f64 / (present * count) as f64,
    })
}

/// What the probabilities of negatives and of positives are multiplied by where the prevalence is `to` in place of
/// `from`.
fn prevalence_factors(from: f64, to: f64) -> [f64; 2] {
    [(1.0 - to) / (1.0 - from), to / from]
}

/// Probabilities after a [correction](AssumedPrior::correction); they sum to 1. Without corrections they stay as they are.
pub fn corrected(probabilities: &[f64], correction: &[f64]) -> Vec<f64> {
    if correction.iter().all(|&logarithm| logarithm == 0.0) {
        return probabilities.to_vec();
    }
    // The greatest factor is 1, so that none overflows.
    let greatest = correction.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let factors = correction
        .iter()
        .map(|logarithm| (logarithm - greatest).exp());
    normalized(probabilities.iter().zip(factors))
}

/// Probabilities of which positives together have the prior `from`, in (0, 1), as they are where it is `to`; they
/// sum to 1. Those of positives keep their ratios, and so do those of negatives.
pub fn at_prevalence(target: Target, probabilities: &[f64], from: f64, to: f64) -> Vec<f64> {
    if from == to {
        return probabilities.to_vec();
    }
    let factors = prevalence_factors(from, to);
    let factor = |class: usize| factors[usize::from(class >= target.first_positive_class())];
    normalized(probabilities.iter().zip((0..).map(factor)))
}

/// The probability of a positive at another prevalence, as [`at_prevalence`] has it.
pub fn positive_at_prevalence(probability: f64, from: f64, to: f64) -> f64 {
    let scaled = at_prevalence(
        Target::Positive,
        &[1.0 - probability, probability],
        from,
        to,
    );
    scaled[1]
}

fn normalized<'a>(weighted: impl Iterator<Item = (&'a f64, f64)>) -> Vec<f64> {
    let products: Vec<f64> = weighted
        .map(|(probability, factor)| probability * factor)
        .collect();
    let sum: f64 = products.iter().sum();
    products.iter().map(|product| product / sum).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn balanced_weights_are_taken_out_by_the_share_of_each_class() {
        // 9 to 1: a study that looks as likely under both classes is positive in one of ten.
        let labels: Vec<usize> = (0..10).map(|study| usize::from(study == 0)).collect();
        let found = |prior: AssumedPrior, even: [f64; 2]| {
            corrected(&even, &prior.correction(Target::Positive, &labels))[1]
        };
        assert!((found(AssumedPrior::Balanced, [0.5, 0.5]) - 0.1).abs() < 1e-15);
        assert!((found(AssumedPrior::SquareRoot, [0.5, 0.5]) - 0.25).abs() < 1e-15);
        assert!((found(AssumedPrior::Prevalence(0.01), [0.99, 0.01]) - 0.1).abs() < 1e-15);
        assert_eq!(found(AssumedPrior::Cohort, [0.3, 0.7]), 0.7);
    }

    #[test]
    fn what_a_cohort_has_no_study_of_is_left_as_it_is() {
        let correction = AssumedPrior::Balanced.correction(Target::Perugini, &[0, 0, 1, 1]);
        assert_eq!(correction[2..], [0.0, 0.0]);
        let correction = AssumedPrior::Prevalence(0.2).correction(Target::Positive, &[0, 0]);
        assert_eq!(correction, [0.0, 0.0]);
    }

    #[test]
    fn even_odds_in_a_balanced_cohort_are_the_prevalence_elsewhere() {
        let found = at_prevalence(Target::Perugini, &[0.3, 0.2, 0.1, 0.4], 0.5, 0.01);
        let expected = [0.3 * 1.98, 0.2 * 1.98, 0.1 * 0.02, 0.4 * 0.02];
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-15, "{found} {expected}");
        }
        assert!((positive_at_prevalence(0.5, 0.5, 0.01) - 0.01).abs() < 1e-15);
    }

    proptest! {
        #[test]
        fn another_prevalence_and_back_is_the_same_and_keeps_the_order(
            one in 1e-6f64..0.999_999, other in 1e-6f64..0.999_999,
            from in 0.001f64..0.999, to in 0.001f64..0.999,
        ) {
            let there = |probability| positive_at_prevalence(probability, from, to);
            let back = positive_at_prevalence(there(one), to, from);
            prop_assert!((back - one).abs() < 1e-9, "{} {}", back, one);
            if (one - other).abs() > 1e-9 {
                prop_assert_eq!(one < other, there(one) < there(other));
            }
        }
    }
}
