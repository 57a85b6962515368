//! Folds of a cross-validation: stratified by class and grouped by patient.
//!
//! It never looks at images, and the order of its input does not matter: patients are sorted by
//! their pseudonym before anything is drawn.

use std::collections::BTreeMap;

use snafu::{Snafu, ensure};

use attrium_types::random;

/// What helps where a class has too few patients.
pub(super) const REMEDY: &str =
    "lower crossValidation.folds, add patients of this class, or leave out the task";

/// Why a cohort cannot be split into folds.
#[derive(Clone, Debug, PartialEq, Eq, Snafu)]
pub enum Error {
    /// A class cannot be in every fold.
    #[snafu(display(
        "class {class} has {patients} {}, fewer than the {folds} folds: {REMEDY}",
        if *patients == 1 { "patient" } else { "patients" }
    ))]
    TooFewPatients {
        /// The class's index in its task.
        class: usize,
        /// How many patients have it as their highest class.
        patients: usize,
        /// How many folds were asked for.
        folds: usize,
    },
    /// One fold leaves nothing to train on.
    #[snafu(display("{folds} folds cannot be trained on: set crossValidation.folds to 2 or more"))]
    TooFewFolds {
        /// How many folds were asked for.
        folds: usize,
    },
    /// The two columns do not describe the same studies.
    #[snafu(display("{classes} classes do not match {patients} patients"))]
    LengthMismatch {
        /// How many classes were given.
        classes: usize,
        /// How many patients were given.
        patients: usize,
    },
}

/// The fold of each study, from 0 to `folds - 1`.
///
/// `classes` and `patients` have one entry a study: its class and its patient's pseudonym. All
/// studies of a patient are in one fold, and his highest class is his stratum. Within a stratum
/// patients are shuffled by the seed, those with most studies come first, and each goes to the
/// fold that has the fewest studies of the stratum so far (then the fewest of all, then the
/// first in an order that the seed decides). Folds so differ, within a stratum, by at most the
/// studies of one patient; where every patient has one study, by at most one study, in all and
/// within a class.
///
/// # Errors
/// When a class that occurs has fewer patients than there are folds, when `folds` is below 2, and
/// when the two slices differ in length.
pub fn assign_folds(
    classes: &[usize],
    patients: &[u32],
    folds: usize,
    seed: u64,
) -> Result<Vec<usize>, Error> {
    ensure!(folds >= 2, TooFewFoldsSnafu { folds });
    ensure!(
        classes.len() == patients.len(),
        LengthMismatchSnafu {
            classes: classes.len(),
            patients: patients.len()
        }
    );
    let mut totals = vec![0; folds];
    let mut fold_of = BTreeMap::new();
    for (class, mut stratum) in strata((0..classes.len()).map(|i| (classes[i], patients[i]))) {
        ensure!(
            stratum.len() >= folds,
            TooFewPatientsSnafu {
                class,
                patients: stratum.len(),
                folds
            }
        );
        let mut random = random::stream(seed, b"folds   ", class as u64, folds as u64);
        let mut order: Vec<usize> = (0..folds).collect();
        random::shuffle(&mut random, &mut order);
        random::shuffle(&mut random, &mut stratum);
        stratum.sort_by_key(|patient| std::cmp::Reverse(patient.studies));
        let mut sizes = vec![0; folds];
        for patient in stratum {
            let fold = *order
                .iter()
                .min_by_key(|&&fold| (sizes[fold], totals[fold]))
                .expect("there should be at least two folds");
            sizes[fold] += patient.studies;
            totals[fold] += patient.studies;
            fold_of.insert(patient.number, fold);
        }
    }
    Ok(patients.iter().map(|patient| fold_of[patient]).collect())
}

/// A patient of a stratum.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patient {
    pub(super) number: u32,
    pub(super) studies: usize,
}

