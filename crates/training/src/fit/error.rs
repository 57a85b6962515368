//! Errors of a fit: what cannot be trained, losses that are not numbers, and unusable checkpoints.

use snafu::Snafu;

/// Why a fit could not begin or go on.
#[derive(Debug, Snafu)]
#[snafu(visibility(pub(super)))]
pub enum Error {
    /// The configuration is impossible.
    #[snafu(display("the training's {problem}"))]
    Config {
        /// The field, its value and what it must be.
        problem: String,
    },
    /// The data do not fit together or to the configuration.
    #[snafu(display("the training data do not fit together: {problem}"))]
    Data {
        /// What does not fit.
        problem: String,
    },
    /// A pixel is infinite or not a number.
    #[snafu(display(
        "pixel {pixel} in {part} image {image} (counted from 0): the normalisation or the image \
         itself is faulty"
    ))]
    Pixel {
        /// Training or validation.
        part: &'static str,
        /// The image, counted from 0.
        image: usize,
        /// The value.
        pixel: f32,
    },
    /// The loss of a batch is infinite or not a number.
    #[snafu(display(
        "the training loss is {loss} at epoch {epoch}, step {step}: lower the learning rate"
    ))]
    TrainingLoss {
        /// The epoch, counted from 1.
        epoch: u32,
        /// The step within the epoch, counted from 1.
        step: usize,
        /// The loss.
        loss: f64,
    },
    /// The validation loss is infinite or not a number.
    #[snafu(display(
        "the validation loss is {loss} after epoch {epoch}, step {step}: lower the learning rate"
    ))]
    ValidationLoss {
        /// The epoch, counted from 1.
        epoch: u32,
        /// The last step of that epoch, counted from 1.
        step: usize,
        /// The loss.
        loss: f64,
    },
    /// A step was asked for after the last one.
    #[snafu(display("the training has gone through all its {epochs} epochs"))]
    Finished {
        /// The number of epochs.
        epochs: u32,
    },
    /// The bytes are not a checkpoint, or not a complete one.
    #[snafu(display("the checkpoint is {fault}: the training has to begin again"))]
    Checkpoint {
        /// What is wrong with it.
        fault: String,
    },
    /// The network cannot be used.
    #[snafu(display("the network cannot be used"))]
    Network {
        /// Why.
        source: attrium_nn::Error,
    },
    /// The bytes are not a history of epochs.
    #[snafu(display("the history is not a table of epochs: write it again"))]
    History {
        /// Where and why.
        source: csv::Error,
    },
    /// A history has a number that is infinite or not one.
    #[snafu(display(
        "row {row} of the history has a number that is infinite or none: write it again"
    ))]
    HistoryNumber {
        /// The row, counted from 1 after the header.
        row: usize,
    },
}
