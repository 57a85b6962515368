//! A forward pass of an ImageNet network: how it normalises, and what it records.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::tensor::Tensor;

use super::TrainingStep;
use super::batch_norm::{BatchNorm, newest_weight};
use super::normalize::{Activation, by_batch, by_statistics};

/// A forward pass: which statistics it normalises by, and what it records.
///
/// An ImageNet network states its layers once, for training and for inference. It never changes
/// itself in a pass: a pass of training records the statistics of the batch, and
/// `update_running_statistics` moves the running ones towards them.
pub struct ForwardPass {
    training: bool,
    statistics: BTreeMap<ParamId, Tensor<1>>,
    activations: Vec<Tensor<4>>,
    before_pool: Option<Tensor<4>>,
}

impl ForwardPass {
    /// A pass that normalises by the running statistics.
    pub(super) fn inference() -> Self {
        Self {
            training: false,
            statistics: BTreeMap::new(),
            activations: Vec::new(),
            before_pool: None,
        }
    }

    /// A pass that normalises by the statistics of the batch.
    pub(super) fn training() -> Self {
        Self {
            training: true,
            ..Self::inference()
        }
    }

    /// Normalises and activates the outputs of a convolution with a bias, if it has one.
    ///
    /// Normalisation cancels a bias. It is therefore not added and never trained: it only moves the
    /// running mean.
    ///
    /// # Shapes
    /// - `images`: `[batch, channels, height, width]`, output: the same
    /// - `bias`: `[channels]`
    pub(super) fn normalize(
        &mut self,
        norm: &BatchNorm,
        images: Tensor<4>,
        bias: Option<Tensor<1>>,
        activation: Activation,
    ) -> Tensor<4> {
        if !self.training {
            let [mean, variance] = [&norm.running_mean, &norm.running_var].map(Param::val);
            let mean = match bias {
                Some(bias) => mean - bias,
                None => mean,
            };
            return by_statistics(images, norm.norm(), [mean, variance], activation);
        }
        let normalized = by_batch(images, norm.norm(), activation);
        let mean = match bias {
            Some(bias) => normalized.mean + bias.detach(),
            None => normalized.mean,
        };
        self.statistics.insert(norm.running_mean.id, mean);
        self.statistics
            .insert(norm.running_var.id, normalized.variance);
        normalized.output
    }

    /// Records the activation of the first convolution of a block, for the activation maps.
    pub(super) fn record(&mut self, images: &Tensor<4>) {
        if !self.training {
            self.activations.push(images.clone());
        }
    }

    /// Records the input of a pool at the end of a block.
    pub(super) fn record_before_pool(&mut self, images: &Tensor<4>) {
        if !self.training {
            self.before_pool = Some(images.clone());
        }
    }

    /// The input of the last such pool, if there was one.
    pub(super) fn into_before_pool(self) -> Option<Tensor<4>> {
        self.before_pool
    }

    /// The recorded activations, in order.
    pub(super) fn into_activations(self) -> Vec<Tensor<4>> {
        self.activations
    }

    /// The module with its running statistics moved towards those of the batch.
    pub(super) fn update_running_statistics<M: Module>(self, module: M, step: TrainingStep) -> M {
        module.map(&mut RunningStatistics {
            statistics: self.statistics,
            newest: newest_weight(step.number),
        })
    }
}

struct RunningStatistics {
    statistics: BTreeMap<ParamId, Tensor<1>>,
    newest: f64,
}

impl ModuleMapper for RunningStatistics {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(batch) = self.statistics.remove(&param.id) else {
            return param;
        };
        param.map(|old| {
            let batch = batch.detach().reshape(old.dims());
            old * (1.0 - self.newest) + batch * self.newest
        })
    }
}
