//! attrium on a real Kubernetes, as its users meet it: by helm and kubectl.
//!
//! `make cluster-test` starts the cluster and runs these. Nothing is simulated but the GPU: the node advertises
//! two, and no pod computes on one. A scenario has a namespace of its own and runs beside the others,
//! but for those in `alone`, one at a time, and those in `outages`, which run beside each other.

// Helpers of tests are tests too, which clippy cannot tell outside a test function.
#![allow(clippy::unwrap_used, clippy::panic)]

mod alert;
mod alone;
mod api;
mod approval;
mod bucket;
mod chart;
mod cluster;
mod connections;
mod credentials;
mod disturbances;
mod faults;
mod manifest;
mod namespace;
mod outages;
mod pipeline;
mod program;
mod proxy;
mod queue;
mod results;
mod training;
mod volume;
