use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A network of the paper.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
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
}

impl Architecture {
    /// Every architecture, in the paper's order.
    pub const ALL: [Self; 6] = [
        Self::Linear,
        Self::Residual,
        Self::VGG16,
        Self::ResNet50,
        Self::InceptionV3,
        Self::MobileNet,
    ];

    /// Whether it can start from weights of ImageNet.
    pub const fn takes_pretrained_weights(self) -> bool {
        !matches!(self, Self::Linear | Self::Residual)
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
