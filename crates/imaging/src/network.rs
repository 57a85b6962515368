//! Small networks that are part of the program: convolutions of 3 x 3 with a stride of 2, each cut at zero, and a
//! linear layer. They look at a crop before any bundle does, and take a millisecond or less.

/// The side of a kernel.
const KERNEL: usize = 3;

/// Output channels that are computed together, in registers; every number of them is a multiple.
const LANES: usize = 8;

/// Pixels beside each other that are computed together, so that no sum waits for the one before; every image made has
/// a multiple of them in a row.
const PIXELS: usize = 4;

/// A network for square images of one channel.
pub(super) struct Network {
    side: usize,
    convolutions: Vec<Convolution>,
    /// Of each output the weights of all values of the last image, and its bias.
    linear: Vec<(Vec<f32>, f32)>,
}

struct Convolution {
    inputs: usize,
    outputs: usize,
    /// By place in the kernel, input and output, so that [`LANES`] outputs lie side by side.
    weights: Vec<f32>,
    biases: Vec<f32>,
}

impl Network {
    /// Reads weights of 32 bits each, the least significant byte first: of each layer the weights and the biases, as
    /// PyTorch lays them out. `channels` are those before, between and after the convolutions.
    pub(super) fn new(side: usize, channels: &[usize], weights: &[u8]) -> Self {
        let (values, _) = weights.as_chunks();
        let values: Vec<f32> = values
            .iter()
            .map(|value| f32::from_le_bytes(*value))
            .collect();
        let mut rest = values.as_slice();
        let mut convolutions = Vec::new();
        for channels in channels.windows(2) {
            let (inputs, outputs) = (channels[0], channels[1]);
            let (weights, after) = rest.split_at(outputs * inputs * KERNEL * KERNEL);
            let (biases, after) = after.split_at(outputs);
            convolutions.push(Convolution::new(inputs, outputs, weights, biases));
            rest = after;
        }
        let last = channels.last().copied().unwrap_or(1);
        let places = (side >> convolutions.len()).pow(2);
        let outputs = rest.len() / (places * last + 1);
        let (weights, biases) = rest.split_at(outputs * places * last);
        let rows = weights.chunks_exact(places * last).zip(biases);
        let linear = rows.map(|(weights, bias)| (channels_last(weights, last), *bias));
        Self {
            side,
            convolutions,
            linear: linear.collect(),
        }
    }

    /// Computes the outputs for an image of `side * side` values.
    pub(super) fn outputs(&self, image: Vec<f32>) -> Vec<f32> {
        let mut image = image;
        let mut side = self.side;
        for convolution in &self.convolutions {
            image = convolution.apply(&image, side);
            side /= 2;
        }
        let rows = self.linear.iter();
        rows.map(|(weights, bias)| {
            let products = image.iter().zip(weights);
            products.map(|(value, weight)| value * weight).sum::<f32>() + bias
        })
        .collect()
    }
}

impl Convolution {
    fn new(inputs: usize, outputs: usize, weights: &[f32], biases: &[f32]) -> Self {
        let taps = KERNEL * KERNEL;
        let places = (0..taps).flat_map(|tap| (0..inputs).map(move |input| (tap, input)));
        let weights = places.flat_map(|(tap, input)| {
            (0..outputs).map(move |output| weights[(output * inputs + input) * taps + tap])
        });
        Self {
            inputs,
            outputs,
            weights: weights.collect(),
            biases: biases.to_vec(),
        }
    }

    /// With a stride of 2 and a margin of one zero; what is below zero is cut. Channels of a pixel lie side by side.
    fn apply(&self, image: &[f32], side: usize) -> Vec<f32> {
        let half = side / 2;
        let image = with_margin(image, side, self.inputs);
        let mut outputs = vec![0.0; half * half * self.outputs];
        for (place, outputs) in outputs.chunks_exact_mut(PIXELS * self.outputs).enumerate() {
            let (row, column) = (place * PIXELS / half, place * PIXELS % half);
            let start = 2 * (row * (side + 1) + column) * self.inputs;
            for first in (0..self.outputs).step_by(LANES) {
                let sums = self.lanes(&image[start..], side + 1, first);
                for (pixel, sums) in outputs.chunks_exact_mut(self.outputs).zip(sums) {
                    pixel[first..first + LANES].copy_from_slice(&sums.map(|sum| sum.max(0.0)));
                }
            }
        }
        outputs
    }

    /// Some channels of pixels beside each other, before they are cut, from the image at the first one's kernel.
    fn lanes(&self, image: &[f32], side: usize, first: usize) -> [[f32; LANES]; PIXELS] {
        let bias: [f32; LANES] = std::array::from_fn(|lane| self.biases[first + lane]);
        let mut sums = [bias; PIXELS];
        // A row of the kernel is as one in memory, of the image and of the weights.
        let line = KERNEL * self.inputs;
        for (row, weights) in self.weights.chunks_exact(line * self.outputs).enumerate() {
            let start = row * side * self.inputs;
            let [one, two, three, four]: [&[f32]; PIXELS] = std::array::from_fn(|pixel| {
                let start = start + 2 * pixel * self.inputs;
                &image[start..start + line]
            });
            // In step, so that no place is looked up and checked.
            let values = one.iter().zip(two).zip(three).zip(four);
            for ((((one, two), three), four), weights) in
                values.zip(weights.chunks_exact(self.outputs))
            {
                let weights = &weights[first..first + LANES];
                for (sums, value) in sums.iter_mut().zip([one, two, three, four]) {
                    for (sum, weight) in sums.iter_mut().zip(weights) {
                        *sum += value * weight;
                    }
                }
            }
        }
        sums
    }
}

/// A square image with a row of zeros above it and a column of them on its left; on the other sides a stride of 2
/// reaches over no edge.
fn with_margin(image: &[f32], side: usize, channels: usize) -> Vec<f32> {
    let mut padded = vec![0.0; (side + 1) * (side + 1) * channels];
    let rows = padded.chunks_exact_mut((side + 1) * channels).skip(1);
    for (padded, row) in rows.zip(image.chunks_exact(side * channels)) {
        padded[channels..].copy_from_slice(row);
    }
    padded
}

/// Weights of channels one after the other, in the order of pixels whose channels lie side by side.
fn channels_last(weights: &[f32], channels: usize) -> Vec<f32> {
    let places = weights.len() / channels;
    (0..places)
        .flat_map(|place| (0..channels).map(move |channel| weights[channel * places + place]))
        .collect()
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
