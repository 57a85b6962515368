//! The Kubernetes operator: resources become Jobs, and what becomes of the Jobs becomes status and
//! events.
//!
//! The one crate that names `kube::Client`. It never reads a Secret, never opens a store, and never
//! decides what a task does: which stage is next is `workflow`'s decision, as on a laptop.
//!
//! The reconciliation of a resource reads from top to bottom: `fetch` (the observed state), `decide`
//! (pure: the transition), `admission` (whether Jobs are made of it at all), `apply` (what is created,
//! changed, stopped), `status`, `events`. Around it: `watch` fills the `index`, `queue` is the work queue,
//! `lease` elects the leader, `progress` reads pods' logs, `http` answers probes and Prometheus.

mod admission;
#[cfg(test)]
mod admission_policy_tests;
mod allowance;
mod apply;
mod clock;
mod context;
mod created_resource;
mod decide;
mod environment;
mod error;
mod events;
mod fetch;
#[cfg(test)]
mod fixtures;
#[doc(hidden)]
pub mod fuzzing;
mod http;
mod index;
mod job;
mod kueue;
mod lease;
mod malformed;
mod manifest;
mod metrics;
mod names;
mod owner;
mod pod;
mod pod_template;
mod probe;
mod progress;
mod queue;
mod reconcile;
mod resource_api;
mod resource_entry;
mod resource_snapshot;
mod serve;
mod settings;
#[cfg(test)]
mod simulation;
mod snapshot;
mod status;
mod stop;
mod task_reports;
mod versioned_store;
mod watch;

pub use allowance::{Allowance, Patterns};
pub use error::Error;
pub use probe::probe;
pub use serve::{Options, run};
pub use settings::Settings;
