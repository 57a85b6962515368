//! How a screening stands to the cohort of its model.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The features that may be outside of a reference, by their words in monitor.csv.
pub const MONITORED_FEATURES: [&str; 5] = ["counts", "ratio", "score", "warnings", "set-aside"];
/// The most features that a status names as outside.
pub const MOST_OUTSIDE: usize = 8;

/// How a screening stands to the cohort of its model.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct MonitorStatus {
    /// Within where no control chart has raised an alarm, Outside where one has, TooFew where there are too few scans,
    /// NoReference where the bundle keeps no reference, or one that is too small.
    pub state: ReferenceState,
    /// How many studies the model's cohort has, where the bundle tells how they are spread.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference_studies: Option<u64>,
    /// What is outside of the reference: of all scans first, then of single scanners.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = MOST_OUTSIDE))]
    pub outside: Vec<OutsideStatus>,
    /// The scanners that the reference lacks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = MOST_OUTSIDE), inner(length(max = 64)))]
    pub new_scanners: Vec<String>,
}

/// How the scans of a job stand to a reference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ReferenceState {
    /// No chart has raised an alarm.
    Within,
    /// One has.
    Outside,
    /// There are too few scans.
    TooFew,
    /// There is nothing to compare with.
    #[default]
    NoReference,
}

/// A feature that is outside of a reference.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct OutsideStatus {
    /// The feature: counts, ratio, score, warnings or set-aside.
    #[schemars(length(max = 64))]
    pub feature: String,
    /// Of which scanner; absent of all scans.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub scanner: Option<String>,
    /// Lower or higher than the reference.
    #[schemars(length(max = 64))]
    pub direction: String,
    /// The row of screening.csv at which there was enough evidence.
    pub row: u64,
}

impl MonitorStatus {
    /// What is outside, in words; `None` where nothing is.
    pub fn words(&self) -> Option<String> {
        if self.state != ReferenceState::Outside {
            return None;
        }
        let of_all = self.outside.iter().filter(|it| it.scanner.is_none());
        let mut words: Vec<String> = of_all.map(OutsideStatus::words).collect();
        if words.is_empty() {
            words.extend(self.outside.iter().map(OutsideStatus::words));
        } else {
            let scanners = self.outside.iter().filter_map(|it| it.scanner.as_ref());
            let scanners: BTreeSet<_> = scanners.collect();
            words.extend(scanners.iter().map(|scanner| format!("scans of {scanner}")));
        }
        Some(format!(
            "unlike the model's cohort: {} (see monitor.csv and the report)",
            words.join(", ")
        ))
    }

    /// Whether a feature is outside, of all scans or of those of any scanner.
    pub fn is_outside(&self, feature: &str) -> bool {
        let mut outside = self.outside.iter();
        outside.any(|outside| outside.feature == feature)
    }
}

impl OutsideStatus {
    fn words(&self) -> String {
        let Self {
            feature,
            direction,
            row,
            ..
        } = self;
        match &self.scanner {
            None => format!("{feature} {direction} from row {row} on"),
            Some(scanner) => format!("{feature} of {scanner} {direction} from row {row} on"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_outside_is_named_and_nothing_else() {
        let outside = |scanner: Option<&str>, row| OutsideStatus {
            feature: "counts".to_owned(),
            scanner: scanner.map(str::to_owned),
            direction: "lower".to_owned(),
            row,
        };
        let status = MonitorStatus {
            state: ReferenceState::Outside,
            reference_studies: Some(400),
            outside: vec![outside(None, 61), outside(Some("symbia"), 72)],
            new_scanners: Vec::new(),
        };
        assert_eq!(
            status.words().as_deref(),
            Some(
                "unlike the model's cohort: counts lower from row 61 on, scans of symbia (see monitor.csv and the report)"
            )
        );
        let of_one = MonitorStatus {
            outside: vec![outside(Some("symbia"), 72)],
            ..status.clone()
        };
        let words = of_one.words().unwrap_or_default();
        assert!(
            words.contains("counts of symbia lower from row 72 on"),
            "{words}"
        );
        assert!(status.is_outside("counts") && !status.is_outside("ratio"));
        assert_eq!(MonitorStatus::default().words(), None);
        let json = serde_json::to_string(&MonitorStatus::default()).expect("JSON");
        assert_eq!(json, r#"{"state":"NoReference"}"#);
    }
}
