//! The documents of a YAML text, within bounds; a place that is not YAML is a violation with its line.

use serde_json::Value;
use serde_saphyr::{DuplicateKeyPolicy, Options, SnippetMode};

use super::violation::Violation;

/// The largest manifest, in bytes.
pub const MAX_BYTES: usize = 1 << 20;
/// The most documents in a manifest.
pub const MAX_DOCUMENTS: usize = 256;

/// The documents of a text up to the first place that is not YAML, and what is wrong there.
pub(super) fn documents(text: &str) -> (Vec<Value>, Vec<Violation>) {
    if text.len() > MAX_BYTES {
        let message = format!(
            "the manifest has {} bytes, more than {MAX_BYTES}: split it into several files",
            text.len()
        );
        return (Vec::new(), vec![whole(message)]);
    }
    let mut bytes = text.as_bytes();
    let mut documents = Vec::new();
    for document in serde_saphyr::read_with_options::<_, Value>(&mut bytes, options()) {
        match document {
            Ok(document) => documents.push(document),
            Err(error) => {
                let violation = syntax(documents.len() + 1, &error);
                return (documents, vec![violation]);
            }
        }
        if documents.len() > MAX_DOCUMENTS {
            let message = format!(
                "more than {MAX_DOCUMENTS} documents: split the manifest into several files"
            );
            return (Vec::new(), vec![whole(message)]);
        }
    }
    if documents.is_empty() {
        let message = "the manifest is empty: write a TrainingRun or a ScreeningJob";
        return (documents, vec![whole(message.to_owned())]);
    }
    (documents, Vec::new())
}

/// Bounds far above what a manifest needs and far below what would fill a laptop's memory.
fn options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_reader_input_bytes: Some(MAX_BYTES),
            max_documents: MAX_DOCUMENTS + 1,
            max_events: 200_000,
            max_nodes: 100_000,
            max_depth: 48,
            flow_nesting_limit: 48,
            max_aliases: 1_000,
            max_anchors: 1_000,
            max_merge_keys: 1_000,
            max_recorded_anchor_events: 100_000,
            max_recorded_anchor_bytes: 4 * MAX_BYTES,
            max_total_scalar_bytes: 4 * MAX_BYTES,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 100_000,
            max_replay_stack_depth: 32,
        },
        duplicate_keys: DuplicateKeyPolicy::Error,
    }
}

fn whole(message: String) -> Violation {
    Violation {
        document: 1,
        line: None,
        path: String::new(),
        message,
    }
}

fn syntax(document: usize, error: &serde_saphyr::Error) -> Violation {
    let plain = serde_saphyr::render_options! { snippets: SnippetMode::Off };
    let message = error.render_with_options(plain);
    let line = error.location().map(|location| location.line());
    let message = format!("cannot be read as YAML: {}", message.replace('\n', " "));
    Violation {
        document,
        line,
        path: String::new(),
        message,
    }
}
