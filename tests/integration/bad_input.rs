//! Whatever is wrong with the input: one sentence that names the place, the right exit code, and
//! nothing else is lost.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use dicom_core::{DataElement, PrimitiveValue, VR};
use dicom_dictionary_std::tags;
use dicom_object::{DefaultDicomObject, open_file};
use sha2::{Digest, Sha256};

use crate::cohort::{COHORT, STUDIES, files, put, scratch};
use crate::manifest::{self, screening, training, training_prefix, with};
use crate::program::{Ended, attrium, command, finish, run, run_arguments};
use crate::trained::TRAINED;

/// The data are bad.
const DATA: i32 = 42;
/// The configuration is bad.
const CONFIGURATION: i32 = 43;

/// Runs a training in a folder with one line of its manifest changed.
fn run_with(folder: &Path, line: &str, instead: &str) -> Ended {
    let text = with(&training(&folder.join("results")), line, instead);
    run(&[&manifest::write(&folder.join("run.yaml"), &text)])
}

/// Runs a training in a folder with other labels.
fn run_with_labels(folder: &Path, labels: impl AsRef<[u8]>) -> Ended {
    put(folder, "labels.csv", labels.as_ref());
    let labels = format!("  labels: {}", folder.join("labels.csv").display());
    run_with(folder, "labels", &labels)
}

fn labels() -> String {
    fs::read_to_string(&COHORT.labels).expect("should be text")
}

#[test]
fn a_missing_prefix_is_named() {
    for line in ["images", "labels"] {
        let folder = scratch(&format!("missing-{line}"));
        let nowhere = folder.join("nowhere");
        let ended = run_with(&folder, line, &format!("  {line}: {}", nowhere.display()));
        let place = nowhere.to_str().unwrap();
        ended.fails_with(
            CONFIGURATION,
            &["TrainingRun ward/small", place, "does not exist"],
        );
    }
}

#[test]
fn a_prefix_that_may_not_be_read_is_named() {
    let folder = scratch("locked");
    let images = folder.join("images");
    put(&images, "scan.dcm", b"");
    fs::set_permissions(&images, fs::Permissions::from_mode(0o000)).unwrap();
    let line = format!("  images: {}", images.display());
    let text = with(&training(&folder.join("results")), "images", &line);
    let path = manifest::write(&folder.join("run.yaml"), &text);
    let ended = finish(&mut bound_by_modes(command(run_arguments(&[&path]))));
    fs::set_permissions(&images, fs::Permissions::from_mode(0o700)).unwrap();
    let place = images.to_str().unwrap();
    ended.fails_with(
        CONFIGURATION,
        &[place, "is denied", "check its permissions"],
    );
}

/// The command with no more rights than a folder's mode gives to its owner, which root has to ask
/// for.
fn bound_by_modes(command: Command) -> Command {
    if fs::metadata("/proc/self").expect("should be there").uid() != 0 {
        return command;
    }
    let mut bound = Command::new("setpriv");
    bound.args(["--bounding-set", "-dac_override,-dac_read_search"]);
    bound.arg(command.get_program()).args(command.get_args());
    bound
}

#[test]
fn a_file_where_a_folder_should_be_is_named() {
    let folder = scratch("file");
    let line = format!("  images: {}", COHORT.labels.display());
    let ended = run_with(&folder, "images", &line);
    ended.fails_with(CONFIGURATION, &["labels.csv is a file, not a folder"]);
}

#[test]
fn results_that_have_no_place_to_go_to_are_told_of() {
    let folder = scratch("no-place");
    let line = format!("  output: {}", COHORT.labels.display());
    let ended = run_with(&folder, "output", &line);
    ended.fails_with(
        CONFIGURATION,
        &["manifest.yaml of TrainingRun ward/small", "labels.csv"],
    );
}

#[test]
fn a_fault_in_the_labels_is_told_with_its_line_and_column() {
    let whole = labels();
    let (header, rows) = whole.split_once('\n').expect("should have rows");
    let first = rows.lines().next().expect("should have a row");
    let mut values: Vec<&str> = first.split(',').collect();
    values[1] = "4";
    let unknown = whole.replace(first, &values.join(","));
    let cases = [
        (
            "grade",
            unknown,
            "labels.csv, line 2, column grade: expected a Perugini grade",
        ),
        (
            "twice",
            format!("{whole}{first}\n"),
            "labels.csv, line 18, column study: the study of line 2",
        ),
        (
            "column",
            whole.replace(header, &header.replace("grade", "score")),
            "the column \"grade\" is missing",
        ),
        ("empty", String::new(), "labels.csv is empty"),
    ];
    for (name, text, sentence) in cases {
        let ended = run_with_labels(&scratch(&format!("labels-{name}")), text);
        ended.fails_with(CONFIGURATION, &["TrainingRun ward/small", sentence]);
        let study = first.split(',').next().expect("should be a study");
        assert!(!ended.stderr.contains(study), "{}", ended.stderr);
    }
}

