//! Batch normalisation and the activation after it as one operation, on a CPU and in 32 bits;
//! elsewhere it is Burn's.
//!
//! Burn's takes a dozen passes over the images where this takes two or three.

mod elementwise;
mod planes;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::{
    BalancedCheckpointing, CheckpointStrategy, NoCheckpointing,
};
use burn::backend::autodiff::grads::Gradients as GraphGradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::{
    Autodiff, DispatchKindConversion, DispatchTensor, Flex, GradientCheckpointingStrategy,
    TensorMetadata,
};
use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use burn::tensor::module::{batch_norm, batch_norm_train};

use super::burn_cpu::{
    checkpointing_strategy, contiguous, from_tracked, into_tracked, is_cpu_f32, is_untracked,
    tensor, untracked, values,
};
use planes::{Affine, InputGradient, Planes};

/// The activation after a normalisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Activation {
    /// None.
    None,
    /// ReLU.
    Relu,
    /// ReLU, at most 6.
    Relu6,
}

impl Activation {
    /// Applies it by Burn's operations.
    pub(crate) fn apply(self, images: Tensor<4>) -> Tensor<4> {
        match self {
            Self::None => images,
            Self::Relu => relu(images),
            Self::Relu6 => images.clamp(0.0, 6.0),
        }
    }
}

/// The parameters of a normalisation.
#[derive(Clone, Debug)]
pub(super) struct Norm {
    /// `[channels]`
    pub scale: Tensor<1>,
    /// `[channels]`
    pub offset: Tensor<1>,
    /// Added to the variance.
    pub epsilon: f64,
}

/// Images that were normalised by their own statistics, with these.
#[derive(Debug)]
pub(super) struct Normalized {
    /// `[batch, channels, height, width]`, after the activation.
    pub output: Tensor<4>,
    /// `[channels]`
    pub mean: Tensor<1>,
    /// `[channels]`, the population variance.
    pub variance: Tensor<1>,
}

/// Normalises images by given statistics.
///
/// # Shapes
/// - `images`: `[batch, channels, height, width]`, output: the same
/// - `statistics`: means and variances, each `[channels]`
pub(super) fn by_statistics(
    images: Tensor<4>,
    norm: Norm,
    statistics: [Tensor<1>; 2],
    activation: Activation,
) -> Tensor<4> {
    let images = images.into_dispatch();
    if is_untracked(&images)
        && let Some(affines) = affines(&norm, &statistics)
    {
        let images =
            untracked(images).expect("images that record nothing should be on the processor");
        return apply_untracked(images, &affines, activation);
    }
    let images = Tensor::from_dispatch(images);
    let [mean, variance] = statistics;
    let Norm {
        scale,
        offset,
        epsilon,
    } = norm;
    activation.apply(batch_norm(images, scale, offset, mean, variance, epsilon))
}

/// The normalisation of each channel; `None` where a graph is recorded.
fn affines(norm: &Norm, statistics: &[Tensor<1>; 2]) -> Option<Vec<Affine>> {
    let [mean, variance] = statistics;
    let mut tensors = Vec::new();
    for parameter in [&norm.scale, &norm.offset, mean, variance] {
        tensors.push(untracked(parameter.clone().into_dispatch())?);
    }
    let [scale, offset, mean, variance] = [0, 1, 2, 3].map(|at| values(&tensors[at]));
    let of_channel = |at: usize| {
        let deviation = (f64::from(variance[at]) + norm.epsilon).sqrt();
        affine(scale[at], offset[at], f64::from(mean[at]), deviation)
    };
    Some((0..scale.len()).map(of_channel).collect())
}

/// Normalises images that are not recorded, in place if nothing else holds them.
fn apply_untracked(
    mut images: FlexTensor,
    affines: &[Affine],
    activation: Activation,
) -> Tensor<4> {
    let planes = planes(&images);
    let own = images.try_storage_mut::<f32>();
    let output = match own.filter(|values| values.len() == planes.len()) {
        Some(values) => {
            planes.apply_to(values, affines, activation);
            images
        }
        None => {
            let output = planes.apply(values(&images), affines, activation);
            tensor(output, images.shape().to_vec())
        }
    };
    Tensor::from_primitive::<Flex>(output)
}

