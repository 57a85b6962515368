//! Views of batches of images in the blocked layout, and what the kernels make of their values as
//! they read them.
//!
//! A view is a pointer whose length has been checked once; which plane it has is known to the
//! kernel that holds it.

use std::slice::from_ref;

use super::Simd;
use super::layout::{Plane, TILE};
use super::tiles::{Load, TilePosition};

/// Images that are read.
#[derive(Clone, Copy)]
pub(super) struct BatchView {
    start: *const f32,
    image: usize,
    block: usize,
    /// Blocks of channels of an image.
    pub blocks: usize,
}

impl BatchView {
    /// A view of `images` images.
    ///
    /// # Panics
    /// If `values` is too short for them.
    pub(super) fn new(values: &[f32], plane: Plane, blocks: usize, images: usize) -> Self {
        let image = blocks * plane.block();
        assert!(
            values.len() >= images * image,
            "the plan should give each layer its images"
        );
        Self {
            start: values.as_ptr(),
            image,
            block: plane.block(),
            blocks,
        }
    }

    /// # Safety
    /// `image` and `block` are within the view.
    #[inline(always)]
    pub(super) unsafe fn at(self, image: usize, block: usize) -> *const f32 {
        // SAFETY: `new` has checked the length.
        unsafe { self.start.add(image * self.image + block * self.block) }
    }

    /// Prefetches the pixels of a tile but for those that it shares with the tiles above and beside
    /// it.
    #[inline(always)]
    pub(super) fn prefetch<S: Simd>(self, s: S, plane: Plane, position: TilePosition) {
        for block in 0..self.blocks {
            let at = position.image * self.image + block * self.block + position.corner + S::LANES;
            for row in 2..2 + TILE {
                for line in (0..TILE * S::LANES).step_by(16) {
                    s.prefetch(self.start.wrapping_add(at + row * plane.row() + line));
                }
            }
        }
    }
}

/// Images that are written.
#[derive(Clone, Copy)]
pub(super) struct BatchViewMut {
    start: *mut f32,
    image: usize,
    block: usize,
}

impl BatchViewMut {
    /// As [`BatchView::new`].
    pub(super) fn new(values: &mut [f32], plane: Plane, blocks: usize, images: usize) -> Self {
        let image = blocks * plane.block();
        assert!(
            values.len() >= images * image,
            "the plan should give each layer its images"
        );
        Self {
            start: values.as_mut_ptr(),
            image,
            block: plane.block(),
        }
    }

    /// The same view, once its pixels are known to be aligned for streaming stores.
    pub(super) fn aligned(self, plane: Plane) -> Self {
        let bytes = plane.lanes * size_of::<f32>();
        assert!(
            self.start.addr().is_multiple_of(bytes),
            "images should begin at a multiple of a vector to be streamed"
        );
        self
    }

    /// # Safety
    /// `image` and `block` are within the view.
    #[inline(always)]
    pub(super) unsafe fn at(self, image: usize, block: usize) -> *mut f32 {
        // SAFETY: `new` has checked the length.
        unsafe { self.start.add(image * self.image + block * self.block) }
    }
}

/// Images to which batch normalisation and ReLU are applied as they are read: `max(value * scale +
/// shift, 0)`. A border of NaN reads as 0.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchNormRelu<'a> {
    pub values: &'a [f32],
    /// One for each lane of the blocks.
    pub scale: &'a [f32],
    /// One for each lane of the blocks.
    pub shift: &'a [f32],
}

/// Reads a [`BatchNormRelu`].
#[derive(Clone, Copy)]
pub(super) struct BatchNormReluLoad {
    pub images: BatchView,
    pub scale: *const f32,
    pub shift: *const f32,
}

impl BatchNormReluLoad {
    pub(super) fn new(
        source: BatchNormRelu<'_>,
        plane: Plane,
        blocks: usize,
        images: usize,
    ) -> Self {
        let lanes = blocks * plane.lanes;
        assert!(source.scale.len() >= lanes && source.shift.len() >= lanes);
        Self {
            images: BatchView::new(source.values, plane, blocks, images),
            scale: source.scale.as_ptr(),
            shift: source.shift.as_ptr(),
        }
    }
}

