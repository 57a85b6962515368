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
    /// The network of ImageNet of that name.
    VGG16,
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
