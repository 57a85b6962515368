//! The whole evaluation: a table of predictions becomes [`Metrics`].

use std::collections::BTreeMap;

use snafu::ensure;

use super::calibration;
use super::decision_curve::decision_curve;
use super::error::{ClassesSnafu, Error, NoLabelsSnafu, PrevalenceSnafu, ThresholdSnafu};
use super::interval::Estimate;
use super::kappa::KappaWeights;
use super::labelled_predictions::LabelledPredictions;
use super::metrics::{
    ClassMetrics, EvaluationOptions, FoldMetrics, Metrics, PositiveMetrics, Spread,
};
use super::operating_point::operating_points;
use super::predictions::{Prediction, Predictions, positive_probability};
use super::predictive_values::{self, REFERENCE_PREVALENCE};
use super::prior::{self, AssumedPrior};
use super::reader_agreement::{SECOND_READER, second_reader};
use super::reliability::{Reliability, reliability};
use super::roc::{self, RocCurve};
use super::subgroup::{PATIENT, subgroups};
use super::temperature::{self, TemperatureScaling};
use attrium_types::Target;

/// Evaluates a target's predictions.
///
/// Studies without a label are counted and otherwise passed over.
///
/// # Errors
/// The table is not of this target or has no labelled study; a row breaks the table's rules; the
/// stated prevalence is not between 0 and 1, or the threshold not from 0 to 1.
pub fn evaluate(
    target: Target,
    predictions: &Predictions,
    options: &EvaluationOptions,
) -> Result<Metrics, Error> {
    let stated = options.prevalence.unwrap_or(REFERENCE_PREVALENCE);
    for prevalence in [Some(stated), options.prior.stated()].into_iter().flatten() {
        let between = prevalence > 0.0 && prevalence < 1.0;
        ensure!(between, PrevalenceSnafu { prevalence });
    }
    if let Some(threshold) = options.threshold {
        let share = (0.0..=1.0).contains(&threshold);
        ensure!(share, ThresholdSnafu { threshold });
    }
    check(target, predictions)?;
    let patient = predictions.column(PATIENT);
    let labelled = LabelledPredictions::new(target, &predictions.rows, patient);
    ensure!(labelled.studies() > 0, NoLabelsSnafu);

    let mut warnings = cohort_warnings(&labelled);
    let classes = class_metrics(&labelled, &mut warnings);
    let folds = fold_metrics(&labelled, patient, &mut warnings);
    let subgroups = subgroups(target, predictions, patient, &mut warnings);
    let patients = patient.map(|_| labelled.patient_count());
    Ok(Metrics {
        unlabelled: predictions.rows.len() as u64 - labelled.studies(),
        patients,
        classes,
        fold_auc: spread(folds.iter().filter_map(|fold| fold.auc)),
        folds,
        subgroups,
        second_reader: predictions
            .column(SECOND_READER)
            .and_then(|column| second_reader(&labelled, column)),
        warnings,
        ..overall(&labelled, stated, options)
    })
}

/// Refuses a table that is not of this target or breaks the table's rules.
pub(super) fn check(target: Target, predictions: &Predictions) -> Result<(), Error> {
    let (expected, found) = (target.classes().len(), predictions.classes);
    ensure!(
        expected == found,
        ClassesSnafu {
            target,
            expected,
            found
        }
    );
    predictions.check()
}

/// The metrics of the cohort as a whole; the lists of folds, classes and subgroups stay empty.
fn overall(
    labelled: &LabelledPredictions<'_>,
    stated: f64,
    options: &EvaluationOptions,
) -> Metrics {
    let confusion = labelled.confusion();
    let calls = labelled.calls();
    let (sensitivity, specificity) = (calls.sensitivity(), calls.specificity());
    let positive = positive_metrics(labelled, stated, options);
    Metrics {
        target: labelled.target,
        studies: labelled.studies(),
        unlabelled: 0,
        patients: None,
        positives: labelled.positives(),
        clustered_intervals: labelled.patient_count() < labelled.studies(),
        auc: labelled.auc(),
        auc_hard: labelled.auc_hard(),
        accuracy: labelled.accuracy(),
        sensitivity,
        specificity,
        at_cohort: predictive_values::at_cohort(&calls),
        at_stated: predictive_values::at(stated, sensitivity, specificity),
        kappa: labelled.kappa(KappaWeights::Unweighted),
        quadratic_kappa: labelled.kappa(KappaWeights::Quadratic),
        brier: labelled.brier(),
        expected_calibration_error: labelled.calibration_error(),
        classes: Vec::new(),
        confusion,
        roc: curves(labelled, &positive),
        positive,
        folds: Vec::new(),
        fold_auc: None,
        subgroups: Vec::new(),
        second_reader: None,
        temperature_scaling: temperature_scaling(labelled, options),
        warnings: Vec::new(),
    }
}

