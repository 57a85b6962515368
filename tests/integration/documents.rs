//! What the documents list is what the code has.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use attrium_api::crd::Definition;
use attrium_api::manifest;
use attrium_dataset::{Covariates, ShardWriter, Standing};
use attrium_imaging::{Error, Warning};
use attrium_types::{Architecture, Target};
use attrium_workflow::artefacts::{self, Fold};
use attrium_workflow::{StageKind, TaskRef};

const DICOM: &str = include_str!("../../docs/dicom.md");
const ARTEFACTS: &str = include_str!("../../docs/artefacts.md");
const PODS: &str = include_str!("../../docs/pods.md");
const README: &str = include_str!("../../README.md");

/// The words in the first column of a document's table below a heading.
fn rows(document: &str, heading: &str) -> BTreeSet<String> {
    let (_, section) = document.split_once(heading).expect("the heading");
    let section = section.split("\n## ").next().unwrap_or_default();
    section
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(word, _)| word.to_owned())
        .collect()
}

fn owned(words: &[&str]) -> BTreeSet<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

#[test]
fn every_reason_of_the_quarantine_has_a_row_and_no_row_has_another() {
    let mut reasons = owned(Error::REASONS);
    assert!(reasons.len() > 20, "{reasons:?}");
    // The word of a screening for what is `other-view` in the quarantine.
    assert!(reasons.remove("no-anterior"));
    assert!(DICOM.contains("`no-anterior`"));
    reasons.insert("unreadable".to_owned());
    // What is no fault of an object.
    reasons.extend(owned(&["other-view", "unlabelled"]));
    reasons.extend(owned(Standing::REASONS));
    reasons.extend(owned(&attrium_storage::Error::WORDS_OF_ONE_OBJECT));
    assert_eq!(rows(DICOM, "\n## Reasons of the quarantine\n"), reasons);
}

#[test]
fn every_warning_has_a_row_and_no_row_has_another() {
    assert_eq!(rows(DICOM, "\n## Warnings\n"), owned(Warning::CODES));
}

#[test]
fn every_manifest_of_the_readme_is_valid() {
    let blocks = README.split("```yaml\n").skip(1);
    let mut manifests = 0;
    for block in blocks {
        let (block, _) = block.split_once("```").expect("the block's end");
        if !block.contains("kind:") {
            continue;
        }
        manifests += 1;
        let indent = block.len() - block.trim_start_matches(' ').len();
        let lines: Vec<&str> = block
            .lines()
            .map(|line| line.get(indent..).unwrap_or_default())
            .collect();
        let parsed = manifest::parse(&lines.join("\n"));
        assert!(parsed.is_ok(), "{}\n{block}", parsed.unwrap_err());
    }
    assert!(manifests >= 2, "{manifests}");
}

#[test]
fn every_example_is_valid() {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")];
    let mut manifests = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "yaml") {
                let text = fs::read_to_string(&path).expect("text");
                // What is for kubectl may have a Secret beside the resource, what is for a pipeline none.
                let is_own = |document: &&str| document.contains("attrium.dev/v1alpha1");
                for document in text.split("\n---\n").filter(is_own) {
                    manifests += 1;
                    let read = if document.contains("kind: ScreeningStation") {
                        manifest::parse_station(document).map(drop)
                    } else {
                        manifest::parse(document).map(drop)
                    };
                    if let Err(violations) = read {
                        panic!("{}\n{violations}", path.display());
                    }
                }
            }
        }
    }
    assert!(manifests >= 8, "{manifests}");
}

#[test]
fn every_field_of_a_pod_template_is_described() {
    let definition = Definition::training_run();
    let template = "/properties/spec/properties/compute/properties/podTemplate/properties/spec";
    let spec = definition.schema().pointer(template).expect("a schema");
    let fields = spec["properties"].as_object().expect("fields");
    let refused = |field: &Value| {
        let description = field["description"].as_str().unwrap_or_default();
        description.starts_with("Refused")
    };
    let allowed: Vec<_> = fields.iter().filter(|(_, field)| !refused(field)).collect();
    assert!(allowed.len() > 10 && allowed.len() < fields.len());
    for (name, _) in allowed {
        assert!(
            PODS.contains(&format!("`spec.{name}`")),
            "{name} is not described"
        );
    }
}

#[test]
fn every_artefact_is_described() {
    let fold = Fold::new(Architecture::Linear, Target::Positive, 1);
    let last = |name: String| {
        let name = name.trim_end_matches('/');
        name.rsplit('/').next().unwrap_or_default().to_owned()
    };
    let numbered = |name: String| name.replace("000", "NNN");
    let marker = artefacts::marker(TaskRef {
        stage: StageKind::Train,
        index: 0,
    });
    let names = [
        artefacts::MANIFEST.to_owned(),
        artefacts::STATUS.to_owned(),
        artefacts::QUARANTINE.to_owned(),
        artefacts::METRICS.to_owned(),
        artefacts::REPORT.to_owned(),
        artefacts::REFIT.to_owned(),
        artefacts::PREDICTIONS.to_owned(),
        artefacts::SCREENING.to_owned(),
        artefacts::SCREENING_SUMMARY.to_owned(),
        artefacts::LEFT_OUT.to_owned(),
        artefacts::UNANSWERED.to_owned(),
        artefacts::OVERLAP.to_owned(),
        artefacts::MONITOR.to_owned(),
        artefacts::ACTIVATION_MAPS.to_owned(),
        artefacts::MODELS.to_owned(),
        artefacts::ATTEMPTS.to_owned(),
        numbered(marker).replace("train", "<stage>"),
        numbered(artefacts::shard(0)),
        numbered(artefacts::shard_table(0)),
        numbered(artefacts::quarantine_part(0)),
        numbered(artefacts::screening_part(0)),
        numbered(artefacts::screening_predictions(0)),
        artefacts::predictions(Architecture::Linear, Target::Positive)
            .replace("Linear-Positive", "<architecture>-<task>"),
        last(fold.weights()),
        last(fold.checkpoint()),
        last(fold.history()),
        last(fold.predictions()),
        last(fold.normalization()),
    ];
    for name in names {
        assert!(ARTEFACTS.contains(&name), "{name} is not described");
    }
}

#[test]
fn every_column_of_a_shard_is_described() {
    let files = ShardWriter::default().finish().expect("an empty shard");
    let table = String::from_utf8(files.table).expect("text");
    let columns: Vec<&str> = table.trim_end().split(',').collect();
    assert!(columns.len() > Covariates::COLUMNS.len(), "{columns:?}");
    for column in columns.iter().chain(Covariates::COLUMNS) {
        assert!(
            ARTEFACTS.contains(&format!("`{column}`")),
            "the column {column} is not described"
        );
    }
}
