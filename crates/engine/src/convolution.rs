//! A 3x3 convolution by itself, of images in PyTorch's layout (NCHW).

use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};
use rayon::slice::{ParallelSlice, ParallelSliceMut};

use super::error::check;
use super::kernels::{
    AlignedBuffer, BackwardWeightsPoint, ConvolutionShape, Direction, Isa, Plane, TILE,
    UnfusedBackward, UnfusedBackwardData, UnfusedForward, Window,
};
use super::weights::{inverse_transform, par_inverse_transform, reduce, transform};
use super::workspace::{BatchChunks, allocate};
use super::{Error, training_chunks};

/// A 3x3 convolution of stride 1, for images of any size.
///
/// The result is the same, bit for bit, on one type of processor, however many threads there are.
#[derive(Clone, Copy, Debug)]
pub struct Convolution3x3 {
    isa: Isa,
    plane: Plane,
    channels: [usize; 2],
    input: Window,
    output: Window,
}

/// Groups of images whose transformed tiles are kept at a time.
const KEPT_GROUPS: usize = 8;

/// What a [`Convolution3x3`] is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Convolution3x3Config {
    /// Channels of inputs and of outputs.
    pub channels: [usize; 2],
    /// Height and width of the inputs.
    pub input: [usize; 2],
    /// Whether one row of zeros is added above and below, and one column on the left and right.
    pub padded: [bool; 2],
}

