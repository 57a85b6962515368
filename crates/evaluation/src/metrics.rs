//! The contents of `metrics.json`.

use serde::{Deserialize, Serialize};

use super::{
    AssumedPrior, CalibrationBin, ConfusionMatrix, DecisionCurve, Estimate, FlaggedDecisions,
    GateResult, OperatingPoint, OperatingPointKind, PredictiveValues, Reliability, RocCurve,
    SubgroupMetrics, TemperatureScaling, Unanswered, ValidationOverlap, estimate_fields,
};
use attrium_types::{Architecture, InitialWeights, Target};

/// What a caller may choose of an evaluation.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct EvaluationOptions {
    /// The prevalence, in (0, 1), at which predictive values are stated beside the cohort's own;
    /// `None` for [`super::REFERENCE_PREVALENCE`].
    pub prevalence: Option<f64>,
    /// A threshold on the probability of a positive, from 0 to 1, that was chosen on other studies;
    /// it becomes the first operating point.
    pub threshold: Option<f64>,
    /// What the probabilities take to be the share of each class. They are brought to the shares of the cohort
    /// before a temperature is fitted, and those that are stated for a prevalence before their reliability is judged.
    pub prior: AssumedPrior,
}

/// `metrics.json`: everything that was measured in one run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MetricsDocument {
    /// Whether any of the images, or the model that was evaluated on them, is of phantoms: then nothing
    /// below says how well a network does on patients.
    #[serde(default)]
    pub synthetic: bool,
    /// One entry for each network and target.
    pub results: Vec<NetworkMetrics>,
    /// Simple scores without a network, for comparison.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub baselines: Vec<BaselineMetrics>,
    /// What became of the run's gates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gates: Vec<NetworkGate>,
    /// Of a training run, the SHA-256 of its table of labels: `sha256:` and hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<String>,
    /// Of a training run, those on the same labels before it; `None` where the store did not let it look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier_runs: Option<EarlierRuns>,
}

/// Runs that were evaluated before this one on the same labels, below the same output and namespace: of many tries the
/// best flatters itself, and gates are passed by repetition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EarlierRuns {
    /// How many there were.
    pub runs: u64,
    /// In how many of them a gate was missed.
    pub gate_missed: u64,
}

impl MetricsDocument {
    /// Whether every gate has passed; without gates they have.
    pub fn gates_passed(&self) -> bool {
        self.gates.iter().all(|gate| gate.outcome.passed)
    }
}

/// What became of a gate on one network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkGate {
    /// The network.
    pub architecture: Architecture,
    /// The target.
    #[serde(rename = "task")]
    pub target: Target,
    /// The outcome.
    #[serde(flatten)]
    pub outcome: GateResult,
}

/// The metrics of one network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkMetrics {
    /// The network.
    pub architecture: Architecture,
    /// What its training began from.
    #[serde(flatten)]
    pub initial_weights: InitialWeights,
    /// What it reached.
    #[serde(flatten)]
    pub metrics: Metrics,
    /// How much more that is than the target's baseline reaches; `None` without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline_difference: Option<BaselineDifference>,
    /// Of an external validation, the labelled studies without a prediction; `None` elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unanswered: Option<Unanswered>,
    /// Of an external validation, what the model was trained on of it; `None` elsewhere, and of validations from before
    /// anybody looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlap: Option<ValidationOverlap>,
    /// Of an external validation, what share of its wrong and of its right decisions was flagged as uncertain; `None`
    /// elsewhere, and where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flagged: Option<FlaggedDecisions>,
}

impl NetworkMetrics {
    /// The metrics of a network and target among those of a run.
    pub fn find(results: &[Self], architecture: Architecture, target: Target) -> Option<&Self> {
        let mut results = results.iter();
        results.find(|it| it.architecture == architecture && it.metrics.target == target)
    }
}

/// A score without a network, such as a ratio of counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BaselineMetrics {
    /// What the score is, in a few words.
    pub name: String,
    /// The question that it is compared on.
    #[serde(rename = "task")]
    pub target: Target,
    /// The target's AUC, as [`Metrics::auc`]: of two classes by the score itself, of more by out-of-fold
    /// probabilities that are made of the score alone.
    #[serde(flatten, with = "estimate_fields::auc")]
    pub auc: Option<Estimate>,
    /// The AUC of the score for the question whether a study is positive, to compare with
    /// [`PositiveMetrics::auc`]; of a binary target the same as `auc`.
    #[serde(flatten, with = "estimate_fields::positive_auc")]
    pub positive_auc: Option<Estimate>,
}

