//! A person approves a model: signs it, and others verify it and screen with nothing else.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::cohort::{files, put, scratch};
use crate::manifest::{self, screening, screening_prefix};
use crate::pod::Pod;
use crate::program::{Ended, attrium, command, finish, run_arguments};

/// Tests run in the folder of the package.
const BUNDLE: &str = "models/heart-perugini";
const DIGEST: &str = "sha256:4bb32fb1a33e7a79b9a3a1265f66fa055d628d5d899691b592f275bbb1307dad";
const SCAN: &str = "tests/data/nm-wholebody-anterior.dcm";
const BAD_DATA: i32 = 42;
const CONFIGURATION: i32 = 43;

/// Made by minisign 0.11 with `-G -W`, for these tests alone.
const SECRET_KEY: &str = "untrusted comment: minisign encrypted secret key
RWQAAEIyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAASmKALjOTRKZRAHJSSE/W98WK9vM59c00Wa7FVyxot3EAvZqMTB3HcIsiWKTWEh5xo9d9MsGptoOW8BDVuQ3ggVPy/XlVD5cnAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
";
const PUBLIC_KEY: &str = "RWRKYoAuM5NEposiWKTWEh5xo9d9MsGptoOW8BDVuQ3ggVPy/XlVD5cn";
const KEY_ID: &str = "A64493332E80624A";
/// A key of minisign's own tests.
const OTHER_KEY: &str = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";
const OTHER_ID: &str = "E7620F1842B4E81F";

/// The digest of another bundle.
fn other_digest() -> String {
    let digits = DIGEST.trim_start_matches("sha256:").chars().rev();
    format!("sha256:{}", digits.collect::<String>())
}

/// A folder with a copy of the bundle that comes with attrium, and a secret key.
struct Desk {
    folder: PathBuf,
    bundle: PathBuf,
    key: PathBuf,
}

impl Desk {
    fn new(name: &str) -> Self {
        let folder = scratch(name);
        let bundle = folder.join("bundle");
        for file in files(Path::new(BUNDLE)) {
            put(
                &bundle,
                &file,
                &fs::read(Path::new(BUNDLE).join(&file)).unwrap(),
            );
        }
        put(&folder, "approval.key", SECRET_KEY.as_bytes());
        Self {
            key: folder.join("approval.key"),
            folder,
            bundle,
        }
    }

    fn bundle(&self) -> &str {
        self.bundle.to_str().unwrap()
    }

    fn sign(&self) -> Ended {
        attrium(["sign", self.bundle(), "--key", self.key.to_str().unwrap()])
    }

    fn verify(&self, keys: &[&str]) -> Ended {
        let keys = keys.iter().flat_map(|key| ["--public-key", key]);
        attrium(
            ["verify", self.bundle(), "-o", "json"]
                .into_iter()
                .chain(keys),
        )
    }

    fn screen(&self, demands: &[&str]) -> Ended {
        let arguments = ["screen", SCAN, "--model", self.bundle(), "-o", "json"];
        attrium(arguments.iter().chain(demands))
    }
}

fn json(ended: Ended) -> Value {
    serde_json::from_str(&ended.ok()).expect("should be JSON")
}

#[test]
fn a_signed_bundle_is_verified_and_keeps_its_digest() {
    let desk = Desk::new("approved");
    desk.sign().ok();
    let public_file = desk.folder.join("approval.pub");
    let file = format!("untrusted comment: minisign public key {KEY_ID}\n{PUBLIC_KEY}\n");
    fs::write(&public_file, file).unwrap();
    let keys: [&[&str]; 3] = [
        &[PUBLIC_KEY],
        &[public_file.to_str().unwrap()],
        &[OTHER_KEY, PUBLIC_KEY],
    ];
    for keys in keys {
        let told = json(desk.verify(keys));
        assert_eq!(told["digest"], DIGEST);
        assert_eq!(told["signedBy"], KEY_ID);
        let comment = told["comment"].as_str().unwrap();
        for words in ["bundle:Heart-Perugini", DIGEST, "date:20"] {
            assert!(comment.contains(words), "{comment}");
        }
    }
}

