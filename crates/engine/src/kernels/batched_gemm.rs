//! The products of a group of tiles, and what is fetched meanwhile.

use super::batch_view::Images;
use super::gemm::{GradientPoint, Point};
use super::layout::Plane;
use super::tiles::{Place, Strides};
use super::{Kernel, Simd};

/// Transformed weights larger than this do not stay in a core's cache over a group.
const CACHED: usize = 100_000;

/// The 36 products of a group of tiles.
pub(super) struct Products<'a> {
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
    /// The gradient of the weights, if that is wanted too.
    pub gradient: Option<WeightsGradient>,
    pub next: Next<'a>,
}

/// The products of [`Products::from`] with other tiles.
pub(super) struct WeightsGradient {
    pub inner: *const f32,
    pub inner_strides: Strides,
    /// Of `inner`.
    pub blocks: usize,
    pub to: *mut f32,
    /// From one of the 36 points to the next.
    pub point: usize,
    /// Whether nothing is to be added to what is there.
    pub first: bool,
}

/// What the next group will read.
#[derive(Clone, Copy)]
pub(super) struct Next<'a> {
    pub plane: Plane,
    pub places: &'a [Place],
    pub images: [&'a [Images]; 2],
}

impl Products<'_> {
    /// Does all of them.
    ///
    /// # Safety
    /// `from` and `to` have room for tiles of their strides, `weights` is whole, and so are the two
    /// places of `gradient`.
    #[inline(always)]
    pub(super) unsafe fn run<S: Simd>(self, s: S) {
        s.apart(Checked(self));
    }

    #[inline(always)]
    unsafe fn point<S: Simd>(&self, s: S, point: usize) {
        let size = self.blocks_in * S::LANES * S::LANES;
        // SAFETY: `point` is one of 36 that each of the places has.
        unsafe {
            let from = self.from.add(point * self.from_strides.point);
            Point {
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
                GradientPoint {
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

    /// Asks for this point's part of the next group's tiles, and for the next point's weights.
    #[inline(always)]
    fn prefetch<S: Simd>(&self, s: S, point: usize) {
        let Next {
            plane,
            places,
            images,
        } = self.next;
        let part = |point: usize| point * places.len() / 36;
        for place in &places[part(point)..part(point + 1)] {
            for images in images.into_iter().flatten() {
                images.prefetch(s, plane, *place);
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

/// Products whose lengths somebody vouches for.
struct Checked<'a>(Products<'a>);

impl Kernel for Checked<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for point in 0..36 {
            self.0.prefetch(s, point);
            // SAFETY: only `Products::run` makes this, whose caller vouches for the lengths.
            unsafe { self.0.point(s, point) };
        }
    }
}
