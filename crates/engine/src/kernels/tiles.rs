//! From images to the tiles that Winograd's products take, and back.

use std::ops::Range;

use super::Simd;
use super::batch_view::Images;
use super::layout::{Plane, TILE};
use super::winograd::{Data, Kernel4, Output, Transform, both, columns};

/// Tiles that are multiplied at once, at most.
pub(super) const MOST: usize = 144;

/// Where a tile is: its image and the place of its 6x6 data within a block.
#[derive(Clone, Copy, Default)]
pub(super) struct Place {
    pub image: usize,
    pub corner: usize,
}

impl Place {
    /// Whether the other is the next one in its row.
    #[inline(always)]
    fn is_left_of(self, other: Self, lanes: usize) -> bool {
        self.image == other.image && self.corner + TILE * lanes == other.corner
    }
}

/// All tiles of some images, in the order in which they are worked on.
#[derive(Clone, Copy)]
pub(super) struct Order {
    pub plane: Plane,
    pub images: usize,
    /// Begins with the last image: after a pass over them in the other order, that one is in the
    /// caches.
    pub reversed: bool,
}

impl Order {
    pub(super) fn tiles(self) -> usize {
        self.images * self.plane.tiles()
    }

    /// All tiles in groups of so many, [`MOST`] at most.
    #[inline(always)]
    pub(super) fn groups(self, size: usize) -> Groups {
        let [places, mut next] = [[Place::default(); MOST]; 2];
        let after = self.group(0, size, &mut next);
        Groups {
            order: self,
            size,
            known: after,
            places,
            next,
            after,
        }
    }

    /// The places of up to [`MOST`] tiles; returns how many of them there are.
    pub(super) fn group(self, first: usize, size: usize, places: &mut [Place; MOST]) -> usize {
        let count = size.min(self.tiles() - first).min(MOST);
        let (each, wide) = (self.plane.tiles(), self.plane.width / TILE);
        let mut image = first / each;
        let mut tile = first % each;
        let mut at = 0;
        while at < count {
            // The rest of a row of tiles, which lie side by side.
            let row = (wide - tile % wide).min(count - at);
            let corner = self.plane.corner(tile);
            for (column, place) in places[at..at + row].iter_mut().enumerate() {
                *place = Place {
                    image: if self.reversed {
                        self.images - 1 - image
                    } else {
                        image
                    },
                    corner: corner + column * TILE * self.plane.lanes,
                };
            }
            at += row;
            tile += row;
            if tile == each {
                (image, tile) = (image + 1, 0);
            }
        }
        count
    }
}

/// Groups of tiles, one after the other.
pub(super) struct Groups {
    order: Order,
    size: usize,
    /// Tiles of this group and of those before it, and of the next one.
    known: usize,
    places: [Place; MOST],
    next: [Place; MOST],
    /// Tiles of the next group.
    after: usize,
}

impl Groups {
    /// The places of a group, and those of the next one, of which there are none after the last.
    #[inline(always)]
    pub(super) fn advance(&mut self) -> Option<[&[Place]; 2]> {
        let tiles = self.after;
        if tiles == 0 {
            return None;
        }
        self.places = self.next;
        self.after = self.order.group(self.known, self.size, &mut self.next);
        self.known += self.after;
        Some([&self.places[..tiles], &self.next[..self.after]])
    }
}

/// How transformed tiles lie: `[36][block][tile][lane]`, with a gap after each of the 36 so that
/// they do not fall on the same lines of a cache.
#[derive(Clone, Copy)]
pub(super) struct Strides {
    pub lanes: usize,
    pub block: usize,
    pub point: usize,
}

impl Strides {
    pub(super) fn new(lanes: usize, blocks: usize, tiles: usize) -> Self {
        let block = tiles * lanes;
        Self {
            lanes,
            block,
            point: blocks * block + lanes,
        }
    }

    /// Floats of all tiles.
    pub(super) fn len(self) -> usize {
        36 * self.point
    }
}

/// Reads pixels of images, and makes of them what the layer takes.
pub(super) trait Load<S: Simd>: Copy {
    /// What is the same for a block of channels.
    type Block: Copy;

    /// Whether a pixel is dear enough to be kept for the tile beside.
    const KEPT: bool = false;

    /// # Safety
    /// The block is one of the images'.
    unsafe fn block(self, s: S, block: usize) -> Self::Block;

    /// # Safety
    /// The pixel is one of the images', borders included: `image` is one of them and `at` a pixel
    /// of the block.
    unsafe fn pixel(self, s: S, block: Self::Block, image: usize, at: usize) -> S::V;

    /// What it reads.
    fn images(&self) -> &[Images];
}

