//! Gradients of filters that see one channel each.
//!
//! Images and gradients are laid out with zeros around them, so that whatever a weight sees lies in
//! one piece, a fixed distance away. Every sum is taken in one order, however many threads there are.

use rayon::prelude::*;

use super::Geometry;

/// Sums that go on side by side, so that a processor need not wait for one addition.
const LANES: usize = 8;
/// Numbers that a thread takes at once, at least.
const SHARE: usize = 1 << 13;

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
    let mut filters = vec![0.0; channels * filter];
    filters
        .par_chunks_exact_mut(filter)
        .with_min_len(SHARE.div_ceil(batch * pixels))
        .enumerate()
        .for_each_init(
            || [vec![0.0; seen.len()], vec![0.0; looks.len()]],
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
                    for (place, weight) in filter.iter_mut().enumerate() {
                        let away = place / wide * seen.pitch + place % wide;
                        *weight += dot(slopes, &image[away..]);
                    }
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
    let mut images = vec![0.0; batch * channels * height * width];
    images
        .par_chunks_exact_mut(height * width)
        .with_min_len(SHARE.div_ceil(height * width))
        .enumerate()
        .for_each_init(
            || [vec![0.0; looks.len()], vec![0.0; height * looks.pitch]],
            |[slopes, sums], (plane, image)| {
                let from = &gradient[plane * places..][..places];
                looks.fill(slopes, from, geometry.output, geometry.stride);
                sums.fill(0.0);
                let weights = &weight[plane % channels * filter..][..filter];
                for (place, weight) in weights.iter().rev().enumerate() {
                    let away = place / wide * looks.pitch + place % wide;
                    add_scaled(sums, &slopes[away..], *weight);
                }
                for (row, sums) in image.chunks_exact_mut(width).zip(sums.chunks(looks.pitch)) {
                    row.copy_from_slice(&sums[..width]);
                }
            },
        );
    images
}

impl Geometry {
    /// The rows and columns from the first place of the filter to the last.
    fn every_place(&self) -> [usize; 2] {
        [0, 1].map(|axis| (self.output[axis] - 1) * self.stride[axis] + 1)
    }

    /// A frame in which a filter finds all that it sees from so many rows and columns.
    fn frame(&self, [rows, columns]: [usize; 2], first: [usize; 2]) -> Frame {
        Frame {
            pitch: columns + self.kernel[1] - 1,
            rows: rows + self.kernel[0] - 1,
            first,
        }
    }
}

/// An image with zeros around it.
#[derive(Clone, Copy)]
struct Frame {
    /// From one row to the next.
    pitch: usize,
    rows: usize,
    /// Where the image's first row and column are.
    first: [usize; 2],
}

impl Frame {
    fn len(self) -> usize {
        self.rows * self.pitch
    }

    /// Puts an image in, its pixels so many rows and columns from each other; what would lie outside is
    /// left out. What is between and around them has to be zero already.
    fn fill(self, to: &mut [f32], image: &[f32], [_, width]: [usize; 2], step: [usize; 2]) {
        let [top, left] = self.first;
        let rows = to.chunks_exact_mut(self.pitch).skip(top).step_by(step[0]);
        for (to, from) in rows.zip(image.chunks_exact(width)) {
            let to = to[left..].iter_mut().step_by(step[1]);
            to.zip(from).for_each(|(to, from)| *to = *from);
        }
    }
}

/// The sum of products, of as many numbers as both have.
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

/// Adds a row times a factor to another.
fn add_scaled(to: &mut [f32], row: &[f32], factor: f32) {
    for (to, value) in to.iter_mut().zip(row) {
        *to += factor * value;
    }
}
