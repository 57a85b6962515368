//! Evaluation: batch normalisation is folded into weights, and pools are fused with convolutions.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use rayon::iter::{IndexedParallelIterator, IntoParallelRefMutIterator, ParallelIterator};

use super::forward::pack_stem;
use super::kernels::{
    AlignedBuffer, ConvolutionShape, Direction, Inference, Isa, StemEpilogue, StemForward,
    stem_image, stem_pack,
};
use super::plan::{image, plane};
use super::workspace::{BatchChunks, allocate, shape};
use super::{Error, Operation, Parameters, Program, Statistics, weights};

/// Floats of the images that one segment works on before the next does: about what a core's own
/// cache and its share of the common one hold.
const CACHED: usize = 1 << 18;
/// The most images that a thread takes at a time: they bound its memory, and how long the others
/// wait for it at the end.
const MAX_IMAGES: usize = 8;

/// The weights of a program for evaluation, with batch normalisation folded into them.
#[derive(Debug)]
pub struct FoldedWeights {
    pub(super) isa: Isa,
    /// For each convolution its transformed weights, and a bias for each lane.
    layers: Vec<(AlignedBuffer, Vec<f32>)>,
}

impl FoldedWeights {
    /// Folds normalisation by these statistics into the weights, and transforms them.
    ///
    /// # Errors
    ///
    /// [`Error::Size`] if something does not fit the program, [`Error::Memory`] if memory is short.
    pub fn new(
        program: &Program,
        isa: Isa,
        parameters: &[Parameters<'_>],
        statistics: &[Statistics<'_>],
    ) -> Result<Self, Error> {
        Parameters::check(program, parameters)?;
        Statistics::check(program, statistics)?;
        let given = parameters.iter().zip(statistics);
        let layers = program
            .convolutions()
            .zip(given)
            .map(|((at, channels), (parameters, statistics))| {
                fold(program, isa, at, channels, parameters, statistics)
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { isa, layers })
    }
}

fn fold(
    program: &Program,
    isa: Isa,
    at: usize,
    [channels_in, channels_out]: [usize; 2],
    parameters: &Parameters<'_>,
    statistics: &Statistics<'_>,
) -> Result<(AlignedBuffer, Vec<f32>), Error> {
    let lanes = isa.lanes();
    let mut weight = parameters.weight.to_vec();
    let mut bias = vec![0.0; channels_out.next_multiple_of(lanes)];
    for (channel, weight) in weight.chunks_exact_mut(9 * channels_in).enumerate() {
        let variance = f64::from(statistics.variance[channel]);
        let factor = f64::from(parameters.scale[channel]) / (variance + program.epsilon()).sqrt();
        let mean = f64::from(statistics.mean[channel]);
        bias[channel] = (f64::from(parameters.offset[channel]) - mean * factor) as f32;
        for weight in weight {
            *weight = (f64::from(*weight) * factor) as f32;
        }
    }
    let shape = shape(program, at, lanes, 0);
    if at == 0 {
        let mut packed = allocate(9 * bias.len())?;
        pack_stem(&weight, lanes, &mut packed);
        return Ok((packed, bias));
    }
    let mut transformed = allocate(shape.weights())?;
    weights::transform(
        isa,
        shape,
        channels_in,
        Direction::Forward,
        &weight,
        &mut transformed,
    );
    Ok((transformed, bias))
}

/// The operations up to a pool. A segment runs for some images before the next ones, so that
/// results stay in the caches.
#[derive(Debug)]
struct Segment {
    operations: Range<usize>,
    /// Images that are processed at a time.
    images: usize,
    /// Floats of an image's largest result before the pool.
    image: usize,
    /// Floats of an image's result of the pool.
    pooled: usize,
}

fn segments(program: &Program, lanes: usize, most: usize) -> Vec<Segment> {
    let mut segments = Vec::new();
    let mut first = 0;
    for (at, operation) in program.operations().iter().enumerate() {
        if *operation == Operation::Pool {
            let sizes = (first..at).map(|at| image(program, at, lanes));
            let largest = sizes.max().unwrap_or(0);
            segments.push(Segment {
                operations: first..at + 1,
                images: (CACHED / largest).clamp(1, most),
                image: largest,
                pooled: image(program, at, lanes),
            });
            first = at + 1;
        }
    }
    segments
}

/// Results that are alive at a time: an operation's input, its output, and what a skip adds.
const SLOTS: usize = 3;

/// The memory that a thread needs for the images of a part.
#[derive(Debug)]
struct EvaluationBuffers {
    /// For each segment the slots of its results, whose borders stay 0.
    slots: Vec<[AlignedBuffer; SLOTS]>,
    /// For each segment the results of its pool, for all images.
    pooled: Vec<AlignedBuffer>,
    bordered: AlignedBuffer,
    scratch: AlignedBuffer,
}

impl EvaluationBuffers {
    fn new(
        program: &Program,
        lanes: usize,
        segments: &[Segment],
        most: usize,
    ) -> Result<Self, Error> {
        let slots = segments.iter().map(|segment| {
            let slot = || allocate(segment.images * segment.image);
            Ok([slot()?, slot()?, slot()?])
        });
        let scratch = program.convolutions().skip(1);
        let scratch = scratch
            .map(|(at, _)| 2 * shape(program, at, lanes, 1).scratch())
            .max();
        Ok(Self {
            slots: slots.collect::<Result<_, _>>()?,
            pooled: segments
                .iter()
                .map(|of| allocate(most * of.pooled))
                .collect::<Result<_, _>>()?,
            bordered: allocate(segments[0].images * stem_image(plane(program, 0, lanes)))?,
            scratch: allocate(scratch.unwrap_or(0))?,
        })
    }
}

/// Evaluates programs, and keeps its memory for the next call.
#[derive(Debug)]
pub(crate) struct Evaluator {
    segments: Vec<Segment>,
    buffers: Vec<EvaluationBuffers>,
    most: usize,
}

impl Evaluator {
    /// Memory for each chunk, for as many images at a time as it has, or [`MAX_IMAGES`].
    pub(super) fn new(program: &Program, isa: Isa, chunks: BatchChunks) -> Result<Self, Error> {
        let most = chunks.images.min(MAX_IMAGES);
        let segments = segments(program, isa.lanes(), most);
        let buffers = |_| EvaluationBuffers::new(program, isa.lanes(), &segments, most);
        Ok(Self {
            buffers: (0..chunks.count).map(buffers).collect::<Result<_, _>>()?,
            segments,
            most,
        })
    }

    /// Whether its memory is enough for these chunks.
    pub(super) fn fits(&self, chunks: BatchChunks) -> bool {
        self.buffers.len() >= chunks.count && self.most >= chunks.images.min(MAX_IMAGES)
    }

    /// Writes the features of all images.
    pub(super) fn run(
        &mut self,
        program: &Program,
        folded: &FoldedWeights,
        chunks: BatchChunks,
        images: &[f32],
        features: &mut [f32],
    ) {
        let (pixels, len) = (
            program.images().num_elements(),
            program.features().num_elements(),
        );
        let at_once = self.most.min(chunks.images);
        let parts = features
            .chunks_mut(at_once * len)
            .zip(images.chunks(at_once * pixels));
        let part = Evaluation {
            program,
            folded,
            segments: &self.segments,
        };
        // A thread that is done takes the next part, for others may be busy or run on slower cores.
        let left = Mutex::new(parts);
        let next = || left.lock().unwrap_or_else(PoisonError::into_inner).next();
        self.buffers[..chunks.count]
            .par_iter_mut()
            .with_max_len(1)
            .for_each(|buffers| {
                while let Some((features, images)) = next() {
                    part.run(buffers, images, features);
                }
            });
    }
}

/// The evaluation of some images by one thread.
struct Evaluation<'a> {
    program: &'a Program,
    folded: &'a FoldedWeights,
    segments: &'a [Segment],
}

impl Evaluation<'_> {
    fn run(&self, buffers: &mut EvaluationBuffers, images: &[f32], features: &mut [f32]) {
        let pixels = self.program.images().num_elements();
        let count = images.len() / pixels;
        for (number, segment) in self.segments.iter().enumerate() {
            for first in (0..count).step_by(segment.images) {
                let chunk = segment.images.min(count - first);
                if number == 0 {
                    self.stem(buffers, &images[first * pixels..][..chunk * pixels]);
                }
                self.segment(buffers, number, first, chunk);
            }
        }
        let last = self.program.operations().len() - 1;
        let plane = plane(self.program, last, self.folded.isa.lanes());
        let pooled = &buffers.pooled[self.segments.len() - 1];
        let size = self.segments[self.segments.len() - 1].pooled;
        let len = self.program.features().num_elements();
        for (features, image) in features
            .chunks_exact_mut(len)
            .zip(pooled.chunks_exact(size))
        {
            plane.unpack(image, features);
        }
    }

    fn stem(&self, buffers: &mut EvaluationBuffers, images: &[f32]) {
        let plane = plane(self.program, 0, self.folded.isa.lanes());
        let bordered = stem_image(plane);
        let count = images.len() / plane.pixels();
        let input = &mut buffers.bordered[..count * bordered];
        for (to, from) in input
            .chunks_exact_mut(bordered)
            .zip(images.chunks_exact(plane.pixels()))
        {
            stem_pack(plane, from, to);
        }
        let (weights, bias) = &self.folded.layers[0];
        StemForward {
            plane,
            input,
            weights,
            blocks: plane.blocks(self.program.extent(0).channels),
            epilogue: StemEpilogue::BiasRelu(bias),
            output: &mut buffers.slots[0][0],
        }
        .run(self.folded.isa);
    }

    /// The convolutions of a segment, the last of which pools.
    fn segment(&self, buffers: &mut EvaluationBuffers, number: usize, first: usize, images: usize) {
        let segment = &self.segments[number];
        // For each slot the operation whose result it holds, while that is needed.
        let mut holds: [Option<usize>; SLOTS] = [None; SLOTS];
        let mut operations = segment.operations.clone();
        if number == 0 {
            holds[0] = operations.next();
        }
        for at in operations.filter(|at| self.program.operations()[*at] != Operation::Pool) {
            for held in &mut holds {
                let needed = |held: usize| {
                    held + 1 == at || self.program.skipped_to(held).is_some_and(|to| to >= at)
                };
                *held = held.filter(|held| needed(*held));
            }
            self.convolve(buffers, [number, first, images], at, holds);
            let pooled = at + 2 == segment.operations.end;
            holds[free_slot(holds)] = (!pooled).then_some(at);
        }
    }

    /// A convolution of some images, from the slots that hold its inputs into a free one, or into
    /// the result of the segment's pool.
    fn convolve(
        &self,
        buffers: &mut EvaluationBuffers,
        [number, first, images]: [usize; 3],
        at: usize,
        holds: [Option<usize>; SLOTS],
    ) {
        let segment = &self.segments[number];
        let lanes = self.folded.isa.lanes();
        let (done, rest) = buffers.pooled.split_at_mut(number);
        let from_before = done.last().map_or(&[][..], |pooled| {
            &pooled[first * self.segments[number - 1].pooled..]
        });
        let before = (segment.operations.start.checked_sub(1), from_before);
        let [a, b, c] = &mut buffers.slots[number];
        let (slot, results) = match free_slot(holds) {
            0 => (a, [(holds[1], &b[..]), (holds[2], &c[..]), before]),
            1 => (b, [(holds[0], &a[..]), (holds[2], &c[..]), before]),
            _ => (c, [(holds[0], &a[..]), (holds[1], &b[..]), before]),
        };
        let result = |of: usize| {
            let held = results.iter().find(|(held, _)| *held == Some(of));
            let values = held.map_or(&[][..], |(_, values)| values);
            &values[..(images * image(self.program, of, lanes)).min(values.len())]
        };
        let mut convolutions = self.program.convolutions();
        let convolution = convolutions.position(|(place, _)| place == at);
        let (weights, bias) = &self.folded.layers[convolution.unwrap_or(0)];
        let shape = ConvolutionShape {
            reversed: false,
            ..shape(self.program, at, lanes, images)
        };
        let blocks = |of: usize| shape.plane.blocks(self.program.extent(of).channels);
        let pooled = at + 2 == segment.operations.end;
        Inference {
            shape,
            input: result(at - 1),
            weights,
            bias,
            skip: self
                .program
                .skip(at)
                .map(|from| (result(from), blocks(from))),
            pooled,
            output: if pooled {
                &mut rest[0][first * segment.pooled..]
            } else {
                &mut slot[..]
            },
            scratch: &mut buffers.scratch,
        }
        .run(self.folded.isa);
    }
}

fn free_slot(holds: [Option<usize>; SLOTS]) -> usize {
    holds.iter().position(Option::is_none).unwrap_or(0)
}
