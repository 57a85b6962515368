//! The fit of one network to one training set, a step at a time (paper, "Training").
//!
//! A [`Fit`] takes normalised images and their classes, and gives weights and a [`History`]. The
//! caller drives it: each [`Fit::step`] is one batch, and between any two steps
//! [`Fit::checkpoint`] gives bytes from which [`Fit::resume`] goes on to the same weights, bit for
//! bit on one type of processor. A fit never saves anything itself, never decides to stop early,
//! and never splits or normalises: its training images come ready or as [`DrawnImages`](super::DrawnImages), its
//! validation images ready.
//!
//! ```no_run
//! # use attrium_training::{Fit, FitConfig, FitData, fit::Error};
//! # fn example(config: FitConfig, data: FitData) -> Result<(), Error> {
//! let mut fit = Fit::new(config, data, &attrium_nn::cpu())?;
//! while !fit.is_finished() {
//!     let step = fit.step()?;
//!     println!("epoch {}: {}", step.epoch, step.loss);
//! }
//! let weights = fit.network().to_safetensors();
//! # Ok(())
//! # }
//! ```

mod checkpoint;
mod config;
mod data;
mod epoch_sums;
mod error;
#[doc(hidden)]
pub mod fuzzing;
mod history;
mod plateau;
mod recipe;
mod state;

#[cfg(test)]
mod tests;

pub use config::FitConfig;
pub(crate) use data::update;
pub use data::{FitData, TrainingImages};
pub use error::Error;
pub use history::{Epoch, History};
pub use plateau::Plateau;
pub use recipe::Recipe;
pub use state::{Fit, StepReport};
