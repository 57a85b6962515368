//! The threshold of Youden's index, and what it does to studies that had no say in it.
//!
//! Where the sum of sensitivity and specificity is greatest, chance has helped: on other studies both will be less. How
//! much less has no exact form. Each patient is therefore left out in turn, the threshold is chosen on the others, and
//! the patient is judged by it. Every study is so judged by a threshold that it did not move, and the shares that are
//! called rightly are nearly without bias, for a cohort that is smaller by one patient (`examples/thresholds.rs`).

use super::calls::{Calls, ScoredStudies};
use super::roc;

/// A distinct score of the positives, and what it would call.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    score: f64,
    /// The positives that have this very score.
    positives: u64,
    true_positives: u64,
    false_positives: u64,
}

/// What a threshold is chosen from.
struct Choice<'a> {
    studies: ScoredStudies<'a>,
    /// The scores of positives, falling. No other score can have the greatest index: it calls more negatives than the
    /// next higher one and no more positives.
    candidates: Vec<Candidate>,
    positives: u64,
    negatives: u64,
}

/// The threshold of the greatest Youden's index, of equals the lowest; `None` without positives or without negatives.
pub(super) fn threshold(studies: ScoredStudies<'_>) -> Option<f64> {
    Choice::new(studies).best(&[])
}

/// The studies, each called by the threshold that the studies of all other patients choose; `None` where those of some
/// patient are needed for a choice.
pub(super) fn left_out_calls(studies: ScoredStudies<'_>) -> Option<Calls<'_>> {
    let choice = Choice::new(studies);
    let last = studies.patients.iter().max()?;
    let mut of_patients = vec![Vec::new(); last + 1];
    for (study, &patient) in studies.patients.iter().enumerate() {
        of_patients[patient].push(study);
    }
    let mut called = vec![false; studies.scores.len()];
    for left_out in of_patients.iter().filter(|studies| !studies.is_empty()) {
        let threshold = choice.best(left_out)?;
        for &study in left_out {
            called[study] = studies.scores[study] >= threshold;
        }
    }
    Some(Calls {
        positive: studies.positive,
        called,
        patients: studies.patients,
    })
}

impl<'a> Choice<'a> {
    fn new(studies: ScoredStudies<'a>) -> Self {
        let counts = roc::counts_by_threshold(studies.scores, studies.positive);
        let candidates = counts.windows(2).filter_map(|pair| {
            let positives = pair[1].true_positives - pair[0].true_positives;
            Some(Candidate {
                score: pair[1].threshold.filter(|_| positives > 0)?,
                positives,
                true_positives: pair[1].true_positives,
                false_positives: pair[1].false_positives,
            })
        });
        let all = counts.last();
        Self {
            studies,
            candidates: candidates.collect(),
            positives: all.map_or(0, |all| all.true_positives),
            negatives: all.map_or(0, |all| all.false_positives),
        }
    }

    /// The candidate of the greatest index, of equals the lowest, without the studies that are left out.
    fn best(&self, left_out: &[usize]) -> Option<f64> {
        let out = left_out
            .iter()
            .filter(|&&study| self.studies.positive[study]);
        let positives_out = out.count() as u64;
        let positives = self.positives - positives_out;
        let negatives = self.negatives - (left_out.len() as u64 - positives_out);
        if positives == 0 || negatives == 0 {
            return None;
        }
        // Sensitivity + specificity - 1, over the common denominator and so exact.
        let index = |at: &Candidate| {
            i128::from(at.true_positives) * i128::from(negatives)
                - i128::from(at.false_positives) * i128::from(positives)
        };
        let candidates = self.candidates.iter();
        let rest = candidates.map(|candidate| self.without(*candidate, left_out));
        let chosen = rest.filter(|rest| rest.positives > 0).max_by_key(index)?;
        Some(chosen.score)
    }

    fn without(&self, mut candidate: Candidate, left_out: &[usize]) -> Candidate {
        for &study in left_out {
            let (score, positive) = (self.studies.scores[study], self.studies.positive[study]);
            let reaches = u64::from(score >= candidate.score);
            if positive {
                candidate.true_positives -= reaches;
                candidate.positives -= u64::from(score == candidate.score);
            } else {
                candidate.false_positives -= reaches;
            }
        }
        candidate
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn own(scores: &[f64]) -> Vec<usize> {
        (0..scores.len()).collect()
    }

    #[test]
    fn of_equal_indices_the_lowest_score_is_taken() {
        let scores = [0.9, 0.8, 0.4, 0.2];
        let studies = ScoredStudies {
            scores: &scores,
            positive: &[true, false, true, false],
            patients: &own(&scores),
        };
        assert_eq!(threshold(studies), Some(0.4));
    }

    #[test]
    fn the_lowest_positive_is_missed_by_the_threshold_that_the_others_choose() {
        let scores = [0.9, 0.8, 0.5, 0.1, 0.2];
        let studies = ScoredStudies {
            scores: &scores,
            positive: &[true, true, true, false, false],
            patients: &own(&scores),
        };
        assert_eq!(threshold(studies), Some(0.5));
        let called = left_out_calls(studies).unwrap().called;
        assert_eq!(called, [true, true, false, false, false]);
    }

    #[test]
    fn a_single_positive_leaves_nothing_to_choose_by() {
        let studies = ScoredStudies {
            scores: &[0.9, 0.1, 0.2],
            positive: &[true, false, false],
            patients: &[0, 1, 2],
        };
        assert!(threshold(studies).is_some());
        assert!(left_out_calls(studies).is_none());
    }

    proptest! {
        #[test]
        fn leaving_a_patient_out_is_choosing_on_the_table_without_it(
            studies in prop::collection::vec((0u8..15, any::<bool>(), 0usize..25), 2..50),
        ) {
            let scores: Vec<f64> = studies.iter().map(|study| f64::from(study.0)).collect();
            let positive: Vec<bool> = studies.iter().map(|study| study.1).collect();
            let patients: Vec<usize> = studies.iter().map(|study| study.2).collect();
            let all = ScoredStudies { scores: &scores, positive: &positive, patients: &patients };
            let found = left_out_calls(all);
            let mut expected = Some(Vec::new());
            for study in 0..scores.len() {
                let kept = |other: &usize| patients[*other] != patients[study];
                let kept: Vec<usize> = (0..scores.len()).filter(kept).collect();
                let (scores, positive): (Vec<f64>, Vec<bool>) =
                    kept.iter().map(|&study| (scores[study], positive[study])).unzip();
                let others = ScoredStudies { scores: &scores, positive: &positive, patients: &own(&scores) };
                let call = threshold(others).map(|threshold| all.scores[study] >= threshold);
                expected = expected.zip(call).map(|(mut calls, call)| { calls.push(call); calls });
            }
            prop_assert_eq!(found.map(|calls| calls.called), expected);
        }
    }
}
