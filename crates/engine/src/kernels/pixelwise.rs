//! Layers that work pixel by pixel: average pools, and the additions at the end of skip
//! connections.

use super::backward::Activation;
use super::batch_view::{BatchNormRelu, BatchNormReluLoad, BatchView, BatchViewMut};
use super::epilogue::add;
use super::layout::Plane;
use super::tiles::Load;
use super::{Isa, Kernel, Simd};

/// A 2x2 average pool with stride 2.
#[derive(Debug)]
pub(crate) struct AveragePool<'a> {
    /// The plane of the inputs.
    pub plane: Plane,
    pub blocks: usize,
    pub images: usize,
    /// The inputs, normalised and activated as they are read.
    pub input: BatchNormRelu<'a>,
    /// The outputs, half as high and wide. The border is not touched.
    pub output: &'a mut [f32],
}

impl AveragePool<'_> {
    pub(crate) fn run(self, isa: Isa) {
        isa.run(self);
    }
}

/// The offsets of the pixels of a 2x2 square within a block.
#[inline(always)]
fn square(plane: Plane, y: usize, x: usize) -> [usize; 4] {
    let at = (2 * y + 1) * plane.row() + (2 * x + 1) * plane.lanes;
    let below = at + plane.row();
    [at, at + plane.lanes, below, below + plane.lanes]
}

impl Kernel for AveragePool<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (plane, half) = (self.plane, self.plane.halved());
        assert_eq!(plane.lanes, S::LANES);
        let input = BatchNormReluLoad::new(self.input, plane, self.blocks, self.images);
        let output = BatchViewMut::new(self.output, half, self.blocks, self.images);
        for image in 0..self.images {
            for block in 0..self.blocks {
                // SAFETY: the views have checked images and blocks, and the squares are within
                // them.
                unsafe {
                    let constants = input.block(s, block);
                    let to = output.at(image, block);
                    for y in 0..half.height {
                        for x in 0..half.width {
                            let [a, b, c, d] = square(plane, y, x);
                            let upper = s.add(
                                input.pixel(s, constants, image, a),
                                input.pixel(s, constants, image, b),
                            );
                            let lower = s.add(
                                input.pixel(s, constants, image, c),
                                input.pixel(s, constants, image, d),
                            );
                            let mean = s.mul(s.add(upper, lower), s.splat(0.25));
                            s.store(to.add((y + 1) * half.row() + (x + 1) * S::LANES), mean);
                        }
                    }
                }
            }
        }
    }
}

/// The backward pass of a pool and of the activation before it.
#[derive(Debug)]
pub(crate) struct AveragePoolBackward<'a> {
    /// The plane of the inputs.
    pub plane: Plane,
    pub blocks: usize,
    pub images: usize,
    /// The gradient of the outputs.
    pub output: &'a [f32],
    /// The inputs, normalised and activated as they are read.
    pub source: BatchNormRelu<'a>,
    /// How they were activated.
    pub activation: Activation<'a>,
    /// Receives the gradient of the inputs before their activation.
    pub gradient: &'a mut [f32],
    /// As in [`Input`](super::Input).
    pub sums: &'a mut [f64],
}

impl AveragePoolBackward<'_> {
    pub(crate) fn run(self, isa: Isa) {
        isa.run(self);
    }
}

impl Kernel for AveragePoolBackward<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (plane, half) = (self.plane, self.plane.halved());
        assert_eq!(plane.lanes, S::LANES);
        let from = BatchView::new(self.output, half, self.blocks, self.images);
        let input = BatchNormReluLoad::new(self.source, plane, self.blocks, self.images);
        let outputs = match self.activation {
            Activation::Stored(outputs) => BatchView::new(outputs, plane, self.blocks, self.images),
            Activation::OnLoad | Activation::None => input.images,
        };
        let gradient = BatchViewMut::new(self.gradient, plane, self.blocks, self.images);
        let (sums, products) = self.sums.split_at_mut(self.blocks * S::LANES);
        for image in 0..self.images {
            for block in 0..self.blocks {
                // SAFETY: the views have checked images and blocks, and the squares are within
                // them.
                unsafe {
                    let constants = input.block(s, block);
                    let (from, z) = (from.at(image, block), outputs.at(image, block));
                    let to = gradient.at(image, block);
                    for y in 0..half.height {
                        let (mut sum, mut product) = (s.splat(0.0), s.splat(0.0));
                        for x in 0..half.width {
                            let value = s.load(from.add((y + 1) * half.row() + (x + 1) * S::LANES));
                            let value = s.mul(value, s.splat(0.25));
                            for at in square(plane, y, x) {
                                let by = input.pixel(s, constants, image, at);
                                let passed = s.where_positive(value, by);
                                sum = s.add(sum, passed);
                                product = s.fma(passed, s.load(z.add(at)), product);
                                s.store(to.add(at), passed);
                            }
                        }
                        add(s, sums, block, sum);
                        add(s, products, block, product);
                    }
                }
            }
        }
    }
}

