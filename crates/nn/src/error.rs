//! Errors of networks: weights that do not fit, and images or devices that cannot be used.

use snafu::Snafu;

use super::size::IMAGE_SIZE;

/// Why a network could not be made or used.
#[derive(Debug, Snafu)]
#[snafu(visibility(pub(super)))]
pub enum Error {
    /// The bytes are not a safetensors file.
    #[snafu(display("the weights are not a whole safetensors file: fetch or write them again"))]
    Format {
        /// What the reader found.
        source: safetensors::SafeTensorError,
    },
    /// The file holds other tensors than the network has.
    #[snafu(display(
        "the weights do not fit the network ({faults}): use weights that were saved for this \
         architecture and number of classes"
    ))]
    Mismatch {
        /// Every tensor that is missing, has another shape or type, or does not belong to the
        /// network.
        faults: String,
    },
    /// The file states conventions that this version does not know.
    #[snafu(display(
        "the weights are in the layout {name}, which is not known: use the version of attrium that \
         wrote them"
    ))]
    Layout {
        /// The layout.
        name: String,
    },
    /// A network cannot tell fewer than two classes apart.
    #[snafu(display("a network needs 2 classes or more, not {classes}"))]
    Classes {
        /// The number asked for.
        classes: usize,
    },
    /// The pixels do not make whole images.
    #[snafu(display(
        "{pixels} pixels do not make whole images of {IMAGE_SIZE} x {IMAGE_SIZE} pixels"
    ))]
    Pixels {
        /// The number of pixels given.
        pixels: usize,
    },
    /// The network gives no probabilities.
    #[snafu(display(
        "the network's logits of image {image} (counted from 0) are infinite or not numbers: train \
         the network again, with a lower learning rate"
    ))]
    Logits {
        /// The image, counted from 0.
        image: usize,
    },
    /// This build has no support for GPUs.
    #[snafu(display(
        "this build has no GPU support: use the CUDA image (feature `cuda`), or the accelerator Cpu"
    ))]
    NoGpu,
}
