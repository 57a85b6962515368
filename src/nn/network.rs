use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use snafu::ensure;

use super::error::{ClassesSnafu, PixelsSnafu};
use super::{ActivationMap, Error, IMAGE_PIXELS, IMAGE_SIZE, Linear, Residual, Step, weights};
use crate::api::Architecture;

/// Images that go through a network at once when nothing is trained: enough to keep a processor
/// busy, few enough to stay under 200 MB.
const BATCH: usize = 16;

/// One of the paper's networks.
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
/// Layouts are PyTorch's. The same weights always give the same bytes.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant)]
pub enum Network {
    /// [`Architecture::Linear`]
    Linear(Linear),
    /// [`Architecture::Residual`]
    Residual(Residual),
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
        Ok(weights::draw(
            Self::zeros(architecture, classes, device)?,
            seed,
        ))
    }

    /// The network whose weights [`to_safetensors`](Self::to_safetensors) gave.
    ///
    /// # Errors
    ///
    /// [`Error::Format`] for other bytes; [`Error::Mismatch`] names every tensor that is missing,
    /// has another shape or type, or does not belong to the network.
    pub fn from_safetensors(
        architecture: Architecture,
        classes: usize,
        bytes: &[u8],
        device: &Device,
    ) -> Result<Self, Error> {
        weights::load(Self::zeros(architecture, classes, device)?, bytes)
    }

    fn zeros(architecture: Architecture, classes: usize, device: &Device) -> Result<Self, Error> {
        ensure!(classes >= 2, ClassesSnafu { classes });
        Ok(match architecture {
            Architecture::Linear => Self::Linear(Linear::new(classes, device)),
            Architecture::Residual => Self::Residual(Residual::new(classes, device)),
        })
    }

    /// The weights, running statistics included, as the bytes of a safetensors file.
    ///
    /// # Errors
    ///
    /// [`Error::Format`] if the format cannot hold them.
    pub fn to_safetensors(&self) -> Result<Vec<u8>, Error> {
        weights::save(self)
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
        match self {
            Self::Linear(network) => network.forward(images),
            Self::Residual(network) => network.forward(images),
        }
    }

    /// The logits by the batch's own statistics and with dropout; moves the running statistics.
    ///
    /// # Shapes
    /// - `images`: `[batch, 1, 128, 128]`, output: `[batch, classes]`
    pub fn forward_training(&mut self, images: Tensor<4>, step: Step) -> Tensor<2> {
        match self {
            Self::Linear(network) => network.forward_training(images, step),
            Self::Residual(network) => network.forward_training(images, step),
        }
    }

    /// The logits of any number of images, in batches: `[image][class]`.
    ///
    /// # Errors
    ///
    /// [`Error::Pixels`] if `images` is no whole number of images.
    pub fn logits(&self, images: &[f32]) -> Result<Vec<Vec<f32>>, Error> {
        let pixels = images.len();
        ensure!(pixels.is_multiple_of(IMAGE_PIXELS), PixelsSnafu { pixels });
        // On a device that records gradients every batch would stay in memory.
        let network = self.valid();
        let device = network.device();
        let mut logits = Vec::with_capacity(pixels / IMAGE_PIXELS);
        for batch in images.chunks(BATCH * IMAGE_PIXELS) {
            let output = network.forward(image_tensor(batch.to_vec(), &device)); // [batch, classes]
            let [_, classes] = output.dims();
            let values = floats(output.into_data());
            logits.extend(values.chunks(classes).map(<[f32]>::to_vec));
        }
        Ok(logits)
    }

    /// The probability of each class for any number of images, in batches: `[image][class]`.
    ///
    /// The softmax is taken in 64 bits.
    ///
    /// # Errors
    ///
    /// [`Error::Pixels`] if `images` is no whole number of images.
    pub fn probabilities(&self, images: &[f32]) -> Result<Vec<Vec<f64>>, Error> {
        Ok(self
            .logits(images)?
            .iter()
            .map(|row| softmax(row))
            .collect())
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
        let activations = match &network {
            Self::Linear(network) => network.activations(image),
            Self::Residual(network) => network.activations(image),
        };
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

    /// The device that the weights are on.
    pub fn device(&self) -> Device {
        let mut devices = self.devices();
        devices.swap_remove(0)
    }
}

/// Images as a tensor.
///
/// # Shapes
/// - `pixels`: whole images, row by row, output: `[batch, 1, 128, 128]`
pub(crate) fn image_tensor(pixels: Vec<f32>, device: &Device) -> Tensor<4> {
    let batch = pixels.len() / IMAGE_PIXELS;
    let data = TensorData::new(pixels, [batch, 1, IMAGE_SIZE, IMAGE_SIZE]);
    Tensor::from_data(data, device)
}

/// The values of a tensor of 32-bit floats.
pub(crate) fn floats(data: TensorData) -> Vec<f32> {
    data.try_into_vec()
        .expect("the networks should compute in 32-bit floats")
}

/// Probabilities from logits.
fn softmax(logits: &[f32]) -> Vec<f64> {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f64> = logits
        .iter()
        .map(|&logit| (f64::from(logit) - f64::from(largest)).exp())
        .collect();
    let sum: f64 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}
