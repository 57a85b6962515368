//! Validations on scans that the model was trained on: under their own names, under others, in part, and not at all.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use attrium_api::Kind;
use attrium_types::LossyPolicy;
use attrium_workflow::artefacts::{METRICS, OVERLAP, REPORT, SCREENING, SCREENING_SUMMARY, STATUS};
use dicom_core::{DataElement, VR};
use dicom_dictionary_std::tags;
use dicom_object::from_reader;
use serde_json::Value;

use crate::cohort::{COHORT, files, put, root, scratch};
use crate::manifest::{self, prefix, screening, training, training_prefix, with};
use crate::program::{attrium, run};
use crate::trained::TRAINED;

/// A phantom's object with its row of the labels.
#[derive(Clone)]
struct Scan {
    study: String,
    patient: String,
    row: String,
    bytes: Vec<u8>,
}

impl Scan {
    /// The same image under other identifiers.
    fn relabelled(&self, number: usize) -> Self {
        let uid = |what: &str| format!("2.25.{what}{number:05}");
        let study = uid("99");
        let patient = format!("OTHER-{number:03}");
        let mut object = from_reader(self.bytes.as_slice()).expect("DICOM");
        for (tag, vr, text) in [
            (tags::STUDY_INSTANCE_UID, VR::UI, study.clone()),
            (tags::SERIES_INSTANCE_UID, VR::UI, uid("98")),
            (tags::SOP_INSTANCE_UID, VR::UI, uid("97")),
            (tags::PATIENT_ID, VR::LO, patient.clone()),
            (tags::PATIENT_NAME, VR::PN, "SOMEBODY^ELSE".to_owned()),
            (tags::PATIENT_BIRTH_DATE, VR::DA, "19010203".to_owned()),
        ] {
            object.put(DataElement::new(tag, vr, text));
        }
        let mut bytes = Vec::new();
        object.write_all(&mut bytes).expect("should be written");
        let row = self.row.replacen(&self.study, &study, 1);
        Self {
            row: row.replacen(&self.patient, &patient, 1),
            study,
            patient,
            bytes,
        }
    }
}

/// Phantoms, a study each, and the first line of their labels.
struct Drawn {
    header: String,
    scans: Vec<Scan>,
}

impl Drawn {
    fn draw(name: &str, seed: &str, twice: &str) -> Self {
        let folder = root().join(name);
        let out = folder.to_str().expect("text");
        let grades = "0.4,0.1,0.25,0.25";
        attrium([
            "phantom",
            "--studies",
            "12",
            "--seed",
            seed,
            "--out",
            out,
            "--grades",
            grades,
            "--patients-with-two-scans",
            twice,
        ])
        .ok();
        let labels = fs::read_to_string(folder.join("labels.csv")).expect("labels");
        let mut lines = labels.lines().map(str::to_owned);
        let header = lines.next().expect("a header");
        let rows: BTreeMap<String, String> = lines
            .map(|row| (row.split(',').next().unwrap_or_default().to_owned(), row))
            .collect();
        let images = folder.join("images");
        let scan = |key: &String| {
            let bytes = fs::read(images.join(key)).expect("an object");
            // A posterior in an object of its own is nothing to be screened.
            let image = attrium_imaging::read_anterior(&bytes, LossyPolicy::Quarantine).ok()?;
            let study = image.study.as_str().to_owned();
            let row = rows[&study].clone();
            let patient = row.split(',').nth(2).expect("a patient").to_owned();
            Some(Scan {
                study,
                patient,
                row,
                bytes,
            })
        };
        let scans = files(&images).iter().filter_map(scan).collect();
        Self { header, scans }
    }

    /// The studies of this cohort, parted into the first of each patient and the others.
    fn parted(&self) -> (Vec<Scan>, Vec<Scan>) {
        let mut first: BTreeMap<&str, &str> = BTreeMap::new();
        for scan in &self.scans {
            first.entry(&scan.patient).or_insert(&scan.study);
        }
        let is_first = |scan: &Scan| first[scan.patient.as_str()] == scan.study;
        self.scans.iter().cloned().partition(is_first)
    }
}

