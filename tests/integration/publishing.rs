//! What is published, and what is not: a refit of a network, and a gate that is missed.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::cohort::{COHORT, STUDIES, scratch};
use crate::manifest::{self, screening, screening_prefix, training, training_prefix, with};
use crate::program::run;
use crate::scale;

/// The cohort's labels with as many studies of each grade, so that every fold has all of them.
fn labels_of_all_grades(path: &Path) {
    let mut reader = csv::Reader::from_path(&COHORT.labels).expect("should be there");
    let mut writer = csv::Writer::from_path(path).expect("should be made");
    let columns = reader.headers().expect("should be a table").clone();
    let grade = columns.iter().position(|column| column == "grade");
    writer.write_record(&columns).expect("should be written");
    for (place, row) in reader.records().enumerate() {
        let row = row.expect("should be a row");
        let of_row = (place % 4).to_string();
        let fields = row.iter().enumerate().map(|(column, field)| {
            if Some(column) == grade {
                of_row.as_str()
            } else {
                field
            }
        });
        writer.write_record(fields).expect("should be written");
    }
}

/// Two questions, of which the network for the second is trained once more on all data.
fn refitting(folder: &Path, out: &Path, gates: &str) -> String {
    let labels = folder.join("labels.csv");
    labels_of_all_grades(&labels);
    let labels = format!("  labels: {}", labels.display());
    let text = with(&training(out), "labels", &labels);
    let text = with(&text, "tasks", "  tasks: [Perugini, HighGrade]");
    let publish = "architecture: Linear, task: HighGrade, method: Refit, force: true";
    format!("{text}  publish: {{{publish}}}\n{gates}")
}

pub(crate) fn status(prefix: &Path) -> Value {
    let text = fs::read_to_string(prefix.join("status.yaml")).expect("should be there");
    serde_saphyr::from_str(&text).expect("should be YAML")
}

pub(crate) fn condition<'a>(status: &'a Value, kind: &str) -> &'a Value {
    let conditions = status["conditions"].as_array().expect("should be a list");
    let found = conditions.iter().find(|one| one["type"] == kind);
    found.unwrap_or_else(|| panic!("{kind} is not among {conditions:?}"))
}

/// The rows of a table.
fn rows(path: &Path) -> Vec<csv::StringRecord> {
    let mut reader = csv::Reader::from_path(path).expect("should be there");
    let rows: Result<Vec<_>, _> = reader.records().collect();
    rows.expect("should be a table")
}

#[test]
fn a_refit_on_all_data_is_published_and_screens_at_the_sensitivity_that_is_asked_for() {
    let folder = scratch("refit");
    let out = folder.join("results");
    let path = manifest::write(&folder.join("run.yaml"), &refitting(&folder, &out, ""));
    run(&[&path]).ok();
    let prefix = training_prefix(&out);

    let grades = rows(&prefix.join("predictions/Linear-Perugini.csv"));
    assert_eq!(grades.len(), STUDIES);
    let high = rows(&prefix.join("predictions/Linear-HighGrade.csv"));
    for (four, two) in grades.iter().zip(&high) {
        let probability = |column: usize| four[column].parse::<f64>().expect("a probability");
        let sum: f64 = (3..7).map(probability).sum();
        assert!((sum - 1.0).abs() < 1e-6, "{four:?}");
        assert_eq!(&four[0], &two[0], "both tables have the same order");
        assert_eq!(&two[2] == "1", &four[2] == "3", "{four:?} and {two:?}");
    }

    let bundle = prefix.join("model/Linear-HighGrade");
    let text = fs::read(bundle.join("bundle.json")).expect("should be published");
    let described: Value = serde_json::from_slice(&text).expect("should be JSON");
    assert_eq!(described["members"].as_array().map(Vec::len), Some(1));
    let status = status(&prefix);
    assert_eq!(condition(&status, "Published")["status"], "True");
    let stages = status["stages"].as_array().expect("should be a list");
    assert_eq!(stages.last().expect("should have ended")["name"], "refit");

    let lowest = high
        .iter()
        .filter(|row| &row[2] == "1")
        .map(|row| row[4].parse::<f64>().expect("a probability"))
        .fold(f64::INFINITY, f64::min);
    let lowest = scale::published(&described, lowest);
    let model = format!("{{uri: {}}}", bundle.display());
    let point = "  operatingPoint: {sensitivity: \"1\"}";
    let text = with(&screening(&out, &model), "operatingPoint", point);
    run(&[&manifest::write(&folder.join("job.yaml"), &text)]).ok();
    let table = screening_prefix(&out).join("screening.csv");
    let mut reader = csv::Reader::from_path(table).expect("should be there");
    let mut decided = 0;
    for row in reader.deserialize() {
        let row: BTreeMap<String, String> = row.expect("should be a row");
        let Ok(probability) = row["positive_probability"].parse::<f64>() else {
            continue;
        };
        let expected = if probability >= lowest {
            "positive"
        } else {
            "negative"
        };
        assert_eq!(row["decision"], expected, "{row:?} at {lowest}");
        decided += 1;
    }
    assert!(decided >= STUDIES);
}

