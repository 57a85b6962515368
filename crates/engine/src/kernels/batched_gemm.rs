//! The 36 matrix products of a group of tiles, one for each Winograd point, and what is prefetched
//! meanwhile.

use super::batch_view::BatchView;
use super::gemm::{PointGemm, WeightsGradientGemm};
use super::layout::Plane;
use super::tiles::{TilePosition, TileStrides};
use super::{Kernel, Simd};

/// Transformed weights with more floats than this do not stay in the cache of a core from one group
/// to the next.
const CACHED: usize = 100_000;

/// The matrix products of a group of tiles.
pub(super) struct BatchedGemm<'a> {
    /// `[block_out][36][channel_in][lane]`
    pub weights: &'a [f32],
    pub from: *const f32,
    pub from_strides: TileStrides,
    pub blocks_in: usize,
    pub to: *mut f32,
    pub to_strides: TileStrides,
    pub blocks_out: usize,
    /// The group's tiles.
    pub tiles: usize,
    /// Where the gradient of the weights is computed too.
    pub gradient: Option<WeightsGradient>,
    pub prefetch: Prefetch<'a>,
}

/// The products of [`BatchedGemm::from`] with the tiles of the inputs, summed over the tiles.
pub(super) struct WeightsGradient {
    pub inner: *const f32,
    pub inner_strides: TileStrides,
    /// Blocks of `inner`.
    pub blocks: usize,
    pub to: *mut f32,
    /// Floats from one of the 36 points to the next.
    pub point: usize,
    /// Whether `to` is overwritten rather than added to.
    pub first: bool,
}

/// What the next group of tiles will read.
#[derive(Clone, Copy)]
pub(super) struct Prefetch<'a> {
    pub plane: Plane,
    pub positions: &'a [TilePosition],
    pub images: [&'a [BatchView]; 2],
}

impl BatchedGemm<'_> {
    /// # Safety
    /// `from` and `to` have room for the tiles of their strides, `weights` holds all blocks, and
    /// both pointers of `gradient` have room for its tiles and points.
    #[inline(always)]
    pub(super) unsafe fn run<S: Simd>(self, s: S) {
        s.outlined(Checked(self));
    }

    #[inline(always)]
    unsafe fn point<S: Simd>(&self, s: S, point: usize) {
        let size = self.blocks_in * S::LANES * S::LANES;
        // SAFETY: `point` is below 36, and each buffer has 36 points.
        unsafe {
            let from = self.from.add(point * self.from_strides.point);
            PointGemm {
                from,
                from_strides: self.from_strides,
                blocks_in: self.blocks_in,
                weights: self.weights.as_ptr().add(point * size),
                blocks_out: self.blocks_out,
                to: self.to.add(point * self.to_strides.point),
                to_strides: self.to_strides,
                tiles: self.tiles,
            }
            .multiply(s);
            if let Some(gradient) = &self.gradient {
                WeightsGradientGemm {
                    inner: gradient.inner.add(point * gradient.inner_strides.point),
                    inner_strides: gradient.inner_strides,
                    blocks_in: gradient.blocks,
                    data: from,
                    data_strides: self.from_strides,
                    blocks_out: self.blocks_in,
                    to: gradient.to.add(point * gradient.point),
                    tiles: self.tiles,
                    first: gradient.first,
                }
                .multiply(s);
            }
        }
    }

    /// Prefetches this point's part of the next group's tiles, and the next point's weights.
    #[inline(always)]
    fn prefetch_point<S: Simd>(&self, s: S, point: usize) {
        let Prefetch {
            plane,
            positions,
            images,
        } = self.prefetch;
        let part = |point: usize| point * positions.len() / 36;
        for position in &positions[part(point)..part(point + 1)] {
            for images in images.into_iter().flatten() {
                images.prefetch(s, plane, *position);
            }
        }
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
}

/// Products whose lengths the caller of [`BatchedGemm::run`] vouches for.
struct Checked<'a>(BatchedGemm<'a>);

impl Kernel for Checked<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for point in 0..36 {
            self.0.prefetch_point(s, point);
            // SAFETY: only `BatchedGemm::run` makes one, and its caller vouches for the lengths.
            unsafe { self.0.point(s, point) };
        }
    }
}
