//! Why a bundle cannot be used or made.

use snafu::Snafu;

use attrium_nn as nn;
use attrium_training as training;

/// Why a bundle cannot be used or made.
#[derive(Debug, Snafu)]
#[snafu(visibility(pub(super)))]
pub enum Error {
    /// `SHA256SUMS` is missing or cannot be read: the bundle was not written to its end.
    #[snafu(display("SHA256SUMS is not as a bundle has it: publish the model or copy it again"))]
    Incomplete,
    /// A file is not what its checksum says.
    #[snafu(display("{name} is not what SHA256SUMS says: copy the bundle again"))]
    Changed {
        /// The file's name within the bundle.
        name: String,
    },
    /// A file that the bundle needs is not listed.
    #[snafu(display("{name} is not part of the bundle: copy the bundle again"))]
    Unlisted {
        /// The file's name within the bundle.
        name: String,
    },
    /// The bundle is of another version of the format.
    #[snafu(display(
        "the bundle has format version {found}, this attrium reads version {expected}: use the \
         attrium that wrote it, or publish the model again"
    ))]
    Version {
        /// The version found.
        found: u64,
        /// The version that is read here.
        expected: u32,
    },
    /// `bundle.json` says something that this version cannot read.
    #[snafu(display("bundle.json cannot be read"))]
    Unreadable {
        /// What is wrong, and where.
        source: serde_json::Error,
    },
    /// `bundle.json` describes no model that can be run.
    #[snafu(display("bundle.json {fault}: publish the model again"))]
    Manifest {
        /// What it says that cannot be.
        fault: String,
    },
    /// `bundle.json` cannot be written.
    #[snafu(display("bundle.json cannot be written"))]
    Unwritable {
        /// What is wrong.
        source: serde_json::Error,
    },
    /// A member's weights do not fit its network.
    #[snafu(display("{name} holds no weights of this network"))]
    Weights {
        /// The file's name within the bundle.
        name: String,
        /// What is wrong.
        source: nn::Error,
    },
    /// A member's normalisation cannot be read.
    #[snafu(display("{name} holds no normalisation"))]
    Normalization {
        /// The file's name within the bundle.
        name: String,
        /// What is wrong.
        source: training::normalization::Error,
    },
    /// A network failed to run.
    #[snafu(display("the network cannot be run"))]
    Network {
        /// What is wrong.
        source: nn::Error,
    },
}
