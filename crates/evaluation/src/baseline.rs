//! What a score without a network reaches, and how much more a network reaches on the same studies.
//!
//! Like is compared with like: two classes are ranked by the score itself, more classes by
//! probabilities that were made of the score alone, and positives by the score in either case.

use std::collections::HashMap;

use super::error::Error;
use super::evaluate::check;
use super::labelled_predictions::{LabelledPredictions, number_patients};
use super::metrics::{BaselineDifference, BaselineMetrics};
use super::predictions::Predictions;
use super::roc::{self, Area};
use super::subgroup::PATIENT;
use attrium_types::Target;

/// A score without a network, over the studies that have it.
#[derive(Clone, Debug, PartialEq)]
pub struct Baseline {
    /// What the score is, in a few words.
    pub name: String,
    /// The question that it is compared on.
    pub target: Target,
    /// The studies that have a score.
    pub studies: Vec<BaselineStudy>,
}

/// What a [`Baseline`] says of one study.
#[derive(Clone, Debug, PartialEq)]
pub struct BaselineStudy {
    /// The study's name in the tables of predictions.
    pub study: String,
    /// The pseudonym of its patient.
    pub patient: u32,
    /// The index of the true class.
    pub label: usize,
    /// The greater, the likelier a positive; finite.
    pub score: f64,
    /// One probability for each class, made of the score alone and without this study; of a target of
    /// two classes, which the score itself ranks, `None`.
    pub probabilities: Option<Vec<f64>>,
}

impl Baseline {
    /// What the score reaches by itself.
    pub fn metrics(&self) -> BaselineMetrics {
        let studies: Vec<&BaselineStudy> = self.studies.iter().collect();
        let patients = number_patients(studies.iter().map(|study| study.patient));
        let labels: Vec<usize> = studies.iter().map(|study| study.label).collect();
        let ranked = RankedStudies {
            target: self.target,
            studies,
            labels: &labels,
        };
        let mean = |areas: Option<Vec<Area>>| roc::mean_area(&areas?, &patients);
        BaselineMetrics {
            name: self.name.clone(),
            target: self.target,
            auc: mean(ranked.class_areas()),
            positive_auc: mean(ranked.positive_area()),
        }
    }

    /// How much more a network reaches, on the labelled studies that have both a prediction and a score.
    ///
    /// # Errors
    /// The table is not of this target, or a row breaks the table's rules.
    pub fn difference(&self, predictions: &Predictions) -> Result<BaselineDifference, Error> {
        check(self.target, predictions)?;
        let scored: HashMap<&str, &BaselineStudy> = self
            .studies
            .iter()
            .map(|study| (study.study.as_str(), study))
            .collect();
        let own = |name: &str| scored.get(name).copied();
        let rows = predictions.rows.iter();
        let rows = rows.filter(|row| own(&row.study).is_some());
        let labelled = LabelledPredictions::new(self.target, rows, predictions.column(PATIENT));
        let ranked = RankedStudies {
            target: self.target,
            studies: labelled
                .rows
                .iter()
                .filter_map(|row| own(&row.study))
                .collect(),
            labels: &labelled.labels,
        };
        let more = |network: Option<Vec<Area>>, baseline: Option<Vec<Area>>| {
            roc::difference(&network?, &baseline?, &labelled.patients)
        };
        Ok(BaselineDifference {
            studies: labelled.studies(),
            auc: more(labelled.class_areas(), ranked.class_areas()),
            positive_auc: more(labelled.positive_area(), ranked.positive_area()),
        })
    }
}

/// Studies with their true classes, ranked by a baseline's score.
struct RankedStudies<'a> {
    target: Target,
    studies: Vec<&'a BaselineStudy>,
    labels: &'a [usize],
}

