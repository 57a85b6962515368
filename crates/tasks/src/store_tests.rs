//! What tasks make of a store that refuses, breaks off or answers with something else.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use attrium_api::{Resource, StorageSpec, manifest};
use attrium_dataset::Quarantine;
use attrium_fixtures::{self as fixtures, Bucket, Fault, Request};
use attrium_imaging as imaging;
use attrium_storage as storage;
use attrium_storage::{Session, Storage, StorageOptions};
use attrium_workflow::{Plan, TaskExit, TaskSpec, artefacts};

use super::{Execute, Interrupt, NoProgress, Summary, TaskContext, TaskError, Tasks};

/// How many scans the archive has.
const SCANS: usize = 12;
/// The URI of a run's prefix.
const PREFIX: &str = "s3://bucket/out/run/";
const SCAN: &[u8] = include_bytes!("../../../tests/data/nm-wholebody-anterior.dcm");
const BUNDLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/heart-perugini/");

fn labels() -> String {
    let study = imaging::study(SCAN).expect("a study");
    format!("study,grade\n{},2\n", study.as_str())
}

/// A bucket with an archive of scans, one study, and its label.
fn archive() -> Bucket {
    let bucket = Bucket::new();
    for number in 0..SCANS {
        bucket.put(&format!("images/{number:02}.dcm"), SCAN);
    }
    bucket.put("labels.csv", labels());
    bucket.list_by(5);
    bucket
}

fn storage(bucket: &Bucket) -> StorageSpec {
    StorageSpec {
        endpoint: Some(bucket.endpoint().to_owned()),
        allow_http: true,
        ..StorageSpec::default()
    }
}

/// A training on the archive, in so many shards.
fn training(bucket: &Bucket, shards: u32) -> Resource {
    let mut run = fixtures::training_run();
    run.spec.images = "s3://bucket/images/".to_owned();
    run.spec.labels = "s3://bucket/labels.csv".to_owned();
    run.spec.output = "s3://bucket/out/".to_owned();
    run.spec.storage = storage(bucket);
    run.spec.preprocessing.shards = shards;
    Resource::TrainingRun(Box::new(run))
}

fn screening(bucket: &Bucket) -> Resource {
    let mut job = fixtures::screening_job();
    job.spec.images = "s3://bucket/images/".to_owned();
    job.spec.output = "s3://bucket/out/".to_owned();
    job.spec.storage = storage(bucket);
    job.spec.shards = 1;
    job.spec.model.uri = Some(BUNDLE.to_owned());
    Resource::ScreeningJob(Box::new(job))
}

/// Tasks of a process that is so patient.
fn tasks(patience: Duration) -> Tasks {
    Tasks {
        session: Session::default().unsigned().with_patience(patience),
        ..Tasks::default()
    }
}

fn impatient() -> Tasks {
    tasks(Duration::ZERO)
}

/// Does a task of a resource's first stage.
fn run_at(
    tasks: &Tasks,
    resource: &Resource,
    prefix: &str,
    index: usize,
) -> Result<Summary, TaskError> {
    let plan = Plan::new(resource);
    let context = TaskContext {
        resource,
        plan: &plan,
        prefix,
        model: resource.model(),
        interrupt: &Interrupt::default(),
        progress: &NoProgress,
        threads: 1,
    };
    tasks.run(&plan.stages[0].tasks[index], &context)
}

fn run(tasks: &Tasks, resource: &Resource, index: usize) -> Result<Summary, TaskError> {
    run_at(tasks, resource, PREFIX, index)
}

fn markers(bucket: &Bucket) -> usize {
    let keys = bucket.keys();
    keys.iter().filter(|key| key.contains("/tasks/")).count()
}

fn is_image(request: &Request) -> bool {
    request.is_get() && request.key.starts_with("images/")
}

/// Every way in which a store can fail an object that is there.
const FAULTS: [Fault; 11] = [
    Fault::Error(403, "AccessDenied"),
    Fault::Error(403, "RequestTimeTooSkewed"),
    Fault::Error(400, "ExpiredToken"),
    Fault::Error(400, "InvalidToken"),
    Fault::Error(404, "NoSuchBucket"),
    Fault::Error(503, "SlowDown"),
    Fault::Cut,
    Fault::Shorter,
    Fault::Longer(8),
    Fault::Page,
    Fault::PageOfSameLength,
];

