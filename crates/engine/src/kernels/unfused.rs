//! A convolution by itself: nothing is normalised, activated or summed on its way.

use super::backward::Pass;
use super::batch_view::{Images, ImagesMut, Plain};
use super::batched_gemm::{Next, Products};
use super::convolution::{Shape, convolve};
use super::gemm::GradientPoint;
use super::layout::{Plane, TILE};
use super::tiles::{Finish, MOST, Place, gather, scatter, scatter_inner};
use super::{Isa, Kernel, Simd};

/// The outputs of a convolution, or the gradient of its inputs, which is a convolution too.
#[derive(Debug)]
pub(crate) struct SingleForward<'a> {
    /// The sizes.
    pub shape: Shape,
    /// The inputs, with a border of 0.
    pub input: &'a [f32],
    /// The transformed weights.
    pub weights: &'a [f32],
    /// The outputs. The border is not touched.
    pub output: &'a mut [f32],
    /// Two times [`Shape::scratch`].
    pub scratch: &'a mut [f32],
}

impl SingleForward<'_> {
    /// Computes it.
    pub(crate) fn run(self, isa: Isa) {
        isa.run(self);
    }
}

impl Kernel for SingleForward<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Shape {
            plane,
            blocks_in,
            blocks_out,
            images,
            ..
        } = self.shape;
        assert_eq!(plane.lanes, S::LANES);
        let load = plain(self.input, plane, blocks_in, images);
        let output = ImagesMut::new(self.output, plane, blocks_out, images);
        let mut finish = Store { plane, output };
        // SAFETY: images have been checked as both were made.
        unsafe { convolve(s, self.shape, load, self.weights, self.scratch, &mut finish) };
    }
}

/// The gradient of a convolution, of its weights and of its inputs.
#[derive(Debug)]
pub(crate) struct SingleBackward<'a> {
    /// The sizes.
    pub shape: Shape,
    /// The gradient of the outputs, with a border of 0.
    pub output: &'a [f32],
    /// The inputs.
    pub input: &'a [f32],
    /// The transformed weights, turned round, as for [`Backward`](super::Backward).
    pub weights: &'a [f32],
    /// As that of [`Backward`](super::Backward).
    pub weights_gradient: &'a mut [f32],
    /// Whether nothing is to be added to `weights_gradient`.
    pub first: bool,
    /// Becomes the gradient of the inputs, if that is wanted. The border is not touched.
    pub gradient: Option<&'a mut [f32]>,
    /// Three times [`Shape::scratch`].
    pub scratch: &'a mut [f32],
}

impl SingleBackward<'_> {
    /// Computes it.
    pub(crate) fn run(self, isa: Isa) {
        isa.run(self);
    }
}

impl Kernel for SingleBackward<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Shape {
            plane,
            blocks_in,
            blocks_out,
            images,
            ..
        } = self.shape;
        assert_eq!(plane.lanes, S::LANES);
        let load = plain(self.output, plane, blocks_out, images);
        let input = plain(self.input, plane, blocks_in, images);
        let wanted = self.gradient.as_ref().map_or(0, |_| blocks_in);
        let gradient = self.gradient.unwrap_or_default();
        let output = ImagesMut::new(gradient, plane, wanted, images);
        let mut finish = Store { plane, output };
        let pass = Pass::new(
            self.shape,
            self.weights,
            self.weights_gradient,
            self.first,
            self.scratch,
        );
        // SAFETY: all images and lengths have just been checked.
        unsafe { pass.run(s, load, input, wanted, &mut finish) };
    }
}

/// The gradient of a convolution's inputs, of no more tiles than are transformed at once, which are
/// kept for [`PointGradient`].
#[derive(Debug)]
pub(crate) struct SingleInput<'a> {
    /// The sizes.
    pub shape: Shape,
    /// The gradient of the outputs, with a border of 0.
    pub output: &'a [f32],
    /// The inputs.
    pub input: &'a [f32],
    /// The transformed weights, turned round.
    pub weights: &'a [f32],
    /// Becomes the gradient of the inputs. The border is not touched.
    pub gradient: &'a mut [f32],
    /// The transformed tiles of outputs and of inputs, each [`Shape::scratch`].
    pub tiles: [&'a mut [f32]; 2],
    /// [`Shape::scratch`].
    pub scratch: &'a mut [f32],
}

impl SingleInput<'_> {
    /// Computes it.
    pub(crate) fn run(self, isa: Isa) {
        isa.run(self);
    }
}

