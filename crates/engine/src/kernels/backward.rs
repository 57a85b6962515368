//! The backward pass of a convolution: the gradients of its weights and of its inputs, in one sweep
//! over the tiles.

use super::batch_view::{
    BatchNormGradient, BatchNormGradientLoad, BatchNormRelu, BatchNormReluLoad, BatchView,
    BatchViewMut,
};
use super::batched_gemm::{BatchedGemm, Prefetch, WeightsGradient};
use super::convolution::ConvolutionShape;
use super::epilogue::{ReluBackward, ReluMask};
use super::tiles::{Epilogue, Load, transform_inner, transform_input, transform_output};
use super::{Isa, Kernel, Simd};

/// The layer before a convolution, whose gradient is computed.
#[derive(Debug)]
pub(crate) struct Input<'a> {
    /// Its outputs, activated as they are read: the convolution's inputs.
    pub source: BatchNormRelu<'a>,
    /// How they were activated.
    pub activation: Activation<'a>,
    /// The gradient that arrives through a skip connection, and its number of blocks, which is at
    /// least `blocks_in`.
    pub skip: Option<(&'a [f32], usize)>,
    /// Receives the gradient of the normalised values, or that of the values themselves where
    /// nothing was activated.
    pub gradient: &'a mut [f32],
    /// For each lane the sum of that gradient, then for each the sum of its products with the
    /// outputs before normalisation. Accumulated, unless there was no activation.
    pub sums: &'a mut [f64],
}

/// How a layer was activated.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Activation<'a> {
    /// Not at all: after a pool.
    None,
    /// By normalisation and ReLU as its values are read.
    OnLoad,
    /// The values that are read are activated already; these are the outputs before normalisation.
    Stored(&'a [f32]),
}

impl Activation<'_> {
    /// Where the gradient passes, and the layer's outputs before normalisation.
    #[inline(always)]
    fn mask(
        self,
        input: BatchNormReluLoad,
        shape: ConvolutionShape,
    ) -> (ReluMask, BatchNormReluLoad) {
        match self {
            Activation::None => (ReluMask::All, input),
            Activation::OnLoad => (ReluMask::Normalised, input),
            Activation::Stored(outputs) => {
                let images = BatchView::new(outputs, shape.plane, shape.blocks_in, shape.images);
                let outputs = BatchNormReluLoad { images, ..input };
                (ReluMask::Activations(input.images), outputs)
            }
        }
    }
}

/// Both gradients of a convolution.
#[derive(Debug)]
pub(crate) struct Backward<'a> {
    pub shape: ConvolutionShape,
    /// The gradient of the outputs.
    pub output: BatchNormGradient<'a>,
    /// The inputs.
    pub input: Input<'a>,
    /// The transformed weights, rotated by 180 degrees: `[block_in][36][channel_out][lane]`.
    pub weights: &'a [f32],
    /// The gradient of the weights, rotated and still in the Winograd domain:
    /// `[36][block_in][block_out][channel_in][lane]`, where the 36 points lie
    /// [`ConvolutionShape::point`] floats apart.
    pub weights_gradient: &'a mut [f32],
    /// Three times [`ConvolutionShape::scratch`].
    pub scratch: &'a mut [f32],
    /// Whether the gradient is too large for the caches, so that it is written past them.
    pub streamed: bool,
}

impl Backward<'_> {
    pub(crate) fn run(self, isa: Isa) {
        isa.run(self);
    }
}