/// Fails at the images after so many requests for them.
fn fail_images(bucket: &Bucket, after: usize, fault: Fault) {
    let mut before = 0;
    bucket.fail(move |request| {
        before += usize::from(is_image(request));
        (is_image(request) && before > after).then_some(fault)
    });
}

#[test]
fn a_refused_read_fails_the_task_and_writes_no_marker() {
    for fault in FAULTS {
        let bucket = archive();
        let resource = training(&bucket, 1);
        fail_images(&bucket, 9, fault);
        let error = run(&impatient(), &resource, 0).expect_err("a failure");
        let told = error.sentence();
        assert_eq!(error.exit(), TaskExit::Retry, "{fault:?}: {told}");
        assert_eq!(markers(&bucket), 0, "{fault:?}");
        bucket.fail(|_| None);
        let summary = run(&impatient(), &resource, 0).expect("a summary");
        let data = summary.data.expect("counts");
        assert_eq!((data.objects, data.quarantined), (SCANS as u64, 0));
    }
}

#[test]
fn a_refused_read_fails_a_screening_and_writes_no_marker() {
    for fault in [Fault::Error(403, "AccessDenied"), Fault::Cut, Fault::Page] {
        let bucket = archive();
        let resource = screening(&bucket);
        fail_images(&bucket, 9, fault);
        let error = run(&impatient(), &resource, 0).expect_err("a failure");
        assert_eq!(error.exit(), TaskExit::Retry, "{}", error.sentence());
        assert_eq!(markers(&bucket), 0, "{fault:?}");
    }
    let bucket = archive();
    let summary = run(&impatient(), &screening(&bucket), 0).expect("a summary");
    let counts = summary.screening.expect("counts");
    assert_eq!((counts.objects, counts.unusable), (SCANS as u64, 0));
}

#[test]
fn a_marker_whose_acknowledgement_is_lost_counts() {
    let bucket = archive();
    let mut conditional = 0;
    bucket.fail(move |request| {
        conditional += usize::from(request.is_conditional);
        let is_first = request.is_conditional && conditional == 1;
        is_first.then_some(Fault::Late(500, "InternalError"))
    });
    let patient = tasks(Duration::from_secs(60));
    let summary = run(&patient, &training(&bucket, 1), 0).expect("a summary");
    assert_eq!(summary.data.expect("counts").objects, SCANS as u64);
    assert_eq!(markers(&bucket), 1);
}

#[test]
fn a_marker_that_comes_in_part_is_read_again_before_it_is_called_none() {
    let bucket = archive();
    let resource = training(&bucket, 1);
    run(&impatient(), &resource, 0).expect("a summary");
    let mut markers = 0;
    bucket.fail(move |request| {
        let is_marker = request.is_get() && request.key.starts_with("out/run/tasks/");
        markers += usize::from(is_marker);
        (is_marker && markers <= 2).then_some(Fault::Shorter)
    });
    let patient = tasks(Duration::from_secs(60));
    let summary = run(&patient, &resource, 0).expect("a summary");
    assert_eq!(summary.data.expect("counts").objects, SCANS as u64);
}

#[test]
fn a_listing_that_ends_early_fails_the_task_and_writes_no_marker() {
    for fault in [Fault::Page, Fault::Error(400, "ExpiredToken")] {
        let bucket = archive();
        bucket.fail(move |request| (request.is_list() && request.before > 0).then_some(fault));
        let error = run(&impatient(), &training(&bucket, 1), 0).expect_err("a failure");
        assert_eq!(error.exit(), TaskExit::Retry, "{}", error.sentence());
        assert_eq!(markers(&bucket), 0, "{fault:?}");
    }
}

#[test]
fn what_passes_costs_a_task_nothing() {
    for fault in [
        Fault::Error(403, "RequestTimeTooSkewed"),
        Fault::Page,
        Fault::Cut,
    ] {
        let bucket = archive();
        let mut images = 0;
        bucket.fail(move |request| {
            images += usize::from(is_image(request));
            (is_image(request) && images == 10).then_some(fault)
        });
        let patient = tasks(Duration::from_secs(60));
        let summary = run(&patient, &training(&bucket, 1), 0).expect("a summary");
        assert_eq!(summary.data.expect("counts").objects, SCANS as u64);
    }
}

