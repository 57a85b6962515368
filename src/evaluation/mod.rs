//! How well a network's answers agree with the readers' grades.
//!
//! Predictions and numbers in, [`Metrics`] out: pure functions, one subject a file. Every number is
//! checked against scikit-learn and SciPy (`tests/golden/evaluation/`). What is undefined (a class
//! that is absent, a rate of no studies) is `None` and a warning. This module reads no files, draws
//! no random numbers and never lets a NaN out.

mod agreement;
mod calibration;
mod confusion;
mod error;
mod gate;
mod interval;
mod metrics;
mod operating_point;
mod predictions;
mod prevalence;
mod roc;
mod subgroup;

pub use calibration::{CALIBRATION_BINS, CalibrationBin};
pub use confusion::ConfusionMatrix;
pub use error::Error;
pub use gate::{GATE_METRICS, GateOutcome};
pub use interval::{Interval, LEVEL};
pub use metrics::{
    BaselineMetrics, ClassMetrics, FoldMetrics, Metrics, MetricsDocument, NetworkMetrics, Options,
    PositiveMetrics, Spread,
};
pub use operating_point::{OperatingPoint, OperatingPointKind};
pub use predictions::{Prediction, Predictions, positive_probability};
pub use prevalence::{PredictiveValues, reference_prevalence};
pub use roc::{RocCurve, RocPoint};
pub use subgroup::SubgroupRow;