/// Normalises images by their own statistics.
///
/// # Shapes
/// - `images`: `[batch, channels, height, width]`
pub(super) fn by_batch(images: Tensor<4>, norm: Norm, activation: Activation) -> Normalized {
    let inputs = [
        images.clone().into_dispatch(),
        norm.scale.clone().into_dispatch(),
        norm.offset.clone().into_dispatch(),
    ];
    computed(inputs, norm.epsilon, activation).unwrap_or_else(|| {
        let found = batch_norm_train(images, norm.scale, norm.offset, norm.epsilon);
        Normalized {
            output: activation.apply(found.output),
            mean: found.mean,
            variance: found.variance,
        }
    })
}

/// The same as an own operation; `None` where it is left to Burn.
fn computed(
    inputs: [DispatchTensor; 3],
    epsilon: f64,
    activation: Activation,
) -> Option<Normalized> {
    if !inputs.iter().all(is_cpu_f32) {
        return None;
    }
    match checkpointing_strategy(&inputs) {
        Some(GradientCheckpointingStrategy::Disabled) => {
            record::<NoCheckpointing>(inputs, epsilon, activation)
        }
        Some(GradientCheckpointingStrategy::Balanced) => {
            record::<BalancedCheckpointing>(inputs, epsilon, activation)
        }
        None => {
            let [images, scale, offset] = inputs.map(untracked);
            let (saved, [mean, variance]) =
                NormalizationState::new([images?, scale?, offset?], epsilon, activation);
            let output = Tensor::from_primitive::<Flex>(saved.output());
            Some(Normalized {
                output,
                mean,
                variance,
            })
        }
    }
}

/// The same as an operation of an autodiff graph.
fn record<C: CheckpointStrategy>(
    inputs: [DispatchTensor; 3],
    epsilon: f64,
    activation: Activation,
) -> Option<Normalized>
where
    DispatchTensor: DispatchKindConversion<Autodiff<Flex, C>>,
{
    let [images, scale, offset] = inputs.map(into_tracked::<C>);
    let (images, images_node) = images?.into_parts();
    let (scale, scale_node) = scale?.into_parts();
    let (offset, offset_node) = offset?.into_parts();
    let inputs = [images, scale, offset].map(contiguous);
    let (saved, [mean, variance]) = NormalizationState::new(inputs, epsilon, activation);
    let output = saved.output();
    let nodes = [images_node, scale_node, offset_node];
    let prepared = NormalizationBackward
        .prepare::<C>(nodes)
        .compute_bound()
        .stateful();
    let output = match prepared {
        OpsKind::Tracked(prepared) => prepared.finish(saved, output),
        OpsKind::UnTracked(prepared) => prepared.finish(output),
    };
    Some(Normalized {
        output: from_tracked::<C, 4>(output),
        mean,
        variance,
    })
}

/// The statistics of a channel, and the normalisation by them.
#[derive(Clone, Copy, Debug)]
struct Channel {
    mean: f64,
    inverse_deviation: f64,
    affine: Affine,
}

fn affine(scale: f32, offset: f32, mean: f64, deviation: f64) -> Affine {
    let scale = f64::from(scale) / deviation;
    Affine {
        scale: scale as f32,
        shift: (f64::from(offset) - mean * scale) as f32,
    }
}

/// What the backward pass needs.
#[derive(Clone, Debug)]
struct NormalizationState {
    images: FlexTensor,
    channels: Vec<Channel>,
    activation: Activation,
}

