//! [`Network`]: one type for all seven, with logits, probabilities and activation maps.

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use snafu::ensure;

use super::error::{ClassesSnafu, LogitsSnafu, PixelsSnafu};
use super::{
    ActivationMap, Error, Head, Heart, IMAGE_PIXELS, IMAGE_SIZE, InceptionV3, Layout, MobileNet,
    ResNet50, Stack, TrainingStep, Transfer, Vgg16, heart, linear, loss, residual, weights,
};
use attrium_types::Architecture;

/// Images of a batch of an ImageNet network outside training: enough to keep a CPU busy, few enough
/// to stay below 200 MB.
const BATCH: usize = 16;
/// The same for Linear, Residual and Heart, which need memory for only a few images a thread, however many
/// there are: so many that threads seldom wait for the last of them.
const OWN_BATCH: usize = 64;

/// One of the paper's networks, or attrium's own.
///
/// Weights are kept as a safetensors file of 32-bit floats with these names, where BLOCK is 0 to 3
/// and LAYER 0 to 5:
///
/// | name | shape |
/// |---|---|
/// | `stem.convolution.weight` | `[16, 1, 3, 3]` |
/// | `stem.norm.{weight,bias,running_mean,running_var}` | `[16]` |
/// | `blocks.BLOCK.layers.LAYER.convolution.weight` | `[channels, channels before, 3, 3]` |
/// | `blocks.BLOCK.layers.LAYER.norm.{weight,bias,running_mean,running_var}` | `[channels]` |
/// | `head.weight` | `[classes, 8192]` |
/// | `head.bias` | `[classes]` |
///
/// Those of Heart begin with `stack.`; its blocks are 0 to 2, its layers 0 and 1, and its head has an output less.
/// The ImageNet networks have `grey.{scale,offset}`, `[3]`, their own tensors below `base.`, and
/// the head. The metadata of the file name the [`Layout`] where it is not Keras'.
///
/// Tensors are laid out as in PyTorch. The same weights always give the same bytes.
#[derive(Module, Debug)]
pub enum Network {
    /// [`Architecture::Linear`]
    Linear(Stack),
    /// [`Architecture::Residual`]
    Residual(Stack),
    /// [`Architecture::VGG16`]
    VGG16(Transfer<Vgg16>),
    /// [`Architecture::ResNet50`]
    ResNet50(Transfer<ResNet50>),
    /// [`Architecture::InceptionV3`]
    InceptionV3(Transfer<InceptionV3>),
    /// [`Architecture::MobileNet`]
    MobileNet(Transfer<MobileNet>),
    /// [`Architecture::Heart`]
    Heart(Heart),
}

/// Calls one method of whichever network it is.
macro_rules! each {
    ($of:expr, $network:ident => $call:expr) => {
        match $of {
            Network::Linear($network) | Network::Residual($network) => $call,
            Network::VGG16($network) => $call,
            Network::ResNet50($network) => $call,
            Network::InceptionV3($network) => $call,
            Network::MobileNet($network) => $call,
            Network::Heart($network) => $call,
        }
    };
}

impl Network {
    /// A network with initial weights: Glorot's uniform distribution, as is Keras' default, and
    /// zero for offsets. Each tensor is drawn by itself from the seed and the tensor's name.
    ///
    /// # Errors
    ///
    /// [`Error::Classes`] for fewer than two classes.
    pub fn new(
        architecture: Architecture,
        classes: usize,
        seed: u64,
        device: &Device,
    ) -> Result<Self, Error> {
        Self::with_layout(architecture, Layout::Keras, classes, seed, device)
    }

    /// As [`new`](Self::new), by the conventions of a layout.
    pub(super) fn with_layout(
        architecture: Architecture,
        layout: Layout,
        classes: usize,
        seed: u64,
        device: &Device,
    ) -> Result<Self, Error> {
        let network = Self::zeros(architecture, layout, classes, device)?;
        Ok(weights::draw(network, seed))
    }

    /// The network whose weights [`to_safetensors`](Self::to_safetensors) gave.
    ///
    /// # Errors
    ///
    /// [`Error::Format`] for other bytes; [`Error::Mismatch`] names every tensor that is missing,
    /// has another shape or type, does not belong to the network, or would make its logits infinite
    /// or NaN.
    pub fn from_safetensors(
        architecture: Architecture,
        classes: usize,
        bytes: &[u8],
        device: &Device,
    ) -> Result<Self, Error> {
        let layout = weights::layout(bytes)?;
        weights::load(Self::zeros(architecture, layout, classes, device)?, bytes)
    }

