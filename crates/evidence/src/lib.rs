//! A decision on a study as DICOM objects: a structured report and an image.
//!
//! [`Source::read`] takes from an object what an archive files its results by; [`structured_report`] and
//! [`secondary_capture`] say and show a [`Decision`] on it; [`picture_png`] is the latter's picture alone;
//! [`deidentify`](deidentify()) makes of an object one that research may see. Bytes and numbers in, bytes out.
//!
//! Equal arguments give equal bytes, and the UIDs of a result follow from its inputs ([`result_uid`]): what is sent
//! again after a crash is what the archive has. Never: a clock, randomness, a file, a socket; text of an object in an
//! error or a `Debug`; a result that is verified, or that does not say in words and in pixels that it is for research.

mod capture;
mod codes;
mod content;
mod decision;
mod deidentify;
mod element;
mod encoding;
mod error;
#[cfg(test)]
mod fixtures;
mod identity;
mod modules;
mod outline;
mod picture;
mod plain;
mod read;
mod report;
mod source;
mod words;
mod write;

pub use capture::{picture_png, secondary_capture};
pub use decision::{
    Amended, Decision, HeartMeasure, ModelName, Predecessor, Rectangle, Reference, Synthetic,
};
pub use deidentify::deidentify;
pub use error::Error;
pub use identity::{Identity, Moment, ResultKind, result_uid, series_uid};
pub use modules::Composed;
pub use picture::Pictures;
pub use report::structured_report;
pub use source::{Instance, Source, instance_of};
