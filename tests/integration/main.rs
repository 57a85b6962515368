//! attrium as its users meet it: the real binary, on synthetic cohorts of a few studies.
//!
//! A cohort is drawn once, with marks planted wherever patient data could be, and one training run
//! on it is shared by every test that only reads what a run has left.

// Helpers of tests are tests too, which clippy cannot tell outside a test function.
#![allow(clippy::unwrap_used, clippy::panic)]

mod adapted;
mod agreement;
mod approval;
mod architecture;
mod artefacts;
mod bad_input;
mod calibrated;
mod changed;
mod checklist;
mod cohort;
mod documents;
mod links;
mod manifest;
mod monitor;
mod outputs;
mod overlap;
mod pod;
mod pretrained;
mod privacy;
mod program;
mod publishing;
mod resume;
mod scale;
mod screening;
mod shipped;
mod station;
mod store;
mod trained;
mod uncertain;
mod workflows;
