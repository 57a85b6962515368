//! Models: a bundle's description and checksums, files of weights, checkpoints.

use std::collections::BTreeMap;

use attrium_bundle::{BundleManifest, CHECKSUMS, Checksums, MANIFEST, Model, model_card};
use attrium_dataset::CohortDigests;
use attrium_nn::{PretrainedWeights, WeightsError};
use attrium_training::fuzzing;
use attrium_types::Architecture;

/// `bundle.json`: what is read survives being written, its card can be written, and a bundle of nothing else
/// is refused.
pub fn bundle(bytes: &[u8]) -> bool {
    let sums = Checksums::of([(MANIFEST, bytes)]).to_text().into_bytes();
    let files = BTreeMap::from([
        (MANIFEST.to_owned(), bytes.to_vec()),
        (CHECKSUMS.to_owned(), sums),
    ]);
    assert!(Model::open(&files, &attrium_nn::cpu()).is_err());
    let Ok(manifest) = BundleManifest::from_json(bytes) else {
        return false;
    };
    let written = manifest.to_json().expect("should be written");
    let read = BundleManifest::from_json(&written).expect("should be read back");
    assert_eq!(read, manifest);
    assert!(!model_card(&manifest, None).is_empty());
    true
}

/// `cohort.json`: what is read survives being written.
pub fn cohort(bytes: &[u8]) -> bool {
    let Ok(seen) = CohortDigests::from_json(bytes) else {
        return false;
    };
    let written = seen.to_json().expect("should be written");
    let read = CohortDigests::from_json(&written).expect("should be read back");
    assert_eq!(read, seen);
    true
}

/// `SHA256SUMS`: what is read is what is written, so that its digest stands for it.
pub fn checksums(bytes: &[u8]) -> bool {
    let Ok(sums) = Checksums::parse(bytes) else {
        return false;
    };
    assert_eq!(sums.to_text().as_bytes(), bytes);
    true
}

/// A file of weights in any of the formats: read or refused, and nothing in it is run. Taken is one whose tensors
/// are read, though they be those of no network.
pub fn weights(bytes: &[u8]) -> bool {
    match PretrainedWeights::read(bytes.to_vec(), Architecture::VGG16) {
        Ok(_) => true,
        Err(error) => matches!(
            error,
            WeightsError::Architecture { .. }
                | WeightsError::Foreign { .. }
                | WeightsError::Mismatch { .. }
        ),
    }
}

/// A checkpoint: the first line is its position, the rest the state of the optimiser, which is a new one's where
/// there is no rest. Its digest is made right, so that what is behind it is reached.
pub fn checkpoint(bytes: &[u8]) -> bool {
    let _ = fuzzing::checkpoint(bytes);
    let mut parts = bytes.splitn(2, |&byte| byte == b'\n');
    let position = parts.next().unwrap_or_default();
    let optimizer = parts.next().filter(|rest| !rest.is_empty());
    fuzzing::checkpoint(&fuzzing::checkpoint_of(position, optimizer))
}
