//! A program in 64 bits, by nested loops.

use super::super::{Operation, Program};

#[derive(Clone, Debug)]
pub(super) struct Layer {
    pub weight: Vec<f64>,
    pub scale: Vec<f64>,
    pub offset: Vec<f64>,
}

/// What a convolution gives.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    pub mean: Vec<f64>,
    pub variance: Vec<f64>,
    /// Where the activation was above 0.
    pub passed: Vec<bool>,
}

/// Images of `[image][channel][height][width]`.
#[derive(Clone, Debug)]
struct Images {
    batch: usize,
    channels: usize,
    height: usize,
    width: usize,
    values: Vec<f64>,
}

impl Images {
    fn zeros(&self, channels: usize, shrink: usize) -> Self {
        let (height, width) = (self.height / shrink, self.width / shrink);
        let values = vec![0.0; self.batch * channels * height * width];
        Self {
            batch: self.batch,
            channels,
            height,
            width,
            values,
        }
    }

    fn at(&self, image: usize, channel: usize, y: usize, x: usize) -> usize {
        ((image * self.channels + channel) * self.height + y) * self.width + x
    }

    /// The indices of a channel.
    fn channel(&self, channel: usize) -> impl Iterator<Item = usize> + use<> {
        let pixels = self.height * self.width;
        let channels = self.channels;
        (0..self.batch).flat_map(move |image| {
            let first = (image * channels + channel) * pixels;
            first..first + pixels
        })
    }
}

/// Calls `f` with the indices that each weight connects: input, output, weight.
fn taps(input: &Images, output: &Images, mut f: impl FnMut(usize, usize, usize)) {
    for image in 0..input.batch {
        for out in 0..output.channels {
            for channel in 0..input.channels {
                for tap in 0..9 {
                    let weight = (out * input.channels + channel) * 9 + tap;
                    let (down, right) = (tap / 3, tap % 3);
                    for y in
                        1usize.saturating_sub(down)..(input.height + 1 - down).min(input.height)
                    {
                        for x in
                            1usize.saturating_sub(right)..(input.width + 1 - right).min(input.width)
                        {
                            let from = input.at(image, channel, y + down - 1, x + right - 1);
                            f(from, output.at(image, out, y, x), weight);
                        }
                    }
                }
            }
        }
    }
}

/// A forward pass.
pub(super) struct Run<'a> {
    program: &'a Program,
    layers: &'a [Layer],
    inputs: Vec<Images>,
    /// Before normalisation; `None` for a pool.
    outputs: Vec<Option<Images>>,
    pub outcomes: Vec<Outcome>,
    pub features: Vec<f64>,
}

impl<'a> Run<'a> {
    /// By the statistics of the batch or by those given. Masks, if given, decide where ReLUs pass.
    pub(super) fn new(
        program: &'a Program,
        layers: &'a [Layer],
        images: &[f32],
        running: Option<&[(Vec<f64>, Vec<f64>)]>,
        masks: Option<&[Vec<bool>]>,
    ) -> Self {
        let extent = program.images();
        let mut current = Images {
            batch: images.len() / extent.num_elements(),
            channels: 1,
            height: extent.height,
            width: extent.width,
            values: images.iter().copied().map(f64::from).collect(),
        };
        let mut run = Self {
            program,
            layers,
            inputs: Vec::new(),
            outputs: Vec::new(),
            outcomes: Vec::new(),
            features: Vec::new(),
        };
        for operation in program.operations() {
            run.inputs.push(current.clone());
            current = match operation {
                Operation::Pool => {
                    run.outputs.push(None);
                    pool(&current)
                }
                Operation::Convolution { channels, skip } => {
                    let layer = run.outcomes.len();
                    let mut output = current.zeros(*channels, 1);
                    taps(&current, &output.clone(), |from, to, weight| {
                        output.values[to] += current.values[from] * layers[layer].weight[weight];
                    });
                    run.outputs.push(Some(output.clone()));
                    let added = skip.map(|from| run.inputs[from + 1].clone());
                    let statistics = running.map(|running| running[layer].clone());
                    let mask = masks.map(|masks| &masks[layer]);
                    run.activate(output, layer, added, statistics, mask)
                }
            };
        }
        run.features = current.values;
        run
    }

    fn activate(
        &mut self,
        mut values: Images,
        layer: usize,
        added: Option<Images>,
        statistics: Option<(Vec<f64>, Vec<f64>)>,
        mask: Option<&Vec<bool>>,
    ) -> Images {
        let (mut means, mut variances) = (Vec::new(), Vec::new());
        for channel in 0..values.channels {
            let count = values.channel(channel).count() as f64;
            let (mean, variance) = match &statistics {
                Some((means, variances)) => (means[channel], variances[channel]),
                None => {
                    let mean = values
                        .channel(channel)
                        .map(|at| values.values[at])
                        .sum::<f64>()
                        / count;
                    let square = |at: usize| (values.values[at] - mean).powi(2);
                    (
                        mean,
                        values.channel(channel).map(square).sum::<f64>() / count,
                    )
                }
            };
            let Layer { scale, offset, .. } = &self.layers[layer];
            let factor = scale[channel] / (variance + self.program.epsilon()).sqrt();
            for at in values.channel(channel) {
                values.values[at] = (values.values[at] - mean) * factor + offset[channel];
            }
            if let Some(added) = added.as_ref().filter(|added| channel < added.channels) {
                for (to, from) in values.channel(channel).zip(added.channel(channel)) {
                    values.values[to] += added.values[from];
                }
            }
            means.push(mean);
            variances.push(variance);
        }
        let passed: Vec<bool> = match mask {
            Some(mask) => mask.clone(),
            None => values.values.iter().map(|value| *value > 0.0).collect(),
        };
        for (value, passed) in values.values.iter_mut().zip(&passed) {
            *value = if *passed { *value } else { 0.0 };
        }
        self.outcomes.push(Outcome {
            mean: means,
            variance: variances,
            passed,
        });
        values
    }

