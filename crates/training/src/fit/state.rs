//! [`Fit`]: the network, the optimiser and the schedule between any two steps.

use burn::module::Module;
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::Device;
use snafu::{ResultExt, ensure};

use super::checkpoint::{self, FitProgress};
use super::epoch_sums::{EpochSums, count_right};
use super::error::{FinishedSnafu, NetworkSnafu, TrainingLossSnafu, ValidationLossSnafu};
use super::{Epoch, Error, FitConfig, FitData, History, Plateau};
use attrium_nn::loss::{cross_entropy, negative_log_likelihood};
use attrium_nn::{IMAGE_PIXELS, Network, TrainingStep, floats, image_tensor};
use attrium_types::random;

/// A network being fitted; see the [module](super).
///
/// The optimiser is Adam with Keras' defaults: decay rates of 0.9 and 0.999, epsilon 1e-7 (added
/// to the root of the bias-corrected second moment, as in the publication of Adam).
#[derive(Clone)]
pub struct Fit {
    config: FitConfig,
    data: FitData,
    fingerprint: String,
    device: Device,
    network: Network,
    optimizer: ModuleOptimizer,
    plateau: Plateau,
    /// Steps taken, over all epochs.
    taken: u64,
    /// Over the images of the current epoch.
    sums: EpochSums,
    history: History,
    /// The training images in the order of the current epoch.
    order: Vec<usize>,
}

/// The result of one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepReport {
    /// The epoch, counted from 1.
    pub epoch: u32,
    /// The number of epochs.
    pub epochs: u32,
    /// The step within the epoch, counted from 1.
    pub step: usize,
    /// The number of steps of an epoch.
    pub steps: usize,
    /// The mean loss over the batch, class weights included.
    pub loss: f64,
    /// The number of images in the batch.
    pub images: usize,
    /// The result of the epoch, if this was its last step.
    pub finished_epoch: Option<Epoch>,
}

impl Fit {
    /// A fit before its first step. Takes over the data; nothing is copied.
    ///
    /// # Errors
    ///
    /// [`Error::Config`], [`Error::Data`] or [`Error::Pixel`] if something given is impossible.
    pub fn new(config: FitConfig, data: FitData, device: &Device) -> Result<Self, Error> {
        config.validate()?;
        data.validate(config.classes)?;
        let network = Network::new(config.architecture, config.classes, config.seed, device)
            .context(NetworkSnafu)?;
        Ok(Self::begin(config, data, network, ""))
    }

    /// A fit before its first step, of a network that has weights already. `origin` identifies
    /// these weights: checkpoints of a fit from another origin are refused.
    ///
    /// # Errors
    ///
    /// As [`Fit::new`].
    pub fn from_network(
        config: FitConfig,
        data: FitData,
        network: Network,
        origin: &str,
    ) -> Result<Self, Error> {
        config.validate()?;
        data.validate(config.classes)?;
        Ok(Self::begin(config, data, network, origin))
    }

    /// A fit of configuration and data that have been checked.
    fn begin(config: FitConfig, data: FitData, network: Network, origin: &str) -> Self {
        let mut fit = Self {
            fingerprint: checkpoint::fingerprint(&config, &data, origin),
            device: network.device(),
            network: network.train(),
            optimizer: new_optimizer(),
            plateau: Plateau::new(
                config.learning_rate,
                config.min_learning_rate,
                config.patience,
            ),
            taken: 0,
            sums: EpochSums::default(),
            history: History::default(),
            order: Vec::new(),
            config,
            data,
        };
        fit.order = fit.order_of(0);
        fit
    }

    /// The fit that gave a checkpoint, at the step where it was taken.
    ///
    /// # Errors
    ///
    /// [`Error::Checkpoint`] if the bytes are torn, of another version, or of a fit with another
    /// configuration or other data: then only [`Fit::new`] is left. Otherwise as there.
    pub fn resume(
        config: FitConfig,
        data: FitData,
        device: &Device,
        checkpoint: &[u8],
    ) -> Result<Self, Error> {
        let mut fit = Self::new(config, data, device)?;
        fit.restore(checkpoint)?;
        Ok(fit)
    }

