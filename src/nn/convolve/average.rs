//! Means of squares around pixels.

use rayon::prelude::*;

use super::{Geometry, depthwise};
use crate::nn::engine::Loops;
use crate::nn::trunk::isa;

/// The mean of each 3x3 square around a pixel. Zeros around the image are counted or left out.
///
/// # Shapes
/// - `images`: `[batch, channels, height, width]`, as is what is returned
pub(super) fn average(shape: [usize; 4], images: &[f32], counts_border: bool) -> Vec<f32> {
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
        let counted = (0..3).filter(|offset| geometry.seen(axis, place, *offset).is_some());
        if counts_border { 3 } else { counted.count() }
    };
    let factors: Vec<_> = (0..height * width)
        .map(|place| 1.0 / (seen(0, place / width) * seen(1, place % width)) as f32)
        .collect();
    sums.par_chunks_exact_mut(height * width).for_each(|sums| {
        isa().vectorize(Scale {
            values: sums,
            factors: &factors,
        });
    });
    sums
}

/// Multiplies values by factors.
struct Scale<'a> {
    values: &'a mut [f32],
    factors: &'a [f32],
}

impl Loops for Scale<'_> {
    #[inline(always)]
    fn run(self) {
        for (value, factor) in self.values.iter_mut().zip(self.factors) {
            *value *= factor;
        }
    }
}
