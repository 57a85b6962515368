//! What share of an external validation's wrong and of its right decisions was flagged as uncertain.

use serde::{Deserialize, Serialize};

use super::estimate_fields;
use super::interval::Estimate;
use super::labelled_predictions::LabelledPredictions;
use super::predictions::{Prediction, Predictions};
use super::share::clustered_proportion;
use super::subgroup::PATIENT;
use attrium_types::Target;

/// How many of the validated decisions were flagged as uncertain, of the wrong and of the right ones. A decision is
/// wrong where the call at the threshold is not what the label says.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FlaggedDecisions {
    /// The validated decisions.
    pub decisions: u64,
    /// The wrong ones among them.
    pub wrong: u64,
    /// The wrong ones that were flagged.
    pub wrong_flagged: u64,
    /// The right ones that were flagged.
    pub right_flagged: u64,
    /// The share of all that was flagged; intervals take studies of one patient together.
    #[serde(flatten, with = "estimate_fields::flagged_share")]
    pub share: Option<Estimate>,
    /// The share of the wrong ones that was flagged.
    #[serde(flatten, with = "estimate_fields::wrong_flagged_share")]
    pub wrong_share: Option<Estimate>,
    /// The share of the right ones that was flagged.
    #[serde(flatten, with = "estimate_fields::right_flagged_share")]
    pub right_share: Option<Estimate>,
}

/// A decision that was validated.
struct Decision {
    patient: usize,
    is_wrong: bool,
    is_flagged: bool,
}

impl FlaggedDecisions {
    /// Counts the labelled ones of some predictions at a threshold on the probability of a positive; `is_flagged` tells
    /// whether that of a study is uncertain. `None` without any, and where it is not known of each: those that are known
    /// all the same are no fair part of them.
    pub fn new(
        target: Target,
        predictions: &Predictions,
        threshold: f64,
        is_flagged: impl Fn(&Prediction) -> Option<bool>,
    ) -> Option<Self> {
        let patient = predictions.column(PATIENT);
        let labelled = LabelledPredictions::new(target, &predictions.rows, patient);
        let decisions = (0..labelled.rows.len()).map(|study| {
            Some(Decision {
                patient: labelled.patients[study],
                is_wrong: (labelled.scores[study] >= threshold) != labelled.positive[study],
                is_flagged: is_flagged(labelled.rows[study])?,
            })
        });
        let decisions: Vec<Decision> = decisions.collect::<Option<_>>()?;
        (!decisions.is_empty()).then(|| Self::of(&decisions))
    }

    fn of(decisions: &[Decision]) -> Self {
        let number =
            |is: fn(&Decision) -> bool| decisions.iter().filter(|it| is(it)).count() as u64;
        let share = |is: fn(&Decision) -> bool| {
            let among = decisions.iter().filter(|it| is(it));
            clustered_proportion(among.map(|it| (it.patient, it.is_flagged)))
        };
        Self {
            decisions: decisions.len() as u64,
            wrong: number(|it| it.is_wrong),
            wrong_flagged: number(|it| it.is_wrong && it.is_flagged),
            right_flagged: number(|it| !it.is_wrong && it.is_flagged),
            share: share(|_| true),
            wrong_share: share(|it| it.is_wrong),
            right_share: share(|it| !it.is_wrong),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proportion;

    /// Studies of a patient each: label, probability of a positive, and what stands for the flag.
    fn flagged(studies: &[(usize, f64, Option<bool>)]) -> Option<FlaggedDecisions> {
        let row =
            |(study, (label, probability, _)): (usize, &(usize, f64, Option<bool>))| Prediction {
                study: study.to_string(),
                fold: None,
                label: Some(*label),
                probabilities: vec![1.0 - probability, *probability],
                covariates: Vec::new(),
            };
        let predictions = Predictions {
            classes: 2,
            covariates: Vec::new(),
            rows: studies.iter().enumerate().map(row).collect(),
        };
        let is_flagged = |row: &Prediction| studies[row.study.parse::<usize>().unwrap()].2;
        FlaggedDecisions::new(Target::Positive, &predictions, 0.2, is_flagged)
    }

    #[test]
    fn wrong_and_right_decisions_at_the_threshold_are_told_apart() {
        let (yes, no) = (Some(true), Some(false));
        let found = flagged(&[
            (1, 0.3, no),
            (1, 0.1, yes),
            (0, 0.2, yes),
            (0, 0.25, no),
            (0, 0.1, yes),
            (0, 0.0, no),
        ])
        .unwrap();
        assert_eq!(found.decisions, 6);
        assert_eq!((found.wrong, found.wrong_flagged), (3, 2));
        assert_eq!(found.right_flagged, 1);
        assert_eq!(found.share, proportion(3, 6));
        assert_eq!(found.wrong_share, proportion(2, 3));
        assert_eq!(found.right_share, proportion(1, 3));
    }

    #[test]
    fn shares_of_none_are_undefined_and_so_are_those_of_which_one_is_not_known() {
        let found = flagged(&[(1, 0.9, Some(false))]).unwrap();
        assert_eq!((found.wrong, found.wrong_share), (0, None));
        assert_eq!(flagged(&[(1, 0.9, None), (0, 0.1, Some(true))]), None);
        assert_eq!(flagged(&[]), None);
    }
}
