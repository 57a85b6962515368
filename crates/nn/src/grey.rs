//! From the one channel of a scan to the three of ImageNet.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};

/// Makes three channels of a grey image for a network of colour images, each `grey * scale +
/// offset`.
///
/// Both belong to the weights: they are kept with them and never trained. With 1 and 0, as in a
/// network of random weights, the z-scored image is repeated three times. Filters that ImageNet has
/// trained expect images of another scale, which can be stated here without a change of the
/// filters.
#[derive(Module, Debug)]
pub struct Grey {
    /// `[3]`
    pub scale: Param<Tensor<1>>,
    /// `[3]`
    pub offset: Param<Tensor<1>>,
}

impl Grey {
    /// Repeats the image three times.
    pub fn new(device: &Device) -> Self {
        let constant = |value| Param::from_tensor(value).set_require_grad(false);
        Self {
            scale: constant(Tensor::ones([3], device)),
            offset: constant(Tensor::zeros([3], device)),
        }
    }

    /// # Shapes
    /// - `images`: `[batch, 1, height, width]`, output: `[batch, 3, height, width]`
    pub fn forward(&self, images: Tensor<4>) -> Tensor<4> {
        let channels = |of: &Param<Tensor<1>>| of.val().reshape([1, 3, 1, 1]);
        images * channels(&self.scale) + channels(&self.offset)
    }
}
