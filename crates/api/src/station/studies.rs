//! When a study is complete, and when its alerts are sent.

use kube::core::Rule;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use crate::limits;

/// Whether somebody is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum StationMode {
    /// Alerts are sent, and results are delivered.
    #[default]
    Live,
    /// Everything is decided and kept; nobody is told, and results go nowhere.
    Silent,
}

/// When a study is complete, and when its alerts are sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(transform = waits_at_least_once)]
pub struct StudyRules {
    /// How long nothing of a study may have arrived before it is taken for complete, in seconds; while an association
    /// that sends it is open, it is not. Default: 30. From 1 to 3600.
    #[schemars(range(min = 1, max = 3600))]
    pub quiet_seconds: u32,
    /// How long after its first object a study is taken for complete at the latest, in seconds. Default: 900. From 1 to
    /// 86400.
    #[schemars(range(min = 1, max = 86_400))]
    pub max_wait_seconds: u32,
    /// When a positive study is told of: FirstPositive at its first positive image, StudyEnd once it is complete.
    /// Default: FirstPositive.
    pub alert_at: AlertAt,
    /// What becomes of scans that say that they show a phantom: Withhold decides and tells nobody, Tell sends alerts and
    /// results that are marked as synthetic, to try the whole way before a patient does. Default: Withhold.
    pub synthetic: SyntheticScans,
}

impl Default for StudyRules {
    fn default() -> Self {
        Self {
            quiet_seconds: 30,
            max_wait_seconds: 900,
            alert_at: AlertAt::default(),
            synthetic: SyntheticScans::default(),
        }
    }
}

/// When a positive study is told of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum AlertAt {
    /// At its first positive image.
    #[default]
    FirstPositive,
    /// Once it is complete.
    StudyEnd,
}

/// What becomes of scans of phantoms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SyntheticScans {
    /// They are decided on, and nobody is told.
    #[default]
    Withhold,
    /// They are told of, marked as synthetic.
    Tell,
}

fn waits_at_least_once(schema: &mut Schema) {
    let rule = Rule::new("self.maxWaitSeconds >= self.quietSeconds");
    limits::add(
        schema,
        rule.message("has a maxWaitSeconds below its quietSeconds: a study would never be quiet"),
    );
}
