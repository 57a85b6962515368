//! Models that are recalibrated to a site: by a screening, and from its predictions.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use attrium_api::Kind;
use attrium_workflow::artefacts::{METRICS, SCREENING, SCREENING_SUMMARY};
use serde_json::Value;

use crate::cohort::{root, scratch};
use crate::manifest::{self, prefix};
use crate::program::{Ended, attrium, run};
use crate::publishing::{condition, status};

/// Tests run in the folder of the package.
const BUNDLE: &str = "models/heart-perugini";
/// Below the results of a screening with that model.
const PREDICTIONS: &str = "predictions/Heart-Perugini.csv";
const CALIBRATED: &str = "model/Heart-Perugini";

/// Phantoms of two sites, and a screening of the first that recalibrates the model.
static SITE: LazyLock<Site> = LazyLock::new(Site::make);

struct Site {
    folder: PathBuf,
    /// The results of the screening.
    prefix: PathBuf,
    ended: Ended,
}

impl Site {
    fn make() -> Self {
        let folder = root().join("site");
        for (name, seed) in [("here", "501"), ("held-out", "502")] {
            draw(&folder.join(name), seed, "100");
        }
        let job = job(
            &folder,
            &folder.join("here"),
            "publishCalibrated: {}",
            BUNDLE,
        );
        let ended = run(&[&manifest::write(&folder.join("job.yaml"), &job)]);
        let prefix = prefix(&folder.join("results"), Kind::ScreeningJob, "site");
        Self {
            folder,
            prefix,
            ended,
        }
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&fs::read(self.prefix.join(name)).expect(name)).expect("JSON")
    }

    fn status(&self) -> Value {
        status(&self.prefix)
    }
}

/// Phantoms of a site at which a fifth is positive.
fn draw(folder: &Path, seed: &str, studies: &str) {
    let out = folder.to_str().expect("text");
    let drawn = [
        "phantom",
        "--seed",
        seed,
        "--studies",
        studies,
        "--out",
        out,
    ];
    attrium(drawn.iter().chain(&["--grades", "0.6,0.2,0.1,0.1"])).ok();
}

/// A screening of a site with its labels.
fn job(folder: &Path, site: &Path, calibrated: &str, model: &str) -> String {
    format!(
        "apiVersion: attrium.dev/v1alpha1
kind: ScreeningJob
metadata: {{name: site, namespace: ward}}
spec:
  images: {site}/images
  labels: {site}/labels.csv
  output: {folder}/results
  model: {{uri: {model}}}
  shards: 2
  activationMaps: None
  {calibrated}
",
        site = site.display(),
        folder = folder.display(),
    )
}

/// Recalibrates the shipped model on a table of predictions.
fn calibrate(predictions: &Path, out: &Path, more: &[&str]) -> Ended {
    let arguments = [
        "calibrate",
        "--model",
        BUNDLE,
        "--predictions",
        predictions.to_str().expect("text"),
        "--out",
        out.to_str().expect("text"),
        "-o",
        "json",
    ];
    attrium(arguments.iter().chain(more))
}

fn bundle(folder: &Path) -> Value {
    let json = fs::read(folder.join("bundle.json")).expect("a bundle");
    serde_json::from_slice(&json).expect("JSON")
}

fn number(value: &Value) -> f64 {
    value
        .as_f64()
        .unwrap_or_else(|| panic!("{value} is no number"))
}

/// Positives over what probabilities add up to, of a finished screening with labels.
fn observed_over_expected(prefix: &Path) -> f64 {
    let metrics = fs::read(prefix.join(METRICS)).expect("metrics");
    let metrics: Value = serde_json::from_slice(&metrics).expect("JSON");
    number(&metrics["results"][0]["positive"]["reliability"]["observedOverExpected"])
}