    /// The same fit in Burn's own operations on every device.
    #[cfg(test)]
    pub(super) fn without_engine(self) -> Self {
        Self {
            network: self.network.without_engine(),
            ..self
        }
    }

    /// Brings the fit to the step where a checkpoint of it was taken.
    ///
    /// # Errors
    ///
    /// [`Error::Checkpoint`] if the bytes are torn, of another version, or of a fit with another
    /// configuration or other data. The fit is then as before: one that has not begun begins.
    pub fn restore(&mut self, checkpoint: &[u8]) -> Result<(), Error> {
        let snapshot = checkpoint::read(checkpoint, &self.fingerprint)?;
        let images = self.data.labels.len();
        let history = snapshot.progress.history(&self.config, images)?;
        let FitProgress {
            taken,
            sums,
            learning_rate,
            best,
            waited,
            ..
        } = snapshot.progress;
        let FitConfig {
            architecture,
            classes,
            ..
        } = self.config;
        let network =
            Network::from_safetensors(architecture, classes, &snapshot.weights, &self.device)
                .context(NetworkSnafu)?;
        self.optimizer = checkpoint::read_optimizer(new_optimizer(), snapshot.optimizer)?;
        self.network = network.train();
        self.plateau = Plateau {
            learning_rate,
            best,
            waited,
            ..self.plateau
        };
        self.taken = taken;
        self.sums = sums;
        self.history = history;
        self.order = self.order_of(self.epoch());
        Ok(())
    }

    /// Everything that is needed to go on later, as bytes with a digest. It may be taken between
    /// any two steps.
    ///
    /// # Errors
    ///
    /// [`Error::Checkpoint`] or [`Error::Network`] if the state cannot be written.
    pub fn checkpoint(&self) -> Result<Vec<u8>, Error> {
        let progress = FitProgress {
            fingerprint: self.fingerprint.clone(),
            taken: self.taken,
            sums: self.sums,
            learning_rate: self.plateau.learning_rate,
            best: self.plateau.best,
            waited: self.plateau.waited,
            history: String::from_utf8_lossy(&self.history.to_csv()?).into_owned(),
        };
        let weights = self.network.to_safetensors().context(NetworkSnafu)?;
        checkpoint::write(&progress, &weights, &self.optimizer)
    }

    /// Trains on one batch; after the last batch of an epoch also evaluates the network on the
    /// validation images.
    ///
    /// # Errors
    ///
    /// [`Error::TrainingLoss`] and [`Error::ValidationLoss`] if a loss is infinite or not a number:
    /// the fit has failed and must not be continued. [`Error::Finished`] after the last step.
    pub fn step(&mut self) -> Result<StepReport, Error> {
        let epochs = self.config.epochs;
        ensure!(!self.is_finished(), FinishedSnafu { epochs });
        let (epoch, step) = (self.epoch(), self.step_of_epoch());
        let first = step * self.config.batch_size;
        let last = (first + self.config.batch_size).min(self.order.len());

        let (loss, right) = self.update(first..last)?;
        self.taken += 1;
        self.sums.add(loss, right, last - first);
        let finished_epoch = if last == self.order.len() {
            Some(self.finish_epoch()?)
        } else {
            None
        };
        Ok(StepReport {
            epoch: epoch + 1,
            epochs,
            step: step + 1,
            steps: self.steps_per_epoch(),
            loss,
            images: last - first,
            finished_epoch,
        })
    }

