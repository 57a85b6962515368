//! Weights of ImageNet from the files of Keras, torchvision and timm.
//!
//! A file is known by its content, never by its name, and only tensors are read: nothing that a
//! file holds is ever run. Classifier heads are left out, since the paper's head takes their place.
//! Everything else has to fit to the last tensor.

mod apply;
mod error;
mod keras;
mod names;
mod pickle;
mod pytorch;
mod tensor_file;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use snafu::{OptionExt, ensure};

pub use error::WeightsError;

use self::error::{ArchitectureSnafu, ForeignSnafu, FormatSnafu, NotTakenSnafu};
use self::tensor_file::FileTensor;
use super::{Device, Layout, Network};
use attrium_types::Architecture;

/// How a ZIP file begins.
const ZIP: &[u8] = b"PK\x03\x04";

/// Who wrote a file of weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    Keras,
    /// torchvision or timm.
    PyTorch,
}

/// The weights of a network of ImageNet, read but not yet part of a network.
#[derive(Clone, Debug)]
pub struct PretrainedWeights {
    architecture: Architecture,
    origin: Origin,
    tensors: BTreeMap<String, FileTensor>,
    digest: String,
}

impl PretrainedWeights {
    /// Reads a file that has to hold the weights of an architecture.
    ///
    /// Taken are `.pth` and `.safetensors` of torchvision (VGG16, ResNet50, InceptionV3),
    /// `.safetensors` of timm (`mobilenetv1_100`) and Keras' `.h5` of all four.
    ///
    /// # Errors
    ///
    /// [`WeightsError`] for an architecture that takes none, another kind of file, a damaged one,
    /// one that would have Python run something, and one of another network.
    pub fn read(bytes: Vec<u8>, architecture: Architecture) -> Result<Self, WeightsError> {
        ensure!(
            architecture.takes_pretrained_weights(),
            NotTakenSnafu { architecture }
        );
        let digest = hex::encode(Sha256::digest(&bytes));
        let (origin, tensors) = tensors(bytes)?;
        let found = names::recognize(origin, &tensors);
        let found = found.context(ForeignSnafu { architecture })?;
        ensure!(
            found == architecture,
            ArchitectureSnafu {
                found,
                asked: architecture
            }
        );
        Ok(Self {
            architecture,
            origin,
            tensors,
            digest,
        })
    }

    /// The SHA-256 of the file, in hexadecimal digits.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    fn layout(&self) -> Layout {
        match self.origin {
            Origin::Keras => Layout::Keras,
            Origin::PyTorch => Layout::PyTorch,
        }
    }
}

/// The tensors of a file of any kind.
fn tensors(bytes: Vec<u8>) -> Result<(Origin, BTreeMap<String, FileTensor>), WeightsError> {
    const HDF5: &[u8] = b"\x89HDF\r\n\x1a\n";
    const PICKLE: u8 = 0x80;
    if bytes.starts_with(HDF5) {
        Ok((Origin::Keras, keras::tensors(bytes)?))
    } else if bytes.starts_with(ZIP)
        || bytes.first() == Some(&PICKLE) && bytes.get(8) != Some(&b'{')
    {
        Ok((Origin::PyTorch, pytorch::from_pth(bytes)?))
    } else if bytes.get(8) == Some(&b'{') {
        Ok((Origin::PyTorch, pytorch::from_safetensors(&bytes)?))
    } else {
        FormatSnafu.fail()
    }
}

impl Network {
    /// A network that starts from weights of ImageNet, with a new head that the seed decides.
    ///
    /// The network follows the conventions of the file's origin ([`Layout`]), and its
    /// [`Grey`](super::Grey) makes of a z-scored image what its filters have learnt from: the
    /// score stands for a colour's distance from ImageNet's mean, in ImageNet's standard
    /// deviations, in all three channels alike, and what that library did to a picture follows.
    ///
    /// # Errors
    ///
    /// [`WeightsError::Mismatch`] names every tensor that is missing, has another shape or type,
    /// holds a value that is not finite, or belongs to nothing; [`WeightsError::Network`] for
    /// fewer than two classes.
    pub fn pretrained(
        weights: &PretrainedWeights,
        classes: usize,
        seed: u64,
        device: &Device,
    ) -> Result<Self, WeightsError> {
        let network = Self::with_layout(
            weights.architecture,
            weights.layout(),
            classes,
            seed,
            device,
        )?;
        apply::apply(network, weights)
    }
}
