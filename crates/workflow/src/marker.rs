//! What a task leaves last: its summary, the files that it vouches for, and what it was made of.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Summary;

/// A task's marker, as JSON: the one attempt that counts, and its files.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Marker {
    /// What the task has told.
    #[serde(flatten)]
    pub summary: Summary,
    /// The attempt that counts.
    pub attempt: String,
    /// The attempt's files, in the order in which they were written.
    pub files: Vec<MarkedFile>,
    /// The SHA-256 of each marker that the task has read, by the marker's name.
    pub inputs: BTreeMap<String, String>,
}

/// A file of an attempt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MarkedFile {
    /// The artefact's name, as [`artefacts`](super::artefacts) has it.
    pub name: String,
    /// Where it lies below the run's prefix.
    pub path: String,
    /// Its SHA-256, in hexadecimal digits.
    pub sha256: String,
    /// Its length in bytes.
    pub bytes: u64,
}

impl Marker {
    /// The file of an artefact's name.
    pub fn file(&self, name: &str) -> Option<&MarkedFile> {
        self.files.iter().find(|file| file.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use attrium_api::DataStatus;

    #[test]
    fn a_marker_is_a_summary_with_files_and_comes_back_as_it_was() {
        let data = DataStatus {
            objects: 3,
            by_grade: [("0".to_owned(), 3)].into(),
            ..DataStatus::default()
        };
        let marker = Marker {
            summary: Summary {
                message: "trained".to_owned(),
                seconds: 2.5,
                data: Some(data),
                ..Summary::default()
            },
            attempt: "0190".to_owned(),
            files: vec![MarkedFile {
                name: "metrics.json".to_owned(),
                path: "attempts/evaluate/000/0190/metrics.json".to_owned(),
                sha256: "00".repeat(32),
                bytes: 7,
            }],
            inputs: [("tasks/train/000.json".to_owned(), "11".repeat(32))].into(),
        };
        let json = serde_json::to_vec(&marker).expect("JSON");
        let summary: Summary = serde_json::from_slice(&json).expect("a summary");
        assert_eq!(summary, marker.summary);
        let read: Marker = serde_json::from_slice(&json).expect("a marker");
        assert_eq!(read, marker);
    }

    #[test]
    fn a_summary_without_files_is_no_marker() {
        let json = serde_json::to_vec(&Summary::default()).expect("JSON");
        assert!(serde_json::from_slice::<Marker>(&json).is_err());
    }
}
