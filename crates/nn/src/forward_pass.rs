use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::tensor::Tensor;

use super::Step;
use super::batch_norm::{BatchNorm, newest_weight};
use super::normalize::{Activation, by_batch, by_statistics};

/// One way of images through a network: by which statistics it normalises, and what is kept of it.
///
/// A network of ImageNet states its layers once, for training and for inference. It never changes
/// itself meanwhile: a training's pass brings the batches' statistics back, which
/// `follow` then puts into a network that may be changed.
pub struct Pass {
    training: bool,
    statistics: BTreeMap<ParamId, Tensor<1>>,
    shown: Vec<Tensor<4>>,
    pooled: Option<Tensor<4>>,
}

impl Pass {
    /// By the running statistics.
    pub(super) fn inference() -> Self {
        Self {
            training: false,
            statistics: BTreeMap::new(),
            shown: Vec::new(),
            pooled: None,
        }
    }

    /// By the batch's own statistics.
    pub(super) fn training() -> Self {
        Self {
            training: true,
            ..Self::inference()
        }
    }

    /// Normalises and activates images to which a bias should be added, if any.
    ///
    /// Normalisation takes a bias away again. It is not added, and is never trained: it only moves
    /// the running mean.
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

    /// Keeps what the first convolution of a block gives, for the activation maps.
    pub(super) fn show(&mut self, images: &Tensor<4>) {
        if !self.training {
            self.shown.push(images.clone());
        }
    }

    /// Keeps what a pool at the end of a block is about to be given.
    pub(super) fn pool(&mut self, images: &Tensor<4>) {
        if !self.training {
            self.pooled = Some(images.clone());
        }
    }

    /// What the last such pool was given, if there was one.
    pub(super) fn into_pooled(self) -> Option<Tensor<4>> {
        self.pooled
    }

    /// What was shown, in its order.
    pub(super) fn into_shown(self) -> Vec<Tensor<4>> {
        self.shown
    }

    /// The module with its running statistics moved towards those of the batch.
    pub(super) fn follow<M: Module>(self, module: M, step: Step) -> M {
        module.map(&mut Follow {
            statistics: self.statistics,
            newest: newest_weight(step.number),
        })
    }
}

struct Follow {
    statistics: BTreeMap<ParamId, Tensor<1>>,
    newest: f64,
}

impl ModuleMapper for Follow {
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
