//! What a station's decisions are worth, by the grades that its readers gave since: a prospective evaluation. Pure.
//!
//! Only studies that somebody has graded count. Where readers grade positives sooner than negatives, as they do when
//! alerts lead them there, sensitivity comes out too high, and only the predictive value stands: how many of each were
//! graded is therefore part of the result. A study whose grade came before its last decision is left out.

use serde::Serialize;

use crate::overview::StudyView;
use attrium_evaluation::proportion;

/// The least grade that is positive (Perugini grade 2).
const POSITIVE: u8 = 2;

/// What decisions are worth.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Trial {
    /// Studies that were decided on.
    pub studies: u64,
    /// Of those the positive ones.
    pub positives: u64,
    /// Positive decisions that a reader has graded.
    pub graded_positives: u64,
    /// Negative decisions that a reader has graded.
    pub graded_negatives: u64,
    /// Studies whose grade was given before their last decision, which count nowhere.
    pub graded_before: u64,
    /// Scans of phantoms, which count nowhere.
    pub synthetic: u64,
    /// The share of grades 2 and 3 that were called positive.
    pub sensitivity: Option<Share>,
    /// The share of grades 0 and 1 that were called negative.
    pub specificity: Option<Share>,
    /// The share of positive decisions that have grade 2 or 3.
    pub positive_predictive_value: Option<Share>,
    /// Positive decisions among 1,000 studies.
    pub alerts_per_thousand: Option<Share>,
}

/// A share with its 95 % interval (Wilson's).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Share {
    /// How many.
    pub part: u64,
    /// Of how many.
    pub whole: u64,
    /// The share, or of alerts the number among 1,000.
    pub value: f64,
    /// The interval's lower end.
    pub low: f64,
    /// The interval's upper end.
    pub high: f64,
}

impl Share {
    fn of(part: u64, whole: u64, scale: f64) -> Option<Self> {
        let estimate = proportion(part, whole)?;
        let interval = estimate.interval?;
        Some(Self {
            part,
            whole,
            value: scale * estimate.value,
            low: scale * interval.low,
            high: scale * interval.high,
        })
    }
}

/// The last grade of the decision that stands.
fn grade(study: &StudyView) -> Option<u8> {
    let of_this = study
        .reviews
        .iter()
        .filter(|it| it.revision == study.revision);
    of_this.filter_map(|review| review.grade).next_back()
}

impl Trial {
    /// Evaluates decisions by the grades that studies were given.
    pub fn of(studies: &[StudyView]) -> Self {
        let decided = studies.iter().filter(|study| study.decision.is_some());
        let (synthetic, decided): (Vec<_>, Vec<_>) = decided.partition(|study| study.synthetic);
        let is_positive = |study: &&&StudyView| study.decision.as_deref() == Some("positive");
        let was_graded = |study: &&&StudyView| {
            grade(study).is_none() && study.reviews.iter().any(|review| review.grade.is_some())
        };
        let count = |positive: bool, is_wanted: fn(u8) -> bool| {
            let called = decided
                .iter()
                .filter(|study| is_positive(study) == positive);
            called
                .filter_map(|study| grade(study))
                .filter(|it| is_wanted(*it))
                .count() as u64
        };
        let [true_positives, false_negatives] =
            [true, false].map(|it| count(it, |grade| grade >= POSITIVE));
        let [false_positives, true_negatives] =
            [true, false].map(|it| count(it, |grade| grade < POSITIVE));
        let positives = decided.iter().filter(is_positive).count() as u64;
        let studies = decided.len() as u64;
        let graded_positives = true_positives + false_positives;
        Self {
            studies,
            positives,
            graded_positives,
            graded_negatives: true_negatives + false_negatives,
            graded_before: decided.iter().filter(was_graded).count() as u64,
            synthetic: synthetic.len() as u64,
            sensitivity: Share::of(true_positives, true_positives + false_negatives, 1.0),
            specificity: Share::of(true_negatives, true_negatives + false_positives, 1.0),
            positive_predictive_value: Share::of(true_positives, graded_positives, 1.0),
            alerts_per_thousand: Share::of(positives, studies, 1000.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::overview::ReviewView;

    fn study(decision: Option<&str>, grades: &[(u32, u8)]) -> StudyView {
        let review = |&(revision, grade): &(u32, u8)| ReviewView {
            who: "anna".to_owned(),
            at: "2026-11-30T09:12:44Z".to_owned(),
            revision,
            acknowledged: None,
            grade: Some(grade),
        };
        StudyView {
            number: 1,
            state: "Settled".to_owned(),
            revision: 2,
            opened_at: String::new(),
            changed_at: String::new(),
            decision: decision.map(str::to_owned),
            probability: None,
            synthetic: false,
            ambiguous: None,
            objects: Vec::new(),
            repeats: 0,
            deliveries: Vec::new(),
            reviews: grades.iter().map(review).collect(),
        }
    }

    #[test]
    fn a_trial_counts_what_was_graded_after_the_decision_that_stands() {
        let mut phantom = study(Some("positive"), &[(2, 3)]);
        phantom.synthetic = true;
        let studies = [
            study(Some("positive"), &[(2, 3)]),
            study(Some("positive"), &[(2, 0), (2, 2)]),
            study(Some("positive"), &[(2, 1)]),
            study(Some("positive"), &[(1, 3)]),
            study(Some("negative"), &[(2, 0)]),
            study(Some("negative"), &[(2, 2)]),
            study(Some("negative"), &[]),
            study(None, &[(2, 3)]),
            phantom,
        ];
        let trial = Trial::of(&studies);
        assert_eq!((trial.studies, trial.positives, trial.synthetic), (7, 4, 1));
        assert_eq!((trial.graded_positives, trial.graded_negatives), (3, 2));
        assert_eq!(trial.graded_before, 1);
        let share = |share: Option<Share>| share.map(|it| (it.part, it.whole));
        assert_eq!(share(trial.sensitivity), Some((2, 3)));
        assert_eq!(share(trial.specificity), Some((1, 2)));
        assert_eq!(share(trial.positive_predictive_value), Some((2, 3)));
        assert_eq!(share(trial.alerts_per_thousand), Some((4, 7)));
    }

    #[test]
    fn alerts_are_counted_by_the_thousand() {
        let studies = [study(Some("positive"), &[]), study(Some("negative"), &[])];
        let alerts = Trial::of(&studies).alerts_per_thousand.expect("a share");
        assert!((alerts.value - 500.0).abs() < 1e-9, "{alerts:?}");
        assert!(alerts.low > 90.0 && alerts.high < 910.0, "{alerts:?}");
    }

    #[test]
    fn nothing_is_made_of_nothing() {
        let trial = Trial::of(&[]);
        assert_eq!(trial.sensitivity, None);
        assert_eq!(trial.alerts_per_thousand, None);
    }
}
