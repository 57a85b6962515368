//! Bytes that change in a store are found by whoever reads them, and no model is made of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::{ENSEMBLE, Job, LIMIT, REFIT, at};
use crate::TaskError;
use attrium_api::ActivationMaps;
use attrium_storage::Storage;
use attrium_types::{Architecture, Target};
use attrium_workflow::artefacts::Fold;
use attrium_workflow::{MarkedFile, StageKind, TaskRef};

/// The files of all tasks of a stage, each with its task.
fn files_of(job: &Job, store: &Storage, stage: StageKind) -> Vec<(TaskRef, MarkedFile)> {
    let tasks = job.plan.tasks().filter(|task| task.id.stage == stage);
    tasks
        .flat_map(|task| {
            let files = job.marker(store, task.id).files;
            files.into_iter().map(|file| (task.id, file))
        })
        .collect()
}

fn flip(store: &Storage, key: &str) {
    let mut bytes = store.get(key, LIMIT).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x40;
    store.put(key, bytes).unwrap();
}

/// Flips a bit of each file in turn, and expects a task to refuse it and to leave nothing.
fn is_refused_by(job: &Job, store: &Storage, files: &[(TaskRef, MarkedFile)], id: TaskRef) {
    for (of, file) in files {
        flip(store, &file.path);
        let error = job.run(store, id).expect_err(&file.name);
        assert!(matches!(error, TaskError::BadData { .. }), "{error:?}");
        let sentence = error.sentence();
        let remedy = format!("delete memory:///{} and run again", job.task(*of).marker);
        assert!(sentence.contains(&file.path), "{sentence}");
        assert!(sentence.ends_with(&remedy), "{sentence}");
        assert!(!store.exists(&job.task(id).marker).unwrap());
        flip(store, &file.path);
    }
    job.run(store, id).unwrap();
}

#[test]
fn a_flipped_bit_of_a_shard_is_found_by_the_training() {
    let (job, before) = &*ENSEMBLE;
    let store = Storage::over(Arc::new(before[&StageKind::Train].fork()));
    let mut files = files_of(job, &store, StageKind::Preprocess);
    files.retain(|(_, file)| !file.name.contains("quarantine"));
    assert_eq!(files.len(), 4);
    is_refused_by(job, &store, &files, at(StageKind::Train, 0));
}

#[test]
fn a_flipped_bit_of_whatever_the_evaluation_reads_is_found_and_nothing_is_published() {
    let (job, before) = &*ENSEMBLE;
    let store = Storage::over(Arc::new(before[&StageKind::Evaluate].fork()));
    let shards = files_of(job, &store, StageKind::Preprocess);
    let folds = files_of(job, &store, StageKind::Train);
    let kinds: BTreeSet<_> = folds
        .iter()
        .filter_map(|(_, file)| file.name.rsplit('/').next())
        .collect();
    let all = [
        "history.csv",
        "normalization.safetensors",
        "predictions.csv",
        "weights.safetensors",
    ];
    assert_eq!(kinds, BTreeSet::from(all));
    let files = [shards, folds].concat();
    assert_eq!(files.len(), 2 * 3 + 2 * 4);
    is_refused_by(job, &store, &files, at(StageKind::Evaluate, 0));
}

#[test]
fn a_flipped_bit_of_whatever_the_refit_reads_is_found() {
    let (job, before) = &*REFIT;
    let store = Storage::over(Arc::new(before[&StageKind::Refit].fork()));
    let mut files = files_of(job, &store, StageKind::Preprocess);
    files.retain(|(_, file)| !file.name.contains("quarantine"));
    let mut evaluated = files_of(job, &store, StageKind::Evaluate);
    evaluated.retain(|(_, file)| file.name == "metrics.json" || file.name.starts_with("predict"));
    assert_eq!(evaluated.len(), 2);
    files.extend(evaluated);
    is_refused_by(job, &store, &files, at(StageKind::Refit, 0));
}

#[test]
fn a_flipped_bit_of_whatever_a_summary_reads_is_found() {
    let job = Job::screening(ActivationMaps::PositivesOnly);
    let before = job.before_each_stage();
    let store = Storage::over(Arc::new(before[&StageKind::Summarize].fork()));
    let files = files_of(&job, &store, StageKind::Screen);
    let tables = files.iter().filter(|(_, file)| file.name.ends_with(".csv"));
    assert_eq!(tables.count(), 2 * 2);
    assert!(files.len() > 4 + 10, "each positive has a picture");
    is_refused_by(&job, &store, &files, at(StageKind::Summarize, 0));
}