    /// This network with another head, for so many classes: one with initial weights.
    ///
    /// # Errors
    ///
    /// [`Error::Classes`] for fewer than two classes.
    pub fn with_new_head(&self, classes: usize, seed: u64) -> Result<Self, Error> {
        let device = self.device();
        let fresh = Self::with_layout(self.architecture(), self.layout(), classes, seed, &device)?;
        Ok(weights::adopt(fresh, self))
    }

    fn architecture(&self) -> Architecture {
        match self {
            Self::Linear(_) => Architecture::Linear,
            Self::Residual(_) => Architecture::Residual,
            Self::VGG16(_) => Architecture::VGG16,
            Self::ResNet50(_) => Architecture::ResNet50,
            Self::InceptionV3(_) => Architecture::InceptionV3,
            Self::MobileNet(_) => Architecture::MobileNet,
            Self::Heart(_) => Architecture::Heart,
        }
    }

    fn zeros(
        architecture: Architecture,
        layout: Layout,
        classes: usize,
        device: &Device,
    ) -> Result<Self, Error> {
        ensure!(classes >= 2, ClassesSnafu { classes });
        Ok(match architecture {
            Architecture::Linear => Self::Linear(linear::new(classes, device)),
            Architecture::Residual => Self::Residual(residual::new(classes, device)),
            Architecture::VGG16 => Self::VGG16(Transfer::new(layout, classes, device)),
            Architecture::ResNet50 => Self::ResNet50(Transfer::new(layout, classes, device)),
            Architecture::InceptionV3 => Self::InceptionV3(Transfer::new(layout, classes, device)),
            Architecture::MobileNet => Self::MobileNet(Transfer::new(layout, classes, device)),
            Architecture::Heart => Self::Heart(Heart::new(classes, device)),
        })
    }

    /// Whose conventions the network follows; Keras' for Linear, Residual and Heart.
    pub fn layout(&self) -> Layout {
        match self {
            Self::Linear(_) | Self::Residual(_) | Self::Heart(_) => Layout::Keras,
            Self::VGG16(network) => network.layout(),
            Self::ResNet50(network) => network.layout(),
            Self::InceptionV3(network) => network.layout(),
            Self::MobileNet(network) => network.layout(),
        }
    }

    /// The weights, running statistics included, as the bytes of a safetensors file.
    ///
    /// # Errors
    ///
    /// [`Error::Format`] if the format cannot hold them.
    pub fn to_safetensors(&self) -> Result<Vec<u8>, Error> {
        weights::save(self)
    }

    /// The average of the weights, running statistics included, with those of a network of the same kind, in which
    /// this one's have so large a share.
    pub fn blended(self, other: &Self, share: f32) -> Self {
        weights::blend(self, other, share)
    }

    /// The number of parameters that training changes by gradients.
    pub fn trained_parameters(&self) -> usize {
        weights::trained_parameters(self)
    }

