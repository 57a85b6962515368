//! From a cohort to a trained network: folds, augmentation, normalisation, class weights.
//!
//! Everything here is numbers in and numbers out: it never reads or writes a file, and knows
//! neither the network nor a store.

mod apportionment;
pub mod augmentation;
pub mod class_weights;
pub mod folds;
pub mod normalization;
pub mod validation_split;

pub use augmentation::{Augmentation, AugmentedImage, Transform};
pub use class_weights::class_weights;
pub use folds::assign_folds;
pub use normalization::Normalization;
pub use validation_split::{Split, split_validation};
