//! The vocabulary of attrium: the custom resources and the words they are made of.

mod architecture;
mod grade;
mod preprocessing;
mod task;

pub use architecture::Architecture;
pub use grade::{Grade, UnknownGrade};
pub use preprocessing::{CropMode, LossyPolicy};
pub use task::Task;
