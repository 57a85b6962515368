//! What ARCHITECTURE.md says of the crates is so: their arrows, and what each of them never does.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

const ARCHITECTURE: &str = include_str!("../../ARCHITECTURE.md");

/// Crates that do no IO and ask no clock.
const PURE: [&str; 8] = [
    "api",
    "bundle",
    "dataset",
    "evaluation",
    "imaging",
    "training",
    "types",
    "workflow",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What cargo knows of the workspace, and with `deps` of everything it is built from.
fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--locked", "--offline", "--format-version=1"])
        .current_dir(root())
        .output()
        .expect("cargo should start");
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// The crates of the workspace and the crates of it that each depends on, tests aside; without `attrium-`.
fn arrows(metadata: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let own = |name: &str| name.strip_prefix("attrium-").map(str::to_owned);
    let packages = metadata["packages"].as_array().expect("packages");
    let mut arrows = BTreeMap::new();
    for package in packages {
        let name = package["name"].as_str().expect("a name");
        let Some(name) = own(name).filter(|it| it != "fuzz" && it != "fixtures") else {
            continue;
        };
        let dependencies = package["dependencies"].as_array().expect("dependencies");
        let normal = dependencies.iter().filter(|it| it["kind"].is_null());
        let names = normal.filter_map(|it| own(it["name"].as_str()?));
        arrows.insert(name, names.collect());
    }
    arrows
}

/// The arrows as the table of ARCHITECTURE.md has them.
fn documented() -> BTreeMap<String, BTreeSet<String>> {
    let (_, section) = ARCHITECTURE.split_once("\n## The arrows\n").expect("it");
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    rows.map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').collect();
        let words = |cell: &str| {
            let words = cell.split('`').skip(1).step_by(2);
            words.map(str::to_owned).collect::<BTreeSet<_>>()
        };
        let name = words(cells[0]).pop_first().expect("a name");
        (name, words(cells[1]))
    })
    .collect()
}

/// Every Rust file below a folder of the checkout.
fn files(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "rs") {
                found.push(path);
            }
        }
    }
    found
}

/// A file without comments and without its tests, which come last.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("text");
    let text = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let lines = text.lines().filter(|it| !it.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

fn is_test(path: &Path) -> bool {
    let is_of_tests = |name: &str| {
        let stem = name.strip_suffix(".rs").unwrap_or(name);
        matches!(stem, "fixtures" | "golden" | "tests") || stem.ends_with("_tests")
    };
    let mut parts = path.components();
    parts.any(|it| it.as_os_str().to_str().is_some_and(is_of_tests))
}

/// The places where one of these words stands in code that is no test.
fn found(folder: &str, words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for path in files(folder).into_iter().filter(|it| !is_test(it)) {
        let code = code(&path);
        let all = words.iter().filter(|word| code.contains(**word));
        found.extend(all.map(|word| format!("{}: {word}", path.display())));
    }
    found
}

#[test]
fn the_table_of_arrows_is_what_the_crates_depend_on() {
    assert_eq!(documented(), arrows(&metadata()));
}

#[test]
fn imaging_is_built_without_what_manifests_need() {
    let metadata = metadata();
    let nodes = metadata["resolve"]["nodes"].as_array().expect("nodes");
    let node = |id: &str| nodes.iter().find(|it| it["id"] == id).expect("a node");
    let packages = metadata["packages"].as_array().expect("packages");
    let name = |id: &str| {
        let package = packages
            .iter()
            .find(|it| it["id"] == id)
            .expect("a package");
        package["name"].as_str().expect("a name").to_owned()
    };
    let start = packages.iter().find(|it| it["name"] == "attrium-imaging");
    let start = start.expect("it")["id"].as_str().expect("an id");
    let mut seen = BTreeSet::from([start.to_owned()]);
    let mut open = vec![start.to_owned()];
    while let Some(id) = open.pop() {
        for dependency in node(&id)["deps"].as_array().expect("dependencies") {
            let kinds = dependency["dep_kinds"].as_array().expect("kinds");
            let id = dependency["pkg"].as_str().expect("an id").to_owned();
            if kinds.iter().any(|it| it["kind"].is_null()) && seen.insert(id.clone()) {
                open.push(id);
            }
        }
    }
    let names: BTreeSet<String> = seen.iter().map(|id| name(id)).collect();
    assert!(names.contains("dicom-core"), "{names:?}");
    for foreign in ["jsonschema", "cel", "k8s-openapi", "kube", "kube-core"] {
        assert!(!names.contains(foreign), "{foreign}");
    }
}

#[test]
fn pure_crates_read_no_clock_and_do_no_io() {
    let words = [
        "Instant::now",
        "SystemTime",
        "Timestamp::now",
        "std::fs",
        "File::",
        "TcpStream",
        "std::env",
        "tokio::",
    ];
    for name in PURE {
        assert_eq!(found(&format!("crates/{name}/src"), &words), [""; 0]);
    }
}

#[test]
fn only_the_operator_names_a_kubernetes_client() {
    let words = ["kube::Client", "kube::client", "kube::runtime", "kube::Api"];
    let crates = fs::read_dir(root().join("crates")).expect("a folder");
    let mut names: Vec<String> = crates
        .map(|it| format!("crates/{}/src", it.expect("an entry").file_name().display()))
        .collect();
    names.push("src".to_owned());
    assert!(names.len() > 10);
    for name in names {
        let is_operator = name == "crates/operator/src";
        assert_eq!(found(&name, &words).is_empty(), !is_operator, "{name}");
    }
}

#[test]
fn only_the_engine_is_unsafe_and_calls_the_c_library() {
    for folder in ["crates", "src"] {
        let found = found(folder, &["allow(unsafe_code)", "libc::", "GlobalAlloc"]);
        let foreign = found
            .iter()
            .filter(|it| !it.contains("crates/engine/src/kernels"));
        assert_eq!(foreign.collect::<Vec<_>>(), [""; 0]);
    }
}

#[test]
fn every_module_says_what_it_is_for() {
    for folder in ["crates", "src", "tests", "benches"] {
        for path in files(folder) {
            let text = fs::read_to_string(&path).expect("text");
            assert!(text.starts_with("//!"), "{} has no //!", path.display());
        }
    }
}