impl NormalizationState {
    /// Computes the statistics of images and returns them too; `inputs` are images, scale and
    /// offset.
    fn new(
        [images, scale, offset]: [FlexTensor; 3],
        epsilon: f64,
        activation: Activation,
    ) -> (Self, [Tensor<1>; 2]) {
        let moments = planes(&images).moments(values(&images));
        let [scale, offset] = [values(&scale), values(&offset)];
        let channel = |(at, [mean, variance]): (usize, &[f64; 2])| {
            let deviation = (variance + epsilon).sqrt();
            Channel {
                mean: *mean,
                inverse_deviation: 1.0 / deviation,
                affine: affine(scale[at], offset[at], *mean, deviation),
            }
        };
        let saved = Self {
            channels: moments.iter().enumerate().map(channel).collect(),
            images,
            activation,
        };
        let statistics = [0, 1].map(|which| {
            let of: Vec<f32> = moments.iter().map(|of| of[which] as f32).collect();
            let channels = of.len();
            Tensor::from_primitive::<Flex>(tensor(of, [channels]))
        });
        (saved, statistics)
    }

    fn affines(&self) -> Vec<Affine> {
        self.channels.iter().map(|channel| channel.affine).collect()
    }

    fn output(&self) -> FlexTensor {
        let images = &self.images;
        let output = planes(images).apply(values(images), &self.affines(), self.activation);
        tensor(output, images.shape().to_vec())
    }

    /// The gradients of images, scale and offset, from that of the output.
    fn gradients(&self, output_gradient: &FlexTensor) -> [FlexTensor; 3] {
        let planes = planes(&self.images);
        let affines = self.affines();
        let pair = [&self.images, output_gradient].map(values);
        let means: Vec<f64> = self.channels.iter().map(|channel| channel.mean).collect();
        let sums = planes.sums(pair, &affines, &means, self.activation);
        let count = (planes.batch * planes.pixels) as f64;
        let input_gradients: Vec<_> = self
            .channels
            .iter()
            .zip(&sums)
            .map(|(channel, sums)| channel.input_gradient(*sums, count))
            .collect();
        let of_images = planes.gradient(pair, &affines, &input_gradients, self.activation);
        let inverse = |at: usize| self.channels[at].inverse_deviation;
        let of_scale = (0..sums.len()).map(|at| (sums[at][1] * inverse(at)) as f32);
        let of_offset = sums.iter().map(|sums| sums[0] as f32);
        [
            tensor(of_images, self.images.shape().to_vec()),
            tensor(of_scale.collect(), [planes.channels]),
            tensor(of_offset.collect(), [planes.channels]),
        ]
    }
}

impl Channel {
    fn input_gradient(&self, [sum, products]: [f64; 2], count: f64) -> InputGradient {
        let factor = f64::from(self.affine.scale);
        let of_value = -factor * self.inverse_deviation.powi(2) * products / count;
        InputGradient {
            of_gradient: self.affine.scale,
            of_value: of_value as f32,
            constant: (-factor * sum / count - of_value * self.mean) as f32,
        }
    }
}

/// The node of the autodiff graph.
#[derive(Debug)]
struct NormalizationBackward;

impl Backward<Flex, 3> for NormalizationBackward {
    type State = NormalizationState;

    fn backward(
        self,
        ops: Ops<NormalizationState, 3>,
        gradients: &mut GraphGradients,
        _: &mut Checkpointer,
    ) {
        let output_gradient = contiguous(gradients.consume::<Flex>(&ops.node));
        let found = ops.state.gradients(&output_gradient);
        for (node, gradient) in ops.parents.into_iter().zip(found) {
            if let Some(node) = node {
                gradients.register::<Flex>(node.id, gradient);
            }
        }
    }
}

