//! From the images of a cohort to what one network is fitted to: split, augment, normalise, weigh.

use rayon::iter::{IndexedParallelIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;
use snafu::{ResultExt, Snafu, ensure};

use super::{
    Augmentation, AugmentedImage, DrawnImages, FitData, Normalization, TrainingImages,
    assign_folds, class_weights, folds, normalization, split_validation,
};
use attrium_api::{AugmentationSpec, ClassWeights, CrossValidation, TrainingSpec};
use attrium_imaging::intensities;
use attrium_types::Intensity;

/// Why no network can be trained on a cohort.
#[derive(Debug, Snafu)]
pub enum Error {
    /// The cohort cannot be split.
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
    /// All studies are of one class.
    #[snafu(display(
        "all {studies} studies that a network would be trained on are of one class: add studies of \
         another, or leave out the task"
    ))]
    OneClass {
        /// The number of studies.
        studies: usize,
    },
    /// The training images cannot be normalised.
    #[snafu(display("the training images cannot be normalised"))]
    Normalization {
        /// Why.
        source: normalization::Error,
    },
}

/// What a network is fitted to and evaluated on.
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

/// The images of a cohort with their labels, one entry a study.
#[derive(Clone, Copy, Debug)]
pub struct LabelledImages<'a> {
    /// The counts of the crops, `side * side` pixels each, one after another.
    pub counts: &'a [f32],
    /// The side of an image, in pixels.
    pub side: usize,
    /// The class of each study.
    pub classes: &'a [usize],
    /// The pseudonym of each study's patient.
    pub patients: &'a [u32],
}

/// When the random copies are drawn that a network trains on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copies {
    /// As many as the manifest says, once; a part of the studies is kept for validation (paper, "Training").
    Once,
    /// One of each study, anew for each epoch, and nothing is kept for validation.
    EachEpoch,
}

/// How a cohort is prepared, as the manifest says.
#[derive(Clone, Copy, Debug)]
pub struct Preparation<'a> {
    /// The scale on which the network sees counts.
    pub intensity: Intensity,
    /// The folds and the seed.
    pub cross_validation: &'a CrossValidation,
    /// The random copies.
    pub augmentation: &'a AugmentationSpec,
    /// When they are drawn.
    pub copies: Copies,
    /// The share kept for validation and the class weights.
    pub training: &'a TrainingSpec,
    /// The names of the task's classes.
    pub classes: &'a [&'a str],
    /// The fold that is left out, from 0; `None` trains on every study.
    pub fold: Option<u32>,
    /// The normalisation that the network's first weights expect; `None` takes it from the training images.
    pub normalization: Option<&'a Normalization>,
}

