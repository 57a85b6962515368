//! Small networks that are part of the program: convolutions of 3 x 3 with a stride of 2, each cut at zero, and a
//! linear layer. They look at a crop before any bundle does, and take a millisecond or less.

/// The side of a kernel.
const KERNEL: usize = 3;

/// A network for square images of one channel.
pub(super) struct Network {
    side: usize,
    /// Channels before, between and after the convolutions.
    channels: &'static [usize],
    /// Of each layer the weights and the biases, as PyTorch lays them out.
    weights: Vec<f32>,
}

impl Network {
    /// Reads weights of 32 bits each, the least significant byte first.
    pub(super) fn new(side: usize, channels: &'static [usize], weights: &[u8]) -> Self {
        let (values, _) = weights.as_chunks();
        let weights = values.iter().map(|value| f32::from_le_bytes(*value));
        Self {
            side,
            channels,
            weights: weights.collect(),
        }
    }

    /// Computes the outputs for an image of `side * side` values.
    pub(super) fn outputs(&self, image: Vec<f32>) -> Vec<f32> {
        let mut rest = self.weights.as_slice();
        let mut image = image;
        let mut side = self.side;
        for channels in self.channels.windows(2) {
            let (inputs, outputs) = (channels[0], channels[1]);
            let (kernels, after) = rest.split_at(outputs * inputs * KERNEL * KERNEL);
            let (biases, after) = after.split_at(outputs);
            image = convolve(&image, side, kernels, biases);
            rest = after;
            side /= 2;
        }
        let outputs = rest.len() / (image.len() + 1);
        let (weights, biases) = rest.split_at(outputs * image.len());
        let rows = weights.chunks_exact(image.len()).zip(biases);
        rows.map(|(weights, bias)| {
            let products = image.iter().zip(weights);
            products.map(|(value, weight)| value * weight).sum::<f32>() + bias
        })
        .collect()
    }
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

/// An image that a formula makes, of which a network's outputs are known.
#[cfg(test)]
pub(super) fn example(number: usize, side: usize) -> Vec<f32> {
    (0..side * side)
        .map(|at| ((at * (37 + 2 * number)) % 101) as f32 / 67.0)
        .collect()
}

/// Compares a network's outputs with those that it had where it was fitted, a line of numbers for each example.
#[cfg(test)]
pub(super) fn assert_computes(network: &Network, golden: &str) {
    for (number, line) in golden.lines().enumerate() {
        let expected = line.split(',').map(|it| it.parse().expect("a number"));
        let expected: Vec<f32> = expected.collect();
        let found = network.outputs(example(number, network.side));
        assert_eq!(found.len(), expected.len());
        let is_same = |(found, expected): (&f32, &f32)| {
            (found - expected).abs() < 1e-3 * expected.abs().max(1.0)
        };
        let same = found.iter().zip(&expected).all(is_same);
        assert!(same, "{found:?} and {expected:?}");
    }
    assert_eq!(golden.lines().count(), 4);
}
