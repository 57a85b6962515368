//! The gradient of filters that see every channel, as a product of matrices.
//!
//! Every sum is taken in one order, however many threads there are.

use std::ops::Range;

use burn::backend::Flex;
use burn::tensor::Tensor;
use rayon::prelude::*;

use super::Geometry;
use crate::nn::flex::tensor;
use crate::nn::network::floats;

/// The numbers of a matrix of columns at once: few enough to stay in a processor's caches.
const COLUMNS: usize = 1 << 20;
/// Places at once, at least: with fewer, the sums of large filters would take longer than they.
const PLACES: usize = 512;

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
}
