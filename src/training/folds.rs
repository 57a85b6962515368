//! Folds of a cross-validation: stratified by class and grouped by patient.
//!
//! It never looks at images, and the order of its input does not matter: patients are sorted by
//! their pseudonym before anything is drawn.

use std::collections::BTreeMap;

use snafu::{Snafu, ensure};

use crate::random;

/// Why a cohort cannot be split into folds.
#[derive(Clone, Debug, PartialEq, Eq, Snafu)]
pub enum Error {
    /// A class cannot be in every fold.
    #[snafu(display(
        "class {class} has {patients} patients, fewer than the {folds} folds: \
         lower crossValidation.folds, add patients of this class, or leave out the task"
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
