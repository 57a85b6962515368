//! Average pools of stride 1.

use rayon::prelude::*;

use super::{Geometry, depthwise};

/// A 3x3 average pool with stride 1. Zeros around the image are counted or left out.
///
/// # Shapes
/// - `images`: `[batch, channels, height, width]`, as is what is returned
pub(super) fn average_pool(shape: [usize; 4], images: &[f32], counts_border: bool) -> Vec<f32> {
    let [batch, channels, height, width] = shape;
    let geometry = Geometry {
        batch,
        channels: [channels; 2],
        size: [height, width],
        kernel: [3, 3],
        output: [height, width],
        stride: [1, 1],
        padding: [1, 1],
    };
    let mut sums = depthwise::outputs(&geometry, images, &vec![1.0; 9 * channels]);
    let seen = |axis: usize, place: usize| {
        let counted = (0..3).filter(|offset| geometry.input_index(axis, place, *offset).is_some());
        if counts_border { 3 } else { counted.count() }
    };
    let factors: Vec<_> = (0..height * width)
        .map(|place| 1.0 / (seen(0, place / width) * seen(1, place % width)) as f32)
        .collect();
    sums.par_chunks_exact_mut(height * width).for_each(|sums| {
        for (sum, factor) in sums.iter_mut().zip(&factors) {
            *sum *= factor;
        }
    });
    sums
}
