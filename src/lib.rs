//! attrium trains, evaluates and runs networks that find cardiac amyloidosis (ATTR) on bone scans.
//!
//! The same manifests run on a Kubernetes cluster and, by `attrium run -f`, on a laptop. This
//! package is the program: `cli` reads arguments and calls, `runner` executes a plan on this
//! machine, `checklist` says what a run answers of a reporting checklist. What they call is in the libraries of `crates/`, one for each subject.
//!
//! Research use only: nothing here is a medical device.

mod checklist;
mod cli;
mod runner;

pub use cli::main;
