//! Puts the tensors of a file into a network.

use std::collections::BTreeMap;

use burn::module::Param;
use burn::tensor::Tensor;
use snafu::ensure;

use super::error::{MismatchSnafu, WeightsError};
use super::names::{LayerNames, layer_names};
use super::tensor_file::{FileTensor, Values};
use super::{Origin, PretrainedWeights};
use crate::Network;
use crate::weights::{MapByName, fault, map_by_name, with_values};
use attrium_types::Architecture;

/// ImageNet's means of red, green and blue, in a range from 0 to 1.
const MEAN: [f32; 3] = [0.485, 0.456, 0.406];
/// Their standard deviations.
const DEVIATION: [f32; 3] = [0.229, 0.224, 0.225];
/// The means of blue, green and red that Keras' VGG16 and ResNet50 subtract, in a range from 0 to
/// 255.
const BLUE_GREEN_RED: [f32; 3] = [103.939, 116.779, 123.68];

/// The network with every tensor of a file in front of its head.
pub(super) fn apply(
    network: Network,
    weights: &PretrainedWeights,
) -> Result<Network, WeightsError> {
    let architecture = weights.architecture;
    let tensors = &weights.tensors;
    let mut importer = Importer {
        architecture,
        origin: weights.origin,
        layers: layer_names(architecture, weights.origin).into_iter(),
        layer: None,
        unused: tensors
            .iter()
            .map(|(name, of)| (name.as_str(), of))
            .collect(),
        faults: Vec::new(),
    };
    let network = map_by_name(network, &mut importer);
    let mut faults = importer.faults;
    faults.extend(importer.unused.keys().map(|name| format!("unknown {name}")));
    ensure!(
        faults.is_empty(),
        MismatchSnafu {
            architecture,
            faults: faults.join(", ")
        }
    );
    Ok(network)
}

/// The scale and offset with which a z-scored image becomes what a library's network was trained
/// on.
///
/// A score of z stands for the colour `mean + z * deviation`, to which the library's own
/// preparation is applied: the same standardisation (torchvision, which leaves z as it is), a range
/// from -1 to 1 (InceptionV3, timm's and Keras' MobileNet), or a range to 255 without its mean.
fn grey(architecture: Architecture, origin: Origin) -> [[f32; 3]; 2] {
    let channels = |of: fn(usize) -> f32| [of(0), of(1), of(2)];
    match (architecture, origin) {
        (Architecture::InceptionV3 | Architecture::MobileNet, _) => [
            channels(|channel| 2.0 * DEVIATION[channel]),
            channels(|channel| 2.0 * MEAN[channel] - 1.0),
        ],
        (_, Origin::Keras) => [
            channels(|channel| 255.0 * DEVIATION[2 - channel]),
            channels(|channel| 255.0 * MEAN[2 - channel] - BLUE_GREEN_RED[channel]),
        ],
        (_, Origin::PyTorch) => [[1.0; 3], [0.0; 3]],
    }
}

struct Importer<'a> {
    architecture: Architecture,
    origin: Origin,
    layers: std::vec::IntoIter<LayerNames>,
    /// The names of the convolution that was last met.
    layer: Option<LayerNames>,
    unused: BTreeMap<&'a str, &'a FileTensor>,
    faults: Vec<String>,
}

impl MapByName for Importer<'_> {
    fn map<const D: usize>(&mut self, name: &str, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let shape = param.val().dims().to_vec();
        if shape.len() == 4 {
            self.layer = self.layers.next();
        }
        let values = match name {
            "grey.scale" => Some(grey(self.architecture, self.origin)[0].to_vec()),
            "grey.offset" => Some(grey(self.architecture, self.origin)[1].to_vec()),
            _ if name.starts_with("head.") => None,
            _ => self.take(name, &shape),
        };
        match values {
            Some(values) => with_values(param, name, values),
            None => param,
        }
    }
}

impl Importer<'_> {
    /// The values of a tensor; `None` where it stays as it is or does not fit.
    fn take(&mut self, name: &str, shape: &[usize]) -> Option<Vec<f32>> {
        let wanted = self.name_in_file(name)?;
        let Some(found) = self.unused.remove(wanted.as_str()) else {
            self.faults.push(format!("missing {wanted}"));
            return None;
        };
        let expected = match self.origin {
            Origin::Keras if shape.len() == 4 => shape_of_keras(shape),
            _ => shape.to_vec(),
        };
        if found.shape != expected {
            let fault = format!("{wanted} is {:?} instead of {expected:?}", found.shape);
            self.faults.push(fault);
            return None;
        }
        match &found.values {
            Values::Other(kind) => {
                self.faults
                    .push(format!("{wanted} is {kind} instead of F32"));
                None
            }
            Values::Numbers(values) => match fault(name, values) {
                Some(fault) => {
                    self.faults.push(format!("{wanted} {fault}"));
                    None
                }
                None if expected != shape => Some(from_keras(values, shape)),
                None => Some(values.clone()),
            },
        }
    }

    /// The name of a tensor in the file; `None` where files of this origin have no such tensor.
    fn name_in_file(&self, name: &str) -> Option<String> {
        let names = self.layer.as_ref()?;
        let part = name.rsplit('.').next()?;
        let is_norm = name.rsplit('.').nth(1) == Some("norm");
        let has = |architecture, origin| self.architecture == architecture && self.origin == origin;
        if !is_norm && part == "bias" && has(Architecture::ResNet50, Origin::PyTorch) {
            return None;
        }
        if is_norm && part == "weight" && has(Architecture::InceptionV3, Origin::Keras) {
            return None;
        }
        let layer = if is_norm {
            &names.norm
        } else {
            &names.convolution
        };
        Some(match self.origin {
            Origin::PyTorch => format!("{layer}.{part}"),
            Origin::Keras => format!("{layer}/{}", part_of_keras(part, is_norm)),
        })
    }
}

fn part_of_keras(part: &str, is_norm: bool) -> &'static str {
    match (part, is_norm) {
        ("weight", true) => "gamma",
        ("weight", false) => "kernel",
        ("running_mean", _) => "moving_mean",
        ("running_var", _) => "moving_variance",
        (_, true) => "beta",
        (_, false) => "bias",
    }
}

fn is_depthwise(shape: &[usize]) -> bool {
    shape[1] == 1
}

/// The shape `[out, in, height, width]` as Keras has it: `[height, width, in, out]`, and for a
/// depthwise convolution `[height, width, channels, 1]`.
fn shape_of_keras(shape: &[usize]) -> Vec<usize> {
    let [out, inside, height, width] = [shape[0], shape[1], shape[2], shape[3]];
    if is_depthwise(shape) {
        vec![height, width, out, inside]
    } else {
        vec![height, width, inside, out]
    }
}

/// A filter of Keras in the order of a shape `[out, in, height, width]`.
fn from_keras(values: &[f32], shape: &[usize]) -> Vec<f32> {
    let pixels = shape[2] * shape[3];
    let channels = shape[0] * shape[1];
    let (steps_out, steps_in) = if is_depthwise(shape) {
        (shape[1], 1)
    } else {
        (1, shape[0])
    };
    let mut kernel = Vec::with_capacity(values.len());
    for out in 0..shape[0] {
        for inside in 0..shape[1] {
            let place = out * steps_out + inside * steps_in;
            kernel.extend((0..pixels).map(|pixel| values[pixel * channels + place]));
        }
    }
    kernel
}