/// How much more a network reaches than its target's baseline, on the studies that have both.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BaselineDifference {
    /// The number of studies that have both.
    pub studies: u64,
    /// The network's [`Metrics::auc`] less the baseline's, with DeLong's interval of two areas over
    /// the same studies.
    #[serde(flatten, with = "estimate_fields::auc")]
    pub auc: Option<Estimate>,
    /// The network's [`PositiveMetrics::auc`] less the baseline's.
    #[serde(flatten, with = "estimate_fields::positive_auc")]
    pub positive_auc: Option<Estimate>,
}

/// All metrics of one target.
///
/// The *hard label* is the class of the highest probability (the first of equals). For a target of
/// four classes, sensitivity, specificity and predictive values ask whether hard label and truth
/// both lie among the positive classes. Intervals are 95 %, and take studies of one patient together
/// where the table has a column `patient`: Wilson's is then that of the effective number of studies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metrics {
    /// The question that was asked.
    #[serde(rename = "task")]
    pub target: Target,
    /// The number of labelled studies: the ones that everything below is about.
    pub studies: u64,
    /// The number of studies without a label.
    pub unlabelled: u64,
    /// The number of patients, where the table has a column `patient`.
    pub patients: Option<u64>,
    /// The number of labelled studies that are positive.
    pub positives: u64,
    /// Whether some patients have several labelled studies, so that intervals of shares are of the effective number of
    /// studies; false in files of before there were such intervals.
    #[serde(default)]
    pub clustered_intervals: bool,
    /// The area below the ROC curve of the scores, with an interval by DeLong's variance and Newcombe's score; for four
    /// classes the mean of one-versus-rest.
    #[serde(flatten, with = "estimate_fields::auc")]
    pub auc: Option<Estimate>,
    /// The same area for hard labels; for a binary target the balanced accuracy.
    #[serde(flatten, with = "estimate_fields::auc_hard")]
    pub auc_hard: Option<Estimate>,
    /// The share of studies whose class was predicted correctly, with Wilson's interval.
    #[serde(flatten, with = "estimate_fields::accuracy")]
    pub accuracy: Option<Estimate>,
    /// The share of positives that are called positive, by the hard label, with Wilson's interval.
    #[serde(flatten, with = "estimate_fields::sensitivity")]
    pub sensitivity: Option<Estimate>,
    /// The share of negatives that are called negative, by the hard label, with Wilson's interval.
    #[serde(flatten, with = "estimate_fields::specificity")]
    pub specificity: Option<Estimate>,
    /// Predictive values of the hard label at the cohort's own prevalence.
    pub at_cohort: PredictiveValues,
    /// Predictive values of the hard label at the stated prevalence.
    pub at_stated: PredictiveValues,
    /// Cohen's kappa of hard labels and truth, every disagreement alike, with the interval of its
    /// large-sample standard error.
    #[serde(flatten, with = "estimate_fields::kappa")]
    pub kappa: Option<Estimate>,
    /// Cohen's kappa with quadratic weights.
    #[serde(flatten, with = "estimate_fields::quadratic_kappa")]
    pub quadratic_kappa: Option<Estimate>,
    /// The Brier score: for two classes the mean of (p_1 - truth)^2, in [0, 1]; for more, the mean
    /// over studies of the sum over classes of (p_k - truth_k)^2, in [0, 2].
    pub brier: Option<f64>,
    /// The expected calibration error of the hard label: in ten bins of its probability, the mean
    /// distance between that probability and the accuracy, weighted by studies.
    pub expected_calibration_error: Option<f64>,
    /// One entry for each class.
    pub classes: Vec<ClassMetrics>,
    /// `confusion[truth][called]`, in studies.
    pub confusion: ConfusionMatrix,
    /// The question whether a study is positive, asked of the probability of a positive.
    pub positive: PositiveMetrics,
    /// One-versus-rest curves of the classes (four classes), or that of the positive (binary).
    pub roc: Vec<RocCurve>,
    /// One entry for each fold of the table.
    pub folds: Vec<FoldMetrics>,
    /// The spread of the folds' AUC.
    pub fold_auc: Option<Spread>,
    /// One row for each value of each covariate.
    pub subgroups: Vec<SubgroupMetrics>,
    /// The agreement of two readers, where the table has a column `reader2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_reader: Option<ReaderAgreement>,
    /// What scaling by a temperature would make of the probabilities.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature_scaling: Option<TemperatureScaling>,
    /// What could not be computed, and why; free of patient data.
    pub warnings: Vec<String>,
}

