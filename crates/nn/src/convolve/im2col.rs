//! Convolution by filters that see every channel, and their gradient, as products of matrices.
//!
//! Every sum is taken in one order, however many threads there are.

use std::ops::Range;

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::backend::ops::FloatTensorOps;
use burn::tensor::Tensor;
use rayon::prelude::*;

use super::Geometry;
use crate::burn_cpu::{tensor, values};
use crate::network::floats;

/// The numbers of a matrix of columns at once: few enough to stay in a processor's caches.
const COLUMNS: usize = 1 << 20;
/// Places at once, at least: with fewer, the sums of large filters would take longer than they.
const PLACES: usize = 512;
/// Images at once, at least: as many as threads can take one each.
const IMAGES: usize = 4;
/// Places of an image that are worth a product of their own.
const ALONE: usize = 64;

/// The outputs: `[batch, channels_out, height, width]`.
///
/// # Shapes
/// - `images`: `[batch, channels_in, height, width]`
/// - `weight`: `[channels_out, channels_in, height, width]`
pub(super) fn outputs(geometry: &Geometry, images: &FlexTensor, weight: &FlexTensor) -> FlexTensor {
    let Geometry {
        batch,
        channels: [before, after],
        kernel,
        output: [height, width],
        ..
    } = *geometry;
    let weights = before * kernel[0] * kernel[1];
    let places = height * width;
    let shape = [batch, after, height, width];
    let filters = weight.reshape([1, after, weights].into());
    let product = |seen: FlexTensor| Flex::float_matmul(filters.clone(), seen);
    if geometry.is_pointwise() && places >= ALONE {
        let seen = images.reshape([batch, before, places].into());
        return product(seen).reshape(shape.into());
    }
    let images = values(images);
    let at_once = (COLUMNS / (weights * places)).max(IMAGES);
    let mut outputs = vec![0.0; shape.iter().product()];
    for (round, outputs) in outputs.chunks_mut(at_once * after * places).enumerate() {
        let first = round * at_once;
        let count = outputs.len() / (after * places);
        if places < ALONE {
            let seen = geometry.columns(images, first * height..(first + count) * height);
            let product = product(tensor(seen, [1, weights, count * places]));
            by_image(values(&product), [after, places], outputs);
        } else {
            let mut seen = vec![0.0; count * weights * places];
            seen.par_chunks_exact_mut(weights * places)
                .zip(first..first + count)
                .for_each(|(seen, image)| {
                    geometry.fill_columns(images, image * height..(image + 1) * height, seen);
                });
            let product = product(tensor(seen, [count, weights, places]));
            outputs.copy_from_slice(values(&product));
        }
    }
    tensor(outputs, shape)
}

/// Writes `[channel][image][place]` as `[image][channel][place]`.
fn by_image(product: &[f32], [channels, places]: [usize; 2], images: &mut [f32]) {
    let row = product.len() / channels;
    for (image, to) in images.chunks_exact_mut(channels * places).enumerate() {
        let rows = product.chunks_exact(row);
        for (to, row) in to.chunks_exact_mut(places).zip(rows) {
            to.copy_from_slice(&row[image * places..][..places]);
        }
    }
}

/// The gradient of the filters: `[channels_out, channels_in, height, width]`.
///
/// # Shapes
/// - `images`: `[batch, channels_in, height, width]`
/// - `gradient`: of the output, `[batch, channels_out, height, width]`
pub(super) fn of_weight(geometry: &Geometry, images: &[f32], gradient: &[f32]) -> Vec<f32> {
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

impl Geometry {
    /// What each weight of a filter is multiplied by: `[weights, places]`, for rows of the outputs
    /// of all images one after another.
    fn columns(&self, images: &[f32], rows: Range<usize>) -> Vec<f32> {
        let [before, _] = self.channels;
        let places = rows.len() * self.output[1];
        let mut columns = vec![0.0; before * self.kernel[0] * self.kernel[1] * places];
        self.fill_columns(images, rows, &mut columns);
        columns
    }

    /// The same into zeros.
    fn fill_columns(&self, images: &[f32], rows: Range<usize>, columns: &mut [f32]) {
        let [height, width] = self.size;
        let [before, _] = self.channels;
        let [_, out_width] = self.output;
        let filter = self.kernel[0] * self.kernel[1];
        let places = rows.len() * out_width;
        let parts = self.parts(rows);
        let fill = |(weight, column): (usize, &mut [f32])| {
            let (channel, place) = (weight / filter, weight % filter);
            let offset = [place / self.kernel[1], place % self.kernel[1]];
            let mut rest = column;
            for (image, rows) in &parts {
                let column;
                (column, rest) = rest.split_at_mut(rows.len() * out_width);
                let image =
                    &images[(image * before + channel) * height * width..][..height * width];
                self.fill_column(image, offset, rows.clone(), column);
            }
        };
        columns
            .par_chunks_exact_mut(places)
            .enumerate()
            .for_each(fill);
    }

    /// Of rows of the outputs of all images one after another, those of each image.
    fn parts(&self, rows: Range<usize>) -> Vec<(usize, Range<usize>)> {
        let [height, _] = self.output;
        let of_image = |image: usize| {
            let start = rows.start.max(image * height) - image * height;
            (image, start..(rows.end - image * height).min(height))
        };
        (rows.start / height..rows.end.div_ceil(height))
            .map(of_image)
            .collect()
    }

    /// What one weight is multiplied by, for rows of the outputs of an image, into zeros.
    fn fill_column(&self, image: &[f32], offset: [usize; 2], rows: Range<usize>, to: &mut [f32]) {
        let [[_, width], [_, out_width]] = [self.size, self.output];
        let inside = self.inside(1, offset[1]);
        if inside.is_empty() {
            return;
        }
        if self.stride == [1, 1] && width == out_width {
            return self.shift(image, offset[0], inside, rows, to);
        }
        let first = inside.start * self.stride[1] + offset[1] - self.padding[1];
        for (row, to) in rows.zip(to.chunks_exact_mut(out_width)) {
            let Some(row) = self.seen(0, row, offset[0]) else {
                continue;
            };
            let seen = &image[row * width + first..(row + 1) * width];
            let to = &mut to[inside.clone()];
            if self.stride[1] == 1 {
                to.copy_from_slice(&seen[..to.len()]);
            } else {
                let seen = seen.iter().step_by(self.stride[1]);
                to.iter_mut().zip(seen).for_each(|(to, seen)| *to = *seen);
            }
        }
    }

    /// The same where outputs are as wide as the image: all rows as one piece, but for columns that
    /// see nothing, which are not `inside`.
    fn shift(
        &self,
        image: &[f32],
        offset: usize,
        inside: Range<usize>,
        rows: Range<usize>,
        to: &mut [f32],
    ) {
        let width = self.size[1];
        let seen = self.inside(0, offset);
        let seen = seen.start.max(rows.start)..seen.end.min(rows.end);
        if seen.is_empty() {
            return;
        }
        let to = &mut to[(seen.start - rows.start) * width..(seen.end - rows.start) * width];
        let from = &image[(seen.start + offset - self.padding[0]) * width..][..to.len()];
        let [left, right] = [inside.start, width - inside.end];
        let len = to.len();
        to[left..len - right].copy_from_slice(&from[right..len - left]);
        for row in to.chunks_exact_mut(width) {
            row[..left].fill(0.0);
            row[inside.end..].fill(0.0);
        }
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
}
