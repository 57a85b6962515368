//! What a call is worth where the disease is rarer, or commoner, than in the cohort.

use serde::{Deserialize, Serialize};

use super::Interval;
use crate::api::Task;

/// Predictive values at one prevalence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PredictiveValues {
    /// The share of studies that are truly positive.
    pub prevalence: f64,
    /// The share of studies called positive that are so; `None` where nothing is called positive.
    pub ppv: Option<f64>,
    /// Its interval: at another prevalence, from the limits of sensitivity and specificity together.
    pub ppv_interval: Option<Interval>,
    /// The share of studies called negative that are so; `None` where nothing is called negative.
    pub npv: Option<f64>,
    /// Its interval, as for `ppv`.
    pub npv_interval: Option<Interval>,
}

/// The prevalence of the paper's cohort: 47 positives, and 24 of grade 3, in 1334 studies.
pub const fn reference_prevalence(task: Task) -> f64 {
    match task {
        Task::Perugini | Task::Positive => 47.0 / 1334.0,
        Task::HighGrade => 24.0 / 1334.0,
    }
}
