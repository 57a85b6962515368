//! How probable it is that a decision is wrong, and from where on that is worth a second look.
//!
//! Where probabilities are right as often as they say, a positive call of probability p is wrong with the probability
//! 1 - p, and a negative one with p. Of all ways to flag so many decisions, those with the greatest chance of an error
//! cover most of the wrong ones.

/// How probable it is that a call is wrong, where the probability of a positive is `probability`.
pub fn chance_of_error(probability: f64, called_positive: bool) -> f64 {
    if called_positive {
        1.0 - probability
    } else {
        probability
    }
}

/// A decision that is known, and for how many it stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WeightedChance {
    /// Its [`chance_of_error`].
    pub chance: f64,
    /// Its weight, at least 0.
    pub weight: f64,
}

/// The least chance of an error at which no more than a `share` of the weight lies at or above it; `None` where even
/// the greatest chance is of more.
pub fn error_limit(decisions: &[WeightedChance], share: f64) -> Option<f64> {
    let total: f64 = decisions.iter().map(|decision| decision.weight).sum();
    let mut sorted = decisions.to_vec();
    sorted.sort_by(|a, b| b.chance.total_cmp(&a.chance));
    let (mut flagged, mut limit) = (0.0, None);
    // Decisions of the same chance are flagged together or not at all.
    for equal in sorted.chunk_by(|a, b| a.chance == b.chance) {
        flagged += equal.iter().map(|decision| decision.weight).sum::<f64>();
        // The slack takes back what rounding adds.
        if flagged > share * total * (1.0 + 1e-9) {
            break;
        }
        limit = Some(equal[0].chance);
    }
    limit
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decisions(chances: &[f64]) -> Vec<WeightedChance> {
        let decision = |&chance: &f64| WeightedChance {
            chance,
            weight: 1.0,
        };
        chances.iter().map(decision).collect()
    }

    #[test]
    fn a_call_is_wrong_as_often_as_its_probability_says() {
        assert_eq!(chance_of_error(0.75, true), 0.25);
        assert_eq!(chance_of_error(0.125, false), 0.125);
        // A positive at a low threshold is probably none.
        assert_eq!(chance_of_error(0.25, true), 0.75);
    }

    #[test]
    fn no_more_than_the_share_is_flagged_and_equal_chances_go_together() {
        let ten = decisions(&[0.5, 0.4, 0.4, 0.3, 0.2, 0.1, 0.05, 0.0, 0.0, 0.0]);
        assert_eq!(error_limit(&ten, 0.1), Some(0.5));
        assert_eq!(error_limit(&ten, 0.2), Some(0.5));
        assert_eq!(error_limit(&ten, 0.3), Some(0.4));
        assert_eq!(error_limit(&ten, 0.09), None);
        assert_eq!(error_limit(&ten, 1.0), Some(0.0));
        assert_eq!(error_limit(&[], 0.1), None);
    }

    #[test]
    fn a_decision_that_stands_for_many_counts_as_many() {
        let mut two = decisions(&[0.5, 0.1]);
        two[1].weight = 9.0;
        assert_eq!(error_limit(&two, 0.1), Some(0.5));
        two[0].weight = 9.0;
        assert_eq!(error_limit(&two, 0.1), None);
    }

    proptest! {
        #[test]
        fn the_limit_flags_at_most_the_share_and_the_next_chance_would_flag_more(
            chances in prop::collection::vec(0_u8..20, 1..60),
            share in 0.01..0.5,
        ) {
            let chances: Vec<f64> = chances.into_iter().map(|it| f64::from(it) / 20.0).collect();
            let flagged = |limit: f64| chances.iter().filter(|chance| **chance >= limit).count() as f64;
            let most = share * chances.len() as f64 + 1e-6;
            let limit = error_limit(&decisions(&chances), share);
            let limit = limit.unwrap_or(f64::INFINITY);
            prop_assert!(flagged(limit) <= most);
            let below = chances.iter().copied().filter(|chance| *chance < limit);
            if let Some(next) = below.reduce(f64::max) {
                prop_assert!(flagged(next) > most - 2e-6);
            }
        }
    }
}