/// The end of a skip connection: a layer's normalised outputs and earlier images are added, then
/// activated.
#[derive(Debug)]
pub(crate) struct ResidualAdd<'a> {
    /// The plane of all of them.
    pub plane: Plane,
    pub blocks: usize,
    pub images: usize,
    /// The layer's outputs, normalised but not activated as they are read.
    pub outputs: BatchNormRelu<'a>,
    /// The earlier images, normalised and activated as they are read.
    pub skip: BatchNormRelu<'a>,
    /// Blocks of the earlier images; blocks that are missing count as 0.
    pub skip_blocks: usize,
    /// The sums, with a border of 0.
    pub to: &'a mut [f32],
}

impl ResidualAdd<'_> {
    pub(crate) fn run(self, isa: Isa) {
        isa.run(self);
    }
}

impl Kernel for ResidualAdd<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let plane = self.plane;
        assert_eq!(plane.lanes, S::LANES);
        let outputs = BatchNormReluLoad::new(self.outputs, plane, self.blocks, self.images);
        let skip = BatchNormReluLoad::new(self.skip, plane, self.skip_blocks, self.images);
        let to = BatchViewMut::new(self.to, plane, self.blocks, self.images);
        for image in 0..self.images {
            for block in 0..self.blocks {
                // SAFETY: the views have checked images and blocks; the border is part of a block.
                unsafe {
                    let (_, scale, shift) = outputs.block(s, block);
                    let from = outputs.images.at(image, block);
                    let to = to.at(image, block);
                    if block < self.skip_blocks {
                        let constants = skip.block(s, block);
                        for at in (0..plane.block()).step_by(S::LANES) {
                            let sum = s.fma(s.load(from.add(at)), scale, shift);
                            let sum = s.add(sum, skip.pixel(s, constants, image, at));
                            s.store(to.add(at), s.relu_or_zero(sum));
                        }
                    } else {
                        for at in (0..plane.block()).step_by(S::LANES) {
                            let sum = s.fma(s.load(from.add(at)), scale, shift);
                            s.store(to.add(at), s.relu_or_zero(sum));
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::super::batch_view::BatchNormGradient;
    use super::super::{Level, StemBackward, StemEpilogue, StemForward};
    use super::*;

    /// Whether a kernel refuses images of 8 lanes where vectors have 16.
    fn refuses(run: impl FnOnce(Isa)) -> bool {
        let isa = Isa::available(Level::Portable16).unwrap();
        catch_unwind(AssertUnwindSafe(|| run(isa))).is_err()
    }

    #[test]
    fn images_of_other_lanes_than_a_vector_has_are_refused() {
        let plane = Plane {
            height: 4,
            width: 4,
            lanes: 8,
        };
        // Long enough for 16 lanes, so that a kernel that fails to refuse them stays within its
        // memory.
        let values = [1.0; 1024];
        let source = BatchNormRelu {
            values: &values,
            scale: &values,
            shift: &values,
        };
        let (mut to, mut sums) = ([0.0; 1024], [0.0; 1024]);
        let (blocks, images) = (1, 1);
        assert!(refuses(|isa| {
            let output = &mut to[..];
            let input = source;
            AveragePool {
                plane,
                blocks,
                images,
                input,
                output,
            }
            .run(isa);
        }));
        assert!(refuses(|isa| {
            AveragePoolBackward {
                plane,
                blocks,
                images,
                output: &values,
                source,
                activation: Activation::OnLoad,
                gradient: &mut to,
                sums: &mut sums,
            }
            .run(isa);
        }));
        assert!(refuses(|isa| {
            ResidualAdd {
                plane,
                blocks,
                images,
                outputs: source,
                skip: source,
                skip_blocks: blocks,
                to: &mut to,
            }
            .run(isa);
        }));
        assert!(refuses(|isa| {
            StemForward {
                plane,
                input: &values[..36],
                weights: &values,
                blocks,
                epilogue: StemEpilogue::BiasRelu(&values),
                output: &mut to,
            }
            .run(isa);
        }));
        assert!(refuses(|isa| {
            let output = BatchNormGradient {
                gradient: &values,
                outputs: &values,
                coefficients: [&values; 3],
            };
            StemBackward {
                plane,
                input: &values[..36],
                output,
                blocks,
                sums: &mut sums,
            }
            .run(isa);
        }));
    }
}
