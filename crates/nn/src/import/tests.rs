//! Imports of files that tests/golden/weights/write.py wrote, and of files made here.

use std::collections::BTreeMap;
use std::path::PathBuf;

use burn::module::Param;
use burn::tensor::{Tensor, TensorData};
use safetensors::tensor::{Dtype, TensorView};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::tensor_file::{FileTensor, Values};
use super::{Origin, PretrainedWeights, WeightsError, keras, names, pytorch};
use crate::imagenet_tests::assert_near;
use crate::network::image_tensor;
use crate::reference_tests::wave;
use crate::weights::{MapByName, map_by_name};
use crate::{Layout, Network, cpu, floats};
use attrium_types::Architecture;

const SMALL_PTH: &[u8] = include_bytes!("../../../../tests/golden/weights/small.pth");
const LEGACY_PTH: &[u8] = include_bytes!("../../../../tests/golden/weights/small-legacy.pth");
const RUNS_PTH: &[u8] = include_bytes!("../../../../tests/golden/weights/runs.pth");
const SMALL_H5: &[u8] = include_bytes!("../../../../tests/golden/weights/small.h5");

const VIEWS_PTH: &[u8] = include_bytes!("../../../../tests/golden/weights/views.pth");
const UNWRITTEN_H5: &[u8] = include_bytes!("../../../../tests/golden/weights/unwritten.h5");
const CYCLE_H5: &[u8] = include_bytes!("../../../../tests/golden/weights/cycle.h5");

type Tensors = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// The tensors of a MobileNet of timm, which is the smallest of the four.
fn mobilenet() -> Tensors {
    let mut tensors = Tensors::new();
    let mut before = 32;
    let channels = [
        64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024,
    ];
    let layers = names::layer_names(Architecture::MobileNet, Origin::PyTorch);
    let blocks = channels.into_iter().flat_map(|after| {
        let channels_in = std::mem::replace(&mut before, after);
        [[channels_in, 1, 3, 3], [after, channels_in, 1, 1]]
    });
    let shapes = std::iter::once([32, 3, 3, 3]).chain(blocks);
    for (layer, shape) in layers.iter().zip(shapes) {
        let values = wave(shape.iter().product(), 0.0);
        tensors.insert(
            format!("{}.weight", layer.convolution),
            (shape.into(), values),
        );
        for part in ["weight", "bias", "running_mean", "running_var"] {
            let values = vec![0.5; shape[0]];
            tensors.insert(format!("{}.{part}", layer.norm), (vec![shape[0]], values));
        }
    }
    tensors.insert("classifier.bias".to_owned(), (vec![3], vec![0.0; 3]));
    tensors
}

fn safetensors(tensors: &Tensors) -> Vec<u8> {
    let bytes: Vec<_> = tensors
        .iter()
        .map(|(name, (shape, values))| {
            let bytes: Vec<u8> = values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect();
            (name, shape, bytes)
        })
        .collect();
    let views = bytes.iter().map(|(name, shape, bytes)| {
        let view = TensorView::new(Dtype::F32, (*shape).clone(), bytes).unwrap();
        (name.as_str(), view)
    });
    safetensors::serialize(views, None).unwrap()
}

fn import(bytes: Vec<u8>, architecture: Architecture) -> Result<Network, WeightsError> {
    let weights = PretrainedWeights::read(bytes, architecture)?;
    Network::pretrained(&weights, 4, 1, &cpu())
}

#[track_caller]
fn refusal(bytes: Vec<u8>, architecture: Architecture) -> String {
    import(bytes, architecture).unwrap_err().to_string()
}