/// Patients of whom some were scanned twice.
static TWICE: LazyLock<Drawn> = LazyLock::new(|| Drawn::draw("twice", "21", "0.6"));
/// Other patients.
static OTHERS: LazyLock<Drawn> = LazyLock::new(|| Drawn::draw("others", "22", "0"));
/// A model that was trained on the first scan of each of the patients in [`TWICE`].
static MODEL: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = root().join("seen");
    fs::create_dir(&folder).expect("a new folder");
    train(
        &folder,
        "small",
        &TWICE.parted().0,
        "{architecture: Linear}",
    )
});

/// Puts scans and their labels into a folder.
fn place(folder: &Path, scans: &[Scan]) -> (PathBuf, PathBuf) {
    let images = folder.join("images");
    let mut labels = TWICE.header.clone() + "\n";
    for (number, scan) in scans.iter().enumerate() {
        put(&images, &format!("{number:03}.dcm"), &scan.bytes);
        if !labels.contains(&scan.study) {
            labels += &(scan.row.clone() + "\n");
        }
    }
    let path = folder.join("labels.csv");
    fs::write(&path, labels).expect("labels");
    (images, path)
}

/// A manifest that names these scans in the place of the cohort of all tests.
fn of(text: &str, (images, labels): &(PathBuf, PathBuf)) -> String {
    let [cohort, table] = [&COHORT.images, &COHORT.labels].map(|path| path.display().to_string());
    text.replace(&table, &labels.display().to_string())
        .replace(&cohort, &images.display().to_string())
}

/// Trains a network and publishes it; returns its bundle.
fn train(folder: &Path, name: &str, scans: &[Scan], network: &str) -> PathBuf {
    let out = folder.join("results");
    let placed = place(&folder.join(name), scans);
    let publish = "  publish: {architecture: Linear, task: Positive, force: true}\n";
    let text =
        of(&(training(&out) + publish), &placed).replace("name: small", &format!("name: {name}"));
    let text = with(&text, "networks", &format!("  networks: [{network}]"));
    run(&[&manifest::write(
        &folder.join(format!("{name}.yaml")),
        &text,
    )])
    .ok();
    prefix(&out, Kind::TrainingRun, name).join("model/Linear-Positive")
}

/// What a validation has left.
struct Validated {
    prefix: PathBuf,
    stdout: String,
}

impl Validated {
    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.prefix.join(name)).expect("text")
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_str(&self.read(name)).expect("JSON")
    }

    fn result(&self) -> Value {
        self.json(METRICS)["results"][0].clone()
    }

    /// The rows of a column of a table.
    fn column(&self, table: &str, column: &str) -> Vec<String> {
        let text = self.read(table);
        let mut table = csv::Reader::from_reader(text.as_bytes());
        let header = table.headers().expect("a header").clone();
        let place = header
            .iter()
            .position(|name| name == column)
            .expect("a column");
        let rows = table
            .records()
            .map(|row| row.expect("a row")[place].to_owned());
        rows.collect()
    }

    fn heading(&self) -> String {
        let page = self.read(REPORT);
        let (_, section) = page
            .split_once("id=\"validation\"><h2>")
            .expect("a section");
        section.split('<').next().unwrap_or_default().to_owned()
    }

    /// The sentence of the condition Succeeded.
    fn succeeded(&self) -> String {
        let status: Value = serde_saphyr::from_str(&self.read(STATUS)).expect("YAML");
        let conditions = status["conditions"].as_array().expect("conditions").clone();
        let succeeded = conditions.into_iter().find(|it| it["type"] == "Succeeded");
        let succeeded = succeeded.expect("the condition");
        assert_eq!(succeeded["status"], "True");
        succeeded["message"]
            .as_str()
            .expect("a sentence")
            .to_owned()
    }
}

