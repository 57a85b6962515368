//! The fit of one network: its data, its checkpoints and its progress.

use std::time::Instant;

use super::attempt::Attempt;
use super::failure::OrFail;
use super::starting_weights::StartingWeights;
use super::task_io::TrainingIo;
use super::{Progress, TaskContext, TaskError, Unit};
use attrium_api::{HeartTraining, TrainingRunSpec};
use attrium_dataset::Cohort;
use attrium_imaging::{CROP_SIZE, intensities};
use attrium_nn::{Device, Network};
use attrium_storage::Storage;
use attrium_training as training;
use attrium_training::fit::Error as FitError;
use attrium_training::{Copies, Fit, FitConfig, FitData, Preparation, Prepared, Recipe};
use attrium_types::{Architecture, Intensity, Target};

/// The largest checkpoint that is read, in bytes.
const LARGEST_CHECKPOINT: u64 = 4 << 30;

/// Where an attempt keeps its checkpoint and its table of epochs.
pub(super) struct Checkpoints<'a> {
    attempt: &'a Attempt,
    store: &'a Storage,
    checkpoint: String,
    history: String,
    /// Epochs between two checkpoints.
    every: u32,
}

impl<'a> Checkpoints<'a> {
    /// Those of a task, under these names.
    pub(crate) fn new(io: &TrainingIo<'a>, checkpoint: String, history: String) -> Self {
        Self {
            attempt: &io.files.attempt,
            store: &io.files.store,
            checkpoint,
            history,
            every: io.spec.training.checkpoint_epochs,
        }
    }
}

/// What a fit starts with, and where it is computed.
pub(super) struct Start<'a> {
    pub weights: &'a StartingWeights,
    pub device: &'a Device,
}

/// A cohort as one fit sees it: all studies, or all but those of a fold.
pub(super) fn prepare(
    spec: &TrainingRunSpec,
    cohort: &Cohort,
    (architecture, target): (Architecture, Target),
    fold: Option<u32>,
    start: &StartingWeights,
) -> Result<Prepared, TaskError> {
    let preparation = Preparation {
        intensity: spec.preprocessing.intensity,
        cross_validation: &spec.cross_validation,
        augmentation: &spec.augmentation,
        copies: match architecture {
            Architecture::Heart => Copies::EachEpoch,
            _ => Copies::Once,
        },
        training: &spec.training,
        classes: target.classes(),
        fold,
        normalization: start.normalization(),
    };
    let numbers = training::LabelledImages {
        counts: &cohort.crops,
        side: CROP_SIZE,
        classes: &cohort.classes(target),
        patients: &cohort.patients(),
    };
    preparation.prepare(numbers).or_bad_data()
}

/// The images of some studies, one after the other, as a network sees them before its normalisation.
pub(super) fn images(cohort: &Cohort, studies: &[usize], intensity: Intensity) -> Vec<f32> {
    let of_study = |&study: &usize| intensities(cohort.crop(study), intensity);
    studies.iter().flat_map(of_study).collect()
}

/// How one network is fitted to so many images an epoch.
pub(super) fn config(
    spec: &TrainingRunSpec,
    architecture: Architecture,
    target: Target,
    stream: u64,
    images: usize,
) -> FitConfig {
    let training = &spec.training;
    let paper = FitConfig {
        architecture,
        classes: target.classes().len(),
        epochs: training.epochs,
        batch_size: training.batch_size as usize,
        learning_rate: training.learning_rate.value(),
        recipe: Recipe::Paper {
            min_learning_rate: training.min_learning_rate.value(),
            patience: training.patience,
        },
        // Folds of one run differ, and two runs whose seeds differ share no stream.
        seed: (u64::from(spec.cross_validation.seed) << 32) | stream,
    };
    match architecture {
        Architecture::Heart => of_heart(&training.heart, images, paper),
        _ => paper,
    }
}

/// How Heart is fitted: for as many whole epochs as have the steps that the manifest asks for.
fn of_heart(heart: &HeartTraining, images: usize, paper: FitConfig) -> FitConfig {
    let batch_size = heart.batch_size as usize;
    let steps_per_epoch = images.div_ceil(batch_size).max(1) as u32;
    FitConfig {
        epochs: heart.steps.div_ceil(steps_per_epoch),
        batch_size,
        learning_rate: heart.learning_rate.value(),
        recipe: Recipe::OneCycle {
            weight_decay: heart.weight_decay.value(),
        },
        ..paper
    }
}

/// Fits a network to its last epoch, going on from a checkpoint where there is one, and writes its history.
///
/// An interrupt leaves a checkpoint of this very step.
pub(super) fn fit(
    config: FitConfig,
    data: FitData,
    start: Start<'_>,
    checkpoints: &Checkpoints<'_>,
    context: &TaskContext<'_>,
) -> Result<Network, TaskError> {
    let (mut fit, mut earlier) = resume(config, data, &start, checkpoints)?;
    let mut throughput = Throughput::new();
    while !fit.is_finished() {
        if context.interrupt.is_set() {
            save(&fit, checkpoints, &mut earlier)?;
            return Err(TaskError::Interrupted);
        }
        checkpoints.attempt.check()?;
        let step = fit.step().or_bad_data()?;
        throughput.count(step.images);
        if let Some(epoch) = step.finished_epoch {
            keep_history(&fit, checkpoints)?;
            if epoch.epoch.is_multiple_of(checkpoints.every) || fit.is_finished() {
                save(&fit, checkpoints, &mut earlier)?;
            }
        }
        context.progress.update(progress(&fit, &throughput));
    }
    let history = fit.history().to_csv().or_retry()?;
    checkpoints.attempt.put(&checkpoints.history, history)?;
    Ok(fit.network())
}

