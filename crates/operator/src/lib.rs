//! Kubernetes: resources become Jobs, and what becomes of the Jobs becomes status and events.
//!
//! The one room that names `kube::Client`. It never reads a Secret, never opens a store, and never
//! decides what a task does: which stage is next is `workflow`'s decision, as on a laptop.
//!
//! A look at a resource reads from top to bottom: `fetch` (what is known of it), `decide` (pure),
//! `apply`, `report`. Around them: `watch` fills the `index`, `queue` says whose turn it is,
//! `lease` who acts, `progress` listens to pods, `http` answers probes and Prometheus.

mod apply;
mod context;
mod decide;
mod environment;
mod error;
mod fetch;
#[cfg(test)]
mod fixtures;
mod http;
mod index;
mod job;
mod kueue;
mod lease;
mod manifest;
mod metrics;
pub mod names;
mod pod;
mod probe;
mod progress;
mod queue;
mod reconcile;
mod resource_entry;
mod serve;
mod settings;
mod snapshot;
mod status;
mod stop;
mod task_reports;
mod versioned_store;
mod watch;

pub use error::Error;
pub use job::{RETRIES, StageJob, parallelism};
pub use manifest::config_map;
pub use probe::check;
pub use serve::{Options, run};
pub use settings::Settings;
