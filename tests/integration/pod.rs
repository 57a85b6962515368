//! A task in a process of its own, as a pod does it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use attrium_tasks::Summary;
use serde_json::Value;

use crate::artefacts::{is_attempted, place};
use crate::cohort::{files, scratch};
use crate::manifest::{self, screening, training_prefix, with};
use crate::program::{Ended, Running, command, finish};
use crate::resume::manifest_of;
use crate::trained::TRAINED;

/// A pod's folder: its manifest and its termination message.
pub(crate) struct Pod {
    manifest: PathBuf,
    message: PathBuf,
}

impl Pod {
    pub(crate) fn new(folder: &Path, text: &str) -> Self {
        Self {
            manifest: manifest::write(&folder.join("manifest.yaml"), text),
            message: folder.join("termination-log"),
        }
    }

    /// The arguments of a stage's container.
    fn arguments(&self, stage: &str) -> Vec<String> {
        let path = |path: &Path| path.to_str().expect("should be text").to_owned();
        let (manifest, message) = (path(&self.manifest), path(&self.message));
        let arguments = [
            "stage",
            stage,
            "--manifest",
            &manifest,
            "--termination-message",
            &message,
        ];
        arguments.map(str::to_owned).to_vec()
    }

    /// Does a task that is named as the Job controller names it.
    pub(crate) fn task(&self, stage: &str, index: u32, more: &[&str]) -> Ended {
        let mut command: Command = command(self.arguments(stage));
        command.args(more);
        finish(command.env("JOB_COMPLETION_INDEX", index.to_string()))
    }

    pub(crate) fn message(&self) -> String {
        fs::read_to_string(&self.message).expect("should be written")
    }
}

/// The lines of a log, each of which has to be an object that names the resource and the task.
fn lines(log: &str, kind: &str, resource: &str, task: &str) -> Vec<Value> {
    log.lines()
        .map(|line| {
            let line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
            assert_eq!(line["kind"], kind, "{line}");
            assert_eq!(line["namespace"], "ward", "{line}");
            assert_eq!(line["resource"], resource, "{line}");
            assert_eq!(line["task"], task, "{line}");
            line
        })
        .collect()
}

#[test]
fn sigterm_leaves_a_checkpoint_from_which_the_next_pod_goes_on() {
    let folder = scratch("pod-stopped");
    let out = folder.join("results");
    // No epoch but the last leaves a checkpoint: one that is there comes from being stopped.
    let training =
        "  training: {epochs: 2, batchSize: 8, learningRate: \"1e-3\", checkpointEpochs: 50}";
    let pod = Pod::new(
        &folder,
        &with(&manifest_of("Linear", &out), "training", training),
    );
    for shard in 0..2 {
        pod.task("preprocess", shard, &[]).ok();
    }
    let mut arguments = pod.arguments("train");
    arguments.extend(["--index", "1"].map(str::to_owned));
    let log = folder.join("log");
    let mut running = Running::start(&arguments, &log);
    running.wait_until("the training", |running| {
        running
            .log()
            .contains("The task begins: train Linear Positive fold 1")
    });
    assert_eq!(running.signal("TERM"), Some(130));
    let log = fs::read_to_string(log).expect("should be text");
    assert!(!lines(&log, "TrainingRun", "small", "train/1").is_empty());
    assert_eq!(pod.message(), "interrupted");
    let prefix = training_prefix(&out);
    let of_fold = |name: &str| format!("train/Linear/Positive/fold-1/{name}");
    assert!(is_attempted(&prefix, &of_fold("checkpoint/state")), "{log}");
    assert!(
        !is_attempted(&prefix, &of_fold("weights.safetensors")),
        "{log}"
    );

    let ended = pod.task("train", 1, &[]);
    assert!(!ended.stderr.contains("starts over"), "{}", ended.stderr);
    let lines = lines(&ended.stderr, "TrainingRun", "small", "train/1");
    let progress = lines.iter().find_map(|line| line.get("progress"));
    let progress = progress.expect("should tell its progress");
    assert_eq!(
        (&progress["unit"], &progress["epochs"]),
        (&"batches".into(), &2.into())
    );
    ended.ok();
    let summary = Summary::from_message(&pod.message()).expect("should be a summary");
    assert!(!summary.message.is_empty());
    let read = |name: &str| fs::read(place(&prefix, name)).expect("should be there");
    for name in ["weights.safetensors", "history.csv", "predictions.csv"] {
        assert!(
            read(&of_fold(name)) == TRAINED.read(&of_fold(name)),
            "{name} differs"
        );
    }
}

#[test]
fn a_failure_is_a_line_of_the_log_and_the_sentence_of_the_termination_message() {
    let folder = scratch("pod-early");
    let pod = Pod::new(&folder, &manifest_of("Linear", &folder.join("results")));
    let ended = pod.task("evaluate", 0, &[]);
    assert_ne!(ended.code, Some(0));
    let lines = lines(&ended.stderr, "TrainingRun", "small", "evaluate/0");
    let errors: Vec<_> = lines
        .iter()
        .filter(|line| line["level"] == "ERROR")
        .collect();
    assert_eq!(errors.len(), 1, "{}", ended.stderr);
    let told = errors[0]["message"].as_str().expect("should be text");
    assert!(!pod.message().is_empty());
    assert!(told.contains(&pod.message()), "{told}\n{}", pod.message());
}

#[test]
fn a_screening_finds_the_bundle_of_a_training_run_where_its_pod_is_told() {
    let folder = scratch("pod-model");
    let text = screening(&folder.join("results"), "{trainingRun: small}");
    let pod = Pod::new(&folder, &text);
    let bundle = TRAINED.bundle();
    pod.task(
        "screen",
        0,
        &["--model", bundle.to_str().expect("should be text")],
    )
    .ok();
    let summary = Summary::from_message(&pod.message()).expect("should be a summary");
    assert!(summary.screening.expect("should count").screened > 0);
    let ended = pod.task("screen", 1, &[]);
    assert_eq!(ended.code, Some(43), "{}", ended.stderr);
    assert!(
        pod.message().contains("the model is not known"),
        "{}",
        pod.message()
    );
}

#[test]
fn a_task_writes_nothing_but_its_results_and_its_message() {
    let folder = scratch("pod-writes");
    let home = folder.join("home");
    fs::create_dir(&home).expect("should be made");
    let pod = Pod::new(&folder, &manifest_of("Linear", &folder.join("results")));
    let mut command = command(pod.arguments("preprocess"));
    command.args(["--index", "0"]).current_dir(&home);
    finish(command.env("HOME", &home).env("TMPDIR", &home)).ok();
    assert!(files(&home).is_empty(), "{:?}", files(&home));
    let roots = files(&folder)
        .into_iter()
        .filter(|name| !name.starts_with("results/"))
        .collect::<Vec<_>>();
    assert_eq!(roots, ["manifest.yaml", "termination-log"]);
}
