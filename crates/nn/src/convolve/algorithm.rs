use burn::backend::flex::FlexTensor;
use burn::backend::ops::{FloatTensorOps, ModuleOps};
use burn::backend::{Flex, TensorMetadata};
use burn::tensor::ops::ConvOptions;

use super::{Geometry, depthwise, im2col};
use crate::burn_cpu::{contiguous, tensor, values};
use crate::engine_operation::{RUNS, isa};
use attrium_engine::{Single, Sizes};

/// How a convolution and its gradients are computed.
///
/// By the engine where the filters are 3x3 and look at every place, as sums over rows where they see
/// one channel each, and as products of matrices elsewhere.
#[derive(Clone, Debug)]
pub(super) struct Way {
    geometry: Geometry,
    options: ConvOptions<2>,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Engine(Single),
    Product,
    Depthwise,
}

impl Way {
    /// The way for these shapes, if there is one.
    pub(super) fn new(
        images: &[usize],
        weight: &[usize],
        options: &ConvOptions<2>,
    ) -> Option<Self> {
        let geometry = Geometry::new(images, weight, options)?;
        if options.dilation != [1, 1] {
            return None;
        }
        let kind = if options.groups == 1 {
            single(&geometry, options).map_or(Kind::Product, Kind::Engine)
        } else if is_depthwise(&geometry, weight, options.groups) {
            Kind::Depthwise
        } else {
            return None;
        };
        Some(Self {
            geometry,
            options: options.clone(),
            kind,
        })
    }

    /// # Shapes
    /// As for [`convolve`](super::convolve).
    pub(super) fn outputs(&self, images: &FlexTensor, weight: &FlexTensor) -> FlexTensor {
        let shape = self.output();
        let [pixels, weights] = [images, weight].map(values);
        let outputs = match &self.kind {
            Kind::Engine(single) => {
                let mut outputs = vec![0.0; shape.iter().product()];
                single
                    .forward(threads(), pixels, weights, &mut outputs)
                    .expect(RUNS);
                outputs
            }
            Kind::Product => return im2col::outputs(&self.geometry, images, weight),
            Kind::Depthwise => depthwise::outputs(&self.geometry, pixels, weights),
        };
        tensor(outputs, shape)
    }

    /// The gradients of the images and of the weight, from that of the outputs: those that are wanted.
    pub(super) fn gradients(
        &self,
        images: FlexTensor,
        weight: FlexTensor,
        slopes: FlexTensor,
        [for_images, for_weight]: [bool; 2],
    ) -> [Option<FlexTensor>; 2] {
        let [image_shape, weight_shape] = [&images, &weight].map(|of| of.shape().to_vec());
        let of_weight = |values: Vec<f32>| tensor(values, weight_shape);
        match &self.kind {
            Kind::Engine(single) => {
                let inputs = [&images, &weight, &slopes].map(values);
                let (pixels, weights) = engine_gradients(single, inputs, for_images);
                let of_images = pixels.map(|values| tensor(values, image_shape));
                [of_images, for_weight.then(|| of_weight(weights))]
            }
            Kind::Product => {
                let weights =
                    || im2col::of_weight(&self.geometry, values(&images), values(&slopes));
                let weights = for_weight.then(|| of_weight(weights()));
                let of_images = for_images.then(|| self.product_of_images(images, weight, slopes));
                [of_images, weights]
            }
            Kind::Depthwise => {
                let [images, weight, slopes] = [&images, &weight, &slopes].map(values);
                let pixels = || depthwise::of_images(&self.geometry, weight, slopes);
                let weights = || depthwise::of_weight(&self.geometry, images, slopes);
                [
                    for_images.then(|| tensor(pixels(), image_shape)),
                    for_weight.then(|| of_weight(weights())),
                ]
            }
        }
    }

    /// The gradient of the images; that of a 1x1 convolution is one too.
    fn product_of_images(
        &self,
        images: FlexTensor,
        weight: FlexTensor,
        slopes: FlexTensor,
    ) -> FlexTensor {
        let options = self.options.clone();
        if self.geometry.is_pointwise() {
            let turned = contiguous(Flex::float_swap_dims(weight, 0, 1));
            return Flex::conv2d(slopes, turned, None, options);
        }
        Flex::conv2d_x_backward(images, weight, slopes, options)
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

fn single(geometry: &Geometry, options: &ConvOptions<2>) -> Option<Single> {
    let square = geometry.kernel == [3, 3] && geometry.stride == [1, 1];
    let even = options
        .padding
        .iter()
        .all(|pad| matches!(pad, (0, 0) | (1, 1)));
    let sizes = Sizes {
        channels: geometry.channels,
        input: geometry.size,
        padded: geometry.padding.map(|zeros| zeros == 1),
    };
    if square && even {
        Single::new(sizes, isa())
    } else {
        None
    }
}

/// The gradients of the images, if they are wanted, and of the weight.
fn engine_gradients(
    single: &Single,
    [images, weight, slopes]: [&[f32]; 3],
    for_images: bool,
) -> (Option<Vec<f32>>, Vec<f32>) {
    let mut of_images = for_images.then(|| vec![0.0; images.len()]);
    let mut of_weight = vec![0.0; weight.len()];
    let gradients = (of_images.as_deref_mut(), &mut of_weight[..]);
    single
        .backward(threads(), images, weight, slopes, gradients)
        .expect(RUNS);
    (of_images, of_weight)
}

fn threads() -> usize {
    rayon::current_num_threads()
}
