//! Training: what comes between a dataset and a network's weights.
//!
//! Folds, the validation split, augmentation, normalisation and class weights turn a cohort into
//! what a network is fitted on; the fit follows. Nothing here reads or writes files, and every
//! random number follows from a seed and a place in the training, so that a training gives the
//! same weights however often it is interrupted.

mod apportionment;
pub mod augmentation;
pub mod class_weights;
mod drawn_images;
mod exposure;
pub mod fit;
pub mod folds;
pub mod gaussian_bayes;
pub mod normalization;
pub mod preparation;
pub mod validation_split;

pub use augmentation::{Augmentation, AugmentedImage, Transform};
pub use class_weights::class_weights;
pub use drawn_images::DrawnImages;
pub use exposure::Exposure;
#[doc(hidden)]
pub use fit::fuzzing;
pub use fit::{Fit, FitConfig, FitData, Recipe, TrainingImages};
pub use folds::assign_folds;
pub use gaussian_bayes::out_of_fold_probabilities;
pub use normalization::Normalization;
pub use preparation::{Copies, LabelledImages, Preparation, Prepared};
pub use validation_split::{Split, split_validation};
