//! Normalisation of slices of floats, `[batch][channel][pixel]`.
//!
//! Every sum is taken in one order, however many threads there are.

use rayon::prelude::*;

use super::{Activation, elementwise};

/// The least number of floats that a thread takes at a time.
const MIN_FLOATS: usize = 1 << 14;

/// The sizes of images.
#[derive(Clone, Copy, Debug)]
pub(super) struct Planes {
    pub batch: usize,
    pub channels: usize,
    /// Pixels of a channel of an image.
    pub pixels: usize,
}

/// What a channel's values become: `value * scale + shift`, then an activation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Affine {
    pub scale: f32,
    pub shift: f32,
}

/// The gradient of a channel's values from that of their normalisation: `gradient * of_gradient +
/// value * of_value + constant`.
#[derive(Clone, Copy, Debug)]
pub(super) struct InputGradient {
    pub of_gradient: f32,
    pub of_value: f32,
    pub constant: f32,
}

impl Planes {
    pub(super) fn len(self) -> usize {
        self.batch * self.channels * self.pixels
    }

    /// The mean and the population variance of each channel.
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

    /// Normalises and activates.
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

    /// Normalises and activates in place.
    pub(super) fn apply_to(self, images: &mut [f32], affines: &[Affine], activation: Activation) {
        let bounds = activation.bounds();
        self.for_each_plane(images, |plane, values| {
            let affine = affines[plane % self.channels];
            elementwise::replace(values, |value| activated(bounds, affine, value));
        });
    }

    /// For each channel the sum of the gradient before the activation, and the sum of its products
    /// with the distances of the values from their mean.
    pub(super) fn sums(
        self,
        [images, gradients]: [&[f32]; 2],
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
                let pair = [images, gradients].map(|of| self.plane(of, plane));
                let [sum, products] = elementwise::sum_pairs(pair, |value, gradient| {
                    let gradient = passed(bounds, affine, value, gradient);
                    [gradient, gradient * (value - mean)]
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
        [images, gradients]: [&[f32]; 2],
        affines: &[Affine],
        input_gradients: &[InputGradient],
        activation: Activation,
    ) -> Vec<f32> {
        let bounds = activation.bounds();
        self.map(|plane, output| {
            let affine = affines[plane % self.channels];
            let by = input_gradients[plane % self.channels];
            let pair = [images, gradients].map(|of| self.plane(of, plane));
            elementwise::map_pairs(pair, output, |value, gradient| {
                let gradient = passed(bounds, affine, value, gradient);
                gradient * by.of_gradient + value * by.of_value + by.constant
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
            .with_min_len(MIN_FLOATS.div_ceil(self.batch * self.pixels))
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
            .with_min_len(MIN_FLOATS.div_ceil(self.pixels))
            .enumerate()
            .for_each(|(plane, values)| of(plane, values));
    }
}

impl Activation {
    /// The bounds that the activation clamps values to. NaN stays NaN.
    fn bounds(self) -> [f32; 2] {
        match self {
            Self::None => [f32::NEG_INFINITY, f32::INFINITY],
            Self::Relu => [0.0, f32::INFINITY],
            Self::Relu6 => [0.0, 6.0],
        }
    }
}

/// A value, normalised and activated.
#[inline(always)]
fn activated([low, high]: [f32; 2], affine: Affine, value: f32) -> f32 {
    let value = value * affine.scale + affine.shift;
    let value = if value < low { low } else { value };
    if value > high { high } else { value }
}

/// The gradient before an activation with these bounds.
#[inline(always)]
fn passed([low, high]: [f32; 2], affine: Affine, value: f32, gradient: f32) -> f32 {
    let before = value * affine.scale + affine.shift;
    if (before > low) & (before < high) {
        gradient
    } else {
        0.0
    }
}
