//! Grad-CAM: where in an image a network finds evidence for a positive (Selvaraju et al. 2017).
//!
//! The map is the sum of the last convolution's channels, each weighted by the mean gradient of the
//! score with respect to that channel, without its negative values. After that convolution the
//! networks only pool, flatten and multiply. A pool hands each gradient on to the pixels that it
//! was made of, so that the mean gradient of a channel is, up to a factor that all channels share,
//! the mean of the head's weights over the positions of that channel. No gradient has to be
//! recorded for it.
//!
//! Heart looks at one place, where the heart is, and the weights of its head differ from place to place. There each
//! pixel of a channel counts by its own gradient (HiResCAM: Draelos and Carin 2020), so that the map adds up to the
//! score, but for what speaks against a positive.

use burn::module::Module;
use burn::tensor::Tensor;
use snafu::ensure;

use super::error::PixelsSnafu;
use super::network::{floats, image_tensor};
use super::{Error, Head, IMAGE_PIXELS, Network, heart};

/// A map of one image, of the size of the network's last convolution.
#[derive(Clone, Debug, PartialEq)]
pub struct GradCam {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// `height * width` values of 0 or more, row by row. Only their ratios have a meaning.
    pub values: Vec<f32>,
}

impl GradCam {
    /// The map scaled to this greatest value; a map of zeros stays one.
    pub fn scaled_to(mut self, greatest: f32) -> Self {
        let found = self.values.iter().copied().fold(0.0, f32::max);
        if found > 0.0 {
            let scale = greatest / found;
            self.values.iter_mut().for_each(|value| *value *= scale);
        }
        self
    }

    /// Adds a map of the same size.
    pub fn add(&mut self, other: &Self) {
        for (value, other) in self.values.iter_mut().zip(&other.values) {
            *value += other;
        }
    }
}

impl Network {
    /// The map of one image for a positive, that is for the classes from `first_positive` on.
    ///
    /// The score is the logarithm of the odds of a positive, so that a task of four grades has one
    /// map rather than four, and evidence against a negative counts too.
    ///
    /// # Errors
    ///
    /// [`Error::Pixels`] if `image` is not exactly one image.
    pub fn grad_cam(&self, image: &[f32], first_positive: usize) -> Result<GradCam, Error> {
        let pixels = image.len();
        ensure!(pixels == IMAGE_PIXELS, PixelsSnafu { pixels });
        let network = self.valid();
        let images = image_tensor(image.to_vec(), &network.device());
        let [activation, features] = network.last_activation(images);
        let head = network.head();
        Ok(match self {
            Self::Heart(_) => {
                let [outputs, _] = head.weight.dims();
                let gradient = threshold_gradient(outputs, first_positive);
                sum_by_place(activation, features.dims(), head, &gradient)
            }
            _ => {
                let logits = floats(head.forward(features).into_data());
                let gradient = log_odds_gradient(&logits, first_positive);
                weighted_sum(activation, head, &gradient)
            }
        })
    }
}

/// The sum of the channels, weighted by their mean gradients, without its negative values.
///
/// # Shapes
/// - `activation`: `[1, channels, height, width]`
/// - `gradient`: of the score with respect to each logit, `[classes]`
fn weighted_sum(activation: Tensor<4>, head: &Head, gradient: &[f32]) -> GradCam {
    let [_, channels, ..] = activation.dims();
    let weights = head.mean_gradient(channels, gradient);
    sum(activation, |channel, _, _| weights[channel])
}

/// The sum of the channels, each pixel weighted by its own gradient, without its negative values.
///
/// # Shapes
/// - `activation`: `[1, channels, height, width]`, `pooled`: what the pool makes of it
/// - `gradient`: of the score with respect to each logit
fn sum_by_place(
    activation: Tensor<4>,
    pooled: [usize; 4],
    head: &Head,
    gradient: &[f32],
) -> GradCam {
    let [_, _, height, width] = activation.dims();
    let [_, _, rows, columns] = pooled;
    let weights = head.gradient(gradient);
    sum(activation, |channel, row, column| {
        let (row, column) = (row * rows / height, column * columns / width);
        weights[(channel * rows + row) * columns + column]
    })
}

/// The sum of the channels, each pixel by a weight of its channel, row and column, without its negative values.
///
/// # Shapes
/// - `activation`: `[1, channels, height, width]`
fn sum(activation: Tensor<4>, weight: impl Fn(usize, usize, usize) -> f32) -> GradCam {
    let [_, _, height, width] = activation.dims();
    let maps = floats(activation.into_data());
    let mut values = vec![0.0_f32; height * width];
    for (channel, map) in maps.chunks_exact(height * width).enumerate() {
        for (pixel, (value, activation)) in values.iter_mut().zip(map).enumerate() {
            *value += weight(channel, pixel / width, pixel % width) * activation;
        }
    }
    values.iter_mut().for_each(|value| *value = value.max(0.0));
    GradCam {
        height,
        width,
        values,
    }
}

