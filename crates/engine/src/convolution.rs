//! One 3x3 convolution by itself, of images whose channels lie one after the other.

use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};
use rayon::slice::{ParallelSlice, ParallelSliceMut};

use super::error::check;
use super::kernels::{
    Direction, Isa, Memory, Plane, PointGradient, Shape, SingleBackward, SingleForward,
    SingleInput, TILE, Window,
};
use super::weights::{collect, par_collect, total, transform};
use super::workspace::{Shares, memory};
use super::{Error, training_shares};

/// A 3x3 convolution with a step of 1, for images of any size.
///
/// Numbers are the same, bit for bit, on one type of processor, however many threads there are.
#[derive(Clone, Copy, Debug)]
pub struct Single {
    isa: Isa,
    plane: Plane,
    channels: [usize; 2],
    input: Window,
    output: Window,
}

/// Parts of a batch whose tiles are kept at a time.
const UNITS: usize = 8;

/// The sizes of a [`Single`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Channels before and after.
    pub channels: [usize; 2],
    /// Height and width of the inputs.
    pub input: [usize; 2],
    /// Whether there is a row of zeros above and below, and a column at the left and right.
    pub padded: [bool; 2],
}

impl Single {
    /// A convolution of these sizes; nothing if an image is too small for an output.
    pub fn new(sizes: Sizes, isa: Isa) -> Option<Self> {
        let Sizes {
            channels,
            input: [height, width],
            padded,
        } = sizes;
        let first = padded.map(|padded| usize::from(!padded));
        let output = [
            height.checked_sub(2 * first[0])?,
            width.checked_sub(2 * first[1])?,
        ];
        if channels.contains(&0) || output.contains(&0) {
            return None;
        }
        Some(Self {
            isa,
            plane: Plane {
                height: height.next_multiple_of(TILE),
                width: width.next_multiple_of(TILE),
                lanes: isa.lanes(),
            },
            channels,
            input: Window {
                first: [0, 0],
                size: [height, width],
            },
            output: Window {
                first,
                size: output,
            },
        })
    }

    /// The outputs, by so many threads.
    ///
    /// # Shapes
    /// - `images`: `[batch, channels_in, height, width]`
    /// - `weight`: `[channels_out, channels_in, 3, 3]`
    /// - `outputs`: `[batch, channels_out, height, width]`, two less high or wide where nothing is padded
    ///
    /// # Errors
    ///
    /// [`Error::Size`] if one of them has another size, [`Error::Memory`] if there is none.
    pub fn forward(
        &self,
        threads: usize,
        images: &[f32],
        weight: &[f32],
        outputs: &mut [f32],
    ) -> Result<(), Error> {
        let batch = self.batch(images, weight, outputs.len())?;
        let shares = Shares::new(batch, threads);
        let weights = self.transform(weight, Direction::Forward)?;
        let [before, after] = self.floats();
        outputs
            .par_chunks_mut(shares.each * after)
            .zip(images.par_chunks(shares.each * before))
            .with_max_len(1)
            .try_for_each(|(outputs, images)| self.share_forward(&weights, images, outputs))
    }

    /// The gradients of the images, if they are wanted, and of the weight, from those of the outputs.
    ///
    /// # Shapes
    /// - `slopes`: as the outputs of [`forward`](Self::forward)
    /// - the gradients: as `images` and as `weight`
    ///
    /// # Errors
    ///
    /// As for [`forward`](Self::forward).
    pub fn backward(
        &self,
        threads: usize,
        images: &[f32],
        weight: &[f32],
        slopes: &[f32],
        (of_images, of_weight): (Option<&mut [f32]>, &mut [f32]),
    ) -> Result<(), Error> {
        let batch = self.batch(images, weight, slopes.len())?;
        let pixels = of_images.as_deref().unwrap_or(images);
        self.batch(pixels, of_weight, slopes.len())?;
        if batch == 0 {
            of_weight.fill(0.0);
            return Ok(());
        }
        let weights = self.transform(weight, Direction::Backward)?;
        let shares = match of_images {
            Some(of_images) if self.is_wide() => self.backward_by_points(
                Shares::new(batch, threads),
                &weights,
                [images, slopes],
                of_images,
            )?,
            // A network's first convolution, whose images' gradient nobody wants, is never wide.
            of_images => self.backward_by_shares(
                Shares::new(batch, training_shares(batch)),
                &weights,
                [images, slopes],
                of_images,
            )?,
        };
        let channels_in = self.channels[0];
        total(self.isa, self.shape(1), channels_in, &shares, of_weight);
        Ok(())
    }

