//! Convolutions with gradients of their own, on a CPU and in 32 bits; elsewhere they are Burn's.

mod algorithm;
mod average;
mod depthwise;
mod geometry;
mod im2col;
mod padding;

use std::fmt;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::{
    BalancedCheckpointing, CheckpointStrategy, NoCheckpointing,
};
use burn::backend::autodiff::grads::Gradients as GraphGradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::{
    Autodiff, DispatchKindConversion, DispatchTensor, Flex, GradientCheckpointingStrategy,
};
use burn::tensor::Tensor;
use burn::tensor::module::{avg_pool2d, conv2d};
use burn::tensor::ops::{AvgPoolOptions, ConvOptions};

use super::burn_cpu::{
    checkpointing_strategy, contiguous, from_tracked, into_tracked, is_cpu_f32, tensor, untracked,
    values,
};
use algorithm::ConvolutionPlan;
use geometry::Geometry;

/// The convolution of images by a weight, without dilation.
///
/// # Shapes
/// - `images`: `[batch, channels_in, height, width]`
/// - `weight`: `[channels_out, channels_in / groups, height, width]`
/// - `bias`: `[channels_out]`
/// - output: `[batch, channels_out, height, width]` where stride and padding decide the size
pub(super) fn convolve(
    images: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    options: ConvOptions<2>,
) -> Tensor<4> {
    match outputs(&images, &weight, &options) {
        Some(output) => match bias {
            Some(bias) => output + bias.reshape([1, -1, 1, 1]),
            None => output,
        },
        None => conv2d(images, weight, bias, options),
    }
}

/// A 3x3 average pool with stride 1. Zeros around the image are counted or left out.
///
/// # Shapes
/// - `images`: `[batch, channels, height, width]`, output: the same
pub(super) fn average_pool(images: Tensor<4>, counts_border: bool) -> Tensor<4> {
    let shape = images.dims();
    if let Some(images) = untracked(images.clone().into_dispatch()) {
        let means = average::average_pool(shape, values(&images), counts_border);
        return Tensor::from_primitive::<Flex>(tensor(means, shape));
    }
    let options = AvgPoolOptions::new([3, 3])
        .with_stride([1, 1])
        .with_padding([1, 1])
        .with_count_include_pad(counts_border);
    avg_pool2d(images, options)
}

/// A convolution without bias; `None` where it is left to Burn.
fn outputs(images: &Tensor<4>, weight: &Tensor<4>, options: &ConvOptions<2>) -> Option<Tensor<4>> {
    let inputs = [images, weight].map(|tensor| tensor.clone().into_dispatch());
    if !inputs.iter().all(is_cpu_f32) {
        return None;
    }
    let plan = ConvolutionPlan::new(&images.dims(), &weight.dims(), options)?;
    match checkpointing_strategy(&inputs) {
        Some(GradientCheckpointingStrategy::Disabled) => record::<NoCheckpointing>(inputs, plan),
        Some(GradientCheckpointingStrategy::Balanced) => {
            record::<BalancedCheckpointing>(inputs, plan)
        }
        None => {
            let [images, weight] = inputs.map(untracked);
            let output = plan.outputs(&images?, &weight?);
            Some(Tensor::from_primitive::<Flex>(output))
        }
    }
}

/// The convolution as an operation of an autodiff graph.
fn record<C: CheckpointStrategy>(
    inputs: [DispatchTensor; 2],
    plan: ConvolutionPlan,
) -> Option<Tensor<4>>
where
    DispatchTensor: DispatchKindConversion<Autodiff<Flex, C>>,
{
    let [images, weight] = inputs.map(into_tracked::<C>);
    let (images, images_node) = images?.into_parts();
    let (weight, weight_node) = weight?.into_parts();
    let saved = ConvolutionState {
        images: contiguous(images),
        weight: contiguous(weight),
        plan,
    };
    let nodes = [images_node, weight_node];
    let prepared = ConvolutionBackward
        .prepare::<C>(nodes)
        .compute_bound()
        .stateful();
    let output = saved.plan.outputs(&saved.images, &saved.weight);
    let output = match prepared {
        OpsKind::Tracked(prepared) => prepared.finish(saved, output),
        OpsKind::UnTracked(prepared) => prepared.finish(output),
    };
    Some(from_tracked::<C, 4>(output))
}

/// What the backward pass needs.
#[derive(Clone)]
struct ConvolutionState {
    images: FlexTensor,
    weight: FlexTensor,
    plan: ConvolutionPlan,
}

impl fmt::Debug for ConvolutionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConvolutionState")
    }
}

/// The node of the autodiff graph.
#[derive(Debug)]
struct ConvolutionBackward;

impl Backward<Flex, 2> for ConvolutionBackward {
    type State = ConvolutionState;

