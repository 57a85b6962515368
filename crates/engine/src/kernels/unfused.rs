//! The convolution by itself, with nothing fused before or after it.

use super::backward::BackwardPass;
use super::batch_view::{BatchView, BatchViewMut, PlainLoad};
use super::batched_gemm::{BatchedGemm, Prefetch};
use super::convolution::{ConvolutionShape, convolve};
use super::gemm::WeightsGradientGemm;
use super::layout::{Plane, TILE};
use super::tiles::{
    Epilogue, MAX_TILES, TilePosition, transform_inner, transform_input, transform_output,
};
use super::{Isa, Kernel, Simd};

/// The outputs of a convolution, or the gradient of its inputs, which is a convolution too.
#[derive(Debug)]
pub(crate) struct UnfusedForward<'a> {
    pub shape: ConvolutionShape,
    /// The inputs, with a border of 0.
    pub input: &'a [f32],
    /// The transformed weights.
    pub weights: &'a [f32],
    /// The outputs. The border is not touched.
    pub output: &'a mut [f32],
    /// Two times [`ConvolutionShape::scratch`].
    pub scratch: &'a mut [f32],
}

impl UnfusedForward<'_> {
    pub(crate) fn run(self, isa: Isa) {
        isa.run(self);
    }
}

impl Kernel for UnfusedForward<'_> {
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
        let load = plain(self.input, plane, blocks_in, images);
        let output = BatchViewMut::new(self.output, plane, blocks_out, images);
        let mut epilogue = Store { plane, output };
        // SAFETY: images have been checked as both were made.
        unsafe {
            convolve(
                s,
                self.shape,
                load,
                self.weights,
                self.scratch,
                &mut epilogue,
            )
        };
    }
}

/// Both gradients of a convolution, or that of its weights alone.
#[derive(Debug)]
pub(crate) struct UnfusedBackward<'a> {
    pub shape: ConvolutionShape,
    /// The gradient of the outputs, with a border of 0.
    pub output: &'a [f32],
    /// The inputs.
    pub input: &'a [f32],
    /// The transformed weights, rotated as for [`Backward`](super::Backward).
    pub weights: &'a [f32],
    /// As for [`Backward`](super::Backward).
    pub weights_gradient: &'a mut [f32],
    /// Whether `weights_gradient` is overwritten rather than added to.
    pub first: bool,
    /// Receives the gradient of the inputs, if it is wanted. The border is not touched.
    pub gradient: Option<&'a mut [f32]>,
    /// Three times [`ConvolutionShape::scratch`].
    pub scratch: &'a mut [f32],
}

impl UnfusedBackward<'_> {
    pub(crate) fn run(self, isa: Isa) {
        isa.run(self);
    }
}

impl Kernel for UnfusedBackward<'_> {
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
        let load = plain(self.output, plane, blocks_out, images);
        let input = plain(self.input, plane, blocks_in, images);
        let wanted = self.gradient.as_ref().map_or(0, |_| blocks_in);
        let gradient = self.gradient.unwrap_or_default();
        let output = BatchViewMut::new(gradient, plane, wanted, images);
        let mut epilogue = Store { plane, output };
        let pass = BackwardPass::new(
            self.shape,
            self.weights,
            self.weights_gradient,
            self.first,
            self.scratch,
        );
        // SAFETY: all images and lengths have just been checked.
        unsafe { pass.run(s, load, input, wanted, &mut epilogue) };
    }
}

/// The gradient of a convolution's inputs, for no more than one group of tiles, which are kept for
/// [`BackwardWeightsPoint`].
#[derive(Debug)]
pub(crate) struct UnfusedBackwardData<'a> {
    pub shape: ConvolutionShape,
    /// The gradient of the outputs, with a border of 0.
    pub output: &'a [f32],
    /// The inputs.
    pub input: &'a [f32],
    /// The transformed weights, rotated.
    pub weights: &'a [f32],
    /// Receives the gradient of the inputs. The border is not touched.
    pub gradient: &'a mut [f32],
    /// The transformed tiles of outputs and of inputs, each [`ConvolutionShape::scratch`].
    pub tiles: [&'a mut [f32]; 2],
    /// [`ConvolutionShape::scratch`].
    pub scratch: &'a mut [f32],
}

impl UnfusedBackwardData<'_> {
    pub(crate) fn run(self, isa: Isa) {
        isa.run(self);
    }
}

