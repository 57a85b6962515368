//! Where a run's artefacts lie: what people read at its name, all else where a marker says.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use attrium_workflow::Marker;
use attrium_workflow::artefacts::{ATTEMPTS, MARKERS};

use crate::cohort::files;

/// A marker.
pub(crate) fn marker(prefix: &Path, name: &str) -> Marker {
    let bytes = fs::read(prefix.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    serde_json::from_slice(&bytes).expect("should be a marker")
}

/// Every artefact that a marker names, by its name.
pub(crate) fn artefacts(prefix: &Path) -> BTreeMap<String, PathBuf> {
    let markers = files(&prefix.join(MARKERS));
    let markers = markers
        .iter()
        .map(|name| marker(prefix, &format!("{MARKERS}{name}")));
    markers
        .flat_map(|marker| marker.files)
        .map(|file| (file.name, prefix.join(file.path)))
        .collect()
}

/// Where an artefact lies.
pub(crate) fn place(prefix: &Path, name: &str) -> PathBuf {
    let published = prefix.join(name);
    if published.exists() {
        return published;
    }
    let found = artefacts(prefix).remove(name);
    found.unwrap_or_else(|| panic!("no marker names {name}"))
}

/// Whether any attempt has written this, ended or not.
pub(crate) fn is_attempted(prefix: &Path, name: &str) -> bool {
    let attempts = prefix.join(ATTEMPTS);
    attempts.exists()
        && files(&attempts)
            .iter()
            .any(|file| without_attempt(file) == name)
}

/// The name of an artefact, by its place below the folder of attempts.
fn without_attempt(file: &str) -> &str {
    // The stage, the task's number and the attempt's.
    file.splitn(4, '/').nth(3).unwrap_or_default()
}

/// The name of what lies at a place of a run: that of an artefact, or the place itself.
pub(crate) fn name_of(place: &str) -> &str {
    place.strip_prefix(ATTEMPTS).map_or(place, without_attempt)
}
