//! attrium trains, evaluates and runs networks that find cardiac amyloidosis (ATTR) on bone scans.
//!
//! The same manifests run on a Kubernetes cluster and, by `attrium run -f`, on a laptop.
//! Arrows between the modules point one way: [`cli`] uses [`runner`] and [`stages`]; the runner
//! follows a plan of [`workflow`]; the stages do their work with [`imaging`], [`training`],
//! [`evaluation`] and [`report`], and keep it with [`storage`]; everything speaks the vocabulary
//! of [`api`]. `api`, `workflow`, `imaging`, `nn`, `training` and `evaluation` do no IO.
//!
//! Research use only: nothing here is a medical device.

#[path = "../crates/api/src/lib.rs"]
pub mod api;
#[path = "../crates/bundle/src/lib.rs"]
pub mod bundle;
pub mod cli;
#[path = "../crates/dataset/src/lib.rs"]
pub mod dataset;
#[path = "../crates/evaluation/src/lib.rs"]
pub mod evaluation;
#[path = "../crates/imaging/src/lib.rs"]
pub mod imaging;
#[path = "../crates/nn/src/lib.rs"]
pub mod nn;
#[path = "../crates/operator/src/lib.rs"]
pub mod operator;
#[path = "../crates/phantom/src/lib.rs"]
pub mod phantom;
#[path = "../crates/types/src/random.rs"]
mod random;
#[path = "../crates/report/src/lib.rs"]
pub mod report;
pub mod runner;
#[path = "../crates/tasks/src/lib.rs"]
pub mod stages;
#[path = "../crates/storage/src/lib.rs"]
pub mod storage;
#[path = "../crates/training/src/lib.rs"]
pub mod training;
#[path = "../crates/workflow/src/lib.rs"]
pub mod workflow;

#[cfg(test)]
mod documents;