impl Convolution3x3 {
    /// A convolution for a configuration; `None` if its images are too small for an output.
    pub fn new(sizes: Convolution3x3Config, isa: Isa) -> Option<Self> {
        let Convolution3x3Config {
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

    /// The outputs, computed by at most `threads` threads.
    ///
    /// # Shapes
    /// - `images`: `[batch, channels_in, height, width]`
    /// - `weight`: `[channels_out, channels_in, 3, 3]`
    /// - `outputs`: `[batch, channels_out, height, width]`, smaller by two where there is no padding
    ///
    /// # Errors
    ///
    /// [`Error::Size`] if a slice has another length, [`Error::Memory`] if memory is short.
    pub fn forward(
        &self,
        threads: usize,
        images: &[f32],
        weight: &[f32],
        outputs: &mut [f32],
    ) -> Result<(), Error> {
        let batch = self.batch(images, weight, outputs.len())?;
        let chunks = BatchChunks::new(batch, threads);
        let weights = self.transform(weight, Direction::Forward)?;
        let [before, after] = self.image_len();
        outputs
            .par_chunks_mut(chunks.images * after)
            .zip(images.par_chunks(chunks.images * before))
            .with_max_len(1)
            .try_for_each(|(outputs, images)| self.chunk_forward(&weights, images, outputs))
    }

    /// The gradients of the images, if they are wanted, and of the weight, from the gradient of the
    /// outputs.
    ///
    /// # Shapes
    /// - `output_gradient`: as the outputs of [`forward`](Self::forward)
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
        output_gradient: &[f32],
        (images_gradient, weight_gradient): (Option<&mut [f32]>, &mut [f32]),
    ) -> Result<(), Error> {
        let batch = self.batch(images, weight, output_gradient.len())?;
        let pixels = images_gradient.as_deref().unwrap_or(images);
        self.batch(pixels, weight_gradient, output_gradient.len())?;
        if batch == 0 {
            weight_gradient.fill(0.0);
            return Ok(());
        }
        let weights = self.transform(weight, Direction::Backward)?;
        let chunks = match images_gradient {
            Some(images_gradient) if self.is_wide() => self.backward_by_points(
                BatchChunks::new(batch, threads),
                &weights,
                [images, output_gradient],
                images_gradient,
            )?,
            // The first convolution of a network, whose images need no gradient, is never wide.
            images_gradient => self.backward_by_chunks(
                BatchChunks::new(batch, training_chunks(batch)),
                &weights,
                [images, output_gradient],
                images_gradient,
            )?,
        };
        let channels_in = self.channels[0];
        reduce(
            self.isa,
            self.shape(1),
            channels_in,
            &chunks,
            weight_gradient,
        );
        Ok(())
    }

    /// Sums the gradient of the weights of each chunk by itself and transforms it back. Returns all
    /// of them.
    fn backward_by_chunks(
        &self,
        chunks: BatchChunks,
        weights: &[f32],
        [images, output_gradient]: [&[f32]; 2],
        gradient: Option<&mut [f32]>,
    ) -> Result<AlignedBuffer, Error> {
        let part = self.shape(1).taps();
        let mut parts = allocate(chunks.count * part)?;
        let [before, after] = self.image_len();
        split(gradient, chunks.images * before, chunks.count)
            .into_par_iter()
            .zip(images.par_chunks(chunks.images * before))
            .zip(output_gradient.par_chunks(chunks.images * after))
            .zip(parts.par_chunks_mut(part))
            .with_max_len(1)
            .try_for_each(|(((gradient, images), output_gradient), part)| {
                self.chunk_backward(weights, images, output_gradient, gradient, part)
            })?;
        Ok(parts)
    }

    /// For weights whose gradient is larger than all that is summed into it: the transformed tiles
    /// are kept, and each of the 36 points is summed over all images. Returns the one sum,
    /// transformed back.
    fn backward_by_points(
        &self,
        chunks: BatchChunks,
        weights: &[f32],
        [images, output_gradient]: [&[f32]; 2],
        gradient: &mut [f32],
    ) -> Result<AlignedBuffer, Error> {
        let [before, after] = self.image_len();
        let at_once = self.images_at_once().min(chunks.images);
        let shape = self.shape(at_once);
        let mut sum = allocate(shape.gradient())?;
        let groups = chunks.batch.div_ceil(at_once).min(KEPT_GROUPS);
        let mut tiles = allocate(groups * 2 * shape.scratch())?;
        let rounds = images
            .chunks(groups * at_once * before)
            .zip(output_gradient.chunks(groups * at_once * after))
            .zip(gradient.chunks_mut(groups * at_once * before));
        for (round, ((images, output_gradient), gradient)) in rounds.enumerate() {
            gradient
                .par_chunks_mut(at_once * before)
                .zip(images.par_chunks(at_once * before))
                .zip(output_gradient.par_chunks(at_once * after))
                .zip(tiles.par_chunks_mut(2 * shape.scratch()))
                .with_max_len(1)
                .try_for_each(|(((gradient, images), output_gradient), tiles)| {
                    self.group_backward(weights, [images, output_gradient], gradient, tiles)
                })?;
            let batch = images.len() / before;
            self.sum_points(&tiles, [batch, at_once], round == 0, &mut sum);
        }
        let mut taps = allocate(shape.taps())?;
        par_inverse_transform(self.isa, shape, &sum, &mut taps);
        Ok(taps)
    }

    /// Sums each of the 36 points over the tiles of all groups, each of `at_once` images or fewer.
    fn sum_points(
        &self,
        tiles: &[f32],
        [batch, at_once]: [usize; 2],
        is_first: bool,
        sum: &mut [f32],
    ) {
        let shape = self.shape(at_once);
        sum.par_chunks_exact_mut(shape.point())
            .enumerate()
            .for_each(|(point, sum)| {
                for (group, tiles) in tiles.chunks_exact(2 * shape.scratch()).enumerate() {
                    let images = batch.saturating_sub(group * at_once).min(at_once);
                    BackwardWeightsPoint {
                        shape: self.shape(images),
                        point,
                        tiles: tiles.split_at(shape.scratch()).into(),
                        first: is_first && group == 0,
                        gradient: sum,
                    }
                    .run(self.isa);
                }
            });
    }

    /// The number of images, once all lengths agree.
    fn batch(&self, images: &[f32], weight: &[f32], outputs: usize) -> Result<usize, Error> {
        let [before, after] = self.image_len();
        let batch = images.len() / before;
        check("the images", images.len(), batch * before)?;
        check("the outputs", outputs, batch * after)?;
        let [channels_in, channels_out] = self.channels;
        check("the weight", weight.len(), 9 * channels_in * channels_out)?;
        Ok(batch)
    }

    /// Floats of an input image and of an output image.
    fn image_len(&self) -> [usize; 2] {
        let [channels_in, channels_out] = self.channels;
        let pixels = |window: Window| window.size[0] * window.size[1];
        [
            channels_in * pixels(self.input),
            channels_out * pixels(self.output),
        ]
    }

    fn shape(&self, images: usize) -> ConvolutionShape {
        let [blocks_in, blocks_out] = self.channels.map(|channels| self.plane.blocks(channels));
        ConvolutionShape {
            plane: self.plane,
            blocks_in,
            blocks_out,
            images,
            reversed: false,
        }
    }

    /// Whether the gradient of the weights is better summed point by point over all images.
    fn is_wide(&self) -> bool {
        let shape = self.shape(1);
        shape.is_wide() && self.plane.tiles() <= shape.group()
    }

    /// Images that are packed at a time: few, so that they stay in the caches, but about as many as
    /// fill a group of tiles.
    fn images_at_once(&self) -> usize {
        (self.shape(1).group() / self.plane.tiles()).max(1)
    }

    fn transform(&self, weight: &[f32], direction: Direction) -> Result<AlignedBuffer, Error> {
        let shape = self.shape(1);
        let mut weights = allocate(shape.weights())?;
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

    fn chunk_forward(
        &self,
        weights: &[f32],
        images: &[f32],
        outputs: &mut [f32],
    ) -> Result<(), Error> {
        let [before, after] = self.image_len();
        let at_once = self.images_at_once().min(images.len() / before);
        let shape = self.shape(at_once);
        let [size_in, size_out] = self.packed(at_once);
        let mut input = allocate(size_in)?;
        let mut output = allocate(size_out)?;
        let mut scratch = allocate(2 * shape.scratch())?;
        let images = images.chunks(at_once * before);
        for (images, outputs) in images.zip(outputs.chunks_mut(at_once * after)) {
            self.pack(self.input, before, images, &mut input);
            UnfusedForward {
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

    fn chunk_backward(
        &self,
        weights: &[f32],
        images: &[f32],
        output_gradient: &[f32],
        gradient: Option<&mut [f32]>,
        part: &mut [f32],
    ) -> Result<(), Error> {
        let [before, after] = self.image_len();
        let at_once = self.images_at_once().min(images.len() / before);
        let shape = self.shape(at_once);
        let [size_in, size_out] = self.packed(at_once);
        let mut input = allocate(size_in)?;
        let mut input_gradient = allocate(gradient.as_ref().map_or(0, |_| size_in))?;
        let mut output = allocate(size_out)?;
        let mut points = allocate(shape.gradient())?;
        let mut scratch = allocate(3 * shape.scratch())?;
        let batches = images.chunks(at_once * before);
        let gradients = split(gradient, at_once * before, batches.len());
        let batches = batches
            .zip(output_gradient.chunks(at_once * after))
            .zip(gradients);
        for (number, ((images, output_gradient), gradient)) in batches.enumerate() {
            self.pack(self.input, before, images, &mut input);
            self.pack(self.output, after, output_gradient, &mut output);
            UnfusedBackward {
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
        inverse_transform(self.isa, shape, &points, part);
        Ok(())
    }

    fn group_backward(
        &self,
        weights: &[f32],
        [images, output_gradient]: [&[f32]; 2],
        gradient: &mut [f32],
        tiles: &mut [f32],
    ) -> Result<(), Error> {
        let [before, after] = self.image_len();
        let shape = self.shape(images.len() / before);
        let [size_in, size_out] = self.packed(shape.images);
        let mut input = allocate(size_in)?;
        let mut input_gradient = allocate(size_in)?;
        let mut output = allocate(size_out)?;
        let mut scratch = allocate(shape.scratch())?;
        self.pack(self.input, before, images, &mut input);
        self.pack(self.output, after, output_gradient, &mut output);
        UnfusedBackwardData {
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

    /// Floats of `images` packed input images and output images.
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

/// `count` pieces of `size`, each of them `None` where there is nothing to split.
fn split(of: Option<&mut [f32]>, size: usize, count: usize) -> Vec<Option<&mut [f32]>> {
    match of {
        Some(of) => of.chunks_mut(size).map(Some).collect(),
        None => (0..count).map(|_| None).collect(),
    }
}
