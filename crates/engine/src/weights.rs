//! The transform of a convolution's weights, and the inverse transform and reduction of their
//! gradient, by all threads.

use rayon::iter::{IndexedParallelIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;

use super::kernels::{
    ConvolutionShape, Direction, InverseTransformGradient, Isa, ReduceGradient, TransformWeights,
};

/// Transforms weights into `to`, which is as long as [`ConvolutionShape::weights`] says. Each block
/// is a task of its own.
pub(super) fn transform(
    isa: Isa,
    shape: ConvolutionShape,
    channels_in: usize,
    direction: Direction,
    weights: &[f32],
    to: &mut [f32],
) {
    let blocks = match direction {
        Direction::Forward => shape.blocks_out,
        Direction::Backward => shape.blocks_in,
    };
    to.par_chunks_exact_mut(to.len() / blocks)
        .enumerate()
        .for_each(|(block, to)| {
            TransformWeights {
                weights,
                channels_in,
                direction,
                block,
                to,
            }
            .run(isa);
        });
}

/// Transforms the gradient of a chunk back, on this thread: the others have chunks of their own.
pub(super) fn inverse_transform(
    isa: Isa,
    shape: ConvolutionShape,
    points: &[f32],
    taps: &mut [f32],
) {
    taps.chunks_exact_mut(shape.taps() / shape.blocks_in)
        .enumerate()
        .for_each(inverse_transform_block(isa, shape, points));
}

/// Transforms a single gradient back. Each block is a task of its own.
pub(super) fn par_inverse_transform(
    isa: Isa,
    shape: ConvolutionShape,
    points: &[f32],
    taps: &mut [f32],
) {
    taps.par_chunks_exact_mut(shape.taps() / shape.blocks_in)
        .enumerate()
        .for_each(inverse_transform_block(isa, shape, points));
}

fn inverse_transform_block(
    isa: Isa,
    shape: ConvolutionShape,
    points: &[f32],
) -> impl Fn((usize, &mut [f32])) {
    move |(block, to)| {
        InverseTransformGradient {
            shape,
            points,
            block,
            to,
        }
        .run(isa);
    }
}

/// Sums the gradients of all chunks, which lie one after the other, in that order.
pub(super) fn reduce(
    isa: Isa,
    shape: ConvolutionShape,
    channels_in: usize,
    chunks: &[f32],
    gradient: &mut [f32],
) {
    gradient
        .par_chunks_mut(shape.plane.lanes * channels_in * 9)
        .enumerate()
        .for_each(|(block, to)| {
            ReduceGradient {
                shape,
                chunks,
                channels_in,
                block,
                to,
            }
            .run(isa);
        });
}
