//! The workflows that make a release.

use std::fs;
use std::path::Path;

/// What each step of a workflow uses, as its line has it.
fn uses(workflow: &str) -> Vec<&str> {
    let lines = workflow.lines().map(str::trim_start);
    let lines = lines.map(|line| line.strip_prefix("- ").unwrap_or(line));
    lines.filter_map(|it| it.strip_prefix("uses: ")).collect()
}

/// Whether an action is pinned by a commit, with a comment that says which version that is.
fn is_pinned(action: &str) -> bool {
    let Some((_, rest)) = action.split_once('@') else {
        return false;
    };
    let Some((commit, version)) = rest.split_once(" # v") else {
        return false;
    };
    let is_digit = |c: char| matches!(c, '0'..='9' | 'a'..='f');
    commit.len() == 40 && commit.chars().all(is_digit) && version.split('.').count() == 3
}

#[test]
fn every_action_is_pinned_by_a_commit_and_says_its_version() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(".github/workflows");
    let mut actions = 0;
    for entry in fs::read_dir(folder).expect("a folder") {
        let workflow = fs::read_to_string(entry.expect("an entry").path()).expect("text");
        for action in uses(&workflow) {
            assert!(is_pinned(action), "{action}");
            actions += 1;
        }
    }
    assert!(actions > 5, "{actions}");
    assert!(!is_pinned("actions/checkout@v5"));
}