#[test]
fn the_layout_of_the_file_goes_with_the_weights() {
    let network = import(safetensors(&mobilenet()), Architecture::MobileNet).unwrap();
    assert_eq!(network.layout(), Layout::PyTorch);
    let bytes = network.to_safetensors().unwrap();
    assert_eq!(bytes, network.to_safetensors().unwrap());
    let again = Network::from_safetensors(Architecture::MobileNet, 4, &bytes, &cpu()).unwrap();
    assert_eq!(again.layout(), Layout::PyTorch);
    assert_eq!(again.to_safetensors().unwrap(), bytes);
    let image = wave(128 * 128, 0.5);
    assert_eq!(
        again.logits(&image).unwrap(),
        network.logits(&image).unwrap()
    );

    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let values = |name: &str| match Values::from_f32(file.tensor(name).unwrap().data()) {
        Values::Numbers(values) => values,
        Values::Other(kind) => panic!("{kind}"),
    };
    assert_eq!(values("base.stem.weight"), wave(32 * 27, 0.0));
    assert_eq!(values("base.stem.norm.running_var"), [0.5; 32]);
    // A z-score of 0 is ImageNet's mean red, 0.485, in a range from -1 to 1.
    assert!((values("grey.offset")[0] + 0.03).abs() < 1e-6);
    assert!((values("grey.scale")[0] - 0.458).abs() < 1e-6);
}

#[test]
fn every_fault_of_a_file_is_in_one_message() {
    let mut tensors = mobilenet();
    tensors.remove("bn1.weight");
    tensors.insert("blocks.9.conv.weight".to_owned(), (vec![1], vec![1.0]));
    tensors.insert("bn1.bias".to_owned(), (vec![3], vec![0.0; 3]));
    let (_, values) = tensors.get_mut("blocks.0.0.conv_dw.weight").unwrap();
    values[7] = f32::NAN;
    let message = refusal(safetensors(&tensors), Architecture::MobileNet);
    for fault in [
        "missing bn1.weight",
        "bn1.bias is [3] instead of [32]",
        "blocks.0.0.conv_dw.weight holds a value that is infinite or not a number",
        "unknown blocks.9.conv.weight",
    ] {
        assert!(message.contains(fault), "{message}");
    }
    assert!(!message.contains("classifier"), "{message}");
}

#[test]
fn a_file_of_another_network_is_told_by_its_name() {
    let bytes = safetensors(&mobilenet());
    assert_eq!(
        refusal(bytes.clone(), Architecture::VGG16),
        "the pretrained weights are of MobileNet, not of VGG16: name the file of VGG16"
    );
    let message = refusal(bytes, Architecture::Residual);
    assert!(message.starts_with("Residual has no weights"), "{message}");
    let message = refusal(SMALL_PTH.into(), Architecture::VGG16);
    assert!(message.contains("of no network that is known"), "{message}");
}

#[test]
fn a_file_cut_short_or_of_another_kind_is_refused_by_its_kind() {
    let whole = safetensors(&mobilenet());
    let h5 = SMALL_H5;
    for (bytes, expected) in [
        (
            &whole[..whole.len() - 1],
            "are a safetensors file, but damaged",
        ),
        (&whole[..1000], "are a safetensors file, but damaged"),
        (&SMALL_PTH[..2000], "are a PyTorch file, but damaged"),
        (&LEGACY_PTH[..900], "are a PyTorch file, but damaged"),
        (&h5[..5000], "are an HDF5 file, but damaged"),
        (&b"<html>not found</html>"[..], "are neither a PyTorch file"),
        (&[][..], "are neither a PyTorch file"),
    ] {
        let message = refusal(bytes.to_vec(), Architecture::MobileNet);
        assert!(message.contains(expected), "{message}");
    }
}

/// Wherever a file is cut, the result is an error or fewer tensors, and no panic.
#[test]
fn no_place_to_cut_a_file_makes_a_reader_panic() {
    for whole in [SMALL_PTH, LEGACY_PTH, SMALL_H5] {
        for length in (0..whole.len()).step_by(7) {
            let _ = PretrainedWeights::read(whole[..length].to_vec(), Architecture::VGG16);
        }
        for place in (0..whole.len()).step_by(5) {
            let mut changed = whole.to_vec();
            changed[place] ^= 0x55;
            let _ = PretrainedWeights::read(changed, Architecture::VGG16);
        }
    }
}

