//! Screening: a row for each object, whatever it is, and a decision at the operating point.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use attrium_workflow::artefacts::STATUS;
use serde_json::Value;

use crate::cohort::{COHORT, STUDIES, put, root, scratch};
use crate::manifest::{self, screening, screening_prefix};
use crate::program::{Ended, attrium, command, finish, run, run_arguments};
use crate::scale;
use crate::trained::TRAINED;

/// The scan of a patient, who is negative; tests run in the folder of the package.
const REAL_SCAN: &str = "tests/data/nm-wholebody-anterior.dcm";

/// A screening of the whole cohort and a few objects more, with labels, everything positive.
pub(crate) static SCREENED: LazyLock<Screening> = LazyLock::new(Screening::make);

/// A finished screening.
pub(crate) struct Screening {
    pub prefix: PathBuf,
    pub ended: Ended,
    /// How many objects there are.
    objects: usize,
}

/// A row of the table, by the names of its columns.
type Row = BTreeMap<String, String>;

impl Screening {
    fn make() -> Self {
        let folder = root().join("screened");
        let images = folder.join("images");
        for key in COHORT.keys() {
            put(&images, &key, &fs::read(COHORT.images.join(&key)).unwrap());
        }
        put(&images, "real.dcm", &fs::read(REAL_SCAN).unwrap());
        put(&images, "notes.txt", b"no scan");
        let text = screening(&TRAINED.out, "{trainingRun: small}")
            .replace(COHORT.images.to_str().unwrap(), images.to_str().unwrap());
        let text = format!("{text}  labels: {}\n", COHORT.labels.display());
        let manifest = manifest::write(&folder.join("job.yaml"), &text);
        let ended =
            finish(command(run_arguments(&[&manifest])).env("ATTRIUM_LOG", "attrium=trace"));
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        Self {
            prefix: screening_prefix(&TRAINED.out),
            ended,
            objects: COHORT.objects + 2,
        }
    }

    fn rows(&self) -> BTreeMap<String, Row> {
        let mut table = csv::Reader::from_path(self.prefix.join("screening.csv")).unwrap();
        let rows: Vec<Row> = table
            .deserialize()
            .map(|row| row.expect("should be a row"))
            .collect();
        let count = rows.len();
        let rows: BTreeMap<_, _> = rows
            .into_iter()
            .map(|row| (row["object"].clone(), row))
            .collect();
        assert_eq!(rows.len(), count, "an object has two rows");
        rows
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&fs::read(self.prefix.join(name)).unwrap()).expect("should be JSON")
    }
}

/// Runs `attrium screen -o json` with the shared run's model.
fn screen(files: &[&Path], options: &[&str]) -> Value {
    let model = TRAINED.bundle();
    let mut arguments = vec!["screen", "--model", model.to_str().unwrap(), "-o", "json"];
    arguments.extend(options);
    arguments.extend(files.iter().map(|file| file.to_str().unwrap()));
    serde_json::from_str(&attrium(arguments).ok()).expect("should be JSON")
}

/// Some objects of the cohort that show the anterior view.
fn some_scans(count: usize) -> Vec<PathBuf> {
    let rows = SCREENED.rows();
    let decided = rows
        .values()
        .filter(|row| row["decision"] == "positive" && row["object"] != "real.dcm");
    decided
        .take(count)
        .map(|row| COHORT.images.join(&row["object"]))
        .collect()
}

/// Asserts that a file is a PNG with nothing in it but a picture and what it is for.
fn is_plain_png(path: &Path) {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut reader = png::Decoder::new(std::io::Cursor::new(&bytes))
        .read_info()
        .expect("should be PNG");
    let mut pixels = vec![0; reader.output_buffer_size().expect("should fit in memory")];
    reader.next_frame(&mut pixels).expect("should be a picture");
    assert!(
        pixels.iter().any(|&pixel| pixel != pixels[0]),
        "{} is blank",
        path.display()
    );
    reader.finish().expect("should end");
    let info = reader.info();
    let texts: Vec<&str> = info
        .uncompressed_latin1_text
        .iter()
        .map(|it| it.text.as_str())
        .collect();
    assert_eq!(texts, ["Research use only"]);
    assert!(info.utf8_text.is_empty() && info.compressed_latin1_text.is_empty());
    assert!(info.exif_metadata.is_none());
}

