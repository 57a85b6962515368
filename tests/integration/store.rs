//! Stores that cannot do everything, and archives of which little can be used.

use std::collections::BTreeMap;
use std::fs;

use attrium_fixtures::{Bucket, Fault};
use serde_json::Value;

use crate::cohort::{COHORT, put, scratch};
use crate::manifest::{self, screening, screening_prefix, training, with};
use crate::program::{command, finish, run};
use crate::trained::TRAINED;

#[test]
fn a_store_that_does_not_know_if_none_match_is_written_to_all_the_same() {
    let folder = scratch("if-none-match");
    let bucket = Bucket::new();
    bucket.fail(|request| {
        let fault = Fault::Error(501, "NotImplemented");
        request.is_conditional.then_some(fault)
    });
    let text = with(&training(&folder), "output", "  output: s3://bucket/out/");
    let endpoint = bucket.endpoint();
    let text = format!("{text}  storage: {{endpoint: {endpoint:?}, allowHttp: true}}\n");
    let path = manifest::write(&folder.join("run.yaml"), &text);
    for round in 1..=2 {
        let mut stage = command(["stage", "preprocess", "--index", "0", "--manifest"]);
        stage.arg(&path);
        for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
            stage.env(name, "none");
        }
        finish(&mut stage).ok();
        let keys = bucket.keys();
        let ending = |end: &str| keys.iter().filter(|key| key.ends_with(end)).count();
        let left = (
            ending("/manifest.yaml"),
            ending("/tasks/preprocess/000.json"),
        );
        assert_eq!(left, (1, 1), "round {round}: {keys:?}");
    }
}

#[test]
fn a_screening_of_too_much_that_is_unusable_does_not_succeed_and_leaves_its_table() {
    let folder = scratch("too-many-unusable");
    let images = folder.join("images");
    let whole = COHORT.keys().into_iter().find(|key| !key.contains("CUT"));
    let scan = fs::read(COHORT.images.join(whole.unwrap())).unwrap();
    put(&images, "scan.dcm", &scan);
    for number in 0..2 {
        put(&images, &format!("{number}.txt"), b"Dear colleague");
    }
    let out = folder.join("results");
    let model = format!("{{uri: {}}}", TRAINED.bundle().display());
    let images = format!("  images: {}", images.display());
    let text = with(&screening(&out, &model), "images", &images);
    let path = folder.join("job.yaml");
    let ended = run(&[&manifest::write(&path, &text)]);
    ended.fails_with(42, &["2 of 3 objects cannot be used", "(2 not-dicom)"]);

    let prefix = screening_prefix(&out);
    let text_of = |name: &str| fs::read_to_string(prefix.join(name)).unwrap();
    assert_eq!(text_of("screening.csv").lines().count(), 1 + 3);
    let status: Value = serde_saphyr::from_str(&text_of("status.yaml")).unwrap();
    let conditions = status["conditions"].as_array().unwrap();
    let reasons: BTreeMap<_, _> = conditions
        .iter()
        .map(|it| (it["type"].as_str().unwrap(), it["reason"].as_str().unwrap()))
        .collect();
    assert_eq!(reasons["Succeeded"], "TooManyUnusable");
    assert_eq!(status["screening"]["unusableByReason"]["not-dicom"], 2);

    let more = format!("{text}  maxUnusable: \"0.7\"\n");
    run(&[&manifest::write(&path, &more)]).ok();
}
