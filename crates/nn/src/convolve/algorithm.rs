//! Which algorithm computes a convolution and its gradients: Winograd, im2col or a depthwise loop.

use burn::backend::flex::FlexTensor;
use burn::backend::ops::{FloatTensorOps, ModuleOps};
use burn::backend::{Flex, TensorMetadata};
use burn::tensor::ops::ConvOptions;

use super::{Geometry, depthwise, im2col};
use crate::burn_cpu::{contiguous, tensor, values};
use crate::engine_operation::RUNS;
use crate::isa::isa;
use attrium_engine::{Convolution3x3, Convolution3x3Config};

/// A convolution of given shapes, and the algorithm that computes it and its gradients.
///
/// Winograd's, by the engine, for 3x3 filters of stride 1; a loop over rows for depthwise filters;
/// im2col for the rest.
#[derive(Clone, Debug)]
pub(super) struct ConvolutionPlan {
    geometry: Geometry,
    options: ConvOptions<2>,
    algorithm: Algorithm,
}

#[derive(Clone, Debug)]
enum Algorithm {
    Winograd(Convolution3x3),
    Im2col,
    Depthwise,
}

impl ConvolutionPlan {
    /// The plan for these shapes; `None` if no algorithm here takes them.
    pub(super) fn new(
        images: &[usize],
        weight: &[usize],
        options: &ConvOptions<2>,
    ) -> Option<Self> {
        let geometry = Geometry::new(images, weight, options)?;
        if options.dilation != [1, 1] {
            return None;
        }
        let algorithm = if options.groups == 1 {
            winograd(&geometry, options).map_or(Algorithm::Im2col, Algorithm::Winograd)
        } else if is_depthwise(&geometry, weight, options.groups) {
            Algorithm::Depthwise
        } else {
            return None;
        };
        Some(Self {
            geometry,
            options: options.clone(),
            algorithm,
        })
    }

    /// # Shapes
    /// As for [`convolve`](super::convolve).
    pub(super) fn outputs(&self, images: &FlexTensor, weight: &FlexTensor) -> FlexTensor {
        let shape = self.output();
        let [pixels, weights] = [images, weight].map(values);
        let outputs = match &self.algorithm {
            Algorithm::Winograd(convolution) => {
                let mut outputs = vec![0.0; shape.iter().product()];
                convolution
                    .forward(threads(), pixels, weights, &mut outputs)
                    .expect(RUNS);
                outputs
            }
            Algorithm::Im2col => return im2col::outputs(&self.geometry, images, weight),
            Algorithm::Depthwise => depthwise::outputs(&self.geometry, pixels, weights),
        };
        tensor(outputs, shape)
    }

    /// The gradients of the images and of the weight from that of the outputs, as far as they are
    /// wanted.
    pub(super) fn gradients(
        &self,
        images: FlexTensor,
        weight: FlexTensor,
        output_gradient: FlexTensor,
        [for_images, for_weight]: [bool; 2],
    ) -> [Option<FlexTensor>; 2] {
        let [image_shape, weight_shape] = [&images, &weight].map(|of| of.shape().to_vec());
        let weight_gradient = |values: Vec<f32>| tensor(values, weight_shape);
        match &self.algorithm {
            Algorithm::Winograd(convolution) => {
                let inputs = [&images, &weight, &output_gradient].map(values);
                let (pixels, weights) = winograd_gradients(convolution, inputs, for_images);
                let images_gradient = pixels.map(|values| tensor(values, image_shape));
                [
                    images_gradient,
                    for_weight.then(|| weight_gradient(weights)),
                ]
            }
            Algorithm::Im2col => {
                let weights = || {
                    im2col::weight_gradient(
                        &self.geometry,
                        values(&images),
                        values(&output_gradient),
                    )
                };
                let weights = for_weight.then(|| weight_gradient(weights()));
                let images_gradient = for_images
                    .then(|| self.im2col_images_gradient(images, weight, output_gradient));
                [images_gradient, weights]
            }
            Algorithm::Depthwise => {
                let [images, weight, output_gradient] =
                    [&images, &weight, &output_gradient].map(values);
                let pixels = || depthwise::images_gradient(&self.geometry, weight, output_gradient);
                let weights =
                    || depthwise::weight_gradient(&self.geometry, images, output_gradient);
                [
                    for_images.then(|| tensor(pixels(), image_shape)),
                    for_weight.then(|| weight_gradient(weights())),
                ]
            }
        }
    }

    /// The gradient of the images, which for a pointwise convolution is a pointwise convolution
    /// too.
    fn im2col_images_gradient(
        &self,
        images: FlexTensor,
        weight: FlexTensor,
        output_gradient: FlexTensor,
    ) -> FlexTensor {
        let options = self.options.clone();
        if self.geometry.is_pointwise() {
            let transposed = contiguous(Flex::float_swap_dims(weight, 0, 1));
            return Flex::conv2d(output_gradient, transposed, None, options);
        }
        Flex::conv2d_x_backward(images, weight, output_gradient, options)
    }

    fn output(&self) -> [usize; 4] {
        let Geometry {
            batch,
            channels: [_, after],
            output: [height, width],
            ..
        } = self.geometry;
        [batch, after, height, width]
    }
}

fn is_depthwise(geometry: &Geometry, weight: &[usize], groups: usize) -> bool {
    let within = |axis: usize| geometry.padding[axis] < geometry.kernel[axis];
    weight[1] == 1 && groups == weight[0] && within(0) && within(1)
}

fn winograd(geometry: &Geometry, options: &ConvOptions<2>) -> Option<Convolution3x3> {
    let square = geometry.kernel == [3, 3] && geometry.stride == [1, 1];
    let even = options
        .padding
        .iter()
        .all(|pad| matches!(pad, (0, 0) | (1, 1)));
    let sizes = Convolution3x3Config {
        channels: geometry.channels,
        input: geometry.size,
        padded: geometry.padding.map(|zeros| zeros == 1),
    };
    if square && even {
        Convolution3x3::new(sizes, isa())
    } else {
        None
    }
}

/// The gradients of the images, if they are wanted, and of the weight.
fn winograd_gradients(
    convolution: &Convolution3x3,
    [images, weight, output_gradient]: [&[f32]; 3],
    for_images: bool,
) -> (Option<Vec<f32>>, Vec<f32>) {
    let mut images_gradient = for_images.then(|| vec![0.0; images.len()]);
    let mut weight_gradient = vec![0.0; weight.len()];
    let gradients = (images_gradient.as_deref_mut(), &mut weight_gradient[..]);
    convolution
        .backward(threads(), images, weight, output_gradient, gradients)
        .expect(RUNS);
    (images_gradient, weight_gradient)
}

fn threads() -> usize {
    rayon::current_num_threads()
}