#[test]
fn a_screening_with_labels_publishes_a_model_that_names_the_one_it_was_made_of() {
    assert_eq!(SITE.ended.code, Some(0), "{}", SITE.ended.stderr);
    assert!(
        SITE.ended.stdout.contains("recalibrated model: "),
        "{}",
        SITE.ended.stdout
    );
    let status = SITE.status();
    let model = &status["screening"]["calibration"]["model"];
    assert_eq!(condition(&status, "Published")["status"], "True");
    let folder = SITE.prefix.join(CALIBRATED);
    let uri = model["uri"].as_str().expect("a place");
    let place = format!("{}/", folder.display());
    assert_eq!(uri.strip_prefix("file://"), Some(place.as_str()));
    let manifest = bundle(&folder);
    assert_eq!(manifest["formatVersion"], 2);
    let recalibration = &manifest["recalibration"];
    let parent = SITE.json(SCREENING_SUMMARY)["model"]["digest"].clone();
    assert_eq!(recalibration["parent"], parent);
    assert_ne!(model["digest"], parent);
    assert_eq!(
        (&recalibration["studies"], &recalibration["positives"]),
        (&100.into(), &20.into())
    );
    assert_eq!(recalibration["proven"], true);
    assert_eq!(manifest["prevalence"]["cohort"], 0.2);
    for file in ["weights.safetensors", "normalization.safetensors"] {
        let same = fs::read(folder.join(file)).ok() == fs::read(Path::new(BUNDLE).join(file)).ok();
        assert!(same, "{file}");
    }
    let card = fs::read_to_string(folder.join("MODEL_CARD.md")).expect("a card");
    assert!(
        card.contains("100 scans of a site, 20 of them positive"),
        "{card}"
    );
    assert!(card.contains("Results on the site's scans"), "{card}");
}

#[test]
fn a_recalibrated_model_has_seen_the_scans_that_it_was_recalibrated_on() {
    let folder = scratch("calibrated-overlap");
    let model = SITE.prefix.join(CALIBRATED);
    let model = model.to_str().expect("text");
    let of = |site: &str| {
        let site = SITE.folder.join(site);
        let job = job(&folder, &site, "prevalence: \"0.2\"", model);
        run(&[&manifest::write(&folder.join("job.yaml"), &job)]).ok();
        let prefix = prefix(&folder.join("results"), Kind::ScreeningJob, "site");
        let found = (status(&prefix), observed_over_expected(&prefix));
        fs::remove_dir_all(&prefix).expect("results");
        found
    };
    let (here, _) = of("here");
    let overlap = &here["screening"]["overlap"];
    assert_eq!(overlap["seenStudies"], 100, "{overlap}");
    let (held_out, ratio) = of("held-out");
    let overlap = &held_out["screening"]["overlap"];
    assert_eq!(overlap["seenStudies"], 0, "{overlap}");
    assert!((0.6..1.6).contains(&ratio), "{ratio}");
}

#[test]
fn predictions_beside_their_summary_make_the_same_model_but_for_what_it_has_seen() {
    let folder = scratch("calibrated-here").join("model");
    let predictions = SITE.prefix.join(PREDICTIONS);
    let told = calibrate(&predictions, &folder, &[]).ok();
    let told: Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!(told["proven"], true);
    let (own, jobs) = (bundle(&folder), bundle(&SITE.prefix.join(CALIBRATED)));
    assert_eq!(own, jobs);
    assert_eq!(told["slope"], own["recalibration"]["slope"]);
    let cohort = fs::read_to_string(folder.join("cohort.json")).expect("digests");
    assert!(
        cohort.contains("\"recalibratedOnOthers\":true"),
        "it says that it keeps none"
    );
    // The same again is no other bundle, and another is not overwritten.
    calibrate(&predictions, &folder, &[]).ok();
    let other = calibrate(&predictions, &folder, &["--prevalence", "0.05"]);
    other.fails_with(43, &["another bundle"]);
    let out = folder.with_file_name("stated");
    calibrate(&predictions, &out, &["--prevalence", "0.05"]).ok();
    assert_eq!(bundle(&out)["prevalence"]["stated"], 0.05);
}

