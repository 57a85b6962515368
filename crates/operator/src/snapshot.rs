//! Snapshots of Jobs and pods: the few fields that decisions are made of.
//!
//! Pure. Whole objects are never kept, so that an operator with thousands of runs stays small.

mod job;
mod pod;

#[cfg(test)]
pub(crate) use job::JobEnd;
pub(crate) use job::{JobFailure, JobSnapshot};
pub(crate) use pod::{PodSnapshot, PodState, Problem, Termination, termination};
