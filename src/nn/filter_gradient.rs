//! The gradient of a convolution's filters, of slices of numbers.
//!
//! Every sum is taken in one order, however many threads there are.

use std::ops::Range;

use burn::backend::Flex;
use burn::tensor::Tensor;
use rayon::prelude::*;

use super::flex::tensor;
use super::network::floats;

/// The numbers of a matrix of columns at once: few enough to stay in a processor's caches.
const COLUMNS: usize = 1 << 20;
/// Places at once, at least: with fewer, the sums of large filters would take longer than they.
const PLACES: usize = 512;
/// Sums that go on side by side, so that a processor need not wait for one addition.
const LANES: usize = 8;

/// What a convolution does to sizes; pairs are of rows and columns.
#[derive(Clone, Copy, Debug)]
pub(super) struct Geometry {
    /// Images.
    pub batch: usize,
    /// Channels before and after.
    pub channels: [usize; 2],
    /// Of an image.
    pub size: [usize; 2],
    /// Of a filter.
    pub kernel: [usize; 2],
    /// Of what an image becomes.
    pub output: [usize; 2],
    /// Steps of the filter.
    pub stride: [usize; 2],
    /// Zeros before the first row and column.
    pub padding: [usize; 2],
}

/// Where filters see every channel: `[channels_out, channels_in, height, width]`.
///
/// # Shapes
/// - `images`: `[batch, channels_in, height, width]`
/// - `gradient`: of the output, `[batch, channels_out, height, width]`
pub(super) fn of_all_channels(geometry: &Geometry, images: &[f32], gradient: &[f32]) -> Vec<f32> {
    let [before, after] = geometry.channels;
    let weights = before * geometry.kernel[0] * geometry.kernel[1];
    let [height, width] = geometry.output;
    let rows = geometry.batch * height;
    let at_once = (COLUMNS / weights).max(PLACES).div_ceil(width);
    let mut sum: Option<Tensor<2>> = None;
    for first in (0..rows).step_by(at_once) {
        let rows = first..rows.min(first + at_once);
        let places = rows.len() * width;
        let matrix = |values: Vec<f32>, height: usize| {
            Tensor::<2>::from_primitive::<Flex>(tensor(values, [height, places]))
        };
        let seen = matrix(geometry.columns(images, rows.clone()), weights);
        let slopes = matrix(geometry.slopes(gradient, rows), after);
        let product = slopes.matmul(seen.transpose());
        sum = Some(match sum {
            Some(sum) => sum + product,
            None => product,
        });
    }
    sum.map_or_else(|| vec![0.0; after * weights], |sum| floats(sum.into_data()))
}

/// Where each filter sees one channel: `[channels, 1, height, width]`.
///
/// # Shapes
/// - `images`: `[batch, channels, height, width]`
/// - `gradient`: of the output, `[batch, channels, height, width]`
pub(super) fn of_single_channels(
    geometry: &Geometry,
    images: &[f32],
    gradient: &[f32],
) -> Vec<f32> {
    let Geometry {
        batch,
        channels: [channels, _],
        size: [height, width],
        kernel,
        output,
        ..
    } = *geometry;
    let places = output[0] * output[1];
    let mut filters = vec![0.0; channels * kernel[0] * kernel[1]];
    let of_channel = |(channel, filter): (usize, &mut [f32])| {
        for plane in (0..batch).map(|image| image * channels + channel) {
            let image = &images[plane * height * width..][..height * width];
            let slopes = &gradient[plane * places..][..places];
            for (place, weight) in filter.iter_mut().enumerate() {
                let offset = [place / kernel[1], place % kernel[1]];
                *weight += geometry.correlation(image, slopes, offset);
            }
        }
    };
    filters
        .par_chunks_exact_mut(kernel[0] * kernel[1])
        .enumerate()
        .for_each(of_channel);
    filters
}

