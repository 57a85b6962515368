//! The 3x3 convolution by Winograd's transforms.

use super::batch_view::{Activated, Images, ImagesMut, Plain, Source};
use super::batched_gemm::{Next, Products};
use super::epilogue::{Activate, Measure};
use super::gemm::tile_step;
use super::layout::Plane;
use super::tiles::{Finish, Load, MOST, Order, Strides, gather, scatter};
use super::{Isa, Kernel, Simd};

/// Floats that a cache may hold.
const CACHED: usize = 1 << 20;

/// The sizes of a convolution.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// Of inputs and outputs.
    pub plane: Plane,
    /// Blocks of input channels.
    pub blocks_in: usize,
    /// Blocks of output channels.
    pub blocks_out: usize,
    /// Images.
    pub images: usize,
    /// Whether the last image comes first.
    pub reversed: bool,
}

impl Shape {
    /// Tiles that are transformed before they are multiplied: more if the weights have to come from
    /// memory for each group of them. They are whole steps of the products in both directions.
    pub(crate) fn group(self) -> usize {
        let least = if self.is_wide() { MOST } else { 32 };
        let steps = [self.blocks_in, self.blocks_out].map(|n| tile_step(self.plane.lanes, n));
        let is_whole = |tiles: &usize| steps.iter().all(|step| tiles.is_multiple_of(*step));
        let fewer = (0..least).rev();
        (least..=MOST).chain(fewer).find(is_whole).unwrap_or(0)
    }

    /// Whether the transformed weights stay in no cache.
    pub(crate) fn is_wide(self) -> bool {
        self.weights() > CACHED
    }

    pub(super) fn strides(self, blocks: usize) -> Strides {
        Strides::new(self.plane.lanes, blocks, self.group())
    }

    pub(super) fn order(self) -> Order {
        Order {
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
    /// two, lest all 36 lie in the same few lines of a cache.
    pub(crate) fn point(self) -> usize {
        self.weights() / 36 + 16
    }

    /// Floats of the gradient of the transformed weights.
    pub(crate) fn gradient(self) -> usize {
        36 * self.point()
    }

    /// Floats of that gradient once it is transformed back.
    pub(crate) fn taps(self) -> usize {
        self.weights() / 36 * 9
    }

    /// Floats of scratch for one side's transformed tiles.
    pub(crate) fn scratch(self) -> usize {
        let blocks = self.blocks_in.max(self.blocks_out);
        self.strides(blocks).len()
    }
}

/// A training's convolution: outputs as they are, and sums of them.
#[derive(Debug)]
pub(crate) struct Forward<'a> {
    /// The sizes.
    pub shape: Shape,
    /// The inputs, activated as they are read.
    pub input: Source<'a>,
    /// The transformed weights.
    pub weights: &'a [f32],
    /// Outputs before normalisation. The border is not touched.
    pub output: &'a mut [f32],
    /// For each lane the sum of outputs, then for each the sum of their squares; added to.
    pub sums: &'a mut [f64],
    /// Two times [`Shape::scratch`].
    pub scratch: &'a mut [f32],
    /// Whether outputs are too many for the caches.
    pub streamed: bool,
}

impl Forward<'_> {
    /// Computes it.
    pub(crate) fn run(self, isa: Isa) {
        isa.run(self);
    }
}

impl Kernel for Forward<'_> {
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
        let load = Activated::new(self.input, plane, blocks_in, images);
        let mut output = ImagesMut::new(self.output, plane, blocks_out, images);
        if self.streamed {
            output = output.aligned(plane);
        }
        let mut finish = Measure::new(plane, output, blocks_out, self.sums, self.streamed);
        // SAFETY: images have been checked as both were made.
        unsafe { convolve(s, self.shape, load, self.weights, self.scratch, &mut finish) };
        if self.streamed {
            s.fence();
        }
    }
}

/// An evaluation's convolution, with batch normalisation in its weights: outputs after the
/// activation.
#[derive(Debug)]
pub(crate) struct Inference<'a> {
    /// The sizes.
    pub shape: Shape,
    /// The inputs, with a border of 0.
    pub input: &'a [f32],
    /// The transformed weights.
    pub weights: &'a [f32],
    /// Added to the outputs, one for each lane of the blocks.
    pub bias: &'a [f32],
    /// Images added before the activation, and their blocks, of which there may be fewer.
    pub skip: Option<(&'a [f32], usize)>,
    /// Whether the mean of each 2x2 square is the output.
    pub pooled: bool,
    /// The outputs. The border is not touched.
    pub output: &'a mut [f32],
    /// Two times [`Shape::scratch`].
    pub scratch: &'a mut [f32],
}

impl Inference<'_> {
    /// Computes it.
    pub(crate) fn run(self, isa: Isa) {
        isa.run(self);
    }
}

impl Kernel for Inference<'_> {
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
        assert!(self.bias.len() >= blocks_out * S::LANES);
        let load = Plain(Images::new(self.input, plane, blocks_in, images));
        let to = if self.pooled { plane.halved() } else { plane };
        let mut finish = Activate {
            plane,
            bias: self.bias.as_ptr(),
            skip: self
                .skip
                .map(|(values, blocks)| Images::new(values, plane, blocks, images)),
            pooled: self.pooled,
            output: ImagesMut::new(self.output, to, blocks_out, images),
        };
        // SAFETY: images have been checked as both were made.
        unsafe { convolve(s, self.shape, load, self.weights, self.scratch, &mut finish) };
    }
}

/// # Safety
/// `load` and `finish` have the shape's images and blocks.
#[inline(always)]
pub(super) unsafe fn convolve<S: Simd, L: Load<S>, F: Finish<S>>(
    s: S,
    shape: Shape,
    load: L,
    weights: &[f32],
    scratch: &mut [f32],
    finish: &mut F,
) {
    assert!(weights.len() >= shape.weights() && scratch.len() >= 2 * shape.scratch());
    let (from, to) = scratch.split_at_mut(shape.scratch());
    // Once for all: what is taken from a slice anew ends what was taken before.
    let (from, to) = (from.as_mut_ptr(), to.as_mut_ptr());
    let (from_strides, to_strides) = (
        shape.strides(shape.blocks_in),
        shape.strides(shape.blocks_out),
    );
    let mut groups = shape.order().groups(shape.group());
    while let Some([places, next]) = groups.advance() {
        let products = Products {
            weights,
            from,
            from_strides,
            blocks_in: shape.blocks_in,
            to,
            to_strides,
            blocks_out: shape.blocks_out,
            tiles: places.len(),
            gradient: None,
            next: Next {
                plane: shape.plane,
                places: next,
                images: [load.images(), &[]],
            },
        };
        // SAFETY: the caller vouches for `load` and `finish`; scratch and weights are long enough.
        unsafe {
            scatter(
                s,
                load,
                shape.plane,
                shape.blocks_in,
                places,
                from,
                from_strides,
            );
            products.run(s);
            gather(s, finish, shape.blocks_out, places, to, to_strides);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_whole_steps_of_the_products_in_both_directions() {
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
            let shape = Shape {
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
