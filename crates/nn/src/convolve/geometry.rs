//! The sizes of a convolution, and which pixels its outputs depend on.

use std::ops::Range;

use burn::tensor::ops::ConvOptions;

/// The sizes of a convolution. Pairs are of rows and columns.
#[derive(Clone, Copy, Debug)]
pub(super) struct Geometry {
    pub batch: usize,
    /// Channels of inputs and of outputs.
    pub channels: [usize; 2],
    /// Of an input image.
    pub size: [usize; 2],
    /// Of a filter.
    pub kernel: [usize; 2],
    /// Of an output image.
    pub output: [usize; 2],
    pub stride: [usize; 2],
    /// Zeros before the first row and column.
    pub padding: [usize; 2],
}

impl Geometry {
    /// The geometry of a convolution of images `[batch, channels_in, height, width]` by a weight
    /// `[channels_out, channels_in / groups, height, width]`; `None` if it has no output.
    pub(super) fn new(
        images: &[usize],
        weight: &[usize],
        options: &ConvOptions<2>,
    ) -> Option<Self> {
        let size = |axis: usize| {
            let (before, after) = options.padding[axis];
            let room = (images[2 + axis] + before + after).checked_sub(weight[2 + axis])?;
            Some(room / options.stride[axis] + 1)
        };
        Some(Self {
            batch: images[0],
            channels: [images[1], weight[0]],
            size: [images[2], images[3]],
            kernel: [weight[2], weight[3]],
            output: [size(0)?, size(1)?],
            stride: options.stride,
            padding: options.padding.map(|(before, _)| before),
        })
    }

    /// Whether the convolution is pointwise: each output depends on one pixel, and each pixel
    /// decides one output.
    pub(super) fn is_pointwise(&self) -> bool {
        self.kernel == [1, 1] && self.stride == [1, 1] && self.size == self.output
    }

    /// The row (axis 0) or column (axis 1) that a tap of the filter reads for an output; `None` in
    /// the padding.
    pub(super) fn input_index(&self, axis: usize, output: usize, tap: usize) -> Option<usize> {
        let index = (output * self.stride[axis] + tap).checked_sub(self.padding[axis])?;
        (index < self.size[axis]).then_some(index)
    }

    /// The outputs for which a tap of the filter reads the image rather than its padding.
    pub(super) fn valid_outputs(&self, axis: usize, tap: usize) -> Range<usize> {
        let all = 0..self.output[axis];
        let reads = |output: &usize| self.input_index(axis, *output, tap).is_some();
        let start = all.clone().find(reads).unwrap_or(self.output[axis]);
        let end = all.rev().find(reads).map_or(start, |last| last + 1);
        start..end
    }
}
