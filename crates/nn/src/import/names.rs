//! The names that Keras, torchvision and timm give the layers of each network, in the order in
//! which the network has them.

use std::collections::BTreeMap;

use super::Origin;
use super::tensor_file::FileTensor;
use attrium_types::Architecture;

/// The names of a convolution and of the normalisation after it, which is empty if there is none.
pub(super) struct LayerNames {
    pub convolution: String,
    pub norm: String,
}

impl LayerNames {
    fn new(convolution: impl Into<String>, norm: impl Into<String>) -> Self {
        Self {
            convolution: convolution.into(),
            norm: norm.into(),
        }
    }
}

/// The layers of a network in a file of this origin.
pub(super) fn layer_names(architecture: Architecture, origin: Origin) -> Vec<LayerNames> {
    match (architecture, origin) {
        (Architecture::Linear | Architecture::Residual | Architecture::Heart, _) => Vec::new(),
        (Architecture::VGG16, Origin::Keras) => vgg16_of_keras(),
        (Architecture::VGG16, Origin::PyTorch) => vgg16_of_torchvision(),
        (Architecture::ResNet50, Origin::Keras) => resnet50_of_keras(),
        (Architecture::ResNet50, Origin::PyTorch) => resnet50_of_torchvision(),
        (Architecture::InceptionV3, Origin::Keras) => (1..=94)
            .map(|number| {
                LayerNames::new(
                    format!("conv2d_{number}"),
                    format!("batch_normalization_{number}"),
                )
            })
            .collect(),
        (Architecture::InceptionV3, Origin::PyTorch) => inception_v3_of_torchvision(),
        (Architecture::MobileNet, Origin::Keras) => mobilenet_of_keras(),
        (Architecture::MobileNet, Origin::PyTorch) => mobilenet_of_timm(),
    }
}

/// The network with the largest share of its convolutions in a file, if that is more than half.
pub(super) fn recognize(
    origin: Origin,
    tensors: &BTreeMap<String, FileTensor>,
) -> Option<Architecture> {
    let separator = match origin {
        Origin::Keras => '/',
        Origin::PyTorch => '.',
    };
    let found: std::collections::BTreeSet<&str> = tensors
        .keys()
        .filter_map(|name| Some(name.rsplit_once(separator)?.0))
        .collect();
    let share = |architecture: Architecture| {
        let layers = layer_names(architecture, origin);
        let count = layers
            .iter()
            .filter(|layer| found.contains(layer.convolution.as_str()))
            .count();
        count * 1000 / layers.len().max(1)
    };
    Architecture::ALL
        .iter()
        .map(|&architecture| (share(architecture), architecture))
        .filter(|(share, _)| *share > 500)
        .max_by_key(|(share, _)| *share)
        .map(|(_, architecture)| architecture)
}

fn vgg16_of_keras() -> Vec<LayerNames> {
    (1..)
        .zip([2, 2, 3, 3, 3])
        .flat_map(|(block, count)| {
            (1..=count).map(move |number| LayerNames::new(format!("block{block}_conv{number}"), ""))
        })
        .collect()
}

fn vgg16_of_torchvision() -> Vec<LayerNames> {
    [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28]
        .map(|number| LayerNames::new(format!("features.{number}"), ""))
        .into()
}

/// Stages and units of ResNet50, from 0, and whether the unit has a convolution as its shortcut.
fn units() -> impl Iterator<Item = (usize, usize, bool)> {
    (0..)
        .zip([3, 4, 6, 3])
        .flat_map(|(stage, count)| (0..count).map(move |unit| (stage, unit, unit == 0)))
}

fn resnet50_of_keras() -> Vec<LayerNames> {
    let mut layers = vec![LayerNames::new("conv1_conv", "conv1_bn")];
    for (stage, unit, has_shortcut) in units() {
        let unit = format!("conv{}_block{}", stage + 2, unit + 1);
        let first = if has_shortcut { 0 } else { 1 };
        layers.extend((first..=3).map(|part| {
            LayerNames::new(format!("{unit}_{part}_conv"), format!("{unit}_{part}_bn"))
        }));
    }
    layers
}

fn resnet50_of_torchvision() -> Vec<LayerNames> {
    let mut layers = vec![LayerNames::new("conv1", "bn1")];
    for (stage, unit, has_shortcut) in units() {
        let unit = format!("layer{}.{unit}", stage + 1);
        if has_shortcut {
            let shortcut = format!("{unit}.downsample");
            layers.push(LayerNames::new(
                format!("{shortcut}.0"),
                format!("{shortcut}.1"),
            ));
        }
        layers.extend(
            (1..=3).map(|part| {
                LayerNames::new(format!("{unit}.conv{part}"), format!("{unit}.bn{part}"))
            }),
        );
    }
    layers
}

fn inception_v3_of_torchvision() -> Vec<LayerNames> {
    const STEM: [&str; 5] = [
        "Conv2d_1a_3x3",
        "Conv2d_2a_3x3",
        "Conv2d_2b_3x3",
        "Conv2d_3b_1x1",
        "Conv2d_4a_3x3",
    ];
    const LARGE: &str = "1x1 5x5_1 5x5_2 3x3dbl_1 3x3dbl_2 3x3dbl_3 _pool";
    const MIDDLE: &str = "1x1 7x7_1 7x7_2 7x7_3 7x7dbl_1 7x7dbl_2 7x7dbl_3 7x7dbl_4 7x7dbl_5 _pool";
    const SMALL: &str = "1x1 3x3_1 3x3_2a 3x3_2b 3x3dbl_1 3x3dbl_2 3x3dbl_3a 3x3dbl_3b _pool";
    let blocks = [
        ("5b", LARGE),
        ("5c", LARGE),
        ("5d", LARGE),
        ("6a", "3x3 3x3dbl_1 3x3dbl_2 3x3dbl_3"),
        ("6b", MIDDLE),
        ("6c", MIDDLE),
        ("6d", MIDDLE),
        ("6e", MIDDLE),
        ("7a", "3x3_1 3x3_2 7x7x3_1 7x7x3_2 7x7x3_3 7x7x3_4"),
        ("7b", SMALL),
        ("7c", SMALL),
    ];
    let mixed = blocks.into_iter().flat_map(|(block, branches)| {
        let branches = branches.split(' ');
        branches.map(move |branch| format!("Mixed_{block}.branch{branch}"))
    });
    STEM.into_iter()
        .map(str::to_owned)
        .chain(mixed)
        .map(|name| LayerNames::new(format!("{name}.conv"), format!("{name}.bn")))
        .collect()
}

fn mobilenet_of_keras() -> Vec<LayerNames> {
    let mut layers = vec![LayerNames::new("conv1", "conv1_bn")];
    for block in 1..=13 {
        for name in [format!("conv_dw_{block}"), format!("conv_pw_{block}")] {
            let norm = format!("{name}_bn");
            layers.push(LayerNames::new(name, norm));
        }
    }
    layers
}

fn mobilenet_of_timm() -> Vec<LayerNames> {
    let mut layers = vec![LayerNames::new("conv_stem", "bn1")];
    for (stage, count) in [1, 2, 2, 6, 2].into_iter().enumerate() {
        for block in 0..count {
            let block = format!("blocks.{stage}.{block}");
            layers.push(LayerNames::new(
                format!("{block}.conv_dw"),
                format!("{block}.bn1"),
            ));
            layers.push(LayerNames::new(
                format!("{block}.conv_pw"),
                format!("{block}.bn2"),
            ));
        }
    }
    layers
}
