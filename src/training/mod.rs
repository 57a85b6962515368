//! Training: what comes between a dataset and a network's weights.
//!
//! Nothing here reads or writes files, and every random number follows from a seed and a place in
//! the training, so that a training gives the same weights however often it is interrupted.

pub mod fit;

pub use fit::{Fit, FitConfig, FitData};
