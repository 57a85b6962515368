//! A convolution's weights on their way into Winograd's domain, and their gradient on its way out.

use rayon::iter::{IndexedParallelIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;

use super::kernels::{CollectGradient, Direction, Isa, Shape, TotalGradient, TransformWeights};

/// Transforms weights into `to`, which is as long as [`Shape::weights`] says, a block for each thread.
pub(super) fn transform(
    isa: Isa,
    shape: Shape,
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

/// Transforms the gradient of a share back, by this thread, for the others have shares of their own.
pub(super) fn collect(isa: Isa, shape: Shape, points: &[f32], taps: &mut [f32]) {
    taps.chunks_exact_mut(shape.taps() / shape.blocks_in)
        .enumerate()
        .for_each(collect_block(isa, shape, points));
}

/// Transforms the one gradient back, a block for each thread.
pub(super) fn par_collect(isa: Isa, shape: Shape, points: &[f32], taps: &mut [f32]) {
    taps.par_chunks_exact_mut(shape.taps() / shape.blocks_in)
        .enumerate()
        .for_each(collect_block(isa, shape, points));
}

fn collect_block(isa: Isa, shape: Shape, points: &[f32]) -> impl Fn((usize, &mut [f32])) {
    move |(block, to)| {
        CollectGradient {
            shape,
            points,
            block,
            to,
        }
        .run(isa);
    }
}

/// Sums the gradients of all shares, which lie one after the other, in their order.
pub(super) fn total(
    isa: Isa,
    shape: Shape,
    channels_in: usize,
    shares: &[f32],
    gradient: &mut [f32],
) {
    gradient
        .par_chunks_mut(shape.plane.lanes * channels_in * 9)
        .enumerate()
        .for_each(|(block, to)| {
            TotalGradient {
                shape,
                shares,
                channels_in,
                block,
                to,
            }
            .run(isa);
        });
}