    /// The logits by the running statistics and without dropout, whatever the device.
    ///
    /// # Shapes
    /// - `images`: `[batch, 1, 128, 128]`, output: `[batch, classes]`
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        each!(self, network => network.forward(images))
    }

    /// The same network in Burn's own operations on every device: what the engine is compared with
    /// in tests and benchmarks. The ImageNet networks do not use the engine's programs and stay as
    /// they are.
    pub fn without_engine(self) -> Self {
        match self {
            Self::Linear(network) => Self::Linear(network.without_engine()),
            Self::Residual(network) => Self::Residual(network.without_engine()),
            Self::Heart(network) => Self::Heart(network.without_engine()),
            other => other,
        }
    }

    /// The logits by the batch's own statistics, without dropout.
    #[cfg(test)]
    pub(super) fn training_logits(&mut self, images: Tensor<4>, step: TrainingStep) -> Tensor<2> {
        each!(self, network => {
            let features = network.features_training(images, step);
            network.head().forward(features)
        })
    }

    /// The outputs by the batch's own statistics and with dropout; moves the running statistics. They are logits,
    /// but for Heart; see [`loss`](Self::loss) and [`class_logits`](Self::class_logits).
    ///
    /// # Shapes
    /// - `images`: `[batch, 1, 128, 128]`, output: `[batch, classes]`, or a column less
    pub fn forward_training(&mut self, images: Tensor<4>, step: TrainingStep) -> Tensor<2> {
        each!(self, network => network.forward_training(images, step))
    }

    /// What training makes smaller: the cross-entropy, or [`loss::ordinal`] of Heart.
    ///
    /// # Shapes
    /// - `outputs`: those of [`forward_training`](Self::forward_training), output: `[1]`
    pub fn loss(&self, outputs: Tensor<2>, labels: &[usize], class_weights: &[f32]) -> Tensor<1> {
        match self {
            Self::Heart(_) => loss::ordinal(outputs, labels, class_weights),
            _ => loss::cross_entropy(outputs, labels, class_weights),
        }
    }

    /// The logits of the classes, from the outputs in training.
    ///
    /// # Shapes
    /// - `outputs`: those of [`forward_training`](Self::forward_training), output: `[batch, classes]`
    pub fn class_logits(&self, outputs: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Heart(_) => heart::class_logits(outputs),
            _ => outputs,
        }
    }

    /// The logits of any number of images, in batches: `[image][class]`.
    ///
    /// # Errors
    ///
    /// [`Error::Pixels`] if `images` does not hold whole images.
    pub fn logits(&self, images: &[f32]) -> Result<Vec<Vec<f32>>, Error> {
        let pixels = images.len();
        ensure!(pixels.is_multiple_of(IMAGE_PIXELS), PixelsSnafu { pixels });
        // On a device that records gradients every batch would stay in memory.
        let network = self.valid();
        let device = network.device();
        let mut logits = Vec::with_capacity(pixels / IMAGE_PIXELS);
        for batch in images.chunks(network.batch() * IMAGE_PIXELS) {
            let output = network.forward(image_tensor(batch.to_vec(), &device)); // [batch, classes]
            let [_, classes] = output.dims();
            let values = floats(output.into_data());
            logits.extend(values.chunks(classes).map(<[f32]>::to_vec));
        }
        Ok(logits)
    }

    fn batch(&self) -> usize {
        match self {
            Self::Linear(_) | Self::Residual(_) | Self::Heart(_) => OWN_BATCH,
            _ => BATCH,
        }
    }

    /// The probability of each class for any number of images, in batches: `[image][class]`.
    ///
    /// The softmax is taken in 64 bits.
    ///
    /// # Errors
    ///
    /// [`Error::Pixels`] if `images` does not hold whole images; [`Error::Logits`] if a logit of an
    /// image is infinite or not a number.
    pub fn probabilities(&self, images: &[f32]) -> Result<Vec<Vec<f64>>, Error> {
        let probabilities = |(image, row): (usize, Vec<f32>)| {
            let sound = row.iter().all(|logit| logit.is_finite());
            ensure!(sound, LogitsSnafu { image });
            Ok(softmax(&row))
        };
        let logits = self.logits(images)?.into_iter();
        logits.enumerate().map(probabilities).collect()
    }

    /// What the first convolution of each block makes of one image, after normalisation and
    /// activation.
    ///
    /// # Errors
    ///
    /// [`Error::Pixels`] if `image` is not exactly one image.
    pub fn activation_maps(&self, image: &[f32]) -> Result<Vec<ActivationMap>, Error> {
        let pixels = image.len();
        ensure!(pixels == IMAGE_PIXELS, PixelsSnafu { pixels });
        let network = self.valid();
        let image = image_tensor(image.to_vec(), &network.device());
        let activations = each!(&network, network => network.activations(image));
        let map = |(index, activation): (usize, Tensor<4>)| {
            let [_, channels, height, width] = activation.dims();
            ActivationMap {
                block: index + 1,
                channels,
                height,
                width,
                values: floats(activation.into_data()),
            }
        };
        Ok(activations.into_iter().enumerate().map(map).collect())
    }

    /// The activation of the last convolution, before a pool if one follows, and the features that
    /// reach the head.
    ///
    /// # Shapes
    /// - `images`: `[batch, 1, 128, 128]`
    /// - outputs: `[batch, channels, height, width]`, the second smaller where there is a pool
    pub(super) fn last_activation(&self, images: Tensor<4>) -> [Tensor<4>; 2] {
        each!(self, network => network.last_activation(images))
    }

    pub(super) const fn head(&self) -> &Head {
        each!(self, network => network.head())
    }

    /// The device that the weights are on.
    pub fn device(&self) -> Device {
        let mut devices = self.devices();
        devices.swap_remove(0)
    }
}

