//! attrium trains, evaluates and runs networks that find cardiac amyloidosis (ATTR) on bone scans.
//!
//! The same manifests run on a Kubernetes cluster and, by `attrium run -f`, on a laptop.
//! Arrows between the modules point one way: [`cli`] uses [`runner`] and [`stages`]; the runner
//! follows a plan of [`workflow`]; the stages do their work with [`imaging`], [`training`],
//! [`evaluation`] and [`report`], and keep it with [`storage`]; everything speaks the vocabulary
//! of [`api`]. `api`, `workflow`, `imaging`, `nn`, `training` and `evaluation` do no IO.
//!
//! Research use only: nothing here is a medical device.

pub mod api;
pub mod bundle;
pub mod cli;
pub mod dataset;
pub mod evaluation;
pub mod imaging;
pub mod nn;
pub mod operator;
pub mod phantom;
mod random;
pub mod report;
pub mod runner;
pub mod stages;
pub mod storage;
pub mod training;
pub mod workflow;

#[cfg(test)]
mod documents;