#[test]
fn every_object_has_one_row_with_a_decision_or_a_reason() {
    let rows = SCREENED.rows();
    assert_eq!(rows.len(), SCREENED.objects);
    let digest = attrium_digest();
    let mut decided = 0;
    for row in rows.values() {
        assert_eq!(row["model"], digest);
        match row["decision"].as_str() {
            "positive" => {
                decided += 1;
                let [positive, p_0, p_1] = ["positive_probability", "p_0", "p_1"]
                    .map(|column| row[column].parse::<f64>().expect("should be a number"));
                assert_eq!(positive, p_1);
                assert!((p_0 + p_1 - 1.0).abs() < 1e-6);
                assert_eq!(row["reason"], "");
            }
            "other-view" => assert_eq!(row["reason"], "no-anterior"),
            "unusable" => assert!(!row["sentence"].is_empty()),
            other => panic!("{other} at a threshold of 0"),
        }
    }
    assert_eq!(decided, STUDIES + 1);
    assert_eq!(rows["notes.txt"]["reason"], "not-dicom");
    let cut = rows
        .values()
        .find(|row| row["object"].contains("CUT"))
        .expect("should be there");
    assert_eq!(cut["reason"], "truncated");
}

/// The digest of the shared run's model, as its status tells it.
fn attrium_digest() -> String {
    let status: Value = serde_saphyr::from_str(&TRAINED.text_of("status.yaml")).unwrap();
    status["model"]["digest"]
        .as_str()
        .expect("should be published")
        .to_owned()
}

#[test]
fn the_counts_are_those_of_the_rows() {
    let rows = SCREENED.rows();
    let with = |decision: &str| {
        rows.values()
            .filter(|row| row["decision"] == decision)
            .count()
    };
    let mut counts = SCREENED.json("screening.json");
    let model = counts.as_object_mut().unwrap().remove("model").unwrap();
    assert_eq!(model["digest"], attrium_digest());
    assert_eq!(counts["objects"], SCREENED.objects);
    assert_eq!(counts["positive"], with("positive"));
    assert_eq!(counts["negative"], 0);
    assert_eq!(counts["otherViews"], with("other-view"));
    assert_eq!(counts["unusable"], with("unusable"));
    let text = fs::read_to_string(SCREENED.prefix.join("status.yaml")).unwrap();
    let status: Value = serde_saphyr::from_str(&text).expect("should be YAML");
    assert_eq!(status["phase"], "Succeeded");
    assert_eq!(status["screening"], counts);
}

#[test]
fn the_scan_of_a_patient_is_screened_as_any_other() {
    let row = &SCREENED.rows()["real.dcm"];
    assert_eq!(row["decision"], "positive", "at a threshold of 0: {row:?}");
    let alone = screen(&[Path::new(REAL_SCAN)], &["--threshold", "0"]);
    let alone = alone["studies"][0]["positiveProbability"]
        .as_f64()
        .expect("should be decided");
    let in_job: f64 = row["positive_probability"]
        .parse()
        .expect("should be a number");
    assert!(
        (alone - in_job).abs() < 1e-5,
        "{alone} alone, {in_job} in the job"
    );
}

#[test]
fn each_positive_has_an_activation_map() {
    let mut maps = 0;
    for row in SCREENED
        .rows()
        .values()
        .filter(|row| row["decision"] == "positive")
    {
        is_plain_png(&SCREENED.prefix.join(&row["activation_map"]));
        maps += 1;
    }
    assert_eq!(
        crate::cohort::files(&SCREENED.prefix.join("activation-maps")).len(),
        maps
    );
}

#[test]
fn labels_make_a_screening_an_external_validation() {
    let metrics = SCREENED.json("metrics.json");
    let result = &metrics["results"][0];
    assert_eq!(result["architecture"], "Residual");
    assert_eq!(
        result["studies"], STUDIES,
        "the scan without a label does not count"
    );
    assert!(
        result["auc"]
            .as_f64()
            .is_some_and(|auc| (0.0..=1.0).contains(&auc))
    );
    let page = fs::read_to_string(SCREENED.prefix.join("report/index.html")).unwrap();
    for words in [
        "<strong>Synthetic data.</strong>",
        "<strong>Synthetic model.</strong>",
        "<strong>Research use only.</strong>",
        "id=\"validation\"",
    ] {
        assert!(page.contains(words), "{words}");
    }
    assert_eq!(metrics["synthetic"], true);
}

/// The Study Instance UIDs of the positives that the labels have, sorted.
fn positives() -> Vec<String> {
    let mut table = csv::Reader::from_path(&COHORT.labels).unwrap();
    let rows = table.deserialize().map(|row: Result<Row, _>| row.unwrap());
    let positive = rows.filter(|row| row["grade"].parse::<u8>().unwrap() >= 2);
    let mut studies: Vec<String> = positive.map(|row| row["study"].clone()).collect();
    studies.sort();
    studies
}

