//! The weight transform into the Winograd domain, and the inverse transform and reduction of the
//! weights' gradient.

use std::ops::Range;

use super::convolution::ConvolutionShape;
use super::winograd::{Filter3, Gradient, both};
use super::{Isa, Kernel, Simd};

/// Which pass of a convolution weights are packed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// For the outputs: lanes are output channels.
    Forward,
    /// For the gradient of the inputs: lanes are input channels, and each filter is rotated by 180
    /// degrees.
    Backward,
}

/// Rows that are transformed before they are written: their points lie so far apart that a cache
/// has only a few lines for all 36.
const ROWS: usize = 8;

/// Transforms and packs one block of a convolution's weights.
#[derive(Debug)]
pub(crate) struct TransformWeights<'a> {
    /// `[channel_out][channel_in][3][3]`
    pub weights: &'a [f32],
    pub channels_in: usize,
    pub direction: Direction,
    pub block: usize,
    /// `[36][row][lane]` for rows of the other side's channels, rounded up to whole blocks.
    pub to: &'a mut [f32],
}

impl TransformWeights<'_> {
    pub(crate) fn run(self, isa: Isa) {
        isa.run(self);
    }

    /// Reads the filters of a row, those of a channel into a lane.
    #[inline(always)]
    fn read(&self, row: usize, channels: Range<usize>, kernel: &mut [[f32; 16]; 9]) {
        for (lane, channel) in channels.enumerate() {
            let index = match self.direction {
                Direction::Forward => channel * self.channels_in + row,
                Direction::Backward => row * self.channels_in + channel,
            };
            for (at, value) in self.weights[9 * index..][..9].iter().enumerate() {
                let at = match self.direction {
                    Direction::Forward => at,
                    Direction::Backward => 8 - at,
                };
                kernel[at][lane] = *value;
            }
        }
    }
}

impl Kernel for TransformWeights<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let channels_in = self.channels_in;
        let channels_out = self.weights.len() / (9 * channels_in);
        let (lanes, rows) = match self.direction {
            Direction::Forward => (channels_out, channels_in),
            Direction::Backward => (channels_in, channels_out),
        };
        let all_rows = self.to.len() / (36 * S::LANES);
        let first = self.block * S::LANES;
        let lanes = lanes.saturating_sub(first).min(S::LANES);
        let mut kernel = [[0.0f32; 16]; 9];
        let mut written = [[0.0f32; 16 * ROWS]; 36];
        for start in (0..all_rows).step_by(ROWS) {
            let floats = (all_rows - start).min(ROWS) * S::LANES;
            for (row, at_row) in (start..all_rows).zip((0..floats).step_by(S::LANES)) {
                if row < rows {
                    self.read(row, first..first + lanes, &mut kernel);
                } else {
                    kernel = [[0.0; 16]; 9];
                }
                let mut square = [[s.splat(0.0); 3]; 3];
                for at in 0..9 {
                    // SAFETY: the array is at least as long as any vector.
                    square[at / 3][at % 3] = unsafe { s.load(kernel[at].as_ptr()) };
                }
                let points = both::<S, Filter3, 3, 6>(s, square);
                for (point, to) in written.iter_mut().enumerate() {
                    let to = &mut to[at_row..][..S::LANES];
                    // SAFETY: the slice is as long as a vector.
                    unsafe { s.store(to.as_mut_ptr(), points[point / 6][point % 6]) };
                }
            }
            for (point, from) in written.iter().enumerate() {
                let at = (point * all_rows + start) * S::LANES;
                self.to[at..][..floats].copy_from_slice(&from[..floats]);
            }
        }
    }
}

/// The inverse transform of the gradient, for one block of input channels.
#[derive(Debug)]
pub(crate) struct InverseTransformGradient<'a> {
    pub shape: ConvolutionShape,
    /// The gradient that [`Backward`](super::Backward) gives.
    pub points: &'a [f32],
    pub block: usize,
    /// `[block_out][channel_in of the block][9][lane]`
    pub to: &'a mut [f32],
}

impl InverseTransformGradient<'_> {
    pub(crate) fn run(self, isa: Isa) {
        isa.run(self);
    }
}

impl Kernel for InverseTransformGradient<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let rows = self.shape.blocks_out * S::LANES;
        let first = self.block * rows;
        for (row, to) in self.to.chunks_exact_mut(9 * S::LANES).enumerate() {
            let mut points = [[s.splat(0.0); 6]; 6];
            for point in 0..36 {
                let at = point * self.shape.point() + (first + row) * S::LANES;
                let from = &self.points[at..][..S::LANES];
                // SAFETY: the slice is as long as a vector.
                points[point / 6][point % 6] = unsafe { s.load(from.as_ptr()) };
            }
            let taps = both::<S, Gradient, 6, 3>(s, points);
            // The gradient was summed for rotated filters.
            for (at, to) in to.chunks_exact_mut(S::LANES).rev().enumerate() {
                // SAFETY: the chunk is as long as a vector.
                unsafe { s.store(to.as_mut_ptr(), taps[at / 3][at % 3]) };
            }
        }
    }
}

/// Sums the gradients of all chunks, for one block of output channels.
#[derive(Debug)]
pub(crate) struct ReduceGradient<'a> {
    pub shape: ConvolutionShape,
    /// One gradient of `[block_in][block_out][channel_in][9][lane]` for each chunk, as
    /// [`InverseTransformGradient`] gives them.
    pub chunks: &'a [f32],
    pub channels_in: usize,
    pub block: usize,
    /// `[channel_out of the block][channel_in][3][3]`
    pub to: &'a mut [f32],
}

impl ReduceGradient<'_> {
    pub(crate) fn run(self, isa: Isa) {
        isa.run(self);
    }
}

impl Kernel for ReduceGradient<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let ConvolutionShape { blocks_out, .. } = self.shape;
        let lanes = self.to.len() / (9 * self.channels_in);
        for channel in 0..self.channels_in {
            let (block_in, row) = (channel / S::LANES, channel % S::LANES);
            let at = ((block_in * blocks_out + self.block) * S::LANES + row) * 9 * S::LANES;
            let mut sums = [s.splat(0.0); 9];
            for chunk in self.chunks.chunks_exact(self.shape.taps()) {
                let taps = chunk[at..][..9 * S::LANES].chunks_exact(S::LANES);
                for (sum, tap) in sums.iter_mut().zip(taps) {
                    // SAFETY: the chunk is as long as a vector.
                    *sum = s.add(*sum, unsafe { s.load(tap.as_ptr()) });
                }
            }
            let mut values = [[0.0f32; 16]; 9];
            for (values, sum) in values.iter_mut().zip(sums) {
                // SAFETY: the array is at least as long as any vector.
                unsafe { s.store(values.as_mut_ptr(), sum) };
            }
            for lane in 0..lanes {
                let to = &mut self.to[(lane * self.channels_in + channel) * 9..][..9];
                for (to, values) in to.iter_mut().zip(&values) {
                    *to = values[lane];
                }
            }
        }
    }
}
