//! Kubernetes: resources become Jobs, and what becomes of the Jobs becomes status and events.
//!
//! The one room that names `kube::Client`. It never reads a Secret, never opens a store, and never
//! decides what a task does: which stage is next is `workflow`'s decision, as on a laptop.

mod environment;
#[cfg(test)]
mod fixtures;
mod job;
mod manifest;
pub mod names;
mod pod;
mod settings;

pub use job::{RETRIES, StageJob, parallelism};
pub use manifest::config_map;
pub use settings::Settings;
