//! The own networks against PyTorch, whose numbers tests/golden/nn/reference.py has written.

use burn::module::{Module, Param};
use burn::tensor::{Tensor, TensorData};
use serde::Deserialize;
use std::collections::BTreeMap;

use super::network::{floats, image_tensor};
use super::stack::{Block, StackShape};
use super::weights::{MapByName, gradients, map_by_name};
use super::{Heart, Network, TrainingStep, cpu, linear, residual};
use crate::loss::{cross_entropy, ordinal};

const LABELS: [usize; 2] = [2, 0];
const CLASS_WEIGHTS: [f32; 4] = [0.5, 1.0, 2.0, 4.0];
/// Outputs of Heart for three images.
const THRESHOLDS: [[f32; 3]; 3] = [[1.5, -0.2, -2.0], [0.4, 0.1, -0.3], [-0.5, 2.0, 0.25]];
const FIRST: TrainingStep = TrainingStep { seed: 0, number: 0 };

#[derive(Deserialize)]
struct Reference {
    inference: Logits,
    training: Logits,
    running_mean: Vec<f32>,
    running_var: Vec<f32>,
    grad_cam: Vec<f32>,
    block: BlockReference,
}

#[derive(Deserialize)]
struct Logits {
    logits: Vec<f32>,
    loss: f32,
}

#[derive(Deserialize)]
struct BlockReference {
    output: Vec<f32>,
    gradients: BTreeMap<String, Vec<f32>>,
}

#[derive(Deserialize)]
struct HeartReference {
    /// Of the classes, by the running statistics.
    inference: Vec<f32>,
    /// Of the thresholds, by the batch's.
    outputs: Vec<f32>,
    loss: f32,
    grad_cam: Vec<f32>,
    /// Of the classes, from [`THRESHOLDS`].
    logits_of_thresholds: Vec<f32>,
}

fn read<T: serde::de::DeserializeOwned>(architecture: &str) -> T {
    let file = include_str!("../../../tests/golden/nn/reference.json");
    let mut all: serde_json::Value = serde_json::from_str(file).unwrap();
    serde_json::from_value(all[architecture].take()).unwrap()
}

fn reference(architecture: &str) -> Reference {
    read(architecture)
}

/// The scripts' `wave`.
pub(super) fn wave(count: usize, phase: f64) -> Vec<f32> {
    (0..count)
        .map(|index| (0.37 * (index * index) as f64 + phase).sin() as f32)
        .collect()
}

/// The script's `fill`.
struct Fill {
    names: Vec<String>,
    scale: f64,
    offset: f64,
}

impl MapByName for Fill {
    fn map<const D: usize>(&mut self, name: &str, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let place = self.names.iter().position(|other| *other == name).unwrap();
        param.map(|tensor| {
            let shape = tensor.dims();
            let one: usize = shape[1..].iter().product();
            let value = |value: f32| {
                let value = f64::from(value);
                let value = if D > 1 {
                    let gain = if D == 4 { 4.0 } else { 0.25 };
                    value * (gain / one as f64).sqrt()
                } else if name.ends_with("norm.weight") {
                    (1.0 + value / 4.0) * self.scale
                } else if name.ends_with("running_var") {
                    1.0 + value / 4.0
                } else if name.ends_with("norm.bias") {
                    self.offset + value / 4.0
                } else {
                    value / 8.0
                };
                value as f32
            };
            let values = wave(shape.iter().product(), place as f64)
                .into_iter()
                .map(value);
            let data = TensorData::new(values.collect::<Vec<_>>(), shape);
            Tensor::from_data(data, &tensor.device()).set_require_grad(tensor.is_require_grad())
        })
    }
}

fn fill<M: Module>(module: M, residual: bool) -> M {
    let names = super::weights::names(&module);
    let (scale, offset) = if residual { (0.5, 0.0) } else { (1.0, 0.5) };
    let mut fill = Fill {
        names,
        scale,
        offset,
    };
    map_by_name(module, &mut fill)
}

/// Within the tolerance of the largest number, or of 1 if that is smaller.
#[track_caller]
fn assert_near(found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len());
    let largest = expected
        .iter()
        .fold(1.0, |largest: f32, value| largest.max(value.abs()));
    for (found, expected) in found.iter().zip(expected) {
        let difference = (found - expected).abs();
        assert!(
            difference <= tolerance * largest,
            "{found} instead of {expected}"
        );
    }
}

#[track_caller]
fn assert_logits(logits: Tensor<2>, expected: &Logits) {
    let loss = cross_entropy(logits.clone(), &LABELS, &CLASS_WEIGHTS);
    assert_near(&floats(logits.into_data()), &expected.logits, 1e-5);
    assert_near(&floats(loss.into_data()), &[expected.loss], 1e-5);
}

