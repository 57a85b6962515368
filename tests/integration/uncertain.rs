//! Decisions that are uncertain: flagged by a model that was trained here, and not known of a bundle from before.

use std::fs;
use std::path::{Path, PathBuf};

use attrium_workflow::artefacts::{METRICS, REPORT, SCREENING, SCREENING_SUMMARY, STATUS};
use dicom_core::value::PrimitiveValue;
use dicom_core::{DataElement, VR};
use dicom_dictionary_std::tags;
use dicom_object::open_file;
use serde_json::Value;

use crate::bad_input::sum_up;
use crate::cohort::{COHORT, files, put, scratch};
use crate::manifest::{self, screening, screening_prefix};
use crate::program::{attrium, run};
use crate::trained::TRAINED;

/// The bundle that comes with attrium; tests run in the folder of the package.
const SHIPPED: &str = "models/heart-perugini";
/// Of how many counts one is kept.
const THINNED: u64 = 40;

/// Screens files with a bundle; returns the rows.
fn screen(model: &Path, files: &[PathBuf], options: &[&str]) -> Vec<Value> {
    let model = model.to_str().expect("text");
    let files = files.iter().map(|file| file.to_str().expect("text"));
    let arguments = ["screen", "--model", model, "-o", "json"].into_iter();
    let arguments = arguments.chain(options.iter().copied()).chain(files);
    let told: Value = serde_json::from_str(&attrium(arguments).ok()).expect("JSON");
    told["studies"].as_array().expect("rows").clone()
}

/// The objects of the cohort that are given a decision.
fn decided() -> Vec<PathBuf> {
    let all: Vec<_> = COHORT
        .keys()
        .iter()
        .map(|key| COHORT.images.join(key))
        .collect();
    let rows = screen(&TRAINED.bundle(), &all, &[]);
    let is_decided =
        |row: &Value| matches!(row["decision"].as_str(), Some("positive" | "negative"));
    let rows = all.into_iter().zip(rows).filter(|(_, row)| is_decided(row));
    rows.map(|(path, _)| path).collect()
}

/// The same scan after a fraction of the time: of so many counts one, by chance. Nothing of pixels that are not of 16
/// bits one after another.
fn thinned(path: &Path, folder: &Path) -> Option<PathBuf> {
    let mut object = open_file(path).expect("an object");
    let bits = object
        .element(tags::BITS_ALLOCATED)
        .ok()?
        .to_int::<u16>()
        .ok()?;
    let is_little = ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1"]
        .contains(&object.meta().transfer_syntax().trim_end_matches('\0'));
    if bits != 16 || !is_little {
        return None;
    }
    let bytes = object
        .element(tags::PIXEL_DATA)
        .ok()?
        .to_bytes()
        .ok()?
        .into_owned();
    let mut state = 1_u64;
    let mut is_kept = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33).is_multiple_of(THINNED)
    };
    let pixels = bytes
        .chunks_exact(2)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    let pixels: Vec<u16> = pixels
        .map(|count| (0..count).filter(|_| is_kept()).count() as u16)
        .collect();
    let pixels = PrimitiveValue::U16(pixels.into());
    object.put(DataElement::new(tags::PIXEL_DATA, VR::OW, pixels));
    let target = folder.join(path.to_str()?.replace('/', "-"));
    object.write_to_file(&target).expect("should be written");
    Some(target)
}

#[test]
fn a_published_bundle_keeps_what_tells_uncertain_decisions() {
    let manifest = fs::read(TRAINED.bundle().join("bundle.json")).expect("a bundle");
    let manifest: Value = serde_json::from_slice(&manifest).expect("JSON");
    let limits = &manifest["uncertainty"];
    let negatives = limits["negativeScores"].as_array().expect("scores").len();
    let positives = manifest["positiveScores"].as_array().expect("scores").len();
    let studies = manifest["training"]["studies"].as_u64().expect("a number") as usize;
    assert_eq!(negatives + positives, studies);
    assert_eq!(limits["training"]["scans"], studies);
    let card = fs::read_to_string(TRAINED.bundle().join("MODEL_CARD.md")).expect("a card");
    assert!(card.contains("## Uncertain decisions"), "{card}");
}

#[test]
fn a_scan_of_very_few_counts_is_unlike_the_training_and_its_decision_uncertain() {
    let folder = scratch("uncertain-thinned");
    let thinned: Vec<_> = decided()
        .iter()
        .filter_map(|path| thinned(path, &folder))
        .collect();
    let rows = screen(Path::new(SHIPPED), &thinned, &[]);
    let rows = rows.iter().filter(|row| row["overlap"] != Value::Null);
    let rows: Vec<_> = rows.filter(|row| row["uncertain"] != Value::Null).collect();
    assert!(!rows.is_empty(), "none of {} was decided on", thinned.len());
    for row in rows {
        let doubts = row["doubts"].as_array().expect("doubts");
        assert_eq!(row["uncertain"], true, "{row}");
        assert!(doubts.contains(&"unlike-training".into()), "{row}");
    }
}

