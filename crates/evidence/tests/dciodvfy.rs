//! Reports and images are what the standard wants, by dciodvfy (Debian's dicom3tools), which has to be there.

mod common;

use std::process::Command;

use attrium_evidence::{
    Amended, Composed, Decision, Identity, Pictures, Predecessor, Source, secondary_capture,
    structured_report,
};
use common::{HOSTILE, Scan, data, identity, negative, put_bytes, scan, without_heart};
use dicom_dictionary_std::tags;

/// What dciodvfy warns of that is as it should be: the scheme of private codes is none of the standard's.
const EXPECTED: &str = "Warning - Unrecognized defined term <99ATTRIUM> for value 1 of attribute <Coding Scheme Designator>";

/// What it warns of where the source has no date, time or identifier of its study: none are invented.
const NOT_TOLD: &str =
    "Warning - Missing attribute or value that would be needed to build DICOMDIR - Study ";

/// What dciodvfy says of a file, less what is expected.
fn complaints(composed: &Composed) -> Vec<String> {
    let folder = tempfile::tempdir().expect("should make a folder");
    let path = folder.path().join("result.dcm");
    std::fs::write(&path, &composed.bytes).expect("should write");
    let output = Command::new("dciodvfy").arg(&path).output().expect(
        "dciodvfy is missing: install dicom3tools, without which nothing tells whether results are DICOM",
    );
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    let is_complaint = |line: &&str| line.starts_with("Error") || line.starts_with("Warning");
    let complaints = text.lines().filter(is_complaint);
    let unexpected = complaints.filter(|line| *line != EXPECTED);
    unexpected.map(str::to_owned).collect()
}

fn both_complaints(
    source: &Source,
    decision: &Decision,
    identity: &Identity,
    pictures: &Pictures<'_>,
) -> Vec<String> {
    let report = structured_report(source, decision, identity).expect("should compose");
    let image = secondary_capture(source, decision, identity, pictures).expect("should compose");
    [complaints(&report), complaints(&image)].concat()
}

fn assert_clean(
    source: &Source,
    decision: &Decision,
    identity: &Identity,
    pictures: &Pictures<'_>,
) {
    let complaints = both_complaints(source, decision, identity, pictures);
    assert_eq!(complaints, Vec::<String>::new());
}

fn assert_scan_is_clean(scan: &Scan, decision: &Decision) {
    assert_clean(&scan.source(), decision, &identity(), &scan.pictures());
}

#[test]
fn dciodvfy_would_complain() {
    let scan = scan(0);
    let mut report =
        structured_report(&scan.source(), &scan.decision(), &identity()).expect("should compose");
    // The flag's value is none of its terms.
    let flag = b"UNVERIFIED";
    let at = report
        .bytes
        .windows(flag.len())
        .position(|bytes| bytes == flag)
        .expect("should have a flag");
    report.bytes[at] = b'X';
    assert!(!complaints(&report).is_empty());
}

#[test]
fn a_positive_decision_is_clean() {
    let scan = scan(0);
    assert_scan_is_clean(&scan, &scan.decision());
}

#[test]
fn a_negative_decision_is_clean() {
    let scan = scan(1);
    assert_scan_is_clean(&scan, &negative(scan.decision()));
}

#[test]
fn a_decision_without_a_heart_and_without_a_heat_map_is_clean() {
    let scan = scan(0);
    let decision = without_heart(scan.decision());
    let pictures = Pictures {
        heat: None,
        regions: None,
        ..scan.pictures()
    };
    assert_clean(&scan.source(), &decision, &identity(), &pictures);
}

#[test]
fn every_scanner_s_layout_of_frames_is_clean() {
    for number in 0..8 {
        let scan = scan(number);
        let mut decision = scan.decision();
        decision.frame = Some(scan.source().frames());
        assert_scan_is_clean(&scan, &decision);
    }
}

#[test]
fn a_decision_that_takes_the_place_of_another_is_clean() {
    let scan = scan(0);
    let source = scan.source();
    let first = structured_report(&source, &scan.decision(), &identity()).expect("should compose");
    for amended in [None, Some(Amended::Positive)] {
        let mut decision = negative(scan.decision());
        decision.revision = 2;
        decision.predecessor = Some(Predecessor {
            reference: first.reference(),
            amended,
        });
        assert_scan_is_clean(&scan, &decision);
    }
}

#[test]
fn doubts_and_hostile_texts_are_clean() {
    let mut scan = scan(0);
    for (tag, vr, text) in HOSTILE {
        put_bytes(&mut scan.object, *tag, *vr, text.as_bytes());
    }
    let mut decision = scan.decision();
    let texts = [
        "",
        "\\",
        "\u{1b}$B",
        "naïve ≥ 日本語\0\r\n",
        &"x y".repeat(9_000),
    ];
    decision.doubts = texts.map(str::to_owned).to_vec();
    decision.warnings = texts.map(str::to_owned).to_vec();
    decision.model.name = "\\日本語\n".repeat(99);
    decision.model.version = String::new();
    decision.model.digest = "sha256:é".to_owned();
    let mut identity = identity();
    identity.station = "Ångström \\ station ".repeat(9);
    identity.software_version = String::new();
    assert_clean(&scan.source(), &decision, &identity, &scan.pictures());
}

#[test]
fn names_in_other_letters_are_clean() {
    let names: [(&str, &[u8]); 3] = [
        ("ISO_IR 100", b"Buc^J\xe9r\xf4me"),
        ("ISO_IR 192", "Wang^XiaoDong=王^小東".as_bytes()),
        (
            "\\ISO 2022 IR 87",
            b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B",
        ),
    ];
    for (set, name) in names {
        let mut scan = scan(0);
        put_bytes(
            &mut scan.object,
            tags::SPECIFIC_CHARACTER_SET,
            dicom_core::VR::CS,
            set.as_bytes(),
        );
        put_bytes(
            &mut scan.object,
            tags::PATIENT_NAME,
            dicom_core::VR::PN,
            name,
        );
        assert_scan_is_clean(&scan, &scan.decision());
    }
}

#[test]
fn a_source_that_says_little_gives_clean_results() {
    let scan = scan(0);
    for name in [
        "anterior-first.dcm",
        "implicit-little.dcm",
        "explicit-big.dcm",
        "secondary-capture.dcm",
    ] {
        let source = Source::read(&data(name)).expect("should be a source");
        let mut decision = without_heart(scan.decision());
        decision.frame = Some(1);
        decision.crop.top = 0.0;
        decision.crop.left = 0.0;
        let mut complaints = both_complaints(&source, &decision, &identity(), &scan.pictures());
        complaints.retain(|line| !line.starts_with(NOT_TOLD));
        assert_eq!(complaints, Vec::<String>::new(), "{name}");
    }
    let real = Source::read(&data("nm-wholebody-anterior.dcm")).expect("should be a source");
    let mut decision = without_heart(scan.decision());
    decision.frame = None;
    assert_clean(&real, &decision, &identity(), &scan.pictures());
}
