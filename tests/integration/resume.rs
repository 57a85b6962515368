//! A run that is stopped, by whatever and whenever, goes on and ends as if it never had been.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use attrium_workflow::artefacts::STATUS;

use crate::artefacts::{artefacts, is_attempted, place};
use crate::cohort::{files, scratch};
use crate::manifest::{self, training_prefix, with};
use crate::program::{Running, run, run_arguments};
use crate::trained::{TRAINED, manifest_of_both_networks};

/// The shared run with one of its networks, to other results.
pub(crate) fn manifest_of(network: &str, out: &Path) -> String {
    let text = manifest_of_both_networks(out);
    let networks = format!("  networks: [{{architecture: {network}}}]");
    let text = with(&text, "networks", &networks);
    let publish = text.find("  publish:").expect("should publish");
    let publish = if network == "Residual" {
        text.len()
    } else {
        publish
    };
    text[..publish].to_owned()
}

/// Asserts that a network's folds are those of the shared run, byte for byte.
fn is_as_if_never_stopped(prefix: &Path, network: &str) {
    let folder = format!("train/{network}/");
    let others = artefacts(prefix);
    let mut compared = 0;
    for (name, place) in artefacts(&TRAINED.prefix) {
        if name.starts_with(&folder)
            || name.starts_with("dataset/")
            || name == format!("predictions/{network}-Positive.csv")
        {
            let read = |place: &Path| fs::read(place).expect("should be there");
            let other = others.get(&name).unwrap_or_else(|| panic!("no {name}"));
            assert!(read(other) == read(&place), "{name} differs");
            compared += 1;
        }
    }
    // Two folds of weights, normalisation, history and predictions; two shards; one table.
    assert_eq!(compared, 2 * 4 + 2 * 3 + 1);
}

/// Long enough to be in the middle of an epoch, however fast this machine is.
fn a_while() -> Duration {
    Duration::from_secs_f64(TRAINED.seconds / 40.0)
}

#[test]
fn a_run_killed_at_any_moment_ends_with_the_very_weights_of_an_uninterrupted_one() {
    // Before anything is timed by it.
    let a_while = a_while();
    let folder = scratch("killed");
    let out = folder.join("results");
    let path = manifest::write(&folder.join("run.yaml"), &manifest_of("Residual", &out));
    let prefix = training_prefix(&out);
    let there = |name: &str| prefix.join(name).exists();
    let train = |name: &str| {
        let fold = |fold: usize| {
            is_attempted(
                &prefix,
                &format!("train/Residual/Positive/fold-{fold}/{name}"),
            )
        };
        fold(0) || fold(1)
    };
    type Moment<'a> = (&'a str, &'a dyn Fn(&Running) -> bool);
    let moments: [Moment; 6] = [
        ("the first marker", &|_| {
            there("tasks/preprocess/000.json") || there("tasks/preprocess/001.json")
        }),
        ("the training's first step", &|running| {
            running.log().contains("fold 1: started")
        }),
        ("the first epoch's history", &|_| train("history.csv")),
        ("a checkpoint", &|_| train("checkpoint/state")),
        ("a fold's weights", &|_| train("weights.safetensors")),
        ("the evaluation", &|running| {
            running.log().contains("evaluate: started")
        }),
    ];
    let mut killed = Vec::new();
    for (moment, is_it) in moments {
        let mut running = Running::start(run_arguments(&[&path]), &folder.join("log"));
        running.wait_until(moment, is_it);
        if moment == "the training's first step" {
            std::thread::sleep(a_while);
        }
        if running.kill() {
            killed.push(moment);
        }
    }
    assert_eq!(killed.len(), moments.len(), "only killed at {killed:?}");
    assert!(
        !there("tasks/evaluate/000.json"),
        "the evaluation had ended before it was killed"
    );
    run(&[&path]).ok();
    is_as_if_never_stopped(&prefix, "Residual");
    for name in ["bundle.json", "SHA256SUMS"] {
        let same = fs::read(TRAINED.bundle().join(name)).unwrap();
        assert!(
            fs::read(prefix.join("model/Residual-Positive").join(name)).unwrap() == same,
            "{name}"
        );
    }
}

#[test]
fn ctrl_c_leaves_a_checkpoint_from_which_the_run_goes_on() {
    let folder = scratch("stopped");
    let out = folder.join("results");
    // No epoch but the last leaves a checkpoint: one that is there comes from being stopped.
    let training =
        "  training: {epochs: 2, batchSize: 8, learningRate: \"1e-3\", checkpointEpochs: 50}";
    let text = with(&manifest_of("Linear", &out), "training", training);
    let path = manifest::write(&folder.join("run.yaml"), &text);
    let prefix = training_prefix(&out);
    let state = |fold: usize| {
        is_attempted(
            &prefix,
            &format!("train/Linear/Positive/fold-{fold}/checkpoint/state"),
        )
    };

    for (signal, log) in [("INT", "first"), ("TERM", "second")] {
        let log = folder.join(log);
        let mut running = Running::start(run_arguments(&[&path]), &log);
        running.wait_until("the training", |running| {
            running.log().contains("fold 1: started")
        });
        if signal == "INT" {
            std::thread::sleep(a_while());
        }
        assert_eq!(running.signal(signal), Some(130));
        let log = fs::read_to_string(log).unwrap();
        assert!(log.contains("Stopping after a checkpoint"), "{log}");
        assert!(log.contains("and it goes on"), "{log}");
        assert!(!log.contains("starts over"), "{log}");
        assert!(state(0) && state(1), "{log}");
        let status = fs::read_to_string(prefix.join(STATUS)).unwrap();
        assert!(status.contains("phase: Suspended"), "{status}");
    }
    let ended = run(&[&path]);
    assert!(!ended.stderr.contains("starts over"), "{}", ended.stderr);
    assert!(
        !ended.stderr.contains("preprocess shard"),
        "{}",
        ended.stderr
    );
    ended.ok();
    is_as_if_never_stopped(&prefix, "Linear");
}

#[test]
fn a_finished_run_says_in_a_moment_that_nothing_is_left_to_do() {
    let weights = place(
        &TRAINED.prefix,
        "train/Residual/Positive/fold-0/weights.safetensors",
    );
    let written = || {
        fs::metadata(&weights)
            .and_then(|it| it.modified())
            .expect("should be there")
    };
    let before = written();
    let start = Instant::now();
    let table = run(&[&TRAINED.manifest]).ok();
    let seconds = start.elapsed().as_secs_f64();
    assert!(
        table.contains("TrainingRun ward/small had nothing left to do"),
        "{table}"
    );
    assert!(
        table.contains("Residual"),
        "the results are told again: {table}"
    );
    assert_eq!(written(), before);
    assert!(
        seconds < 0.3 * TRAINED.seconds,
        "{seconds} s of {} s",
        TRAINED.seconds
    );
}

#[test]
fn a_changed_spec_is_refused_and_costs_nothing() {
    let before: Vec<_> = files(&TRAINED.prefix)
        .into_iter()
        .map(|name| TRAINED.read(&name))
        .collect();
    let changed = "  augmentation: {images: 9}";
    let text = with(&TRAINED.text, "augmentation", changed);
    let path = manifest::write(&scratch("changed").join("run.yaml"), &text);
    run(&[&path]).fails_with(43, &["ward/small", "augmentation", "another name"]);
    let after: Vec<_> = files(&TRAINED.prefix)
        .into_iter()
        .map(|name| TRAINED.read(&name))
        .collect();
    assert!(before == after, "something has changed");
}
