//! The ImageNet networks against Keras, whose numbers tests/golden/nn/imagenet.py has written.

use std::collections::BTreeMap;

use burn::module::{Module, Param};
use burn::tensor::{Tensor, TensorData};
use serde::Deserialize;

use super::network::{floats, image_tensor};
use super::reference_tests::wave;
use super::weights::{MapByName, map_by_name};
use super::{Network, TrainingStep, cpu};
use attrium_types::Architecture;

#[derive(Deserialize)]
struct Reference {
    logits: Vec<f32>,
    training: Vec<f32>,
    parameters: usize,
}

fn reference(architecture: &str) -> Reference {
    let file = include_str!("../../../tests/golden/nn/imagenet.json");
    let mut all: BTreeMap<String, Reference> = serde_json::from_str(file).unwrap();
    all.remove(architecture).unwrap()
}

/// The script's `fill`: every tensor from the number of its convolution, in Keras' order.
#[derive(Default)]
struct Fill {
    convolutions: usize,
    /// Whether normalisation has no scale.
    unscaled: bool,
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
            "weight" if self.unscaled => vec![1.0; count],
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

impl MapByName for Fill {
    fn map<const D: usize>(&mut self, name: &str, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|old| {
            let shape = old.dims();
            let data = TensorData::new(self.values(name, &shape), shape);
            Tensor::from_data(data, &old.device())
        })
    }
}

/// Within the tolerance of the largest number.
#[track_caller]
pub(super) fn assert_near(found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(0.0, |a: f32, b| a.max(b.abs()));
    for (found, expected) in found.iter().zip(expected) {
        let difference = (found - expected).abs();
        assert!(
            difference <= tolerance * largest,
            "{found} instead of {expected}"
        );
    }
}

#[track_caller]
fn assert_agrees(architecture: Architecture) {
    let expected = reference(&architecture.to_string());
    let network = Network::new(architecture, 4, 1, &cpu()).unwrap();
    let mut fill = Fill {
        unscaled: architecture == Architecture::InceptionV3,
        ..Fill::default()
    };
    let mut network = map_by_name(network, &mut fill);
    assert_eq!(network.trained_parameters(), expected.parameters);
    let images = image_tensor(wave(2 * 128 * 128, 0.5), &cpu());
    let found = floats(network.forward(images.clone()).into_data());
    assert_near(&found, &expected.logits, 1e-4);

    let first = TrainingStep { seed: 0, number: 0 };
    let found = floats(network.training_logits(images, first).into_data());
    // Statistics of so few pixels magnify a last digit.
    assert_near(&found, &expected.training, 1e-3);
}

#[test]
fn vgg16_gives_the_logits_of_keras() {
    assert_agrees(Architecture::VGG16);
}

#[test]
fn resnet50_gives_the_logits_of_keras() {
    assert_agrees(Architecture::ResNet50);
}

#[test]
fn inceptionv3_gives_the_logits_of_keras() {
    assert_agrees(Architecture::InceptionV3);
}

#[test]
fn mobilenet_gives_the_logits_of_keras() {
    assert_agrees(Architecture::MobileNet);
}

#[test]
fn activation_maps_show_the_first_convolution_of_each_block() {
    for (architecture, sizes) in [
        (
            Architecture::VGG16,
            [(64, 128), (128, 64), (256, 32), (512, 16), (512, 8)],
        ),
        (
            Architecture::ResNet50,
            [(64, 64), (64, 32), (128, 16), (256, 8), (512, 4)],
        ),
        (
            Architecture::InceptionV3,
            [(32, 63), (80, 30), (64, 13), (192, 6), (320, 2)],
        ),
        (
            Architecture::MobileNet,
            [(32, 64), (64, 32), (128, 16), (256, 8), (512, 4)],
        ),
    ] {
        let network = Network::new(architecture, 2, 1, &cpu()).unwrap();
        let maps = network.activation_maps(&wave(128 * 128, 0.5)).unwrap();
        let found: Vec<_> = maps.iter().map(|map| (map.channels, map.height)).collect();
        assert_eq!(found, sizes, "{architecture}");
        for (place, map) in maps.iter().enumerate() {
            assert_eq!((map.block, map.width), (place + 1, map.height));
            assert!(map.values.iter().all(|value| *value >= 0.0));
            assert!(map.values.iter().any(|value| *value > 0.0));
        }
    }
}

/// Every tensor that is trained moves, and each running statistic follows.
#[test]
fn a_training_step_reaches_every_tensor_but_those_that_are_fixed() {
    use super::weights::gradients;
    for architecture in [Architecture::MobileNet, Architecture::InceptionV3] {
        let mut network = Network::new(architecture, 2, 1, &cpu()).unwrap().train();
        let before = network.to_safetensors().unwrap();
        let images = image_tensor(wave(2 * 128 * 128, 0.5), &cpu());
        let step = TrainingStep { seed: 1, number: 0 };
        let logits = network.forward_training(images, step);
        let found = gradients(&network, (logits.clone() * logits).sum().backward());
        let after = network.to_safetensors().unwrap();
        let [before, after] =
            [&before, &after].map(|bytes| safetensors::SafeTensors::deserialize(bytes).unwrap());
        for (name, tensor) in before.iter() {
            let is_statistic = name.contains(".running_");
            let is_fixed = is_statistic
                || name.starts_with("grey.")
                || (architecture == Architecture::InceptionV3 && name.ends_with("norm.weight"));
            assert_eq!(found.contains_key(name), !is_fixed, "{name}");
            let moved = after.tensor(name).unwrap().data() != tensor.data();
            assert_eq!(moved, is_statistic, "{name}");
        }
    }
}

#[test]
fn logits_in_parts_are_the_same_bit_for_bit_whatever_threads_take_them() {
    for architecture in [Architecture::MobileNet, Architecture::InceptionV3] {
        let network = Network::new(architecture, 2, 1, &cpu()).unwrap();
        let images = wave(11 * 128 * 128, 0.5);
        let by_threads = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            let logits = || network.logits(&images).unwrap();
            pool.build().unwrap().install(logits)
        };
        let [one, three] = [1, 3].map(by_threads);
        assert_eq!(one, three, "{architecture}");
        let parts = images.chunks(8 * 128 * 128);
        let parts = parts.flat_map(|part| network.logits(part).unwrap());
        assert_eq!(one, parts.collect::<Vec<_>>(), "{architecture}");
    }
}