/// Screens scans with a bundle, with labels or without.
fn screen(folder: &Path, model: &Path, scans: &[Scan], has_labels: bool) -> Validated {
    let out = folder.join("results");
    let placed = place(&folder.join("archive"), scans);
    let mut text = of(
        &screening(&out, &format!("{{uri: {}}}", model.display())),
        &placed,
    );
    if has_labels {
        text += &format!("  labels: {}\n", placed.1.display());
    }
    let ended = run(&[&manifest::write(&folder.join("job.yaml"), &text)]);
    Validated {
        prefix: prefix(&out, Kind::ScreeningJob, "archive"),
        stdout: ended.ok(),
    }
}

fn validate(folder: &Path, model: &Path, scans: &[Scan]) -> Validated {
    screen(folder, model, scans, true)
}

#[test]
fn a_validation_on_the_very_scans_of_the_training_is_none_and_says_so() {
    let (seen, _) = TWICE.parted();
    let all = seen.len();
    let found = validate(&scratch("same"), &MODEL, &seen);
    let heading = "No external validation: the model was trained on these studies";
    assert_eq!(found.heading(), heading);
    let words = format!("trained on scans or patients of all {all} validated studies");
    for told in [&found.stdout, &found.succeeded()] {
        assert!(
            told.contains(&words) && told.contains("no external validation"),
            "{told}"
        );
    }
    let result = found.result();
    let overlap = &result["overlap"];
    assert_eq!(overlap["cohort"], "Known");
    for count in ["studies", "seen", "byStudy", "byImage", "byPatient"] {
        assert_eq!(overlap[count], all, "{count}");
    }
    assert_eq!(
        (&overlap["doubtful"], &overlap["all"]),
        (&0.into(), &Value::Null)
    );
    assert_eq!(result["studies"], all);
    let counts = &found.json(SCREENING_SUMMARY)["overlap"];
    assert_eq!(
        (&counts["seenStudies"], &counts["unseenStudies"]),
        (&all.into(), &0.into())
    );
    for count in ["objects", "studies", "images", "patients"] {
        assert_eq!(counts[count], all, "{count}");
    }
    assert_eq!(
        found.column(OVERLAP, "overlap"),
        vec!["study image patient"; all]
    );
    assert_eq!(
        found.column(SCREENING, "overlap"),
        vec!["study image patient"; all]
    );
}

#[test]
fn the_figures_of_a_validation_that_overlaps_are_of_what_the_model_has_not_seen() {
    const SEEN: usize = 4;
    let (seen, _) = TWICE.parted();
    let mut scans = seen[..SEEN].to_vec();
    scans.extend_from_slice(&OTHERS.scans);
    let found = validate(&scratch("mixed"), &MODEL, &scans);
    assert_eq!(found.heading(), "Validation that overlaps with training");
    let words = format!("of {SEEN} of {} validated studies", scans.len());
    assert!(found.stdout.contains(&words), "{}", found.stdout);
    assert!(found.succeeded().contains(&words), "{}", found.succeeded());
    let result = found.result();
    assert_eq!(result["studies"], OTHERS.scans.len());
    assert_eq!(result["overlap"]["studies"], scans.len());
    assert_eq!(result["overlap"]["seen"], SEEN);
    assert_eq!(result["overlap"]["all"]["studies"], scans.len());
    assert_eq!(found.column(OVERLAP, "study").len(), SEEN);
    assert_eq!(
        found
            .column("predictions/Linear-Positive.csv", "study")
            .len(),
        scans.len()
    );
    // The figures without them are those of a validation on the others alone.
    let others = validate(&scratch("mixed-others"), &MODEL, &OTHERS.scans).result();
    for figure in ["auc", "aucLow", "accuracy", "sensitivity", "brier"] {
        assert_eq!(result[figure], others[figure], "{figure}");
    }
}

