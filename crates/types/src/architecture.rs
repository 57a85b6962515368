//! The networks of the paper and attrium's own, by their names.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, VariantArray};

/// A network of the paper, or attrium's own.
#[derive(
    Clone,
    Copy,
    Debug,
    Display,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    VariantArray,
)]
pub enum Architecture {
    /// Four blocks of six 3x3 convolutions.
    Linear,
    /// `Linear` with a skip connection around every other convolution.
    Residual,
    /// Thirteen 3x3 convolutions; known from ImageNet, as are the next.
    VGG16,
    /// Sixteen units of three convolutions with skip connections.
    ResNet50,
    /// Eleven blocks of branches side by side.
    InceptionV3,
    /// Convolutions of single channels and of single pixels in turn.
    MobileNet,
    /// Attrium's own: seven convolutions on a smaller image, and grades in their order.
    Heart,
}

impl Architecture {
    /// Every architecture, in the paper's order, attrium's own last.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// Whether it can start from weights of ImageNet.
    pub const fn takes_pretrained_weights(self) -> bool {
        !matches!(self, Self::Linear | Self::Residual | Self::Heart)
    }
}
