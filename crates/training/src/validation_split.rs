//! The part of a fold's training studies that is kept for validation.
//!
//! It is split off before augmentation, so that no augmented sibling of a validation image is
//! ever trained on.

use std::collections::BTreeSet;

use super::apportionment::apportion;
use super::folds::strata;
use attrium_types::random;

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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_tenth_of_each_class_is_split_off() {
        let mut classes = vec![0; 800];
        classes.extend(vec![1; 200]);
        classes.extend(vec![2; 20]);
        let patients: Vec<u32> = (1..=1020).collect();
        let indices: Vec<usize> = (0..1020).collect();
        let split = split_validation(&indices, &classes, &patients, 10, 1);
        let count = |class| {
            split
                .validation
                .iter()
                .filter(|&&i| classes[i] == class)
                .count()
        };
        assert_eq!([count(0), count(1), count(2)], [80, 20, 2]);
        assert_eq!(split.train.len(), 918);
    }

    #[test]
    fn a_class_never_leaves_the_training_part() {
        let split = split_validation(&[0, 1, 2], &[0, 1, 1], &[1, 2, 3], 100, 1);
        let left: Vec<usize> = split.train.iter().map(|&i| [0, 1, 1][i]).collect();
        assert_eq!(left, [0, 1]);
        assert_eq!(split.validation.len(), 1);
    }

    #[test]
    fn no_percent_gives_no_validation() {
        let split = split_validation(&[3, 1], &[0, 0, 0, 0], &[1, 2, 3, 4], 0, 1);
        assert_eq!(split.train, [3, 1]);
        assert!(split.validation.is_empty());
    }

    proptest! {
        #[test]
        fn the_parts_share_no_patient_and_leave_no_study_out(
            cohort in prop::collection::vec((0_usize..3, 1_u32..40), 1..120),
            percent in 0_u32..60,
            seed in any::<u64>(),
        ) {
            let (classes, patients): (Vec<_>, Vec<_>) = cohort.iter().copied().unzip();
            let indices: Vec<usize> = (0..cohort.len()).filter(|i| i % 5 != 0).collect();
            let split = split_validation(&indices, &classes, &patients, percent, seed);
            let mut both: Vec<usize> = split.train.iter().chain(&split.validation).copied().collect();
            both.sort_unstable();
            prop_assert_eq!(&both, &indices);
            let of = |part: &[usize]| part.iter().map(|&i| patients[i]).collect::<BTreeSet<_>>();
            prop_assert!(of(&split.train).is_disjoint(&of(&split.validation)));
            prop_assert!(split.validation.len() <= (indices.len() * percent as usize).div_ceil(100));

            let mut turned = indices.clone();
            turned.reverse();
            let turned = split_validation(&turned, &classes, &patients, percent, seed);
            prop_assert_eq!(of(&turned.validation), of(&split.validation));
        }
    }
}
