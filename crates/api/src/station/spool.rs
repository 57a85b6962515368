//! Where received objects and results are kept, and how long.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::limits;

/// Where received objects and results are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SpoolSpec {
    /// A folder on a disk of this machine; a network file system is refused. Default: /var/lib/attrium. At most 1024
    /// characters.
    #[schemars(length(min = 1, max = limits::URI))]
    pub path: String,
    /// The most that is kept, as a Kubernetes quantity: beyond it nothing is taken in until something has been removed.
    /// Default: 50Gi. At most 32 characters.
    #[schemars(length(min = 1, max = 32), pattern(limits::QUANTITY))]
    pub size: String,
    /// The share of the disk that stays free, in percent: below it nothing is taken in. Default: 10. From 1 to 90.
    #[schemars(range(min = 1, max = 90))]
    pub keep_free_percent: u8,
}

impl Default for SpoolSpec {
    fn default() -> Self {
        Self {
            path: "/var/lib/attrium".to_owned(),
            size: "50Gi".to_owned(),
            keep_free_percent: 10,
        }
    }
}

/// How long what was received is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Retention {
    /// Days that objects and results of a study are kept once all of it is delivered. Default: 14. From 1 to 3650.
    #[schemars(range(min = 1, max = 3650))]
    pub object_days: u32,
    /// Days that the row of a study is kept, which identifies nobody. Default: 400. From 1 to 36500.
    #[schemars(range(min = 1, max = 36_500))]
    pub study_days: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            object_days: 14,
            study_days: 400,
        }
    }
}
