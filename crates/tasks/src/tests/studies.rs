//! From an archive with copies, derived objects and patients who were scanned twice to the studies that are used: each
//! object is in a count and a row, and no patient is on both sides of a split.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use object_store::memory::InMemory;
use tempfile::TempDir;

use super::{Job, LIMIT, at};
use crate::Summary;
use attrium_api::{ActivationMaps, DataStatus, PublishMethod, Resource};
use attrium_dataset::{Labels, Quarantine};
use attrium_evaluation::Predictions;
use attrium_imaging as imaging;
use attrium_phantom::{SyntheticCohort, archive};
use attrium_storage::Storage;
use attrium_types::{Architecture, LossyPolicy, Target};
use attrium_workflow::{StageKind, artefacts};

/// Explicit VR little endian, as it ends in an object's head.
const UNCOMPRESSED: &[u8] = b"1.2.840.10008.1.2.1\0";

/// An archive of 24 studies, half of whose patients were scanned twice.
struct Archive {
    folder: TempDir,
    /// The patient of each study, which the labels do not name.
    patients: BTreeMap<String, String>,
}

impl Archive {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let cohort = SyntheticCohort::new(24, 11).with_grades([0.5, 0.0, 0.25, 0.25]);
        let cohort = cohort.unwrap().with_two_scans(0.5).unwrap();
        archive::write(&cohort, folder.path(), || {}).unwrap();
        let labels = fs::read(folder.path().join("labels.csv")).unwrap();
        let mut patients = BTreeMap::new();
        let mut table = "study,grade\n".to_owned();
        for row in csv::Reader::from_reader(labels.as_slice()).records() {
            let row = row.unwrap();
            table += &format!("{},{}\n", &row[0], &row[1]);
            patients.insert(row[0].to_owned(), row[2].to_owned());
        }
        fs::write(folder.path().join("labels.csv"), table).unwrap();
        Self { folder, patients }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// The bytes of usable objects without compression, one a study.
    fn objects(&self) -> Vec<Vec<u8>> {
        let mut objects = BTreeMap::new();
        collect(&self.folder.path().join("images"), &mut |bytes: Vec<u8>| {
            let is_plain = bytes[..1024]
                .windows(UNCOMPRESSED.len())
                .any(|it| it == UNCOMPRESSED);
            let image = imaging::read_anterior(&bytes, LossyPolicy::Quarantine);
            if let (true, Ok(image)) = (is_plain, image) {
                objects.insert(image.study.as_str().to_owned(), bytes);
            }
        });
        objects.into_values().collect()
    }

    fn add(&self, name: &str, bytes: Vec<u8>) {
        fs::write(self.folder.path().join("images").join(name), bytes).unwrap();
    }

    /// Takes the label of an object's study away.
    fn unlabel(&self, object: &[u8]) {
        let study = imaging::study(object).unwrap();
        let labels = fs::read_to_string(self.path("labels.csv")).unwrap();
        let rows = labels
            .lines()
            .filter(|row| !row.starts_with(study.as_str()));
        let rows: String = rows.map(|row| row.to_owned() + "\n").collect();
        fs::write(self.path("labels.csv"), rows).unwrap();
    }

    /// A training of it in so many shards, to the end.
    fn trained(&self, shards: u32) -> Trained {
        let Resource::TrainingRun(mut run) = Job::training(PublishMethod::Ensemble).resource else {
            panic!("should be a training")
        };
        run.spec.images = self.path("images");
        run.spec.labels = self.path("labels.csv");
        run.spec.preprocessing.shards = shards;
        run.spec.training.epochs = 1;
        run.spec.publish = None;
        let seed = u64::from(run.spec.cross_validation.seed);
        let job = Job::new(Resource::TrainingRun(run));
        let (store, summary) = to_the_end(&job, StageKind::Evaluate);
        let labels = Labels::parse(&fs::read(self.path("labels.csv")).unwrap()).unwrap();
        let pseudonyms = labels.pseudonymise(seed);
        let name = artefacts::predictions(Architecture::Linear, Target::Positive);
        let predictions = Predictions::parse(&store.get(&name, LIMIT).unwrap()).unwrap();
        let link = pseudonyms.link();
        let patient_of = |study: &str| {
            let number: u32 = study.parse().unwrap();
            self.patients[link[&number]].clone()
        };
        let place = predictions
            .covariates
            .iter()
            .position(|name| name == "patient")
            .unwrap();
        let studies = predictions.rows.iter().map(|row| Study {
            patient: patient_of(&row.study),
            pseudonym: row.covariates[place].clone(),
            fold: row.fold.unwrap(),
        });
        Trained {
            studies: studies.collect(),
            quarantine: Quarantine::parse(&store.get(artefacts::QUARANTINE, LIMIT).unwrap())
                .unwrap(),
            message: summary.message.clone(),
            data: summary.data.unwrap(),
        }
    }
}