fn positive_metrics(
    labelled: &LabelledPredictions<'_>,
    stated: f64,
    options: &EvaluationOptions,
) -> PositiveMetrics {
    let (scores, positive) = (&labelled.scores, &labelled.positive);
    // The sum of two probabilities may pass 1 by rounding, within the tolerance of the table.
    let probabilities: Vec<f64> = scores.iter().map(|score| score.min(1.0)).collect();
    let calibration = calibration::bins(&probabilities, positive, &labelled.patients);
    PositiveMetrics {
        auc: labelled.positive_auc(),
        auc_hard: labelled.positive_auc_hard(),
        accuracy: labelled.calls().accuracy(),
        kappa: labelled.positive_kappa(),
        brier: calibration::brier(&probabilities, positive),
        expected_calibration_error: calibration::expected_error(&calibration),
        calibration,
        reliability: reliability_of(labelled, options.prior),
        roc: roc::curve("positive", scores, positive),
        operating_points: operating_points(labelled.scored(), stated, options.threshold),
        decision_curve: decision_curve(labelled.scored(), stated),
    }
}

/// How far the probability of a positive can be taken at its word, at the prevalence of the studies where it is
/// stated for another.
fn reliability_of(labelled: &LabelledPredictions<'_>, prior: AssumedPrior) -> Option<Reliability> {
    let corrections = prior.stated().map_or_else(Vec::new, |_| {
        prior.correction(labelled.target, &labelled.labels)
    });
    let rows = labelled.rows.iter();
    let probabilities = rows.map(|row| {
        let probabilities = prior::corrected(&row.probabilities, &corrections);
        // The sum of two probabilities may pass 1 by rounding, within the tolerance of the table.
        positive_probability(labelled.target, &probabilities).min(1.0)
    });
    let probabilities: Vec<f64> = probabilities.collect();
    reliability(&probabilities, &labelled.positive, &labelled.patients)
}

/// What one temperature for all studies makes of the metrics of their probabilities.
fn temperature_scaling(
    labelled: &LabelledPredictions<'_>,
    options: &EvaluationOptions,
) -> Option<TemperatureScaling> {
    let plain = labelled.probabilities();
    let prior = options.prior;
    let prior_correction = prior.correction(labelled.target, &labelled.labels);
    let rows = labelled.rows.iter();
    let corrected: Vec<_> = rows.map(|row| row.corrected(&prior_correction)).collect();
    let rows: Vec<&[f64]> = corrected.iter().map(|row| &*row.probabilities).collect();
    let temperature = temperature::fit(&rows, &labelled.labels)?;
    let scaled: Vec<_> = corrected
        .iter()
        .map(|row| row.at_temperature(temperature))
        .collect();
    let scaled = LabelledPredictions {
        patients: labelled.patients.clone(),
        ..LabelledPredictions::new(labelled.target, &scaled, None)
    };
    Some(TemperatureScaling {
        prior_correction,
        temperature,
        log_loss: temperature::log_loss(&plain, &labelled.labels)?,
        scaled_log_loss: temperature::log_loss(&scaled.probabilities(), &scaled.labels)?,
        scaled_brier: scaled.brier()?,
        scaled_expected_calibration_error: scaled.calibration_error()?,
        reliability: reliability_of(&scaled, AssumedPrior::Cohort),
    })
}

fn curves(labelled: &LabelledPredictions<'_>, positive: &PositiveMetrics) -> Vec<RocCurve> {
    let classes = labelled.target.classes();
    if classes.len() == 2 {
        return positive.roc.iter().cloned().collect();
    }
    let curve = |(class, name): (usize, &&str)| {
        roc::curve(
            name,
            &labelled.class_probabilities(class),
            &labelled.is_class(class),
        )
    };
    classes.iter().enumerate().filter_map(curve).collect()
}

