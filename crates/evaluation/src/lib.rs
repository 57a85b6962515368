//! How well a network's answers agree with the readers' grades.
//!
//! Predictions and numbers in, [`Metrics`] out: pure functions, one subject a file. Every number is
//! checked against scikit-learn and SciPy (`tests/golden/evaluation/`). What is undefined (a class
//! that is absent, a rate of no studies) is `None` and a warning. This crate reads no files, draws
//! no random numbers and never lets a NaN out.

mod baseline;
mod beta;
mod calibration;
mod calls;
mod chance_of_error;
mod confusion;
mod console;
mod decision_curve;
mod error;
mod estimate_fields;
mod evaluate;
mod feature_distribution;
mod flagged_decisions;
mod gate;
#[cfg(test)]
mod golden;
mod interval;
mod kappa;
mod labelled_predictions;
mod logistic;
mod lowess;
mod metrics;
mod model_size;
pub mod monitoring;
mod normal;
mod nothing_learned;
mod operating_point;
mod order_statistic;
mod overlap;
mod predictions;
mod predictive_values;
mod prior;
mod rate;
mod reader_agreement;
mod reader_pair;
mod recalibration;
mod reliability;
mod roc;
mod root;
mod sample_size;
mod share;
mod subgroup;
mod temperature;
mod unanswered;
mod uncertainty;
mod youden;

pub use baseline::{Baseline, BaselineStudy};
pub use calibration::{CALIBRATION_BINS, CalibrationBin};
pub use chance_of_error::{WeightedChance, chance_of_error, error_limit};
pub use confusion::ConfusionMatrix;
pub use decision_curve::{DecisionCurve, DecisionPoint};
pub use error::Error;
pub use evaluate::evaluate;
pub use feature_distribution::{FeatureDistribution, Surroundings};
pub use flagged_decisions::FlaggedDecisions;
pub use gate::{GateResult, gate};
pub use interval::{CONFIDENCE_LEVEL, Estimate, Interval, proportion};
pub use kappa::{KappaWeights, kappa};
pub use labelled_predictions::number_patients;
pub use metrics::{
    BaselineDifference, BaselineMetrics, ClassMetrics, EarlierRuns, EvaluationOptions, FoldMetrics,
    Metrics, MetricsDocument, NetworkGate, NetworkMetrics, PositiveMetrics, ReaderAgreement,
    Spread,
};
pub use model_size::{DevelopmentSize, ModelDemand, ValidationSize};
pub use nothing_learned::nothing_learned;
pub use operating_point::{
    OperatingPoint, OperatingPointKind, TARGET_SENSITIVITIES, threshold_for_sensitivity,
    threshold_text,
};
pub use overlap::{Independence, ValidationOverlap};
pub use predictions::{Prediction, Predictions, SUM_TOLERANCE, positive_probability};
pub use predictive_values::{PredictiveValues, REFERENCE_PREVALENCE};
pub use prior::{AssumedPrior, at_prevalence, corrected, positive_at_prevalence};
pub use rate::IntervalMethod;
pub use reader_agreement::reader_agreement;
pub use reader_pair::{ReaderPair, reader_pairs_text};
pub use recalibration::{LEAST_RECALIBRATED, PRIOR_DEVIATION, Recalibration, TooFewScans};
pub use reliability::{Reliability, ReliabilityPoint, log_odds};
pub use roc::auc;
pub use roc::{RocCurve, RocPoint};
pub use sample_size::{MOST_STUDIES, PlanError, ShareDemand, ShareSize, scans_for};
pub use share::clustered_proportion;
pub use subgroup::{MAX_SUBGROUPS, SubgroupMetrics};
pub use temperature::{TEMPERATURE_RANGE, TemperatureScaling, at_temperature};
pub use unanswered::Unanswered;
pub use uncertainty::{Doubt, Uncertainty};
