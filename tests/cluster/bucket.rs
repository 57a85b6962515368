//! The bucket of all scenarios: a cohort of phantoms that they read, and a prefix of each namespace that
//! results go to.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use attrium_storage::{Error, Storage, StorageOptions};

use crate::cluster::{exported, through_outages};
use crate::program::{finish, script};

/// Its name.
pub(crate) const BUCKET: &str = "scenarios";
/// How many studies the cohort has.
pub(crate) const STUDIES: u32 = 16;

/// The bucket with the cohort in it, filled once.
pub(crate) static COHORT: LazyLock<()> = LazyLock::new(|| {
    let folder = cohort().to_str().expect("should be text");
    script("upload", &[folder, &format!("{BUCKET}/cohort")]).ok();
});

/// The folder of the cohort, drawn once.
pub(crate) fn cohort() -> &'static Path {
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cluster-cohort");
        draw(&folder);
        folder
    });
    &FOLDER
}

/// Half of the studies are clearly positive and half negative, so that a network of two epochs tells
/// them apart often enough for there to be a result.
fn draw(folder: &Path) {
    drop(std::fs::remove_dir_all(folder));
    let mut command = Command::new(env!("CARGO_BIN_EXE_attrium"));
    command
        .args(["phantom", "--studies", &STUDIES.to_string(), "--seed", "3"])
        .args(["--grades", "0.5,0,0,0.5", "--out"])
        .arg(folder);
    finish(command, "").ok();
}

/// What is below a URI of the bucket, as keys relative to it, sorted.
pub(crate) fn keys(uri: &str) -> Vec<String> {
    let mut keys: Vec<_> = through_outages(|| {
        let objects = open(uri).list()?;
        objects
            .map(|object| Ok(object?.name().to_owned()))
            .collect::<Result<_, Error>>()
    });
    keys.sort();
    keys
}

/// An object below a URI of the bucket.
pub(crate) fn read(uri: &str, key: &str) -> Vec<u8> {
    LazyLock::force(&COHORT);
    through_outages(|| open(uri).get(key, 1 << 26))
}

/// Writes an object below a URI of the bucket.
pub(crate) fn write(uri: &str, key: &str, bytes: &[u8]) {
    LazyLock::force(&COHORT);
    open(uri).put(key, bytes).expect("should be written");
}

fn open(uri: &str) -> Storage {
    let options = StorageOptions {
        endpoint: Some(exported("AWS_ENDPOINT_URL")),
        region: Some(exported("AWS_REGION")),
        allow_http: true,
        ..StorageOptions::default()
    };
    Storage::open(uri, &options).expect("should be a place")
}