/// `B^T d B` of tiles.
///
/// # Safety
/// `load` can read all blocks at all places, and `to` has room for `strides`.
#[inline(always)]
pub(super) unsafe fn scatter<S: Simd, L: Load<S>>(
    s: S,
    load: L,
    plane: Plane,
    blocks: usize,
    places: &[Place],
    to: *mut f32,
    strides: Strides,
) {
    for block in 0..blocks {
        // SAFETY: the caller vouches for blocks and places; a tile's data are within the border.
        unsafe {
            let constants = load.block(s, block);
            let mut data = [[s.splat(0.0); 6]; 6];
            let mut before = None;
            for (tile, place) in places.iter().enumerate() {
                // A tile shares two columns with the one beside it.
                let beside = |before: &Place| before.is_left_of(*place, S::LANES);
                if L::KEPT && before.is_some_and(beside) {
                    for row in &mut data {
                        [row[0], row[1]] = [row[4], row[5]];
                    }
                } else {
                    scatter_columns(s, load, constants, plane, *place, 0..2, &mut data);
                }
                scatter_columns(s, load, constants, plane, *place, 2..6, &mut data);
                before = Some(place);
                let to = to.add(block * strides.block + tile * S::LANES);
                for row in 0..6 {
                    let done = Data::apply(s, data[row]);
                    for column in 0..6 {
                        s.store(to.add((row * 6 + column) * strides.point), done[column]);
                    }
                }
            }
        }
    }
}

/// Reads some columns of a tile and transforms them.
///
/// # Safety
/// As [`scatter`].
#[inline(always)]
unsafe fn scatter_columns<S: Simd, L: Load<S>>(
    s: S,
    load: L,
    constants: L::Block,
    plane: Plane,
    place: Place,
    which: Range<usize>,
    data: &mut [[S::V; 6]; 6],
) {
    for column in which {
        let mut from = [s.splat(0.0); 6];
        for row in 0..6 {
            let at = place.corner + row * plane.row() + column * S::LANES;
            // SAFETY: the caller vouches for the place.
            from[row] = unsafe { load.pixel(s, constants, place.image, at) };
        }
        let done = Data::apply(s, from);
        for row in 0..6 {
            data[row][column] = done[row];
        }
    }
}

/// The transform of 4x4 pixels as if they were a kernel, for the gradient of the weights.
///
/// # Safety
/// As [`scatter`].
#[inline(always)]
pub(super) unsafe fn scatter_inner<S: Simd, L: Load<S>>(
    s: S,
    load: L,
    plane: Plane,
    blocks: usize,
    places: &[Place],
    to: *mut f32,
    strides: Strides,
) {
    for block in 0..blocks {
        // SAFETY: as in `scatter`.
        unsafe {
            let constants = load.block(s, block);
            for (tile, place) in places.iter().enumerate() {
                let corner = place.corner + plane.inside();
                let mut pixels = [[s.splat(0.0); TILE]; TILE];
                for row in 0..TILE {
                    for column in 0..TILE {
                        let at = corner + row * plane.row() + column * S::LANES;
                        pixels[row][column] = load.pixel(s, constants, place.image, at);
                    }
                }
                let done = both::<S, Kernel4, TILE, 6>(s, pixels);
                let to = to.add(block * strides.block + tile * S::LANES);
                for row in 0..6 {
                    for column in 0..6 {
                        s.store(
                            to.add((row * 6 + column) * strides.point),
                            done[row][column],
                        );
                    }
                }
            }
        }
    }
}

/// Takes a layer's outputs, and keeps what it sums of them.
pub(super) trait Finish<S: Simd> {
    /// What is the same for a block of channels, and its sums.
    type Block: Copy;

    /// # Safety
    /// The block is one of the outputs'.
    unsafe fn begin(&self, s: S, block: usize) -> Self::Block;

    /// Takes two rows of a tile: the upper two, then the lower two.
    ///
    /// # Safety
    /// `place` is one of the outputs', of which `block` is as [`begin`](Self::begin) gave it.
    unsafe fn rows(
        &mut self,
        s: S,
        block: &mut Self::Block,
        place: Place,
        lower: bool,
        rows: [[S::V; TILE]; 2],
    );

    /// # Safety
    /// As [`begin`](Self::begin).
    unsafe fn end(&mut self, s: S, block: usize, sums: Self::Block);
}

/// `A^T m A` of tiles.
///
/// # Safety
/// `finish` can take all blocks at all places, and `from` has tiles of `strides`.
#[inline(always)]
pub(super) unsafe fn gather<S: Simd, F: Finish<S>>(
    s: S,
    finish: &mut F,
    blocks: usize,
    places: &[Place],
    from: *const f32,
    strides: Strides,
) {
    for block in 0..blocks {
        // SAFETY: the caller vouches for blocks, places and tiles.
        unsafe {
            let mut sums = finish.begin(s, block);
            for (tile, place) in places.iter().enumerate() {
                let from = from.add(block * strides.block + tile * S::LANES);
                let mut points = [[s.splat(0.0); 6]; 6];
                for row in 0..6 {
                    for column in 0..6 {
                        points[row][column] = s.load(from.add((row * 6 + column) * strides.point));
                    }
                }
                let half = columns::<S, Output, 6, TILE, 6>(s, points);
                for lower in [false, true] {
                    let at = 2 * usize::from(lower);
                    let rows = [Output::apply(s, half[at]), Output::apply(s, half[at + 1])];
                    finish.rows(s, &mut sums, *place, lower, rows);
                }
            }
            finish.end(s, block, sums);
        }
    }
}
