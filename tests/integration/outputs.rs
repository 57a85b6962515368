//! What a finished run leaves: all that its plan says and nothing else, readable, and plain.

use std::collections::BTreeMap;
use std::fs;

use attrium_api::manifest::parse;
use attrium_workflow::artefacts::{self, Fold, MANIFEST, STATUS};
use attrium_workflow::{MarkedFile, Plan, Work};
use serde_json::Value;

use crate::artefacts::marker;
use crate::cohort::{COHORT, STUDIES, files};
use crate::program::attrium;
use crate::trained::TRAINED;

/// The combinations of network and task of the shared run.
const COMBINATIONS: [&str; 2] = ["Linear-Positive", "Residual-Positive"];

fn status() -> Value {
    serde_saphyr::from_str(&TRAINED.text_of(STATUS)).expect("should be YAML")
}

fn metrics() -> Value {
    serde_json::from_slice(&TRAINED.read("metrics.json")).expect("should be JSON")
}

#[test]
fn a_run_leaves_what_its_plan_says_and_nothing_else() {
    let resource = parse(&TRAINED.text).expect("should be valid").remove(0);
    let plan = Plan::new(&resource);
    let mut left = files(&TRAINED.prefix);
    let mut expect = |name: &str| assert!(left.remove(name), "{name} is missing");
    [MANIFEST, STATUS].into_iter().for_each(&mut expect);
    for task in plan.tasks() {
        expect(&task.marker);
        let marker = marker(&TRAINED.prefix, &task.marker);
        for name in &task.writes {
            let is_it = |file: &MarkedFile| {
                file.name == *name || (name.ends_with('/') && file.name.starts_with(name))
            };
            assert!(marker.files.iter().any(is_it), "{name} is missing");
        }
        for file in &marker.files {
            expect(&file.path);
            if artefacts::is_published(&file.name) {
                expect(&file.name);
            }
        }
        if let Work::Train {
            architecture,
            target,
            fold,
        } = task.work
        {
            let checkpoint = Fold::new(architecture, target, fold).checkpoint();
            let attempt = artefacts::attempt(task.id, &marker.attempt);
            expect(&format!("{attempt}{checkpoint}state"));
        }
    }
    assert!(left.is_empty(), "the plan does not know of {left:?}");
}

#[test]
fn the_status_says_that_all_went_well_and_where_results_are() {
    let text = TRAINED.text_of(STATUS);
    assert!(text.len() < 64 << 10);
    let status = status();
    assert_eq!(status["phase"], "Succeeded");
    for condition in status["conditions"].as_array().expect("should be a list") {
        let is_of_what_is_amiss =
            condition["type"] == "Reconciling" || condition["type"] == "Stalled";
        let wanted = if is_of_what_is_amiss { "False" } else { "True" };
        assert_eq!(condition["status"], wanted, "{condition}");
    }
    let data = &status["data"];
    assert_eq!(data["objects"], COHORT.objects);
    for count in ["studies", "used"] {
        assert_eq!(data[count], STUDIES, "{count}");
    }
    assert_eq!(data["quarantined"], 1);
    for count in ["unlabelled", "missingImages"] {
        assert_eq!(data[count], 0, "{count}");
    }
    let model = status["model"]["uri"]
        .as_str()
        .expect("should be published");
    assert_eq!(model, format!("file://{}/", TRAINED.bundle().display()));
    let report = TRAINED.prefix.join("report/index.html");
    assert_eq!(status["report"], format!("file://{}", report.display()));
}

#[test]
fn results_are_the_same_in_the_metrics_the_status_and_the_table() {
    let (metrics, status) = (metrics(), status());
    for (place, combination) in COMBINATIONS.iter().enumerate() {
        let (result, row) = (&metrics["results"][place], &status["results"][place]);
        let auc = result["auc"].as_f64().expect("should be defined");
        assert!((0.0..=1.0).contains(&auc), "{combination}: {auc}");
        let rounded = format!("{auc:.4}");
        assert_eq!(row["auc"], rounded);
        assert!(
            TRAINED.ended.stdout.contains(&format!("{auc:.3}")),
            "{}",
            TRAINED.ended.stdout
        );
        assert_eq!(result["studies"], STUDIES);
    }
    assert_eq!(metrics["gates"].as_array().map(Vec::len), Some(1));
}

#[test]
fn every_study_is_predicted_once_by_the_fold_that_has_not_seen_it() {
    for combination in COMBINATIONS {
        let table = TRAINED.text_of(&format!("predictions/{combination}.csv"));
        let mut reader = csv::Reader::from_reader(table.as_bytes());
        let header = reader.headers().expect("should have a header").clone();
        let first: Vec<&str> = header.iter().take(5).collect();
        assert_eq!(first, ["study", "fold", "label", "p_0", "p_1"]);
        let mut folds = BTreeMap::new();
        for row in reader.records() {
            let row = row.expect("should be a row");
            let probabilities: f64 = [3, 4]
                .map(|at| row[at].parse::<f64>().unwrap())
                .iter()
                .sum();
            assert!((probabilities - 1.0).abs() < 1e-6, "{probabilities}");
            let before = folds.insert(row[0].to_owned(), row[1].to_owned());
            assert_eq!(before, None, "study {} is there twice", &row[0]);
        }
        assert_eq!(folds.len(), STUDIES);
        let folder = combination.replace('-', "/");
        for fold in 0..2 {
            let part = TRAINED.text_of(&format!("train/{folder}/fold-{fold}/predictions.csv"));
            for row in csv::Reader::from_reader(part.as_bytes()).records() {
                let row = row.expect("should be a row");
                assert_eq!(folds[&row[0]], fold.to_string());
            }
        }
    }
}

