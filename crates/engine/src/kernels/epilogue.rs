//! What becomes of a convolution's outputs while they are in registers.

use super::Simd;
use super::batch_view::{Activated, Images, ImagesMut};
use super::layout::{Plane, TILE};
use super::tiles::{Finish, Place};

/// Adds the lanes of a group's sums, taken in 32 bits, to those of all groups in 64 bits.
#[inline(always)]
pub(super) fn add<S: Simd>(s: S, sums: &mut [f64], block: usize, group: S::V) {
    let mut lanes = [0.0f32; 16];
    // SAFETY: no vector is longer than the array.
    unsafe { s.store(lanes.as_mut_ptr(), group) };
    for (sum, lane) in sums[block * S::LANES..].iter_mut().zip(&lanes[..S::LANES]) {
        *sum += f64::from(*lane);
    }
}

/// Stores outputs and sums them and their squares.
pub(super) struct Measure<'a> {
    plane: Plane,
    output: ImagesMut,
    sums: &'a mut [f64],
    squares: &'a mut [f64],
    streamed: bool,
}

impl<'a> Measure<'a> {
    pub(super) fn new(
        plane: Plane,
        output: ImagesMut,
        blocks: usize,
        sums: &'a mut [f64],
        streamed: bool,
    ) -> Self {
        let (sums, squares) = sums.split_at_mut(blocks * plane.lanes);
        Self {
            plane,
            output,
            sums,
            squares,
            streamed,
        }
    }
}