fn class_metrics(
    labelled: &LabelledPredictions<'_>,
    warnings: &mut Vec<String>,
) -> Vec<ClassMetrics> {
    let confusion = labelled.confusion();
    let names = labelled.target.classes().iter().enumerate();
    names
        .map(|(class, name)| {
            let (studies, called) = (confusion.truly(class), confusion.called(class));
            if called == 0 {
                warnings.push(format!(
                    "no study was called {name}: its precision is not defined"
                ));
            }
            let area = labelled.class_area(class);
            ClassMetrics {
                name: (*name).to_owned(),
                studies,
                called,
                auc: area.and_then(|area| roc::mean_area(&[area], &labelled.patients)),
                precision: labelled.precision(class),
                recall: labelled.recall(class),
            }
        })
        .collect()
}

fn fold_metrics(
    labelled: &LabelledPredictions<'_>,
    patient: Option<usize>,
    warnings: &mut Vec<String>,
) -> Vec<FoldMetrics> {
    let mut members: BTreeMap<usize, Vec<&Prediction>> = BTreeMap::new();
    for row in &labelled.rows {
        if let Some(fold) = row.fold {
            members.entry(fold).or_default().push(row);
        }
    }
    members
        .into_iter()
        .map(|(fold, rows)| {
            let of_fold = LabelledPredictions::new(labelled.target, rows, patient);
            let absent = of_fold.absent_classes();
            if !absent.is_empty() {
                warnings.push(format!(
                    "fold {fold} has no study of {}: its AUC is not defined",
                    absent.join(", ")
                ));
            }
            let calls = of_fold.calls();
            let value = |share: Option<Estimate>| share.map(|share| share.value);
            FoldMetrics {
                fold,
                studies: of_fold.studies(),
                positives: of_fold.positives(),
                auc: value(of_fold.auc()),
                accuracy: value(of_fold.accuracy()),
                sensitivity: value(calls.sensitivity()),
                specificity: value(calls.specificity()),
            }
        })
        .collect()
}

/// The spread of the values; `None` where there are none.
fn spread(values: impl Iterator<Item = f64>) -> Option<Spread> {
    let values: Vec<f64> = values.collect();
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Some(Spread {
        folds: values.len() as u64,
        mean,
        standard_deviation: (values.len() > 1).then(|| (squares / (count - 1.0)).sqrt()),
        min: values.iter().copied().reduce(f64::min)?,
        max: values.iter().copied().reduce(f64::max)?,
    })
}