#[test]
fn a_history_has_a_row_of_numbers_for_each_epoch() {
    for combination in COMBINATIONS {
        for fold in 0..2 {
            let folder = combination.replace('-', "/");
            let table = TRAINED.text_of(&format!("train/{folder}/fold-{fold}/history.csv"));
            let rows: Vec<_> = csv::Reader::from_reader(table.as_bytes())
                .records()
                .map(|row| row.expect("should be a row"))
                .collect();
            let epochs: Vec<&str> = rows.iter().map(|row| &row[0]).collect();
            assert_eq!(epochs, ["1", "2"]);
            let numbers = rows.iter().flatten().filter(|text| !text.is_empty());
            for number in numbers {
                assert!(number.parse::<f64>().is_ok_and(f64::is_finite), "{number}");
            }
        }
    }
}

#[test]
fn no_artefact_holds_a_number_that_is_none() {
    for name in files(&TRAINED.prefix) {
        if !["json", "yaml", "csv", "html", "md"]
            .iter()
            .any(|kind| name.ends_with(kind))
        {
            continue;
        }
        let text = TRAINED.text_of(&name);
        // Pictures within the page are letters and digits without a meaning.
        let plain = text
            .split("base64,")
            .map(|part| match part.split_once('"') {
                Some((_, rest)) if name.ends_with("html") => rest,
                _ => part,
            });
        for word in plain.flat_map(|part| part.split(|c: char| !c.is_ascii_alphanumeric())) {
            let none = ["nan", "inf", "infinity"]
                .iter()
                .any(|it| word.eq_ignore_ascii_case(it));
            assert!(!none, "{name} holds {word}");
        }
    }
}

#[test]
fn everything_made_for_people_says_synthetic_and_research_use_only() {
    let page = TRAINED.text_of("report/index.html");
    assert!(page.contains("<strong>Synthetic data.</strong> The images are simulated phantoms"));
    assert!(page.contains("<strong>Research use only.</strong>"));
    let card = TRAINED.text_of("model/Residual-Positive/MODEL_CARD.md");
    assert!(card.contains("**Synthetic: trained on phantoms, not on patients.**"));
    assert!(card.to_lowercase().contains("research use only"));
    let table = &TRAINED.ended.stdout;
    assert!(
        table.contains("\nSynthetic: the images are of phantoms"),
        "{table}"
    );
    assert!(table.contains("\nResearch use only: "), "{table}");
    let used = &status()["data"];
    assert_eq!(used["synthetic"], used["used"]);
    assert_eq!(metrics()["synthetic"], true);
    let bundle = TRAINED.read("model/Residual-Positive/bundle.json");
    let bundle: Value = serde_json::from_slice(&bundle).expect("should be JSON");
    assert_eq!(bundle["synthetic"], true);
}

#[test]
fn the_report_is_one_file_that_asks_for_nothing_else() {
    let page = TRAINED.text_of("report/index.html");
    for request in [
        "src=\"http",
        "src=\"/",
        "@import",
        "url(http",
        "<link",
        "<script src",
        "fetch(",
    ] {
        assert!(!page.contains(request), "{request}");
    }
    assert!(
        page.contains("data:image/png;base64,"),
        "it should show example crops"
    );
    assert!(page.contains("<svg"), "it should show curves");
}

#[test]
fn evaluate_computes_the_runs_own_metrics_from_its_predictions() {
    let table = TRAINED.prefix.join("predictions/Residual-Positive.csv");
    let table = table.to_str().expect("should be text");
    let printed = attrium(["evaluate", "--predictions", table, "-o", "json"]).ok();
    let printed: Value = serde_json::from_str(&printed).expect("should be JSON");
    let mut expected = metrics()["results"][1].clone();
    let fields = expected.as_object_mut().expect("should be an object");
    fields.remove("architecture");
    // The table does not say what the network started from.
    assert_eq!(fields.remove("pretrained"), Some(Value::Bool(false)));
    // Nor does it hold the scans, of which the heart's ratio is taken.
    let difference = fields.remove("baselineDifference");
    assert!(difference.is_some_and(|of| of["studies"] == expected["studies"]));
    assert_eq!(printed, expected);
}

#[test]
fn only_who_holds_the_labels_can_link_predictions_with_studies() {
    let prefix = TRAINED.prefix.to_str().expect("should be text");
    let labels = COHORT.labels.to_str().expect("should be text");
    let linked = attrium(["link", "--run", prefix, "--labels", labels]).ok();
    let grades: BTreeMap<String, u8> = csv::Reader::from_path(&COHORT.labels)
        .expect("should be a table")
        .records()
        .map(|row| row.expect("should be a row"))
        .map(|row| {
            (
                row[0].to_owned(),
                row[1].parse().expect("should be a grade"),
            )
        })
        .collect();
    let mut rows = 0;
    for row in csv::Reader::from_reader(linked.as_bytes()).records() {
        let row = row.expect("should be a row");
        let positive = u8::from(grades[&row[0]] >= 2);
        assert_eq!(row[4], positive.to_string(), "{}", &row[0]);
        rows += 1;
    }
    assert_eq!(rows, COMBINATIONS.len() * STUDIES);

    let fewer = crate::cohort::scratch("link").join("labels.csv");
    let table = fs::read_to_string(&COHORT.labels).unwrap();
    let all_but_one: Vec<&str> = table.lines().take(STUDIES).collect();
    fs::write(&fewer, all_but_one.join("\n")).unwrap();
    let fewer = fewer.to_str().expect("should be text");
    let refused = attrium(["link", "--run", prefix, "--labels", fewer]);
    assert_ne!(
        refused.code,
        Some(0),
        "other labels give other pseudonyms: {}",
        refused.stdout
    );
    assert_eq!(refused.stdout, "");
}
