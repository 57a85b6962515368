//! Images as the kernels reach them.

use std::slice::from_ref;

use super::Simd;
use super::layout::{Plane, TILE};
use super::tiles::{Load, Place};

/// Images that are read, of a plane that whoever holds this knows.
#[derive(Clone, Copy)]
pub(super) struct Images {
    start: *const f32,
    image: usize,
    block: usize,
    /// Blocks of an image.
    pub blocks: usize,
}

impl Images {
    /// As many images as asked for; `values` must hold them.
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
    /// There are so many images and blocks.
    #[inline(always)]
    pub(super) unsafe fn at(self, image: usize, block: usize) -> *const f32 {
        // SAFETY: `new` has checked the length.
        unsafe { self.start.add(image * self.image + block * self.block) }
    }

    /// Asks for a tile's pixels, those above and beside it left out.
    #[inline(always)]
    pub(super) fn prefetch<S: Simd>(self, s: S, plane: Plane, place: Place) {
        for block in 0..self.blocks {
            let at = place.image * self.image + block * self.block + place.corner + S::LANES;
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
pub(super) struct ImagesMut {
    start: *mut f32,
    image: usize,
    block: usize,
}

impl ImagesMut {
    /// As [`Images::new`].
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

    /// The same, once it is known that each pixel begins where a streaming store can.
    pub(super) fn aligned(self, plane: Plane) -> Self {
        let bytes = plane.lanes * size_of::<f32>();
        assert!(
            self.start.addr().is_multiple_of(bytes),
            "images should begin at a multiple of a vector to be streamed"
        );
        self
    }

    /// # Safety
    /// There are so many images and blocks.
    #[inline(always)]
    pub(super) unsafe fn at(self, image: usize, block: usize) -> *mut f32 {
        // SAFETY: `new` has checked the length.
        unsafe { self.start.add(image * self.image + block * self.block) }
    }
}

/// Values and what they become when they are read: `max(value * scale + shift, 0)`, which is batch
/// normalisation and ReLU. A border of NaN reads as 0.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source<'a> {
    /// The images.
    pub values: &'a [f32],
    /// One for each lane of the blocks.
    pub scale: &'a [f32],
    /// One for each lane of the blocks.
    pub shift: &'a [f32],
}

/// A [`Source`] as it is read.
#[derive(Clone, Copy)]
pub(super) struct Activated {
    pub images: Images,
    pub scale: *const f32,
    pub shift: *const f32,
}

impl Activated {
    pub(super) fn new(source: Source<'_>, plane: Plane, blocks: usize, images: usize) -> Self {
        let lanes = blocks * plane.lanes;
        assert!(source.scale.len() >= lanes && source.shift.len() >= lanes);
        Self {
            images: Images::new(source.values, plane, blocks, images),
            scale: source.scale.as_ptr(),
            shift: source.shift.as_ptr(),
        }
    }
}

impl<S: Simd> Load<S> for Activated {
    type Block = (usize, S::V, S::V);

    #[inline(always)]
    unsafe fn block(self, s: S, block: usize) -> Self::Block {
        let lane = block * S::LANES;
        // SAFETY: `new` has checked that there are so many.
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
        // SAFETY: the caller vouches for the place.
        let value = unsafe { s.load(self.images.at(image, block).add(at)) };
        s.relu_or_zero(s.fma(value, scale, shift))
    }

    #[inline(always)]
    fn images(&self) -> &[Images] {
        from_ref(&self.images)
    }
}

/// Values that are read as they are.
#[derive(Clone, Copy)]
pub(super) struct Plain(pub Images);

impl<S: Simd> Load<S> for Plain {
    type Block = usize;

    #[inline(always)]
    unsafe fn block(self, _: S, block: usize) -> usize {
        block
    }

    #[inline(always)]
    unsafe fn pixel(self, s: S, block: usize, image: usize, at: usize) -> S::V {
        // SAFETY: the caller vouches for the place.
        unsafe { s.load(self.0.at(image, block).add(at)) }
    }

    #[inline(always)]
    fn images(&self) -> &[Images] {
        from_ref(&self.0)
    }
}

/// The gradient of a convolution's outputs `z`, from that of their normalisation `g`:
/// `g * c0 + z * c1 + c2`, and 0 where `z` is NaN, that is in the border.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Differential<'a> {
    /// The gradient of the normalised values; its border is not read as such.
    pub gradient: &'a [f32],
    /// The outputs, with a border of NaN.
    pub outputs: &'a [f32],
    /// `c0`, `c1` and `c2`, each one for each lane of the blocks.
    pub coefficients: [&'a [f32]; 3],
}

/// A [`Differential`] as it is read.
#[derive(Clone, Copy)]
pub(super) struct Derived {
    /// The gradient and the outputs.
    pub images: [Images; 2],
    pub coefficients: [*const f32; 3],
}

impl Derived {
    pub(super) fn new(from: Differential<'_>, plane: Plane, blocks: usize, images: usize) -> Self {
        let lanes = blocks * plane.lanes;
        assert!(from.coefficients.iter().all(|values| values.len() >= lanes));
        Self {
            images: [from.gradient, from.outputs]
                .map(|values| Images::new(values, plane, blocks, images)),
            coefficients: from.coefficients.map(<[f32]>::as_ptr),
        }
    }
}

impl<S: Simd> Load<S> for Derived {
    type Block = (usize, S::V, S::V, S::V);

    const KEPT: bool = true;

    #[inline(always)]
    unsafe fn block(self, s: S, block: usize) -> Self::Block {
        let lane = block * S::LANES;
        let [c0, c1, c2] = self.coefficients;
        // SAFETY: `new` has checked that there are so many.
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
        // SAFETY: the caller vouches for the place.
        let [g, z] = self
            .images
            .map(|images| unsafe { s.load(images.at(image, block).add(at)) });
        s.where_number(s.fma(g, c0, s.fma(z, c1, c2)), z)
    }

    #[inline(always)]
    fn images(&self) -> &[Images] {
        &self.images
    }
}
