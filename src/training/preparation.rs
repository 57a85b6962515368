//! From a cohort's images to what one network is fitted to: split, augment, normalise, weigh.

use rayon::iter::{IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;
use snafu::{ResultExt, Snafu, ensure};

use super::{
    Augmentation, AugmentedImage, FitData, Normalization, assign_folds, class_weights, folds,
    normalization, split_validation,
};
use crate::api::{AugmentationSpec, ClassWeights, CrossValidation, TrainingSpec};

/// Why a cohort cannot be trained on.
#[derive(Debug, Snafu)]
pub enum Error {
    /// It cannot be split.
    #[snafu(display("the cohort cannot be split into folds"))]
    Folds {
        /// Why.
        source: folds::Error,
    },
    /// A class cannot be in every fold.
    #[snafu(display(
        "the class {class:?} has {patients} {}, fewer than the {folds} folds: {}",
        if *patients == 1 { "patient" } else { "patients" },
        folds::REMEDY
    ))]
    TooFewPatients {
        /// The class's name.
        class: String,
        /// How many patients have it as their highest class.
        patients: usize,
        /// How many folds were asked for.
        folds: usize,
    },
    /// It has no class to tell apart.
    #[snafu(display(
        "all {studies} studies that a network would be trained on are of one class: add studies of \
         another, or leave out the task"
    ))]
    OneClass {
        /// The number of studies.
        studies: usize,
    },
    /// There are no images.
    #[snafu(display("the training images cannot be normalised"))]
    Normalization {
        /// Why.
        source: normalization::Error,
    },
}

/// What a network is fitted to and judged by.
#[derive(Clone, Debug, PartialEq)]
pub struct Prepared {
    /// The augmented, normalised training images and the normalised validation images.
    pub fit: FitData,
    /// The z-score of the training images, which every other image goes through too.
    pub normalization: Normalization,
    /// The studies that the network must not have seen, as indices into the cohort; empty when
    /// no fold is left out.
    pub test: Vec<usize>,
}

/// A cohort as numbers, one entry a study.
#[derive(Clone, Copy, Debug)]
pub struct Cohort<'a> {
    /// The logarithms of the crops' counts, `side * side` pixels each, one after another.
    pub images: &'a [f32],
    /// The side of an image, in pixels.
    pub side: usize,
    /// The class of each study.
    pub classes: &'a [usize],
    /// The pseudonym of each study's patient.
    pub patients: &'a [u32],
}

/// How a cohort is prepared, in the manifest's own words.
#[derive(Clone, Copy, Debug)]
pub struct Preparation<'a> {
    /// The folds and the seed.
    pub cross_validation: &'a CrossValidation,
    /// The random copies.
    pub augmentation: &'a AugmentationSpec,
    /// The share kept for validation and the class weights.
    pub training: &'a TrainingSpec,
    /// The names of the task's classes.
    pub classes: &'a [&'a str],
    /// The fold that is left out, from 0; `None` trains on every study.
    pub fold: Option<u32>,
}

impl Preparation<'_> {
    /// Prepares a cohort: the fold is left out, validation patients are split off, the rest is
    /// augmented, and the normalisation and the class weights come from the augmented images
    /// alone.
    ///
    /// # Errors
    /// When a class has too few patients for the folds, or what is left has a single class.
    pub fn prepare(&self, cohort: Cohort<'_>) -> Result<Prepared, Error> {
        let (seen, test) = self.leave_out(cohort)?;
        let seed = u64::from(self.cross_validation.seed);
        let split = split_validation(
            &seen,
            cohort.classes,
            cohort.patients,
            self.training.validation_percent,
            seed,
        );
        let train_classes = pick(cohort.classes, &split.train);
        let first = train_classes.first();
        ensure!(
            train_classes.iter().any(|class| Some(class) != first),
            OneClassSnafu {
                studies: train_classes.len()
            }
        );

        let plan = self.augmentation().plan(&train_classes);
        let mut images = render(&plan, &split.train, cohort);
        let pixels = cohort.side * cohort.side;
        let normalization =
            Normalization::fit(images.chunks_exact(pixels)).context(NormalizationSnafu)?;
        normalize(&normalization, &mut images, pixels);
        let labels: Vec<usize> = plan
            .iter()
            .map(|image| train_classes[image.source])
            .collect();
        let mut validation_images = gather(&split.validation, cohort);
        normalize(&normalization, &mut validation_images, pixels);
        Ok(Prepared {
            fit: FitData {
                images,
                class_weights: self.class_weights(&labels),
                labels,
                validation_images,
                validation_labels: pick(cohort.classes, &split.validation),
            },
            normalization,
            test,
        })
    }

    /// The studies that may be seen, and those of the fold that is left out.
    fn leave_out(&self, cohort: Cohort<'_>) -> Result<(Vec<usize>, Vec<usize>), Error> {
        let studies = 0..cohort.classes.len();
        let Some(fold) = self.fold else {
            return Ok((studies.collect(), Vec::new()));
        };
        let folds = assign_folds(
            cohort.classes,
            cohort.patients,
            self.cross_validation.folds as usize,
            u64::from(self.cross_validation.seed),
        )
        .map_err(|error| self.name_class(error))?;
        Ok(studies.partition(|&study| folds[study] != fold as usize))
    }

    /// An error of the folds, where the class that it is about has its name.
    fn name_class(&self, source: folds::Error) -> Error {
        match source {
            folds::Error::TooFewPatients {
                class,
                patients,
                folds,
            } if class < self.classes.len() => Error::TooFewPatients {
                class: self.classes[class].to_owned(),
                patients,
                folds,
            },
            source => Error::Folds { source },
        }
    }

    fn augmentation(&self) -> Augmentation {
        let spec = self.augmentation;
        Augmentation {
            images: spec.images as usize,
            shift_percent: f64::from(spec.shift_percent),
            rotation_degrees: f64::from(spec.rotation_degrees),
            scale_percent: f64::from(spec.scale_percent),
            seed: u64::from(self.cross_validation.seed),
            // All studies draw from a stream that no fold has.
            fold: self.fold.map_or(u64::MAX, u64::from),
        }
    }

    fn class_weights(&self, labels: &[usize]) -> Vec<f32> {
        match self.training.class_weights {
            ClassWeights::Balanced => class_weights(labels, self.classes.len()),
            ClassWeights::None => vec![1.0; self.classes.len()],
        }
    }
}

fn pick(values: &[usize], indices: &[usize]) -> Vec<usize> {
    indices.iter().map(|&index| values[index]).collect()
}

/// The augmented images of a plan whose sources are counted within `train`.
fn render(plan: &[AugmentedImage], train: &[usize], cohort: Cohort<'_>) -> Vec<f32> {
    let pixels = cohort.side * cohort.side;
    let mut images = vec![0.0; plan.len() * pixels];
    images
        .par_chunks_exact_mut(pixels)
        .zip(plan.par_iter())
        .for_each(|(target, image)| {
            let source = &cohort.images[train[image.source] * pixels..][..pixels];
            image.transform.render(source, cohort.side, target);
        });
    images
}

fn gather(studies: &[usize], cohort: Cohort<'_>) -> Vec<f32> {
    let pixels = cohort.side * cohort.side;
    let of_study = |&study: &usize| &cohort.images[study * pixels..][..pixels];
    studies.iter().flat_map(of_study).copied().collect()
}

fn normalize(normalization: &Normalization, images: &mut [f32], pixels: usize) {
    images
        .par_chunks_exact_mut(pixels)
        .for_each(|image| normalization.apply(image));
}