/// A study as a training has used it.
#[derive(Debug, PartialEq)]
struct Study {
    patient: String,
    pseudonym: String,
    fold: usize,
}

struct Trained {
    studies: Vec<Study>,
    quarantine: Quarantine,
    data: DataStatus,
    message: String,
}

impl Trained {
    fn reasons(&self) -> BTreeMap<&str, usize> {
        self.quarantine.by_reason()
    }
}

fn collect(folder: &Path, each: &mut impl FnMut(Vec<u8>)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, each);
        } else {
            each(fs::read(path).unwrap());
        }
    }
}

fn to_the_end(job: &Job, last: StageKind) -> (Storage, Summary) {
    let store = Storage::over(Arc::new(InMemory::new()));
    let mut summary = Summary::default();
    for task in job.plan.tasks() {
        summary = job.run(&store, task.id).unwrap();
    }
    assert_eq!(job.plan.stages.last().map(|stage| stage.kind), Some(last));
    (store, summary)
}

/// The same object with a count more wherever there is one.
fn brighter(object: &[u8]) -> Vec<u8> {
    let start = object
        .windows(6)
        .rposition(|it| it == b"\xE0\x7F\x10\x00OW")
        .unwrap()
        + 12;
    let mut changed = object.to_vec();
    for pixel in changed[start..].chunks_exact_mut(2) {
        if pixel[0] > 0 && pixel[0] < u8::MAX {
            pixel[0] += 1;
        }
    }
    changed
}

fn replaced(object: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let at = object
        .windows(from.len())
        .position(|it| it == from)
        .unwrap();
    let mut changed = object.to_vec();
    changed[at..][..to.len()].copy_from_slice(to);
    changed
}

/// A copy, a derived object of more counts, another original, and a study without a label.
fn with_more_objects() -> Archive {
    let archive = Archive::new();
    let objects = archive.objects();
    archive.add("copy.dcm", objects[0].clone());
    archive.add(
        "derived.dcm",
        brighter(&replaced(&objects[1], b"ORIGINAL", b"DERIVED ")),
    );
    archive.add("other.dcm", brighter(&objects[2]));
    archive.add("letter.txt", b"Dear colleague".to_vec());
    archive.unlabel(&objects[3]);
    archive
}

#[test]
fn a_patient_who_was_scanned_twice_is_never_on_both_sides_of_a_split() {
    let archive = Archive::new();
    let trained = archive.trained(3);
    let mut of_patient: BTreeMap<&str, Vec<&Study>> = BTreeMap::new();
    for study in &trained.studies {
        of_patient.entry(&study.patient).or_default().push(study);
    }
    let twice = of_patient.values().filter(|studies| studies.len() > 1);
    assert!(twice.clone().count() >= 4, "{of_patient:?}");
    for studies in of_patient.values() {
        let folds: BTreeSet<_> = studies.iter().map(|study| study.fold).collect();
        let pseudonyms: BTreeSet<_> = studies.iter().map(|study| &study.pseudonym).collect();
        assert_eq!((folds.len(), pseudonyms.len()), (1, 1), "{studies:?}");
    }
    assert_eq!(trained.data.patient_unknown, Some(0));
    assert!(
        !trained.message.contains("not known"),
        "{}",
        trained.message
    );
}