#[test]
fn heart_trained_on_crops_of_the_heart_is_published_and_screens_with_a_map_for_each_positive() {
    let folder = scratch("heart");
    let out = folder.join("results");
    let lines = [
        ("preprocessing", "  preprocessing: {shards: 2, crop: Heart}"),
        ("networks", "  networks: [{architecture: Heart}]"),
        ("training", "  training: {heart: {steps: 7, batchSize: 8}}"),
    ];
    let text = lines
        .into_iter()
        .fold(training(&out), |text, (line, instead)| {
            with(&text, line, instead)
        });
    let text = format!(
        "{text}  publish: {{architecture: Heart, task: Positive, method: Refit, force: true}}\n"
    );
    run(&[&manifest::write(&folder.join("run.yaml"), &text)]).ok();
    let prefix = training_prefix(&out);
    assert_eq!(
        rows(&prefix.join("predictions/Heart-Positive.csv")).len(),
        STUDIES
    );

    let model = format!("{{uri: {}}}", prefix.join("model/Heart-Positive").display());
    run(&[&manifest::write(
        &folder.join("job.yaml"),
        &screening(&out, &model),
    )])
    .ok();
    let screened = screening_prefix(&out);
    let mut reader = csv::Reader::from_path(screened.join("screening.csv")).expect("a table");
    let mut maps = 0;
    for row in reader.deserialize() {
        let row: BTreeMap<String, String> = row.expect("should be a row");
        if row["decision"] == "positive" {
            assert!(screened.join(&row["activation_map"]).is_file(), "{row:?}");
            maps += 1;
        }
    }
    assert!(maps >= STUDIES);
}

#[test]
fn a_network_that_has_learned_nothing_is_not_published_and_nothing_more_is_trained() {
    let folder = scratch("nothing-learned");
    let out = folder.join("results");
    // Grades that have nothing to do with the images.
    let text = refitting(&folder, &out, "").replace(", force: true", "");
    let path = manifest::write(&folder.join("run.yaml"), &text);
    run(&[&path]).fails_with(1, &["ward/small", "AUC of a positive", "publish.force"]);

    let prefix = training_prefix(&out);
    for name in ["model", "refit", "tasks/refit"] {
        assert!(!prefix.join(name).exists(), "{name}");
    }
    let status = status(&prefix);
    for kind in ["Succeeded", "Published"] {
        let condition = condition(&status, kind);
        assert_eq!(condition["reason"], "NothingLearned", "{condition}");
    }
    let report = fs::read_to_string(prefix.join("report/index.html")).expect("should be there");
    assert!(report.contains("nothing shows that it has learned anything"));
    // Asked again, it says so again, and does nothing.
    run(&[&path]).fails_with(1, &["publish.force"]);

    let out = folder.join("forced");
    let text = refitting(&folder, &out, "");
    run(&[&manifest::write(&folder.join("run.yaml"), &text)]).ok();
    let prefix = training_prefix(&out);
    let card = prefix.join("model/Linear-HighGrade/MODEL_CARD.md");
    let card = fs::read_to_string(card).expect("should be published");
    assert!(
        card.contains("though nothing shows that it has learned anything"),
        "{card}"
    );
}

#[test]
fn a_missed_gate_publishes_nothing_and_trains_nothing_more() {
    let folder = scratch("gate");
    let out = folder.join("results");
    // One epoch of eight images makes no network that is always right.
    let gates = "  gates:
  - {architecture: Linear, task: HighGrade, metric: sensitivity, min: \"1\"}
  - {architecture: Linear, task: HighGrade, metric: specificity, min: \"1\"}
";
    let path = manifest::write(&folder.join("run.yaml"), &refitting(&folder, &out, gates));
    run(&[&path]).fails_with(1, &["ward/small", "sensitivity is 0", "below 1"]);

    let prefix = training_prefix(&out);
    for name in ["model", "refit", "tasks/refit"] {
        assert!(!prefix.join(name).exists(), "{name}");
    }
    assert!(prefix.join("report/index.html").exists());
    let status = status(&prefix);
    assert_eq!(status["phase"], "Failed");
    let missed = condition(&status, "GatesPassed");
    assert_eq!(missed["status"], "False");
    let message = missed["message"].as_str().expect("should be text");
    assert!(message.contains("below 1"), "{message}");
    assert_eq!(condition(&status, "Succeeded")["reason"], "GateMissed");
    assert_eq!(condition(&status, "Published")["status"], "False");
}