    fn backward(
        self,
        ops: Ops<ConvolutionState, 2>,
        gradients: &mut GraphGradients,
        _: &mut Checkpointer,
    ) {
        let output_gradient = contiguous(gradients.consume::<Flex>(&ops.node));
        let ConvolutionState {
            images,
            weight,
            plan,
        } = ops.state;
        // The images that a network is given have no node.
        let wanted = ops.parents.each_ref().map(Option::is_some);
        let found = plan.gradients(images, weight, output_gradient, wanted);
        for (node, gradient) in ops.parents.into_iter().zip(found) {
            if let (Some(node), Some(gradient)) = (node, gradient) {
                gradients.register::<Flex>(node.id, gradient);
            }
        }
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

    /// Channels of inputs and outputs, size, filter, stride, zeros before and after, groups.
    type Case = (
        [usize; 2],
        [usize; 2],
        [usize; 2],
        usize,
        [(usize, usize); 2],
        usize,
    );

    const CASES: [Case; 11] = [
        ([3, 5], [9, 7], [3, 3], 1, [(1, 1); 2], 1),
        ([4, 6], [9, 8], [3, 3], 2, [(0, 0); 2], 1),
        ([2, 3], [6, 6], [1, 7], 1, [(0, 0), (3, 3)], 1),
        ([2, 3], [2, 2], [7, 1], 1, [(3, 3), (0, 0)], 1),
        ([8, 4], [5, 5], [1, 1], 1, [(0, 0); 2], 1),
        ([8, 4], [6, 6], [1, 1], 2, [(0, 0); 2], 1),
        ([6, 6], [19, 21], [3, 3], 1, [(1, 1); 2], 6),
        ([6, 6], [8, 10], [3, 3], 2, [(0, 1); 2], 6),
        ([5, 5], [9, 7], [3, 3], 2, [(1, 1); 2], 5),
        ([2, 2], [7, 8], [5, 3], 3, [(2, 2), (1, 1)], 2),
        ([300, 9], [12, 13], [5, 5], 1, [(2, 2); 2], 1),
    ];

    /// The outputs, and the gradients of the weight, the images and the bias.
    fn computed(case: Case, is_own: bool) -> [Vec<f32>; 4] {
        let ([before, after], [height, width], kernel, stride, padding, groups) = case;
        let device = cpu().autodiff();
        let some = |shape: [usize; 4], phase| {
            let data = TensorData::new(wave(shape.iter().product(), phase), shape);
            Tensor::<4>::from_data(data, &device)
        };
        let images = some([3, before, height, width], 0.1).require_grad();
        let filters = [after, before / groups, kernel[0], kernel[1]];
        let weight = some(filters, 0.2).require_grad();
        let bias = Tensor::<1>::zeros([after], &device).require_grad();
        let mut options = ConvOptions::new([stride; 2], [0; 2], [1; 2], groups);
        options.padding = padding;
        let make = if is_own { convolve } else { conv2d };
        let inputs = (images.clone(), weight.clone(), Some(bias.clone()));
        let output = make(inputs.0, inputs.1, inputs.2, options);
        let gradients = some(output.dims(), 0.3);
        let found = (output.clone() * gradients).sum().backward();
        [
            floats(output.into_data()),
            floats(weight.grad(&found).unwrap().into_data()),
            floats(images.grad(&found).unwrap().into_data()),
            floats(bias.grad(&found).unwrap().into_data()),
        ]
    }

    #[test]
    fn outputs_and_gradients_are_those_of_burn_for_every_kernel_stride_and_border() {
        for case in CASES {
            let [found, expected] = [true, false].map(|is_own| computed(case, is_own));
            for (found, expected) in found.iter().zip(&expected) {
                assert_near(found, expected, 1e-5);
            }
        }
    }

    #[test]
    fn a_gradient_is_the_same_where_the_other_is_not_wanted() {
        for (channels, kernel, groups) in [
            ([3, 5], [3, 3], 1),
            ([4, 6], [5, 5], 1),
            ([8, 4], [1, 1], 1),
            ([6, 6], [3, 3], 6),
        ] {
            let [before, after] = channels;
            let shapes = [
                vec![3, before, 9, 7],
                vec![after, before / groups, kernel[0], kernel[1]],
                vec![3, after, 9, 7],
            ];
            let options = ConvOptions::new([1, 1], kernel.map(|side| side / 2), [1, 1], groups);
            let plan = ConvolutionPlan::new(&shapes[0], &shapes[1], &options).unwrap();
            let gradients = |wanted| {
                let [images, weight, output_gradient] = shapes
                    .each_ref()
                    .map(|shape| tensor(wave(shape.iter().product(), 0.1), shape.clone()));
                let found = plan.gradients(images, weight, output_gradient, wanted);
                found.map(|of| of.map(|of| values(&contiguous(of)).to_vec()))
            };
            let [images_gradient, weight_gradient] = gradients([true, true]);
            assert!(images_gradient.is_some());
            assert_eq!(gradients([false, true]), [None, weight_gradient]);
            assert_eq!(gradients([true, false]), [images_gradient, None]);
        }
    }

    #[test]
    fn means_of_squares_are_those_of_burn_with_and_without_the_border() {
        let device = cpu();
        for shape in [[3, 5, 7, 6], [1, 2, 1, 3], [2, 1, 2, 2]] {
            let data = TensorData::new(wave(shape.iter().product(), 0.4), shape);
            let images = Tensor::<4>::from_data(data, &device);
            for counts_border in [true, false] {
                let found = average_pool(images.clone(), counts_border);
                let recorded = average_pool(images.clone().autodiff(), counts_border).inner();
                let [found, expected] = [found, recorded].map(|of| floats(of.into_data()));
                assert_near(&found, &expected, 1e-6);
            }
        }
    }
}
