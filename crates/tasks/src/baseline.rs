//! The heart-to-contralateral ratio of each study: what a network has to beat to be of use.

use std::collections::HashMap;

use super::combination::Combination;
use attrium_dataset::Cohort;
use attrium_evaluation::{Baseline, BaselineStudy};
use attrium_training::out_of_fold_probabilities;
use attrium_types::Target;

/// The ratio as a baseline of a target, over the studies where it has a logarithm.
pub(super) fn baseline(cohort: &Cohort, target: Target, combinations: &[Combination]) -> Baseline {
    let mut studies: Vec<BaselineStudy> = cohort
        .records
        .iter()
        .filter_map(|record| {
            let score = record.ratios.contralateral.filter(|ratio| *ratio > 0.0)?;
            Some(BaselineStudy {
                study: record.study.to_string(),
                patient: record.patient,
                label: target.class_of(record.grade),
                score,
                probabilities: None,
            })
        })
        .collect();
    let judged = combinations.iter().find(|found| found.target == target);
    if let Some(judged) = judged.filter(|_| target.classes().len() > 2) {
        judge(&mut studies, judged);
    }
    Baseline {
        name: "heart-to-contralateral ratio".to_owned(),
        target,
        studies,
    }
}

/// Gives each study the probabilities of its classes by the ratio alone, from the studies of the folds
/// that its own network was trained on.
fn judge(studies: &mut [BaselineStudy], judged: &Combination) {
    let rows = judged.predictions.rows.iter();
    let fold_of: HashMap<&str, usize> = rows
        .filter_map(|row| Some((row.study.as_str(), row.fold?)))
        .collect();
    let folds = studies.iter();
    let folds: Option<Vec<usize>> = folds
        .map(|study| fold_of.get(study.study.as_str()).copied())
        .collect();
    // Every network has predicted every study of the cohort.
    let Some(folds) = folds else { return };
    let logarithms: Vec<f64> = studies.iter().map(|study| study.score.ln()).collect();
    let labels: Vec<usize> = studies.iter().map(|study| study.label).collect();
    let classes = judged.target.classes().len();
    let probabilities = out_of_fold_probabilities(&logarithms, &labels, &folds, classes);
    for (study, probabilities) in studies.iter_mut().zip(probabilities) {
        study.probabilities = probabilities;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use attrium_dataset::{Covariates, Delay, Preference, Record};
    use attrium_evaluation::{Prediction, Predictions};
    use attrium_imaging::{Acquisition, CROP_SIZE, CropRectangle, HeartRatios, Origin, ViewSource};
    use attrium_types::{Architecture, CropMode, Grade};

    /// A study's grade is its number modulo 4; each patient has two.
    fn record(study: u32, ratio: f64) -> Record {
        Record {
            study,
            patient: study / 2,
            names_patient: true,
            patient_id: None,
            digests: None,
            object: String::new(),
            grade: Grade::ALL[study as usize % 4],
            covariates: Covariates::default(),
            rectangle: CropRectangle {
                mode: CropMode::Robust,
                top: 0,
                left: 0,
                height: CROP_SIZE,
                width: CROP_SIZE,
            },
            scanner_model: None,
            preference: Preference {
                origin: Origin::Original,
                view_source: ViewSource::ViewCode,
                delay: Delay::Usual,
                acquired: None,
                acquisition: Acquisition::WholeBody,
            },
            counts: 1e6,
            ratios: HeartRatios {
                contralateral: Some(ratio),
                ..HeartRatios::default()
            },
            synthetic: true,
            warnings: Vec::new(),
        }
    }

    /// Two studies of each grade in each of two folds, with these ratios.
    fn cohort(ratio: impl Fn(u32) -> f64) -> Cohort {
        Cohort {
            records: (0..16).map(|study| record(study, ratio(study))).collect(),
            ..Cohort::default()
        }
    }

    /// A network's answers; folds are of eight studies each.
    fn combination(cohort: &Cohort, target: Target) -> Combination {
        let classes = target.classes().len();
        let rows = cohort.records.iter().map(|record| Prediction {
            study: record.study.to_string(),
            fold: Some(usize::from(record.study >= 8)),
            label: Some(target.class_of(record.grade)),
            probabilities: vec![1.0 / classes as f64; classes],
            covariates: Vec::new(),
        });
        Combination {
            architecture: Architecture::Linear,
            target,
            predictions: Predictions {
                classes,
                covariates: Vec::new(),
                rows: rows.collect(),
            },
            histories: Vec::new(),
        }
    }

    fn value(estimate: Option<attrium_evaluation::Estimate>) -> Option<f64> {
        estimate.map(|estimate| estimate.value)
    }

    /// Hotter by the grade, which is the study's number modulo 4, and by a little in each study.
    fn hotter_by_grade(study: u32) -> f64 {
        1.0 + 0.5 * f64::from(study % 4) + f64::from(study) / 160.0
    }

    #[test]
    fn for_four_grades_the_ratio_is_compared_as_probabilities_of_four_grades() {
        let cohort = cohort(hotter_by_grade);
        let combination = combination(&cohort, Target::Perugini);
        let found = baseline(&cohort, Target::Perugini, &[combination]).metrics();
        assert_eq!(value(found.auc), Some(1.0));
        assert_eq!(value(found.positive_auc), Some(1.0));
    }

    #[test]
    fn the_folds_of_the_run_decide_from_which_studies_the_ratio_is_judged() {
        // Grades that overlap, so that no probability is 0 but for rounding.
        let cohort = cohort(|study| 1.0 + f64::from(study * 7 % 16) / 40.0);
        let combination = combination(&cohort, Target::Perugini);
        let of = |cohort: &Cohort| {
            let one = std::slice::from_ref(&combination);
            baseline(cohort, Target::Perugini, one).studies
        };
        let mut changed = cohort.clone();
        changed.records[0].grade = changed.records[3].grade;
        let (before, after) = (of(&cohort), of(&changed));
        let same = |study: usize| before[study].probabilities == after[study].probabilities;
        assert!((0..8).all(same));
        assert!(!(8..16).any(same));
    }

    #[test]
    fn for_two_classes_the_ratio_itself_ranks_the_studies() {
        let cohort = cohort(hotter_by_grade);
        let combination = combination(&cohort, Target::Positive);
        let found = baseline(&cohort, Target::Positive, &[combination]);
        assert!(
            found
                .studies
                .iter()
                .all(|study| study.probabilities.is_none())
        );
        assert_eq!(value(found.metrics().auc), Some(1.0));
    }

    #[test]
    fn a_study_whose_ratio_has_no_logarithm_is_left_out() {
        let cohort = cohort(|study| {
            if study == 5 {
                0.0
            } else {
                hotter_by_grade(study)
            }
        });
        let combination = combination(&cohort, Target::Perugini);
        let found = baseline(
            &cohort,
            Target::Perugini,
            std::slice::from_ref(&combination),
        );
        assert_eq!(found.studies.len(), 15);
        let difference = found.difference(&combination.predictions);
        let difference = difference.expect("a table of the target");
        assert_eq!(difference.studies, 15);
        assert_eq!(value(difference.positive_auc), Some(-0.5));
    }

    #[test]
    fn without_a_network_there_are_no_folds_to_judge_four_grades_by() {
        let found = baseline(&cohort(hotter_by_grade), Target::Perugini, &[]).metrics();
        assert_eq!((found.auc, value(found.positive_auc)), (None, Some(1.0)));
    }
}