#[test]
fn positives_that_could_not_be_read_are_counted_beside_a_validation() {
    const CUT: usize = 3;
    let folder = scratch("unread");
    let (images, out) = (folder.join("images"), folder.join("results"));
    let positives = positives();
    let cut = &positives[..CUT];
    for key in COHORT.keys() {
        let bytes = fs::read(COHORT.images.join(&key)).unwrap();
        let study = attrium_imaging::study(&bytes);
        let is_cut = study.is_some_and(|study| cut.iter().any(|uid| uid == study.as_str()));
        let whole = if is_cut { bytes.len() / 2 } else { bytes.len() };
        put(&images, &key, &bytes[..whole]);
    }
    let text = screening(&out, "{uri: models/heart-perugini}")
        .replace(COHORT.images.to_str().unwrap(), images.to_str().unwrap());
    let text = format!(
        "{text}  maxUnusable: \"1\"\n  labels: {}\n",
        COHORT.labels.display()
    );
    let ended = run(&[&manifest::write(&folder.join("job.yaml"), &text)]);
    let words = format!("{CUT} labelled studies without a prediction, {CUT} of them positive");
    assert!(ended.ok().contains(&words));

    let prefix = screening_prefix(&out);
    let read = |name: &str| fs::read_to_string(prefix.join(name)).unwrap();
    let metrics: Value = serde_json::from_str(&read("metrics.json")).unwrap();
    let result = &metrics["results"][0];
    let unanswered = &result["unanswered"];
    assert_eq!(unanswered["studies"], CUT);
    assert_eq!(unanswered["positives"], CUT);
    // At a threshold of 0 all are positive: found, but for those that could not be read.
    assert_eq!(result["positive"]["operatingPoints"][0]["sensitivity"], 1.0);
    let worst = (positives.len() - CUT) as f64 / positives.len() as f64;
    assert_eq!(unanswered["sensitivity"], worst);
    let counts: Value = serde_json::from_str(&read("screening.json")).unwrap();
    assert_eq!(counts["unanswered"], CUT);
    assert_eq!(counts["unansweredPositive"], CUT);
    assert_eq!(read("unanswered.csv").lines().count(), 1 + CUT);
    assert!(read("report/index.html").contains("labelled studies have no prediction"));
}

#[test]
fn a_validation_judges_the_threshold_that_the_job_screens_with() {
    let metrics = SCREENED.json("metrics.json");
    let point = &metrics["results"][0]["positive"]["operatingPoints"][0];
    assert_eq!(point["kind"], "chosen");
    let threshold = point["threshold"].as_f64().expect("should be a number");
    let (mut positive, mut negative) = (0, 0);
    for row in SCREENED.rows().values() {
        if let Ok(probability) = row["positive_probability"].parse::<f64>() {
            let called = row["decision"] == "positive";
            assert_eq!(called, probability >= threshold, "{row:?}");
            *(if called { &mut positive } else { &mut negative }) += 1;
        }
    }
    assert!(positive > 0, "{positive} positive, {negative} negative");
    let status: Value =
        serde_saphyr::from_str(&fs::read_to_string(SCREENED.prefix.join(STATUS)).unwrap())
            .expect("should be YAML");
    let result = &status["results"][0];
    for metric in ["sensitivity", "specificity"] {
        let told: f64 = result[metric].as_str().expect("a decimal").parse().unwrap();
        let judged = point[metric].as_f64().expect("should be defined");
        assert!((told - judged).abs() < 1e-4, "{metric}: {told}, {judged}");
    }
}

#[test]
fn a_row_says_whether_its_scan_is_synthetic() {
    let rows = SCREENED.rows();
    let is_synthetic = |row: &Row| row["warnings"].split(' ').any(|word| word == "synthetic");
    assert!(!is_synthetic(&rows["real.dcm"]));
    let decided = |row: &&Row| !row["positive_probability"].is_empty();
    let phantoms = rows
        .values()
        .filter(decided)
        .filter(|row| is_synthetic(row));
    let counts = SCREENED.json("screening.json");
    assert_eq!(counts["synthetic"], phantoms.count());
    assert_eq!(
        counts["synthetic"].as_u64().expect("a count") + 1,
        counts["screened"].as_u64().expect("a count")
    );
}

#[test]
fn files_of_one_name_have_a_map_each() {
    let folder = scratch("maps");
    let scans = some_scans(2);
    for (scan, place) in scans.iter().zip(["a/scan.dcm", "b/scan.dcm"]) {
        put(&folder, place, &fs::read(scan).unwrap());
    }
    let files = [folder.join("a/scan.dcm"), folder.join("b/scan.dcm")];
    let maps = folder.join("drawn");
    let options = ["--threshold", "0", "--maps", maps.to_str().unwrap()];
    let screened = screen(&[&files[0], &files[1]], &options);
    let map = |study: usize| {
        let name = screened["studies"][study]["activationMap"].as_str();
        fs::read(name.expect("should be drawn")).unwrap()
    };
    assert_ne!(map(0), map(1));
    assert_eq!(crate::cohort::files(&maps).len(), 2);
}