#[test]
fn a_bundle_that_nobody_trusted_has_signed_is_not_verified() {
    let desk = Desk::new("not-approved");
    let words = ["is not signed", KEY_ID, "attrium sign"];
    desk.verify(&[PUBLIC_KEY]).fails_with(BAD_DATA, &words);
    desk.sign().ok();
    let words = [KEY_ID, "is not trusted", OTHER_ID];
    desk.verify(&[OTHER_KEY]).fails_with(BAD_DATA, &words);
    put(&desk.bundle, "MODEL_CARD.md", b"another model");
    let words = ["MODEL_CARD.md", "is not what SHA256SUMS says"];
    desk.verify(&[PUBLIC_KEY]).fails_with(BAD_DATA, &words);
    crate::bad_input::sum_up(&desk.bundle);
    let words = ["signature by the key", "is wrong"];
    desk.verify(&[PUBLIC_KEY]).fails_with(BAD_DATA, &words);
    put(&desk.bundle, "SHA256SUMS.minisig", b"approved");
    desk.verify(&[PUBLIC_KEY])
        .fails_with(BAD_DATA, &["no signature of minisign's"]);
}

#[test]
fn a_key_that_cannot_be_used_is_a_bad_configuration() {
    let desk = Desk::new("no-key");
    let file = desk.bundle.join("MODEL_CARD.md");
    let words = ["MODEL_CARD.md", "no public key of minisign's"];
    let refused = desk.verify(&[file.to_str().unwrap()]);
    refused.fails_with(CONFIGURATION, &words);
    let refused = desk.verify(&["missing.pub"]);
    refused.fails_with(CONFIGURATION, &["missing.pub cannot be read"]);
    fs::write(&desk.key, "nonsense").unwrap();
    let words = ["approval.key", "no secret key of minisign's"];
    desk.sign().fails_with(CONFIGURATION, &words);
}

#[test]
fn a_changed_bundle_is_not_signed() {
    let desk = Desk::new("sign-changed");
    put(&desk.bundle, "MODEL_CARD.md", b"another model");
    let words = ["bundle", "MODEL_CARD.md is not what"];
    desk.sign().fails_with(CONFIGURATION, &words);
    assert!(!desk.bundle.join("SHA256SUMS.minisig").exists());
}

