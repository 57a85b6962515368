//! Epilogues of the convolution: what is done to outputs while they are in registers.

use super::Simd;
use super::batch_view::{BatchNormReluLoad, BatchView, BatchViewMut};
use super::layout::{Plane, TILE};
use super::tiles::{Epilogue, TilePosition};

/// Adds a group's sums of 32 bits to the sums of all groups, which have 64.
#[inline(always)]
pub(super) fn add<S: Simd>(s: S, sums: &mut [f64], block: usize, group: S::V) {
    let mut lanes = [0.0f32; 16];
    // SAFETY: the array is at least as long as any vector.
    unsafe { s.store(lanes.as_mut_ptr(), group) };
    for (sum, lane) in sums[block * S::LANES..].iter_mut().zip(&lanes[..S::LANES]) {
        *sum += f64::from(*lane);
    }
}

/// Stores outputs, and sums them and their squares for their statistics.
pub(super) struct StoreWithStatistics<'a> {
    plane: Plane,
    output: BatchViewMut,
    sums: &'a mut [f64],
    squares: &'a mut [f64],
    streamed: bool,
}

impl<'a> StoreWithStatistics<'a> {
    pub(super) fn new(
        plane: Plane,
        output: BatchViewMut,
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

impl<S: Simd> Epilogue<S> for StoreWithStatistics<'_> {
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

/// Adds a bias and a skip, activates, and pools where asked to.
pub(super) struct BiasSkipRelu {
    pub plane: Plane,
    pub bias: *const f32,
    pub skip: Option<BatchView>,
    pub pooled: bool,
    pub output: BatchViewMut,
}

impl<S: Simd> Epilogue<S> for BiasSkipRelu {
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
        position: TilePosition,
        lower: bool,
        mut rows: [[S::V; TILE]; 2],
    ) {
        let row_at = 2 * usize::from(lower) * self.plane.row();
        let at = position.corner + self.plane.inside() + row_at;
        let skip = self.skip.filter(|skip| *block < skip.blocks);
        // SAFETY: the caller vouches for position and block.
        unsafe {
            for row in 0..2 {
                for column in 0..TILE {
                    let mut value = s.add(rows[row][column], *bias);
                    if let Some(skip) = skip {
                        let from = skip.at(position.image, *block).add(at);
                        let from = from.add(row * self.plane.row() + column * S::LANES);
                        value = s.add(value, s.load(from));
                    }
                    rows[row][column] = s.relu(value);
                }
            }
            let to = self.output.at(position.image, *block);
            if self.pooled {
                let half = self.plane.halved();
                // From the tile's corner in the full plane to its position in the pooled one.
                let (y, x) = (
                    position.corner / self.plane.row(),
                    position.corner % self.plane.row(),
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

/// Where a ReLU lets the gradient pass.
#[derive(Clone, Copy)]
pub(super) enum ReluMask {
    /// Everywhere: nothing was activated.
    All,
    /// Where the normalised value is above 0.
    Normalised,
    /// Where these activations are above 0.
    Activations(BatchView),
}

/// Stores the gradient of a layer's normalised values, and sums it and its product with the layer's
/// outputs.
pub(super) struct ReluBackward<'a> {
    pub plane: Plane,
    pub mask: ReluMask,
    /// The gradient that arrives through a skip connection.
    pub skip: Option<BatchView>,
    /// The layer's outputs; not read where the mask is [`ReluMask::All`].
    pub outputs: BatchNormReluLoad,
    pub gradient: BatchViewMut,
    pub sums: &'a mut [f64],
    pub products: &'a mut [f64],
    pub streamed: bool,
}

impl<S: Simd> Epilogue<S> for ReluBackward<'_> {
    type Block = (usize, S::V, S::V, S::V, S::V);

    #[inline(always)]
    unsafe fn begin(&self, s: S, block: usize) -> Self::Block {
        let zero = s.splat(0.0);
        let (mut scale, mut shift) = (zero, zero);
        if !matches!(self.mask, ReluMask::All) {
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
        position: TilePosition,
        lower: bool,
        rows: [[S::V; TILE]; 2],
    ) {
        let at = position.corner + self.plane.inside() + 2 * usize::from(lower) * self.plane.row();
        // SAFETY: the caller vouches for position and block.
        unsafe {
            let to = self.gradient.at(position.image, *block);
            for row in 0..2 {
                for column in 0..TILE {
                    let at = at + row * self.plane.row() + column * S::LANES;
                    let mut value = rows[row][column];
                    if let Some(skip) = self.skip {
                        value = s.add(value, s.load(skip.at(position.image, *block).add(at)));
                    }
                    if !matches!(self.mask, ReluMask::All) {
                        let z = s.load(self.outputs.images.at(position.image, *block).add(at));
                        let by = match self.mask {
                            ReluMask::Activations(images) => {
                                s.load(images.at(position.image, *block).add(at))
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
        if !matches!(self.mask, ReluMask::All) {
            add(s, self.sums, block, sum);
            add(s, self.products, block, products);
        }
    }
}
