//! What a threshold, or a network's hard label, calls studies, beside what they truly are.

use super::confusion::TwoByTwo;
use super::interval::Estimate;
use super::share::Share;

/// Studies with a score, study by study.
#[derive(Clone, Copy, Debug)]
pub(super) struct ScoredStudies<'a> {
    /// Never NaN.
    pub(super) scores: &'a [f64],
    /// Whether a study truly is positive.
    pub(super) positive: &'a [bool],
    /// The number of each study's patient.
    pub(super) patients: &'a [usize],
}

/// Studies that are called positive or negative, study by study.
#[derive(Clone, Debug)]
pub(super) struct Calls<'a> {
    pub(super) positive: &'a [bool],
    pub(super) called: Vec<bool>,
    pub(super) patients: &'a [usize],
}

impl<'a> ScoredStudies<'a> {
    /// Positive is called where the score is at least the threshold.
    pub(super) fn calls_at(self, threshold: f64) -> Calls<'a> {
        Calls {
            positive: self.positive,
            called: self
                .scores
                .iter()
                .map(|&score| score >= threshold)
                .collect(),
            patients: self.patients,
        }
    }
}

impl Calls<'_> {
    pub(super) fn counts(&self) -> TwoByTwo {
        TwoByTwo::new(
            self.studies()
                .map(|(_, positive, called)| (positive, called)),
        )
    }

    /// The positives, and which of them are called positive.
    pub(super) fn of_positives(&self) -> Share {
        let positives = self.studies().filter(|&(_, positive, _)| positive);
        Share::new(positives.map(|(patient, _, called)| (patient, called)))
    }

    pub(super) fn sensitivity(&self) -> Option<Estimate> {
        self.of_positives().estimate()
    }

    pub(super) fn specificity(&self) -> Option<Estimate> {
        let negatives = self.studies().filter(|&(_, positive, _)| !positive);
        Share::new(negatives.map(|(patient, _, called)| (patient, !called))).estimate()
    }

    /// The share of positives among what is called positive.
    pub(super) fn ppv(&self) -> Option<Estimate> {
        let called = self.studies().filter(|&(.., called)| called);
        Share::new(called.map(|(patient, positive, _)| (patient, positive))).estimate()
    }

    /// The share of negatives among what is called negative.
    pub(super) fn npv(&self) -> Option<Estimate> {
        let passed = self.studies().filter(|&(.., called)| !called);
        Share::new(passed.map(|(patient, positive, _)| (patient, !positive))).estimate()
    }

    /// The share of studies that are called what they are.
    pub(super) fn accuracy(&self) -> Option<Estimate> {
        let right = self
            .studies()
            .map(|(patient, positive, called)| (patient, positive == called));
        Share::new(right).estimate()
    }

    /// Patient, truth and call of each study.
    fn studies(&self) -> impl Iterator<Item = (usize, bool, bool)> {
        let pairs = self.positive.iter().zip(&self.called);
        let studies = self.patients.iter().zip(pairs);
        studies.map(|(&patient, (&positive, &called))| (patient, positive, called))
    }
}