    /// One update of the weights by the images at these places of the order of the epoch. Returns
    /// the loss and the number of images that were classified correctly.
    fn update(&mut self, places: std::ops::Range<usize>) -> Result<(f64, usize), Error> {
        let chosen = &self.order[places];
        let labels: Vec<usize> = chosen
            .iter()
            .map(|&image| self.data.labels[image])
            .collect();
        let mut pixels = Vec::with_capacity(chosen.len() * IMAGE_PIXELS);
        for image in chosen {
            pixels.extend_from_slice(&self.data.images[image * IMAGE_PIXELS..][..IMAGE_PIXELS]);
        }

        let mut network = self.network.clone();
        let step = TrainingStep {
            seed: self.config.seed,
            number: self.taken,
        };
        let logits = network.forward_training(image_tensor(pixels, &self.device), step);
        let loss = cross_entropy(logits.clone(), &labels, &self.data.class_weights);
        let value = f64::from(floats(loss.clone().into_data())[0]);
        ensure!(
            value.is_finite(),
            TrainingLossSnafu {
                epoch: self.epoch() + 1,
                step: self.step_of_epoch() + 1,
                loss: value
            }
        );
        let right = count_right(&floats(logits.into_data()), &labels);

        let gradients = GradientsParams::from_grads(loss.backward(), &network);
        self.network = self
            .optimizer
            .step(self.plateau.learning_rate, network, gradients);
        Ok((value, right))
    }

    /// Evaluates the network, records the epoch and prepares the next.
    fn finish_epoch(&mut self) -> Result<Epoch, Error> {
        let number = self.history.epochs.len() as u32 + 1;
        let validation = self.validate()?;
        if let Some(sums) = validation {
            let loss = sums.loss();
            let step = self.steps_per_epoch();
            ensure!(
                loss.is_finite(),
                ValidationLossSnafu {
                    epoch: number,
                    step,
                    loss
                }
            );
        }
        let epoch = Epoch {
            epoch: number,
            loss: self.sums.loss(),
            accuracy: self.sums.accuracy(),
            validation_loss: validation.map(|sums| sums.loss()),
            validation_accuracy: validation.map(|sums| sums.accuracy()),
            learning_rate: self.plateau.learning_rate,
        };
        if let Some(loss) = epoch.validation_loss {
            self.plateau.observe(loss);
        }
        self.history.epochs.push(epoch);
        self.sums = EpochSums::default();
        self.order = self.order_of(self.epoch());
        Ok(epoch)
    }

    fn validate(&self) -> Result<Option<EpochSums>, Error> {
        if self.data.validation_labels.is_empty() {
            return Ok(None);
        }
        let logits = self
            .network
            .logits(&self.data.validation_images)
            .context(NetworkSnafu)?;
        let mut sums = EpochSums::default();
        for (logits, &label) in logits.iter().zip(&self.data.validation_labels) {
            let loss = negative_log_likelihood(logits, label);
            sums.add(loss, count_right(logits, &[label]), 1);
        }
        Ok(Some(sums))
    }

    /// Whether every step has been taken.
    pub fn is_finished(&self) -> bool {
        self.history.epochs.len() as u32 >= self.config.epochs
    }

    /// The epochs so far.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The number of epochs of the whole fit.
    pub fn epochs(&self) -> u32 {
        self.config.epochs
    }

    /// The number of steps of an epoch.
    pub fn steps_per_epoch(&self) -> usize {
        self.data.labels.len().div_ceil(self.config.batch_size)
    }

    /// Steps taken, over all epochs.
    pub fn steps_taken(&self) -> u64 {
        self.taken
    }

    /// The network as it is now, for predictions and saving.
    pub fn network(&self) -> Network {
        self.network.valid()
    }

    /// The current epoch, counted from 0.
    fn epoch(&self) -> u32 {
        self.history.epochs.len() as u32
    }

    /// The next step within the epoch, counted from 0.
    fn step_of_epoch(&self) -> usize {
        let before = self.history.epochs.len() * self.steps_per_epoch();
        self.taken as usize - before
    }

    /// The training images in the order of an epoch, counted from 0: a shuffle by the seed and the
    /// epoch alone.
    pub(super) fn order_of(&self, epoch: u32) -> Vec<usize> {
        let mut stream = random::named(self.config.seed, &format!("order {epoch}"));
        let mut order: Vec<usize> = (0..self.data.labels.len()).collect();
        random::shuffle(&mut stream, &mut order);
        order
    }
}

pub(super) fn new_optimizer() -> ModuleOptimizer {
    AdamConfig::new().with_epsilon(1e-7).init()
}
