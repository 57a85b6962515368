//! The convolution of images of one channel, where Winograd's transforms would cost more than they
//! save.

use super::batch_view::{Derived, Differential, ImagesMut};
use super::epilogue::add;
use super::layout::Plane;
use super::tiles::Load;
use super::{Isa, Kernel, Simd};

/// Floats of a bordered image of one channel.
pub(crate) fn image(plane: Plane) -> usize {
    (plane.height + 2) * (plane.width + 2)
}

/// Copies an image between its borders, which stay.
pub(crate) fn pack(plane: Plane, plain: &[f32], image: &mut [f32]) {
    let rows = image.chunks_exact_mut(plane.width + 2).skip(1);
    for (to, from) in rows.zip(plain.chunks_exact(plane.width)) {
        to[1..=plane.width].copy_from_slice(from);
    }
}

/// What becomes of the outputs.
#[derive(Debug)]
pub(crate) enum Outputs<'a> {
    /// As they are; their sums and those of their squares are added, each lane by lane.
    Measured(&'a mut [f64]),
    /// A bias is added for each lane, and they are activated.
    Activated(&'a [f32]),
}

/// The convolution.
#[derive(Debug)]
pub(crate) struct StemForward<'a> {
    /// Of the outputs.
    pub plane: Plane,
    /// Bordered images of one channel.
    pub input: &'a [f32],
    /// `[block][9][lane]`
    pub weights: &'a [f32],
    /// The outputs' blocks.
    pub blocks: usize,
    /// How outputs end.
    pub outputs: Outputs<'a>,
    /// The outputs. The border is not touched.
    pub output: &'a mut [f32],
}

impl StemForward<'_> {
    /// Computes it.
    pub(crate) fn run(self, isa: Isa) {
        isa.run(self);
    }
}

impl Kernel for StemForward<'_> {
    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let plane = self.plane;
        assert_eq!(plane.lanes, S::LANES);
        let images = self.input.len() / image(plane);
        let output = ImagesMut::new(self.output, plane, self.blocks, images);
        let wide = plane.width + 2;
        for (index, pixels) in self.input.chunks_exact(image(plane)).enumerate() {
            for block in 0..self.blocks {
                let kernel = kernel(s, &self.weights[block * 9 * S::LANES..]);
                let bias = match &self.outputs {
                    Outputs::Measured(_) => s.splat(0.0),
                    // SAFETY: the slice is as long as a vector.
                    Outputs::Activated(bias) => unsafe {
                        s.load(bias[block * S::LANES..][..S::LANES].as_ptr())
                    },
                };
                for row in 0..plane.height {
                    let from = &pixels[row * wide..][..3 * wide];
                    let at = plane.inside() + row * plane.row();
                    // SAFETY: the row is one of the output's.
                    let to = unsafe { output.at(index, block).add(at) };
                    let (mut sum, mut squares) = (s.splat(0.0), s.splat(0.0));
                    for column in 0..plane.width {
                        let mut rows = [bias, s.splat(0.0), s.splat(0.0)];
                        for tap in 0..9 {
                            let at = tap / 3 * wide + column + tap % 3;
                            // SAFETY: columns end two before the end of a row.
                            let value = s.splat(unsafe { *from.get_unchecked(at) });
                            rows[tap / 3] = s.fma(value, kernel[tap], rows[tap / 3]);
                        }
                        let mut value = s.add(s.add(rows[0], rows[1]), rows[2]);
                        match &self.outputs {
                            Outputs::Measured(_) => {
                                sum = s.add(sum, value);
                                squares = s.fma(value, value, squares);
                            }
                            Outputs::Activated(_) => value = s.relu(value),
                        }
                        // SAFETY: the pixel is one of the row's.
                        unsafe { s.store(to.add(column * S::LANES), value) };
                    }
                    if let Outputs::Measured(sums) = &mut self.outputs {
                        let (sums, of_squares) = sums.split_at_mut(self.blocks * S::LANES);
                        add(s, sums, block, sum);
                        add(s, of_squares, block, squares);
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn kernel<S: Simd>(s: S, weights: &[f32]) -> [S::V; 9] {
    let mut kernel = [s.splat(0.0); 9];
    for (tap, weights) in kernel.iter_mut().zip(weights.chunks_exact(S::LANES)) {
        // SAFETY: the slice is as long as a vector.
        *tap = unsafe { s.load(weights.as_ptr()) };
    }
    kernel
}

/// The gradient of the weights. That of the images is nobody's.
#[derive(Debug)]
pub(crate) struct StemBackward<'a> {
    /// Of the outputs.
    pub plane: Plane,
    /// Bordered images of one channel.
    pub input: &'a [f32],
    /// The gradient of the outputs.
    pub output: Differential<'a>,
    /// The outputs' blocks.
    pub blocks: usize,
    /// `[block][9][lane]`, added to.
    pub sums: &'a mut [f64],
}

/// Rows whose products are summed in 32 bits.
const ROWS: usize = 4;

impl StemBackward<'_> {
    /// Computes it.
    pub(crate) fn run(self, isa: Isa) {
        isa.run(self);
    }
}

impl Kernel for StemBackward<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let plane = self.plane;
        assert_eq!(plane.lanes, S::LANES);
        let images = self.input.len() / image(plane);
        let load = Derived::new(self.output, plane, self.blocks, images);
        let wide = plane.width + 2;
        for (index, pixels) in self.input.chunks_exact(image(plane)).enumerate() {
            for block in 0..self.blocks {
                // SAFETY: the block is one of the gradient's.
                let constants = unsafe { load.block(s, block) };
                for first in (0..plane.height).step_by(ROWS) {
                    let mut sums = [s.splat(0.0); 9];
                    for row in first..first + ROWS {
                        let from = &pixels[row * wide..][..3 * wide];
                        let at = plane.inside() + row * plane.row();
                        for column in 0..plane.width {
                            // SAFETY: heights are multiples of 4, and the pixel is in the image.
                            let value =
                                unsafe { load.pixel(s, constants, index, at + column * S::LANES) };
                            for tap in 0..9 {
                                let at = tap / 3 * wide + column + tap % 3;
                                // SAFETY: columns end two before the end of a row.
                                let pixel = s.splat(unsafe { *from.get_unchecked(at) });
                                sums[tap] = s.fma(pixel, value, sums[tap]);
                            }
                        }
                    }
                    for (tap, sum) in sums.into_iter().enumerate() {
                        add(s, self.sums, block * 9 + tap, sum);
                    }
                }
            }
        }
    }
}
