//! The whole evaluation: a table of predictions becomes [`Metrics`].

use std::collections::BTreeMap;

use snafu::ensure;

use super::agreement::Weighting;
use super::calibration;
use super::cohort::Cohort;
use super::error::{ClassesSnafu, Error, NoLabelsSnafu, PrevalenceSnafu};
use super::interval::{proportion, split};
use super::metrics::{ClassMetrics, FoldMetrics, Metrics, Options, PositiveMetrics, Spread};
use super::operating_point::operating_points;
use super::predictions::{Prediction, Predictions};
use super::prevalence;
use super::roc::{self, RocCurve};
use super::second_reader::{SECOND_READER, second_reader};
use super::subgroup::{PATIENT, subgroups};
use crate::api::Task;

/// Evaluates a task's predictions.
///
/// Studies without a label are counted and otherwise passed over.
///
/// # Errors
/// The table is not of this task or has no labelled study; a row breaks the table's rules; the
/// stated prevalence is not between 0 and 1.
pub fn evaluate(
    task: Task,
    predictions: &Predictions,
    options: &Options,
) -> Result<Metrics, Error> {
    let stated = options
        .prevalence
        .unwrap_or_else(|| prevalence::reference_prevalence(task));
    let between = stated > 0.0 && stated < 1.0;
    ensure!(between, PrevalenceSnafu { prevalence: stated });
    let (expected, found) = (task.classes().len(), predictions.classes);
    ensure!(
        expected == found,
        ClassesSnafu {
            task,
            expected,
            found
        }
    );
    predictions.check()?;
    let column = |wanted: &str| {
        predictions
            .covariates
            .iter()
            .position(|name| name == wanted)
    };
    let patient = column(PATIENT);
    let cohort = Cohort::new(task, &predictions.rows, patient);
    ensure!(cohort.studies() > 0, NoLabelsSnafu);

    let mut warnings = cohort_warnings(&cohort);
    let classes = classes(&cohort, &mut warnings);
    let folds = folds(&cohort, patient, &mut warnings);
    let subgroups = subgroups(task, predictions, patient, &mut warnings);
    let patients = patient.map(|_| patient_count(&cohort));
    Ok(Metrics {
        unlabelled: predictions.rows.len() as u64 - cohort.studies(),
        patients,
        classes,
        fold_auc: spread(folds.iter().filter_map(|fold| fold.auc)),
        folds,
        subgroups,
        second_reader: column(SECOND_READER).and_then(|column| second_reader(&cohort, column)),
        warnings,
        ..whole(&cohort, stated)
    })
}

/// What is measured on the cohort as a whole; lists of parts are left empty.
fn whole(cohort: &Cohort<'_>, stated: f64) -> Metrics {
    let confusion = cohort.confusion();
    let counts = cohort.two_by_two();
    let (auc, auc_interval) = split(cohort.auc());
    let (auc_hard, auc_hard_interval) = split(cohort.auc_hard());
    let (accuracy, accuracy_interval) = split(proportion(confusion.correct(), confusion.total()));
    let (sensitivity, sensitivity_interval) =
        split(proportion(counts.true_positives, counts.positives()));
    let (specificity, specificity_interval) =
        split(proportion(counts.true_negatives, counts.negatives()));
    let (kappa, kappa_interval) = split(cohort.kappa(Weighting::Plain));
    let (quadratic_kappa, quadratic_kappa_interval) = split(cohort.kappa(Weighting::Quadratic));
    let positive = positive(cohort, stated);
    Metrics {
        task: cohort.task,
        studies: cohort.studies(),
        unlabelled: 0,
        patients: None,
        positives: cohort.positives(),
        auc,
        auc_interval,
        auc_hard,
        auc_hard_interval,
        accuracy,
        accuracy_interval,
        sensitivity,
        sensitivity_interval,
        specificity,
        specificity_interval,
        at_cohort: prevalence::at_cohort(&counts),
        at_stated: prevalence::at(stated, &counts),
        kappa,
        kappa_interval,
        quadratic_kappa,
        quadratic_kappa_interval,
        brier: brier(cohort),
        expected_calibration_error: hard_label_calibration_error(cohort),
        classes: Vec::new(),
        confusion,
        roc: curves(cohort, &positive),
        positive,
        folds: Vec::new(),
        fold_auc: None,
        subgroups: Vec::new(),
        second_reader: None,
        warnings: Vec::new(),
    }
}

fn positive(cohort: &Cohort<'_>, stated: f64) -> PositiveMetrics {
    let counts = cohort.two_by_two();
    let (scores, positive) = (&cohort.scores, &cohort.positive);
    let (auc, auc_interval) = split(cohort.positive_auc());
    let (auc_hard, auc_hard_interval) = split(cohort.positive_auc_hard());
    let (accuracy, accuracy_interval) = split(proportion(counts.correct(), counts.total()));
    let (kappa, kappa_interval) = split(cohort.positive_kappa());
    // The sum of two probabilities may pass 1 by rounding, within the tolerance of the table.
    let probabilities: Vec<f64> = scores.iter().map(|score| score.min(1.0)).collect();
    let calibration = calibration::bins(&probabilities, positive);
    PositiveMetrics {
        auc,
        auc_interval,
        auc_hard,
        auc_hard_interval,
        accuracy,
        accuracy_interval,
        kappa,
        kappa_interval,
        brier: calibration::brier(&probabilities, positive),
        expected_calibration_error: calibration::expected_error(&calibration),
        calibration,
        roc: roc::curve("positive", scores, positive),
        operating_points: operating_points(scores, positive, stated),
    }
}

