//! A model bundle: a folder that holds all that is needed to screen.
//!
//! `bundle.json` ([`BundleManifest`]), the members' weights and normalisation, `cohort.json`, by which scans are known
//! again that it was trained on ([`CohortDigests`]), `reference.json`, how its cohort was spread ([`Reference`]),
//! `MODEL_CARD.md`, and `SHA256SUMS`, which lists the checksum of every other file and is written last: a bundle
//! without it is not whole. The bundle's digest is the SHA-256 of `SHA256SUMS`, so that it stands
//! for every byte of the bundle, and `sha256sum --check SHA256SUMS` verifies a copy.
//!
//! Files are named byte strings here: this crate neither reads nor writes any.

mod checksums;
mod demands;
mod error;
#[cfg(test)]
mod fixtures;
mod manifest;
mod model;
mod model_card;
mod reference;
mod signature;
mod signing_key;
mod uncertainty;

use snafu::{ResultExt, ensure};

use attrium_dataset::CohortDigests;
use attrium_evaluation::monitoring::Reference;
use error::{CohortSnafu, LargeCohortSnafu};

pub use checksums::{Checksums, LARGEST_CHECKSUMS};
pub use demands::{Demands, Proof, SignaturePolicy};
pub use error::Error;
pub use manifest::{
    BundleManifest, FORMAT_VERSION, INTENDED_USE, Member, RECALIBRATED_VERSION, SiteRecalibration,
    StatedPrevalence, TrainingProvenance,
};
pub use model::{MissingOperatingPoint, MissingPrevalence, Model, cohort, compare};
pub use model_card::model_card;
pub use reference::{reference_from_json, reference_to_json};
pub use signature::{Approval, InvalidPublicKey, KeyId, LARGEST_SIGNATURE, PublicKey};
pub use signing_key::{KeyError, NewKeys, SigningKey};
pub use uncertainty::{
    Answer, NEAR_THRESHOLD, TrainingLikeness, UncertaintyLimits, UncertaintyRule,
};

/// The name of the file that describes a bundle.
pub const MANIFEST: &str = "bundle.json";
/// The name of the file of checksums, written last and read first.
pub const CHECKSUMS: &str = "SHA256SUMS";
/// The name of the file of a signature of [`CHECKSUMS`], which is no part of the bundle: it is made later,
/// and changes no digest.
pub const SIGNATURE: &str = "SHA256SUMS.minisig";
/// The name of the file of digests of what the model was trained on, which bundles from before there was one lack.
pub const COHORT: &str = "cohort.json";
/// The name of the file of how the model's cohort was spread, which bundles from before there was one lack.
pub const REFERENCE: &str = "reference.json";
/// The name of the text for people.
pub const CARD: &str = "MODEL_CARD.md";

/// The largest file of weights or of a normalisation, in bytes: VGG16's has half a gigabyte.
const LARGEST_WEIGHTS: u64 = 4 << 30;
/// The largest file of digests, in bytes: some 20 for each study, each patient and each image.
const LARGEST_COHORT: u64 = 64 << 20;
/// The largest file of how a cohort was spread, in bytes: some 10,000 for each scanner.
const LARGEST_REFERENCE: u64 = 4 << 20;
/// The largest of any other file, in bytes.
const LARGEST_TEXT: u64 = 16 << 20;
/// The most bytes that all files of a bundle have together: VGG16's of 20 folds have eleven gigabytes.
pub const LARGEST_BUNDLE: u64 = 16 << 30;

/// The most bytes that a file of this name may have.
pub fn largest(name: &str) -> u64 {
    if name.ends_with(".safetensors") {
        LARGEST_WEIGHTS
    } else if name == COHORT {
        LARGEST_COHORT
    } else if name == REFERENCE {
        LARGEST_REFERENCE
    } else {
        LARGEST_TEXT
    }
}

/// The files of a bundle, in the order in which they have to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BundleFiles {
    /// Each file's name below the bundle's folder, and its content; the checksums are last.
    pub files: Vec<(String, Vec<u8>)>,
    /// The bundle's digest, `sha256:` and 64 hexadecimal digits.
    pub digest: String,
}

/// The weights and the normalisation of one member, in the order of [`BundleManifest::members`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberFiles {
    /// The network's weights, a safetensors file.
    pub weights: Vec<u8>,
    /// The normalisation's mean and standard deviation image, a safetensors file.
    pub normalization: Vec<u8>,
}

/// Packs a model into the files of its bundle, with the digests of what it was trained on and how that was spread, where
/// they are known.
///
/// # Errors
/// [`Error::Unwritable`] when the manifest cannot be written as JSON, which does not happen while its
/// numbers are finite; [`Error::Cohort`] and [`Error::LargeCohort`] when the digests cannot be.
pub fn pack(
    manifest: &BundleManifest,
    cohort: Option<&CohortDigests>,
    reference: Option<&Reference>,
    members: Vec<MemberFiles>,
) -> Result<BundleFiles, Error> {
    let mut files = vec![
        (MANIFEST.to_owned(), manifest.to_json()?),
        (CARD.to_owned(), model_card(manifest, cohort).into_bytes()),
    ];
    if let Some(cohort) = cohort {
        let json = cohort.to_json().context(CohortSnafu)?;
        ensure!(json.len() as u64 <= LARGEST_COHORT, LargeCohortSnafu);
        files.push((COHORT.to_owned(), json));
    }
    if let Some(reference) = reference {
        files.push((REFERENCE.to_owned(), reference_to_json(reference)?));
    }
    for (member, content) in manifest.members.iter().zip(members) {
        files.push((member.weights.clone(), content.weights));
        files.push((member.normalization.clone(), content.normalization));
    }
    let sums = Checksums::of(
        files
            .iter()
            .map(|(name, bytes)| (name.as_str(), bytes.as_slice())),
    );
    files.push((CHECKSUMS.to_owned(), sums.to_text().into_bytes()));
    Ok(BundleFiles {
        files,
        digest: sums.digest(),
    })
}