#[test]
fn files_of_which_none_can_be_used_are_a_failure_that_lists_them_all() {
    let folder = scratch("none-usable");
    let model = TRAINED.bundle();
    let (one, two) = (folder.join("one.dcm"), folder.join("two.dcm"));
    let ended = attrium([
        Path::new("screen"),
        Path::new("--model"),
        &model,
        &one,
        &two,
    ]);
    assert_eq!(ended.code, Some(42), "{}", ended.stderr);
    assert_eq!(
        ended.stdout.matches("unusable").count(),
        3,
        "{}",
        ended.stdout
    );
    assert!(
        ended.stderr.contains("none of the 2 files can be screened"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_study_is_positive_from_the_threshold_on() {
    let scans = some_scans(4);
    let files: Vec<&Path> = scans.iter().map(PathBuf::as_path).collect();
    let probability = |study: &Value| {
        study["positiveProbability"]
            .as_f64()
            .expect("should be decided")
    };
    let first = screen(&files, &[]);
    let first = first["studies"].as_array().expect("should be a list");
    // A threshold has at most 12 decimals: one just below a study's probability, one just above.
    let reached = (probability(&first[1]) * 1e12).floor() / 1e12;
    for threshold in [reached, reached + 2e-12] {
        let again = screen(&files, &["--threshold", &format!("{threshold:.12}")]);
        let again = again["studies"].as_array().expect("should be a list");
        assert_eq!(again.len(), 4);
        for (before, study) in first.iter().zip(again) {
            assert_eq!(probability(before), probability(study));
            let is_positive = probability(study) >= threshold;
            let expected = if is_positive { "positive" } else { "negative" };
            assert_eq!(study["decision"], expected, "{study}");
        }
        let second = if threshold == reached {
            "positive"
        } else {
            "negative"
        };
        assert_eq!(again[1]["decision"], second);
    }
}

#[test]
fn a_sensitivity_is_reached_on_the_models_own_predictions() {
    let bundle = fs::read(TRAINED.bundle().join("bundle.json")).expect("should be there");
    let bundle: Value = serde_json::from_slice(&bundle).expect("should be JSON");
    let table = TRAINED.text_of("predictions/Residual-Positive.csv");
    let lowest = csv::Reader::from_reader(table.as_bytes())
        .records()
        .map(|row| row.expect("should be a row"))
        .filter(|row| &row[2] == "1")
        .map(|row| row[4].parse::<f64>().expect("should be a number"))
        .fold(f64::INFINITY, f64::min);
    let scans = some_scans(1);
    let screened = screen(&[&scans[0]], &["--sensitivity", "1"]);
    let expected = scale::published(&bundle, lowest);
    let threshold = screened["threshold"].as_f64().expect("should be a number");
    assert!(
        (threshold - expected).abs() < 1e-9,
        "{threshold}, not {expected}"
    );
}

#[test]
fn a_file_that_cannot_be_used_is_a_row_and_costs_no_other() {
    let folder = scratch("screen");
    let scans = some_scans(1);
    let whole = fs::read(&scans[0]).unwrap();
    put(&folder, "cut.dcm", &whole[..1000]);
    let (cut, missing) = (folder.join("cut.dcm"), folder.join("missing.dcm"));
    let maps = folder.join("maps");
    let options = ["--threshold", "0", "--maps", maps.to_str().unwrap()];
    let screened = screen(&[&cut, &missing, &scans[0]], &options);
    let studies = screened["studies"].as_array().expect("should be a list");
    assert_eq!(studies[0]["decision"], "unusable");
    assert_eq!(studies[0]["reason"], "truncated");
    assert_eq!(studies[1]["reason"], "unreadable");
    assert_eq!(studies[2]["decision"], "positive");
    is_plain_png(Path::new(
        studies[2]["activationMap"]
            .as_str()
            .expect("should be drawn"),
    ));
    assert_eq!(screened["counts"]["unusable"], 2);
    assert_eq!(screened["synthetic"], true);
}

#[test]
fn the_table_for_people_says_what_the_model_is_for() {
    let scans = some_scans(1);
    let model = TRAINED.bundle();
    let arguments = [Path::new("screen"), Path::new("--model"), &model, &scans[0]];
    let table = attrium(arguments).ok();
    for words in [
        "1 screened",
        "synthetic",
        "Research use only",
        &attrium_digest(),
    ] {
        assert!(table.contains(words), "no {words:?} in:\n{table}");
    }
}