impl Geometry {
    /// What each weight of a filter is multiplied by: `[weights, places]`, for rows of the outputs
    /// of all images one after another.
    fn columns(&self, images: &[f32], rows: Range<usize>) -> Vec<f32> {
        let [height, width] = self.size;
        let [before, _] = self.channels;
        let [out_height, out_width] = self.output;
        let filter = self.kernel[0] * self.kernel[1];
        let places = rows.len() * out_width;
        let mut columns = vec![0.0; before * filter * places];
        let fill = |(weight, column): (usize, &mut [f32])| {
            let (channel, place) = (weight / filter, weight % filter);
            let offset = [place / self.kernel[1], place % self.kernel[1]];
            let inside = self.inside(1, offset[1]);
            if inside.is_empty() {
                return;
            }
            for (row, column) in rows.clone().zip(column.chunks_exact_mut(out_width)) {
                let (image, row) = (row / out_height, row % out_height);
                let Some(row) = self.seen(0, row, offset[0]) else {
                    continue;
                };
                let start = ((image * before + channel) * height + row) * width;
                let first = inside.start * self.stride[1] + offset[1] - self.padding[1];
                let seen = images[start + first..start + width].iter();
                let seen = seen.step_by(self.stride[1]);
                for (value, seen) in column[inside.clone()].iter_mut().zip(seen) {
                    *value = *seen;
                }
            }
        };
        columns
            .par_chunks_exact_mut(places)
            .enumerate()
            .for_each(fill);
        columns
    }

    /// The gradient of these rows: `[channels_out, places]`.
    fn slopes(&self, gradient: &[f32], rows: Range<usize>) -> Vec<f32> {
        let [_, after] = self.channels;
        let [height, width] = self.output;
        let mut slopes = Vec::with_capacity(after * rows.len() * width);
        for channel in 0..after {
            for row in rows.clone() {
                let (image, row) = (row / height, row % height);
                let start = ((image * after + channel) * height + row) * width;
                slopes.extend_from_slice(&gradient[start..start + width]);
            }
        }
        slopes
    }

    /// The sum over the places of an output of its gradient times what a weight saw there.
    fn correlation(&self, image: &[f32], slopes: &[f32], offset: [usize; 2]) -> f32 {
        let [_, width] = self.size;
        let inside = self.inside(1, offset[1]);
        if inside.is_empty() {
            return 0.0;
        }
        let first = inside.start * self.stride[1] + offset[1] - self.padding[1];
        let mut sums = [0.0; LANES];
        for (row, slopes) in slopes.chunks_exact(self.output[1]).enumerate() {
            let Some(row) = self.seen(0, row, offset[0]) else {
                continue;
            };
            let seen = &image[row * width + first..(row + 1) * width];
            add_products(&mut sums, &slopes[inside.clone()], seen, self.stride[1]);
        }
        sums.iter().sum()
    }

    /// Where a weight looks when the filter is at a place, along rows (0) or columns (1).
    fn seen(&self, axis: usize, place: usize, offset: usize) -> Option<usize> {
        let seen = (place * self.stride[axis] + offset).checked_sub(self.padding[axis])?;
        (seen < self.size[axis]).then_some(seen)
    }

    /// The places at which a weight looks into the image.
    fn inside(&self, axis: usize, offset: usize) -> Range<usize> {
        let all = 0..self.output[axis];
        let looks = |place: &usize| self.seen(axis, *place, offset).is_some();
        let start = all.clone().find(looks).unwrap_or(self.output[axis]);
        let end = all.rev().find(looks).map_or(start, |last| last + 1);
        start..end
    }
}

/// Adds the products of two rows, of which one is read at every `stride`th place.
fn add_products(sums: &mut [f32; LANES], one: &[f32], other: &[f32], stride: usize) {
    if stride == 1 {
        let other = &other[..one.len()];
        let (ones, ones_left) = one.as_chunks::<LANES>();
        let (others, others_left) = other.as_chunks::<LANES>();
        for (one, other) in ones.iter().zip(others) {
            for lane in 0..LANES {
                sums[lane] += one[lane] * other[lane];
            }
        }
        for (lane, (one, other)) in ones_left.iter().zip(others_left).enumerate() {
            sums[lane] += one * other;
        }
    } else {
        for (place, (one, other)) in one.iter().zip(other.iter().step_by(stride)).enumerate() {
            sums[place % LANES] += one * other;
        }
    }
}
