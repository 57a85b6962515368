//! Burn's convolution with gradients of its own, on a processor and in 32 bits.
//!
//! Burn makes a filter's gradient of another convolution, of images as large as the batch; here it
//! is a product of matrices ([`filter_gradient`](super::filter_gradient)). Anywhere else, and where
//! no gradient is asked for, the whole is Burn's.

use std::fmt;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::{
    BalancedCheckpointing, CheckpointStrategy, NoCheckpointing,
};
use burn::backend::autodiff::grads::Gradients as GraphGradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::ops::ModuleOps;
use burn::backend::{
    Autodiff, DispatchKindConversion, DispatchTensor, Flex, GradientCheckpointingStrategy,
    TensorMetadata,
};
use burn::tensor::Tensor;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;

use super::filter_gradient::{self, Geometry};
use super::flex::{contiguous, is_flex, lift, lower, slice, strategy, tensor};

/// The convolution of images by a weight, without dilation.
///
/// # Shapes
/// - `images`: `[batch, channels_in, height, width]`
/// - `weight`: `[channels_out, channels_in / groups, height, width]`
/// - `bias`: `[channels_out]`
/// - output: `[batch, channels_out, height, width]` by stride and padding
pub(super) fn convolve(
    images: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    options: ConvOptions<2>,
) -> Tensor<4> {
    let is_depthwise = weight.dims()[1] == 1 && options.groups == weight.dims()[0];
    if options.groups == 1 || is_depthwise {
        let inputs = [
            images.clone().into_dispatch(),
            weight.clone().into_dispatch(),
        ];
        if let Some(output) = recorded(inputs, &options) {
            return match bias {
                Some(bias) => output + bias.reshape([1, -1, 1, 1]),
                None => output,
            };
        }
    }
    conv2d(images, weight, bias, options)
}

/// The same as an operation of a graph, where one is recorded.
fn recorded(inputs: [DispatchTensor; 2], options: &ConvOptions<2>) -> Option<Tensor<4>> {
    if !inputs.iter().all(is_flex) {
        return None;
    }
    match strategy(&inputs)? {
        GradientCheckpointingStrategy::Disabled => record::<NoCheckpointing>(inputs, options),
        GradientCheckpointingStrategy::Balanced => record::<BalancedCheckpointing>(inputs, options),
    }
}

fn record<C: CheckpointStrategy>(
    inputs: [DispatchTensor; 2],
    options: &ConvOptions<2>,
) -> Option<Tensor<4>>
where
    DispatchTensor: DispatchKindConversion<Autodiff<Flex, C>>,
{
    let [images, weight] = inputs.map(lift::<C>);
    let (images, images_node) = images?.into_parts();
    let (weight, weight_node) = weight?.into_parts();
    let saved = Saved {
        images: contiguous(images),
        weight: contiguous(weight),
        options: options.clone(),
    };
    let nodes = [images_node, weight_node];
    let prepared = ConvolutionBackward
        .prepare::<C>(nodes)
        .compute_bound()
        .stateful();
    let output = Flex::conv2d(
        saved.images.clone(),
        saved.weight.clone(),
        None,
        options.clone(),
    );
    let output = match prepared {
        OpsKind::Tracked(prepared) => prepared.finish(saved, output),
        OpsKind::UnTracked(prepared) => prepared.finish(output),
    };
    Some(lower::<C, 4>(output))
}

/// What the way back needs.
#[derive(Clone)]
struct Saved {
    images: FlexTensor,
    weight: FlexTensor,
    options: ConvOptions<2>,
}

impl fmt::Debug for Saved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Saved")
    }
}

/// The node of the graph.
#[derive(Debug)]
struct ConvolutionBackward;

impl Backward<Flex, 2> for ConvolutionBackward {
    type State = Saved;

    fn backward(self, ops: Ops<Saved, 2>, gradients: &mut GraphGradients, _: &mut Checkpointer) {
        let output = contiguous(gradients.consume::<Flex>(&ops.node));
        let [images_node, weight_node] = ops.parents;
        if let Some(node) = weight_node {
            let gradient = ops.state.of_weight(&output);
            gradients.register::<Flex>(node.id, gradient);
        }
        if let Some(node) = images_node {
            let gradient = ops.state.of_images(output);
            gradients.register::<Flex>(node.id, gradient);
        }
    }
}

impl Saved {
    fn geometry(&self, output: &FlexTensor) -> Geometry {
        let [images, weight] = [&self.images, &self.weight].map(FlexTensor::shape);
        let output = output.shape();
        Geometry {
            batch: images[0],
            channels: [images[1], weight[0]],
            size: [images[2], images[3]],
            kernel: [weight[2], weight[3]],
            output: [output[2], output[3]],
            stride: self.options.stride,
            padding: self.options.padding.map(|(before, _)| before),
        }
    }

    fn is_depthwise(&self) -> bool {
        self.options.groups > 1
    }

    fn of_weight(&self, output: &FlexTensor) -> FlexTensor {
        let geometry = self.geometry(output);
        let values = [&self.images, output]
            .map(|of| slice(of).expect("contiguous, and of 32 bits, by `is_flex`"));
        let gradient = if self.is_depthwise() {
            filter_gradient::of_single_channels(&geometry, values[0], values[1])
        } else {
            filter_gradient::of_all_channels(&geometry, values[0], values[1])
        };
        tensor(gradient, self.weight.shape().to_vec())
    }

    fn of_images(&self, output: FlexTensor) -> FlexTensor {
        let Self {
            images,
            weight,
            options,
        } = self.clone();
        Flex::conv2d_x_backward(images, weight, output, options)
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::TensorData;

    use super::*;
    use crate::nn::cpu;
    use crate::nn::imagenet_tests::assert_near;
    use crate::nn::network::floats;
    use crate::nn::reference_tests::wave;

    /// Channels before and after, size, kernel, stride, zeros before and after, groups.
    type Case = (
        [usize; 2],
        [usize; 2],
        [usize; 2],
        usize,
        [(usize, usize); 2],
        usize,
    );

    const CASES: [Case; 8] = [
        ([3, 5], [9, 7], [3, 3], 1, [(1, 1); 2], 1),
        ([4, 6], [9, 8], [3, 3], 2, [(0, 0); 2], 1),
        ([2, 3], [6, 6], [1, 7], 1, [(0, 0), (3, 3)], 1),
        ([2, 3], [2, 2], [7, 1], 1, [(3, 3), (0, 0)], 1),
        ([8, 4], [5, 5], [1, 1], 1, [(0, 0); 2], 1),
        ([8, 4], [6, 6], [1, 1], 2, [(0, 0); 2], 1),
        ([6, 6], [19, 21], [3, 3], 1, [(1, 1); 2], 6),
        ([6, 6], [8, 10], [3, 3], 2, [(0, 1); 2], 6),
    ];

    /// The gradients of the weight, the images and the bias.
    fn gradients(case: Case, is_own: bool) -> [Vec<f32>; 3] {
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
        let slopes = some(output.dims(), 0.3);
        let found = (output * slopes).sum().backward();
        [
            floats(weight.grad(&found).unwrap().into_data()),
            floats(images.grad(&found).unwrap().into_data()),
            floats(bias.grad(&found).unwrap().into_data()),
        ]
    }

    #[test]
    fn gradients_are_those_of_burn_for_every_kernel_stride_and_border() {
        for case in CASES {
            let [found, expected] = [true, false].map(|is_own| gradients(case, is_own));
            for (found, expected) in found.iter().zip(&expected) {
                assert_near(found, expected, 1e-5);
            }
        }
    }
}