impl Preparation<'_> {
    /// Prepares a cohort: the fold is left out, validation patients are split off, the rest is
    /// augmented, and the class weights and the normalisation, unless it is given, come from the
    /// augmented images alone, those of the first epoch where each has its own.
    ///
    /// # Errors
    /// When a class has too few patients for the folds, or what is left has a single class.
    pub fn prepare(&self, cohort: LabelledImages<'_>) -> Result<Prepared, Error> {
        let (seen, test) = self.leave_out(cohort)?;
        let (fit, normalization) = match self.copies {
            Copies::Once => self.draw_once(cohort, &seen)?,
            Copies::EachEpoch => self.draw_each_epoch(cohort, &seen)?,
        };
        Ok(Prepared {
            fit,
            normalization,
            test,
        })
    }

    fn draw_once(
        &self,
        cohort: LabelledImages<'_>,
        seen: &[usize],
    ) -> Result<(FitData, Normalization), Error> {
        let seed = u64::from(self.cross_validation.seed);
        let split = split_validation(
            seen,
            cohort.classes,
            cohort.patients,
            self.training.validation_percent,
            seed,
        );
        let train_classes = several_classes(cohort, &split.train)?;
        let augmentation = self.augmentation();
        let plan = augmentation.plan(&train_classes);
        let mut images = self.render(&augmentation, &plan, &split.train, cohort);
        let pixels = cohort.side * cohort.side;
        let normalization = match self.normalization {
            Some(given) => given.clone(),
            None => fitted(&images, pixels)?,
        };
        normalize(&normalization, &mut images, pixels);
        let labels: Vec<usize> = plan
            .iter()
            .map(|image| train_classes[image.source])
            .collect();
        let mut validation_images = self.gather(&split.validation, cohort);
        normalize(&normalization, &mut validation_images, pixels);
        let fit = FitData {
            images: TrainingImages::Ready(images),
            class_weights: self.class_weights(&labels),
            labels,
            validation_images,
            validation_labels: pick(cohort.classes, &split.validation),
        };
        Ok((fit, normalization))
    }

    fn draw_each_epoch(
        &self,
        cohort: LabelledImages<'_>,
        seen: &[usize],
    ) -> Result<(FitData, Normalization), Error> {
        let labels = several_classes(cohort, seen)?;
        let counts = seen.iter().map(|&study| cohort.counts_of(study));
        let mut images = DrawnImages {
            counts: counts.flatten().copied().collect(),
            side: cohort.side,
            augmentation: self.augmentation(),
            intensity: self.intensity,
            normalization: None,
        };
        let pixels = cohort.side * cohort.side;
        let normalization = match self.normalization {
            Some(given) => given.clone(),
            None => fitted(&first_epoch(&images, seen.len(), pixels), pixels)?,
        };
        images.normalization = Some(normalization.clone());
        let fit = FitData {
            images: TrainingImages::Drawn(images),
            class_weights: self.class_weights(&labels),
            labels,
            validation_images: Vec::new(),
            validation_labels: Vec::new(),
        };
        Ok((fit, normalization))
    }

    /// The studies that may be seen, and those of the fold that is left out.
    fn leave_out(&self, cohort: LabelledImages<'_>) -> Result<(Vec<usize>, Vec<usize>), Error> {
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

    /// An error of the folds, with the name of the class that it is about.
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
            exposure_percent: f64::from(spec.exposure_percent),
            seed: u64::from(self.cross_validation.seed),
            // A training on all studies has a stream that no fold has.
            fold: self.fold.map_or(u64::MAX, u64::from),
        }
    }

    fn class_weights(&self, labels: &[usize]) -> Vec<f32> {
        match self.training.class_weights {
            ClassWeights::Balanced => class_weights(labels, self.classes.len()),
            ClassWeights::None => vec![1.0; self.classes.len()],
        }
    }

    /// The augmented images of a plan whose sources are counted within `train`.
    fn render(
        &self,
        augmentation: &Augmentation,
        plan: &[AugmentedImage],
        train: &[usize],
        cohort: LabelledImages<'_>,
    ) -> Vec<f32> {
        let pixels = cohort.side * cohort.side;
        let mut images = vec![0.0; plan.len() * pixels];
        images
            .par_chunks_exact_mut(pixels)
            .zip(plan)
            .for_each(|(target, image)| {
                let counts = cohort.counts_of(train[image.source]);
                augmentation.render(image, counts, self.intensity, target);
            });
        images
    }

    fn gather(&self, studies: &[usize], cohort: LabelledImages<'_>) -> Vec<f32> {
        let of_study = |&study: &usize| intensities(cohort.counts_of(study), self.intensity);
        studies.iter().flat_map(of_study).collect()
    }
}

impl<'a> LabelledImages<'a> {
    fn counts_of(&self, study: usize) -> &'a [f32] {
        let pixels = self.side * self.side;
        &self.counts[study * pixels..][..pixels]
    }
}

/// The classes of some studies, of which there are two at least.
fn several_classes(cohort: LabelledImages<'_>, studies: &[usize]) -> Result<Vec<usize>, Error> {
    let classes = pick(cohort.classes, studies);
    let first = classes.first();
    ensure!(
        classes.iter().any(|class| Some(class) != first),
        OneClassSnafu {
            studies: classes.len()
        }
    );
    Ok(classes)
}

fn pick(values: &[usize], indices: &[usize]) -> Vec<usize> {
    indices.iter().map(|&index| values[index]).collect()
}

/// The normalisation of these images.
fn fitted(images: &[f32], pixels: usize) -> Result<Normalization, Error> {
    Normalization::fit(images.chunks_exact(pixels)).context(NormalizationSnafu)
}

