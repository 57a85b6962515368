//! The corpora, replayed without a fuzzer.

use std::collections::BTreeSet;
use std::fs;
use std::panic::{self, PanicHookInfo};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use attrium_fuzz::{TARGETS, is_own};

/// attrium's own panics, of which those within the calls of decoders are caught.
static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A folder's files, sorted.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut files: Vec<PathBuf> = entries.map(|it| it.expect("an entry").path()).collect();
    files.sort();
    files
}

/// The names of a folder's entries, without what follows a dot.
fn stems(folder: &str) -> BTreeSet<String> {
    let stem = |path: &PathBuf| path.file_stem()?.to_str().map(str::to_owned);
    let files = files(&root().join(folder));
    files.iter().filter_map(stem).collect()
}

fn note(info: &PanicHookInfo<'_>) {
    if is_own(info) {
        let mut panics = PANICS.lock().unwrap_or_else(|held| held.into_inner());
        panics.push(info.to_string());
    }
}

#[test]
fn every_parser_has_a_target_and_a_corpus() {
    let names: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(stems("fuzz_targets"), names);
    assert_eq!(stems("corpus"), names);
}

#[test]
fn every_corpus_is_read_without_a_panic_and_some_of_it_is_taken() {
    panic::set_hook(Box::new(note));
    let mut faults = Vec::new();
    for (name, parse) in TARGETS {
        let mut taken = 0;
        for path in files(&root().join("corpus").join(name)) {
            let bytes = fs::read(&path).expect("a file");
            match panic::catch_unwind(|| parse(&bytes)) {
                Ok(is_taken) => taken += usize::from(is_taken),
                Err(_) => faults.push(format!("{} makes {name} panic", path.display())),
            }
        }
        if taken == 0 {
            faults.push(format!("{name} takes nothing of its corpus"));
        }
    }
    let _ = panic::take_hook();
    let panics = PANICS.lock().unwrap_or_else(|held| held.into_inner());
    assert!(
        faults.is_empty() && panics.is_empty(),
        "{faults:#?} {panics:#?}"
    );
}