fn cohort_warnings(labelled: &LabelledPredictions<'_>) -> Vec<String> {
    let mut warnings = Vec::new();
    let absent = labelled.absent_classes();
    if !absent.is_empty() {
        warnings.push(format!(
            "no study is of {}: what compares it with the others is not defined",
            absent.join(", ")
        ));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(table: &str) -> Predictions {
        Predictions::parse(table.as_bytes()).expect("a right table")
    }

    fn evaluated(target: Target, table: &str) -> Result<Metrics, Error> {
        evaluate(target, &parse(table), &EvaluationOptions::default())
    }

    #[test]
    fn a_table_of_another_task_is_refused() {
        let error = evaluated(Target::Perugini, "study,fold,label,p_0,p_1\n1,0,0,1,0\n");
        let message = error.expect_err("two classes").to_string();
        assert!(message.contains("has 2 classes where the task Perugini has 4"));
    }

    #[test]
    fn a_table_without_labels_is_refused() {
        let error = evaluated(Target::Positive, "study,fold,label,p_0,p_1\n1,,,1,0\n");
        assert!(matches!(error, Err(Error::NoLabels)));
    }

    #[test]
    fn a_prevalence_is_neither_0_nor_1_nor_nan() {
        let table = parse("study,fold,label,p_0,p_1\n1,0,0,1,0\n");
        for prevalence in [0.0, 1.0, -0.5, f64::NAN] {
            let options = EvaluationOptions {
                prevalence: Some(prevalence),
                ..EvaluationOptions::default()
            };
            let error = evaluate(Target::Positive, &table, &options);
            assert!(
                matches!(error, Err(Error::Prevalence { .. })),
                "{prevalence}"
            );
        }
    }

    #[test]
    fn a_threshold_is_a_probability() {
        let table = parse("study,fold,label,p_0,p_1\n1,0,0,1,0\n");
        for threshold in [-0.1, 1.1, f64::NAN] {
            let options = EvaluationOptions {
                threshold: Some(threshold),
                ..EvaluationOptions::default()
            };
            let error = evaluate(Target::Positive, &table, &options);
            assert!(matches!(error, Err(Error::Threshold { .. })), "{threshold}");
        }
    }

    #[test]
    fn a_table_made_in_memory_is_checked_as_a_file_is() {
        let mut table = parse("study,fold,label,p_0,p_1\n1,0,0,1,0\n");
        table.rows[0].probabilities = vec![f64::NAN, 0.5];
        let error = evaluate(Target::Positive, &table, &EvaluationOptions::default());
        assert!(matches!(error, Err(Error::Value { line: 2, .. })));
    }

    #[test]
    fn studies_without_a_label_are_counted_and_change_nothing_else() {
        let labelled = "study,fold,label,p_0,p_1\n1,0,0,0.9,0.1\n2,0,1,0.2,0.8\n";
        let without = evaluated(Target::Positive, labelled).expect("labelled studies");
        let with = format!("{labelled}3,,,0.5,0.5\n");
        let with = evaluated(Target::Positive, &with).expect("labelled studies");
        assert_eq!(with.unlabelled, 1);
        assert_eq!(
            Metrics {
                unlabelled: 0,
                ..with
            },
            without
        );
    }

    #[test]
    fn for_four_grades_the_hard_label_decides_sensitivity_and_the_sum_the_operating_point() {
        // Grade 1 is the likeliest grade, yet grades 2 and 3 together are likelier than not.
        let table = "study,fold,label,p_0,p_1,p_2,p_3\n1,0,2,0,0.4,0.3,0.3\n2,0,0,1,0,0,0\n";
        let metrics = evaluated(Target::Perugini, table).expect("labelled studies");
        assert_eq!(metrics.sensitivity.map(|share| share.value), Some(0.0));
        let at_half = metrics
            .positive
            .operating_points
            .last()
            .expect("the stated threshold");
        assert_eq!(at_half.threshold, 0.5);
        assert_eq!(at_half.sensitivity.map(|share| share.value), Some(1.0));
    }

    fn grades() -> impl Strategy<Value = Predictions> {
        let study = (0usize..4, 0usize..3, prop::array::uniform4(1u8..50));
        prop::collection::vec(study, 1..40).prop_map(|studies| Predictions {
            classes: 4,
            covariates: vec!["sex".to_owned()],
            rows: studies
                .into_iter()
                .enumerate()
                .map(|(study, (label, fold, weights))| {
                    let sum: f64 = weights.iter().map(|&weight| f64::from(weight)).sum();
                    Prediction {
                        study: study.to_string(),
                        fold: Some(fold),
                        label: Some(label),
                        probabilities: weights.map(|weight| f64::from(weight) / sum).to_vec(),
                        covariates: vec![["F", "M"][study % 2].to_owned()],
                    }
                })
                .collect(),
        })
    }

    proptest! {
        #[test]
        fn json_holds_numbers_alone_and_reads_back(predictions in grades()) {
            let metrics = evaluate(Target::Perugini, &predictions, &EvaluationOptions::default());
            let metrics = metrics.expect("labelled studies");
            let json = serde_json::to_string(&metrics).expect("metrics are JSON");
            let back: Metrics = serde_json::from_str(&json).expect("what was written");
            prop_assert_eq!(back.studies, metrics.studies);
            prop_assert_eq!(back.auc.is_some(), metrics.auc.is_some());
        }

        #[test]
        fn the_order_of_the_rows_does_not_matter(predictions in grades()) {
            let mut reversed = predictions.clone();
            reversed.rows.reverse();
            let of = |table| evaluate(Target::Perugini, table, &EvaluationOptions::default());
            let (one, other) = (of(&predictions)?, of(&reversed)?);
            let value = |metrics: &Metrics| metrics.auc.map(|auc| auc.value);
            prop_assert_eq!(value(&one), value(&other));
            prop_assert_eq!(one.confusion, other.confusion);
            prop_assert_eq!(one.positive.roc, other.positive.roc);
            prop_assert_eq!(one.warnings, other.warnings);
        }

        #[test]
        fn folds_and_subgroups_divide_the_cohort(predictions in grades()) {
            let metrics = evaluate(Target::Perugini, &predictions, &EvaluationOptions::default())?;
            let folds: u64 = metrics.folds.iter().map(|fold| fold.studies).sum();
            let groups: u64 = metrics.subgroups.iter().map(|row| row.positives).sum();
            prop_assert_eq!(folds, metrics.studies);
            prop_assert_eq!(groups, metrics.positives);
        }
    }
}