/// The images of the first epoch, before any normalisation.
fn first_epoch(images: &DrawnImages, count: usize, pixels: usize) -> Vec<f32> {
    let mut first = vec![0.0; count * pixels];
    first
        .par_chunks_exact_mut(pixels)
        .enumerate()
        .for_each(|(image, target)| images.render(0, image, target));
    first
}

fn normalize(normalization: &Normalization, images: &mut [f32], pixels: usize) {
    images
        .par_chunks_exact_mut(pixels)
        .for_each(|image| normalization.apply(image));
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDE: usize = 4;
    const STUDIES: usize = 40;

    struct Fixture {
        counts: Vec<f32>,
        classes: Vec<usize>,
        patients: Vec<u32>,
    }

    impl Fixture {
        /// Every pixel's logarithm is the study's number; every tenth patient has two studies.
        fn new() -> Self {
            Self {
                counts: (0..STUDIES)
                    .flat_map(|study| vec![(study as f32).exp(); SIDE * SIDE])
                    .collect(),
                classes: (0..STUDIES)
                    .map(|study| usize::from(study % 4 == 0))
                    .collect(),
                patients: (0..STUDIES as u32)
                    .map(|study| study - u32::from(study % 10 == 1))
                    .collect(),
            }
        }

        fn cohort(&self) -> LabelledImages<'_> {
            LabelledImages {
                counts: &self.counts,
                side: SIDE,
                classes: &self.classes,
                patients: &self.patients,
            }
        }
    }

    fn prepare(fixture: &Fixture, fold: Option<u32>, images: u32) -> Result<Prepared, Error> {
        prepare_copies(fixture, fold, images, Copies::Once)
    }

    /// The training images of an epoch.
    fn rendered(prepared: &Prepared, epoch: u32) -> Vec<f32> {
        match &prepared.fit.images {
            TrainingImages::Ready(images) => images.clone(),
            TrainingImages::Drawn(images) => {
                let mut all = vec![0.0; images.len() * SIDE * SIDE];
                let targets = all.chunks_exact_mut(SIDE * SIDE).enumerate();
                targets.for_each(|(image, target)| images.render(epoch, image, target));
                all
            }
        }
    }

    fn prepare_copies(
        fixture: &Fixture,
        fold: Option<u32>,
        images: u32,
        copies: Copies,
    ) -> Result<Prepared, Error> {
        prepare_with(fixture, fold, images, copies, None)
    }

    fn prepare_with(
        fixture: &Fixture,
        fold: Option<u32>,
        images: u32,
        copies: Copies,
        normalization: Option<&Normalization>,
    ) -> Result<Prepared, Error> {
        Preparation {
            intensity: Intensity::Paper,
            cross_validation: &CrossValidation { folds: 4, seed: 7 },
            augmentation: &AugmentationSpec {
                images,
                shift_percent: 0,
                rotation_degrees: 0,
                scale_percent: 0,
                exposure_percent: 0,
            },
            copies,
            training: &TrainingSpec {
                validation_percent: 20,
                ..TrainingSpec::default()
            },
            classes: &["negative", "positive"],
            fold,
            normalization,
        }
        .prepare(fixture.cohort())
    }

    /// The studies whose images are among these, found by undoing the normalisation.
    fn studies(prepared: &Prepared, images: &[f32]) -> Vec<usize> {
        let (mean, deviation) = (
            prepared.normalization.mean[0],
            prepared.normalization.deviation[0],
        );
        images
            .chunks_exact(SIDE * SIDE)
            .map(|image| (image[0] * deviation + mean).round() as usize)
            .collect()
    }

    #[test]
    fn no_patient_is_on_two_sides_of_a_split() {
        let fixture = Fixture::new();
        let prepared = prepare(&fixture, Some(1), 100).unwrap();
        let patients = |studies: &[usize]| -> Vec<u32> {
            studies
                .iter()
                .map(|&study| fixture.patients[study])
                .collect()
        };
        let train = patients(&studies(&prepared, &rendered(&prepared, 0)));
        let validation = patients(&studies(&prepared, &prepared.fit.validation_images));
        let test = patients(&prepared.test);
        assert!(!validation.is_empty() && !test.is_empty());
        assert!(
            train
                .iter()
                .all(|patient| !validation.contains(patient) && !test.contains(patient))
        );
        assert!(validation.iter().all(|patient| !test.contains(patient)));
    }

    #[test]
    fn a_normalisation_that_is_given_is_used_for_every_image() {
        let given = Normalization {
            mean: vec![3.0; SIDE * SIDE],
            deviation: vec![2.0; SIDE * SIDE],
        };
        let fixture = Fixture::new();
        for copies in [Copies::Once, Copies::EachEpoch] {
            let own = prepare_copies(&fixture, Some(1), 100, copies).unwrap();
            let prepared = prepare_with(&fixture, Some(1), 100, copies, Some(&given)).unwrap();
            assert_eq!(prepared.normalization, given);
            assert_ne!(own.normalization, given);
            for (with_given, with_own) in [
                (rendered(&prepared, 0), rendered(&own, 0)),
                (
                    prepared.fit.validation_images.clone(),
                    own.fit.validation_images.clone(),
                ),
            ] {
                assert_eq!(studies(&prepared, &with_given), studies(&own, &with_own));
            }
        }
    }

    #[test]
    fn there_are_exactly_as_many_images_as_asked_for_and_labels_follow_them() {
        let fixture = Fixture::new();
        for images in [7, 24, 101] {
            let prepared = prepare(&fixture, Some(0), images).unwrap();
            assert_eq!(prepared.fit.labels.len(), images as usize);
            let sources = studies(&prepared, &rendered(&prepared, 0));
            let labels: Vec<usize> = sources
                .iter()
                .map(|&study| fixture.classes[study])
                .collect();
            assert_eq!(prepared.fit.labels, labels);
        }
    }

    #[test]
    fn the_normalisation_is_of_the_training_images_alone() {
        let prepared = prepare(&Fixture::new(), Some(2), 60).unwrap();
        let count = prepared.fit.labels.len() as f32;
        let first = |images: &[f32]| images.chunks_exact(SIDE * SIDE).map(|i| i[0]).sum::<f32>();
        assert!((first(&rendered(&prepared, 0)) / count).abs() < 1e-4);
        let validation = prepared.fit.validation_labels.len() as f32;
        assert!((first(&prepared.fit.validation_images) / validation).abs() > 1e-3);
    }

    #[test]
    fn a_class_with_too_few_patients_is_named_as_the_task_names_it() {
        let mut fixture = Fixture::new();
        fixture.classes = (0..STUDIES).map(|study| usize::from(study == 5)).collect();
        let error = prepare(&fixture, Some(0), 10).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the class \"positive\" has 1 patient, fewer than the 4 folds: lower \
             crossValidation.folds, add patients of this class, or leave out the task"
        );
    }

    #[test]
    fn without_a_fold_every_study_is_seen() {
        let fixture = Fixture::new();
        let prepared = prepare(&fixture, None, 200).unwrap();
        assert!(prepared.test.is_empty());
        let mut seen = studies(&prepared, &rendered(&prepared, 0));
        seen.extend(studies(&prepared, &prepared.fit.validation_images));
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), STUDIES);
    }

    #[test]
    fn copies_of_each_epoch_are_of_every_study_that_is_seen_and_of_no_other() {
        let fixture = Fixture::new();
        let prepared = prepare_copies(&fixture, Some(1), 100, Copies::EachEpoch).unwrap();
        let whole = prepare(&fixture, Some(1), 100).unwrap();
        assert_eq!(prepared.test, whole.test);
        assert!(prepared.fit.validation_labels.is_empty());
        let seen = studies(&prepared, &rendered(&prepared, 3));
        let expected: Vec<usize> = (0..STUDIES)
            .filter(|study| !prepared.test.contains(study))
            .collect();
        assert_eq!(seen, expected);
        let labels: Vec<usize> = seen.iter().map(|&study| fixture.classes[study]).collect();
        assert_eq!(prepared.fit.labels, labels);
    }

    #[test]
    fn a_cohort_of_one_class_cannot_be_trained_on() {
        let mut fixture = Fixture::new();
        fixture.classes.fill(0);
        let error = prepare(&fixture, Some(0), 10).unwrap_err();
        assert!(matches!(error, Error::OneClass { .. }), "{error}");
    }
}
