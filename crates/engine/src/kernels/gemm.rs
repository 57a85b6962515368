//! The matrix product of one Winograd point: register-blocked micro-kernels over packed tiles and
//! weights.

use std::ops::Range;

use super::Simd;
use super::tiles::TileStrides;

/// One of the 36 products: `to[block_out][tile] = sum of from[..][tile] * weights`.
///
/// Weights are packed as `[block_out][36][channel_in][lane]`; the pointer is that of the point.
///
/// # Safety
/// The three buffers have room for their blocks of `tiles` tiles, rounded up to a multiple of
/// [`tile_step`].
#[derive(Clone, Copy)]
pub(super) struct PointGemm {
    pub from: *const f32,
    pub from_strides: TileStrides,
    pub blocks_in: usize,
    pub weights: *const f32,
    pub blocks_out: usize,
    pub to: *mut f32,
    pub to_strides: TileStrides,
    pub tiles: usize,
}

/// Tiles of a micro-tile, the register block of the innermost loop: what it reads and writes is
/// rounded up to a multiple of it.
pub(super) fn tile_step(lanes: usize, blocks_out: usize) -> usize {
    match (lanes, blocks_out) {
        (16, 1) => 28,
        (16, _) => 8,
        _ => 6,
    }
}

impl PointGemm {
    /// # Safety
    /// See [`PointGemm`].
    #[inline(always)]
    pub(super) unsafe fn multiply<S: Simd>(self, s: S) {
        let tiles = 0..self.tiles;
        // SAFETY: the buffers are rounded up to `tile_step`.
        unsafe {
            if S::LANES == 16 && self.blocks_out == 1 {
                self.micro_kernel::<S, 28, 1>(s, 0, tiles);
            } else if S::LANES == 16 {
                self.macro_kernel::<S, 8, 2>(s, tiles);
            } else {
                // Two tiles that are left over would take as long as six.
                let few = matches!(self.tiles % 6, 1 | 2) && self.blocks_out.is_multiple_of(4);
                let left = if few { self.tiles % 6 } else { 0 };
                let most = self.tiles - left;
                self.macro_kernel::<S, 6, 2>(s, 0..most);
                self.macro_kernel::<S, 2, 4>(s, most..self.tiles);
            }
        }
    }

    #[inline(always)]
    unsafe fn macro_kernel<S: Simd, const TILES: usize, const BLOCKS: usize>(
        self,
        s: S,
        tiles: Range<usize>,
    ) {
        let mut block = 0;
        // SAFETY: the blocks are below `blocks_out`.
        unsafe {
            while block + BLOCKS <= self.blocks_out {
                self.micro_kernel::<S, TILES, BLOCKS>(s, block, tiles.clone());
                block += BLOCKS;
            }
            while block < self.blocks_out {
                self.micro_kernel::<S, TILES, 1>(s, block, tiles.clone());
                block += 1;
            }
        }
    }

    #[inline(always)]
    unsafe fn micro_kernel<S: Simd, const TILES: usize, const BLOCKS: usize>(
        self,
        s: S,
        block: usize,
        tiles: Range<usize>,
    ) {
        let weights_block = 36 * self.blocks_in * S::LANES * S::LANES;
        for tile in tiles.step_by(TILES) {
            // SAFETY: as for `multiply`.
            unsafe {
                let mut sums = [[s.splat(0.0); TILES]; BLOCKS];
                let mut weights = self.weights.add(block * weights_block);
                for block_in in 0..self.blocks_in {
                    let mut from = self
                        .from
                        .add(block_in * self.from_strides.block + tile * S::LANES);
                    // Not a constant for long vectors, or the loop would be unrolled completely.
                    let lanes = if S::LANES == 8 {
                        8
                    } else {
                        self.from_strides.lanes
                    };
                    for _ in 0..lanes {
                        let mut row = [s.splat(0.0); BLOCKS];
                        for out in 0..BLOCKS {
                            row[out] = s.load(weights.add(out * weights_block));
                        }
                        for tile in 0..TILES {
                            let value = s.splat(*from.add(tile * S::LANES));
                            for out in 0..BLOCKS {
                                sums[out][tile] = s.fma(value, row[out], sums[out][tile]);
                            }
                        }
                        weights = weights.add(S::LANES);
                        from = from.add(1);
                    }
                }
                let to = self.to.add(block * self.to_strides.block + tile * S::LANES);
                for out in 0..BLOCKS {
                    for tile in 0..TILES {
                        s.store(
                            to.add(out * self.to_strides.block + tile * S::LANES),
                            sums[out][tile],
                        );
                    }
                }
            }
        }
    }
}