fn planes(images: &FlexTensor) -> Planes {
    let shape = images.shape();
    Planes {
        batch: shape[0],
        channels: shape[1],
        pixels: shape[2] * shape[3],
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::TensorData;

    use super::*;
    use crate::cpu;
    use crate::imagenet_tests::assert_near;
    use crate::network::floats;
    use crate::reference_tests::wave;

    const ACTIVATIONS: [Activation; 3] = [Activation::None, Activation::Relu, Activation::Relu6];

    fn some<const D: usize>(
        shape: [usize; D],
        phase: f64,
        device: &burn::tensor::Device,
    ) -> Tensor<D> {
        let data = TensorData::new(wave(shape.iter().product(), phase), shape);
        Tensor::from_data(data, device)
    }

    /// Outputs, statistics and the gradients of images, scale and offset.
    fn trained(shape: [usize; 4], activation: Activation, is_own: bool) -> Vec<Vec<f32>> {
        let device = cpu().autodiff();
        let images = (some(shape, 0.1, &device) * 2.0 + 3.0).require_grad();
        let scale = (some([shape[1]], 0.2, &device) + 4.0).require_grad();
        let offset = (some([shape[1]], 0.3, &device) + 2.0).require_grad();
        let [output, mean, variance] = if is_own {
            let norm = Norm {
                scale: scale.clone(),
                offset: offset.clone(),
                epsilon: 1e-3,
            };
            let found = by_batch(images.clone(), norm, activation);
            let flat = |of: Tensor<1>| of.reshape([1, 1, 1, shape[1]]);
            [found.output, flat(found.mean), flat(found.variance)]
        } else {
            let found = batch_norm_train(images.clone(), scale.clone(), offset.clone(), 1e-3);
            let flat = |of: Tensor<1>| of.reshape([1, 1, 1, shape[1]]);
            let output = activation.apply(found.output);
            [output, flat(found.mean), flat(found.variance)]
        };
        let gradients = some(shape, 0.4, &device);
        let gradients = (output.clone() * gradients).sum().backward();
        vec![
            floats(output.into_data()),
            floats(mean.into_data()),
            floats(variance.into_data()),
            floats(images.grad(&gradients).unwrap().into_data()),
            floats(scale.grad(&gradients).unwrap().into_data()),
            floats(offset.grad(&gradients).unwrap().into_data()),
        ]
    }

    #[test]
    fn outputs_statistics_and_gradients_of_a_batch_are_those_of_burn() {
        for shape in [[3, 5, 7, 6], [5, 3, 1, 2], [4, 1, 16, 9]] {
            for activation in ACTIVATIONS {
                let [found, expected] = [true, false].map(|own| trained(shape, activation, own));
                for (found, expected) in found.iter().zip(&expected) {
                    assert_near(found, expected, 1e-5);
                }
            }
        }
    }

    #[test]
    fn outputs_by_given_statistics_are_those_of_burn() {
        let device = cpu();
        let of = |phase| some([5], phase, &device);
        for activation in ACTIVATIONS {
            let images = some([2, 5, 3, 4], 0.1, &device);
            let (scale, offset) = (of(0.2) + 4.0, of(0.3) + 2.0);
            let (mean, variance) = (of(0.4), of(0.5) + 2.0);
            let norm = Norm {
                scale: scale.clone(),
                offset: offset.clone(),
                epsilon: 1e-3,
            };
            let statistics = [mean.clone(), variance.clone()];
            // In place, and in a copy where something else holds the images.
            let unshared = some([2, 5, 3, 4], 0.1, &device);
            let own = by_statistics(unshared, norm.clone(), statistics.clone(), activation);
            let found = by_statistics(images.clone(), norm, statistics, activation);
            let burns = batch_norm(images, scale, offset, mean, variance, 1e-3);
            let expected = activation.apply(burns);
            let [found, own, expected] = [found, own, expected].map(|of| floats(of.into_data()));
            assert_near(&found, &expected, 1e-6);
            assert_eq!(own, found);
        }
    }

    #[test]
    fn the_variance_keeps_its_precision_where_the_mean_is_far_from_zero() {
        let planes = Planes {
            batch: 2,
            channels: 1,
            pixels: 1000,
        };
        let images: Vec<f32> = (0..2000).map(|at| 1000.0 + (at % 2) as f32).collect();
        let [[mean, variance]] = planes.moments(&images)[..] else {
            panic!("one channel")
        };
        assert_eq!((mean, variance), (1000.5, 0.25));
    }
}
