//! How well a network's answers agree with the readers' grades.
//!
//! Predictions and numbers in, [`Metrics`] out: pure functions, one subject a file. Every number is
//! checked against scikit-learn and SciPy (`tests/golden/evaluation/`). What is undefined (a class
//! that is absent, a rate of no studies) is `None` and a warning. This crate reads no files, draws
//! no random numbers and never lets a NaN out.

mod baseline;
mod calibration;
mod confusion;
mod console;
mod error;
mod estimate_fields;
mod evaluate;
mod gate;
#[cfg(test)]
mod golden;
mod interval;
mod kappa;
mod labelled_predictions;
mod metrics;
mod operating_point;
mod overlap;
mod predictions;
mod predictive_values;
mod reader_agreement;
mod reader_pair;
mod roc;
mod subgroup;
mod temperature;
mod unanswered;

pub use baseline::{Baseline, BaselineStudy};
pub use calibration::{CALIBRATION_BINS, CalibrationBin};
pub use confusion::ConfusionMatrix;
pub use error::Error;
pub use evaluate::evaluate;
pub use gate::{GateResult, gate};
pub use interval::{CONFIDENCE_LEVEL, Estimate, Interval, proportion};
pub use kappa::{KappaWeights, kappa};
pub use labelled_predictions::number_patients;
pub use metrics::{
    BaselineDifference, BaselineMetrics, ClassMetrics, EvaluationOptions, FoldMetrics, Metrics,
    MetricsDocument, NetworkGate, NetworkMetrics, PositiveMetrics, ReaderAgreement, Spread,
};
pub use operating_point::{
    OperatingPoint, OperatingPointKind, TARGET_SENSITIVITIES, threshold_for_sensitivity,
    threshold_text,
};
pub use overlap::{Independence, ValidationOverlap};
pub use predictions::{Prediction, Predictions, SUM_TOLERANCE, positive_probability};
pub use predictive_values::{PredictiveValues, reference_prevalence};
pub use reader_agreement::reader_agreement;
pub use reader_pair::{ReaderPair, reader_pairs_text};
pub use roc::auc;
pub use roc::{RocCurve, RocPoint};
pub use subgroup::{MAX_SUBGROUPS, SubgroupMetrics};
pub use temperature::{TEMPERATURE_RANGE, TemperatureScaling, at_temperature};
pub use unanswered::Unanswered;
