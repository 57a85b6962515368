//! Screenings beside the cohort of their model: like it, with half of its counts, and with a bundle that keeps nothing
//! of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use attrium_api::Kind;
use attrium_workflow::artefacts::{MONITOR, REPORT, SCREENING_SUMMARY, STATUS};
use dicom_core::{DataElement, PrimitiveValue, VR};
use dicom_dictionary_std::tags;
use dicom_object::from_reader;
use serde_json::Value;

use crate::cohort::{COHORT, files, put, root, scratch};
use crate::manifest::{self, prefix, screening, training, with};
use crate::program::{attrium, run};

/// As many as make a reference.
const STUDIES: &str = "72";

/// Phantoms, and a model that was trained on them.
struct Site {
    bundle: PathBuf,
    /// Others of the same population.
    scans: PathBuf,
}

static SITE: LazyLock<Site> = LazyLock::new(|| {
    let folder = root().join("monitored");
    let cohort = draw(&folder.join("cohort"), "31");
    let scans = draw(&folder.join("scans"), "32").join("images");
    let out = folder.join("results");
    let publish = "  publish: {architecture: Linear, task: Positive, force: true}\n";
    let text = of(&(training(&out) + publish), &cohort.join("images")).replace(
        COHORT.labels.to_str().expect("text"),
        cohort.join("labels.csv").to_str().expect("text"),
    );
    run(&[&manifest::write(&folder.join("run.yaml"), &text)]).ok();
    let bundle = prefix(&out, Kind::TrainingRun, "small").join("model/Linear-Positive");
    Site { bundle, scans }
});

fn draw(folder: &Path, seed: &str) -> PathBuf {
    let out = folder.to_str().expect("text");
    let grades = "0.5,0.2,0.15,0.15";
    attrium([
        "phantom",
        "--studies",
        STUDIES,
        "--seed",
        seed,
        "--out",
        out,
        "--grades",
        grades,
    ])
    .ok();
    folder.to_owned()
}

/// A manifest that names these images in the place of the cohort of all tests.
fn of(text: &str, images: &Path) -> String {
    let cohort = COHORT.images.display().to_string();
    text.replace(&cohort, &images.display().to_string())
}

/// What a screening has left.
struct Screened {
    prefix: PathBuf,
    stdout: String,
}

impl Screened {
    fn new(folder: &Path, model: &Path, images: &Path) -> Self {
        let out = folder.join("results");
        let model = format!("{{uri: {}}}", model.display());
        let text = of(&screening(&out, &model), images);
        let text = with(&text, "operatingPoint", "  activationMaps: None");
        let ended = run(&[&manifest::write(&folder.join("job.yaml"), &text)]);
        Self {
            prefix: prefix(&out, Kind::ScreeningJob, "archive"),
            stdout: ended.ok(),
        }
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.prefix.join(name)).expect("text")
    }

    /// Status, reason and sentence of the condition.
    fn condition(&self) -> [String; 3] {
        let status: Value = serde_saphyr::from_str(&self.read(STATUS)).expect("YAML");
        assert_eq!(status["phase"], "Succeeded");
        let conditions = status["conditions"].as_array().expect("conditions").clone();
        let found = conditions
            .into_iter()
            .find(|it| it["type"] == "WithinReference");
        let found = found.expect("the condition");
        ["status", "reason", "message"].map(|it| found[it].as_str().expect("text").to_owned())
    }

    /// The state of a feature of all scans.
    fn state(&self, feature: &str) -> String {
        let text = self.read(MONITOR);
        let mut table = csv::Reader::from_reader(text.as_bytes());
        let header = table.headers().expect("a header").clone();
        let place = |column: &str| {
            header
                .iter()
                .position(|name| name == column)
                .expect("a column")
        };
        let mut rows = table.records().map(|row| row.expect("a row"));
        let found =
            rows.find(|row| &row[place("feature")] == feature && row[place("scanner")].is_empty());
        let found = found.expect("a row of the feature");
        assert_eq!(&found[place("synthetic")], "yes");
        found[place("state")].to_owned()
    }
}