impl<S: Simd> Load<S> for BatchNormReluLoad {
    type Block = (usize, S::V, S::V);

    #[inline(always)]
    unsafe fn block(self, s: S, block: usize) -> Self::Block {
        let lane = block * S::LANES;
        // SAFETY: `new` has checked that there is one for each lane.
        unsafe {
            (
                block,
                s.load(self.scale.add(lane)),
                s.load(self.shift.add(lane)),
            )
        }
    }

    #[inline(always)]
    unsafe fn pixel(
        self,
        s: S,
        (block, scale, shift): Self::Block,
        image: usize,
        at: usize,
    ) -> S::V {
        // SAFETY: the caller vouches for image, block and pixel.
        let value = unsafe { s.load(self.images.at(image, block).add(at)) };
        s.relu_or_zero(s.fma(value, scale, shift))
    }

    #[inline(always)]
    fn images(&self) -> &[BatchView] {
        from_ref(&self.images)
    }
}

/// Reads images as they are.
#[derive(Clone, Copy)]
pub(super) struct PlainLoad(pub BatchView);

impl<S: Simd> Load<S> for PlainLoad {
    type Block = usize;

    #[inline(always)]
    unsafe fn block(self, _: S, block: usize) -> usize {
        block
    }

    #[inline(always)]
    unsafe fn pixel(self, s: S, block: usize, image: usize, at: usize) -> S::V {
        // SAFETY: the caller vouches for image, block and pixel.
        unsafe { s.load(self.0.at(image, block).add(at)) }
    }

    #[inline(always)]
    fn images(&self) -> &[BatchView] {
        from_ref(&self.0)
    }
}

/// The gradient of a convolution's outputs `z` from the gradient `g` of their normalisation: `g *
/// c0 + z * c1 + c2`, and 0 where `z` is NaN, which is in the border.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchNormGradient<'a> {
    /// The gradient of the normalised values; what its border holds does not matter.
    pub gradient: &'a [f32],
    /// The outputs, with a border of NaN.
    pub outputs: &'a [f32],
    /// `c0`, `c1` and `c2`, each with one value for each lane of the blocks.
    pub coefficients: [&'a [f32]; 3],
}

/// Reads a [`BatchNormGradient`].
#[derive(Clone, Copy)]
pub(super) struct BatchNormGradientLoad {
    /// The gradient and the outputs.
    pub images: [BatchView; 2],
    pub coefficients: [*const f32; 3],
}

impl BatchNormGradientLoad {
    pub(super) fn new(
        from: BatchNormGradient<'_>,
        plane: Plane,
        blocks: usize,
        images: usize,
    ) -> Self {
        let lanes = blocks * plane.lanes;
        assert!(from.coefficients.iter().all(|values| values.len() >= lanes));
        Self {
            images: [from.gradient, from.outputs]
                .map(|values| BatchView::new(values, plane, blocks, images)),
            coefficients: from.coefficients.map(<[f32]>::as_ptr),
        }
    }
}

impl<S: Simd> Load<S> for BatchNormGradientLoad {
    type Block = (usize, S::V, S::V, S::V);

    const KEPT: bool = true;

    #[inline(always)]
    unsafe fn block(self, s: S, block: usize) -> Self::Block {
        let lane = block * S::LANES;
        let [c0, c1, c2] = self.coefficients;
        // SAFETY: `new` has checked that there is one for each lane.
        unsafe {
            (
                block,
                s.load(c0.add(lane)),
                s.load(c1.add(lane)),
                s.load(c2.add(lane)),
            )
        }
    }

    #[inline(always)]
    unsafe fn pixel(self, s: S, block: Self::Block, image: usize, at: usize) -> S::V {
        let (block, c0, c1, c2) = block;
        // SAFETY: the caller vouches for image, block and pixel.
        let [g, z] = self
            .images
            .map(|images| unsafe { s.load(images.at(image, block).add(at)) });
        s.where_number(s.fma(g, c0, s.fma(z, c1, c2)), z)
    }

    #[inline(always)]
    fn images(&self) -> &[BatchView] {
        &self.images
    }
}