#[test]
fn a_validation_on_other_patients_is_external_and_claims_no_overlap() {
    let found = validate(&scratch("disjoint"), &MODEL, &OTHERS.scans);
    assert_eq!(found.heading(), "External validation");
    assert!(!found.stdout.contains("trained on"), "{}", found.stdout);
    assert_eq!(found.succeeded(), "All tasks have ended well");
    let overlap = &found.result()["overlap"];
    assert_eq!(
        (&overlap["cohort"], &overlap["seen"]),
        (&"Known".into(), &0.into())
    );
    assert_eq!(found.read(OVERLAP), "study,patient,grade,overlap\n");
    assert!(
        found
            .column(SCREENING, "overlap")
            .iter()
            .all(|words| words == "none")
    );
}

#[test]
fn copies_under_other_identifiers_are_known_by_their_images() {
    let (seen, _) = TWICE.parted();
    let copies: Vec<Scan> = (0..)
        .zip(&seen)
        .map(|(number, scan)| scan.relabelled(number))
        .collect();
    let found = validate(&scratch("relabelled"), &MODEL, &copies);
    assert!(found.heading().starts_with("No external validation"));
    assert_eq!(
        found.column(OVERLAP, "overlap"),
        vec!["image"; copies.len()]
    );
    let overlap = &found.result()["overlap"];
    assert_eq!(
        (&overlap["byStudy"], &overlap["byImage"]),
        (&0.into(), &copies.len().into())
    );
}

#[test]
fn another_scan_of_a_patient_is_known_by_the_patient() {
    let (_, second) = TWICE.parted();
    assert!(second.len() >= 2, "{}", second.len());
    let mut scans = second.clone();
    scans.extend_from_slice(&OTHERS.scans);
    let found = validate(&scratch("second"), &MODEL, &scans);
    assert_eq!(found.heading(), "Validation that overlaps with training");
    assert_eq!(
        found.column(OVERLAP, "overlap"),
        vec!["patient"; second.len()]
    );
    assert_eq!(found.result()["overlap"]["byPatient"], second.len());
}

#[test]
fn without_labels_what_the_model_has_seen_is_counted_too() {
    let (seen, _) = TWICE.parted();
    let mut scans = seen.clone();
    scans.extend_from_slice(&OTHERS.scans);
    let found = screen(&scratch("unlabelled"), &MODEL, &scans, false);
    let words = format!("of {} of {} screened objects", seen.len(), scans.len());
    assert!(found.stdout.contains(&words), "{}", found.stdout);
    let counts = &found.json(SCREENING_SUMMARY)["overlap"];
    assert_eq!(
        (&counts["objects"], &counts["seenStudies"]),
        (&seen.len().into(), &Value::Null)
    );
    assert!(
        found
            .read(REPORT)
            .contains(&format!("Of {} of the screened objects", seen.len()))
    );
    assert!(!found.prefix.join(OVERLAP).exists());
}

#[test]
fn a_screening_of_files_tells_what_the_model_has_seen() {
    let folder = scratch("seen-files");
    let (seen, _) = TWICE.parted();
    let (images, _) = place(&folder, &[seen[0].clone(), OTHERS.scans[0].clone()]);
    let model = MODEL.to_str().expect("text").to_owned();
    let names = ["000.dcm", "001.dcm"].map(|name| images.join(name).display().to_string());
    let [one, other] = &names;
    let screen = |more: &[&str]| {
        let arguments = ["screen", one, other, "--model", &model];
        attrium(arguments.iter().chain(more)).ok()
    };
    let json: Value = serde_json::from_str(&screen(&["-o", "json"])).expect("JSON");
    let words = ["study", "image", "patient"].map(Value::from).to_vec();
    assert_eq!(json["studies"][0]["overlap"], Value::from(words));
    assert_eq!(json["studies"][1]["overlap"], Value::from(vec!["none"]));
    let table = screen(&[]);
    assert!(table.contains("seen in training: study"), "{table}");
    assert!(table.contains("of 1 of 2 screened objects"), "{table}");
}

