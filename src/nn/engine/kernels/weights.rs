//! Weights on their way into Winograd's domain, and their gradients on the way out.

use super::isa::Kernel;
use super::winograd::{Gradient, Kernel3, both};
use super::{Isa, Simd};

/// Which side of a convolution a block of weights belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// For the outputs: lanes are output channels.
    Forward,
    /// For the gradient of the inputs: lanes are input channels, and each kernel is turned round.
    Backward,
}

/// Transforms one block of a convolution's weights.
#[derive(Debug)]
pub struct TransformWeights<'a> {
    /// `[channel_out][channel_in][3][3]`
    pub weights: &'a [f32],
    /// Input channels.
    pub channels_in: usize,
    /// What the weights are for.
    pub direction: Direction,
    /// The block of lanes.
    pub block: usize,
    /// `[36][row][lane]` for rows of the other side's channels, rounded up to whole blocks.
    pub to: &'a mut [f32],
}

impl TransformWeights<'_> {
    /// Computes it.
    pub fn run(self, isa: Isa) {
        isa.run(self);
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
        for row in 0..all_rows {
            for lane in 0..lanes {
                let place = match self.direction {
                    Direction::Forward => (first + lane) * channels_in + row,
                    Direction::Backward => row * channels_in + first + lane,
                };
                let from = if row < rows {
                    &self.weights[9 * place..][..9]
                } else {
                    &[0.0; 9]
                };
                for (at, value) in from.iter().enumerate() {
                    let at = if self.direction == Direction::Forward {
                        at
                    } else {
                        8 - at
                    };
                    kernel[at][lane] = *value;
                }
            }
            let mut square = [[s.splat(0.0); 3]; 3];
            for at in 0..9 {
                // SAFETY: an array has at least as many floats as a vector.
                square[at / 3][at % 3] = unsafe { s.load(kernel[at].as_ptr()) };
            }
            let points = both::<S, Kernel3, 3, 6>(s, square);
            for point in 0..36 {
                let to = &mut self.to[(point * all_rows + row) * S::LANES..][..S::LANES];
                // SAFETY: the slice is as long as a vector.
                unsafe { s.store(to.as_mut_ptr(), points[point / 6][point % 6]) };
            }
        }
    }
}

/// Sums the parts of a gradient and brings one block of it back.
#[derive(Debug)]
pub struct CollectGradient<'a> {
    /// One or more of what [`Backward`](super::Backward) gives, one after the other.
    pub parts: &'a [f32],
    /// Floats of a part.
    pub part: usize,
    /// Input channels.
    pub channels_in: usize,
    /// Blocks of output channels.
    pub blocks_out: usize,
    /// The block of output channels.
    pub block: usize,
    /// `[channel_out of the block][channel_in][3][3]`
    pub to: &'a mut [f32],
}

impl CollectGradient<'_> {
    /// Computes it.
    pub fn run(self, isa: Isa) {
        isa.run(self);
    }
}

impl Kernel for CollectGradient<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let square = S::LANES * S::LANES;
        let lanes = self.to.len() / (9 * self.channels_in);
        for channel in 0..self.channels_in {
            let (block_in, row) = (channel / S::LANES, channel % S::LANES);
            let at = (block_in * self.blocks_out + self.block) * square + row * S::LANES;
            let mut points = [[s.splat(0.0); 6]; 6];
            for part in self.parts.chunks_exact(self.part) {
                for point in 0..36 {
                    let from = &part[point * (self.part / 36) + at..][..S::LANES];
                    let sum = points[point / 6][point % 6];
                    // SAFETY: the slice is as long as a vector.
                    points[point / 6][point % 6] = s.add(sum, unsafe { s.load(from.as_ptr()) });
                }
            }
            let kernel = both::<S, Gradient, 6, 3>(s, points);
            let mut values = [[0.0f32; 16]; 9];
            for at in 0..9 {
                // SAFETY: an array has at least as many floats as a vector.
                unsafe { s.store(values[8 - at].as_mut_ptr(), kernel[at / 3][at % 3]) };
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