    /// Each share sums the gradient of the weights by itself, and transforms it back. Returns all of these.
    fn backward_by_shares(
        &self,
        shares: Shares,
        weights: &[f32],
        [images, slopes]: [&[f32]; 2],
        gradient: Option<&mut [f32]>,
    ) -> Result<Memory, Error> {
        let part = self.shape(1).taps();
        let mut parts = memory(shares.count * part)?;
        let [before, after] = self.floats();
        split(gradient, shares.each * before, shares.count)
            .into_par_iter()
            .zip(images.par_chunks(shares.each * before))
            .zip(slopes.par_chunks(shares.each * after))
            .zip(parts.par_chunks_mut(part))
            .with_max_len(1)
            .try_for_each(|(((gradient, images), slopes), part)| {
                self.share_backward(weights, images, slopes, gradient, part)
            })?;
        Ok(parts)
    }

    /// Where a share's sum would be larger than all that is summed: tiles are kept, and each of the
    /// 36 points is summed over all images. Returns the one sum, transformed back.
    fn backward_by_points(
        &self,
        shares: Shares,
        weights: &[f32],
        [images, slopes]: [&[f32]; 2],
        gradient: &mut [f32],
    ) -> Result<Memory, Error> {
        let [before, after] = self.floats();
        let at_once = self.at_once().min(shares.each);
        let shape = self.shape(at_once);
        let mut sum = memory(shape.gradient())?;
        let units = shares.batch.div_ceil(at_once).min(UNITS);
        let mut tiles = memory(units * 2 * shape.scratch())?;
        let rounds = images
            .chunks(units * at_once * before)
            .zip(slopes.chunks(units * at_once * after))
            .zip(gradient.chunks_mut(units * at_once * before));
        for (round, ((images, slopes), gradient)) in rounds.enumerate() {
            gradient
                .par_chunks_mut(at_once * before)
                .zip(images.par_chunks(at_once * before))
                .zip(slopes.par_chunks(at_once * after))
                .zip(tiles.par_chunks_mut(2 * shape.scratch()))
                .with_max_len(1)
                .try_for_each(|(((gradient, images), slopes), tiles)| {
                    self.unit_backward(weights, [images, slopes], gradient, tiles)
                })?;
            let batch = images.len() / before;
            sum.par_chunks_exact_mut(shape.point())
                .enumerate()
                .for_each(|(point, sum)| {
                    for (unit, tiles) in tiles.chunks_exact(2 * shape.scratch()).enumerate() {
                        let images = batch.saturating_sub(unit * at_once).min(at_once);
                        PointGradient {
                            shape: self.shape(images),
                            point,
                            tiles: tiles.split_at(shape.scratch()).into(),
                            first: round == 0 && unit == 0,
                            gradient: sum,
                        }
                        .run(self.isa);
                    }
                });
        }
        let mut taps = memory(shape.taps())?;
        par_collect(self.isa, shape, &sum, &mut taps);
        Ok(taps)
    }

    /// How many images there are, once all sizes agree.
    fn batch(&self, images: &[f32], weight: &[f32], outputs: usize) -> Result<usize, Error> {
        let [before, after] = self.floats();
        let batch = images.len() / before;
        check("the images", images.len(), batch * before)?;
        check("the outputs", outputs, batch * after)?;
        let [channels_in, channels_out] = self.channels;
        check("the weight", weight.len(), 9 * channels_in * channels_out)?;
        Ok(batch)
    }

    /// Floats of an image, before and after.
    fn floats(&self) -> [usize; 2] {
        let [channels_in, channels_out] = self.channels;
        let pixels = |window: Window| window.size[0] * window.size[1];
        [
            channels_in * pixels(self.input),
            channels_out * pixels(self.output),
        ]
    }

    fn shape(&self, images: usize) -> Shape {
        let [blocks_in, blocks_out] = self.channels.map(|channels| self.plane.blocks(channels));
        Shape {
            plane: self.plane,
            blocks_in,
            blocks_out,
            images,
            reversed: false,
        }
    }

    /// Whether the gradient of the weights is better summed point by point.
    fn is_wide(&self) -> bool {
        let shape = self.shape(1);
        shape.is_wide() && self.plane.tiles() <= shape.group()
    }

    /// Images that are packed at once: few, so that they stay in the caches, but about as many as
    /// have a whole group of tiles.
    fn at_once(&self) -> usize {
        (self.shape(1).group() / self.plane.tiles()).max(1)
    }

    fn transform(&self, weight: &[f32], direction: Direction) -> Result<Memory, Error> {
        let shape = self.shape(1);
        let mut weights = memory(shape.weights())?;
        transform(
            self.isa,
            shape,
            self.channels[0],
            direction,
            weight,
            &mut weights,
        );
        Ok(weights)
    }

