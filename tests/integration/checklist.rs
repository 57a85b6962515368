//! `attrium checklist`, of a training, of an external validation, and of what has no checklist.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::cohort::scratch;
use crate::manifest::{screening, training};
use crate::program::{Ended, attrium};
use crate::screening::SCREENED;
use crate::trained::TRAINED;

const LISTS: [(&str, usize); 3] = [("tripod+ai", 52), ("claim", 44), ("stard-ai", 48)];

fn checklist(prefix: &Path, list: &str, more: &[&str]) -> Ended {
    let prefix = prefix.to_str().unwrap();
    let arguments = ["checklist", "--run", prefix, "--as", list];
    attrium(arguments.iter().chain(more))
}

fn json(prefix: &Path, list: &str, more: &[&str]) -> Value {
    let more: Vec<&str> = more.iter().copied().chain(["-o", "json"]).collect();
    serde_json::from_str(&checklist(prefix, list, &more).ok()).expect("should be JSON")
}

fn item<'a>(checklist: &'a Value, number: &str) -> &'a Value {
    let items = checklist["items"].as_array().expect("should be a list");
    let mut items = items.iter();
    items.find(|it| it["number"] == number).expect("an item")
}

#[test]
fn a_training_answers_each_list_and_says_that_it_is_synthetic() {
    for (list, count) in LISTS {
        let checklist = json(&TRAINED.prefix, list, &[]);
        assert_eq!(checklist["synthetic"], true);
        assert_eq!(checklist["kind"], "TrainingRun");
        let items = checklist["items"].as_array().expect("should be a list");
        assert_eq!(items.len(), count);
        let counts = &checklist["counts"];
        for state in ["known", "partly", "open"] {
            let there = items.iter().filter(|it| it["state"] == state).count();
            assert!(there > 0, "{list} {state}");
            assert_eq!(counts[state], there);
        }
    }
}

#[test]
fn the_figures_are_those_of_the_published_model_and_the_counts_those_of_the_run() {
    let claim = json(&TRAINED.prefix, "claim", &[]);
    let about = claim["about"].as_str().expect("should be text");
    assert!(about.starts_with("Figures are of Residual for Positive, as it was published"));
    let bundle: Value =
        serde_json::from_slice(&TRAINED.read("model/Residual-Positive/bundle.json"))
            .expect("should be JSON");
    let auc = bundle["metrics"]["positive"]["auc"].as_f64().unwrap();
    let performance = &item(&claim, "38")["known"][0];
    let text = performance["text"].as_str().unwrap();
    assert!(
        text.starts_with(&format!("AUC of a positive {auc:.3} (")),
        "{text}"
    );
    assert_eq!(performance["from"], "bundle.json");
    let quarantine = TRAINED.text_of("quarantine.csv").lines().count() - 1;
    let flow = item(&claim, "35")["known"][1]["text"].as_str().unwrap();
    assert!(
        flow.starts_with(&format!("Objects not used, by reason ({quarantine}): ")),
        "{flow}"
    );
}

#[test]
fn what_a_manifest_states_is_in_the_bundle_its_card_the_report_and_the_checklist() {
    let words = "a ward of phantoms";
    let bundle: Value =
        serde_json::from_slice(&TRAINED.read("model/Residual-Positive/bundle.json"))
            .expect("should be JSON");
    assert_eq!(bundle["training"]["study"]["sites"][0], words);
    let card = TRAINED.text_of("model/Residual-Positive/MODEL_CARD.md");
    assert!(
        card.contains(&format!("- sites: {words}\n\nNot stated: dates, ")),
        "{card}"
    );
    let report = TRAINED.text_of("report/index.html");
    assert!(report.contains(&format!("<dt>sites</dt><dd>{words}</dd>")));
    assert!(report.contains("Not stated: dates, "));
    let sites = json(&TRAINED.prefix, "claim", &[]);
    let sites = item(&sites, "7")["known"].as_array().unwrap();
    assert!(
        sites
            .iter()
            .any(|it| it["text"] == words && it["from"] == "study.sites")
    );
}

#[test]
fn the_text_names_the_list_the_run_and_where_answers_go() {
    let text = checklist(&TRAINED.prefix, "tripod+ai", &[]).ok();
    assert!(
        text.starts_with(
            "TRIPOD+AI (Collins et al., BMJ 2024;385:e078378)\nTrainingRun ward/small\nSynthetic: "
        ),
        "{text}"
    );
    for words in [
        "METHODS\n",
        "[study.sites]",
        "[metrics.json]",
        " of 52 items\n",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let longest = text.lines().map(|line| line.chars().count()).max();
    assert!(longest <= Some(100), "{longest:?}");
}

#[test]
fn the_study_of_a_manifest_of_the_same_run_is_taken_and_that_of_another_is_not() {
    let folder = scratch("checklist");
    let path = folder.join("run.yaml");
    let manifest = path.to_str().unwrap();
    let study = "  study: {ethics: \"Approved by the committee\", licence: CC-BY-4.0}\n";
    fs::write(&path, training(&TRAINED.out) + study).unwrap();
    let before = json(&TRAINED.prefix, "tripod+ai", &[]);
    assert_eq!(item(&before, "17")["state"], "open");
    assert_eq!(item(&before, "17")["open"][0]["field"], "study.ethics");
    let after = json(&TRAINED.prefix, "tripod+ai", &["--manifest", manifest]);
    let ethics = item(&after, "17");
    assert_eq!(ethics["state"], "known");
    assert_eq!(ethics["known"][0]["text"], "Approved by the committee");
    assert_eq!(ethics["known"][0]["from"], "study.ethics");
    let other = training(&TRAINED.out).replace("name: small", "name: other");
    fs::write(&path, other).unwrap();
    checklist(&TRAINED.prefix, "claim", &["--manifest", manifest])
        .fails_with(43, &["TrainingRun ward/small", "run.yaml"]);
}

#[test]
fn a_validation_has_a_checklist_of_its_own() {
    let tripod = json(&SCREENED.prefix, "tripod+ai", &[]);
    assert_eq!(tripod["kind"], "ScreeningJob");
    assert_eq!(tripod["synthetic"], true);
    let missing = item(&tripod, "11")["known"][0]["text"].as_str().unwrap();
    assert_eq!(missing, "Every labelled study has a prediction");
    let flow = item(&tripod, "20a")["known"].as_array().unwrap();
    let of_no_label = "1 object of studies without a label";
    let told = |it: &Value| it["text"].as_str().unwrap().starts_with(of_no_label);
    assert!(flow.iter().any(told), "{flow:?}");
    assert_eq!(item(&tripod, "12c")["state"], "open");
}

#[test]
fn what_has_evaluated_nothing_has_no_checklist() {
    let folder = scratch("checklist-refused");
    checklist(&folder, "claim", &[]).fails_with(43, &["cannot read the run"]);
    fs::write(
        folder.join("manifest.yaml"),
        screening(&folder, "{uri: model/}"),
    )
    .unwrap();
    checklist(&folder, "claim", &[]).fails_with(43, &["a screening without labels"]);
    fs::write(folder.join("manifest.yaml"), training(&folder)).unwrap();
    checklist(&folder, "claim", &[]).fails_with(1, &["has no metrics"]);
    let unknown = checklist(&folder, "consort", &[]);
    assert_eq!(unknown.code, Some(2));
}
