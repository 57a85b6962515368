//! Labels and models that change while a run goes on: no two of them are mixed.

use std::fs;
use std::path::{Path, PathBuf};

use crate::bad_input::sum_up;
use crate::cohort::{COHORT, files, put, scratch};
use crate::manifest::{self, screening, training, training_prefix, with};
use crate::pod::Pod;
use crate::program::run;
use crate::trained::TRAINED;

const CONFIGURATION: i32 = 43;

/// Does a task that has to end with a bad configuration and these words.
fn is_refused(pod: &Pod, stage: &str, index: u32, words: &str) {
    let ended = pod.task(stage, index, &[]);
    assert_eq!(ended.code, Some(CONFIGURATION), "{}", ended.stderr);
    assert!(pod.message().contains(words), "{}", pod.message());
}

/// A copy of the labels in a folder, and the line of a manifest that names it.
fn labels(folder: &Path) -> (PathBuf, String) {
    let path = folder.join("labels.csv");
    fs::copy(&COHORT.labels, &path).expect("should be copied");
    let line = format!("  labels: {}", path.display());
    (path, line)
}

/// Labels one study more.
fn append(labels: &Path) {
    let table = fs::read_to_string(labels).expect("should be text");
    let last = table.lines().last().expect("a row");
    let (_, rest) = last.split_once(',').expect("a study and more");
    fs::write(labels, format!("{table}1.2.3,{rest}\n")).expect("should be written");
}

#[test]
fn a_run_goes_on_with_the_labels_it_began_with_or_not_at_all() {
    let folder = scratch("changed-labels");
    let (labels, line) = labels(&folder);
    let out = folder.join("results");
    let text = with(&training(&out), "labels", &line);
    let pod = Pod::new(&folder, &text);
    let job = manifest::write(&folder.join("run.yaml"), &text);
    let words = "labels.csv has changed since this run began: restore it";
    pod.task("preprocess", 0, &[]).ok();
    append(&labels);
    is_refused(&pod, "preprocess", 1, words);
    run(&[&job]).fails_with(CONFIGURATION, &[words]);

    // Two tasks that begin at once do not know of one another.
    let marker = training_prefix(&out).join("tasks/preprocess/000.json");
    let aside = folder.join("000.json");
    fs::rename(&marker, &aside).expect("should be there");
    pod.task("preprocess", 1, &[]).ok();
    fs::rename(&aside, &marker).expect("should be there");
    let words = "labels.csv has changed while this run read it: delete the folder tasks/";
    is_refused(&pod, "train", 0, words);

    fs::copy(&COHORT.labels, &labels).expect("should be copied");
    fs::remove_dir_all(training_prefix(&out).join("tasks")).expect("should be there");
    run(&[&job]).ok();
}

#[test]
fn labels_without_a_study_of_the_images_may_be_mended() {
    let folder = scratch("mended-labels");
    let (labels, line) = labels(&folder);
    let text = with(&training(&folder.join("results")), "labels", &line);
    let job = manifest::write(&folder.join("run.yaml"), &text);
    fs::write(&labels, "study,grade\n1.2.3,0\n1.2.4,2\n").expect("should be written");
    run(&[&job]).fails_with(
        42,
        &["check that labels.csv has the studies of these images"],
    );
    fs::copy(&COHORT.labels, &labels).expect("should be copied");
    run(&[&job]).ok();
}

#[test]
fn a_screening_joins_no_shards_of_different_labels() {
    let folder = scratch("changed-screening-labels");
    let (labels, line) = labels(&folder);
    let model = format!("{{uri: {}}}", TRAINED.bundle().display());
    let text = screening(&folder.join("results"), &model);
    let pod = Pod::new(&folder, &format!("{text}{line}\n"));
    pod.task("screen", 0, &[]).ok();
    append(&labels);
    pod.task("screen", 1, &[]).ok();
    let words = "labels.csv has changed since this screening began: delete the folder tasks/";
    is_refused(&pod, "summarize", 0, words);
}

#[test]
fn a_screening_joins_no_shards_of_different_models() {
    let folder = scratch("changed-model");
    let bundle = folder.join("bundle");
    for file in files(&TRAINED.bundle()) {
        let bytes = fs::read(TRAINED.bundle().join(&file)).expect("should be there");
        put(&bundle, &file, &bytes);
    }
    let model = format!("{{uri: {}}}", bundle.display());
    let pod = Pod::new(&folder, &screening(&folder.join("results"), &model));
    pod.task("screen", 0, &[]).ok();
    put(&bundle, "MODEL_CARD.md", b"another model");
    sum_up(&bundle);
    pod.task("screen", 1, &[]).ok();
    let words = "the model has changed since this screening began: delete the folder tasks/";
    is_refused(&pod, "summarize", 0, words);
}
