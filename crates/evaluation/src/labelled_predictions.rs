//! The predictions of labelled studies, and the metrics that cohort, folds and subgroups share.

use std::collections::HashMap;
use std::hash::Hash;

use super::calibration;
use super::calls::{Calls, ScoredStudies};
use super::confusion::ConfusionMatrix;
use super::interval::Estimate;
use super::kappa::{self, KappaWeights};
use super::predictions::{Prediction, positive_probability};
use super::roc::{self, Area};
use super::share::Share;
use attrium_types::Target;

/// Each study's patient as a number, from 0 without gaps: equal for equal patients.
pub fn number_patients<P: Eq + Hash>(patients: impl IntoIterator<Item = P>) -> Vec<usize> {
    let mut numbers = HashMap::new();
    patients
        .into_iter()
        .map(|patient| {
            let next = numbers.len();
            *numbers.entry(patient).or_insert(next)
        })
        .collect()
}

/// The predictions of labelled studies, column by column.
pub(super) struct LabelledPredictions<'a> {
    pub(super) target: Target,
    pub(super) rows: Vec<&'a Prediction>,
    /// True classes.
    pub(super) labels: Vec<usize>,
    pub(super) hard_labels: Vec<usize>,
    /// Whether a study truly is positive.
    pub(super) positive: Vec<bool>,
    /// The probability of a positive.
    pub(super) scores: Vec<f64>,
    /// Each study's patient, numbered from 0 without gaps.
    pub(super) patients: Vec<usize>,
}

impl<'a> LabelledPredictions<'a> {
    /// Takes the labelled ones of `rows`; `patient` is the index of the covariate that names the
    /// patient. A study whose patient is not known is its own patient.
    pub(super) fn new(
        target: Target,
        rows: impl IntoIterator<Item = &'a Prediction>,
        patient: Option<usize>,
    ) -> Self {
        let mut labelled = Self {
            target,
            rows: Vec::new(),
            labels: Vec::new(),
            hard_labels: Vec::new(),
            positive: Vec::new(),
            scores: Vec::new(),
            patients: Vec::new(),
        };
        for row in rows {
            let Some(label) = row.label else { continue };
            labelled.rows.push(row);
            labelled.labels.push(label);
            labelled.hard_labels.push(row.hard_label());
            labelled
                .positive
                .push(label >= target.first_positive_class());
            labelled
                .scores
                .push(positive_probability(target, &row.probabilities));
        }
        labelled.patients =
            number_patients(labelled.rows.iter().enumerate().map(|(study, row)| {
                let name = patient.and_then(|column| row.covariates.get(column));
                name.filter(|name| !name.is_empty()).ok_or(study)
            }));
        labelled
    }

    pub(super) fn studies(&self) -> u64 {
        self.rows.len() as u64
    }

    pub(super) fn positives(&self) -> u64 {
        self.positive.iter().filter(|&&positive| positive).count() as u64
    }

    pub(super) fn confusion(&self) -> ConfusionMatrix {
        let pairs = self
            .labels
            .iter()
            .copied()
            .zip(self.hard_labels.iter().copied());
        ConfusionMatrix::new(self.target.classes().len(), pairs)
    }

