//! The first convolution of a network, on images of one channel, where Winograd's transforms would
//! cost more than they save.

use super::batch_view::{BatchNormGradient, BatchNormGradientLoad, BatchViewMut};
use super::epilogue::add;
use super::layout::Plane;
use super::tiles::Load;
use super::{Isa, Kernel, Simd};

/// Floats of an image of one channel with its border.
pub(crate) fn image(plane: Plane) -> usize {
    (plane.height + 2) * (plane.width + 2)
}

/// Copies an image into its border, which is not touched.
pub(crate) fn pack(plane: Plane, plain: &[f32], image: &mut [f32]) {
    let rows = image.chunks_exact_mut(plane.width + 2).skip(1);
    for (to, from) in rows.zip(plain.chunks_exact(plane.width)) {
        to[1..=plane.width].copy_from_slice(from);
    }
}

/// What is done to outputs while they are in registers.
#[derive(Debug)]
pub(crate) enum StemEpilogue<'a> {
    /// They are stored as they are, and their sums and those of their squares are accumulated for
    /// each lane.
    Statistics(&'a mut [f64]),
    /// A bias is added for each lane, then ReLU.
    BiasRelu(&'a [f32]),
}

/// The convolution in training and in evaluation.
#[derive(Debug)]
pub(crate) struct StemForward<'a> {
    /// The plane of the outputs.
    pub plane: Plane,
    /// Images of one channel with their borders.
    pub input: &'a [f32],
    /// `[block][9][lane]`
    pub weights: &'a [f32],
    /// Blocks of the outputs.
    pub blocks: usize,
    pub epilogue: StemEpilogue<'a>,
    /// The outputs. The border is not touched.
    pub output: &'a mut [f32],
}

impl StemForward<'_> {
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
        let output = BatchViewMut::new(self.output, plane, self.blocks, images);
        let wide = plane.width + 2;
        for (index, pixels) in self.input.chunks_exact(image(plane)).enumerate() {
            for block in 0..self.blocks {
                let kernel = kernel(s, &self.weights[block * 9 * S::LANES..]);
                let bias = match &self.epilogue {
                    StemEpilogue::Statistics(_) => s.splat(0.0),
                    // SAFETY: the slice is as long as a vector.
                    StemEpilogue::BiasRelu(bias) => unsafe {
                        s.load(bias[block * S::LANES..][..S::LANES].as_ptr())
                    },
                };
                for row in 0..plane.height {
                    let from = &pixels[row * wide..][..3 * wide];
                    let at = plane.inside() + row * plane.row();
                    // SAFETY: the view has checked images and blocks, and the row is within the
                    // plane.
                    let to = unsafe { output.at(index, block).add(at) };
                    let (mut sum, mut squares) = (s.splat(0.0), s.splat(0.0));
                    for column in 0..plane.width {
                        let mut rows = [bias, s.splat(0.0), s.splat(0.0)];
                        for tap in 0..9 {
                            let at = tap / 3 * wide + column + tap % 3;
                            // SAFETY: the last column is two before the end of a bordered row.
                            let value = s.splat(unsafe { *from.get_unchecked(at) });
                            rows[tap / 3] = s.fma(value, kernel[tap], rows[tap / 3]);
                        }
                        let mut value = s.add(s.add(rows[0], rows[1]), rows[2]);
                        match &self.epilogue {
                            StemEpilogue::Statistics(_) => {
                                sum = s.add(sum, value);
                                squares = s.fma(value, value, squares);
                            }
                            StemEpilogue::BiasRelu(_) => value = s.relu(value),
                        }
                        // SAFETY: the pixel is within the row.
                        unsafe { s.store(to.add(column * S::LANES), value) };
                    }
                    if let StemEpilogue::Statistics(sums) = &mut self.epilogue {
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

/// The gradient of the weights. That of the images is never needed.
#[derive(Debug)]
pub(crate) struct StemBackward<'a> {
    /// The plane of the outputs.
    pub plane: Plane,
    /// Images of one channel with their borders.
    pub input: &'a [f32],
    /// The gradient of the outputs.
    pub output: BatchNormGradient<'a>,
    /// Blocks of the outputs.
    pub blocks: usize,
    /// `[block][9][lane]`, accumulated.
    pub sums: &'a mut [f64],
}

/// Rows whose products are summed in 32 bits before they are added to sums of 64.
const ROWS: usize = 4;

impl StemBackward<'_> {
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
        let load = BatchNormGradientLoad::new(self.output, plane, self.blocks, images);
        let wide = plane.width + 2;
        for (index, pixels) in self.input.chunks_exact(image(plane)).enumerate() {
            for block in 0..self.blocks {
                // SAFETY: `new` has checked the blocks.
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
                                // SAFETY: the last column is two before the end of a bordered row.
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
