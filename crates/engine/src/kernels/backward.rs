//! The gradient of a convolution: of its weights and of its inputs, in one pass.

use super::batch_view::{Activated, Derived, Differential, Images, ImagesMut, Source};
use super::batched_gemm::{Next, Products, WeightsGradient};
use super::convolution::Shape;
use super::epilogue::{Backpropagate, Passed};
use super::tiles::{Finish, Load, gather, scatter, scatter_inner};
use super::{Isa, Kernel, Simd};

/// The layer before a convolution, whose gradient is wanted.
#[derive(Debug)]
pub(crate) struct Input<'a> {
    /// Its outputs, activated as they are read: the convolution's inputs.
    pub source: Source<'a>,
    /// How they were activated.
    pub activation: Activation<'a>,
    /// The gradient that comes by a skip connection, of at least so many blocks, and its blocks.
    pub skip: Option<(&'a [f32], usize)>,
    /// Becomes the gradient of the normalised values, or of the values if there was no activation.
    pub gradient: &'a mut [f32],
    /// For each lane the sum of that gradient, then for each the sum of its products with the
    /// outputs before normalisation; added to, unless there was no activation.
    pub sums: &'a mut [f64],
}

/// How a layer was activated.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Activation<'a> {
    /// Not at all: a pool.
    None,
    /// As its values are read.
    OnLoad,
    /// The values that are read are the activation; these are the outputs before normalisation.
    Stored(&'a [f32]),
}

/// The gradient of a convolution.
#[derive(Debug)]
pub(crate) struct Backward<'a> {
    /// The sizes.
    pub shape: Shape,
    /// The gradient of the outputs.
    pub output: Differential<'a>,
    /// The inputs.
    pub input: Input<'a>,
    /// The transformed weights, turned round: `[block_in][36][channel_out][lane]`.
    pub weights: &'a [f32],
    /// The gradient of the weights, turned round and not yet transformed back:
    /// `[36][block_in][block_out][channel_in][lane]`, each of the 36 [`Shape::point`] after the last.
    pub weights_gradient: &'a mut [f32],
    /// Three times [`Shape::scratch`].
    pub scratch: &'a mut [f32],
    /// Whether gradients are too many for the caches.
    pub streamed: bool,
}

impl Backward<'_> {
    /// Computes it.
    pub(crate) fn run(self, isa: Isa) {
        isa.run(self);
    }
}

impl Kernel for Backward<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Shape {
            plane,
            blocks_in,
            blocks_out,
            images,
            ..
        } = self.shape;
        assert_eq!(plane.lanes, S::LANES);
        let load = Derived::new(self.output, plane, blocks_out, images);
        let input = Activated::new(self.input.source, plane, blocks_in, images);
        let (passed, outputs) = match self.input.activation {
            Activation::None => (Passed::All, input),
            Activation::OnLoad => (Passed::Normalised, input),
            Activation::Stored(outputs) => (
                Passed::Images(input.images),
                Activated {
                    images: Images::new(outputs, plane, blocks_in, images),
                    ..input
                },
            ),
        };
        let skip = self.input.skip.map(|(values, blocks)| {
            assert!(blocks >= blocks_in, "a skip should not lose channels");
            Images::new(values, plane, blocks, images)
        });
        let mut gradient = ImagesMut::new(self.input.gradient, plane, blocks_in, images);
        if self.streamed {
            gradient = gradient.aligned(plane);
        }
        let (sums, products) = self.input.sums.split_at_mut(blocks_in * S::LANES);
        let mut finish = Backpropagate {
            plane,
            passed,
            skip,
            outputs,
            gradient,
            sums,
            products,
            streamed: self.streamed,
        };
        let pass = Pass::new(
            self.shape,
            self.weights,
            self.weights_gradient,
            true,
            self.scratch,
        );
        // SAFETY: all images and lengths have just been checked.
        unsafe { pass.run(s, load, input, blocks_in, &mut finish) };
        if self.streamed {
            s.fence();
        }
    }
}

/// What the pass over the tiles needs beside images.
pub(super) struct Pass<'a> {
    shape: Shape,
    weights: &'a [f32],
    gradient: *mut f32,
    first: bool,
    scratch: *mut f32,
}

impl<'a> Pass<'a> {
    /// `first` unless the gradient is to be added to what is there.
    #[inline(always)]
    pub(super) fn new(
        shape: Shape,
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

    /// From the gradient of the outputs and the inputs to those of weights and inputs, the latter of so
    /// many blocks: all or none.
    ///
    /// # Safety
    /// `output`, `input` and `finish` have the shape's images and blocks, and `finish` those that are
    /// `wanted`.
    #[inline(always)]
    pub(super) unsafe fn run<S: Simd, O: Load<S>, I: Load<S>, F: Finish<S>>(
        self,
        s: S,
        output: O,
        input: I,
        wanted: usize,
        finish: &mut F,
    ) {
        let Shape {
            plane,
            blocks_in,
            blocks_out,
            ..
        } = self.shape;
        let (in_strides, out_strides) = (
            self.shape.strides(blocks_in),
            self.shape.strides(blocks_out),
        );
        // SAFETY: there is scratch for three.
        let [data, inner, to] = unsafe {
            let size = self.shape.scratch();
            [
                self.scratch,
                self.scratch.add(size),
                self.scratch.add(2 * size),
            ]
        };
        let mut first = self.first;
        let mut groups = self.shape.order().groups(self.shape.group());
        while let Some([places, next]) = groups.advance() {
            let products = Products {
                weights: self.weights,
                from: data,
                from_strides: out_strides,
                blocks_in: blocks_out,
                to,
                to_strides: in_strides,
                blocks_out: wanted,
                tiles: places.len(),
                gradient: Some(WeightsGradient {
                    inner,
                    inner_strides: in_strides,
                    blocks: blocks_in,
                    to: self.gradient,
                    point: self.shape.point(),
                    first,
                }),
                next: Next {
                    plane,
                    places: next,
                    images: [output.images(), input.images()],
                },
            };
            // SAFETY: the caller vouches for images and lengths.
            unsafe {
                scatter(s, output, plane, blocks_out, places, data, out_strides);
                scatter_inner(s, input, plane, blocks_in, places, inner, in_strides);
                products.run(s);
                gather(s, finish, wanted, places, to, in_strides);
            }
            first = false;
        }
    }
}
