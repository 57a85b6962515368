//! Models: a bundle's description and checksums, files of weights, checkpoints.

use std::collections::BTreeMap;

use attrium_bundle::{
    BundleManifest, CHECKSUMS, Checksums, MANIFEST, Model, model_card, reference_from_json,
    reference_to_json,
};
use attrium_dataset::CohortDigests;
use attrium_evaluation::monitoring::{Monitor, MonitoredScan};
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

/// `reference.json`: what is read survives being written, and whatever is compared with it gives numbers.
pub fn cohort_reference(bytes: &[u8]) -> bool {
    let Ok(reference) = reference_from_json(bytes) else {
        return false;
    };
    let written = reference_to_json(&reference).expect("should be written");
    let read = reference_from_json(&written).expect("should be read back");
    assert_eq!(read, reference);
    let mut monitor = Monitor::new(&reference);
    for row in 1..=40 {
        monitor.add(&MonitoredScan {
            row,
            scanner: ["forte", "symbia"].get(row as usize % 3).copied(),
            counts: Some(1e4 * row as f64),
            ratio: Some(row as f64 / 20.0),
            positive_probability: row as f64 / 40.0,
            has_warnings: row % 2 == 0,
            synthetic: false,
        });
    }
    for row in monitor.finish().rows {
        let numbers = [row.statistic, row.limit, row.location, row.spread];
        assert!(numbers.into_iter().flatten().all(|number| !number.is_nan()));
    }
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
