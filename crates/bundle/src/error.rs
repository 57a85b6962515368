//! Why a bundle cannot be used or made.

use snafu::Snafu;

use super::KeyId;
use attrium_dataset::CohortFileError;
use attrium_nn as nn;
use attrium_training as training;

/// Why a bundle cannot be used or made.
#[derive(Debug, Snafu)]
#[snafu(visibility(pub(super)))]
pub enum Error {
    /// `SHA256SUMS` is missing or empty: the bundle was not written to its end.
    #[snafu(display("SHA256SUMS is missing or empty: publish the model or copy it again"))]
    Incomplete,
    /// `SHA256SUMS` is not of the form that it has to be of.
    #[snafu(display("line {line} of SHA256SUMS {fault}: publish the model or copy it again"))]
    Checksums {
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// It is another bundle than the one that was asked for.
    #[snafu(display(
        "its digest is {found} and not {expected}, so that it is another model than the one asked for: name \
         the place of that one, or state the digest of this one once somebody has approved it"
    ))]
    OtherDigest {
        /// The digest of the bundle that is there.
        found: String,
        /// The digest that was asked for.
        expected: String,
    },
    /// A signature is required, and nobody's would do.
    #[snafu(display(
        "it has to be signed, and no public key is trusted: name one, on a cluster in tasks.trustedKeys of \
         the chart, elsewhere by --trusted-key"
    ))]
    NobodyTrusted,
    /// A signature is required, and there is none.
    #[snafu(display(
        "it is not signed, and it has to be: have it approved by somebody who holds a trusted key \
         ({trusted}), with `attrium sign`"
    ))]
    Unsigned {
        /// The ids of the keys that are trusted.
        trusted: String,
    },
    /// What lies in the signature's place is none.
    #[snafu(display(
        "SHA256SUMS.minisig is no signature of minisign's: have the bundle signed again, with `attrium sign`"
    ))]
    UnreadableSignature,
    /// The signature is by a key that is not trusted.
    #[snafu(display(
        "it is signed by the key {key}, which is not trusted: have it approved by somebody who holds a \
         trusted key ({trusted}), with `attrium sign`"
    ))]
    Untrusted {
        /// The key that says it has signed.
        key: KeyId,
        /// The ids of the keys that are trusted.
        trusted: String,
    },
    /// The signature is not of this bundle, or not by the key that it names.
    #[snafu(display(
        "its signature by the key {key} is wrong, so that the bundle or the signature is not what was \
         approved: copy both again, or have the bundle signed again"
    ))]
    Forged {
        /// The key that the signature names.
        key: KeyId,
    },
    /// A file is not what its checksum says.
    #[snafu(display("{name} is not what SHA256SUMS says: copy the bundle again"))]
    Changed {
        /// The file's name within the bundle.
        name: String,
    },
    /// A file that the bundle needs is not there or not listed, or one is there that is not.
    #[snafu(display("{name:?} is not part of the bundle: copy the bundle again"))]
    Unlisted {
        /// The file's name within the bundle.
        name: String,
    },
    /// The bundle is of another version of the format.
    #[snafu(display(
        "the bundle has format version {found}, this attrium reads versions up to {expected}: use the \
         attrium that wrote it, or publish the model again"
    ))]
    Version {
        /// The version found.
        found: u64,
        /// The last version that is read here.
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
    /// `cohort.json` cannot be read or written.
    #[snafu(display("cohort.json cannot be used: publish the model again"))]
    Cohort {
        /// What is wrong.
        source: CohortFileError,
    },
    /// There are more digests than a bundle may hold.
    #[snafu(display("cohort.json would be larger than a bundle's may be: train on fewer studies"))]
    LargeCohort,
    /// `reference.json` cannot be read.
    #[snafu(display("reference.json cannot be read: publish the model again"))]
    UnreadableReference {
        /// What is wrong.
        source: serde_json::Error,
    },
    /// `reference.json` is of another version.
    #[snafu(display(
        "reference.json has the version {found} where {expected} is read: use the version of attrium that has \
         published the model, or publish it again"
    ))]
    ReferenceVersion {
        /// Its version.
        found: u64,
        /// The version that is read here.
        expected: u32,
    },
    /// `reference.json` holds what no cohort can have.
    #[snafu(display("reference.json is of no cohort: publish the model again"))]
    Reference,
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
