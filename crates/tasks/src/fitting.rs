//! The fit of one network: its data, its checkpoints and its progress.

use std::time::Instant;

use super::failure::OrFail;
use super::{Progress, TaskContext, TaskError, Unit};
use attrium_api::TrainingRunSpec;
use attrium_dataset::Cohort;
use attrium_imaging::{CROP_PIXELS, CROP_SIZE, log_image};
use attrium_nn::{Device, Network, PretrainedWeights};
use attrium_storage::Storage;
use attrium_training as training;
use attrium_training::fit::Error as FitError;
use attrium_training::{Fit, FitConfig, FitData, Preparation, Prepared};
use attrium_types::{Architecture, Target};

/// The largest checkpoint that is read, in bytes.
const LARGEST_CHECKPOINT: u64 = 4 << 30;

/// Where a fit keeps its checkpoint and its table of epochs, as keys of the run's store.
pub(super) struct Checkpoints<'a> {
    pub store: &'a Storage,
    pub checkpoint: String,
    pub history: String,
    /// Epochs between two checkpoints.
    pub every: u32,
}

/// What a fit starts with, and where it is computed.
pub(super) struct InitialWeights<'a> {
    /// The weights; random ones where absent.
    pub pretrained: Option<&'a PretrainedWeights>,
    pub device: &'a Device,
}

/// A cohort as one fit sees it: all studies, or all but those of a fold.
pub(super) fn prepare(
    spec: &TrainingRunSpec,
    cohort: &Cohort,
    images: &[f32],
    target: Target,
    fold: Option<u32>,
) -> Result<Prepared, TaskError> {
    let preparation = Preparation {
        cross_validation: &spec.cross_validation,
        augmentation: &spec.augmentation,
        training: &spec.training,
        classes: target.classes(),
        fold,
    };
    let numbers = training::LabelledImages {
        images,
        side: CROP_SIZE,
        classes: &cohort.classes(target),
        patients: &cohort.patients(),
    };
    preparation.prepare(numbers).or_bad_data()
}

/// The logarithms of a cohort's crops.
pub(super) fn log_images(cohort: &Cohort) -> Vec<f32> {
    let crops = cohort.crops.chunks_exact(CROP_PIXELS);
    crops.flat_map(log_image).collect()
}

/// How one network is fitted.
pub(super) fn config(
    spec: &TrainingRunSpec,
    architecture: Architecture,
    target: Target,
    stream: u64,
) -> FitConfig {
    let training = &spec.training;
    FitConfig {
        architecture,
        classes: target.classes().len(),
        epochs: training.epochs,
        batch_size: training.batch_size as usize,
        learning_rate: training.learning_rate.value(),
        min_learning_rate: training.min_learning_rate.value(),
        patience: training.patience,
        // Folds of one run differ, and two runs whose seeds differ share no stream.
        seed: (u64::from(spec.cross_validation.seed) << 32) | stream,
    }
}

/// Fits a network to its last epoch, going on from a checkpoint where there is one.
///
/// An interrupt leaves a checkpoint of this very step.
pub(super) fn fit(
    config: FitConfig,
    data: FitData,
    initial: InitialWeights<'_>,
    checkpoints: &Checkpoints<'_>,
    context: &TaskContext<'_>,
) -> Result<Network, TaskError> {
    let mut fit = resume(config, data, &initial, checkpoints)?;
    let mut throughput = Throughput::new();
    while !fit.is_finished() {
        if context.interrupt.is_set() {
            save(&fit, checkpoints)?;
            return Err(TaskError::Interrupted);
        }
        let step = fit.step().or_bad_data()?;
        throughput.count(step.images);
        if let Some(epoch) = step.finished_epoch {
            let history = fit.history().to_csv().or_retry()?;
            checkpoints
                .store
                .put(&checkpoints.history, history)
                .or_retry()?;
            if epoch.epoch.is_multiple_of(checkpoints.every) || fit.is_finished() {
                save(&fit, checkpoints)?;
            }
        }
        context.progress.update(progress(&fit, &throughput));
    }
    Ok(fit.network())
}

/// A fit at its last checkpoint, or at its beginning where there is none that fits.
fn resume(
    config: FitConfig,
    data: FitData,
    initial: &InitialWeights<'_>,
    checkpoints: &Checkpoints<'_>,
) -> Result<Fit, TaskError> {
    let mut fit = begin(config, data, initial)?;
    let kept = checkpoints
        .store
        .try_get(&checkpoints.checkpoint, LARGEST_CHECKPOINT);
    if let Some(checkpoint) = kept.or_retry()? {
        match fit.restore(&checkpoint) {
            Ok(()) => {}
            Err(error @ FitError::Checkpoint { .. }) => {
                tracing::warn!(%error, "The training starts over");
            }
            Err(error) => return Err(TaskError::bad_data(error)),
        }
    }
    Ok(fit)
}

/// A fit before its first step. Weights that do not fit are told before anything is trained.
fn begin(config: FitConfig, data: FitData, initial: &InitialWeights<'_>) -> Result<Fit, TaskError> {
    let Some(weights) = initial.pretrained else {
        return Fit::new(config, data, initial.device).or_bad_data();
    };
    let FitConfig { classes, seed, .. } = config;
    let network = Network::pretrained(weights, classes, seed, initial.device);
    let network = network.or_bad_configuration()?;
    Fit::from_network(config, data, network, weights.digest()).or_bad_data()
}

fn save(fit: &Fit, checkpoints: &Checkpoints<'_>) -> Result<(), TaskError> {
    let checkpoint = fit.checkpoint().or_retry()?;
    checkpoints
        .store
        .put(&checkpoints.checkpoint, checkpoint)
        .or_retry()
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