/// Puts other weights in the place of a fold's, and lets its marker vouch for them.
fn exchange(job: &Job, store: &Storage, weights: Vec<u8>) {
    let id = at(StageKind::Train, 0);
    let mut marker = job.marker(store, id);
    let name = Fold::new(Architecture::Linear, Target::Positive, 0).weights();
    let file = marker.files.iter_mut().find(|file| file.name == name);
    let file = file.unwrap();
    file.bytes = weights.len() as u64;
    file.sha256 = hex::encode(Sha256::digest(&weights));
    store.put(&file.path, weights).unwrap();
    let marker = serde_json::to_vec(&marker).unwrap();
    store.put(&job.task(id).marker, marker).unwrap();
}

/// The weights of a fold.
fn weights(job: &Job, store: &Storage, fold: u32) -> Vec<u8> {
    let marker = job.marker(store, at(StageKind::Train, fold));
    let name = Fold::new(Architecture::Linear, Target::Positive, fold).weights();
    store.get(&marker.file(&name).unwrap().path, LIMIT).unwrap()
}

/// The same with one weight's exponent changed, as by a flipped bit in memory.
fn with_a_huge_weight(mut weights: Vec<u8>) -> Vec<u8> {
    let last = weights.len() - 1;
    weights[last] ^= 0x40;
    weights
}

#[test]
fn weights_that_do_not_give_their_stored_predictions_are_not_published() {
    for (job, before) in [&*ENSEMBLE, &*REFIT] {
        let store = Storage::over(Arc::new(before[&StageKind::Evaluate].fork()));
        let own = weights(job, &store, 0);
        let others = [weights(job, &store, 1), with_a_huge_weight(own.clone())];
        for other in others {
            assert_ne!(other, own);
            exchange(job, &store, other);
            let error = job.run(&store, at(StageKind::Evaluate, 0)).unwrap_err();
            let sentence = error.sentence();
            let is_it = matches!(error, TaskError::BadData { .. });
            assert!(
                is_it && sentence.contains("Linear for Positive, fold 0"),
                "{sentence}"
            );
            let remedy = "delete memory:///tasks/train/000.json and run again";
            assert!(sentence.ends_with(remedy), "{sentence}");
            assert!(!store.exists("metrics.json").unwrap());
        }
        exchange(job, &store, own);
        job.run(&store, at(StageKind::Evaluate, 0)).unwrap();
    }
}

#[test]
fn a_marker_of_an_earlier_attrium_is_refused_in_a_sentence() {
    let (job, before) = &*ENSEMBLE;
    let store = Storage::over(Arc::new(before[&StageKind::Evaluate].fork()));
    let id = at(StageKind::Train, 0);
    let summary = serde_json::to_vec(&job.marker(&store, id).summary).unwrap();
    store.put(&job.task(id).marker, summary).unwrap();
    for task in [id, at(StageKind::Evaluate, 0)] {
        let error = job.run(&store, task).unwrap_err();
        let sentence = error.sentence();
        assert!(
            matches!(error, TaskError::BadConfiguration { .. }),
            "{error:?}"
        );
        assert!(
            sentence.contains("000.json is of an earlier attrium"),
            "{sentence}"
        );
    }
}

#[test]
fn a_marker_whose_files_lie_elsewhere_is_none() {
    let (job, before) = &*ENSEMBLE;
    let store = Storage::over(Arc::new(before[&StageKind::Evaluate].fork()));
    let id = at(StageKind::Train, 0);
    let mut marker = job.marker(&store, id);
    marker.files[0].path = "manifest.yaml".to_owned();
    let marker = serde_json::to_vec(&marker).unwrap();
    store.put(&job.task(id).marker, marker).unwrap();
    let error = job.run(&store, at(StageKind::Evaluate, 0)).unwrap_err();
    assert!(matches!(error, TaskError::BadData { .. }), "{error:?}");
    let sentence = error.sentence();
    assert!(
        sentence.contains("000.json is no marker of its task"),
        "{sentence}"
    );
}