impl RankedStudies<'_> {
    /// The areas whose mean is the target's AUC.
    fn class_areas(&self) -> Option<Vec<Area>> {
        let classes = self.target.classes().len();
        if classes == 2 {
            return self.positive_area();
        }
        (0..classes)
            .map(|class| {
                let of_class =
                    |study: &&BaselineStudy| study.probabilities.as_ref()?.get(class).copied();
                self.area(of_class, |label| label == class)
            })
            .collect()
    }

    /// The area of the score itself, for the question whether a study is positive.
    fn positive_area(&self) -> Option<Vec<Area>> {
        let first = self.target.first_positive_class();
        let area = self.area(|study| Some(study.score), |label| label >= first)?;
        Some(vec![area])
    }

    fn area(
        &self,
        score: impl Fn(&&BaselineStudy) -> Option<f64>,
        is_positive: impl Fn(usize) -> bool,
    ) -> Option<Area> {
        let scores = self.studies.iter().map(score);
        let scores: Vec<f64> = scores
            .map(|score| score.filter(|s| s.is_finite()))
            .collect::<Option<_>>()?;
        let positive: Vec<bool> = self
            .labels
            .iter()
            .map(|&label| is_positive(label))
            .collect();
        roc::area(&scores, &positive)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Estimate;

    fn value(estimate: Option<Estimate>) -> Option<f64> {
        estimate.map(|estimate| estimate.value)
    }

    /// Studies named 0, 1, ... of these classes and scores, each of a patient of its own.
    fn baseline(target: Target, studies: &[(usize, f64)]) -> Baseline {
        let studies = studies.iter().enumerate();
        Baseline {
            name: "ratio".to_owned(),
            target,
            studies: studies
                .map(|(study, &(label, score))| BaselineStudy {
                    study: study.to_string(),
                    patient: study as u32,
                    label,
                    score,
                    probabilities: None,
                })
                .collect(),
        }
    }

    fn table(rows: &[(usize, f64)]) -> Predictions {
        let rows = rows.iter().enumerate();
        let rows: String = rows
            .map(|(study, (label, p))| format!("{study},0,{label},{},{p}\n", 1.0 - p))
            .collect();
        let table = format!("study,fold,label,p_0,p_1\n{rows}");
        Predictions::parse(table.as_bytes()).expect("a right table")
    }

    const STUDIES: [(usize, f64); 6] = [(0, 0.9), (0, 1.1), (1, 1.0), (0, 0.8), (1, 1.4), (1, 1.2)];

    #[test]
    fn the_score_itself_ranks_the_studies_of_two_classes() {
        let found = baseline(Target::Positive, &STUDIES).metrics();
        assert_eq!(value(found.auc), Some(8.0 / 9.0));
        assert_eq!(found.auc, found.positive_auc);
    }

    #[test]
    fn four_grades_are_not_ranked_by_the_score_itself() {
        let grades: Vec<(usize, f64)> = (0..8).map(|n| (n / 2, n as f64)).collect();
        let mut baseline = baseline(Target::Perugini, &grades);
        let without = baseline.metrics();
        assert_eq!(
            (without.auc, value(without.positive_auc)),
            (None, Some(1.0))
        );
        for study in &mut baseline.studies {
            let mut probabilities = vec![0.1; 4];
            probabilities[study.label] = 0.7;
            study.probabilities = Some(probabilities);
        }
        assert_eq!(value(baseline.metrics().auc), Some(1.0));
    }

    #[test]
    fn a_network_that_ranks_as_the_score_does_is_no_better() {
        let same: Vec<(usize, f64)> = STUDIES.map(|(label, score)| (label, score / 2.0)).to_vec();
        let difference = baseline(Target::Positive, &STUDIES).difference(&table(&same));
        let difference = difference.expect("a table of the task");
        let auc = difference.auc.expect("both classes are there");
        assert_eq!(auc.value, 0.0);
        let interval = auc.interval.expect("both limits are known");
        assert!(interval.low < 0.0 && 0.0 < interval.high);
    }

    #[test]
    fn only_studies_that_have_both_are_compared() {
        let rows = [
            (0, 0.1),
            (0, 0.2),
            (1, 0.9),
            (0, 0.3),
            (1, 0.8),
            (1, 0.7),
            (1, 0.0),
        ];
        let all = baseline(Target::Positive, &STUDIES);
        let difference = all.difference(&table(&rows)).expect("a table of the task");
        assert_eq!(difference.studies, 6);
        assert_eq!(value(difference.auc), Some(1.0 - 8.0 / 9.0));
        let none = baseline(Target::Positive, &[]);
        let difference = none.difference(&table(&rows)).expect("a table of the task");
        assert_eq!((difference.studies, difference.auc), (0, None));
    }

    #[test]
    fn a_score_that_is_not_a_number_leaves_the_areas_undefined() {
        let mut baseline = baseline(Target::Positive, &STUDIES);
        baseline.studies[1].score = f64::NAN;
        assert_eq!(baseline.metrics().auc, None);
    }

    #[test]
    fn a_table_of_another_task_is_refused() {
        let error =
            baseline(Target::Perugini, &[]).difference(&table(&STUDIES.map(|s| (s.0, 0.5))));
        assert!(matches!(error, Err(Error::Classes { .. })));
    }
}
