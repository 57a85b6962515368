//! The pages in a headless Chromium: no request, nothing wider than the page, no cut text.
//!
//! Each page is opened in frames of [`WIDTHS`] by a page of the test's own, whose script measures
//! them. `ATTRIUM_CHROMIUM` names the program where it is not on the path;
//! `ATTRIUM_SCREENSHOTS=DIR` keeps the pages and their screenshots to look at.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use maud::{DOCTYPE, PreEscaped, html};
use serde::Deserialize;

use super::fixture;
use crate::{screening_report, training_report};

/// The widths in CSS pixels: a desk and a telephone.
const WIDTHS: [u32; 2] = [1280, 400];

/// What the script finds in one frame.
#[derive(Debug, Deserialize)]
struct Findings {
    /// The frame's width.
    width: u32,
    /// The number of elements looked at.
    elements: usize,
    /// The number of pieces of text looked at.
    texts: usize,
    /// URLs that were asked for, whatever came of it.
    requests: Vec<String>,
    /// Elements that reach beyond the page.
    wide: Vec<String>,
    /// Pieces of text that reach beyond their box.
    cut: Vec<String>,
    /// Pairs of texts of a plot that lie over each other.
    overlapping: Vec<String>,
    /// Images that did not load or have no alternative text.
    images: Vec<String>,
}

#[test]
fn a_training_report_fits_the_page_and_asks_for_nothing() {
    check("training", &training_report(&fixture::training()));
}

#[test]
fn a_screening_report_fits_the_page_and_asks_for_nothing() {
    check("screening", &screening_report(&fixture::screening()));
}

/// The measure itself: a page with each fault is found out.
#[test]
fn a_faulty_page_is_found_out() {
    let faults = "<div style='width:3000px'>wide</div>\
        <p style='width:2em;white-space:nowrap;overflow-wrap:normal'>reaches beyond its box</p>\
        <svg class='plot'><text y='9'>one</text><text y='9'>another</text></svg>\
        <img src='http://127.0.0.1:9/elsewhere.png'>";
    let page = screening_report(&fixture::screening());
    let page = page.replacen("<main>", &format!("<main>{faults}"), 1);
    for found in measure(&page) {
        assert!(
            found.requests.iter().any(|url| url.contains("elsewhere")),
            "{found:?}"
        );
        assert!(!found.wide.is_empty(), "{found:?}");
        assert!(
            found.cut.iter().any(|text| text.contains("beyond")),
            "{found:?}"
        );
        assert_eq!(found.overlapping, ["one and another"], "{found:?}");
        assert!(!found.images.is_empty(), "{found:?}");
    }
}

fn check(name: &str, page: &str) {
    keep(name, page);
    let findings = measure(page);
    assert_eq!(findings.len(), WIDTHS.len());
    for (found, width) in findings.iter().zip(WIDTHS) {
        assert_eq!(found.width, width, "the frame has another width");
        assert!(found.elements > 500 && found.texts > 500, "{found:?}");
        assert_eq!(found.requests, [""; 0], "requests at {width} pixels");
        assert_eq!(
            found.wide, [""; 0],
            "elements beyond the page at {width} pixels"
        );
        assert_eq!(found.cut, [""; 0], "text beyond its box at {width} pixels");
        assert_eq!(
            found.overlapping, [""; 0],
            "texts of plots at {width} pixels"
        );
        assert_eq!(found.images, [""; 0], "images at {width} pixels");
    }
}

/// Opens a page in a frame of each width and measures it.
fn measure(page: &str) -> Vec<Findings> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("measure.html");
    fs::write(&path, measuring_page(page)).expect("the page can be written");
    let dump = chromium(folder.path(), &["--dump-dom"], &path);
    let json = dump
        .split_once("<pre>")
        .and_then(|(_, rest)| rest.split_once("</pre>"))
        .map(|(json, _)| {
            json.replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&amp;", "&")
        })
        .expect("the script ran to its end");
    serde_json::from_str(&json).expect("the findings are as described")
}

/// The page of the test's own. The report's policy is taken out, so that an attempt shows.
fn measuring_page(page: &str) -> String {
    let policy = "http-equiv=\"Content-Security-Policy\"";
    assert_eq!(page.matches(policy).count(), 1, "the page has one policy");
    let open = page.replace(policy, "name=\"policy\"");
    let document = html! {
        (DOCTYPE)
        meta charset="utf-8";
        body {
            @for width in WIDTHS {
                iframe style={ "width:" (width) "px;height:900px;border:0" } srcdoc=(open) {}
            }
            script { (PreEscaped(SCRIPT)) }
        }
    };
    document.into_string()
}

const SCRIPT: &str = include_str!("measure.js");

/// How long Chromium may take for one page, as `timeout` of coreutils reads it.
const LIMIT: &str = "2m";

/// Opens a file in Chromium, which is stopped after [`LIMIT`]; returns what it prints.
fn chromium(folder: &Path, arguments: &[&str], page: &Path) -> String {
    let output = folder.join("output");
    let status = Command::new("timeout")
        .arg(LIMIT)
        .arg(program())
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
            "--window-size=1400,1000",
        ])
        .arg(format!(
            "--user-data-dir={}",
            folder.join("profile").display()
        ))
        .args(arguments)
        .arg(format!("file://{}", page.display()))
        .stdin(Stdio::null())
        // A file rather than a pipe: a process that Chromium leaves behind would keep a pipe open.
        .stdout(File::create(&output).expect("the output can be written"))
        .stderr(Stdio::null())
        .status()
        .expect("`timeout` of coreutils starts");
    assert!(status.success(), "Chromium ended with {status}");
    fs::read_to_string(&output).expect("the output can be read")
}

fn program() -> PathBuf {
    if let Some(named) = std::env::var_os("ATTRIUM_CHROMIUM") {
        return named.into();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .flat_map(|folder| {
            ["chromium", "chromium-browser", "google-chrome"].map(|n| folder.join(n))
        })
        .find(|candidate| candidate.is_file())
        .expect("Chromium is needed: install the Debian package chromium, or set ATTRIUM_CHROMIUM")
}

/// Keeps a page and its screenshots where they are asked for.
fn keep(name: &str, page: &str) {
    let Some(folder) = std::env::var_os("ATTRIUM_SCREENSHOTS").map(PathBuf::from) else {
        return;
    };
    let path = folder.join(format!("{name}.html"));
    fs::write(&path, page).expect("the page can be written");
    for width in WIDTHS {
        let profile = tempfile::tempdir().expect("a folder");
        let image = folder.join(format!("{name}-{width}.png"));
        let arguments = [
            format!("--window-size={width},8000"),
            format!("--screenshot={}", image.display()),
        ];
        chromium(
            profile.path(),
            &arguments.each_ref().map(String::as_str),
            &path,
        );
    }
}
