//! Convolution by im2col: images are unfolded into a matrix of columns, which is multiplied with
//! the filters. Also the gradient of the filters.
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

/// Floats of a matrix of columns that is multiplied at a time: few enough to stay in the caches.
const MAX_COLUMNS_LEN: usize = 1 << 20;
/// The least number of outputs at a time: with fewer, to add up the gradients of large filters
/// would take longer than to compute them.
const MIN_OUTPUTS: usize = 512;
/// The least number of images at a time: enough for several threads to take one each.
const MIN_IMAGES: usize = 4;
/// Outputs of an image that are worth a product of their own.
const MIN_OUTPUTS_OF_IMAGE: usize = 64;

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
    let taps = before * kernel[0] * kernel[1];
    let positions = height * width;
    let shape = [batch, after, height, width];
    let filters = weight.reshape([1, after, taps].into());
    let product = |columns: FlexTensor| Flex::float_matmul(filters.clone(), columns);
    if geometry.is_pointwise() && positions >= MIN_OUTPUTS_OF_IMAGE {
        let columns = images.reshape([batch, before, positions].into());
        return product(columns).reshape(shape.into());
    }
    let images = values(images);
    let at_once = (MAX_COLUMNS_LEN / (taps * positions)).max(MIN_IMAGES);
    let mut outputs = vec![0.0; shape.iter().product()];
    for (round, outputs) in outputs.chunks_mut(at_once * after * positions).enumerate() {
        let first = round * at_once;
        let count = outputs.len() / (after * positions);
        if positions < MIN_OUTPUTS_OF_IMAGE {
            let columns = geometry.columns(images, first * height..(first + count) * height);
            let product = product(tensor(columns, [1, taps, count * positions]));
            by_image(values(&product), [after, positions], outputs);
        } else {
            let mut columns = vec![0.0; count * taps * positions];
            columns
                .par_chunks_exact_mut(taps * positions)
                .zip(first..first + count)
                .for_each(|(columns, image)| {
                    geometry.fill_columns(images, image * height..(image + 1) * height, columns);
                });
            let product = product(tensor(columns, [count, taps, positions]));
            outputs.copy_from_slice(values(&product));
        }
    }
    tensor(outputs, shape)
}

/// Writes `[channel][image][output]` as `[image][channel][output]`.
fn by_image(product: &[f32], [channels, positions]: [usize; 2], images: &mut [f32]) {
    let row = product.len() / channels;
    for (image, to) in images.chunks_exact_mut(channels * positions).enumerate() {
        let rows = product.chunks_exact(row);
        for (to, row) in to.chunks_exact_mut(positions).zip(rows) {
            to.copy_from_slice(&row[image * positions..][..positions]);
        }
    }
}

/// The gradient of the filters: `[channels_out, channels_in, height, width]`.
///
/// # Shapes
/// - `images`: `[batch, channels_in, height, width]`
/// - `gradient`: of the output, `[batch, channels_out, height, width]`
pub(super) fn weight_gradient(geometry: &Geometry, images: &[f32], gradient: &[f32]) -> Vec<f32> {
    let [before, after] = geometry.channels;
    let taps = before * geometry.kernel[0] * geometry.kernel[1];
    let [height, width] = geometry.output;
    let rows = geometry.batch * height;
    let at_once = (MAX_COLUMNS_LEN / taps).max(MIN_OUTPUTS).div_ceil(width);
    let mut sum: Option<Tensor<2>> = None;
    for first in (0..rows).step_by(at_once) {
        let rows = first..rows.min(first + at_once);
        let positions = rows.len() * width;
        let matrix = |values: Vec<f32>, height: usize| {
            Tensor::<2>::from_primitive::<Flex>(tensor(values, [height, positions]))
        };
        let columns = matrix(geometry.columns(images, rows.clone()), taps);
        let gradients = matrix(geometry.output_gradient_rows(gradient, rows), after);
        let product = gradients.matmul(columns.transpose());
        sum = Some(match sum {
            Some(sum) => sum + product,
            None => product,
        });
    }
    sum.map_or_else(|| vec![0.0; after * taps], |sum| floats(sum.into_data()))
}

