//! Against Keras' applications: tests/golden/nn/imagenet.py.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Tensor, TensorData};
use serde::Deserialize;

use super::network::{floats, image_tensor};
use super::weights::Path;
use super::{Layout, Network, Transfer, Vgg16, cpu};

#[derive(Deserialize)]
struct Reference {
    logits: Vec<f32>,
    parameters: usize,
}

fn reference(architecture: &str) -> Reference {
    let file = include_str!("../../tests/golden/nn/imagenet.json");
    let mut all: BTreeMap<String, Reference> = serde_json::from_str(file).unwrap();
    all.remove(architecture).unwrap()
}

/// The script's `wave`.
fn wave(count: usize, phase: f64) -> Vec<f32> {
    (0..count)
        .map(|index| (0.37 * (index * index) as f64 + phase).sin() as f32)
        .collect()
}

/// The script's `fill`: every tensor from the number of its convolution, in Keras' order.
#[derive(Default)]
struct Fill {
    path: Path,
    convolutions: usize,
}

impl Fill {
    fn values(&mut self, name: &str, shape: &[usize]) -> Vec<f32> {
        if name.starts_with("grey.") {
            let value = if name.ends_with("scale") { 1.0 } else { 0.0 };
            return vec![value; 3];
        }
        self.convolutions += usize::from(shape.len() == 4);
        let count = shape.iter().product();
        let fan_in = shape[1..].iter().product::<usize>() as f32;
        let phase = self.convolutions as f64;
        let tenth = |place: f64, value: fn(f32) -> f32| {
            let values = wave(count, phase + place / 10.0).into_iter();
            values.map(value).collect::<Vec<_>>()
        };
        match name.rsplit('.').next().unwrap() {
            _ if name == "head.weight" => scaled(wave(count, 0.25), (0.25 / fan_in).sqrt()),
            "weight" if shape.len() == 4 => scaled(wave(count, phase), (4.0 / fan_in).sqrt()),
            "weight" => tenth(2.0, |wave| 1.0 + wave / 4.0),
            "bias" if name.ends_with("norm.bias") => tenth(3.0, |wave| 0.25 + wave / 4.0),
            "running_var" => tenth(5.0, |wave| 1.0 + wave / 4.0),
            _ if name.ends_with("running_mean") => tenth(4.0, |wave| wave / 4.0),
            _ => tenth(1.0, |wave| wave / 8.0),
        }
    }
}

fn scaled(values: Vec<f32>, factor: f32) -> Vec<f32> {
    values.into_iter().map(|value| value * factor).collect()
}

impl ModuleMapper for Fill {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _: &str, container: &str) {
        self.path.exit(container);
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let name = self.path.name();
        param.map(|old| {
            let shape = old.dims();
            let data = TensorData::new(self.values(&name, &shape), shape);
            Tensor::from_data(data, &old.device())
        })
    }
}

#[track_caller]
fn assert_agrees(architecture: &str, network: Network) {
    let expected = reference(architecture);
    let network = network.map(&mut Fill::default());
    assert_eq!(network.trained_parameters(), expected.parameters);
    let images = image_tensor(wave(2 * 128 * 128, 0.5), &cpu());
    let found = floats(network.forward(images).into_data());
    let largest = expected.logits.iter().fold(0.0, |a: f32, b| a.max(b.abs()));
    for (found, expected) in found.iter().zip(&expected.logits) {
        let difference = (found - expected).abs();
        assert!(
            difference <= 1e-4 * largest,
            "{found} instead of {expected}"
        );
    }
    assert_eq!(found.len(), expected.logits.len());
}

#[test]
fn vgg16_gives_the_logits_of_keras() {
    let network: Transfer<Vgg16> = Transfer::new(Layout::Keras, 4, &cpu());
    assert_agrees("VGG16", Network::VGG16(network));
}