/// An object of the cohort that shows the anterior view, changed.
fn changed(change: impl FnOnce(&mut DefaultDicomObject)) -> Vec<u8> {
    let key = COHORT
        .keys()
        .into_iter()
        .find(|key| key.ends_with("IM000001.dcm"));
    let mut object = open_file(COHORT.images.join(key.expect("should be there"))).unwrap();
    change(&mut object);
    let mut bytes = Vec::new();
    object.write_all(&mut bytes).expect("should be written");
    bytes
}

/// An object whose header claims 60,000 x 60,000 pixels.
fn boundless() -> Vec<u8> {
    changed(|object| {
        for tag in [tags::ROWS, tags::COLUMNS] {
            object.put(DataElement::new(
                tag,
                VR::US,
                PrimitiveValue::from(60_000_u16),
            ));
        }
    })
}

/// Objects that cannot be used, each with the reason that is given.
fn unusable() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let whole = changed(|_| {});
    vec![
        ("letter.txt", b"Dear colleague".to_vec(), "not-dicom"),
        ("nothing.dcm", Vec::new(), "not-dicom"),
        (
            "short.dcm",
            whole[..whole.len() - 1000].to_vec(),
            "truncated",
        ),
        (
            "header.dcm",
            changed(|object| assert!(object.remove_element(tags::PIXEL_DATA))),
            "no-pixel-data",
        ),
        ("boundless.dcm", boundless(), "impossible-size"),
        (
            "ct.dcm",
            changed(|object| {
                object.put(DataElement::new(
                    tags::MODALITY,
                    VR::CS,
                    PrimitiveValue::from("CT"),
                ));
            }),
            "modality",
        ),
    ]
}

#[test]
fn unusable_objects_are_set_aside_with_their_reasons_and_any_spreadsheets_labels_are_read() {
    let folder = scratch("unusable");
    let images = folder.join("images");
    for key in COHORT.keys() {
        put(&images, &key, &fs::read(COHORT.images.join(&key)).unwrap());
    }
    let unusable = unusable();
    for (key, bytes, _) in &unusable {
        put(&images, key, bytes);
    }
    let scan = COHORT.images.join(COHORT.keys().swap_remove(0));
    fs::copy(scan, images.join(OsStr::from_bytes(b"K\xF6ln.dcm"))).unwrap();
    let table = labels().replace(',', ";").replace('\n', "\r\n");
    put(&folder, "labels.csv", format!("\u{feff}{table}").as_bytes());
    let text = training(&folder.join("results"))
        .replace(COHORT.images.to_str().unwrap(), images.to_str().unwrap())
        .replace(
            COHORT.labels.to_str().unwrap(),
            folder.join("labels.csv").to_str().unwrap(),
        );
    let path = folder.join("run.yaml");
    let refused = run(&[&manifest::write(&path, &text)]);
    refused.fails_with(
        DATA,
        &["cannot be used, more than the share of 0.1", "2 not-dicom"],
    );
    // With a greater share the same run goes on.
    run(&[&manifest::write(
        &path,
        &(text + "  maxUnusable: \"0.5\"\n"),
    )])
    .ok();

    let prefix = training_prefix(&folder.join("results"));
    let quarantine = fs::read_to_string(prefix.join("quarantine.csv")).unwrap();
    let mut rows = Vec::new();
    for row in csv::Reader::from_reader(quarantine.as_bytes()).records() {
        let row = row.expect("should be a row");
        assert!(
            row[2].split_whitespace().count() > 4,
            "{} is no sentence",
            &row[2]
        );
        rows.push((row[0].to_owned(), row[1].to_owned()));
    }
    let all = rows.len();
    rows.retain(|(_, reason)| reason != "other-view");
    let nameless = ("K\\xF6ln.dcm", Vec::new(), "impossible-key");
    for (key, _, reason) in unusable.iter().chain([&nameless]) {
        let expected = ((*key).to_owned(), (*reason).to_owned());
        assert!(
            rows.contains(&expected),
            "{key}, {reason} is not in {rows:?}"
        );
    }
    assert_eq!(
        rows.len(),
        unusable.len() + 2,
        "and the one that is always cut short"
    );
    let status: serde_json::Value =
        serde_saphyr::from_str(&fs::read_to_string(prefix.join("status.yaml")).unwrap()).unwrap();
    assert_eq!(status["data"]["used"], STUDIES);
    assert_eq!(status["data"]["quarantined"], rows.len());
    assert_eq!(status["data"]["otherViews"], all - rows.len());
    assert_eq!(status["data"]["objects"], STUDIES + all);
}