/// The gradient of the weights at one of the 36 points: `to[block_in][block_out][channel_in][lane]
/// = sum over tiles of inner[block_in] * data[block_out]`, added to what is there unless `first`.
#[derive(Clone, Copy)]
pub(super) struct WeightsGradientGemm {
    pub inner: *const f32,
    pub inner_strides: TileStrides,
    pub blocks_in: usize,
    pub data: *const f32,
    pub data_strides: TileStrides,
    pub blocks_out: usize,
    pub to: *mut f32,
    pub tiles: usize,
    pub first: bool,
}

impl WeightsGradientGemm {
    /// # Safety
    /// The three buffers have room for their blocks of `tiles` tiles.
    #[inline(always)]
    pub(super) unsafe fn multiply<S: Simd>(self, s: S) {
        // SAFETY: the blocks are below `blocks_out`.
        unsafe {
            for block_in in 0..self.blocks_in {
                let mut block = 0;
                while block + 2 <= self.blocks_out {
                    self.macro_kernel::<S, 2>(s, block_in, block);
                    block += 2;
                }
                if block < self.blocks_out {
                    self.macro_kernel::<S, 1>(s, block_in, block);
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn macro_kernel<S: Simd, const BLOCKS: usize>(
        self,
        s: S,
        block_in: usize,
        block: usize,
    ) {
        // SAFETY: as for `multiply`; the number of channels divides that of the lanes.
        unsafe {
            if S::LANES == 16 && BLOCKS == 1 {
                self.micro_kernel::<S, 16, BLOCKS>(s, block_in, block);
            } else if S::LANES == 16 {
                self.micro_kernel::<S, 8, BLOCKS>(s, block_in, block);
            } else {
                self.micro_kernel::<S, 4, BLOCKS>(s, block_in, block);
            }
        }
    }

    #[inline(always)]
    unsafe fn micro_kernel<S: Simd, const CHANNELS: usize, const BLOCKS: usize>(
        self,
        s: S,
        block_in: usize,
        block: usize,
    ) {
        let square = S::LANES * S::LANES;
        let to = self
            .to
            .wrapping_add((block_in * self.blocks_out + block) * square);
        for channel in (0..S::LANES).step_by(CHANNELS) {
            // SAFETY: as for `multiply`.
            unsafe {
                let to = to.add(channel * S::LANES);
                let mut sums = [[s.splat(0.0); CHANNELS]; BLOCKS];
                if !self.first {
                    for out in 0..BLOCKS {
                        for channel in 0..CHANNELS {
                            sums[out][channel] = s.load(to.add(out * square + channel * S::LANES));
                        }
                    }
                }
                let mut inner = self
                    .inner
                    .add(block_in * self.inner_strides.block + channel);
                let mut data = self.data.add(block * self.data_strides.block);
                for _ in 0..self.tiles {
                    let mut row = [s.splat(0.0); BLOCKS];
                    for out in 0..BLOCKS {
                        row[out] = s.load(data.add(out * self.data_strides.block));
                    }
                    for channel in 0..CHANNELS {
                        let value = s.splat(*inner.add(channel));
                        for out in 0..BLOCKS {
                            sums[out][channel] = s.fma(value, row[out], sums[out][channel]);
                        }
                    }
                    inner = inner.add(S::LANES);
                    data = data.add(S::LANES);
                }
                for out in 0..BLOCKS {
                    for channel in 0..CHANNELS {
                        s.store(
                            to.add(out * square + channel * S::LANES),
                            sums[out][channel],
                        );
                    }
                }
            }
        }
    }
}