#[test]
fn a_refusal_at_first_sight_is_a_bad_configuration_and_an_expiry_is_not() {
    for (key, code, exit) in [
        ("images/", "AccessDenied", TaskExit::BadConfiguration),
        (
            "labels.csv",
            "InvalidAccessKeyId",
            TaskExit::BadConfiguration,
        ),
        ("images/", "NoSuchBucket", TaskExit::BadConfiguration),
        ("labels.csv", "ExpiredToken", TaskExit::Retry),
        ("labels.csv", "RequestTimeTooSkewed", TaskExit::Retry),
    ] {
        let bucket = archive();
        bucket.fail(move |request| {
            let of_images = request.is_list() && request.query["prefix"] == key;
            (of_images || request.key == key).then_some(Fault::Error(403, code))
        });
        let error = run(&impatient(), &training(&bucket, 1), 0).expect_err("a failure");
        assert_eq!(error.exit(), exit, "{key} {code}: {}", error.sentence());
    }
}

#[test]
fn a_refusal_is_no_bad_configuration_once_a_task_has_ended_well() {
    let bucket = archive();
    let resource = training(&bucket, 2);
    run(&impatient(), &resource, 0).expect("a summary");
    bucket.fail(|request| {
        let fault = Fault::Error(403, "AccessDenied");
        (request.key == "labels.csv").then_some(fault)
    });
    let error = run(&impatient(), &resource, 1).expect_err("a failure");
    assert_eq!(error.exit(), TaskExit::Retry, "{}", error.sentence());
}

#[test]
fn a_refusal_is_no_bad_configuration_where_the_same_process_has_read_the_place() {
    let bucket = archive();
    let process = impatient();
    let first = training(&bucket, 1);
    run_at(&process, &first, "s3://bucket/out/first/", 0).expect("a summary");
    bucket.fail(|request| {
        let fault = Fault::Error(403, "AccessDenied");
        (request.is_list()).then_some(fault)
    });
    let error = run_at(&process, &first, "s3://bucket/out/second/", 0).expect_err("a failure");
    assert_eq!(error.exit(), TaskExit::Retry, "{}", error.sentence());
}

/// The quarantine of the first shard, as the words for its reasons by object.
fn reasons(table: &[u8]) -> BTreeMap<String, String> {
    let quarantine = Quarantine::parse(table).expect("a table");
    let rows = quarantine.iter();
    rows.map(|(object, entry)| (object.to_owned(), entry.reason.clone()))
        .collect()
}

fn expected(rows: &[(&str, &str)]) -> BTreeMap<String, String> {
    let rows = rows.iter();
    rows.map(|(object, reason)| ((*object).to_owned(), (*reason).to_owned()))
        .collect()
}

#[test]
fn an_object_that_is_missing_for_itself_has_a_row_and_costs_no_other() {
    let bucket = archive();
    for key in ["2013//a.dcm", "2014/../b.dcm", "2015/./c.dcm"] {
        bucket.put(&format!("images/{key}"), SCAN);
    }
    bucket.fail(|request| {
        let fault = Fault::Error(404, "NoSuchKey");
        (request.key == "images/03.dcm").then_some(fault)
    });
    let summary = run(&impatient(), &training(&bucket, 1), 0).expect("a summary");
    let data = summary.data.expect("counts");
    assert_eq!((data.objects, data.unusable), (SCANS as u64 + 3, 4));
    assert_eq!(data.unusable_by_reason["impossible-key"], 3);
    let name = format!("out/run/{}", artefacts::quarantine_part(0));
    let rows = [
        ("03.dcm", "gone"),
        ("2013//a.dcm", "impossible-key"),
        ("2014/../b.dcm", "impossible-key"),
        ("2015/./c.dcm", "impossible-key"),
    ];
    assert_eq!(
        reasons(&bucket.get(&name).expect("a table")),
        expected(&rows)
    );
}

