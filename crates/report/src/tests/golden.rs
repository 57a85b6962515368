//! The pages of the fixture, compared with those that were looked at.
//!
//! `ATTRIUM_BLESS=1 cargo test -p attrium-report --lib golden` writes them anew.

use std::path::Path;

use super::fixture;
use crate::{screening_report, training_report};
use attrium_types::{Architecture, Target};

/// The page without its images, whose bytes depend on the compressor's version, and without its
/// style sheet, which has a file of its own.
fn without_images_and_style(page: &str) -> String {
    const IMAGE: &str = "data:image/png;base64,";
    let mut parts = page.split(IMAGE);
    let mut text = parts.next().unwrap_or("").to_owned();
    for part in parts {
        text.push_str("data:image/png;…");
        text.push_str(&part[part.find('"').expect("the attribute ends")..]);
    }
    let (head, rest) = text.split_once("<style>").expect("the style sheet begins");
    let (_, body) = rest.split_once("</style>").expect("the style sheet ends");
    format!("{head}<style>…</style>{body}")
}

/// The page with a line for each block and for each shape of a plot, to be read and compared.
fn in_lines(page: &str) -> String {
    const ENDS: &str = "head style header nav main section footer h1 h2 h3 p ol ul li div dl pre \
                        figure figcaption table caption thead tbody tr details \
                        line polyline polygon circle text";
    ENDS.split(' ').fold(page.to_owned(), |text, name| {
        let end = format!("</{name}>");
        text.replace(&end, &format!("{end}\n"))
    })
}

fn check(name: &str, page: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/golden/report")
        .join(name);
    let page = in_lines(&without_images_and_style(page));
    if std::env::var_os("ATTRIUM_BLESS").is_some() {
        std::fs::write(&path, &page).expect("the golden page can be written");
    }
    let expected = std::fs::read_to_string(&path).expect("the golden page can be read");
    let lines = page.lines().zip(expected.lines()).enumerate();
    for (number, (made, golden)) in lines {
        assert_eq!(made, golden, "{name}, line {}", number + 1);
    }
    assert_eq!(page.len(), expected.len(), "{name}: one page is longer");
}

/// Enough of a run for every section, and few enough lines to review.
#[test]
fn a_training_report_is_the_one_that_was_looked_at() {
    let mut report = fixture::training();
    report.results.retain(|result| match result.metrics.target {
        Target::Positive => true,
        Target::Perugini => result.architecture == Architecture::Residual,
        Target::HighGrade => false,
    });
    report.histories.truncate(2);
    report.activation_maps.truncate(1);
    check("training.html", &training_report(&report));
}

#[test]
fn a_screening_report_is_the_one_that_was_looked_at() {
    check("screening.html", &screening_report(&fixture::screening()));
}

#[test]
fn the_same_values_make_the_same_bytes() {
    let pages = [(); 2].map(|()| training_report(&fixture::training()));
    assert!(pages[0] == pages[1]);
}
