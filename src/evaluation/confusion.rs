//! The confusion matrix and the rates that are read from it.

use serde::{Deserialize, Serialize};

/// How often each class was called what: `counts[truth][called]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConfusionMatrix {
    counts: Vec<Vec<u64>>,
}
