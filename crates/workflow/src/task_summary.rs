//! What a task tells while it runs and when it has ended well.

use serde::{Deserialize, Serialize};

use attrium_api::{DataStatus, GateOutcome, ModelReference, ResultStatus, ScreeningStatus};

/// How far a task is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Progress {
    /// Units done.
    pub done: u64,
    /// Units in all; 0 while that is not known.
    pub total: u64,
    /// What is counted.
    pub unit: Unit,
    /// How many epochs of a training are done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u32>,
    /// How many epochs a training has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epochs: Option<u32>,
    /// The last epoch's mean training loss.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss: Option<f64>,
    /// The last epoch's mean validation loss.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation_loss: Option<f64>,
    /// Images trained on, or screened, in a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub images_per_second: Option<f64>,
}

/// What a task counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Unit {
    /// Objects of the input.
    #[default]
    Objects,
    /// Batches of images.
    Batches,
    /// Parts of a task that has no better unit.
    Steps,
}

impl Unit {
    /// The unit's plural noun.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Objects => "objects",
            Self::Batches => "batches",
            Self::Steps => "steps",
        }
    }
}

/// What a task tells when it has ended well: its termination message, at most 4096 bytes as JSON.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Summary {
    /// One sentence for people.
    pub message: String,
    /// How long the task took, in seconds; 0 where that is not known.
    pub seconds: f64,
    /// What became of the data. Shards count their own objects and the counts are added up;
    /// those of a later stage take the place of an earlier one's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<DataStatus>,
    /// A row for each network and target that was evaluated.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub results: Vec<ResultStatus>,
    /// How each gate came out, in the order of the manifest.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gates: Vec<GateOutcome>,
    /// The bundle that was published.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelReference>,
    /// What the task could not do of what was asked, though everything else that it writes is
    /// there: the run then does not succeed, and the task is done again when the run is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shortfall: Option<String>,
    /// The report's URI.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<String>,
    /// The counts of a screening. Shards' counts are added up; a later stage's take their place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub screening: Option<ScreeningStatus>,
    /// The SHA-256 of the task's marker, in hexadecimal digits, once it is there; a marker does not hold its
    /// own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}
