//! The input and output transforms: from images to the tiles of the Winograd domain, and back.

use std::ops::Range;

use super::Simd;
use super::batch_view::BatchView;
use super::layout::{Plane, TILE};
use super::winograd::{Data, Filter4, Output, Transform, both, columns};

/// The most tiles that are multiplied at a time.
pub(super) const MAX_TILES: usize = 144;

/// Where a tile is: its image, and the offset of its 6x6 data within a block.
#[derive(Clone, Copy, Default)]
pub(super) struct TilePosition {
    pub image: usize,
    pub corner: usize,
}

impl TilePosition {
    /// Whether the other tile is the next one in the same row.
    #[inline(always)]
    fn is_left_of(self, other: Self, lanes: usize) -> bool {
        self.image == other.image && self.corner + TILE * lanes == other.corner
    }
}

/// The tiles of some images in the order in which they are processed.
#[derive(Clone, Copy)]
pub(super) struct TileOrder {
    pub plane: Plane,
    pub images: usize,
    /// Whether the last image comes first: after a pass in the other order it is still in the
    /// caches.
    pub reversed: bool,
}

impl TileOrder {
    pub(super) fn tiles(self) -> usize {
        self.images * self.plane.tiles()
    }

    /// All tiles in groups of `size`, which is at most [`MAX_TILES`].
    #[inline(always)]
    pub(super) fn groups(self, size: usize) -> TileGroups {
        let [positions, mut next] = [[TilePosition::default(); MAX_TILES]; 2];
        let after = self.group(0, size, &mut next);
        TileGroups {
            order: self,
            size,
            known: after,
            positions,
            next,
            after,
        }
    }