/// Patients by their highest class, sorted by pseudonym, from one (class, patient) a study.
pub(super) fn strata(studies: impl Iterator<Item = (usize, u32)>) -> BTreeMap<usize, Vec<Patient>> {
    let mut patients: BTreeMap<u32, (usize, usize)> = BTreeMap::new();
    for (class, patient) in studies {
        let (highest, count) = patients.entry(patient).or_default();
        *highest = class.max(*highest);
        *count += 1;
    }
    let mut strata: BTreeMap<usize, Vec<Patient>> = BTreeMap::new();
    for (number, (class, studies)) in patients {
        strata
            .entry(class)
            .or_default()
            .push(Patient { number, studies });
    }
    strata
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_papers_grades_are_spread_evenly() {
        let mut classes = vec![0; 991];
        classes.extend(vec![1; 296]);
        classes.extend(vec![2; 23]);
        classes.extend(vec![3; 24]);
        let patients: Vec<u32> = (1..=1334).collect();
        let folds = assign_folds(&classes, &patients, 5, 1).unwrap();
        for class in 0..4 {
            let sizes = sizes(
                5,
                folds
                    .iter()
                    .zip(&classes)
                    .filter(|(_, c)| **c == class)
                    .map(|(f, _)| *f),
            );
            let (low, high) = (sizes.iter().min().unwrap(), sizes.iter().max().unwrap());
            assert!(high - low <= 1, "class {class}: {sizes:?}");
        }
        let sizes = sizes(5, folds.into_iter());
        assert!(
            sizes.iter().all(|&size| size == 266 || size == 267),
            "{sizes:?}"
        );
    }

    #[test]
    fn another_seed_gives_other_folds() {
        let classes: Vec<usize> = (0..60).map(|i| i % 2).collect();
        let patients: Vec<u32> = (1..=60).collect();
        let folds = |seed| assign_folds(&classes, &patients, 5, seed).unwrap();
        assert_eq!(folds(1), folds(1));
        assert_ne!(folds(1), folds(2));
    }

    #[test]
    fn a_patient_counts_by_his_highest_class() {
        let classes = [0, 1, 0, 0, 1, 0];
        let patients = [1, 1, 2, 3, 4, 5];
        let folds = assign_folds(&classes, &patients, 2, 1).unwrap();
        assert_eq!(folds[0], folds[1]);
        assert_ne!(
            folds[1], folds[4],
            "each fold has one of the two positive patients"
        );
    }

    #[test]
    fn a_class_with_too_few_patients_is_named() {
        let error = assign_folds(&[0, 0, 0, 1, 1, 1], &[1, 2, 3, 4, 5, 5], 3, 1).unwrap_err();
        assert_eq!(
            error.to_string(),
            "class 1 has 2 patients, fewer than the 3 folds: lower crossValidation.folds, add \
             patients of this class, or leave out the task"
        );
        assert!(matches!(
            assign_folds(&[0], &[1], 1, 1),
            Err(Error::TooFewFolds { folds: 1 })
        ));
        assert!(matches!(
            assign_folds(&[0], &[], 2, 1),
            Err(Error::LengthMismatch { .. })
        ));
    }

    fn sizes(folds: usize, of: impl Iterator<Item = usize>) -> Vec<usize> {
        let mut sizes = vec![0; folds];
        of.for_each(|fold| sizes[fold] += 1);
        sizes
    }

    /// Studies as (class, patient).
    fn cohort() -> impl Strategy<Value = Vec<(usize, u32)>> {
        prop::collection::vec((0_usize..3, 1_u32..60), 1..150)
    }

    proptest! {
        #[test]
        fn every_study_has_a_fold_and_no_patient_has_two(
            cohort in cohort(), folds in 2_usize..6, seed in any::<u64>(),
        ) {
            let (classes, patients): (Vec<_>, Vec<_>) = cohort.iter().copied().unzip();
            let Ok(assigned) = assign_folds(&classes, &patients, folds, seed) else {
                return Ok(());
            };
            prop_assert_eq!(assigned.len(), cohort.len());
            prop_assert!(assigned.iter().all(|&fold| fold < folds));
            let mut fold_of = BTreeMap::new();
            for (patient, fold) in patients.iter().zip(&assigned) {
                prop_assert_eq!(fold_of.entry(patient).or_insert(fold), &fold);
            }
            // Sizes within a stratum differ by at most the studies of one patient.
            for stratum in strata(cohort.iter().copied()).into_values() {
                let mut sizes = vec![0; folds];
                for patient in &stratum {
                    sizes[*fold_of[&patient.number]] += patient.studies;
                }
                let spread = sizes.iter().max().unwrap() - sizes.iter().min().unwrap();
                prop_assert!(spread <= stratum.iter().map(|p| p.studies).max().unwrap());
            }
        }

        #[test]
        fn single_studies_are_balanced_to_one_in_all_and_in_each_class(
            classes in prop::collection::vec(0_usize..3, 30..120), folds in 2_usize..6, seed in any::<u64>(),
        ) {
            let patients: Vec<u32> = (0..classes.len() as u32).collect();
            let Ok(assigned) = assign_folds(&classes, &patients, folds, seed) else {
                return Ok(());
            };
            let spread = |sizes: Vec<usize>| sizes.iter().max().unwrap() - sizes.iter().min().unwrap();
            prop_assert!(spread(sizes(folds, assigned.iter().copied())) <= 1);
            for class in classes.iter().collect::<BTreeSet<_>>() {
                let of_class = assigned.iter().zip(&classes).filter(|(_, c)| *c == class);
                prop_assert!(spread(sizes(folds, of_class.map(|(fold, _)| *fold))) <= 1);
            }
        }

        #[test]
        fn the_order_of_the_studies_does_not_matter(
            cohort in cohort(), seed in any::<u64>(), rotation in 0_usize..150,
        ) {
            let split = |cohort: &[(usize, u32)]| {
                let (classes, patients): (Vec<_>, Vec<_>) = cohort.iter().copied().unzip();
                assign_folds(&classes, &patients, 3, seed)
                    .map(|folds| patients.into_iter().zip(folds).collect::<BTreeMap<_, _>>())
            };
            let mut turned = cohort.clone();
            turned.rotate_left(rotation % cohort.len());
            turned.reverse();
            prop_assert_eq!(split(&cohort), split(&turned));
        }
    }
}
