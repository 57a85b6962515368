//! A convolution's weights on their way into Winograd's domain, and their gradient on its way out, a
//! block for each thread.

use rayon::iter::{IndexedParallelIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;

use super::kernels::{CollectGradient, Direction, Isa, Shape, TransformWeights};

/// Transforms weights into `to`, which is as long as [`Shape::weights`] says.
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

/// Sums one or more parts of the gradient of the transformed weights into that of the weights.
pub(super) fn collect(
    isa: Isa,
    shape: Shape,
    channels_in: usize,
    parts: &[f32],
    gradient: &mut [f32],
) {
    gradient
        .par_chunks_mut(shape.plane.lanes * channels_in * 9)
        .enumerate()
        .for_each(|(block, to)| {
            CollectGradient {
                parts,
                part: shape.weights(),
                channels_in,
                blocks_out: shape.blocks_out,
                block,
                to,
            }
            .run(isa);
        });
}