/// How well the readers themselves agree, to compare a network's kappa with.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReaderAgreement {
    /// The number of studies that both readers have graded.
    pub studies: u64,
    /// Cohen's kappa in the target's classes.
    #[serde(flatten, with = "estimate_fields::kappa")]
    pub kappa: Option<Estimate>,
    /// Cohen's kappa with quadratic weights.
    #[serde(flatten, with = "estimate_fields::quadratic_kappa")]
    pub quadratic_kappa: Option<Estimate>,
    /// Cohen's kappa, positive or negative.
    #[serde(flatten, with = "estimate_fields::positive_kappa")]
    pub positive_kappa: Option<Estimate>,
}

/// One class against the rest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClassMetrics {
    /// The class's name.
    pub name: String,
    /// The number of studies that truly are of this class.
    pub studies: u64,
    /// The number of studies called so by the hard label.
    pub called: u64,
    /// The area below the one-versus-rest ROC curve.
    #[serde(flatten, with = "estimate_fields::auc")]
    pub auc: Option<Estimate>,
    /// The share of the studies called so that are so, with Wilson's interval; `None` where none was called
    /// so.
    #[serde(flatten, with = "estimate_fields::precision")]
    pub precision: Option<Estimate>,
    /// The share of studies that are so and were called so, with Wilson's interval.
    #[serde(flatten, with = "estimate_fields::recall")]
    pub recall: Option<Estimate>,
}

/// The metrics of the question whether a study is positive, most of them by the probability of a
/// positive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PositiveMetrics {
    /// The area below the ROC curve of the probability of a positive.
    #[serde(flatten, with = "estimate_fields::auc")]
    pub auc: Option<Estimate>,
    /// Balanced accuracy of the hard label, positive classes against the rest.
    #[serde(flatten, with = "estimate_fields::auc_hard")]
    pub auc_hard: Option<Estimate>,
    /// The share of studies that the hard label calls positive or negative correctly, with Wilson's interval.
    #[serde(flatten, with = "estimate_fields::accuracy")]
    pub accuracy: Option<Estimate>,
    /// Cohen's kappa of the hard label, positive or negative, and the truth.
    #[serde(flatten, with = "estimate_fields::kappa")]
    pub kappa: Option<Estimate>,
    /// The mean of (p - truth)^2, in [0, 1].
    pub brier: Option<f64>,
    /// In ten bins of the probability of a positive, the mean distance between that probability
    /// and the observed share of positives, weighted by studies.
    pub expected_calibration_error: Option<f64>,
    /// The bins that are not empty.
    pub calibration: Vec<CalibrationBin>,
    /// How far the probability of a positive can be taken at its word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reliability: Option<Reliability>,
    /// The ROC curve; `None` where there are no positives or no negatives.
    pub roc: Option<RocCurve>,
    /// Sensitivities of 0.90, 0.95 and 1, Youden's, and the threshold of 0.5.
    pub operating_points: Vec<OperatingPoint>,
    /// The net benefit of the probability of a positive at the stated prevalence; `None` without positives or without
    /// negatives, and in files of before there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision_curve: Option<DecisionCurve>,
}

impl PositiveMetrics {
    /// The operating point that was chosen before ([`EvaluationOptions::threshold`]), if one was.
    pub fn chosen(&self) -> Option<&OperatingPoint> {
        let mut points = self.operating_points.iter();
        points.find(|point| point.kind == OperatingPointKind::Chosen)
    }
}

/// The metrics of one fold's studies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FoldMetrics {
    /// The fold's number.
    pub fold: usize,
    /// The number of labelled studies.
    pub studies: u64,
    /// How many of them are positive.
    pub positives: u64,
    /// The target's AUC; `None` where a class is absent.
    pub auc: Option<f64>,
    /// The share of studies whose class was predicted correctly.
    pub accuracy: Option<f64>,
    /// The share of positives that are called positive, by the hard label.
    pub sensitivity: Option<f64>,
    /// The share of negatives that are called negative, by the hard label.
    pub specificity: Option<f64>,
}

/// How a number varies over the folds where it is defined.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Spread {
    /// The number of folds.
    pub folds: u64,
    /// The mean.
    pub mean: f64,
    /// The sample's standard deviation; `None` for a single fold.
    pub standard_deviation: Option<f64>,
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
}