#[test]
fn both_kinds_of_pytorch_files_give_their_tensors() {
    for file in [SMALL_PTH, LEGACY_PTH] {
        let tensors = pytorch::from_pth(file.to_vec()).unwrap();
        let names: Vec<_> = tensors.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            ["layer.bias", "layer.half", "layer.weight", "turned"]
        );
        let numbers = |name: &str| match &tensors[name].values {
            Values::Numbers(values) => values.clone(),
            Values::Other(kind) => panic!("{kind}"),
        };
        assert_eq!(tensors["layer.weight"].shape, [2, 3]);
        assert_eq!(numbers("layer.weight"), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        assert_eq!(numbers("layer.bias"), [0.5, -1.5]);
        assert_eq!(tensors["turned"].shape, [3, 2]);
        assert_eq!(numbers("turned"), [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
        assert!(matches!(&tensors["layer.half"].values, Values::Other(kind) if kind == "F16"));
    }
}

#[test]
fn a_file_that_would_have_python_run_a_command_is_refused() {
    let message = refusal(RUNS_PTH.into(), Architecture::VGG16);
    assert!(
        message.starts_with("the pretrained weights would have Python run posix.system"),
        "{message}"
    );
}

#[test]
fn a_small_file_that_claims_to_hold_gigabytes_is_refused_before_they_are_read() {
    for (file, kind) in [
        (VIEWS_PTH, "a PyTorch file"),
        (UNWRITTEN_H5, "an HDF5 file"),
    ] {
        let message = refusal(file.into(), Architecture::VGG16);
        let expected = format!("are {kind} with more than 512 MiB of tensors");
        assert!(message.contains(&expected), "{message}");
    }
}

/// Through every link there would be 16 to the power of 8 visits.
#[test]
fn a_group_that_is_part_of_itself_is_visited_once() {
    let tensors = keras::tensors(CYCLE_H5.to_vec()).unwrap();
    let names: Vec<_> = tensors.keys().map(String::as_str).collect();
    assert_eq!(names, ["block1_conv1/kernel"]);
}

#[test]
fn keras_layers_have_their_names_of_today_and_are_counted_from_1() {
    let tensors = keras::tensors(SMALL_H5.to_vec()).unwrap();
    let names: Vec<_> = tensors.keys().map(String::as_str).collect();
    let expected = [
        "batch_normalization_1/beta",
        "block1_conv1/bias",
        "block1_conv1/kernel",
        "conv2d_1/kernel",
        "conv2d_2/kernel",
        "conv2d_3/kernel",
        "counts/steps",
    ];
    assert_eq!(names, expected);
    assert_eq!(tensors["block1_conv1/kernel"].shape, [1, 1, 2, 3]);
    let first = |name: &str| match &tensors[name].values {
        Values::Numbers(values) => values[0],
        Values::Other(kind) => panic!("{kind}"),
    };
    assert_eq!(first("block1_conv1/bias"), 0.5);
    assert_eq!(first("conv2d_3/kernel"), 104.0);
}

/// A network whose tensors have values that follow from their names, and what its library gives.
#[derive(Deserialize)]
struct Named {
    origin: String,
    architecture: Architecture,
    logits: Vec<f32>,
    tensors: BTreeMap<String, Vec<usize>>,
}

impl Named {
    /// The script's `named`.
    fn values(name: &str, shape: &[usize]) -> Vec<f32> {
        let digest = Sha256::digest(name.as_bytes());
        let seed = u32::from_le_bytes([0, 1, 2, 3].map(|at| digest[at]));
        let uniform = |index: usize| {
            let x = (index as u32).wrapping_mul(0x9E37_79B1).wrapping_add(seed);
            let x = (x ^ x >> 15).wrapping_mul(0x85EB_CA6B);
            f64::from(x ^ x >> 13) / 2f64.powi(31) - 1.0
        };
        let fan = match *shape {
            [height, width, _, 1] if name.contains('/') => height * width,
            [height, width, before, _] if name.contains('/') => height * width * before,
            _ => shape.iter().skip(1).product(),
        };
        let is_scale = ["weight", "gamma", "running_var", "moving_variance"]
            .iter()
            .any(|kind| name.ends_with(kind));
        let value = |x: f64| match shape.len() {
            4 => x * (6.0 / fan as f64).sqrt(),
            _ if is_scale => 1.0 + x / 4.0,
            _ => x / 4.0,
        };
        let count = shape.iter().product();
        (0..count).map(|at| value(uniform(at)) as f32).collect()
    }

    fn network(self) -> Network {
        let tensors = self.tensors.into_iter().map(|(name, shape)| {
            let values = Self::values(&name, &shape);
            (name, (shape, values))
        });
        let tensors: Tensors = tensors.collect();
        if self.origin == "PyTorch" {
            return import(safetensors(&tensors), self.architecture).unwrap();
        }
        // Nothing here writes HDF5: this is what a file's groups come to.
        let arrays = tensors.into_iter().map(|(name, (shape, values))| {
            let values = Values::Numbers(values);
            (name, FileTensor { shape, values })
        });
        let tensors = keras::renumber(arrays.collect());
        assert_eq!(
            names::recognize(Origin::Keras, &tensors),
            Some(self.architecture)
        );
        let weights = PretrainedWeights {
            architecture: self.architecture,
            origin: Origin::Keras,
            tensors,
            digest: String::new(),
        };
        Network::pretrained(&weights, 4, 1, &cpu()).unwrap()
    }
}

#[test]
fn every_tensor_of_every_library_finds_its_place() {
    let named = include_bytes!("../../../../tests/golden/weights/named.json");
    let named: Vec<Named> = serde_json::from_slice(named).unwrap();
    assert_eq!(named.len(), 8);
    let images = image_tensor(wave(2 * 128 * 128, 0.5), &cpu());
    for named in named {
        let expected = named.logits.clone();
        let network = with_head(named.network());
        let found = floats(network.forward(images.clone()).into_data());
        assert_near(&found, &expected, 1e-4);
    }
}

#[derive(Deserialize)]
struct Expected {
    architecture: Architecture,
    logits: Vec<f32>,
}

/// Whole networks are too large to be kept: `ATTRIUM_WEIGHTS` names the folder that
/// tests/golden/weights/write.py has filled.
#[test]
#[ignore = "needs the whole networks that tests/golden/weights/write.py writes"]
fn networks_from_real_files_give_what_their_libraries_give() {
    let folder = std::env::var_os("ATTRIUM_WEIGHTS").expect("ATTRIUM_WEIGHTS should name a folder");
    let folder = PathBuf::from(folder);
    let expected = std::fs::read(folder.join("expected.json")).unwrap();
    let expected: BTreeMap<String, Expected> = serde_json::from_slice(&expected).unwrap();
    let images = image_tensor(wave(2 * 128 * 128, 0.5), &cpu());
    for (file, expected) in expected {
        let bytes = std::fs::read(folder.join(&file)).unwrap();
        let network = import(bytes, expected.architecture).unwrap();
        let saved = with_head(network).to_safetensors().unwrap();
        let network = Network::from_safetensors(expected.architecture, 4, &saved, &cpu()).unwrap();
        let found = floats(network.forward(images.clone()).into_data());
        assert_near(&found, &expected.logits, 1e-4);
    }
}

/// The network with the script's head.
fn with_head(network: Network) -> Network {
    struct Head;
    impl MapByName for Head {
        fn map<const D: usize>(&mut self, name: &str, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            if name != "head.weight" {
                return param;
            }
            param.map(|old| {
                let shape = old.dims();
                let factor = (0.25 / shape[1] as f32).sqrt();
                let values = wave(shape[0] * shape[1], 0.25).into_iter();
                let values: Vec<f32> = values.map(|value| value * factor).collect();
                Tensor::from_data(TensorData::new(values, shape), &old.device())
            })
        }
    }
    map_by_name(network, &mut Head)
}