/// The gradient of ln(P(positive) / P(negative)) with respect to each logit.
///
/// It is the softmax among the positive classes, and the negative of the softmax among the others.
fn log_odds_gradient(logits: &[f32], first_positive: usize) -> Vec<f32> {
    let (negative, positive) = logits.split_at(first_positive.min(logits.len()));
    let negative = softmax(negative).map(|share| -share);
    negative.chain(softmax(positive)).collect()
}

/// The same with respect to the outputs of Heart.
fn threshold_gradient(outputs: usize, first_positive: usize) -> Vec<f32> {
    (1..=outputs)
        .map(|output| heart::share(first_positive, output, outputs))
        .collect()
}

fn softmax(logits: &[f32]) -> impl Iterator<Item = f32> + '_ {
    let greatest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f32 = logits.iter().map(|logit| (logit - greatest).exp()).sum();
    logits
        .iter()
        .map(move |logit| (logit - greatest).exp() / sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu;
    use crate::layer::average_pool;
    use attrium_types::Architecture;

    const CHANNELS: usize = 128;
    const PLACES: usize = 16 * 16;

    fn network(classes: usize) -> Network {
        Network::new(Architecture::Linear, classes, 7, &cpu()).unwrap()
    }

    fn score(logits: &[f32], first_positive: usize) -> f32 {
        let sum = |logits: &[f32]| logits.iter().map(|logit| logit.exp()).sum::<f32>().ln();
        sum(&logits[first_positive..]) - sum(&logits[..first_positive])
    }

    fn activations() -> Vec<f32> {
        let value = |index: usize| 1.0 + ((index * index) as f32 * 0.37).sin();
        (0..CHANNELS * PLACES).map(value).collect()
    }

    fn tensor(values: Vec<f32>) -> Tensor<4> {
        let data = burn::tensor::TensorData::new(values, [1, CHANNELS, 16, 16]);
        Tensor::from_data(data, &cpu())
    }

    #[test]
    fn a_channels_weight_is_how_much_the_score_grows_with_the_channel() {
        for (classes, first_positive) in [(2, 1), (4, 2)] {
            let network = network(classes);
            let logits = |values: Vec<f32>| {
                let features = average_pool(tensor(values));
                floats(network.head().forward(features).into_data())
            };
            let gradient = log_odds_gradient(&logits(activations()), first_positive);
            let weights = network.head().mean_gradient(CHANNELS, &gradient);
            for channel in [0, 63, 127] {
                let moved = |by: f32| {
                    let mut values = activations();
                    let of_channel = &mut values[channel * PLACES..][..PLACES];
                    of_channel.iter_mut().for_each(|value| *value += by);
                    score(&logits(values), first_positive)
                };
                // Each of the 8 x 8 positions of the head gets what the channel is moved by.
                let slope = (moved(0.1) - moved(-0.1)) / 0.2 / 64.0;
                let weight = weights[channel];
                assert!((slope - weight).abs() < 2e-4, "{slope} {weight}");
            }
        }
    }

    #[test]
    fn nothing_but_a_channel_that_speaks_for_a_positive_is_on_the_map() {
        let network = network(2);
        let weights = network.head().mean_gradient(CHANNELS, &[-1.0, 1.0]);
        for (channel, weight) in weights.iter().enumerate().take(8) {
            let mut values = vec![0.0; CHANNELS * PLACES];
            values[channel * PLACES + 5] = 3.0;
            let map = weighted_sum(tensor(values), network.head(), &[-1.0, 1.0]);
            assert_eq!((map.height, map.width), (16, 16));
            let expected = (3.0 * weight).max(0.0);
            let rest: f32 = map.values.iter().sum::<f32>() - map.values[5];
            assert!((map.values[5] - expected).abs() < 1e-6);
            assert_eq!(rest, 0.0);
        }
    }

    #[test]
    fn a_map_of_heart_adds_up_to_what_speaks_for_a_positive_at_each_place() {
        let network = Network::new(Architecture::Heart, 4, 7, &cpu()).unwrap();
        let head = network.head();
        let values = |index: usize| ((index * index) as f32 * 0.37).sin().max(0.0);
        let values: Vec<f32> = (0..96 * PLACES).map(values).collect();
        let data = burn::tensor::TensorData::new(values, [1, 96, 16, 16]);
        let activation: Tensor<4> = Tensor::from_data(data, &cpu());
        let features = average_pool(activation.clone());
        let outputs = floats(head.forward(features.clone()).into_data());
        let score = outputs[0] / 4.0 + outputs[1] / 2.0 + outputs[2] / 4.0;
        let sum = |sign: f32| {
            let gradient: Vec<f32> = threshold_gradient(3, 2)
                .iter()
                .map(|it| sign * it)
                .collect();
            let map = sum_by_place(activation.clone(), features.dims(), head, &gradient);
            map.values.iter().sum::<f32>()
        };
        // A pool hands a quarter of its gradient to each pixel.
        let found = (sum(1.0) - sum(-1.0)) / 4.0;
        assert!((found - score).abs() < 1e-3, "{found} {score}");
    }

    #[test]
    fn more_than_one_image_has_no_map() {
        let images = vec![0.0; 2 * IMAGE_PIXELS];
        assert!(network(2).grad_cam(&images, 1).is_err());
    }
}