#[test]
fn a_header_that_claims_sixty_thousand_pixels_a_side_allocates_nothing() {
    let folder = scratch("boundless");
    put(&folder, "scan.dcm", &boundless());
    // The pixels it claims would be 14 GB; the process may have 1.
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -v 1048576; exec \"$0\" inspect \"$1\""]);
    limited
        .arg(env!("CARGO_BIN_EXE_attrium"))
        .arg(folder.join("scan.dcm"));
    let ended = finish(&mut limited);
    ended.fails_with(DATA, &["60000 x 60000 pixels cannot be a scan"]);
}

#[test]
fn a_cohort_without_a_usable_image_fails_and_says_where_to_look() {
    let none = scratch("no-scans");
    put(&none, "images/letter.txt", b"Dear colleague");
    let images = format!("  images: {}", none.join("images").display());
    let ended = run_with(&none, "images", &images);
    ended.fails_with(
        DATA,
        &["no object below images can be used", "1 are in quarantine"],
    );
    let prefix = training_prefix(&none.join("results"));
    let place = "dataset/quarantine-*.csv";
    assert!(ended.error().contains(place), "{}", ended.error());
    let tables = files(&prefix)
        .into_iter()
        .filter(|name| name.starts_with("dataset/quarantine-"));
    let tables: Vec<_> = tables
        .map(|name| fs::read_to_string(prefix.join(name)).unwrap())
        .collect();
    assert!(
        tables.concat().contains("letter.txt,not-dicom"),
        "{tables:?}"
    );

    let strangers = "study,grade\n1.2.3,0\n1.2.4,0\n1.2.5,2\n1.2.6,2\n";
    let ended = run_with_labels(&scratch("no-labels"), strangers);
    ended.fails_with(
        DATA,
        &["check that labels.csv has the studies of these images"],
    );
}

#[test]
fn a_class_with_fewer_patients_than_folds_is_told_once() {
    let folder = scratch("folds");
    let ended = run_with(
        &folder,
        "crossValidation",
        "  crossValidation: {folds: 10, seed: 1}",
    );
    let sentence = "patients, fewer than the 10 folds: lower crossValidation.folds";
    ended.fails_with(DATA, &["class ", sentence]);
    let told = ended.stderr.matches(sentence).count();
    assert!(
        told <= 2,
        "as it happens and at the end, not {told} times:\n{}",
        ended.stderr
    );
}

#[test]
fn everything_that_is_wrong_with_a_manifest_is_told_at_once_with_its_path() {
    let folder = scratch("manifest");
    let text = training(&folder.join("results"));
    let unknown = with(
        &text,
        "tasks",
        "  tasks: [Positive, Negative]\n  colour: red",
    );
    let wrong = with(&unknown, "crossValidation", "  crossValidation: {folds: 1}");
    let text = format!("{wrong}---\napiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\n");
    let ended = run(&[&manifest::write(&folder.join("run.yaml"), &text)]);
    assert_eq!(ended.code, Some(CONFIGURATION));
    for path in [
        "document 1: spec.colour: there is no such field",
        "document 1: spec.tasks[1]: is \"Negative\"",
        "document 1: spec.crossValidation.folds: ",
        "document 2: kind: \"Pod\" is not a kind",
    ] {
        assert!(
            ended.error().contains(path),
            "no {path:?} in: {}",
            ended.error()
        );
    }
    assert_eq!(ended.stdout, "");
    assert!(!folder.join("results").exists(), "nothing is run");
}

#[test]
fn a_manifest_that_is_none_is_told_with_its_line() {
    let folder = scratch("no-manifest");
    let path = manifest::write(&folder.join("run.yaml"), "kind: TrainingRun\nspec: [\n");
    run(&[&path]).fails_with(CONFIGURATION, &["run.yaml: document 1, line "]);
    run(&[&folder.join("missing.yaml")]).fails_with(CONFIGURATION, &["missing.yaml"]);
}

/// Copies the shared run's bundle to a folder, changes a file of it, and returns what a screening
/// job and `attrium screen` make of it.
fn screen_with(name: &str, change: impl FnOnce(&Path)) -> [Ended; 2] {
    let folder = scratch(name);
    let bundle = folder.join("bundle");
    for file in files(&TRAINED.bundle()) {
        put(
            &bundle,
            &file,
            &fs::read(TRAINED.bundle().join(&file)).unwrap(),
        );
    }
    change(&bundle);
    let model = format!("{{uri: {}}}", bundle.display());
    let text = screening(&folder.join("results"), &model);
    let job = run(&[&manifest::write(&folder.join("job.yaml"), &text)]);
    let scan = COHORT.images.join(&COHORT.keys()[0]);
    [
        job,
        attrium([Path::new("screen"), &scan, Path::new("--model"), &bundle]),
    ]
}