impl<S: Simd> Finish<S> for Measure<'_> {
    type Block = (usize, S::V, S::V);

    #[inline(always)]
    unsafe fn begin(&self, s: S, block: usize) -> Self::Block {
        (block, s.splat(0.0), s.splat(0.0))
    }

    #[inline(always)]
    unsafe fn rows(
        &mut self,
        s: S,
        (block, sum, squares): &mut Self::Block,
        place: Place,
        lower: bool,
        rows: [[S::V; TILE]; 2],
    ) {
        let at = place.corner + self.plane.inside() + 2 * usize::from(lower) * self.plane.row();
        // SAFETY: the caller vouches for place and block.
        unsafe {
            let to = self.output.at(place.image, *block).add(at);
            for row in 0..2 {
                for column in 0..TILE {
                    let value = rows[row][column];
                    *sum = s.add(*sum, value);
                    *squares = s.fma(value, value, *squares);
                    let to = to.add(row * self.plane.row() + column * S::LANES);
                    if self.streamed {
                        s.stream(to, value);
                    } else {
                        s.store(to, value);
                    }
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn end(&mut self, s: S, block: usize, (_, sum, squares): Self::Block) {
        add(s, self.sums, block, sum);
        add(s, self.squares, block, squares);
    }
}

/// Adds the bias and a skip, activates, and takes the mean of squares where asked to.
pub(super) struct Activate {
    pub plane: Plane,
    pub bias: *const f32,
    pub skip: Option<Images>,
    pub pooled: bool,
    pub output: ImagesMut,
}

impl<S: Simd> Finish<S> for Activate {
    type Block = (usize, S::V);

    #[inline(always)]
    unsafe fn begin(&self, s: S, block: usize) -> Self::Block {
        // SAFETY: there is a bias for each lane.
        (block, unsafe { s.load(self.bias.add(block * S::LANES)) })
    }

    #[inline(always)]
    unsafe fn rows(
        &mut self,
        s: S,
        (block, bias): &mut Self::Block,
        place: Place,
        lower: bool,
        mut rows: [[S::V; TILE]; 2],
    ) {
        let row_at = 2 * usize::from(lower) * self.plane.row();
        let at = place.corner + self.plane.inside() + row_at;
        let skip = self.skip.filter(|skip| *block < skip.blocks);
        // SAFETY: the caller vouches for place and block.
        unsafe {
            for row in 0..2 {
                for column in 0..TILE {
                    let mut value = s.add(rows[row][column], *bias);
                    if let Some(skip) = skip {
                        let from = skip.at(place.image, *block).add(at);
                        let from = from.add(row * self.plane.row() + column * S::LANES);
                        value = s.add(value, s.load(from));
                    }
                    rows[row][column] = s.relu(value);
                }
            }
            let to = self.output.at(place.image, *block);
            if self.pooled {
                let half = self.plane.halved();
                // From the tile's corner in the whole image to its place in the half one.
                let (y, x) = (
                    place.corner / self.plane.row(),
                    place.corner % self.plane.row(),
                );
                let at = (y / 2 + usize::from(lower) + 1) * half.row() + x / 2 + S::LANES;
                for pair in 0..TILE / 2 {
                    let upper = s.add(rows[0][2 * pair], rows[0][2 * pair + 1]);
                    let sum = s.add(upper, s.add(rows[1][2 * pair], rows[1][2 * pair + 1]));
                    s.store(to.add(at + pair * S::LANES), s.mul(sum, s.splat(0.25)));
                }
            } else {
                for row in 0..2 {
                    for column in 0..TILE {
                        let at = at + row * self.plane.row() + column * S::LANES;
                        s.store(to.add(at), rows[row][column]);
                    }
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn end(&mut self, _: S, _: usize, _: Self::Block) {}
}

/// Where an activation was above 0.
#[derive(Clone, Copy)]
pub(super) enum Passed {
    /// Nothing was activated: all of the gradient passes.
    All,
    /// Where the normalised value is.
    Normalised,
    /// Where these images are.
    Images(Images),
}

/// Stores the gradient of a layer's normalised values, and sums it and its product with the
/// layer's outputs.
pub(super) struct Backpropagate<'a> {
    pub plane: Plane,
    pub passed: Passed,
    /// The gradient that comes by a skip connection.
    pub skip: Option<Images>,
    /// The layer's outputs; not read if all passes.
    pub outputs: Activated,
    pub gradient: ImagesMut,
    pub sums: &'a mut [f64],
    pub products: &'a mut [f64],
    pub streamed: bool,
}

impl<S: Simd> Finish<S> for Backpropagate<'_> {
    type Block = (usize, S::V, S::V, S::V, S::V);

    #[inline(always)]
    unsafe fn begin(&self, s: S, block: usize) -> Self::Block {
        let zero = s.splat(0.0);
        let (mut scale, mut shift) = (zero, zero);
        if !matches!(self.passed, Passed::All) {
            // SAFETY: the outputs have a scale and a shift for each lane.
            unsafe {
                scale = s.load(self.outputs.scale.add(block * S::LANES));
                shift = s.load(self.outputs.shift.add(block * S::LANES));
            }
        }
        (block, scale, shift, zero, zero)
    }

    #[inline(always)]
    unsafe fn rows(
        &mut self,
        s: S,
        (block, scale, shift, sum, products): &mut Self::Block,
        place: Place,
        lower: bool,
        rows: [[S::V; TILE]; 2],
    ) {
        let at = place.corner + self.plane.inside() + 2 * usize::from(lower) * self.plane.row();
        // SAFETY: the caller vouches for place and block.
        unsafe {
            let to = self.gradient.at(place.image, *block);
            for row in 0..2 {
                for column in 0..TILE {
                    let at = at + row * self.plane.row() + column * S::LANES;
                    let mut value = rows[row][column];
                    if let Some(skip) = self.skip {
                        value = s.add(value, s.load(skip.at(place.image, *block).add(at)));
                    }
                    if !matches!(self.passed, Passed::All) {
                        let z = s.load(self.outputs.images.at(place.image, *block).add(at));
                        let by = match self.passed {
                            Passed::Images(images) => {
                                s.load(images.at(place.image, *block).add(at))
                            }
                            _ => s.fma(z, *scale, *shift),
                        };
                        value = s.where_positive(value, by);
                        *sum = s.add(*sum, value);
                        *products = s.fma(value, z, *products);
                    }
                    if self.streamed {
                        s.stream(to.add(at), value);
                    } else {
                        s.store(to.add(at), value);
                    }
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn end(&mut self, s: S, block: usize, (_, _, _, sum, products): Self::Block) {
        if !matches!(self.passed, Passed::All) {
            add(s, self.sums, block, sum);
            add(s, self.products, block, products);
        }
    }
}
