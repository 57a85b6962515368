//! Runs whose network starts from the model of another.

use std::fs;
use std::path::{Path, PathBuf};

use attrium_api::Kind;
use attrium_workflow::artefacts::{METRICS, STATUS};
use serde_json::Value;

use crate::cohort::scratch;
use crate::manifest::{self, prefix, training, training_prefix, with};
use crate::program::{Ended, run};

/// A run that publishes Linear.
fn publish(folder: &Path) -> (PathBuf, PathBuf) {
    let out = folder.join("results");
    let text = training(&out) + "  publish: {architecture: Linear, task: Positive, force: true}\n";
    let path = manifest::write(&folder.join("run.yaml"), &text);
    run(&[&path]).ok();
    (
        out.clone(),
        training_prefix(&out).join("model/Linear-Positive"),
    )
}

/// Runs a training, by the name `adapted`, whose network starts from a model.
fn adapt(folder: &Path, out: &Path, lines: &[(&str, &str)]) -> (PathBuf, Ended) {
    let publish = "  publish: {architecture: Linear, task: Positive, method: Refit, force: true}\n";
    let mut text = training(out) + publish;
    for (line, instead) in lines {
        text = with(&text, line, instead);
    }
    let text = text.replace("name: small", "name: adapted");
    let ended = run(&[&manifest::write(&folder.join("adapted.yaml"), &text)]);
    (prefix(out, Kind::TrainingRun, "adapted"), ended)
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).expect("a file")).expect("JSON")
}

/// The bytes of a fold's normalisation.
fn normalization(model: &Path, name: &str) -> Vec<u8> {
    fs::read(model.join(name)).expect("a normalisation")
}

#[test]
fn a_training_starts_from_the_model_of_another_and_says_so_wherever_its_own_is_told_of() {
    let folder = scratch("adapted");
    let (out, model) = publish(&folder);
    let lines = [
        ("tasks", "  tasks: [Positive, HighGrade]"),
        (
            "networks",
            "  networks: [{architecture: Linear, startFrom: {trainingRun: small}}]",
        ),
    ];
    let (adapted, ended) = adapt(&folder, &out, &lines);
    ended.ok();

    let publisher = fs::read_to_string(training_prefix(&out).join(STATUS)).expect("a status");
    let publisher: Value = serde_saphyr::from_str(&publisher).expect("YAML");
    let digest = &publisher["model"]["digest"];
    assert!(digest.is_string());
    let status = fs::read_to_string(adapted.join(STATUS)).expect("a status");
    let status: Value = serde_saphyr::from_str(&status).expect("YAML");
    assert_eq!(status["startedFrom"]["digest"], *digest);
    assert_ne!(status["model"]["digest"], *digest);
    let results = &json(&adapted.join(METRICS))["results"];
    for result in results.as_array().expect("results") {
        assert_eq!(result["pretrained"], true);
        assert_eq!(result["startedFrom"], *digest);
    }
    let own = adapted.join("model/Linear-Positive");
    assert_eq!(json(&own.join("bundle.json"))["startedFrom"], *digest);
    let words = format!("started from the bundle {}", digest.as_str().expect("text"));
    let card = fs::read_to_string(own.join("MODEL_CARD.md")).expect("a card");
    assert!(card.contains(&words), "{card}");
    let report = fs::read_to_string(adapted.join("report/index.html")).expect("a report");
    assert!(report.contains(&words["started ".len()..]));

    // Images go through what the first weights were trained with.
    let first = normalization(&model, "normalization-0.safetensors");
    assert_eq!(normalization(&own, "normalization.safetensors"), first);
}

#[test]
fn a_training_that_cannot_start_from_a_bundle_ends_before_it_trains_and_says_why() {
    let folder = scratch("unfit");
    let (out, model) = publish(&folder);
    let uri = model.display();
    let start = |architecture: &str, more: &str| {
        format!("  networks: [{{architecture: {architecture}, startFrom: {{uri: {uri}{more}}}}}]")
    };
    let other = format!(", digest: \"sha256:{}\"", "0".repeat(64));
    let heart = "  preprocessing: {shards: 2, crop: Heart}";
    let paper = "  preprocessing: {shards: 2, intensity: Paper}";
    let missing = "  networks: [{architecture: Linear, startFrom: {trainingRun: nobody}}]";
    let residual = start("Residual", "");
    let linear = start("Linear", "");
    for (lines, words) in [
        (
            vec![("networks", residual.as_str()), ("publish", "")],
            "is of Linear, so that Residual cannot start from it",
        ),
        (
            vec![("networks", linear.as_str()), ("preprocessing", heart)],
            "set preprocessing.crop: Robust",
        ),
        (
            vec![("networks", linear.as_str()), ("preprocessing", paper)],
            "set preprocessing.intensity: Normalized",
        ),
        (
            vec![("networks", start("Linear", &other).as_str())],
            "and not sha256:0",
        ),
        (
            vec![(
                "networks",
                start("Linear", ", requireSigned: true").as_str(),
            )],
            "sign",
        ),
        (
            vec![("networks", missing)],
            "no model of TrainingRun nobody is found",
        ),
    ] {
        let (adapted, ended) = adapt(&folder, &out, &lines);
        ended.fails_with(43, &[words]);
        assert!(!adapted.join("predictions").exists(), "{words}");
        let _ = fs::remove_dir_all(adapted);
    }
}

#[test]
fn a_training_cannot_wait_for_itself_or_start_from_two_places() {
    let folder = scratch("circle");
    let out = folder.join("results");
    for (networks, words) in [
        (
            "[{architecture: Linear, startFrom: {trainingRun: adapted}}]",
            "starts from the model of this very run",
        ),
        (
            "[{architecture: VGG16, pretrainedWeights: a.h5, startFrom: {uri: b}}]",
            "starts from two places",
        ),
        (
            "[{architecture: Linear, startFrom: {trainingRun: a}}, \
             {architecture: Residual, startFrom: {trainingRun: b}}]",
            "start from more than one trainingRun",
        ),
    ] {
        let networks = format!("  networks: {networks}");
        let lines = [("networks", networks.as_str()), ("publish", "")];
        let (_, ended) = adapt(&folder, &out, &lines);
        ended.fails_with(43, &[words]);
    }
}