/// A fit at the checkpoint of the latest attempt that has left one that fits, with its history, or at its
/// beginning; and all that earlier attempts have left.
fn resume(
    config: FitConfig,
    data: FitData,
    start: &Start<'_>,
    checkpoints: &Checkpoints<'_>,
) -> Result<(Fit, Vec<String>), TaskError> {
    let mut fit = begin(config, data, start)?;
    let earlier = checkpoints.attempt.kept_before(&checkpoints.checkpoint)?;
    for key in &earlier {
        let kept = checkpoints.store.try_get(key, LARGEST_CHECKPOINT);
        let Some(checkpoint) = kept.or_retry()? else {
            continue;
        };
        match fit.restore(&checkpoint) {
            Ok(()) => {
                keep_history(&fit, checkpoints)?;
                return Ok((fit, earlier));
            }
            Err(error @ FitError::Checkpoint { .. }) => {
                tracing::warn!(%error, "A checkpoint is of no use");
            }
            Err(error) => return Err(TaskError::bad_data(error)),
        }
    }
    if !earlier.is_empty() {
        tracing::warn!("The training starts over");
    }
    Ok((fit, earlier))
}

/// A fit before its first step. Weights that do not fit are told before anything is trained.
fn begin(config: FitConfig, data: FitData, start: &Start<'_>) -> Result<Fit, TaskError> {
    let FitConfig { classes, seed, .. } = config;
    let fit = match start.weights {
        StartingWeights::Random => Fit::new(config, data, start.device),
        StartingWeights::ImageNet(weights) => {
            let network = Network::pretrained(weights, classes, seed, start.device);
            let network = network.or_bad_configuration()?;
            Fit::from_network(config, data, network, weights.digest())
        }
        StartingWeights::Bundle(member) => {
            let network = member.network(classes, seed)?;
            Fit::from_network(config, data, network, &member.digest)
        }
    };
    fit.or_bad_data()
}

/// Keeps a checkpoint; those of earlier attempts are of no use from then on.
fn save(
    fit: &Fit,
    checkpoints: &Checkpoints<'_>,
    earlier: &mut Vec<String>,
) -> Result<(), TaskError> {
    let Checkpoints { attempt, store, .. } = checkpoints;
    attempt.keep(&checkpoints.checkpoint, fit.checkpoint().or_retry()?)?;
    for key in earlier.drain(..) {
        if let Err(error) = store.delete(&key) {
            tracing::warn!(%error, "The checkpoint of an earlier attempt stays");
        }
    }
    Ok(())
}

/// Writes down the epochs so far, for people; the last ones' table is an artefact.
fn keep_history(fit: &Fit, checkpoints: &Checkpoints<'_>) -> Result<(), TaskError> {
    let history = fit.history().to_csv().or_retry()?;
    checkpoints.attempt.keep(&checkpoints.history, history)
}

fn progress(fit: &Fit, throughput: &Throughput) -> Progress {
    let epochs = &fit.history().epochs;
    let last = epochs.last();
    Progress {
        done: fit.steps_taken(),
        total: fit.steps_per_epoch() as u64 * u64::from(fit.epochs()),
        unit: Unit::Batches,
        epoch: Some(epochs.len() as u32),
        epochs: Some(fit.epochs()),
        loss: last.map(|epoch| epoch.loss),
        validation_loss: last.and_then(|epoch| epoch.validation_loss),
        images_per_second: throughput.images_per_second(),
    }
}

/// Images trained on since the task was started.
struct Throughput {
    since: Instant,
    images: usize,
}

impl Throughput {
    fn new() -> Self {
        Self {
            since: Instant::now(),
            images: 0,
        }
    }

    fn count(&mut self, images: usize) {
        self.images += images;
    }

    fn images_per_second(&self) -> Option<f64> {
        let seconds = self.since.elapsed().as_secs_f64();
        (seconds > 0.0).then(|| self.images as f64 / seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heart_is_trained_for_whole_epochs_that_have_the_steps_asked_for() {
        let paper = FitConfig {
            architecture: Architecture::Heart,
            classes: 4,
            epochs: 50,
            batch_size: 128,
            learning_rate: 1e-4,
            recipe: Recipe::Paper {
                min_learning_rate: 1e-7,
                patience: 2,
            },
            seed: 1,
        };
        let heart = HeartTraining {
            steps: 500,
            ..HeartTraining::default()
        };
        let epochs = |images| of_heart(&heart, images, paper.clone()).epochs;
        // 9 steps an epoch, then 1, then 500 and 501.
        let images = [267, 20, 500 * 32, 500 * 32 + 1];
        assert_eq!(images.map(epochs), [56, 500, 1, 1]);
        let config = of_heart(&heart, 267, paper);
        assert_eq!((config.batch_size, config.learning_rate), (32, 3e-3));
        assert_eq!(config.recipe, Recipe::OneCycle { weight_decay: 0.02 });
    }
}