impl Geometry {
    /// The matrix of columns, `[taps, outputs]`, for rows of the outputs of all images one after
    /// another.
    fn columns(&self, images: &[f32], rows: Range<usize>) -> Vec<f32> {
        let [before, _] = self.channels;
        let positions = rows.len() * self.output[1];
        let mut columns = vec![0.0; before * self.kernel[0] * self.kernel[1] * positions];
        self.fill_columns(images, rows, &mut columns);
        columns
    }

    /// Writes the matrix of columns into zeros.
    fn fill_columns(&self, images: &[f32], rows: Range<usize>, columns: &mut [f32]) {
        let [height, width] = self.size;
        let [before, _] = self.channels;
        let [_, out_width] = self.output;
        let filter = self.kernel[0] * self.kernel[1];
        let positions = rows.len() * out_width;
        let parts = self.parts(rows);
        let fill = |(tap, column): (usize, &mut [f32])| {
            let (channel, tap) = (tap / filter, tap % filter);
            let offset = [tap / self.kernel[1], tap % self.kernel[1]];
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
            .par_chunks_exact_mut(positions)
            .enumerate()
            .for_each(fill);
    }

    /// For rows of the outputs of all images one after another, those of each image.
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

    /// Writes the row of the matrix that belongs to one tap, for rows of the outputs of an image,
    /// into zeros.
    fn fill_column(&self, image: &[f32], offset: [usize; 2], rows: Range<usize>, to: &mut [f32]) {
        let [[_, width], [_, out_width]] = [self.size, self.output];
        let valid = self.valid_outputs(1, offset[1]);
        if valid.is_empty() {
            return;
        }
        if self.stride == [1, 1] && width == out_width {
            return self.fill_shifted(image, offset[0], valid, rows, to);
        }
        let first = valid.start * self.stride[1] + offset[1] - self.padding[1];
        for (row, to) in rows.zip(to.chunks_exact_mut(out_width)) {
            let Some(row) = self.input_index(0, row, offset[0]) else {
                continue;
            };
            let source = &image[row * width + first..(row + 1) * width];
            let to = &mut to[valid.clone()];
            if self.stride[1] == 1 {
                to.copy_from_slice(&source[..to.len()]);
            } else {
                let source = source.iter().step_by(self.stride[1]);
                to.iter_mut()
                    .zip(source)
                    .for_each(|(to, source)| *to = *source);
            }
        }
    }

    /// The same where outputs are as wide as the image: one copy of all rows, but for the columns
    /// outside `valid`, which read padding.
    fn fill_shifted(
        &self,
        image: &[f32],
        offset: usize,
        valid: Range<usize>,
        rows: Range<usize>,
        to: &mut [f32],
    ) {
        let width = self.size[1];
        let valid_rows = self.valid_outputs(0, offset);
        let valid_rows = valid_rows.start.max(rows.start)..valid_rows.end.min(rows.end);
        if valid_rows.is_empty() {
            return;
        }
        let to =
            &mut to[(valid_rows.start - rows.start) * width..(valid_rows.end - rows.start) * width];
        let from = &image[(valid_rows.start + offset - self.padding[0]) * width..][..to.len()];
        let [left, right] = [valid.start, width - valid.end];
        let len = to.len();
        to[left..len - right].copy_from_slice(&from[right..len - left]);
        for row in to.chunks_exact_mut(width) {
            row[..left].fill(0.0);
            row[valid.end..].fill(0.0);
        }
    }

    /// The gradient of the outputs of these rows, `[channels_out, outputs]`.
    fn output_gradient_rows(&self, gradient: &[f32], rows: Range<usize>) -> Vec<f32> {
        let [_, after] = self.channels;
        let [height, width] = self.output;
        let mut gradients = Vec::with_capacity(after * rows.len() * width);
        for channel in 0..after {
            for row in rows.clone() {
                let (image, row) = (row / height, row % height);
                let start = ((image * after + channel) * height + row) * width;
                gradients.extend_from_slice(&gradient[start..start + width]);
            }
        }
        gradients
    }
}
