//! Depthwise convolution and its gradients.
//!
//! Images and gradients are laid out with zeros around them, so that what a tap of the filter reads
//! is contiguous and at a fixed offset. Every sum is taken in one order, however many threads there
//! are.

use rayon::prelude::*;

use super::Geometry;
use super::padding::PaddedPlane;
use crate::isa::isa;
use attrium_engine::VectorizedLoop;

/// Independent partial sums, so that the processor need not wait for one addition after another.
const LANES: usize = 16;
/// The least number of floats that a thread takes at a time.
const MIN_FLOATS: usize = 1 << 13;

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
    let [pixels, positions] =
        [geometry.size, geometry.output].map(|[height, width]| height * width);
    let phases = geometry.phase_plane();
    let offsets = |tap: usize| {
        let [row, column] = [tap / wide, tap % wide];
        let phase = row % down * across + column % across;
        phase * phases.len() + row / down * phases.pitch + column / across
    };
    let offsets: Vec<usize> = (0..high * wide).map(offsets).collect();
    let mut outputs = vec![0.0; batch * channels * positions];
    outputs
        .par_chunks_exact_mut(positions)
        .with_min_len(MIN_FLOATS.div_ceil(pixels))
        .enumerate()
        .for_each_init(
            || {
                [
                    down * across * phases.len(),
                    geometry.output[0] * phases.pitch,
                ]
                .map(zeros)
            },
            |[read, sums], (plane, output)| {
                geometry.fill_phases(phases, &images[plane * pixels..][..pixels], read);
                isa().vectorize(TapSums {
                    sums,
                    read,
                    offsets: &offsets,
                    weights: &weight[plane % channels * offsets.len()..][..offsets.len()],
                });
                phases.copy_out(sums, output, geometry.output);
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
pub(super) fn weight_gradient(geometry: &Geometry, images: &[f32], gradient: &[f32]) -> Vec<f32> {
    let Geometry {
        batch,
        channels: [channels, _],
        kernel: [_, wide],
        padding: [top, left],
        ..
    } = *geometry;
    let [pixels, positions] =
        [geometry.size, geometry.output].map(|[height, width]| height * width);
    let [rows, columns] = geometry.span();
    let image_plane = geometry.padded_plane([rows, columns], [top, left]);
    // What is beside the last output of a row belongs to no output.
    let gradient_plane = PaddedPlane {
        pitch: image_plane.pitch,
        rows,
        first: [0, 0],
    };
    let filter = geometry.kernel[0] * wide;
    let offsets = image_plane.tap_offsets(geometry.kernel);
    let mut filters = vec![0.0; channels * filter];
    filters
        .par_chunks_exact_mut(filter)
        .with_min_len(MIN_FLOATS.div_ceil(batch * pixels))
        .enumerate()
        .for_each_init(
            || [image_plane.len(), gradient_plane.len()].map(zeros),
            |[image, gradients], (channel, filter)| {
                for plane in (0..batch).map(|image| image * channels + channel) {
                    image_plane.copy_in(
                        image,
                        &images[plane * pixels..][..pixels],
                        geometry.size,
                        [1, 1],
                    );
                    let from = &gradient[plane * positions..][..positions];
                    gradient_plane.copy_in(gradients, from, geometry.output, geometry.stride);
                    isa().vectorize(TapGradients {
                        gradients,
                        read: image,
                        offsets: &offsets,
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
pub(super) fn images_gradient(geometry: &Geometry, weight: &[f32], gradient: &[f32]) -> Vec<f32> {
    let Geometry {
        batch,
        channels: [channels, _],
        size: [height, width],
        kernel: [high, wide],
        padding: [top, left],
        ..
    } = *geometry;
    let positions = geometry.output[0] * geometry.output[1];
    let filter = high * wide;
    // A pixel is read for the outputs above it and to its left.
    let gradient_plane = geometry.padded_plane([height, width], [high - 1 - top, wide - 1 - left]);
    // The last tap reads it for the first of these outputs.
    let mut offsets = gradient_plane.tap_offsets(geometry.kernel);
    offsets.reverse();
    let mut images = vec![0.0; batch * channels * height * width];
    images
        .par_chunks_exact_mut(height * width)
        .with_min_len(MIN_FLOATS.div_ceil(height * width))
        .enumerate()
        .for_each_init(
            || [gradient_plane.len(), height * gradient_plane.pitch].map(zeros),
            |[gradients, sums], (plane, image)| {
                let from = &gradient[plane * positions..][..positions];
                gradient_plane.copy_in(gradients, from, geometry.output, geometry.stride);
                isa().vectorize(TapSums {
                    sums,
                    read: gradients,
                    offsets: &offsets,
                    weights: &weight[plane % channels * filter..][..filter],
                });
                gradient_plane.copy_out(sums, image, geometry.size);
            },
        );
    images
}

/// The sums over all taps, each of which reads at its own offset.
struct TapSums<'a> {
    sums: &'a mut [f32],
    read: &'a [f32],
    offsets: &'a [usize],
    weights: &'a [f32],
}

impl VectorizedLoop for TapSums<'_> {
    #[inline(always)]
    fn run(self) {
        self.sums.fill(0.0);
        for (offset, weight) in self.offsets.iter().zip(self.weights) {
            for (sum, read) in self.sums.iter_mut().zip(&self.read[*offset..]) {
                *sum += weight * read;
            }
        }
    }
}

/// For each tap the dot product of the gradients with what it reads, added to what is there.
struct TapGradients<'a> {
    gradients: &'a [f32],
    read: &'a [f32],
    offsets: &'a [usize],
    sums: &'a mut [f32],
}

impl VectorizedLoop for TapGradients<'_> {
    #[inline(always)]
    fn run(self) {
        for (offset, sum) in self.offsets.iter().zip(self.sums) {
            *sum += dot(self.gradients, &self.read[*offset..]);
        }
    }
}

/// The dot product, over the length of the shorter one.
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