    /// Writes the positions of up to [`MAX_TILES`] tiles and returns their number.
    pub(super) fn group(
        self,
        first: usize,
        size: usize,
        positions: &mut [TilePosition; MAX_TILES],
    ) -> usize {
        let count = size.min(self.tiles() - first).min(MAX_TILES);
        let (each, wide) = (self.plane.tiles(), self.plane.width / TILE);
        let mut image = first / each;
        let mut tile = first % each;
        let mut at = 0;
        while at < count {
            // The rest of a row of tiles, which lie side by side.
            let row = (wide - tile % wide).min(count - at);
            let corner = self.plane.corner(tile);
            for (column, position) in positions[at..at + row].iter_mut().enumerate() {
                *position = TilePosition {
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
pub(super) struct TileGroups {
    order: TileOrder,
    size: usize,
    /// Tiles of this group, of those before it and of the next one.
    known: usize,
    positions: [TilePosition; MAX_TILES],
    next: [TilePosition; MAX_TILES],
    /// Tiles of the next group.
    after: usize,
}

impl TileGroups {
    /// The positions of a group and of the next one, which is empty after the last.
    #[inline(always)]
    pub(super) fn advance(&mut self) -> Option<[&[TilePosition]; 2]> {
        let tiles = self.after;
        if tiles == 0 {
            return None;
        }
        self.positions = self.next;
        self.after = self.order.group(self.known, self.size, &mut self.next);
        self.known += self.after;
        Some([&self.positions[..tiles], &self.next[..self.after]])
    }
}

/// How transformed tiles lie: `[36][block][tile][lane]`, with a gap after each of the 36 points, so
/// that they do not compete for the same sets of a cache.
#[derive(Clone, Copy)]
pub(super) struct TileStrides {
    pub lanes: usize,
    pub block: usize,
    pub point: usize,
}

impl TileStrides {
    pub(super) fn new(lanes: usize, blocks: usize, tiles: usize) -> Self {
        let block = tiles * lanes;
        Self {
            lanes,
            block,
            point: blocks * block + lanes,
        }
    }

    pub(super) fn len(self) -> usize {
        36 * self.point
    }
}

/// Loads pixels of images and turns them into what the layer takes.
pub(super) trait Load<S: Simd>: Copy {
    /// Constants of a block of channels.
    type Block: Copy;

    /// Whether pixels are costly enough to be kept for the tile beside.
    const KEPT: bool = false;

    /// # Safety
    /// The block is one of those of the images.
    unsafe fn block(self, s: S, block: usize) -> Self::Block;

    /// # Safety
    /// `image` is one of the images and `at` the offset of a pixel within the block, borders
    /// included.
    unsafe fn pixel(self, s: S, block: Self::Block, image: usize, at: usize) -> S::V;

    /// The images that it reads, for prefetching.
    fn images(&self) -> &[BatchView];
}

/// The input transform, `B^T d B` of each tile.
///
/// # Safety
/// `load` can read all blocks at all positions, and `to` has room for tiles of `strides`.
#[inline(always)]
pub(super) unsafe fn transform_input<S: Simd, L: Load<S>>(
    s: S,
    load: L,
    plane: Plane,
    blocks: usize,
    positions: &[TilePosition],
    to: *mut f32,
    strides: TileStrides,
) {
    for block in 0..blocks {
        // SAFETY: the caller vouches for blocks and positions; the data of a tile are within the
        // border.
        unsafe {
            let constants = load.block(s, block);
            let mut data = [[s.splat(0.0); 6]; 6];
            let mut before = None;
            for (tile, position) in positions.iter().enumerate() {
                // A tile shares two columns with the one beside it.
                let beside = |before: &TilePosition| before.is_left_of(*position, S::LANES);
                if L::KEPT && before.is_some_and(beside) {
                    for row in &mut data {
                        [row[0], row[1]] = [row[4], row[5]];
                    }
                } else {
                    transform_columns(s, load, constants, plane, *position, 0..2, &mut data);
                }
                transform_columns(s, load, constants, plane, *position, 2..6, &mut data);
                before = Some(position);
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

/// Loads some columns of a tile and transforms them.
///
/// # Safety
/// As [`transform_input`].
#[inline(always)]
unsafe fn transform_columns<S: Simd, L: Load<S>>(
    s: S,
    load: L,
    constants: L::Block,
    plane: Plane,
    position: TilePosition,
    which: Range<usize>,
    data: &mut [[S::V; 6]; 6],
) {
    for column in which {
        let mut from = [s.splat(0.0); 6];
        for row in 0..6 {
            let at = position.corner + row * plane.row() + column * S::LANES;
            // SAFETY: the caller vouches for the position.
            from[row] = unsafe { load.pixel(s, constants, position.image, at) };
        }
        let done = Data::apply(s, from);
        for row in 0..6 {
            data[row][column] = done[row];
        }
    }
}

/// The transform of 4x4 pixels as if they were a filter, for the gradient of the weights.
///
/// # Safety
/// As [`transform_input`].
#[inline(always)]
pub(super) unsafe fn transform_inner<S: Simd, L: Load<S>>(
    s: S,
    load: L,
    plane: Plane,
    blocks: usize,
    positions: &[TilePosition],
    to: *mut f32,
    strides: TileStrides,
) {
    for block in 0..blocks {
        // SAFETY: as in `transform_input`.
        unsafe {
            let constants = load.block(s, block);
            for (tile, position) in positions.iter().enumerate() {
                let corner = position.corner + plane.inside();
                let mut pixels = [[s.splat(0.0); TILE]; TILE];
                for row in 0..TILE {
                    for column in 0..TILE {
                        let at = corner + row * plane.row() + column * S::LANES;
                        pixels[row][column] = load.pixel(s, constants, position.image, at);
                    }
                }
                let done = both::<S, Filter4, TILE, 6>(s, pixels);
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

/// What is done to outputs while they are in registers.
pub(super) trait Epilogue<S: Simd> {
    /// Constants and sums of a block of channels.
    type Block: Copy;

    /// # Safety
    /// The block is one of those of the outputs.
    unsafe fn begin(&self, s: S, block: usize) -> Self::Block;

    /// Takes two rows of a tile: first the upper two, then the lower two.
    ///
    /// # Safety
    /// `position` is one of the outputs' tiles, and `block` comes from [`begin`](Self::begin).
    unsafe fn rows(
        &mut self,
        s: S,
        block: &mut Self::Block,
        position: TilePosition,
        lower: bool,
        rows: [[S::V; TILE]; 2],
    );

    /// # Safety
    /// As [`begin`](Self::begin).
    unsafe fn end(&mut self, s: S, block: usize, sums: Self::Block);
}

/// The output transform, `A^T m A` of each tile.
///
/// # Safety
/// `epilogue` can take all blocks at all positions, and `from` has tiles of `strides`.
#[inline(always)]
pub(super) unsafe fn transform_output<S: Simd, F: Epilogue<S>>(
    s: S,
    epilogue: &mut F,
    blocks: usize,
    positions: &[TilePosition],
    from: *const f32,
    strides: TileStrides,
) {
    for block in 0..blocks {
        // SAFETY: the caller vouches for blocks, positions and tiles.
        unsafe {
            let mut sums = epilogue.begin(s, block);
            for (tile, position) in positions.iter().enumerate() {
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
                    epilogue.rows(s, &mut sums, *position, lower, rows);
                }
            }
            epilogue.end(s, block, sums);
        }
    }
}