    /// The gradients of all parameters.
    pub(super) fn backward(&self, features: &[f32]) -> Vec<Layer> {
        let operations = self.program.operations();
        let mut arriving: Vec<Option<Images>> = vec![None; operations.len() + 1];
        let extent = self.program.features();
        arriving[operations.len()] = Some(Images {
            batch: self.inputs[0].batch,
            channels: extent.channels,
            height: extent.height,
            width: extent.width,
            values: features.iter().copied().map(f64::from).collect(),
        });
        let mut gradients = Vec::new();
        for (at, operation) in operations.iter().enumerate().rev() {
            let gradient = arriving[at + 1].take().unwrap();
            let input = &self.inputs[at];
            let to = match operation {
                Operation::Pool => unpool(&gradient, input),
                Operation::Convolution { skip, .. } => {
                    let layer = self.layers.len() - 1 - gradients.len();
                    let (of_layer, to, of_sum) = self.layer_backward(at, layer, gradient);
                    gradients.push(of_layer);
                    if let Some(from) = skip {
                        arriving[from + 1] = Some(narrow(&of_sum, &self.inputs[from + 1]));
                    }
                    to
                }
            };
            match &mut arriving[at] {
                Some(other) => {
                    let sums = other.values.iter_mut().zip(&to.values);
                    sums.for_each(|(sum, value)| *sum += value);
                }
                none => *none = Some(to),
            }
        }
        gradients.reverse();
        gradients
    }

    fn layer_backward(
        &self,
        at: usize,
        layer: usize,
        mut gradient: Images,
    ) -> (Layer, Images, Images) {
        let Outcome {
            mean,
            variance,
            passed,
        } = &self.outcomes[layer];
        for (value, passed) in gradient.values.iter_mut().zip(passed) {
            *value = if *passed { *value } else { 0.0 };
        }
        let of_sum = gradient.clone();
        let outputs = self.outputs[at].as_ref().unwrap();
        let channels = gradient.channels;
        let mut of_layer = Layer {
            weight: vec![0.0; self.layers[layer].weight.len()],
            scale: vec![0.0; channels],
            offset: vec![0.0; channels],
        };
        for channel in 0..channels {
            let count = gradient.channel(channel).count() as f64;
            let inverse = 1.0 / (variance[channel] + self.program.epsilon()).sqrt();
            let normal = |at: usize| (outputs.values[at] - mean[channel]) * inverse;
            for at in gradient.channel(channel) {
                of_layer.offset[channel] += gradient.values[at];
                of_layer.scale[channel] += gradient.values[at] * normal(at);
            }
            let (offset, scale) = (of_layer.offset[channel], of_layer.scale[channel]);
            for at in gradient.channel(channel) {
                let centred = gradient.values[at] - (offset + normal(at) * scale) / count;
                gradient.values[at] = self.layers[layer].scale[channel] * inverse * centred;
            }
        }
        let input = &self.inputs[at];
        let mut to = input.zeros(input.channels, 1);
        taps(input, &gradient, |from, out, weight| {
            of_layer.weight[weight] += input.values[from] * gradient.values[out];
            to.values[from] += self.layers[layer].weight[weight] * gradient.values[out];
        });
        (of_layer, to, of_sum)
    }
}

fn pool(images: &Images) -> Images {
    let mut pooled = images.zeros(images.channels, 2);
    for image in 0..images.batch {
        for channel in 0..images.channels {
            for y in 0..images.height {
                for x in 0..images.width {
                    let to = pooled.at(image, channel, y / 2, x / 2);
                    pooled.values[to] += images.values[images.at(image, channel, y, x)] / 4.0;
                }
            }
        }
    }
    pooled
}

fn unpool(gradient: &Images, like: &Images) -> Images {
    let mut images = like.zeros(like.channels, 1);
    for image in 0..images.batch {
        for channel in 0..images.channels {
            for y in 0..images.height {
                for x in 0..images.width {
                    let at = images.at(image, channel, y, x);
                    images.values[at] =
                        gradient.values[gradient.at(image, channel, y / 2, x / 2)] / 4.0;
                }
            }
        }
    }
    images
}

/// The first channels, as many as `like` has.
fn narrow(images: &Images, like: &Images) -> Images {
    let mut narrowed = like.zeros(like.channels, 1);
    for channel in 0..like.channels {
        for (to, from) in narrowed.channel(channel).zip(images.channel(channel)) {
            narrowed.values[to] = images.values[from];
        }
    }
    narrowed
}
