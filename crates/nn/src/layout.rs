//! Whose conventions an ImageNet network follows, Keras' or PyTorch's.

use std::fmt;

/// Whose conventions a network of ImageNet follows, where Keras and PyTorch differ.
///
/// The paper used Keras, and a network that starts from random weights is Keras'. One that starts
/// from a file of torchvision or timm computes as those do, since its weights were trained so.
///
/// | network | Keras | PyTorch |
/// |---|---|---|
/// | VGG16 | | the same |
/// | ResNet50 | stride in a unit's first 1x1 convolution, epsilon 1.001e-5 | in its 3x3 convolution ("v1.5"), epsilon 1e-5 |
/// | InceptionV3 | no scale after normalisation; an average leaves out the border | a scale; the border counts as zeros |
/// | MobileNet | at stride 2 zeros below and to the right, epsilon 1e-3 | on all sides, epsilon 1e-5 |
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// Keras' applications.
    #[default]
    Keras,
    /// torchvision and timm.
    PyTorch,
}

impl Layout {
    /// The layout of a name that [`Display`](fmt::Display) gave.
    pub(super) fn named(name: &str) -> Option<Self> {
        [Self::Keras, Self::PyTorch]
            .into_iter()
            .find(|layout| layout.to_string() == name)
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
