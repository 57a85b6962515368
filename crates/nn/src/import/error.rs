//! Errors of files of pretrained weights.

use snafu::Snafu;

use attrium_types::Architecture;

/// Why a file of pretrained weights cannot be used.
#[derive(Debug, Snafu)]
#[snafu(visibility(pub(super)))]
pub enum WeightsError {
    /// The architecture does not exist outside the paper.
    #[snafu(display("{architecture} has no weights of ImageNet: leave pretrainedWeights out"))]
    NotTaken {
        /// What was asked for.
        architecture: Architecture,
    },
    /// The file is of a kind that is not read.
    #[snafu(display(
        "the pretrained weights are neither a PyTorch file (.pth), nor safetensors, nor HDF5 (.h5): \
         use one of the files that models/imagenet.md names"
    ))]
    Format,
    /// The file is of a known kind and cannot be read to its end.
    #[snafu(display(
        "the pretrained weights are {kind}, but damaged or cut short: fetch the file again"
    ))]
    Damaged {
        /// The kind of file.
        kind: &'static str,
        /// What the reader found.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The file claims more than any network has.
    #[snafu(display(
        "the pretrained weights are {kind} with more than {mebibytes} MiB of tensors, which no network that is \
         known here has: use one of the files that models/imagenet.md names"
    ))]
    Large {
        /// The kind of file.
        kind: &'static str,
        /// How many any network has at most.
        mebibytes: usize,
    },
    /// The file holds more than tensors: to open it in Python would run what it names.
    #[snafu(display(
        "the pretrained weights would have Python run {name}, which no file of weights needs: use \
         one of the files that models/imagenet.md names"
    ))]
    Runs {
        /// The first function or class that has nothing to do with tensors.
        name: String,
    },
    /// The file has the weights of another network.
    #[snafu(display(
        "the pretrained weights are of {found}, not of {asked}: name the file of {asked}"
    ))]
    Architecture {
        /// Whose weights they are.
        found: Architecture,
        /// Whose were asked for.
        asked: Architecture,
    },
    /// The file has the weights of an unknown network.
    #[snafu(display(
        "the pretrained weights are of no network that is known here: use a file of {architecture} \
         that models/imagenet.md names"
    ))]
    Foreign {
        /// Whose weights were asked for.
        architecture: Architecture,
    },
    /// The file's tensors are not those of the network.
    #[snafu(display(
        "the pretrained weights do not fit {architecture} ({faults}): use one of the files that \
         models/imagenet.md names"
    ))]
    Mismatch {
        /// The network.
        architecture: Architecture,
        /// Every tensor that is missing, has another shape or type, or belongs to nothing.
        faults: String,
    },
    /// The network cannot be made.
    #[snafu(transparent)]
    Network {
        /// Why.
        source: crate::Error,
    },
}
