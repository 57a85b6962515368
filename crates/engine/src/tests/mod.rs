//! Tests of the engine against plain loops in 64 bits, and what they share.

mod behaviour;
mod convolution;
mod numbers;
mod reference;

use super::plan::{image, plane};
use super::*;
use reference::Layer;

/// Numbers that look random and are the same each time.
fn draw(len: usize, seed: u64, scale: f32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut uniform = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1u64 << 24) as f32 - 0.5
    };
    (0..len)
        .map(|_| scale * 1.7 * (uniform() + uniform() + uniform() + uniform()))
        .collect()
}

fn isas() -> Vec<Isa> {
    [
        Level::Portable,
        Level::Portable16,
        Level::Avx2,
        Level::Avx512,
    ]
    .into_iter()
    .filter_map(Isa::available)
    .collect()
}

fn convolution(channels: usize, skip: Option<usize>) -> Operation {
    Operation::Convolution { channels, skip }
}

/// Blocks of pairs of layers, as in the project's networks.
fn stack(size: usize, widths: &[usize], pairs: usize, skips: bool) -> Program {
    let mut operations = vec![convolution(widths[0], None)];
    for &width in widths {
        for _ in 0..pairs {
            let before = operations.len() - 1;
            operations.push(convolution(width, None));
            operations.push(convolution(width, skips.then_some(before)));
        }
        operations.push(Operation::Pool);
    }
    Program::new(size, size, 1e-3, operations).unwrap()
}

/// Parameters and running statistics of all convolutions.
#[derive(Clone, Debug)]
struct Weights {
    layers: Vec<[Vec<f32>; 3]>,
    running: Vec<[Vec<f32>; 2]>,
}

impl Weights {
    fn draw(program: &Program, seed: u64) -> Self {
        let around = |values: Vec<f32>| values.iter().map(|value| 1.0 + value).collect();
        let one = |(at, [channels_in, channels]): (usize, [usize; 2])| {
            let seed = seed * 1000 + 10 * at as u64;
            let gain = (2.0 / (9 * channels_in) as f32).sqrt();
            let layer = [
                draw(9 * channels_in * channels, seed, gain),
                around(draw(channels, seed + 1, 0.2)),
                draw(channels, seed + 2, 0.2),
            ];
            let running = [
                draw(channels, seed + 3, 0.3),
                around(draw(channels, seed + 4, 0.2)),
            ];
            (layer, running)
        };
        let (layers, running) = program.convolutions().map(one).unzip();
        Self { layers, running }
    }

    fn parameters(&self) -> Vec<Parameters<'_>> {
        self.layers
            .iter()
            .map(|[weight, scale, offset]| Parameters {
                weight,
                scale,
                offset,
            })
            .collect()
    }

    fn statistics(&self) -> Vec<Statistics<'_>> {
        self.running
            .iter()
            .map(|[mean, variance]| Statistics { mean, variance })
            .collect()
    }

    fn wide(&self) -> Vec<Layer> {
        let wide = |values: &Vec<f32>| values.iter().copied().map(f64::from).collect();
        self.layers
            .iter()
            .map(|[weight, scale, offset]| Layer {
                weight: wide(weight),
                scale: wide(scale),
                offset: wide(offset),
            })
            .collect()
    }
}

/// What a training step gives.
#[derive(Clone, Debug, PartialEq)]
struct Stepped {
    features: Vec<f32>,
    statistics: Vec<[Vec<f32>; 2]>,
    gradients: Vec<[Vec<f32>; 3]>,
    /// Where each convolution's activation was above 0.
    masks: Vec<Vec<bool>>,
}

fn statistics_mut(layers: &mut [[Vec<f32>; 2]]) -> Vec<StatisticsMut<'_>> {
    layers
        .iter_mut()
        .map(|[mean, variance]| StatisticsMut { mean, variance })
        .collect()
}

fn gradients_mut(layers: &mut [[Vec<f32>; 3]]) -> Vec<Gradients<'_>> {
    let of_layer = layers.iter_mut().map(|[weight, scale, offset]| Gradients {
        weight,
        scale,
        offset,
    });
    of_layer.collect()
}

fn step(
    engine: &Engine,
    threads: usize,
    weights: &Weights,
    images: &[f32],
    back: &[f32],
) -> Stepped {
    let mut features = vec![f32::NAN; back.len()];
    let mut statistics = weights.running.clone();
    let mut gradients = weights.layers.clone();
    let mut given = statistics_mut(&mut statistics);
    let parameters = weights.parameters();
    let mut training = engine
        .train(threads, images, &parameters, &mut given, &mut features)
        .unwrap();
    let masks = masks(engine, &mut training);
    let mut given = gradients_mut(&mut gradients);
    engine
        .backward(training, &parameters, back, &mut given)
        .unwrap();
    Stepped {
        features,
        statistics,
        gradients,
        masks,
    }
}

/// Where each convolution's outputs pass the ReLU, rounded as the kernels round: a value next to
/// zero counts completely or not at all.
fn masks(engine: &Engine, training: &mut SavedActivations) -> Vec<Vec<bool>> {
    let (program, lanes) = (&engine.program, engine.isa.lanes());
    let multiply_add = |a: f32, b: f32, c: f32| {
        if engine.isa.fuses() {
            a.mul_add(b, c)
        } else {
            a * b + c
        }
    };
    let workspace = training.workspace.get().unwrap();
    let mask = |(at, [_, channels]): (usize, [usize; 2])| {
        let forward::LayerInput {
            range,
            scale,
            shift,
        } = forward::LayerInput::new(
            program,
            &workspace.plan,
            &workspace.coefficients,
            &workspace.identity,
            at,
        );
        let plane = plane(program, at, lanes);
        let mut mask = Vec::new();
        for image in workspace.images[range].chunks_exact(image(program, at, lanes)) {
            let mut plain = vec![0.0; channels * plane.pixels()];
            plane.unpack(image, &mut plain);
            for (channel, values) in plain.chunks_exact(plane.pixels()).enumerate() {
                let passes =
                    |value: &f32| multiply_add(*value, scale[channel], shift[channel]) > 0.0;
                mask.extend(values.iter().map(passes));
            }
        }
        mask
    };
    program.convolutions().map(mask).collect()
}

/// The root mean square.
fn size(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len() as f64;
    (values.map(|value| value * value).sum::<f64>() / count).sqrt()
}

/// The root mean square of the difference, relative to that of the expected values or to `least`.
fn error(found: &[f32], expected: &[f64], least: f64) -> f64 {
    assert_eq!(found.len(), expected.len());
    let difference = found.iter().zip(expected).map(|(a, b)| f64::from(*a) - b);
    size(difference) / size(expected.iter().copied()).max(least)
}
