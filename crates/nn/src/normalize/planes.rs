//! Normalisation of slices of numbers, `[batch][channel][pixel]`.
//!
//! Every sum is taken in one order, however many threads there are.

use rayon::prelude::*;

use super::{Activation, elementwise};

/// Numbers that a thread takes at once, at least.
const SHARE: usize = 1 << 14;

/// The sizes of images.
#[derive(Clone, Copy, Debug)]
pub(super) struct Planes {
    pub batch: usize,
    pub channels: usize,
    /// Of a channel of an image.
    pub pixels: usize,
}

/// What a channel's values become: `value * scale + shift`, activated.
#[derive(Clone, Copy, Debug)]
pub(super) struct Affine {
    pub scale: f32,
    pub shift: f32,
}

/// The gradient of a channel's values, from that of what they become before the activation:
/// `gradient * of_gradient + value * of_value + constant`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Differential {
    pub of_gradient: f32,
    pub of_value: f32,
    pub constant: f32,
}

impl Planes {
    /// Numbers of all images.
    pub(super) fn len(self) -> usize {
        self.batch * self.channels * self.pixels
    }

    /// The mean and the variance (of the population) of each channel.
    pub(super) fn moments(self, images: &[f32]) -> Vec<[f64; 2]> {
        let count = (self.batch * self.pixels) as f64;
        self.for_each_channel(|channel| {
            let planes = || {
                self.of_channel(channel)
                    .map(|plane| self.plane(images, plane))
            };
            let mean = planes()
                .map(|plane| elementwise::sum(plane, |value| value))
                .sum::<f64>()
                / count;
            let near = mean as f32;
            let squares = |value: f32| (value - near) * (value - near);
            let about = planes()
                .map(|plane| elementwise::sum(plane, squares))
                .sum::<f64>()
                / count;
            let beside = mean - f64::from(near);
            [mean, (about - beside * beside).max(0.0)]
        })
    }

    /// What the values become.
    pub(super) fn apply(
        self,
        images: &[f32],
        affines: &[Affine],
        activation: Activation,
    ) -> Vec<f32> {
        let bounds = activation.bounds();
        self.map(|plane, output| {
            let affine = affines[plane % self.channels];
            elementwise::map(self.plane(images, plane), output, |value| {
                activated(bounds, affine, value)
            });
        })
    }

    /// Puts what the values become in their place.
    pub(super) fn apply_to(self, images: &mut [f32], affines: &[Affine], activation: Activation) {
        let bounds = activation.bounds();
        self.for_each_plane(images, |plane, values| {
            let affine = affines[plane % self.channels];
            elementwise::change(values, |value| activated(bounds, affine, value));
        });
    }

    /// For each channel the sum of the gradient before the activation, and that of its products with
    /// the distances of values from the mean.
    pub(super) fn sums(
        self,
        [images, slopes]: [&[f32]; 2],
        affines: &[Affine],
        means: &[f64],
        activation: Activation,
    ) -> Vec<[f64; 2]> {
        let bounds = activation.bounds();
        self.for_each_channel(|channel| {
            let affine = affines[channel];
            let mean = means[channel] as f32;
            let mut sums = [0.0; 2];
            for plane in self.of_channel(channel) {
                let pair = [images, slopes].map(|of| self.plane(of, plane));
                let [sum, products] = elementwise::sum_pairs(pair, |value, slope| {
                    let slope = passed(bounds, affine, value, slope);
                    [slope, slope * (value - mean)]
                });
                sums[0] += sum;
                sums[1] += products;
            }
            sums
        })
    }

    /// The gradient of the values.
    pub(super) fn gradient(
        self,
        [images, slopes]: [&[f32]; 2],
        affines: &[Affine],
        differentials: &[Differential],
        activation: Activation,
    ) -> Vec<f32> {
        let bounds = activation.bounds();
        self.map(|plane, output| {
            let affine = affines[plane % self.channels];
            let by = differentials[plane % self.channels];
            let pair = [images, slopes].map(|of| self.plane(of, plane));
            elementwise::map_pairs(pair, output, |value, slope| {
                let slope = passed(bounds, affine, value, slope);
                slope * by.of_gradient + value * by.of_value + by.constant
            });
        })
    }

    fn plane(self, values: &[f32], plane: usize) -> &[f32] {
        &values[plane * self.pixels..][..self.pixels]
    }

    /// The planes of a channel.
    fn of_channel(self, channel: usize) -> impl Iterator<Item = usize> {
        (0..self.batch).map(move |image| image * self.channels + channel)
    }

    fn for_each_channel<T: Send>(self, of: impl Fn(usize) -> T + Sync + Send) -> Vec<T> {
        (0..self.channels)
            .into_par_iter()
            .with_min_len(SHARE.div_ceil(self.batch * self.pixels))
            .map(of)
            .collect()
    }

    fn map(self, write: impl Fn(usize, &mut [f32]) + Sync + Send) -> Vec<f32> {
        let mut output = vec![0.0; self.len()];
        self.for_each_plane(&mut output, write);
        output
    }

    fn for_each_plane(self, images: &mut [f32], of: impl Fn(usize, &mut [f32]) + Sync + Send) {
        images
            .par_chunks_exact_mut(self.pixels)
            .with_min_len(SHARE.div_ceil(self.pixels))
            .enumerate()
            .for_each(|(plane, values)| of(plane, values));
    }
}

impl Activation {
    /// What values are kept between. What is no number stays none.
    fn bounds(self) -> [f32; 2] {
        match self {
            Self::None => [f32::NEG_INFINITY, f32::INFINITY],
            Self::Relu => [0.0, f32::INFINITY],
            Self::Relu6 => [0.0, 6.0],
        }
    }
}

/// What a value becomes.
#[inline(always)]
fn activated([low, high]: [f32; 2], affine: Affine, value: f32) -> f32 {
    let value = value * affine.scale + affine.shift;
    let value = if value < low { low } else { value };
    if value > high { high } else { value }
}

/// The gradient before an activation with these bounds.
#[inline(always)]
fn passed([low, high]: [f32; 2], affine: Affine, value: f32, slope: f32) -> f32 {
    let before = value * affine.scale + affine.shift;
    if (before > low) & (before < high) {
        slope
    } else {
        0.0
    }
}
