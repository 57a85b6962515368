//! What documents point to is there: files, and the tests that hold what a table says.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::cohort;

/// The folders with documents and tests, beside the top one.
const FOLDERS: [&str; 12] = [
    "benches", "charts", "crates", "docs", "examples", "fuzz", "images", "models", "src", "tests",
    ".github", "crds",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files with an ending, at the top and below its folders.
fn files(ending: &str) -> Vec<PathBuf> {
    let top = fs::read_dir(root()).expect("should be a folder");
    let top = top.map(|entry| entry.expect("should be listed").path());
    let below = FOLDERS.iter().flat_map(|folder| {
        let folder = root().join(folder);
        let files = cohort::files(&folder).into_iter();
        files.map(move |file| folder.join(file))
    });
    let has_ending = |path: &PathBuf| path.extension().is_some_and(|it| it == ending);
    top.chain(below).filter(has_ending).collect()
}

/// The places that a document links to, but for those on the web and on its own page.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let places = text.split("](").skip(1);
    let places = places.filter_map(|rest| rest.split([')', '#', ' ']).next());
    places.filter(|place| !place.is_empty() && !place.contains(':'))
}

#[test]
fn every_link_of_a_document_leads_to_a_file() {
    let documents = files("md");
    assert!(documents.len() > 20, "{documents:?}");
    for document in documents {
        let text = fs::read_to_string(&document).expect("should be text");
        let folder = document.parent().expect("should be in a folder");
        for link in links(&text) {
            let place = document.display();
            assert!(folder.join(link).exists(), "{place} links to {link}");
        }
    }
}

#[test]
fn every_test_that_the_table_of_faults_names_exists() {
    let table = include_str!("../cluster/README.md");
    let (_, table) = table.split_once("\n## Faults\n").expect("the table");
    let names = table.split('`').skip(1).step_by(2);
    let names: BTreeSet<&str> = names.filter(|name| name.matches('_').count() > 2).collect();
    assert!(names.len() > 50, "{names:?}");
    let sources = files("rs").into_iter();
    let sources = sources.map(|path| fs::read_to_string(path).expect("should be text"));
    let sources = sources.collect::<String>();
    for name in names {
        let test = format!("fn {name}(");
        assert!(sources.contains(&test), "no test is named {name}");
    }
}
