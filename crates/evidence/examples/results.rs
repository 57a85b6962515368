//! Writes report, image and picture of a few phantoms into a folder, to be looked at, and their scans de-identified:
//! `results FOLDER`.

use std::path::Path;
use std::{env, fs};

#[path = "../tests/common/mod.rs"]
mod common;

use attrium_evidence::{
    Decision, Pictures, deidentify, picture_png, secondary_capture, structured_report,
};
use common::{Scan, identity, negative, scan, without_heart};

fn main() {
    let folder = env::args().nth(1).expect("should name a folder");
    let folder = Path::new(&folder);
    let first = scan(0);
    write(
        folder,
        "positive",
        &first,
        &first.decision(),
        &first.pictures(),
    );
    let second = scan(3);
    let mut doubtful = negative(second.decision());
    doubtful.synthetic.model = true;
    doubtful.positive_probability = 0.4096;
    doubtful.doubts = vec![
        "the probability is close to the threshold".to_owned(),
        "networks of the ensemble disagree".to_owned(),
    ];
    doubtful.warnings = vec!["the view is known by the image alone".to_owned()];
    write(folder, "doubtful", &second, &doubtful, &second.pictures());
    let bare = Pictures {
        heat: None,
        regions: None,
        ..first.pictures()
    };
    let mut negative = without_heart(negative(first.decision()));
    negative.synthetic = Default::default();
    write(folder, "negative", &first, &negative, &bare);
    let mut wordy = second.decision();
    wordy.positive_probability = 0.41;
    wordy.synthetic.model = true;
    wordy.model.name =
        "A model with a name that is far longer than any line of the picture".to_owned();
    wordy.doubts = vec!["doubt upon doubt ".repeat(40), "x".repeat(500)];
    wordy.warnings = vec!["<b>warning</b> \u{1F600} \n\t\\".to_owned(); 9];
    write(folder, "wordy", &second, &wordy, &second.pictures());
}

fn write(folder: &Path, name: &str, scan: &Scan, decision: &Decision, pictures: &Pictures<'_>) {
    let source = scan.source();
    let report = structured_report(&source, decision, &identity()).expect("should compose");
    let image =
        secondary_capture(&source, decision, &identity(), pictures).expect("should compose");
    let png = picture_png(decision, pictures).expect("should encode");
    let object = common::file(&scan.object);
    let cleaned = deidentify(&object, &[7; 32], -100).expect("should clean");
    let files = [
        ("source.dcm", object),
        ("cleaned.dcm", cleaned),
        ("sr.dcm", report.bytes),
        ("sc.dcm", image.bytes),
        ("picture.png", png),
    ];
    for (end, bytes) in files {
        fs::write(folder.join(format!("{name}-{end}")), bytes).expect("should write");
    }
}
