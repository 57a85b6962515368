//! The products of a group of tiles, and what is fetched meanwhile.

use super::Simd;
use super::product::Point;
use super::tiles::{Load, Order, Strides};

/// Transformed weights larger than this do not stay in a core's cache over a group.
const CACHED: usize = 100_000;

/// The 36 products of a group of tiles.
pub struct Products<'a> {
    pub order: Order,
    /// `[block_out][36][channel_in][lane]`
    pub weights: &'a [f32],
    pub from: *const f32,
    pub from_strides: Strides,
    pub blocks_in: usize,
    pub to: *mut f32,
    pub to_strides: Strides,
    pub blocks_out: usize,
    /// The group's tiles.
    pub tiles: usize,
    /// The first tile of the next group.
    pub next: usize,
}

impl Products<'_> {
    /// Does one of them.
    ///
    /// # Safety
    /// `from` and `to` have room for tiles of their strides, `weights` is whole.
    #[inline(always)]
    pub unsafe fn point<S: Simd>(&self, s: S, point: usize) {
        let size = self.blocks_in * S::LANES * S::LANES;
        // SAFETY: `point` is one of 36 that each of the three has.
        unsafe {
            Point {
                from: self.from.add(point * self.from_strides.point),
                from_strides: self.from_strides,
                blocks_in: self.blocks_in,
                weights: self.weights.as_ptr().add(point * size),
                blocks_out: self.blocks_out,
                to: self.to.add(point * self.to_strides.point),
                to_strides: self.to_strides,
                tiles: self.tiles,
            }
            .multiply(s);
        }
    }

    /// Asks for this point's part of the next group's tiles, and for the next point's weights.
    #[inline(always)]
    pub fn prefetch<S: Simd, L: Load<S>>(&self, s: S, point: usize, load: L) {
        self.prefetch_tiles(s, point, load);
        let size = self.blocks_in * S::LANES * S::LANES;
        if 36 * self.blocks_out * size > CACHED {
            for block in 0..self.blocks_out {
                let start = self
                    .weights
                    .as_ptr()
                    .wrapping_add((block * 36 + point + 1) * size);
                for line in (0..size).step_by(16) {
                    s.prefetch(start.wrapping_add(line));
                }
            }
        }
    }

    /// Asks for this point's part of the next group's tiles.
    #[inline(always)]
    pub fn prefetch_tiles<S: Simd, L: Load<S>>(&self, s: S, point: usize, load: L) {
        let part = |point: usize| self.next + point * self.tiles / 36;
        for tile in part(point)..part(point + 1).min(self.order.tiles()) {
            load.prefetch(s, self.order.place(tile));
        }
    }
}