#[test]
fn each_object_is_in_one_count_and_is_used_or_has_a_row() {
    let trained = with_more_objects().trained(2);
    let data = &trained.data;
    let reasons = trained.reasons();
    for (reason, objects) in [
        ("duplicate", 1),
        ("superseded", 1),
        ("ambiguous", 2),
        ("unlabelled", 1),
        ("not-dicom", 1),
    ] {
        assert_eq!(reasons.get(reason), Some(&objects), "{reasons:?}");
    }
    assert_eq!(
        reasons.get("other-view").copied().unwrap_or_default() as u64,
        data.other_views
    );
    let used = trained.studies.len() as u64;
    assert_eq!((data.used, data.superseded), (Some(used), Some(2)));
    assert_eq!(data.unusable_by_reason["ambiguous"], 2);
    let counted = used + 2 + data.other_views + data.unlabelled + data.quarantined;
    assert_eq!(counted, data.objects, "{data:?}");
    assert_eq!(used + trained.quarantine.len() as u64, data.objects);
    let rows: Vec<_> = trained.quarantine.iter().collect();
    let of = |object: &str| {
        let row = rows.iter().find(|(key, _)| *key == object);
        row.map(|(_, entry)| entry.reason.as_str())
    };
    assert_eq!(
        of("derived.dcm"),
        Some("superseded"),
        "its counts decide nothing"
    );
    assert_eq!(of("other.dcm"), Some("ambiguous"));
}

#[test]
fn the_number_of_shards_changes_neither_what_is_used_nor_what_is_told() {
    let archive = with_more_objects();
    let (one, three) = (archive.trained(1), archive.trained(3));
    assert_eq!(one.studies, three.studies);
    assert_eq!(one.data, three.data);
    assert!(one.quarantine == three.quarantine);
}

#[test]
fn a_patient_id_that_is_everybodys_groups_nobody_and_a_warning_says_so() {
    let archive = Archive::new();
    let labels = fs::read_to_string(archive.path("labels.csv")).unwrap();
    let images = archive.folder.path().join("images");
    let ids: BTreeSet<&str> = archive.patients.values().map(String::as_str).collect();
    rewrite(&images, &|bytes: &[u8]| {
        let id = ids
            .iter()
            .find(|id| bytes.windows(id.len()).any(|it| it == id.as_bytes()));
        id.map_or(bytes.to_vec(), |id| {
            replaced(bytes, id.as_bytes(), &b"HOSPITAL-REMOVED"[..id.len()])
        })
    });
    assert_eq!(
        labels,
        fs::read_to_string(archive.path("labels.csv")).unwrap()
    );
    let trained = archive.trained(1);
    assert_eq!(trained.data.patient_unknown, trained.data.used);
    assert!(
        trained.message.contains("studies are not known"),
        "{}",
        trained.message
    );
}

fn rewrite(folder: &Path, change: &impl Fn(&[u8]) -> Vec<u8>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rewrite(&path, change);
        } else {
            fs::write(&path, change(&fs::read(&path).unwrap())).unwrap();
        }
    }
}

#[test]
fn an_external_validation_is_of_one_object_a_study_and_tells_of_the_others() {
    let archive = with_more_objects();
    let Resource::ScreeningJob(mut job) = Job::screening(ActivationMaps::None).resource else {
        panic!("should be a screening")
    };
    job.spec.images = archive.path("images");
    job.spec.labels = Some(archive.path("labels.csv"));
    let job = Job::new(Resource::ScreeningJob(job));
    let (store, summary) = to_the_end(&job, StageKind::Summarize);
    let counts = summary.screening.unwrap();
    assert_eq!((counts.superseded, counts.ambiguous), (Some(2), Some(2)));
    assert_eq!(counts.patient_unknown, Some(0));
    // Of the study of two that are ambiguous nothing stands, and so it has no prediction.
    let unanswered = store.get(artefacts::UNANSWERED, LIMIT).unwrap();
    let rows = String::from_utf8(unanswered).unwrap().lines().count() as u64 - 1;
    assert!(rows > 0);
    assert_eq!(counts.unanswered, Some(rows));
    let left_out = Quarantine::parse(&store.get(artefacts::LEFT_OUT, LIMIT).unwrap()).unwrap();
    let reasons: Vec<_> = left_out.by_reason().into_iter().collect();
    assert_eq!(
        reasons,
        [("ambiguous", 2), ("duplicate", 1), ("superseded", 1)]
    );
    let name = artefacts::predictions(Architecture::Linear, Target::Positive);
    let predictions = Predictions::parse(&store.get(&name, LIMIT).unwrap()).unwrap();
    // Of the objects that were given a decision one has no label.
    let validated = predictions.rows.len() as u64;
    assert_eq!(validated + 4 + 1, counts.screened);
    assert_eq!(
        job.marker(&store, at(StageKind::Summarize, 0))
            .summary
            .screening,
        Some(counts)
    );
}
