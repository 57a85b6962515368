//! [`Fit`]: the network, the optimiser and the schedule between any two steps.

use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::Device;
use rayon::iter::{IndexedParallelIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;
use snafu::{ResultExt, ensure};

use super::checkpoint::{self, FitProgress};
use super::epoch_sums::{EpochSums, count_right};
use super::error::{FinishedSnafu, NetworkSnafu, TrainingLossSnafu, ValidationLossSnafu};
use super::recipe::{kept_share, one_cycle};
use super::{Epoch, Error, FitConfig, FitData, History, Plateau, Recipe};
use attrium_nn::loss::negative_log_likelihood;
use attrium_nn::{IMAGE_PIXELS, Network, TrainingStep, floats, image_tensor};
use attrium_types::random;

/// A network being fitted; see the [module](super).
///
/// The optimiser of the paper's recipe is Adam with Keras' defaults: decay rates of 0.9 and 0.999, epsilon 1e-7 (added
/// to the root of the bias-corrected second moment, as in the publication of Adam).
#[derive(Clone)]
pub struct Fit {
    config: FitConfig,
    data: FitData,
    fingerprint: String,
    device: Device,
    network: Network,
    /// The average of the weights, where the recipe has one.
    average: Option<Network>,
    optimizer: ModuleOptimizer,
    /// The schedule of the paper's recipe.
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
        let (minimum, patience) = match config.recipe {
            Recipe::Paper {
                min_learning_rate,
                patience,
            } => (min_learning_rate, patience),
            Recipe::OneCycle { .. } => (config.learning_rate, 1),
        };
        let mut fit = Self {
            fingerprint: checkpoint::fingerprint(&config, &data, origin),
            device: network.device(),
            average: config.recipe.averages().then(|| network.valid()),
            network: network.train(),
            optimizer: config.recipe.optimizer(),
            plateau: Plateau::new(config.learning_rate, minimum, patience),
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
            average: self.average.map(Network::without_engine),
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
        let averages = self.config.recipe.averages();
        let snapshot = checkpoint::read(checkpoint, &self.fingerprint, averages)?;
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
        let network = |weights: &[u8]| {
            Network::from_safetensors(architecture, classes, weights, &self.device)
                .context(NetworkSnafu)
        };
        let average = snapshot.average.as_deref().map(network).transpose()?;
        let network = network(&snapshot.weights)?;
        let optimizer = self.config.recipe.optimizer();
        self.optimizer = checkpoint::read_optimizer(optimizer, snapshot.optimizer)?;
        self.network = network.train();
        self.average = average.map(|average| average.valid());
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
        let average = self.average.as_ref().map(Network::to_safetensors);
        let average = average.transpose().context(NetworkSnafu)?;
        checkpoint::write(&progress, &weights, &self.optimizer, average.as_deref())
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
        let epoch = self.epoch();
        let mut pixels = vec![0.0; chosen.len() * IMAGE_PIXELS];
        pixels
            .par_chunks_exact_mut(IMAGE_PIXELS)
            .zip(chosen)
            .for_each(|(target, &image)| self.data.images.render(epoch, image, target));

        let mut network = self.network.clone();
        let step = TrainingStep {
            seed: self.config.seed,
            number: self.taken,
        };
        let outputs = network.forward_training(image_tensor(pixels, &self.device), step);
        let logits = network.class_logits(outputs.clone());
        let loss = network.loss(outputs, &labels, &self.data.class_weights);
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
        let rate = self.learning_rate();
        self.network = self.optimizer.step(rate, network, gradients);
        if let Some(average) = self.average.take() {
            let kept = kept_share(self.taken + 1);
            self.average = Some(average.blended(&self.network.valid(), kept));
        }
        Ok((value, right))
    }

    /// The learning rate of the next step.
    fn learning_rate(&self) -> f64 {
        match self.config.recipe {
            Recipe::Paper { .. } => self.plateau.learning_rate,
            Recipe::OneCycle { .. } => {
                let steps = self.steps_per_epoch() as u64 * u64::from(self.config.epochs);
                one_cycle(self.config.learning_rate, self.taken, steps)
            }
        }
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
            learning_rate: self.learning_rate(),
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
        let network = self.average.as_ref().unwrap_or(&self.network);
        let logits = network
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

    /// The network as it is now, for predictions and saving: the average of its weights, where the recipe has one.
    pub fn network(&self) -> Network {
        self.average.as_ref().unwrap_or(&self.network).valid()
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
