//! The names of everything below a run's prefix, relative to it.
//!
//! A name that ends in `/` is a folder. A task writes below the folder of its attempt, by these names; the
//! marker says which attempt counts, and what [`is_published`] is then copied to the name itself. Nothing
//! here opens a store.

use attrium_types::{Architecture, Target};

use super::TaskRef;

/// The resource as it was when the run began.
pub const MANIFEST: &str = "manifest.yaml";
/// The resource's status, written by the local runner.
pub const STATUS: &str = "status.yaml";
/// Every object that is not used, with its reason.
pub const QUARANTINE: &str = "quarantine.csv";
/// The folder of [`predictions`].
pub const PREDICTIONS: &str = "predictions/";
/// The metrics of every network and target.
pub const METRICS: &str = "metrics.json";
/// The report, one self-contained page.
pub const REPORT: &str = "report/index.html";
/// What the training on all data leaves: checkpoint and history. Its weights and its normalisation are in
/// the bundle alone.
pub const REFIT: &str = "refit/";
/// One row for each study that was screened.
pub const SCREENING: &str = "screening.csv";
/// Objects that were screened and stand for no study in the external validation, each with its reason.
pub const LEFT_OUT: &str = "left-out.csv";
/// The labelled studies that an external validation has no prediction for.
pub const UNANSWERED: &str = "unanswered.csv";
/// The studies of an external validation that the model was trained on, or on whose patients.
pub const OVERLAP: &str = "overlap.csv";
/// How a screening stands to the cohort of its model: a row for each feature and scanner.
pub const MONITOR: &str = "monitor.csv";
/// The counts of a screening.
pub const SCREENING_SUMMARY: &str = "screening.json";
/// The folder of activation maps, one PNG for each study that is shown.
pub const ACTIVATION_MAPS: &str = "activation-maps/";
/// The folder of bundles.
pub const MODELS: &str = "model/";
/// The folder of markers, one for each task that has ended well.
pub const MARKERS: &str = "tasks/";
/// The folder of what attempts write, a folder for each attempt of a task.
pub const ATTEMPTS: &str = "attempts/";
/// What the names of all [`quarantine_part`]s begin with.
const QUARANTINE_PARTS: &str = "dataset/quarantine-";

/// The crops of a shard.
pub fn shard(shard: u32) -> String {
    format!("dataset/shard-{shard:03}.safetensors")
}

/// The records of a shard: pseudonym, grade, covariates, crop rectangle, warnings.
pub fn shard_table(shard: u32) -> String {
    format!("dataset/shard-{shard:03}.csv")
}

/// The objects of a shard that are not used; [`QUARANTINE`] joins them.
pub fn quarantine_part(shard: u32) -> String {
    format!("{QUARANTINE_PARTS}{shard:03}.csv")
}

/// The rows of a screened shard; [`SCREENING`] joins them.
pub fn screening_part(shard: u32) -> String {
    format!("screening/shard-{shard:03}.csv")
}

/// The predictions of a screened shard's labelled studies; [`predictions`] joins them.
pub fn screening_predictions(shard: u32) -> String {
    format!("screening/predictions-{shard:03}.csv")
}

/// The out-of-fold predictions of all studies.
pub fn predictions(architecture: Architecture, target: Target) -> String {
    format!("{PREDICTIONS}{architecture}-{target}.csv")
}

/// The folder of a model bundle.
pub fn bundle(architecture: Architecture, target: Target) -> String {
    format!("{MODELS}{architecture}-{target}/")
}

/// A task's marker: a JSON summary, written after everything else.
pub fn marker(task: TaskRef) -> String {
    format!("{MARKERS}{}/{:03}.json", task.stage, task.index)
}

/// The folder of all attempts of a task.
pub fn attempts(task: TaskRef) -> String {
    format!("{ATTEMPTS}{}/{:03}/", task.stage, task.index)
}

/// The folder of one attempt.
pub fn attempt(task: TaskRef, id: &str) -> String {
    format!("{}{id}/", attempts(task))
}

/// Whether an artefact is found by its name, too, once its task has ended: what people read. What only
/// later tasks read lies where the marker says.
pub fn is_published(name: &str) -> bool {
    let files = [
        QUARANTINE,
        METRICS,
        REPORT,
        SCREENING,
        SCREENING_SUMMARY,
        LEFT_OUT,
        UNANSWERED,
        OVERLAP,
        MONITOR,
    ];
    let folders = [PREDICTIONS, ACTIVATION_MAPS, MODELS, QUARANTINE_PARTS];
    files.contains(&name) || folders.iter().any(|folder| name.starts_with(folder))
}

/// The folder of one fold's training.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fold {
    folder: String,
}

impl Fold {
    /// The folder of a network, a target and the fold that is left out.
    pub fn new(architecture: Architecture, target: Target, fold: u32) -> Self {
        Self {
            folder: format!("train/{architecture}/{target}/fold-{fold}/"),
        }
    }

    /// The folder itself, with a `/` at its end.
    pub fn folder(&self) -> &str {
        &self.folder
    }

    /// The trained weights.
    pub fn weights(&self) -> String {
        self.name("weights.safetensors")
    }

    /// The folder of the last checkpoint.
    pub fn checkpoint(&self) -> String {
        self.name("checkpoint/")
    }

    /// Loss, accuracy and learning rate of each epoch.
    pub fn history(&self) -> String {
        self.name("history.csv")
    }

    /// The predictions of the fold's studies.
    pub fn predictions(&self) -> String {
        self.name("predictions.csv")
    }

    /// Mean and standard deviation image of the training part.
    pub fn normalization(&self) -> String {
        self.name("normalization.safetensors")
    }

    fn name(&self, name: &str) -> String {
        format!("{}{name}", self.folder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_read_is_published_and_what_the_run_keeps_of_itself_never_is() {
        let bundle = bundle(Architecture::Linear, Target::Positive);
        for name in [METRICS, REPORT, &quarantine_part(3), &format!("{bundle}a")] {
            assert!(is_published(name), "{name}");
        }
        let fold = Fold::new(Architecture::Linear, Target::Positive, 0);
        for name in [MANIFEST, STATUS, "tasks/train/000.json", &shard(0)] {
            assert!(!is_published(name), "{name}");
        }
        assert!(!is_published(&fold.weights()) && !is_published(&screening_part(0)));
    }
}
