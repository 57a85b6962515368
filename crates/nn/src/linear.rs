//! The network "Linear" (paper, "Networks").

use burn::tensor::Device;

use super::Stack;
use super::stack::StackShape;

/// The plain [`Stack`], in which each layer follows on the one before.
pub(super) fn new(classes: usize, device: &Device) -> Stack {
    Stack::new(StackShape::paper(false), classes, device)
}