    fn share_forward(
        &self,
        weights: &[f32],
        images: &[f32],
        outputs: &mut [f32],
    ) -> Result<(), Error> {
        let [before, after] = self.floats();
        let at_once = self.at_once().min(images.len() / before);
        let shape = self.shape(at_once);
        let [size_in, size_out] = self.packed(at_once);
        let mut input = memory(size_in)?;
        let mut output = memory(size_out)?;
        let mut scratch = memory(2 * shape.scratch())?;
        let images = images.chunks(at_once * before);
        for (images, outputs) in images.zip(outputs.chunks_mut(at_once * after)) {
            self.pack(self.input, before, images, &mut input);
            SingleForward {
                shape: self.shape(images.len() / before),
                input: &input,
                weights,
                output: &mut output,
                scratch: &mut scratch,
            }
            .run(self.isa);
            self.unpack(self.output, after, &output, outputs);
        }
        Ok(())
    }

    fn share_backward(
        &self,
        weights: &[f32],
        images: &[f32],
        slopes: &[f32],
        gradient: Option<&mut [f32]>,
        part: &mut [f32],
    ) -> Result<(), Error> {
        let [before, after] = self.floats();
        let at_once = self.at_once().min(images.len() / before);
        let shape = self.shape(at_once);
        let [size_in, size_out] = self.packed(at_once);
        let mut input = memory(size_in)?;
        let mut input_gradient = memory(gradient.as_ref().map_or(0, |_| size_in))?;
        let mut output = memory(size_out)?;
        let mut points = memory(shape.gradient())?;
        let mut scratch = memory(3 * shape.scratch())?;
        let batches = images.chunks(at_once * before);
        let gradients = split(gradient, at_once * before, batches.len());
        let batches = batches.zip(slopes.chunks(at_once * after)).zip(gradients);
        for (number, ((images, slopes), gradient)) in batches.enumerate() {
            self.pack(self.input, before, images, &mut input);
            self.pack(self.output, after, slopes, &mut output);
            SingleBackward {
                shape: self.shape(images.len() / before),
                output: &output,
                input: &input,
                weights,
                weights_gradient: &mut points,
                first: number == 0,
                gradient: gradient.as_ref().map(|_| &mut input_gradient[..]),
                scratch: &mut scratch,
            }
            .run(self.isa);
            if let Some(gradient) = gradient {
                self.unpack(self.input, before, &input_gradient, gradient);
            }
        }
        collect(self.isa, shape, &points, part);
        Ok(())
    }

    fn unit_backward(
        &self,
        weights: &[f32],
        [images, slopes]: [&[f32]; 2],
        gradient: &mut [f32],
        tiles: &mut [f32],
    ) -> Result<(), Error> {
        let [before, after] = self.floats();
        let shape = self.shape(images.len() / before);
        let [size_in, size_out] = self.packed(shape.images);
        let mut input = memory(size_in)?;
        let mut input_gradient = memory(size_in)?;
        let mut output = memory(size_out)?;
        let mut scratch = memory(shape.scratch())?;
        self.pack(self.input, before, images, &mut input);
        self.pack(self.output, after, slopes, &mut output);
        SingleInput {
            shape,
            output: &output,
            input: &input,
            weights,
            gradient: &mut input_gradient,
            tiles: tiles.split_at_mut(shape.scratch()).into(),
            scratch: &mut scratch,
        }
        .run(self.isa);
        self.unpack(self.input, before, &input_gradient, gradient);
        Ok(())
    }

    /// Floats of so many images in the engine's layout, before and after.
    fn packed(&self, images: usize) -> [usize; 2] {
        let shape = self.shape(images);
        [shape.blocks_in, shape.blocks_out].map(|blocks| images * blocks * self.plane.block())
    }

    fn pack(&self, window: Window, floats: usize, images: &[f32], packed: &mut [f32]) {
        let channels = floats / (window.size[0] * window.size[1]);
        let size = self.plane.blocks(channels) * self.plane.block();
        for (image, packed) in images
            .chunks_exact(floats)
            .zip(packed.chunks_exact_mut(size))
        {
            self.plane.pack_window(window, image, packed);
        }
    }

    fn unpack(&self, window: Window, floats: usize, packed: &[f32], images: &mut [f32]) {
        let channels = floats / (window.size[0] * window.size[1]);
        let size = self.plane.blocks(channels) * self.plane.block();
        for (image, packed) in images
            .chunks_exact_mut(floats)
            .zip(packed.chunks_exact(size))
        {
            self.plane.unpack_window(window, packed, image);
        }
    }
}

/// Pieces of a size, as many as there are said to be; none of them is there if nothing is.
fn split(of: Option<&mut [f32]>, size: usize, count: usize) -> Vec<Option<&mut [f32]>> {
    match of {
        Some(of) => of.chunks_mut(size).map(Some).collect(),
        None => (0..count).map(|_| None).collect(),
    }
}
