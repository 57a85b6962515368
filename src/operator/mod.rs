//! Kubernetes: resources become Jobs, and what becomes of the Jobs becomes status and events.
//!
//! The one room that names `kube::Client`. It never reads a Secret, never opens a store, and never
//! decides what a task does: which stage is next is `workflow`'s decision, as on a laptop.

pub mod names;
mod settings;

pub use settings::Settings;