impl Kernel for UnfusedBackwardData<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let shape = self.shape;
        let ConvolutionShape {
            plane,
            blocks_in,
            blocks_out,
            images,
            ..
        } = shape;
        assert_eq!(plane.lanes, S::LANES);
        let load = plain(self.output, plane, blocks_out, images);
        let input = plain(self.input, plane, blocks_in, images);
        let output = BatchViewMut::new(self.gradient, plane, blocks_in, images);
        let mut epilogue = Store { plane, output };
        let order = shape.order();
        let tiles = order.tiles();
        let [data, inner] = self.tiles;
        let lengths = [&*data, &*inner, &*self.scratch].map(<[f32]>::len);
        assert!(tiles <= shape.group() && lengths.iter().all(|len| *len >= shape.scratch()));
        assert!(self.weights.len() >= shape.weights());
        let [data, inner] = [data, inner].map(<[f32]>::as_mut_ptr);
        let scratch = self.scratch.as_mut_ptr();
        let mut positions = [TilePosition::default(); MAX_TILES];
        order.group(0, tiles, &mut positions);
        let positions = &positions[..tiles];
        let [in_strides, out_strides] = [blocks_in, blocks_out].map(|n| shape.strides(n));
        let gemm = BatchedGemm {
            weights: self.weights,
            from: data,
            from_strides: out_strides,
            blocks_in: blocks_out,
            to: scratch,
            to_strides: in_strides,
            blocks_out: blocks_in,
            tiles,
            gradient: None,
            prefetch: Prefetch {
                plane,
                positions: &[],
                images: [&[], &[]],
            },
        };
        // SAFETY: all images and lengths have just been checked.
        unsafe {
            transform_input(s, load, plane, blocks_out, positions, data, out_strides);
            transform_inner(s, input, plane, blocks_in, positions, inner, in_strides);
            gemm.run(s);
            transform_output(s, &mut epilogue, blocks_in, positions, scratch, in_strides);
        }
    }
}

/// The gradient of a convolution's weights at one of the 36 points.
#[derive(Debug)]
pub(crate) struct BackwardWeightsPoint<'a> {
    pub shape: ConvolutionShape,
    pub point: usize,
    /// The tiles that [`UnfusedBackwardData`] has kept: of outputs, then of inputs.
    pub tiles: [&'a [f32]; 2],
    /// Whether `gradient` is overwritten rather than added to.
    pub first: bool,
    /// As for [`Backward`](super::Backward), but of this point.
    pub gradient: &'a mut [f32],
}

impl BackwardWeightsPoint<'_> {
    pub(crate) fn run(self, isa: Isa) {
        isa.run(self);
    }
}

impl Kernel for BackwardWeightsPoint<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let shape = self.shape;
        let tiles = shape.order().tiles();
        let lengths = self.tiles.map(<[f32]>::len);
        assert!(self.point < 36 && shape.plane.lanes == S::LANES);
        assert!(tiles <= shape.group() && lengths.iter().all(|len| *len >= shape.scratch()));
        assert!(36 * self.gradient.len() >= shape.weights());
        let [inner_strides, data_strides] =
            [shape.blocks_in, shape.blocks_out].map(|blocks| shape.strides(blocks));
        let [data, inner] = self.tiles.map(<[f32]>::as_ptr);
        // SAFETY: all lengths have just been checked.
        unsafe {
            WeightsGradientGemm {
                inner: inner.add(self.point * inner_strides.point),
                inner_strides,
                blocks_in: shape.blocks_in,
                data: data.add(self.point * data_strides.point),
                data_strides,
                blocks_out: shape.blocks_out,
                to: self.gradient.as_mut_ptr(),
                tiles,
                first: self.first,
            }
            .multiply(s);
        }
    }
}

fn plain(values: &[f32], plane: Plane, blocks: usize, images: usize) -> PlainLoad {
    PlainLoad(BatchView::new(values, plane, blocks, images))
}

/// Stores outputs as they are.
struct Store {
    plane: Plane,
    output: BatchViewMut,
}

impl<S: Simd> Epilogue<S> for Store {
    type Block = usize;

    #[inline(always)]
    unsafe fn begin(&self, _: S, block: usize) -> usize {
        block
    }

    #[inline(always)]
    unsafe fn rows(
        &mut self,
        s: S,
        block: &mut usize,
        position: TilePosition,
        lower: bool,
        rows: [[S::V; TILE]; 2],
    ) {
        let at = position.corner + self.plane.inside() + 2 * usize::from(lower) * self.plane.row();
        // SAFETY: the caller vouches for position and block.
        unsafe {
            let to = self.output.at(position.image, *block).add(at);
            for row in 0..2 {
                for column in 0..TILE {
                    let to = to.add(row * self.plane.row() + column * S::LANES);
                    s.store(to, rows[row][column]);
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn end(&mut self, _: S, _: usize, _: usize) {}
}
