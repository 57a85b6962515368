//! Convolution by filters that see one channel each, and its gradients.
//!
//! Images and gradients are laid out with zeros around them, so that whatever a weight sees lies in
//! one piece, a fixed distance away. Every sum is taken in one order, however many threads there are.

use rayon::prelude::*;

use super::Geometry;
use super::padding::Frame;
use crate::engine_operation::isa;
use attrium_engine::Loops;

/// Sums that go on side by side, so that a processor need not wait for one addition.
const LANES: usize = 16;
/// Numbers that a thread takes at once, at least.
const SHARE: usize = 1 << 13;

/// The outputs: `[batch, channels, height, width]`.
///
/// # Shapes
/// - `images`: `[batch, channels, height, width]`
/// - `weight`: `[channels, 1, height, width]`
pub(super) fn outputs(geometry: &Geometry, images: &[f32], weight: &[f32]) -> Vec<f32> {
    let Geometry {
        batch,
        channels: [channels, _],
        kernel: [high, wide],
        stride: [down, across],
        ..
    } = *geometry;
    let [pixels, places] = [geometry.size, geometry.output].map(|[height, width]| height * width);
    let phases = geometry.phases();
    let away = |place: usize| {
        let [row, column] = [place / wide, place % wide];
        let phase = row % down * across + column % across;
        phase * phases.len() + row / down * phases.pitch + column / across
    };
    let away: Vec<usize> = (0..high * wide).map(away).collect();
    let mut outputs = vec![0.0; batch * channels * places];
    outputs
        .par_chunks_exact_mut(places)
        .with_min_len(SHARE.div_ceil(pixels))
        .enumerate()
        .for_each_init(
            || {
                [
                    down * across * phases.len(),
                    geometry.output[0] * phases.pitch,
                ]
                .map(zeros)
            },
            |[seen, sums], (plane, output)| {
                geometry.fill_phases(phases, &images[plane * pixels..][..pixels], seen);
                isa().vectorize(Sums {
                    sums,
                    seen,
                    away: &away,
                    weights: &weight[plane % channels * away.len()..][..away.len()],
                });
                phases.take(sums, output, geometry.output);
            },
        );
    outputs
}

fn zeros(len: usize) -> Vec<f32> {
    vec![0.0; len]
}

/// The gradient of the filters: `[channels, 1, height, width]`.
///
/// # Shapes
/// - `images`: `[batch, channels, height, width]`
/// - `gradient`: of the output, `[batch, channels, height, width]`
pub(super) fn of_weight(geometry: &Geometry, images: &[f32], gradient: &[f32]) -> Vec<f32> {
    let Geometry {
        batch,
        channels: [channels, _],
        kernel: [_, wide],
        padding: [top, left],
        ..
    } = *geometry;
    let [pixels, places] = [geometry.size, geometry.output].map(|[height, width]| height * width);
    let [rows, columns] = geometry.every_place();
    let seen = geometry.frame([rows, columns], [top, left]);
    // What is beside the last place of a row belongs to no place.
    let looks = Frame {
        pitch: seen.pitch,
        rows,
        first: [0, 0],
    };
    let filter = geometry.kernel[0] * wide;
    let away = seen.away(geometry.kernel);
    let mut filters = vec![0.0; channels * filter];
    filters
        .par_chunks_exact_mut(filter)
        .with_min_len(SHARE.div_ceil(batch * pixels))
        .enumerate()
        .for_each_init(
            || [seen.len(), looks.len()].map(zeros),
            |[image, slopes], (channel, filter)| {
                for plane in (0..batch).map(|image| image * channels + channel) {
                    seen.fill(
                        image,
                        &images[plane * pixels..][..pixels],
                        geometry.size,
                        [1, 1],
                    );
                    let from = &gradient[plane * places..][..places];
                    looks.fill(slopes, from, geometry.output, geometry.stride);
                    isa().vectorize(Dots {
                        slopes,
                        seen: image,
                        away: &away,
                        sums: filter,
                    });
                }
            },
        );
    filters
}

/// The gradient of the images: `[batch, channels, height, width]`.
///
/// # Shapes
/// - `weight`: `[channels, 1, height, width]`
/// - `gradient`: of the output, `[batch, channels, height, width]`
pub(super) fn of_images(geometry: &Geometry, weight: &[f32], gradient: &[f32]) -> Vec<f32> {
    let Geometry {
        batch,
        channels: [channels, _],
        size: [height, width],
        kernel: [high, wide],
        padding: [top, left],
        ..
    } = *geometry;
    let places = geometry.output[0] * geometry.output[1];
    let filter = high * wide;
    // A pixel is seen by the places above and at the left of it.
    let looks = geometry.frame([height, width], [high - 1 - top, wide - 1 - left]);
    // The last weight looks at the first place.
    let mut away = looks.away(geometry.kernel);
    away.reverse();
    let mut images = vec![0.0; batch * channels * height * width];
    images
        .par_chunks_exact_mut(height * width)
        .with_min_len(SHARE.div_ceil(height * width))
        .enumerate()
        .for_each_init(
            || [looks.len(), height * looks.pitch].map(zeros),
            |[slopes, sums], (plane, image)| {
                let from = &gradient[plane * places..][..places];
                looks.fill(slopes, from, geometry.output, geometry.stride);
                isa().vectorize(Sums {
                    sums,
                    seen: slopes,
                    away: &away,
                    weights: &weight[plane % channels * filter..][..filter],
                });
                looks.take(sums, image, geometry.size);
            },
        );
    images
}

/// Sums over what each weight sees, which lies so far away for each.
struct Sums<'a> {
    sums: &'a mut [f32],
    seen: &'a [f32],
    away: &'a [usize],
    weights: &'a [f32],
}

impl Loops for Sums<'_> {
    #[inline(always)]
    fn run(self) {
        self.sums.fill(0.0);
        for (away, weight) in self.away.iter().zip(self.weights) {
            for (sum, seen) in self.sums.iter_mut().zip(&self.seen[*away..]) {
                *sum += weight * seen;
            }
        }
    }
}

/// For each weight the sum of the products of slopes with what it sees, added to what is there.
struct Dots<'a> {
    slopes: &'a [f32],
    seen: &'a [f32],
    away: &'a [usize],
    sums: &'a mut [f32],
}

impl Loops for Dots<'_> {
    #[inline(always)]
    fn run(self) {
        for (away, sum) in self.away.iter().zip(self.sums) {
            *sum += dot(self.slopes, &self.seen[*away..]);
        }
    }
}

/// The sum of products, of as many numbers as both have.
#[inline(always)]
fn dot(one: &[f32], other: &[f32]) -> f32 {
    let len = one.len().min(other.len());
    let (ones, ones_left) = one[..len].as_chunks::<LANES>();
    let (others, others_left) = other[..len].as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for (one, other) in ones.iter().zip(others) {
        for lane in 0..LANES {
            sums[lane] += one[lane] * other[lane];
        }
    }
    for (lane, (one, other)) in ones_left.iter().zip(others_left).enumerate() {
        sums[lane] += one * other;
    }
    sums.iter().sum()
}