impl Kernel for SingleInput<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let shape = self.shape;
        let Shape {
            plane,
            blocks_in,
            blocks_out,
            images,
            ..
        } = shape;
        assert_eq!(plane.lanes, S::LANES);
        let load = plain(self.output, plane, blocks_out, images);
        let input = plain(self.input, plane, blocks_in, images);
        let output = ImagesMut::new(self.gradient, plane, blocks_in, images);
        let mut finish = Store { plane, output };
        let order = shape.order();
        let tiles = order.tiles();
        let [data, inner] = self.tiles;
        let lengths = [&*data, &*inner, &*self.scratch].map(<[f32]>::len);
        assert!(tiles <= shape.group() && lengths.iter().all(|len| *len >= shape.scratch()));
        assert!(self.weights.len() >= shape.weights());
        let [data, inner] = [data, inner].map(<[f32]>::as_mut_ptr);
        let scratch = self.scratch.as_mut_ptr();
        let mut places = [Place::default(); MOST];
        order.group(0, tiles, &mut places);
        let places = &places[..tiles];
        let [in_strides, out_strides] = [blocks_in, blocks_out].map(|n| shape.strides(n));
        let products = Products {
            weights: self.weights,
            from: data,
            from_strides: out_strides,
            blocks_in: blocks_out,
            to: scratch,
            to_strides: in_strides,
            blocks_out: blocks_in,
            tiles,
            gradient: None,
            next: Next {
                plane,
                places: &[],
                images: [&[], &[]],
            },
        };
        // SAFETY: all images and lengths have just been checked.
        unsafe {
            scatter(s, load, plane, blocks_out, places, data, out_strides);
            scatter_inner(s, input, plane, blocks_in, places, inner, in_strides);
            products.run(s);
            gather(s, &mut finish, blocks_in, places, scratch, in_strides);
        }
    }
}

/// One of the 36 points of the gradient of a convolution's weights.
#[derive(Debug)]
pub(crate) struct PointGradient<'a> {
    /// The sizes.
    pub shape: Shape,
    /// Which of the points.
    pub point: usize,
    /// The tiles that [`SingleInput`] has kept: of outputs, then of inputs.
    pub tiles: [&'a [f32]; 2],
    /// Whether nothing is to be added to `gradient`.
    pub first: bool,
    /// As that of [`Backward`](super::Backward), of this point.
    pub gradient: &'a mut [f32],
}

impl PointGradient<'_> {
    /// Computes it.
    pub(crate) fn run(self, isa: Isa) {
        isa.run(self);
    }
}

impl Kernel for PointGradient<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let shape = self.shape;
        let tiles = shape.order().tiles();
        let lengths = self.tiles.map(<[f32]>::len);
        assert!(self.point < 36 && shape.plane.lanes == S::LANES);
        assert!(tiles <= shape.group() && lengths.iter().all(|len| *len >= shape.scratch()));
        assert!(36 * self.gradient.len() >= shape.weights());
        let [inner_strides, data_strides] =
            [shape.blocks_in, shape.blocks_out].map(|blocks| shape.strides(blocks));
        let [data, inner] = self.tiles.map(<[f32]>::as_ptr);
        // SAFETY: all lengths have just been checked.
        unsafe {
            GradientPoint {
                inner: inner.add(self.point * inner_strides.point),
                inner_strides,
                blocks_in: shape.blocks_in,
                data: data.add(self.point * data_strides.point),
                data_strides,
                blocks_out: shape.blocks_out,
                to: self.gradient.as_mut_ptr(),
                tiles,
                first: self.first,
            }
            .multiply(s);
        }
    }
}

fn plain(values: &[f32], plane: Plane, blocks: usize, images: usize) -> Plain {
    Plain(Images::new(values, plane, blocks, images))
}

/// Stores outputs as they are.
struct Store {
    plane: Plane,
    output: ImagesMut,
}

impl<S: Simd> Finish<S> for Store {
    type Block = usize;

    #[inline(always)]
    unsafe fn begin(&self, _: S, block: usize) -> usize {
        block
    }

    #[inline(always)]
    unsafe fn rows(
        &mut self,
        s: S,
        block: &mut usize,
        place: Place,
        lower: bool,
        rows: [[S::V; TILE]; 2],
    ) {
        let at = place.corner + self.plane.inside() + 2 * usize::from(lower) * self.plane.row();
        // SAFETY: the caller vouches for place and block.
        unsafe {
            let to = self.output.at(place.image, *block).add(at);
            for row in 0..2 {
                for column in 0..TILE {
                    let to = to.add(row * self.plane.row() + column * S::LANES);
                    s.store(to, rows[row][column]);
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn end(&mut self, _: S, _: usize, _: usize) {}
}