fn brier(cohort: &Cohort<'_>) -> Option<f64> {
    if cohort.task.classes().len() == 2 {
        return calibration::brier(&cohort.scores, &cohort.positive);
    }
    let rows = cohort.rows.iter();
    let rows: Vec<&[f64]> = rows.map(|row| row.probabilities.as_slice()).collect();
    calibration::multiclass_brier(&rows, &cohort.labels)
}

fn hard_label_calibration_error(cohort: &Cohort<'_>) -> Option<f64> {
    let calls = cohort.calls.iter();
    let confidences: Vec<f64> = calls
        .clone()
        .zip(&cohort.rows)
        .map(|(&call, row)| row.probabilities[call])
        .collect();
    let right: Vec<bool> = calls
        .zip(&cohort.labels)
        .map(|(call, label)| call == label)
        .collect();
    calibration::expected_error(&calibration::bins(&confidences, &right))
}

fn curves(cohort: &Cohort<'_>, positive: &PositiveMetrics) -> Vec<RocCurve> {
    let classes = cohort.task.classes();
    if classes.len() == 2 {
        return positive.roc.iter().cloned().collect();
    }
    let curve = |(class, name): (usize, &&str)| {
        roc::curve(
            name,
            &cohort.class_probabilities(class),
            &cohort.is_class(class),
        )
    };
    classes.iter().enumerate().filter_map(curve).collect()
}

fn classes(cohort: &Cohort<'_>, warnings: &mut Vec<String>) -> Vec<ClassMetrics> {
    let confusion = cohort.confusion();
    let names = cohort.task.classes().iter().enumerate();
    names
        .map(|(class, name)| {
            let right = confusion.counts()[class][class];
            let (studies, called) = (confusion.truly(class), confusion.called(class));
            if called == 0 {
                warnings.push(format!(
                    "no study was called {name}: its precision is not defined"
                ));
            }
            let area = cohort.class_area(class);
            let area = area.and_then(|area| roc::mean_area(&[area], &cohort.patients));
            let (auc, auc_interval) = split(area);
            let (precision, precision_interval) = split(proportion(right, called));
            let (recall, recall_interval) = split(proportion(right, studies));
            ClassMetrics {
                name: (*name).to_owned(),
                studies,
                called,
                auc,
                auc_interval,
                precision,
                precision_interval,
                recall,
                recall_interval,
            }
        })
        .collect()
}

fn folds(
    cohort: &Cohort<'_>,
    patient: Option<usize>,
    warnings: &mut Vec<String>,
) -> Vec<FoldMetrics> {
    let mut members: BTreeMap<usize, Vec<&Prediction>> = BTreeMap::new();
    for row in &cohort.rows {
        if let Some(fold) = row.fold {
            members.entry(fold).or_default().push(row);
        }
    }
    members
        .into_iter()
        .map(|(fold, rows)| {
            let of_fold = Cohort::new(cohort.task, rows, patient);
            let absent = of_fold.absent_classes();
            if !absent.is_empty() {
                warnings.push(format!(
                    "fold {fold} has no study of {}: its AUC is not defined",
                    absent.join(", ")
                ));
            }
            let (confusion, counts) = (of_fold.confusion(), of_fold.two_by_two());
            let share = |part, whole| proportion(part, whole).map(|share| share.value);
            FoldMetrics {
                fold,
                studies: of_fold.studies(),
                positives: of_fold.positives(),
                auc: of_fold.auc().map(|auc| auc.value),
                accuracy: share(confusion.correct(), confusion.total()),
                sensitivity: share(counts.true_positives, counts.positives()),
                specificity: share(counts.true_negatives, counts.negatives()),
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

fn cohort_warnings(cohort: &Cohort<'_>) -> Vec<String> {
    let mut warnings = Vec::new();
    let absent = cohort.absent_classes();
    if !absent.is_empty() {
        warnings.push(format!(
            "no study is of {}: what compares it with the others is not defined",
            absent.join(", ")
        ));
    }
    let (studies, patients) = (cohort.studies(), patient_count(cohort));
    if patients < studies {
        warnings.push(format!(
            "{studies} studies are of {patients} patients: intervals of AUC and kappa count \
             patients, Wilson's intervals count studies and are somewhat too narrow"
        ));
    }
    warnings
}

fn patient_count(cohort: &Cohort<'_>) -> u64 {
    cohort
        .patients
        .iter()
        .max()
        .map_or(0, |last| *last as u64 + 1)
}
