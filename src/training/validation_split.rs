//! The part of a fold's training studies that is kept for validation.
//!
//! It is split off before augmentation, so that no augmented sibling of a validation image is
//! ever trained on.

use std::collections::BTreeSet;

use super::apportionment::apportion;
use super::folds::strata;
use crate::random;

/// Training studies in two parts, each in the order in which they were given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// The studies to train on.
    pub train: Vec<usize>,
    /// The studies that the learning rate's schedule looks at.
    pub validation: Vec<usize>,
}

/// Splits `percent` of the studies off, by patient and stratified by class.
///
/// `indices` are the fold's training studies, as indices into `classes` and `patients`, which
/// have one entry for each study of the cohort. A patient's stratum is his highest class; each
/// stratum gives its share of the studies (largest remainder), whole patients at a time in an
/// order shuffled by the seed, as long as the share is not exceeded. A stratum always keeps a
/// patient to train on, so that a class never leaves the training part; 0 percent gives an empty
/// validation part. The order of `indices` does not change who is chosen.
pub fn split_validation(
    indices: &[usize],
    classes: &[usize],
    patients: &[u32],
    percent: u32,
    seed: u64,
) -> Split {
    let strata = strata(indices.iter().map(|&i| (classes[i], patients[i])));
    let sizes: Vec<usize> = strata
        .values()
        .map(|stratum| stratum.iter().map(|patient| patient.studies).sum())
        .collect();
    let total = (indices.len() * percent.min(100) as usize + 50) / 100;
    let mut chosen = BTreeSet::new();
    for ((class, mut stratum), share) in strata.into_iter().zip(apportion(total, &sizes)) {
        let mut random = random::stream(seed, b"validate", class as u64, 0);
        random::shuffle(&mut random, &mut stratum);
        let (mut left, mut kept) = (share, stratum.len());
        for patient in stratum {
            if patient.studies <= left && kept > 1 {
                left -= patient.studies;
                kept -= 1;
                chosen.insert(patient.number);
            }
        }
    }
    let (validation, train) = indices
        .iter()
        .partition(|&&i| chosen.contains(&patients[i]));
    Split { train, validation }
}
