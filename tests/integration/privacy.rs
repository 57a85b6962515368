//! Nothing past preprocessing identifies anyone: marks are planted in every text of every object
//! and in the labels, and looked for in all that a training and a screening leave and say.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use attrium_phantom::dicom::PLANTED_DATE;

use crate::artefacts::name_of;
use crate::cohort::{COHORT, KEY, NAME, NUMBER, files, scratch};
use crate::manifest::{self, training};
use crate::program::{command, finish};
use crate::screening::SCREENED;
use crate::trained::TRAINED;

/// The results of a screening, which say where a scan is found.
const NAMES_OBJECTS: [&str; 4] = [
    "screening.csv",
    "screening/shard-",
    "left-out.csv",
    "report/index.html",
];

/// The marks that bytes hold, but for the mark of the keys.
fn marks(bytes: &[u8]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    if contains(bytes, NAME) {
        found.insert(NAME.to_owned());
    }
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.';
    for word in bytes
        .split(|byte| !is_word(*byte))
        .filter(|word| word.len() >= NUMBER.len())
    {
        let word = std::str::from_utf8(word)
            .expect("should be ASCII")
            .trim_matches('.');
        let numbers = word.split(|c: char| c.is_ascii_alphabetic());
        for part in [word].into_iter().chain(numbers) {
            if part == NUMBER || COHORT.identifiers.contains(part) {
                found.insert(part.to_owned());
            }
        }
    }
    found
}

/// The dates of the cohort in words as people write them.
fn dates(text: &str) -> BTreeSet<String> {
    let dates = COHORT
        .identifiers
        .iter()
        .filter(|it| it.len() == 8 && it.bytes().all(|b| b.is_ascii_digit()));
    dates
        .flat_map(|date| {
            let (year, month, day) = (&date[..4], &date[4..6], &date[6..]);
            ["-", ".", "/"]
                .map(|it| [year, month, day].join(it))
                .into_iter()
                .chain(["-", ".", "/"].map(|it| [day, month, year].join(it)))
        })
        .filter(|date| text.contains(date))
        .collect()
}

fn contains(bytes: &[u8], mark: &str) -> bool {
    bytes
        .windows(mark.len())
        .any(|window| window.eq_ignore_ascii_case(mark.as_bytes()))
}

/// Asserts that a text or a file holds no mark; `named` says whether it may name objects.
fn is_clean(what: &str, bytes: &[u8], may_name_objects: bool) {
    let mut found = marks(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        found.extend(dates(text));
    }
    assert!(found.is_empty(), "{what} holds {found:?}");
    assert!(
        may_name_objects || !contains(bytes, KEY),
        "{what} names an object"
    );
}

fn is_clean_below(prefix: &Path, may_name_objects: impl Fn(&str) -> bool) {
    for name in files(prefix) {
        is_clean("a file's name", name.as_bytes(), false);
        is_clean(
            &name,
            &fs::read(prefix.join(&name)).unwrap(),
            may_name_objects(name_of(&name)),
        );
    }
}

#[test]
fn the_marks_are_in_the_objects_and_would_be_found() {
    let identifiers = &COHORT.identifiers;
    assert!(
        identifiers.len() > 3 * crate::cohort::STUDIES,
        "{identifiers:?}"
    );
    for key in COHORT.keys() {
        assert!(contains(key.as_bytes(), KEY));
        let found = marks(&fs::read(COHORT.images.join(&key)).unwrap());
        let uids = found
            .iter()
            .filter(|mark| mark.starts_with("2.25."))
            .count();
        for mark in [NAME, NUMBER, PLANTED_DATE] {
            assert!(found.contains(mark), "{mark} in {key}: {found:?}");
        }
        assert!(uids >= 3, "study, series and instance of {key}: {found:?}");
    }
    let labels = marks(&fs::read(&COHORT.labels).unwrap());
    assert!(labels.len() >= 2 * crate::cohort::STUDIES + 2, "{labels:?}");
    assert!(!dates("on 1901-02-03").is_empty() && dates("on 1999-02-03").is_empty());
}

#[test]
fn what_a_training_leaves_identifies_nobody() {
    let may_name_objects =
        |name: &str| name == "quarantine.csv" || name.starts_with("dataset/quarantine-");
    is_clean_below(&TRAINED.prefix, may_name_objects);
    let quarantine = TRAINED.read("quarantine.csv");
    assert!(
        contains(&quarantine, KEY),
        "the object that is cut short should be named"
    );
}

#[test]
fn what_a_screening_leaves_names_objects_and_identifies_nobody_else() {
    is_clean_below(&SCREENED.prefix, |name| {
        NAMES_OBJECTS.iter().any(|it| name.starts_with(it))
    });
}

#[test]
fn what_is_said_identifies_nobody() {
    for ended in [&TRAINED.ended, &SCREENED.ended] {
        is_clean("standard output", ended.stdout.as_bytes(), false);
        is_clean("standard error", ended.stderr.as_bytes(), false);
    }
}

#[test]
fn a_pods_log_and_its_last_words_identify_nobody() {
    let folder = scratch("pod");
    let path = manifest::write(&folder.join("run.yaml"), &training(&folder.join("results")));
    let message = folder.join("termination-log");
    for (stage, index) in [("preprocess", "0"), ("preprocess", "1"), ("evaluate", "0")] {
        let mut command = command(["stage", stage, "--index", index, "--manifest"]);
        command
            .arg(&path)
            .arg("--termination-message")
            .arg(&message);
        let ended = finish(command.env("ATTRIUM_LOG", "attrium=trace"));
        is_clean("the log", ended.stderr.as_bytes(), false);
        is_clean("standard output", ended.stdout.as_bytes(), false);
        let message = fs::read(&message).expect("should be written");
        is_clean("the termination message", &message, false);
        assert!(!message.is_empty() && message.len() <= 4096);
        // The evaluation comes too early, and says so.
        assert_eq!(
            ended.code == Some(0),
            stage == "preprocess",
            "{}",
            ended.stderr
        );
    }
}