    /// Hard labels and truth, positive or negative.
    pub(super) fn calls(&self) -> Calls<'_> {
        let first = self.target.first_positive_class();
        Calls {
            positive: &self.positive,
            called: self
                .hard_labels
                .iter()
                .map(|&label| label >= first)
                .collect(),
            patients: &self.patients,
        }
    }

    /// The probability of a positive as a score.
    pub(super) fn scored(&self) -> ScoredStudies<'_> {
        ScoredStudies {
            scores: &self.scores,
            positive: &self.positive,
            patients: &self.patients,
        }
    }

    /// The number of patients.
    pub(super) fn patient_count(&self) -> u64 {
        let last = self.patients.iter().max();
        last.map_or(0, |&last| last as u64 + 1)
    }

    /// The share of studies whose class is predicted correctly.
    pub(super) fn accuracy(&self) -> Option<Estimate> {
        self.share(|_, _| true, |label, hard_label| label == hard_label)
    }

    /// The share of the studies that are called a class that are of it.
    pub(super) fn precision(&self, class: usize) -> Option<Estimate> {
        self.share(
            |_, hard_label| hard_label == class,
            |label, _| label == class,
        )
    }

    /// The share of the studies of a class that are called it.
    pub(super) fn recall(&self, class: usize) -> Option<Estimate> {
        self.share(
            |label, _| label == class,
            |_, hard_label| hard_label == class,
        )
    }

    /// Of the studies whose class and hard label are among those looked at, the share for which an event came true.
    fn share(
        &self,
        among: impl Fn(usize, usize) -> bool,
        event: impl Fn(usize, usize) -> bool,
    ) -> Option<Estimate> {
        let labels = self.labels.iter().zip(&self.hard_labels);
        let studies = self.patients.iter().zip(labels);
        let among = studies.filter(|&(_, (&label, &hard_label))| among(label, hard_label));
        let events =
            among.map(|(&patient, (&label, &hard_label))| (patient, event(label, hard_label)));
        Share::new(events).estimate()
    }

    /// The names of the classes that no study is of.
    pub(super) fn absent_classes(&self) -> Vec<&'static str> {
        let classes = self.target.classes().iter().enumerate();
        classes
            .filter(|(class, _)| !self.labels.contains(class))
            .map(|(_, name)| *name)
            .collect()
    }

    /// The area of one class against the rest, by its probability.
    pub(super) fn class_area(&self, class: usize) -> Option<Area> {
        roc::area(&self.class_probabilities(class), &self.is_class(class))
    }

    pub(super) fn class_probabilities(&self, class: usize) -> Vec<f64> {
        let rows = self.rows.iter();
        rows.map(|row| row.probabilities[class]).collect()
    }

    pub(super) fn is_class(&self, class: usize) -> Vec<bool> {
        self.labels.iter().map(|&label| label == class).collect()
    }

    /// The target's AUC: of the positive class, or the mean of one-versus-rest over all classes.
    pub(super) fn auc(&self) -> Option<Estimate> {
        roc::mean_area(&self.class_areas()?, &self.patients)
    }

    /// The areas whose mean is the target's AUC.
    pub(super) fn class_areas(&self) -> Option<Vec<Area>> {
        self.areas(|class| self.class_area(class))
    }

    /// The same AUC, of hard labels in place of probabilities.
    pub(super) fn auc_hard(&self) -> Option<Estimate> {
        let areas = self.areas(|class| {
            let called = |&label: &usize| f64::from(u8::from(label == class));
            let scores: Vec<f64> = self.hard_labels.iter().map(called).collect();
            roc::area(&scores, &self.is_class(class))
        });
        roc::mean_area(&areas?, &self.patients)
    }

    fn areas(&self, area: impl Fn(usize) -> Option<Area>) -> Option<Vec<Area>> {
        let classes = match self.target.classes().len() {
            2 => 1..2,
            more => 0..more,
        };
        classes.map(area).collect()
    }

    /// The AUC of the probability of a positive.
    pub(super) fn positive_auc(&self) -> Option<Estimate> {
        roc::mean_area(&self.positive_area()?, &self.patients)
    }

    /// The areas whose mean is that AUC: one.
    pub(super) fn positive_area(&self) -> Option<Vec<Area>> {
        Some(vec![roc::area(&self.scores, &self.positive)?])
    }

    /// The AUC of the question whether a hard label is positive.
    pub(super) fn positive_auc_hard(&self) -> Option<Estimate> {
        let first = self.target.first_positive_class();
        let called = |&label: &usize| f64::from(u8::from(label >= first));
        let scores: Vec<f64> = self.hard_labels.iter().map(called).collect();
        roc::mean_area(&[roc::area(&scores, &self.positive)?], &self.patients)
    }

    pub(super) fn probabilities(&self) -> Vec<&'a [f64]> {
        let rows = self.rows.iter();
        rows.map(|row| row.probabilities.as_slice()).collect()
    }

    /// The Brier score, as [`Metrics::brier`](super::Metrics::brier).
    pub(super) fn brier(&self) -> Option<f64> {
        if self.target.classes().len() == 2 {
            return calibration::brier(&self.scores, &self.positive);
        }
        calibration::multiclass_brier(&self.probabilities(), &self.labels)
    }

    /// The expected calibration error of the hard label.
    pub(super) fn calibration_error(&self) -> Option<f64> {
        let hard_labels = self.hard_labels.iter();
        let confidences: Vec<f64> = hard_labels
            .clone()
            .zip(&self.rows)
            .map(|(&call, row)| row.probabilities[call])
            .collect();
        let right: Vec<bool> = hard_labels
            .zip(&self.labels)
            .map(|(call, label)| call == label)
            .collect();
        calibration::expected_error(&calibration::bins(&confidences, &right, &self.patients))
    }

    /// Kappa of truth and hard label.
    pub(super) fn kappa(&self, weighting: KappaWeights) -> Option<Estimate> {
        let pairs = self
            .labels
            .iter()
            .copied()
            .zip(self.hard_labels.iter().copied());
        let pairs: Vec<_> = pairs.collect();
        kappa::kappa(
            &pairs,
            self.target.classes().len(),
            weighting,
            &self.patients,
        )
    }

    /// Kappa of truth and hard label, positive or negative.
    pub(super) fn positive_kappa(&self) -> Option<Estimate> {
        let pairs = self
            .labels
            .iter()
            .copied()
            .zip(self.hard_labels.iter().copied());
        let pairs: Vec<_> = pairs.collect();
        positive_kappa(self.target, &pairs, &self.patients)
    }
}

/// Kappa of two readings in the target's classes, positive or negative.
pub(super) fn positive_kappa(
    target: Target,
    pairs: &[(usize, usize)],
    patients: &[usize],
) -> Option<Estimate> {
    let class = |class: usize| usize::from(class >= target.first_positive_class());
    let pairs: Vec<_> = pairs.iter().map(|&(a, b)| (class(a), class(b))).collect();
    kappa::kappa(&pairs, 2, KappaWeights::Unweighted, patients)
}

/// The class of the highest probability, the first of equals.
pub(super) fn hard_label(probabilities: &[f64]) -> usize {
    let mut best = 0;
    for (class, &probability) in probabilities.iter().enumerate() {
        if probability > probabilities[best] {
            best = class;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grades_1_and_2_confused_are_an_error_of_positivity_and_2_and_3_are_not() {
        let pairs = [(0, 0), (1, 2), (2, 3), (3, 3), (2, 1), (2, 1)];
        let rows = pairs.map(|(label, call)| Prediction {
            study: String::new(),
            fold: None,
            label: Some(label),
            probabilities: (0..4).map(|class| f64::from(class == call)).collect(),
            covariates: Vec::new(),
        });
        let labelled = LabelledPredictions::new(Target::Perugini, &rows, None);
        let counts = labelled.calls().counts();
        assert_eq!((counts.true_positives, counts.false_negatives), (2, 2));
        assert_eq!((counts.false_positives, counts.true_negatives), (1, 1));
        let value = |share: Option<Estimate>| share.map(|share| share.value);
        assert_eq!(value(labelled.accuracy()), Some(2.0 / 6.0));
        assert_eq!(value(labelled.precision(3)), Some(0.5));
        assert_eq!(value(labelled.recall(2)), Some(0.0));
    }
}