#[test]
fn a_screening_tells_which_decisions_are_uncertain_in_table_counts_metrics_and_report() {
    let out = scratch("uncertain");
    let model = format!("{{uri: {}}}", TRAINED.bundle().display());
    let text = screening(&out, &model) + &format!("  labels: {}\n", COHORT.labels.display());
    let text = text.replace(
        "operatingPoint: {threshold: \"0\"}",
        "operatingPoint: {sensitivity: \"0.5\"}",
    );
    let ended = run(&[&manifest::write(&out.join("job.yaml"), &text)]).ok();
    let prefix = screening_prefix(&out);
    let read = |name: &str| fs::read_to_string(prefix.join(name)).expect("text");
    let mut table = csv::Reader::from_path(prefix.join(SCREENING)).expect("a table");
    let header = table.headers().expect("a header").clone();
    let place = |column: &str| {
        header
            .iter()
            .position(|name| name == column)
            .expect("a column")
    };
    let (decision, uncertain, doubts) = (place("decision"), place("uncertain"), place("doubts"));
    let rows: Vec<_> = table.records().map(|row| row.expect("a row")).collect();
    for row in &rows {
        let is_decided = ["positive", "negative"].contains(&&row[decision]);
        assert_eq!(!row[uncertain].is_empty(), is_decided, "{row:?}");
        assert_eq!(
            &row[uncertain] == "true",
            !row[doubts].is_empty(),
            "{row:?}"
        );
    }
    let flagged = rows.iter().filter(|row| &row[uncertain] == "true").count();
    let counts: Value = serde_json::from_str(&read(SCREENING_SUMMARY)).expect("JSON");
    assert_eq!(counts["uncertain"], flagged);
    let status: Value = serde_saphyr::from_str(&read(STATUS)).expect("YAML");
    assert_eq!(status["screening"]["uncertain"], flagged);
    let metrics: Value = serde_json::from_str(&read(METRICS)).expect("JSON");
    let shares = &metrics["results"][0]["flagged"];
    assert_eq!(shares["decisions"], metrics["results"][0]["studies"]);
    assert!(shares["shareInterval"]["high"].is_number(), "{shares}");
    let page = read(REPORT);
    assert!(page.contains("id=\"uncertain\""));
    assert!(page.contains("at this threshold were flagged as uncertain"));
    assert!(ended.contains("uncertain"), "{ended}");
}

#[test]
fn of_a_bundle_from_before_there_were_limits_nobody_knows_which_decisions_are_uncertain() {
    let out = scratch("uncertain-before");
    let before = out.join("earlier");
    for name in files(Path::new(SHIPPED)) {
        let bytes = fs::read(Path::new(SHIPPED).join(&name)).expect("a file");
        put(&before, &name, &bytes);
    }
    let manifest = fs::read(before.join("bundle.json")).expect("a bundle");
    let mut manifest: Value = serde_json::from_slice(&manifest).expect("JSON");
    let limits = manifest
        .as_object_mut()
        .expect("fields")
        .remove("uncertainty");
    assert!(limits.is_some());
    put(&before, "bundle.json", manifest.to_string().as_bytes());
    sum_up(&before);
    for row in screen(&before, &decided(), &[]) {
        assert_eq!(row["uncertain"], Value::Null, "{row}");
        assert_eq!(row["doubts"], Value::Array(Vec::new()), "{row}");
    }
    let text = screening(&out, &format!("{{uri: {}}}", before.display()));
    run(&[&manifest::write(&out.join("job.yaml"), &text)]).ok();
    let read = |name: &str| fs::read_to_string(screening_prefix(&out).join(name)).expect("text");
    let counts: Value = serde_json::from_str(&read(SCREENING_SUMMARY)).expect("JSON");
    assert_eq!(counts.get("uncertain"), None);
    let table = read(SCREENING);
    assert!(
        table
            .lines()
            .next()
            .is_some_and(|header| header.ends_with(",uncertain,doubts"))
    );
    assert!(
        table.lines().skip(1).all(|row| row.ends_with(",,")),
        "{table}"
    );
    assert!(read(REPORT).contains("It is not known which decisions are uncertain"));
}

#[test]
fn doubts_are_told_in_the_table_for_people() {
    let file = decided().remove(0);
    let folder = scratch("uncertain-told");
    put(&folder, "scan.dcm", &fs::read(file).expect("an object"));
    let model = TRAINED.bundle();
    let arguments = [
        "screen",
        "--model",
        model.to_str().expect("text"),
        "--threshold",
        "1",
    ];
    let scan = folder.join("scan.dcm");
    let told = attrium(arguments.into_iter().chain([scan.to_str().expect("text")])).ok();
    assert!(told.contains("uncertain\n"), "{told}");
}
