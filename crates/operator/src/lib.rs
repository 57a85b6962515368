//! Kubernetes: resources become Jobs, and what becomes of the Jobs becomes status and events.
//!
//! The one room that names `kube::Client`. It never reads a Secret, never opens a store, and never
//! decides what a task does: which stage is next is `workflow`'s decision, as on a laptop.
//!
//! A look at a resource reads from top to bottom: `fetch` (what is known of it), `decide` (pure),
//! `apply`, `report`. Around them: `watch` fills the `index`, `queue` says whose turn it is,
//! `lease` who acts, `progress` listens to pods, `http` answers probes and Prometheus.

mod apply;
mod check;
mod context;
mod decide;
mod environment;
mod error;
mod fetch;
#[cfg(test)]
mod fixtures;
mod heard;
mod http;
mod index;
mod job;
mod known;
mod lease;
mod manifest;
mod metrics;
pub mod names;
mod pod;
mod progress;
mod queue;
mod reconcile;
mod report;
mod seen;
mod serve;
mod settings;
mod shelf;
mod stop;
mod watch;
mod workload;

pub use check::check;
pub use error::Error;
pub use job::{RETRIES, StageJob, parallelism};
pub use manifest::config_map;
pub use serve::{Options, run};
pub use settings::Settings;