impl Kernel for Backward<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let ConvolutionShape {
            plane,
            blocks_in,
            blocks_out,
            images,
            ..
        } = self.shape;
        assert_eq!(plane.lanes, S::LANES);
        let load = BatchNormGradientLoad::new(self.output, plane, blocks_out, images);
        let input = BatchNormReluLoad::new(self.input.source, plane, blocks_in, images);
        let (mask, outputs) = self.input.activation.mask(input, self.shape);
        let skip = self.input.skip.map(|(values, blocks)| {
            assert!(blocks >= blocks_in, "a skip should not lose channels");
            BatchView::new(values, plane, blocks, images)
        });
        let mut gradient = BatchViewMut::new(self.input.gradient, plane, blocks_in, images);
        if self.streamed {
            gradient = gradient.aligned(plane);
        }
        let (sums, products) = self.input.sums.split_at_mut(blocks_in * S::LANES);
        let mut epilogue = ReluBackward {
            plane,
            mask,
            skip,
            outputs,
            gradient,
            sums,
            products,
            streamed: self.streamed,
        };
        let pass = BackwardPass::new(
            self.shape,
            self.weights,
            self.weights_gradient,
            true,
            self.scratch,
        );
        // SAFETY: all images and lengths have just been checked.
        unsafe { pass.run(s, load, input, blocks_in, &mut epilogue) };
        if self.streamed {
            s.fence();
        }
    }
}

/// The backward pass but for its images: weights, their gradient and scratch.
pub(super) struct BackwardPass<'a> {
    shape: ConvolutionShape,
    weights: &'a [f32],
    gradient: *mut f32,
    first: bool,
    scratch: *mut f32,
}

impl<'a> BackwardPass<'a> {
    /// With `first` the weights' gradient is overwritten, otherwise it is added to.
    #[inline(always)]
    pub(super) fn new(
        shape: ConvolutionShape,
        weights: &'a [f32],
        gradient: &'a mut [f32],
        first: bool,
        scratch: &'a mut [f32],
    ) -> Self {
        assert!(weights.len() >= shape.weights() && gradient.len() >= shape.gradient());
        assert!(scratch.len() >= 3 * shape.scratch());
        Self {
            shape,
            weights,
            gradient: gradient.as_mut_ptr(),
            first,
            scratch: scratch.as_mut_ptr(),
        }
    }

    /// From the gradient of the outputs and the inputs to the gradients of weights and inputs.
    /// `wanted` blocks of the latter are computed: all or none.
    ///
    /// # Safety
    /// `output`, `input` and `epilogue` have the images and blocks of the shape, `epilogue` only
    /// the `wanted` blocks.
    #[inline(always)]
    pub(super) unsafe fn run<S: Simd, O: Load<S>, I: Load<S>, F: Epilogue<S>>(
        self,
        s: S,
        output: O,
        input: I,
        wanted: usize,
        epilogue: &mut F,
    ) {
        let ConvolutionShape {
            plane,
            blocks_in,
            blocks_out,
            ..
        } = self.shape;
        let [in_strides, out_strides] =
            [blocks_in, blocks_out].map(|blocks| self.shape.strides(blocks));
        let size = self.shape.scratch();
        // SAFETY: `new` has checked that the scratch holds three times this size.
        let [data, inner, to] = [0, size, 2 * size].map(|at| unsafe { self.scratch.add(at) });
        let mut first = self.first;
        let mut groups = self.shape.order().groups(self.shape.group());
        while let Some([positions, next]) = groups.advance() {
            let gemm = BatchedGemm {
                weights: self.weights,
                from: data,
                from_strides: out_strides,
                blocks_in: blocks_out,
                to,
                to_strides: in_strides,
                blocks_out: wanted,
                tiles: positions.len(),
                gradient: Some(WeightsGradient {
                    inner,
                    inner_strides: in_strides,
                    blocks: blocks_in,
                    to: self.gradient,
                    point: self.shape.point(),
                    first,
                }),
                prefetch: Prefetch {
                    plane,
                    positions: next,
                    images: [output.images(), input.images()],
                },
            };
            // SAFETY: the caller vouches for images and lengths.
            unsafe {
                transform_input(s, output, plane, blocks_out, positions, data, out_strides);
                transform_inner(s, input, plane, blocks_in, positions, inner, in_strides);
                gemm.run(s);
                transform_output(s, epilogue, wanted, positions, to, in_strides);
            }
            first = false;
        }
    }
}