#[test]
fn what_nothing_proves_is_said_and_the_predictions_of_another_model_are_refused() {
    let folder = scratch("calibrated-unproven");
    let alone = folder.join("alone.csv");
    fs::copy(SITE.prefix.join(PREDICTIONS), &alone).expect("predictions");
    let out = folder.join("model");
    let stated = ["--stated-for", "0.01"];
    let told = calibrate(&alone, &out, &stated);
    assert!(told.stderr.contains("nothing proves"), "{}", told.stderr);
    told.ok();
    assert_eq!(bundle(&out)["recalibration"]["proven"], false);
    let card = fs::read_to_string(out.join("MODEL_CARD.md")).expect("a card");
    assert!(
        card.contains("Nothing proves that the predictions"),
        "{card}"
    );

    let run = folder.join("run");
    fs::create_dir_all(run.join("predictions")).expect("a folder");
    let copied = run.join(PREDICTIONS);
    fs::copy(&alone, &copied).expect("predictions");
    let summary = fs::read_to_string(SITE.prefix.join(SCREENING_SUMMARY)).expect("a summary");
    let digest = SITE.json(SCREENING_SUMMARY)["model"]["digest"].clone();
    let other = format!("sha256:{}", "0".repeat(64));
    let summary = summary.replace(digest.as_str().expect("a digest"), &other);
    fs::write(run.join(SCREENING_SUMMARY), summary).expect("a summary");
    let refused = calibrate(&copied, &folder.join("no"), &[]);
    refused.fails_with(43, &["another model", &other]);
    fs::write(run.join(SCREENING_SUMMARY), "{").expect("a summary");
    calibrate(&copied, &folder.join("no"), &[]).fails_with(42, &["no summary of a screening"]);
}

#[test]
fn too_few_positives_recalibrate_nothing_and_cost_the_screening_nothing() {
    let folder = scratch("calibrated-few");
    let site = folder.join("few");
    draw(&site, "503", "15");
    let job = job(&folder, &site, "publishCalibrated: {}", BUNDLE);
    let ended = run(&[&manifest::write(&folder.join("job.yaml"), &job)]);
    ended.fails_with(1, &["not recalibrated", "3 positive and 12 negative"]);
    let prefix = prefix(&folder.join("results"), Kind::ScreeningJob, "site");
    let status = status(&prefix);
    for kind in ["Succeeded", "Published"] {
        let found = condition(&status, kind);
        assert_eq!(
            (&found["status"], &found["reason"]),
            (&"False".into(), &"NotCalibrated".into())
        );
    }
    assert!(prefix.join(SCREENING).exists() && prefix.join(METRICS).exists());
    assert!(!prefix.join(CALIBRATED).exists());
    let refused = calibrate(&prefix.join(PREDICTIONS), &folder.join("no"), &[]);
    refused.fails_with(42, &["3 positive and 12 negative"]);
}

#[test]
fn a_model_that_tells_nothing_apart_is_recalibrated_by_force_alone() {
    let folder = scratch("calibrated-chance");
    let rows = (0..60).map(|study| {
        let p = 0.2 + 0.01 * f64::from(study % 10);
        let label = if study % 7 < 2 { 3 } else { 0 };
        format!("{study},,{label},{},0,0,{p}\n", 1.0 - p)
    });
    let table = "study,fold,label,p_0,p_1,p_2,p_3\n".to_owned() + &rows.collect::<String>();
    let chance = folder.join("chance.csv");
    fs::write(&chance, table).expect("predictions");
    calibrate(&chance, &folder.join("no"), &[]).fails_with(42, &["may be chance", "adapted"]);
    assert!(!folder.join("no").join("bundle.json").exists());
    calibrate(&chance, &folder.join("forced"), &["--force"]).ok();
}

#[test]
fn recalibrating_without_labels_is_refused_before_anything_is_read() {
    let folder = scratch("calibrated-unlabelled");
    let job = job(
        &folder,
        &SITE.folder.join("here"),
        "publishCalibrated: {}",
        BUNDLE,
    );
    let job: String = job
        .lines()
        .filter(|line| !line.contains("labels:"))
        .map(|line| format!("{line}\n"))
        .collect();
    let ended = run(&[&manifest::write(&folder.join("job.yaml"), &job)]);
    ended.fails_with(43, &["publishCalibrated needs labels"]);
}
