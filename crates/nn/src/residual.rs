//! The network "Residual" (paper, "Networks").

use burn::tensor::{Device, Tensor};

use super::Stack;
use super::stack::StackShape;

/// The [`Stack`] with a skip connection around every other convolution: the six layers of a block
/// are three pairs, and the input of a pair is added before the activation of its second layer.
///
/// Where a block widens the image, the input has fewer channels than the output; it is then added
/// to the first of them, as if the others were zero. This needs no parameters (option A of He et
/// al. 2016), and leaves ten layers a block, as many as lie between the layers that the paper
/// shows (2, 12, 22, 32); a projection would be one more. The parameters are those of "Linear", by
/// name and shape.
pub(super) fn new(classes: usize, device: &Device) -> Stack {
    Stack::new(StackShape::paper(true), classes, device)
}

/// Adds the input of a pair to the output of its second layer.
///
/// # Shapes
/// - `images`: `[batch, channels, height, width]`, output: the same
/// - `input`: `[batch, channels_in, height, width]`, with no more channels than `images`
pub(super) fn skip(images: Tensor<4>, input: Tensor<4>) -> Tensor<4> {
    let [batch, channels, height, width] = images.dims();
    let missing = channels - input.dims()[1];
    if missing == 0 {
        return images + input;
    }
    let zeros = Tensor::zeros([batch, missing, height, width], &input.device());
    images + Tensor::cat(vec![input, zeros], 1)
}
