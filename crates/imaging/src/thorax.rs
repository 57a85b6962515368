//! Whether a crop shows a thorax as a late bone scan does.
//!
//! A small network looks at it: three convolutions and a linear layer, fitted on crops of phantoms against other
//! parts of the same bodies, other phases and tracers, pages of two images, noise and drawings (see
//! `models/thorax`). It was never shown a real scan, and is tested on one.

use std::sync::LazyLock;

use super::intensity;
use super::size::CROP_SIZE;

/// Blocks along a side of a crop, whose means the network sees.
const BLOCKS: usize = 32;

/// Channels before, between and after the convolutions.
const CHANNELS: [usize; 4] = [1, 8, 16, 16];

/// The side of a kernel.
const KERNEL: usize = 3;

/// The output above which a crop is one of a thorax without doubt, and that below which it is not one.
const THORAX: f32 = 2.0;
const OTHER: f32 = 0.0;

/// How much a crop looks like a thorax on a late bone scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Likeness {
    /// Like phantoms of all sizes, scanners and exposures.
    Thorax,
    /// Like one in a hundred of them at most.
    Doubtful,
    /// Not like one.
    Other,
}

/// Looks at a crop of `CROP_SIZE * CROP_SIZE` counts.
pub(crate) fn likeness(counts: &[f32]) -> Likeness {
    match logit(&features(counts)) {
        logit if logit > THORAX => Likeness::Thorax,
        logit if logit > OTHER => Likeness::Doubtful,
        _ => Likeness::Other,
    }
}

/// What the network sees of a crop: the means of blocks of 4 x 4 pixels on the scale of
/// [`Intensity::Normalized`](attrium_types::Intensity).
pub fn features(counts: &[f32]) -> Vec<f32> {
    let means = intensity::block_means(counts, CROP_SIZE, CROP_SIZE / BLOCKS);
    match intensity::uptake(counts) {
        Some(uptake) => means.iter().map(|mean| (mean / uptake).ln_1p()).collect(),
        None => vec![0.0; means.len()],
    }
}

/// The logarithm of the odds of a thorax.
fn logit(features: &[f32]) -> f32 {
    let mut rest = WEIGHTS.as_slice();
    let mut image = features.to_vec();
    let mut side = BLOCKS;
    for channels in CHANNELS.windows(2) {
        let (inputs, outputs) = (channels[0], channels[1]);
        let (kernels, after) = rest.split_at(outputs * inputs * KERNEL * KERNEL);
        let (biases, after) = after.split_at(outputs);
        image = convolve(&image, side, kernels, biases);
        rest = after;
        side /= 2;
    }
    let (weights, bias) = rest.split_at(image.len());
    let products = image
        .iter()
        .zip(weights)
        .map(|(value, weight)| value * weight);
    products.sum::<f32>() + bias[0]
}

/// A convolution with a stride of 2 and a margin of one zero, and what is above zero of it.
fn convolve(image: &[f32], side: usize, kernels: &[f32], biases: &[f32]) -> Vec<f32> {
    let (half, width) = (side / 2, side + 2);
    let planes: Vec<f32> = image
        .chunks_exact(side * side)
        .flat_map(|plane| with_margin(plane, side))
        .collect();
    let kernels = kernels.chunks_exact(kernels.len() / biases.len());
    let mut outputs = Vec::with_capacity(biases.len() * half * half);
    for (kernel, bias) in kernels.zip(biases) {
        for at in 0..half * half {
            let corner = 2 * (at / half) * width + 2 * (at % half);
            let planes = planes.chunks_exact(width * width);
            let products = planes.zip(kernel.chunks_exact(KERNEL * KERNEL));
            let sum: f32 = products
                .map(|(plane, kernel)| product(&plane[corner..], width, kernel))
                .sum();
            outputs.push((sum + bias).max(0.0));
        }
    }
    outputs
}

fn with_margin(plane: &[f32], side: usize) -> Vec<f32> {
    let width = side + 2;
    let mut wider = vec![0.0; width * width];
    let rows = wider.chunks_exact_mut(width).skip(1);
    for (wider, row) in rows.zip(plane.chunks_exact(side)) {
        wider[1..=side].copy_from_slice(row);
    }
    wider
}

/// The product of a kernel and the pixels from a corner on.
fn product(pixels: &[f32], width: usize, kernel: &[f32]) -> f32 {
    let rows = pixels.chunks(width).zip(kernel.chunks_exact(KERNEL));
    rows.map(|(pixels, weights)| {
        weights[0] * pixels[0] + weights[1] * pixels[1] + weights[2] * pixels[2]
    })
    .sum()
}

/// Of each layer the weights and the biases, as PyTorch lays them out.
static WEIGHTS: LazyLock<Vec<f32>> = LazyLock::new(|| {
    let (values, _) = include_bytes!("../../../models/thorax/weights.f32").as_chunks();
    values
        .iter()
        .map(|value| f32::from_le_bytes(*value))
        .collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_network_computes_what_it_did_where_it_was_fitted() {
        let golden = include_str!("../../../models/thorax/logits.csv");
        for (number, line) in golden.lines().enumerate() {
            let image: Vec<f32> = (0..BLOCKS * BLOCKS)
                .map(|at| ((at * (37 + 2 * number)) % 101) as f32 / 67.0)
                .collect();
            let expected: f32 = line.parse().expect("a number");
            let found = logit(&image);
            assert!(
                (found - expected).abs() < 1e-3 * expected.abs().max(1.0),
                "{found} and {expected}"
            );
        }
        assert_eq!(golden.lines().count(), 4);
    }

    #[test]
    fn a_crop_without_counts_is_none_of_a_thorax() {
        assert_eq!(likeness(&[0.0; CROP_SIZE * CROP_SIZE]), Likeness::Other);
    }
}