/// Half of the counts of each pixel, each count kept or lost by itself.
fn thinned(bytes: &[u8]) -> Vec<u8> {
    let mut object = from_reader(bytes).expect("DICOM");
    let pixels = object
        .element(tags::PIXEL_DATA)
        .expect("pixels")
        .to_bytes()
        .expect("bytes")
        .into_owned();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut is_kept = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        state >> 63 == 0
    };
    let thinned = pixels.chunks_exact(2).map(|pixel| {
        let counts = u16::from_le_bytes([pixel[0], pixel[1]]);
        (0..counts).filter(|_| is_kept()).count() as u16
    });
    let thinned: Vec<u16> = thinned.collect();
    object.put(DataElement::new(
        tags::PIXEL_DATA,
        VR::OW,
        PrimitiveValue::U16(thinned.into()),
    ));
    object.remove_element(tags::COUNTS_ACCUMULATED);
    let mut written = Vec::new();
    object.write_all(&mut written).expect("should be written");
    written
}

#[test]
fn scans_of_the_same_population_are_within_the_reference_of_their_model() {
    let found = Screened::new(&scratch("usual"), &SITE.bundle, &SITE.scans);
    let [status, reason, message] = found.condition();
    assert_eq!([status, reason], ["True", "AsExpected"], "{message}");
    assert_eq!(found.state("counts"), "within");
    assert!(
        found.stdout.contains("Within its reference: True."),
        "{}",
        found.stdout
    );
    let summary: Value = serde_json::from_str(&found.read(SCREENING_SUMMARY)).expect("JSON");
    assert_eq!(summary["monitor"]["state"], "Within");
    assert_eq!(summary["monitor"]["referenceStudies"], 72);
}

#[test]
fn scans_with_half_of_the_counts_are_outside_and_the_screening_succeeds() {
    let folder = scratch("thinned");
    let images = folder.join("images");
    for key in files(&SITE.scans) {
        put(
            &images,
            &key,
            &thinned(&fs::read(SITE.scans.join(&key)).expect("an object")),
        );
    }
    let found = Screened::new(&folder, &SITE.bundle, &images);
    let [status, reason, message] = found.condition();
    assert_eq!([status, reason], ["False", "OutsideReference"], "{message}");
    assert!(message.contains("counts lower from row "), "{message}");
    assert_eq!(found.state("counts"), "outside");
    assert!(
        found.stdout.contains("Within its reference: False."),
        "{}",
        found.stdout
    );
    let page = found.read(REPORT);
    assert!(page.contains("Outside of its reference: counts"), "{page}");
    assert!(page.contains("collimator"));
}

#[test]
fn whether_scans_are_as_those_of_a_bundle_without_a_reference_is_not_known() {
    let folder = scratch("no-reference");
    let copy = folder.join("earlier");
    for name in files(&SITE.bundle)
        .iter()
        .filter(|name| *name != "reference.json")
    {
        let bytes = fs::read(SITE.bundle.join(name)).expect("a file");
        let sums = String::from_utf8_lossy(&bytes).into_owned();
        let listed = sums
            .lines()
            .filter(|line| !line.ends_with("  reference.json"));
        let sums: String = listed.map(|line| format!("{line}\n")).collect();
        let is_sums = name == "SHA256SUMS";
        put(&copy, name, if is_sums { sums.as_bytes() } else { &bytes });
    }
    let found = Screened::new(&folder, &copy, &SITE.scans);
    let [status, reason, message] = found.condition();
    assert_eq!([status, reason], ["Unknown", "NoReference"], "{message}");
    assert_eq!(found.read(MONITOR).lines().count(), 1);
    assert!(
        found
            .read(REPORT)
            .contains("keeps nothing of how its cohort was spread")
    );
}

#[test]
fn a_reference_is_of_words_and_numbers_alone() {
    let text = fs::read_to_string(SITE.bundle.join("reference.json")).expect("a reference");
    let reference: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(
        (&reference["studies"], &reference["synthetic"]),
        (&72.into(), &true.into())
    );
    let counts = &reference["all"]["distributions"]["counts"];
    assert_eq!(counts["quantiles"].as_array().map(Vec::len), Some(99));
    let scanners = reference["scanners"].as_object().expect("scanners");
    assert!(
        scanners.contains_key("e.cam") && scanners.contains_key("symbia"),
        "{scanners:?}"
    );
}