/// A copy of a bundle from before there were digests.
fn without_digests(bundle: &Path, folder: &Path) -> PathBuf {
    let copy = folder.join("earlier");
    for name in files(bundle).iter().filter(|name| *name != "cohort.json") {
        let bytes = fs::read(bundle.join(name)).expect("a file");
        let sums = String::from_utf8_lossy(&bytes).into_owned();
        let listed = sums.lines().filter(|line| !line.ends_with("  cohort.json"));
        let sums: String = listed.map(|line| format!("{line}\n")).collect();
        let is_sums = name == "SHA256SUMS";
        put(&copy, name, if is_sums { sums.as_bytes() } else { &bytes });
    }
    copy
}

#[test]
fn whether_a_bundle_without_digests_has_seen_a_scan_is_not_known() {
    let folder = scratch("unknown");
    let earlier = without_digests(&MODEL, &folder);
    let (seen, _) = TWICE.parted();
    let found = validate(&folder, &earlier, &seen);
    assert_eq!(found.heading(), "Validation, overlap with training unknown");
    for told in [&found.stdout, &found.succeeded()] {
        assert!(
            told.contains("whether the model was trained on the validated studies is not known")
        );
    }
    let result = found.result();
    let overlap = &result["overlap"];
    assert_eq!(
        (&overlap["cohort"], &overlap["seen"]),
        (&"Unknown".into(), &Value::Null)
    );
    assert_eq!(
        found.json(SCREENING_SUMMARY)["overlap"],
        serde_json::json!({ "cohort": "Unknown" })
    );
    assert!(
        found
            .column(SCREENING, "overlap")
            .iter()
            .all(|words| words == "unknown")
    );
}

#[test]
fn a_model_that_started_from_another_has_seen_that_ones_scans() {
    let folder = scratch("started");
    let start = |uri: &Path| {
        format!(
            "{{architecture: Linear, startFrom: {{uri: {}}}}}",
            uri.display()
        )
    };
    let child = train(&folder, "child", &OTHERS.scans, &start(&MODEL));
    let (seen, _) = TWICE.parted();
    let found = validate(&folder, &child, &seen);
    assert!(found.heading().starts_with("No external validation"));
    assert_eq!(
        found.column(OVERLAP, "overlap"),
        vec!["study image patient"; seen.len()]
    );
    let card = fs::read_to_string(child.join("MODEL_CARD.md")).expect("a card");
    assert!(
        card.contains("So it does of the models before it"),
        "{card}"
    );

    let folder = scratch("started-unknown");
    let earlier = without_digests(&MODEL, &folder);
    let child = train(&folder, "child", &OTHERS.scans, &start(&earlier));
    let found = validate(&folder, &child, &seen);
    assert_eq!(found.heading(), "Validation, overlap with training unknown");
    assert_eq!(found.result()["overlap"]["cohort"], "PartlyKnown");
    let words = "none partly-known";
    assert_eq!(found.column(SCREENING, "overlap"), vec![words; seen.len()]);
}

#[test]
fn runs_of_the_same_labels_write_the_same_digests_and_no_identifier() {
    let folder = scratch("digests");
    let (seen, _) = TWICE.parted();
    let again = train(&folder, "again", &seen, "{architecture: Linear}");
    let [one, other] =
        [&*MODEL, &again].map(|bundle| fs::read(bundle.join("cohort.json")).expect("digests"));
    assert!(one == other);
    let text = String::from_utf8(one).expect("text");
    for scan in &seen {
        for identifier in [&scan.study, &scan.patient] {
            assert!(!text.contains(identifier), "{identifier}");
        }
    }
    let bundle: Value = serde_json::from_str(&text).expect("JSON");
    let cohort = &bundle["cohorts"][0];
    for list in ["studies", "patients", "images"] {
        assert_eq!(
            cohort[list].as_array().map(Vec::len),
            Some(seen.len()),
            "{list}"
        );
    }
}

#[test]
fn a_patient_id_that_all_scans_have_is_no_patients() {
    let text = fs::read_to_string(TRAINED.bundle().join("cohort.json")).expect("digests");
    let bundle: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(bundle["cohorts"][0]["patients"], serde_json::json!([]));
    assert!(training_prefix(&TRAINED.out).exists());
}
