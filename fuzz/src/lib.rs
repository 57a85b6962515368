//! What foreign bytes are given to: a function for each parser, which says whether it took them.
//!
//! A function panics where the parser does, and where what was read is not what it has to be: a table that
//! does not survive being written, a decoder that differs from another. libFuzzer calls the functions by
//! the targets of `fuzz_targets/`, and a test replays `corpus/` through them.
//!
//! Never: a file, a network, a function that only the fuzzer calls.

mod cluster;
mod dimse;
mod frame;
mod images;
mod models;
mod panics;
mod reference;
mod results;
mod tables;

pub use cluster::{job, manifest, pod, progress, summary};
pub use dimse::{association, commitment, dimse};
pub use images::{dicom, jpeg_2000, jpeg_lossless, rle};
pub use models::{bundle, checkpoint, checksums, cohort, cohort_reference, weights};
pub use panics::{abort_on_own, is_own};
pub use results::source;
pub use tables::{history, labels, predictions, shard};

/// A parser and its name, which is that of its target and of its corpus.
pub type Target = (&'static str, fn(&[u8]) -> bool);

/// Every parser.
pub const TARGETS: [Target; 23] = [
    ("association", association),
    ("bundle", bundle),
    ("checkpoint", checkpoint),
    ("checksums", checksums),
    ("cohort", cohort),
    ("cohort_reference", cohort_reference),
    ("commitment", commitment),
    ("dicom", dicom),
    ("dimse", dimse),
    ("history", history),
    ("job", job),
    ("jpeg_2000", jpeg_2000),
    ("jpeg_lossless", jpeg_lossless),
    ("labels", labels),
    ("manifest", manifest),
    ("pod", pod),
    ("predictions", predictions),
    ("progress", progress),
    ("rle", rle),
    ("shard", shard),
    ("source", source),
    ("summary", summary),
    ("weights", weights),
];

/// The bytes as text, as a parser of text is given them.
fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}
