//! The 3x3 convolution by Winograd's F(4x4, 3x3): input transform, 36 matrix products, output
//! transform, for a group of tiles at a time.

use super::batch_view::{BatchNormRelu, BatchNormReluLoad, BatchView, BatchViewMut, PlainLoad};
use super::batched_gemm::{BatchedGemm, Prefetch};
use super::epilogue::{BiasSkipRelu, StoreWithStatistics};
use super::gemm::tile_step;
use super::layout::Plane;
use super::tiles::{
    Epilogue, Load, MAX_TILES, TileOrder, TileStrides, transform_input, transform_output,
};
use super::{Isa, Kernel, Simd};

/// Floats that fit into a cache.
const CACHED: usize = 1 << 20;

/// The sizes of a convolution.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConvolutionShape {
    /// Of inputs and outputs alike.
    pub plane: Plane,
    pub blocks_in: usize,
    pub blocks_out: usize,
    pub images: usize,
    /// Whether the images are taken from the last to the first.
    pub reversed: bool,
}

impl ConvolutionShape {
    /// Tiles of a group: those that are transformed before they are multiplied. There are more if
    /// the weights have to come from memory for each group. They are whole micro-tiles of the
    /// products in both directions.
    pub(crate) fn group(self) -> usize {
        let least = if self.is_wide() { MAX_TILES } else { 32 };
        let steps = [self.blocks_in, self.blocks_out].map(|n| tile_step(self.plane.lanes, n));
        let is_whole = |tiles: &usize| steps.iter().all(|step| tiles.is_multiple_of(*step));
        let fewer = (0..least).rev();
        (least..=MAX_TILES).chain(fewer).find(is_whole).unwrap_or(0)
    }

    /// Whether the transformed weights are too large for the caches.
    pub(crate) fn is_wide(self) -> bool {
        self.weights() > CACHED
    }

    pub(super) fn strides(self, blocks: usize) -> TileStrides {
        TileStrides::new(self.plane.lanes, blocks, self.group())
    }

    pub(super) fn order(self) -> TileOrder {
        TileOrder {
            plane: self.plane,
            images: self.images,
            reversed: self.reversed,
        }
    }

    /// Floats of the transformed weights.
    pub(crate) fn weights(self) -> usize {
        36 * self.blocks_in * self.blocks_out * self.plane.lanes * self.plane.lanes
    }

    /// Floats from one point of the gradient of the transformed weights to the next: no power of
    /// two, or all 36 would compete for the same few sets of a cache.
    pub(crate) fn point(self) -> usize {
        self.weights() / 36 + 16
    }

    /// Floats of the gradient of the transformed weights.
    pub(crate) fn gradient(self) -> usize {
        36 * self.point()
    }

    /// Floats of that gradient after its inverse transform.
    pub(crate) fn taps(self) -> usize {
        self.weights() / 36 * 9
    }

    /// Floats of scratch for the transformed tiles of one side, inputs or outputs.
    pub(crate) fn scratch(self) -> usize {
        let blocks = self.blocks_in.max(self.blocks_out);
        self.strides(blocks).len()
    }
}

/// The convolution in training: outputs before normalisation, and the sums for their statistics.
#[derive(Debug)]
pub(crate) struct Forward<'a> {
    pub shape: ConvolutionShape,
    /// The inputs, normalised and activated as they are read.
    pub input: BatchNormRelu<'a>,
    /// The transformed weights.
    pub weights: &'a [f32],
    /// The outputs before normalisation. The border is not touched.
    pub output: &'a mut [f32],
    /// For each lane the sum of outputs, then for each the sum of their squares. Accumulated.
    pub sums: &'a mut [f64],
    /// Two times [`ConvolutionShape::scratch`].
    pub scratch: &'a mut [f32],
    /// Whether the outputs are too large for the caches, so that they are written past them.
    pub streamed: bool,
}

impl Forward<'_> {
    pub(crate) fn run(self, isa: Isa) {
        isa.run(self);
    }
}

impl Kernel for Forward<'_> {
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
        let load = BatchNormReluLoad::new(self.input, plane, blocks_in, images);
        let mut output = BatchViewMut::new(self.output, plane, blocks_out, images);
        if self.streamed {
            output = output.aligned(plane);
        }
        let mut epilogue =
            StoreWithStatistics::new(plane, output, blocks_out, self.sums, self.streamed);
        // SAFETY: both views have checked that the images are there.
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
        if self.streamed {
            s.fence();
        }
    }
}