fn images() -> Vec<f32> {
    wave(2 * 128 * 128, 0.5)
}

#[test]
fn inference_gives_the_logits_and_the_loss_of_pytorch() {
    let images = image_tensor(images(), &cpu());
    let network = fill(Network::Linear(linear::new(4, &cpu())), false);
    assert_logits(
        network.forward(images.clone()),
        &reference("Linear").inference,
    );
    let network = fill(Network::Residual(residual::new(4, &cpu())), true);
    assert_logits(network.forward(images), &reference("Residual").inference);
}

#[test]
fn a_grad_cam_is_what_pytorchs_gradients_make_of_the_last_convolution() {
    let image = &images()[..crate::IMAGE_PIXELS];
    let linear = fill(Network::Linear(linear::new(4, &cpu())), false);
    let residual = fill(Network::Residual(residual::new(4, &cpu())), true);
    for (name, network) in [("Linear", linear), ("Residual", residual)] {
        let map = network.grad_cam(image, 2).unwrap().scaled_to(1.0);
        assert_near(&map.values, &reference(name).grad_cam, 1e-4);
    }
}

#[test]
fn heart_gives_the_logits_the_outputs_the_loss_and_the_map_of_pytorch() {
    let expected: HeartReference = read("Heart");
    let batch = image_tensor(images(), &cpu());
    let mut network = fill(Heart::new(4, &cpu()), true);
    let whole = Network::Heart(network.clone());
    let logits = floats(whole.forward(batch.clone()).into_data());
    assert_near(&logits, &expected.inference, 1e-5);
    let mixed = whole.class_logits(Tensor::from_data(THRESHOLDS, &cpu()));
    let mixed = floats(mixed.into_data());
    assert_near(&mixed, &expected.logits_of_thresholds, 1e-5);
    let map = whole.grad_cam(&images()[..crate::IMAGE_PIXELS], 2).unwrap();
    assert_near(&map.scaled_to(1.0).values, &expected.grad_cam, 1e-4);

    let features = network.features_training(batch, FIRST);
    let outputs = network.head().forward(features);
    let loss = ordinal(outputs.clone(), &LABELS, &CLASS_WEIGHTS);
    assert_near(&floats(outputs.into_data()), &expected.outputs, 1e-5);
    assert_near(&floats(loss.into_data()), &[expected.loss], 1e-5);
}

#[test]
fn training_gives_the_logits_the_loss_and_the_statistics_of_pytorch() {
    let images = image_tensor(images(), &cpu());
    for (name, network, residual) in [
        ("Linear", linear::new(4, &cpu()), false),
        ("Residual", residual::new(4, &cpu()), true),
    ] {
        let expected = reference(name);
        let mut network = fill(network, residual);
        let features = network.features_training(images.clone(), FIRST);
        assert_logits(network.head().forward(features), &expected.training);
        let norm = &network.stem.norm;
        let values = |of: Tensor<1>| floats(of.into_data());
        assert_near(
            &values(norm.running_mean.val()),
            &expected.running_mean,
            1e-6,
        );
        assert_near(&values(norm.running_var.val()), &expected.running_var, 1e-5);
    }
}

#[test]
fn the_gradients_of_a_block_are_those_of_pytorch() {
    for (name, skips) in [("Linear", false), ("Residual", true)] {
        let expected = reference(name).block;
        let device = cpu().autodiff();
        let mut block = fill(Block::new(3, 4, &StackShape::paper(skips), &device), skips);
        let input = TensorData::new(wave(2 * 3 * 8 * 8, 0.5), [2, 3, 8, 8]);
        let input = Tensor::<4>::from_data(input, &device).require_grad();

        let output = block.forward_training(input.clone(), FIRST);
        let weights = TensorData::new(wave(2 * 4 * 4 * 4, 0.25), [2, 4, 4, 4]);
        let loss = (output.clone() * Tensor::from_data(weights, &device)).sum();
        let mut all = loss.backward();

        assert_near(&floats(output.into_data()), &expected.output, 1e-5);
        let of_input = floats(input.grad_remove(&mut all).unwrap().into_data());
        let mut found = gradients(&block, all);
        found.insert("input".to_owned(), of_input);
        let names: Vec<_> = found.keys().collect();
        assert!(found.keys().eq(expected.gradients.keys()), "{names:?}");
        for (name, expected) in &expected.gradients {
            assert_near(&found[name], expected, 1e-4);
        }
    }
}
