//! The blocked layout of images, oneDNN's nChw8c or nChw16c with a border, and the packing into it.

/// How the images of a layer lie in memory: channels in blocks of as many as a vector has lanes,
/// rows and columns of such blocks, and a border of one pixel on each side.
///
/// An image is `[block][height + 2][width + 2][lane]`. Height and width are multiples of 4, the
/// size of a Winograd tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plane {
    /// Rows without the border.
    pub height: usize,
    /// Columns without the border.
    pub width: usize,
    /// Channels in a block.
    pub lanes: usize,
}

/// The height and width of a tile of outputs.
pub(crate) const TILE: usize = 4;

impl Plane {
    /// Floats from one row to the next.
    pub(crate) fn row(self) -> usize {
        (self.width + 2) * self.lanes
    }

    /// Floats of a block of channels.
    pub(crate) fn block(self) -> usize {
        (self.height + 2) * self.row()
    }

    pub(crate) fn tiles(self) -> usize {
        self.height / TILE * (self.width / TILE)
    }

    /// Pixels of an image without its border.
    pub(crate) fn pixels(self) -> usize {
        self.height * self.width
    }

    /// The number of blocks for `channels` channels.
    pub(crate) fn blocks(self, channels: usize) -> usize {
        channels.div_ceil(self.lanes)
    }

    /// The plane after a 2x2 pool.
    pub(crate) fn halved(self) -> Self {
        Self {
            height: self.height / 2,
            width: self.width / 2,
            ..self
        }
    }

    /// The offset of the first pixel inside the border.
    pub(crate) fn inside(self) -> usize {
        self.row() + self.lanes
    }

    /// The offset of a tile's 6x6 data within a block.
    pub(crate) fn corner(self, tile: usize) -> usize {
        let wide = self.width / TILE;
        tile / wide * TILE * self.row() + tile % wide * TILE * self.lanes
    }

    /// Fills the border of images of any number of blocks.
    pub(crate) fn fill_border(self, images: &mut [f32], value: f32) {
        for block in images.chunks_exact_mut(self.block()) {
            let row = self.row();
            block[..row].fill(value);
            block[(self.height + 1) * row..].fill(value);
            for inner in block[row..].chunks_exact_mut(row).take(self.height) {
                inner[..self.lanes].fill(value);
                inner[row - self.lanes..].fill(value);
            }
        }
    }

    /// The window of all pixels inside the border.
    pub(crate) fn whole(self) -> Window {
        Window {
            first: [0, 0],
            size: [self.height, self.width],
        }
    }

    /// Packs an image of `[channel][height][width]`. Lanes without a channel become 0; the border
    /// is not touched.
    pub(crate) fn pack(self, plain: &[f32], image: &mut [f32]) {
        self.pack_window(self.whole(), plain, image);
    }

    /// As [`pack`](Self::pack), into a window; what is around it is not touched.
    pub(crate) fn pack_window(self, window: Window, plain: &[f32], image: &mut [f32]) {
        let Window {
            first,
            size: [height, width],
        } = window;
        let channels = plain.len() / (height * width);
        for (block, to) in image.chunks_exact_mut(self.block()).enumerate() {
            for y in 0..height {
                let row = &mut to[self.row_start(first, y)..][..width * self.lanes];
                for lane in 0..self.lanes {
                    let channel = block * self.lanes + lane;
                    let to = row.iter_mut().skip(lane).step_by(self.lanes);
                    if channel < channels {
                        let from = &plain[(channel * height + y) * width..][..width];
                        to.zip(from).for_each(|(to, from)| *to = *from);
                    } else {
                        to.for_each(|to| *to = 0.0);
                    }
                }
            }
        }
    }

    /// Unpacks an image into `[channel][height][width]`.
    pub(crate) fn unpack(self, image: &[f32], plain: &mut [f32]) {
        self.unpack_window(self.whole(), image, plain);
    }

    /// As [`unpack`](Self::unpack), from a window.
    pub(crate) fn unpack_window(self, window: Window, image: &[f32], plain: &mut [f32]) {
        let Window {
            first,
            size: [height, width],
        } = window;
        for (channel, to) in plain.chunks_exact_mut(height * width).enumerate() {
            let block = &image[channel / self.lanes * self.block()..][..self.block()];
            for (y, to) in to.chunks_exact_mut(width).enumerate() {
                let row = &block[self.row_start(first, y)..];
                let from = row.iter().skip(channel % self.lanes).step_by(self.lanes);
                to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
            }
        }
    }

    /// The offset within a block of a row of a window.
    fn row_start(self, [top, left]: [usize; 2], row: usize) -> usize {
        (top + row + 1) * self.row() + (left + 1) * self.lanes
    }
}

/// A part of a plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    /// The first row and column, counted without the border.
    pub first: [usize; 2],
    /// Height and width.
    pub size: [usize; 2],
}