/// Preprocesses a folder; returns the counts and the rows of the quarantine.
fn preprocess_folder(images: &Path, labels: &str) -> (Summary, BTreeMap<String, String>) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("text").to_owned();
    fs::write(path("labels.csv"), labels).expect("a file");
    let mut run = fixtures::training_run();
    run.spec.images = images.to_str().expect("text").to_owned();
    run.spec.labels = path("labels.csv");
    run.spec.preprocessing.shards = 1;
    let resource = Resource::TrainingRun(Box::new(run));
    let prefix = path("out/");
    let summary = run_at(&Tasks::default(), &resource, &prefix, 0).expect("a summary");
    let table = Path::new(&prefix).join(artefacts::quarantine_part(0));
    (summary, reasons(&fs::read(table).expect("a table")))
}

#[cfg(unix)]
#[test]
fn every_file_of_a_folder_is_read_or_has_a_row() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;

    let folder = tempfile::tempdir().expect("a folder");
    let images = folder.path();
    for name in ["IM#12", "50 %", "100%25", "a?b", "c d.dcm"] {
        fs::write(images.join(name), SCAN).expect("a file");
    }
    fs::write(images.join(OsStr::from_bytes(b"K\xF6ln")), SCAN).expect("a file");
    symlink("nowhere", images.join("broken")).expect("a link");
    symlink(images, images.join("loop")).expect("a link");
    let (summary, rows) = preprocess_folder(images, &labels());
    let data = summary.data.expect("counts");
    assert_eq!((data.objects, data.quarantined), (8, 3));
    let table = [
        ("K\\xF6ln", "impossible-key"),
        ("broken", "broken-link"),
        ("loop", "link-loop"),
    ];
    assert_eq!(rows, expected(&table));
}

#[test]
fn what_is_broken_of_a_study_without_a_label_is_set_aside_and_not_counted_as_unusable() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("cut.dcm"), &SCAN[..SCAN.len() - 1000]).expect("a file");
    fs::write(folder.path().join("letter.txt"), "Dear colleague").expect("a file");
    let cut = imaging::study(&SCAN[..SCAN.len() - 1000]).is_some();
    let count = |labels: &str| {
        let (summary, rows) = preprocess_folder(folder.path(), labels);
        assert_eq!(rows.len(), 2);
        summary.data.expect("counts").unusable
    };
    assert_eq!(count(&labels()), 2);
    assert_eq!(count("study,grade\n1.2.3,2\n"), if cut { 1 } else { 2 });
}

/// A task's marker is what a later run believes, so that a page in its place is none.
#[test]
fn a_page_in_place_of_a_marker_is_no_marker() {
    let bucket = archive();
    let resource = training(&bucket, 1);
    let plan = Plan::new(&resource);
    let marker = |task: &TaskSpec| format!("out/run/{}", task.marker);
    let marker = marker(&plan.stages[0].tasks[0]);
    bucket.fail(move |request| (request.key == marker && request.is_get()).then_some(Fault::Page));
    let error = run(&impatient(), &resource, 0).expect_err("a failure");
    assert_eq!(error.exit(), TaskExit::Retry, "{}", error.sentence());
    assert_eq!(markers(&bucket), 0);
}

#[test]
fn a_manifest_names_no_place_that_cannot_be_opened() {
    for uri in [
        "scans/",
        "/data/scans",
        "file:///data/a%20b",
        "s3://scans",
        "s3://scans/2012-2021/",
        "gs://s.c_a-ns/.hidden/a b%20c#1",
        "az://scans/a..b/...",
        "",
        "ftp://scans/",
        "s3://",
        "s3:///x",
        "s3://tenant:scans/x",
        "s3://key:secret@scans/x",
        "s3://scans//x",
        "s3://scans/a//b",
        "s3://scans/a//",
        "s3://scans/./a",
        "s3://scans/a/..",
        "s3://scans/a/../b",
    ] {
        let text = fixtures::TRAINING_RUN.replace("images: scans/", &format!("images: {uri:?}"));
        // A place may lack an account that the environment has to name; that is not the manifest's.
        let opened = Storage::open(uri, &StorageOptions::default());
        let is_none = matches!(
            opened,
            Err(storage::Error::InvalidUri { .. } | storage::Error::InvalidKey { .. })
        );
        assert_eq!(manifest::parse(&text).is_err(), is_none, "{uri:?}");
    }
}
