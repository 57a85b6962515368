use std::ops::Range;

use burn::tensor::ops::ConvOptions;

/// What a convolution does to sizes; pairs are of rows and columns.
#[derive(Clone, Copy, Debug)]
pub(super) struct Geometry {
    /// Images.
    pub batch: usize,
    /// Channels before and after.
    pub channels: [usize; 2],
    /// Of an image.
    pub size: [usize; 2],
    /// Of a filter.
    pub kernel: [usize; 2],
    /// Of what an image becomes.
    pub output: [usize; 2],
    /// Steps of the filter.
    pub stride: [usize; 2],
    /// Zeros before the first row and column.
    pub padding: [usize; 2],
}

impl Geometry {
    /// Of a convolution of images `[batch, channels_in, height, width]` by a weight
    /// `[channels_out, channels_in / groups, height, width]`; nothing if it leaves no output.
    pub(super) fn new(
        images: &[usize],
        weight: &[usize],
        options: &ConvOptions<2>,
    ) -> Option<Self> {
        let output = |axis: usize| {
            let (before, after) = options.padding[axis];
            let room = (images[2 + axis] + before + after).checked_sub(weight[2 + axis])?;
            Some(room / options.stride[axis] + 1)
        };
        Some(Self {
            batch: images[0],
            channels: [images[1], weight[0]],
            size: [images[2], images[3]],
            kernel: [weight[2], weight[3]],
            output: [output(0)?, output(1)?],
            stride: options.stride,
            padding: options.padding.map(|(before, _)| before),
        })
    }

    /// Whether each place sees one pixel, and each pixel one place.
    pub(super) fn is_pointwise(&self) -> bool {
        self.kernel == [1, 1] && self.stride == [1, 1] && self.size == self.output
    }

    /// Where a weight looks when the filter is at a place, along rows (0) or columns (1).
    pub(super) fn seen(&self, axis: usize, place: usize, offset: usize) -> Option<usize> {
        let seen = (place * self.stride[axis] + offset).checked_sub(self.padding[axis])?;
        (seen < self.size[axis]).then_some(seen)
    }

    /// The places at which a weight looks into the image.
    pub(super) fn inside(&self, axis: usize, offset: usize) -> Range<usize> {
        let all = 0..self.output[axis];
        let looks = |place: &usize| self.seen(axis, *place, offset).is_some();
        let start = all.clone().find(looks).unwrap_or(self.output[axis]);
        let end = all.rev().find(looks).map_or(start, |last| last + 1);
        start..end
    }
}