#[test]
fn a_new_key_signs_with_its_password_alone() {
    use std::os::unix::fs::PermissionsExt;
    let mut desk = Desk::new("new-key");
    desk.key = desk.folder.join("new.key");
    let key = desk.key.to_str().unwrap();
    let password = |name: &str, text: &str| {
        let path = desk.folder.join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let right = password("right", "correct horse\n");
    let made = [
        "sign",
        "--generate",
        "--key",
        key,
        "--password-file",
        &right,
    ];
    let told = json(attrium(made.iter().chain(&["-o", "json"])));
    let mode = fs::metadata(&desk.key).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let signed = |password: &str| {
        attrium([
            "sign",
            desk.bundle(),
            "--key",
            key,
            "--password-file",
            password,
        ])
    };
    let wrong = signed(&password("wrong", "battery"));
    wrong.fails_with(CONFIGURATION, &["new.key", "check the password"]);
    signed(&right).ok();
    let public = desk.folder.join("new.pub");
    let approved = json(desk.verify(&[public.to_str().unwrap()]));
    assert_eq!(approved["signedBy"], told["id"]);
    json(desk.verify(&[told["publicKey"].as_str().unwrap()]));
    // Neither file is written over.
    let again = attrium(made);
    again.fails_with(CONFIGURATION, &["new.key cannot be made"]);
}

#[test]
fn a_screening_of_files_uses_what_was_asked_for_and_approved_alone() {
    let desk = Desk::new("screen-approved");
    let required = ["--require-signed", "--trusted-key", PUBLIC_KEY];
    let words = ["is not signed", KEY_ID];
    desk.screen(&required).fails_with(CONFIGURATION, &words);
    let nobody = desk.screen(&["--require-signed"]);
    nobody.fails_with(CONFIGURATION, &["no public key is trusted"]);
    assert_eq!(json(desk.screen(&[]))["signedBy"], Value::Null);
    desk.sign().ok();
    let told = json(desk.screen(&required));
    assert_eq!(told["signedBy"], KEY_ID);
    assert_eq!(json(desk.screen(&["--digest", DIGEST]))["model"], DIGEST);
    let other = other_digest();
    let words = [
        DIGEST,
        other.as_str(),
        "another model than the one asked for",
    ];
    let exchanged = desk.screen(&["--digest", &other]);
    exchanged.fails_with(CONFIGURATION, &words);
}

/// Runs a screening of the cohort by the desk's bundle; returns how it ended and where its results are.
fn run_job(desk: &Desk, model: &str, demands: &[&str]) -> (Ended, PathBuf) {
    let out = desk.folder.join("results");
    let model = format!("{{uri: {}{model}}}", desk.bundle());
    let path = manifest::write(&desk.folder.join("job.yaml"), &screening(&out, &model));
    let mut command = command(run_arguments(&[&path]));
    (finish(command.args(demands)), screening_prefix(&out))
}

#[test]
fn a_job_whose_model_was_exchanged_screens_nothing() {
    let desk = Desk::new("job-exchanged");
    let other = other_digest();
    let (refused, prefix) = run_job(&desk, &format!(", digest: \"{other}\""), &[]);
    refused.fails_with(CONFIGURATION, &[DIGEST, &other]);
    assert!(!prefix.join("screening.csv").exists());
    let (refused, _) = run_job(&desk, ", requireSigned: true", &[]);
    refused.fails_with(CONFIGURATION, &["no public key is trusted"]);
}

#[test]
fn a_pod_compares_the_digest_that_it_is_told() {
    let desk = Desk::new("pod-exchanged");
    let text = screening(&desk.folder.join("results"), "{trainingRun: small}");
    let pod = Pod::new(&desk.folder, &text);
    let other = other_digest();
    let model = ["--model", desk.bundle(), "--model-digest", &other];
    let ended = pod.task("screen", 0, &model);
    assert_eq!(ended.code, Some(CONFIGURATION), "{}", ended.stderr);
    let message = pod.message();
    assert!(
        message.contains(DIGEST) && message.contains(&other),
        "{message}"
    );
    let demands = [
        "--model",
        desk.bundle(),
        "--trusted-key",
        PUBLIC_KEY,
        "--require-signed",
    ];
    let ended = pod.task("summarize", 0, &demands);
    assert_eq!(ended.code, Some(CONFIGURATION), "{}", ended.stderr);
    assert!(pod.message().contains("is not signed"), "{}", pod.message());
}

#[test]
fn a_job_says_which_model_it_used_and_who_had_approved_it() {
    let desk = Desk::new("job-approved");
    desk.sign().ok();
    let (ended, prefix) = run_job(
        &desk,
        ", requireSigned: true",
        &["--trusted-key", PUBLIC_KEY],
    );
    assert!(
        ended.stderr.contains("state spec.model.digest"),
        "{}",
        ended.stderr
    );
    ended.ok();
    let document = fs::read(prefix.join("screening.json")).unwrap();
    let document: Value = serde_json::from_slice(&document).unwrap();
    let expected = serde_json::json!({"digest": DIGEST, "signedBy": KEY_ID, "prevalence": 0.01});
    assert_eq!(document["model"], expected);
    let page = fs::read_to_string(prefix.join("report/index.html")).unwrap();
    assert!(page.contains(KEY_ID));
    let status = fs::read_to_string(prefix.join("status.yaml")).unwrap();
    assert!(status.contains("state spec.model.digest"), "{status}");
}

#[test]
fn the_examples_name_the_digest_of_the_bundle_that_comes_with_attrium() {
    for example in ["demo/validation.yaml", "adapting/training-run.yaml"] {
        let text = fs::read_to_string(Path::new("examples").join(example)).unwrap();
        assert!(text.contains(&format!("digest: {DIGEST}\n")), "{example}");
    }
    let told = json(attrium(["screen", SCAN, "--model", BUNDLE, "-o", "json"]));
    assert_eq!(told["model"], DIGEST);
}