/// Images as a tensor on a device.
///
/// # Shapes
/// - `pixels`: `batch * 128 * 128` values, image by image and row by row
/// - output: `[batch, 1, 128, 128]`
pub fn image_tensor(pixels: Vec<f32>, device: &Device) -> Tensor<4> {
    let batch = pixels.len() / IMAGE_PIXELS;
    let data = TensorData::new(pixels, [batch, 1, IMAGE_SIZE, IMAGE_SIZE]);
    Tensor::from_data(data, device)
}

/// The values of a tensor of 32-bit floats, in row-major order.
///
/// # Panics
/// If the tensor has another type, which no network here gives.
pub fn floats(data: TensorData) -> Vec<f32> {
    data.try_into_vec()
        .expect("the networks should compute in 32-bit floats")
}

/// The softmax, in 64 bits.
fn softmax(logits: &[f32]) -> Vec<f64> {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f64> = logits
        .iter()
        .map(|&logit| (f64::from(logit) - f64::from(largest)).exp())
        .collect();
    let sum: f64 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu;

    const FIRST: TrainingStep = TrainingStep { seed: 3, number: 0 };

    fn network(architecture: Architecture, seed: u64) -> Network {
        Network::new(architecture, 4, seed, &cpu()).unwrap()
    }

    /// Images with a bright spot that moves.
    fn images(count: usize) -> Vec<f32> {
        let mut images = vec![0.0; count * IMAGE_PIXELS];
        for (index, image) in images.chunks_mut(IMAGE_PIXELS).enumerate() {
            for (pixel, value) in image.iter_mut().enumerate() {
                let (row, column) = (pixel / IMAGE_SIZE, pixel % IMAGE_SIZE);
                let distance = row.abs_diff(30 + 10 * index) + column.abs_diff(64);
                *value = 8.0 / (4 + distance) as f32 - 0.3;
            }
        }
        images
    }

    #[test]
    fn both_networks_have_the_1_11_million_parameters_of_the_paper() {
        for architecture in [Architecture::Linear, Architecture::Residual] {
            // Counted by hand: 1,078,416 in convolutions, 2,912 in normalisation, 32,772 in the
            // head.
            assert_eq!(network(architecture, 1).trained_parameters(), 1_114_100);
        }
    }

    #[test]
    fn heart_has_a_sixth_of_them() {
        // By hand: 164,304 in convolutions, 704 in normalisation, 18,435 in the head.
        let heart = network(Architecture::Heart, 1);
        assert_eq!(heart.trained_parameters(), 183_443);
    }

    #[test]
    fn the_same_seed_gives_the_same_weights_and_another_gives_others() {
        let bytes = |seed| {
            network(Architecture::Linear, seed)
                .to_safetensors()
                .unwrap()
        };
        assert_eq!(bytes(1), bytes(1));
        assert_ne!(bytes(1), bytes(2));
    }

    #[test]
    fn initial_weights_are_uniform_within_glorots_limit() {
        let Network::Linear(network) = network(Architecture::Linear, 1) else {
            unreachable!()
        };
        let weights = floats(network.head().weight.val().into_data());
        let limit = (6.0f32 / (8192.0 + 4.0)).sqrt();
        let variance = weights.iter().map(|w| w * w).sum::<f32>() / weights.len() as f32;
        assert!(weights.iter().all(|weight| weight.abs() <= limit));
        assert!(
            (variance / (limit * limit / 3.0) - 1.0).abs() < 0.03,
            "{variance}"
        );
        assert!(
            floats(network.head().bias.val().into_data())
                .iter()
                .all(|bias| *bias == 0.0)
        );
    }

    #[test]
    fn weights_survive_their_file() {
        for architecture in [
            Architecture::Linear,
            Architecture::Residual,
            Architecture::Heart,
        ] {
            let mut trained = network(architecture, 1);
            // Moves the running statistics away from their initial values.
            trained.forward_training(image_tensor(images(2), &cpu()), FIRST);
            let bytes = trained.to_safetensors().unwrap();
            let loaded = Network::from_safetensors(architecture, 4, &bytes, &cpu()).unwrap();
            assert_eq!(loaded.to_safetensors().unwrap(), bytes);
            assert_eq!(
                loaded.logits(&images(1)).unwrap(),
                trained.logits(&images(1)).unwrap()
            );
        }
    }

    #[test]
    fn a_new_head_leaves_all_other_weights_as_they_are() {
        for (architecture, head) in [
            (Architecture::Residual, "head"),
            (Architecture::Heart, "stack.head"),
        ] {
            let mut trained = network(architecture, 1);
            trained.forward_training(image_tensor(images(2), &cpu()), FIRST);
            let adapted = trained.with_new_head(2, 7).unwrap();
            let files = [&trained, &adapted].map(|it| it.to_safetensors().unwrap());
            let [old, new] = [&files[0], &files[1]]
                .map(|bytes| safetensors::SafeTensors::deserialize(bytes).unwrap());
            assert_eq!(old.len(), new.len());
            let differ = |name: &&str| {
                let [old, new] = [&old, &new].map(|file| file.tensor(name).unwrap());
                old.data() != new.data()
            };
            let names = new.names();
            let mut changed: Vec<&str> = names.into_iter().filter(differ).collect();
            changed.sort_unstable();
            assert_eq!(changed, [format!("{head}.bias"), format!("{head}.weight")]);
            let fresh = Network::new(architecture, 2, 7, &cpu()).unwrap();
            let fresh = fresh.to_safetensors().unwrap();
            let fresh = safetensors::SafeTensors::deserialize(&fresh).unwrap();
            let weight = format!("{head}.weight");
            let weights = [&fresh, &new].map(|file| file.tensor(&weight).unwrap());
            assert_eq!(weights[0].data(), weights[1].data());
        }
    }

    #[test]
    fn a_file_that_does_not_fit_is_refused_with_every_fault_named() {
        let two = Network::new(Architecture::Linear, 2, 1, &cpu()).unwrap();
        let bytes = two.to_safetensors().unwrap();
        let load = |bytes: &[u8]| {
            Network::from_safetensors(Architecture::Linear, 4, bytes, &cpu())
                .unwrap_err()
                .to_string()
        };
        let message = load(&bytes);
        assert!(
            message.contains("head.bias is [2] instead of [4]"),
            "{message}"
        );
        assert!(
            message.contains("head.weight is [2, 8192] instead of [4, 8192]"),
            "{message}"
        );

        let name = b"stem.norm.bias";
        let at = bytes
            .windows(name.len())
            .position(|window| window == name)
            .unwrap();
        let mut renamed = bytes.clone();
        renamed[at..at + name.len()].copy_from_slice(b"stem.norm.bent");
        let message = load(&renamed);
        assert!(message.contains("missing stem.norm.bias"), "{message}");
        assert!(message.contains("unknown stem.norm.bent"), "{message}");

        assert!(load(&bytes[..1000]).contains("not a whole safetensors file"));
    }

    /// A network's file with the first value of a tensor changed.
    fn with_first_value(network: &Network, name: &str, value: f32) -> Vec<u8> {
        let mut bytes = network.to_safetensors().unwrap();
        let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let tensor = file.tensor(name).unwrap().data().as_ptr();
        let at = tensor.addr() - bytes.as_ptr().addr();
        bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
        bytes
    }

    #[test]
    fn weights_that_give_no_numbers_are_refused_by_their_names() {
        for (name, value, fault) in [
            ("head.bias", f32::NAN, "infinite or not a number"),
            (
                "stem.convolution.weight",
                f32::INFINITY,
                "infinite or not a number",
            ),
            ("stem.norm.running_var", -1.0, "negative variance"),
        ] {
            let bytes = with_first_value(&network(Architecture::Linear, 1), name, value);
            let loaded = Network::from_safetensors(Architecture::Linear, 4, &bytes, &cpu());
            let message = loaded.unwrap_err().to_string();
            assert!(
                message.contains(name) && message.contains(fault),
                "{message}"
            );
        }
    }

    #[test]
    fn logits_that_are_no_numbers_are_no_probabilities() {
        let bytes = with_first_value(&network(Architecture::Linear, 1), "head.bias", f32::MAX);
        let load = |bytes: &[u8]| Network::from_safetensors(Architecture::Linear, 4, bytes, &cpu());
        let network = load(&bytes).unwrap();
        assert_eq!(
            network.probabilities(&images(1)).unwrap()[0],
            [1.0, 0.0, 0.0, 0.0]
        );
        let mut second = images(2);
        second[IMAGE_PIXELS + 5] = f32::NAN;
        let message = network.probabilities(&second).unwrap_err().to_string();
        assert!(
            message.starts_with("the network's logits of image 1 "),
            "{message}"
        );
    }

    #[test]
    fn evaluation_uses_the_running_statistics_even_on_a_device_that_records_gradients() {
        let plain = network(Architecture::Residual, 1);
        let recording = plain.clone().train();
        assert!(recording.device().is_autodiff());
        let images = image_tensor(images(2), &cpu());
        let expected = floats(plain.forward(images.clone()).into_data());
        let near = |found: Vec<f32>| {
            let mut pairs = found.iter().zip(&expected);
            pairs.all(|(found, expected)| (found - expected).abs() < 1e-4)
        };
        assert!(near(floats(recording.forward(images.clone()).into_data())));
        let mut training = plain.clone();
        let trained = floats(training.forward_training(images, FIRST).into_data());
        assert!(!near(trained));
    }

    #[test]
    fn training_a_copy_leaves_the_original_alone() {
        let original = network(Architecture::Linear, 1);
        let before = original.to_safetensors().unwrap();
        original
            .clone()
            .forward_training(image_tensor(images(1), &cpu()), FIRST);
        assert_eq!(original.to_safetensors().unwrap(), before);
    }

    #[test]
    fn probabilities_do_not_depend_on_the_batch_and_add_up_to_one() {
        let network = network(Architecture::Linear, 1);
        let images = images(3);
        let together = network.probabilities(&images).unwrap();
        for (image, together) in images.chunks(IMAGE_PIXELS).zip(&together) {
            let alone = &network.probabilities(image).unwrap()[0];
            assert!((alone.iter().sum::<f64>() - 1.0).abs() < 1e-15);
            assert!(
                alone
                    .iter()
                    .zip(together)
                    .all(|(a, b)| (a - b).abs() < 1e-6)
            );
        }
        assert_ne!(together[0], together[2]);
        assert!(network.probabilities(&[]).unwrap().is_empty());
        let message = network.probabilities(&images[1..]).unwrap_err().to_string();
        assert!(
            message.starts_with("49151 pixels do not make whole images"),
            "{message}"
        );
    }

    #[test]
    fn probabilities_of_huge_logits_are_still_numbers() {
        assert_eq!(softmax(&[1e30, 0.0]), [1.0, 0.0]);
        assert_eq!(softmax(&[-5000.0, -5000.0]), [0.5, 0.5]);
    }

    #[test]
    fn activation_maps_show_the_first_layer_of_each_block() {
        let paper = vec![
            (1, 16, 128, 128),
            (2, 32, 64, 64),
            (3, 64, 32, 32),
            (4, 128, 16, 16),
        ];
        let heart = vec![(1, 24, 64, 64), (2, 48, 32, 32), (3, 96, 16, 16)];
        for (architecture, expected) in [
            (Architecture::Linear, paper.clone()),
            (Architecture::Residual, paper),
            (Architecture::Heart, heart),
        ] {
            let maps = network(architecture, 1)
                .activation_maps(&images(1))
                .unwrap();
            let sizes: Vec<_> = maps
                .iter()
                .map(|map| (map.block, map.channels, map.height, map.width))
                .collect();
            assert_eq!(sizes, expected);
            for map in maps {
                assert_eq!(map.values.len(), map.channels * map.height * map.width);
                assert!(map.values.iter().all(|value| *value >= 0.0));
                assert!(map.values.iter().any(|value| *value > 0.0));
            }
        }
    }

    #[test]
    fn fewer_than_two_classes_are_refused() {
        let error = Network::new(Architecture::Linear, 1, 1, &cpu()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "a network needs 2 classes or more, not 1"
        );
    }
}