/// Writes the checksums of a bundle anew.
pub(crate) fn sum_up(bundle: &Path) {
    let mut sums = String::new();
    let listed = files(bundle).into_iter();
    for name in listed.filter(|name| !name.starts_with("SHA256SUMS")) {
        let digest = hex::encode(Sha256::digest(fs::read(bundle.join(&name)).unwrap()));
        sums.push_str(&format!("{digest}  {name}\n"));
    }
    put(bundle, "SHA256SUMS", sums.as_bytes());
}

#[test]
fn a_bundle_with_a_changed_byte_is_refused() {
    let refused = screen_with("changed-byte", |bundle| {
        let mut weights = fs::read(bundle.join("weights-0.safetensors")).unwrap();
        let middle = weights.len() / 2;
        weights[middle] ^= 1;
        put(bundle, "weights-0.safetensors", &weights);
    });
    for ended in refused {
        ended.fails_with(
            CONFIGURATION,
            &["changed-byte/bundle", "weights-0.safetensors is not what"],
        );
    }
}

#[test]
fn a_bundle_of_another_version_is_refused() {
    let refused = screen_with("version", |bundle| {
        let text = fs::read_to_string(bundle.join("bundle.json")).unwrap();
        let newer = text.replace("\"formatVersion\": 1", "\"formatVersion\": 3");
        assert_ne!(newer, text);
        put(bundle, "bundle.json", newer.as_bytes());
        sum_up(bundle);
    });
    for ended in refused {
        ended.fails_with(
            CONFIGURATION,
            &["version/bundle", "format version 3", "versions up to 2"],
        );
    }
}

#[test]
fn a_bundle_that_is_not_there_or_not_whole_is_refused() {
    let missing = screen_with("no-bundle", |bundle| fs::remove_dir_all(bundle).unwrap());
    for ended in missing {
        ended.fails_with(CONFIGURATION, &["no-bundle/bundle", "does not exist"]);
    }
    let half = screen_with("half-bundle", |bundle| {
        fs::remove_file(bundle.join("normalization-1.safetensors")).unwrap();
    });
    for ended in half {
        ended.fails_with(
            CONFIGURATION,
            &[
                "half-bundle/bundle",
                "normalization-1.safetensors",
                "does not exist",
            ],
        );
    }
}

/// A file system of its own that holds no more than it is told to, in kilobytes.
struct Disk(PathBuf);

impl Disk {
    /// `None` where this user may not mount one.
    fn mount(place: PathBuf, kilobytes: u32) -> Option<Self> {
        fs::create_dir_all(&place).expect("should be made");
        let size = format!("size={kilobytes}k");
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(&place);
        (finish(&mut mount).code == Some(0)).then_some(Self(place))
    }

    fn grow(&self, kilobytes: u32) {
        let size = format!("remount,size={kilobytes}k");
        let grown = finish(Command::new("mount").args(["-o", &size]).arg(&self.0));
        assert_eq!(grown.code, Some(0), "{}", grown.stderr);
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(&self.0).status());
    }
}

#[test]
fn a_full_disk_stops_a_run_that_goes_on_once_there_is_space() {
    let folder = scratch("full");
    // Enough for the manifest and the status, not for the crops of 16 studies.
    let Some(disk) = Disk::mount(folder.join("results"), 256) else {
        eprintln!("skipped: this user may not mount a file system, so no disk can be filled");
        return;
    };
    let path = manifest::write(&folder.join("run.yaml"), &training(&disk.0));
    let full = [
        "no space is left for",
        "dataset/shard-",
        "run again, and it goes on",
    ];
    run(&[&path]).fails_with(1, &full);
    // Enough for the crops, not for two checkpoints of a million weights with their moments.
    disk.grow(4 << 10);
    let ended = run(&[&path]);
    ended.fails_with(1, &["no space is left for", "train/Linear/Positive/fold-"]);
    disk.grow(128 << 10);
    let ended = run(&[&path]);
    assert!(
        !ended.stderr.contains("preprocess shard"),
        "what was done is kept: {}",
        ended.stderr
    );
    ended.ok();
    let left = files(&training_prefix(&disk.0));
    assert!(left.contains("report/index.html"), "{left:?}");
}