/// The convolution in evaluation, with batch normalisation folded into its weights: activated
/// outputs.
#[derive(Debug)]
pub(crate) struct Inference<'a> {
    pub shape: ConvolutionShape,
    /// The inputs, with a border of 0.
    pub input: &'a [f32],
    /// The transformed weights.
    pub weights: &'a [f32],
    /// Added to the outputs, one value for each lane of the blocks.
    pub bias: &'a [f32],
    /// Images that are added before the activation, and their blocks, of which there may be fewer.
    pub skip: Option<(&'a [f32], usize)>,
    /// Whether a 2x2 average pool follows.
    pub pooled: bool,
    /// The outputs. The border is not touched.
    pub output: &'a mut [f32],
    /// Two times [`ConvolutionShape::scratch`].
    pub scratch: &'a mut [f32],
}

impl Inference<'_> {
    pub(crate) fn run(self, isa: Isa) {
        isa.run(self);
    }
}

impl Kernel for Inference<'_> {
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
        assert!(self.bias.len() >= blocks_out * S::LANES);
        let load = PlainLoad(BatchView::new(self.input, plane, blocks_in, images));
        let to = if self.pooled { plane.halved() } else { plane };
        let mut epilogue = BiasSkipRelu {
            plane,
            bias: self.bias.as_ptr(),
            skip: self
                .skip
                .map(|(values, blocks)| BatchView::new(values, plane, blocks, images)),
            pooled: self.pooled,
            output: BatchViewMut::new(self.output, to, blocks_out, images),
        };
        // SAFETY: both views have checked that the images are there.
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

/// # Safety
/// `load` and `epilogue` have the shape's images and blocks.
#[inline(always)]
pub(super) unsafe fn convolve<S: Simd, L: Load<S>, F: Epilogue<S>>(
    s: S,
    shape: ConvolutionShape,
    load: L,
    weights: &[f32],
    scratch: &mut [f32],
    epilogue: &mut F,
) {
    assert!(weights.len() >= shape.weights() && scratch.len() >= 2 * shape.scratch());
    let (from, to) = scratch.split_at_mut(shape.scratch());
    // Pointers are taken once: to borrow the slice again would invalidate those taken before.
    let (from, to) = (from.as_mut_ptr(), to.as_mut_ptr());
    let (from_strides, to_strides) = (
        shape.strides(shape.blocks_in),
        shape.strides(shape.blocks_out),
    );
    let mut groups = shape.order().groups(shape.group());
    while let Some([positions, next]) = groups.advance() {
        let gemm = BatchedGemm {
            weights,
            from,
            from_strides,
            blocks_in: shape.blocks_in,
            to,
            to_strides,
            blocks_out: shape.blocks_out,
            tiles: positions.len(),
            gradient: None,
            prefetch: Prefetch {
                plane: shape.plane,
                positions: next,
                images: [load.images(), &[]],
            },
        };
        // SAFETY: the caller vouches for `load` and `epilogue`; both lengths have been checked.
        unsafe {
            transform_input(
                s,
                load,
                shape.plane,
                shape.blocks_in,
                positions,
                from,
                from_strides,
            );
            gemm.run(s);
            transform_output(s, epilogue, shape.blocks_out, positions, to, to_strides);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_whole_micro_tiles_in_both_directions() {
        for (lanes, blocks_in, blocks_out, group) in [
            (8, 2, 16, 36),
            (8, 64, 64, 144),
            (16, 1, 1, 56),
            (16, 1, 8, 56),
            (16, 8, 8, 32),
            (16, 32, 32, 144),
            (16, 1, 120, 112),
            (16, 120, 1, 112),
        ] {
            let shape = ConvolutionShape {
                plane: Plane {
                    height: 16,
                    width: 16,
                    lanes,
                },
                blocks_in,
                blocks_out,
                images: 1,
                reversed: false,
            };
            assert_eq!(shape.group(), group, "{shape:?}");
            for blocks in [blocks_in, blocks_out] {
                assert_eq!(group % tile_step(lanes, blocks), 0, "{shape:?}");
            }
        }
    }
}
