//! Evaluation: batch normalisation within the weights, pools within convolutions.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use rayon::iter::{IndexedParallelIterator, IntoParallelRefMutIterator, ParallelIterator};

use super::forward::pack_stem;
use super::kernels::{
    Direction, Inference, Isa, Memory, Outputs, Shape, StemForward, stem_image, stem_pack,
};
use super::plan::{image, plane};
use super::workspace::{Shares, memory, shape};
use super::{Error, Operation, Parameters, Program, Statistics, weights};

/// Floats of the images that a few layers work on before the next few do: about what a core's own
/// cache and its share of the common one hold.
const CACHED: usize = 1 << 18;
/// Images that a thread takes at once, at most: they bound its memory, and how long others wait for it
/// in the end.
const MOST: usize = 8;

/// A program's weights for evaluation.
#[derive(Debug)]
pub struct Folded {
    pub(super) isa: Isa,
    /// For each convolution its transformed weights, and the bias of each lane.
    layers: Vec<(Memory, Vec<f32>)>,
}

impl Folded {
    /// Multiplies each weight with what normalisation by these statistics multiplies its output
    /// with, and transforms it.
    ///
    /// # Errors
    ///
    /// [`Error::Size`] if something given does not fit the program, [`Error::Memory`] if there is
    /// none.
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
) -> Result<(Memory, Vec<f32>), Error> {
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
        let mut packed = memory(9 * bias.len())?;
        pack_stem(&weight, lanes, &mut packed);
        return Ok((packed, bias));
    }
    let mut transformed = memory(shape.weights())?;
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

/// Operations up to a pool, which are done for some images before the next ones are.
#[derive(Debug)]
struct Segment {
    operations: Range<usize>,
    /// Images at a time.
    images: usize,
    /// Floats of an image's largest result but for the pool's.
    image: usize,
    /// Floats of the pool's result.
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

/// Results that are alive at once: what goes in, what comes out, what a skip adds.
const SLOTS: usize = 3;

/// What a thread works on a few images with.
#[derive(Debug)]
struct Bench {
    /// For each segment the slots of its images; their borders stay 0.
    slots: Vec<[Memory; SLOTS]>,
    /// For each segment what its pool gives for all images.
    pooled: Vec<Memory>,
    bordered: Memory,
    scratch: Memory,
}

impl Bench {
    fn new(
        program: &Program,
        lanes: usize,
        segments: &[Segment],
        most: usize,
    ) -> Result<Self, Error> {
        let slots = segments.iter().map(|segment| {
            let slot = || memory(segment.images * segment.image);
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
                .map(|of| memory(most * of.pooled))
                .collect::<Result<_, _>>()?,
            bordered: memory(segments[0].images * stem_image(plane(program, 0, lanes)))?,
            scratch: memory(scratch.unwrap_or(0))?,
        })
    }
}

/// Evaluates with weights; keeps its memory for the next call.
#[derive(Debug)]
pub(crate) struct Evaluator {
    segments: Vec<Segment>,
    benches: Vec<Bench>,
    most: usize,
}

impl Evaluator {
    /// Memory for so many threads, each for so many images at a time as its share has, or fewer.
    pub(super) fn new(program: &Program, isa: Isa, shares: Shares) -> Result<Self, Error> {
        let most = shares.each.min(MOST);
        let segments = segments(program, isa.lanes(), most);
        let bench = |_| Bench::new(program, isa.lanes(), &segments, most);
        Ok(Self {
            benches: (0..shares.count).map(bench).collect::<Result<_, _>>()?,
            segments,
            most,
        })
    }

    /// Whether it has memory for such shares.
    pub(super) fn fits(&self, shares: Shares) -> bool {
        self.benches.len() >= shares.count && self.most >= shares.each.min(MOST)
    }

    /// Writes the features of all images.
    pub(super) fn run(
        &mut self,
        program: &Program,
        folded: &Folded,
        shares: Shares,
        images: &[f32],
        features: &mut [f32],
    ) {
        let (pixels, len) = (program.images().len(), program.features().len());
        let at_once = self.most.min(shares.each);
        let parts = features
            .chunks_mut(at_once * len)
            .zip(images.chunks(at_once * pixels));
        let part = Part {
            program,
            folded,
            segments: &self.segments,
        };
        // Whoever is done takes the next part, for a thread may have other work or a slower core.
        let left = Mutex::new(parts);
        let next = || left.lock().unwrap_or_else(PoisonError::into_inner).next();
        self.benches[..shares.count]
            .par_iter_mut()
            .with_max_len(1)
            .for_each(|bench| {
                while let Some((features, images)) = next() {
                    part.run(bench, images, features);
                }
            });
    }
}

/// The work on a few images.
struct Part<'a> {
    program: &'a Program,
    folded: &'a Folded,
    segments: &'a [Segment],
}

impl Part<'_> {
    fn run(&self, bench: &mut Bench, images: &[f32], features: &mut [f32]) {
        let pixels = self.program.images().len();
        let count = images.len() / pixels;
        for (number, segment) in self.segments.iter().enumerate() {
            for first in (0..count).step_by(segment.images) {
                let chunk = segment.images.min(count - first);
                if number == 0 {
                    self.stem(bench, &images[first * pixels..][..chunk * pixels]);
                }
                self.segment(bench, number, first, chunk);
            }
        }
        let last = self.program.operations().len() - 1;
        let plane = plane(self.program, last, self.folded.isa.lanes());
        let pooled = &bench.pooled[self.segments.len() - 1];
        let size = self.segments[self.segments.len() - 1].pooled;
        let len = self.program.features().len();
        for (features, image) in features
            .chunks_exact_mut(len)
            .zip(pooled.chunks_exact(size))
        {
            plane.unpack(image, features);
        }
    }

    fn stem(&self, bench: &mut Bench, images: &[f32]) {
        let plane = plane(self.program, 0, self.folded.isa.lanes());
        let bordered = stem_image(plane);
        let count = images.len() / plane.pixels();
        let input = &mut bench.bordered[..count * bordered];
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
            outputs: Outputs::Activated(bias),
            output: &mut bench.slots[0][0],
        }
        .run(self.folded.isa);
    }

    /// The convolutions of a segment, the last of which pools.
    fn segment(&self, bench: &mut Bench, number: usize, first: usize, images: usize) {
        let segment = &self.segments[number];
        let lanes = self.folded.isa.lanes();
        // The slot of each result that is alive, and the operation that gave it.
        let mut holds: [Option<usize>; SLOTS] = [None; SLOTS];
        let mut operations = segment.operations.clone();
        if number == 0 {
            holds[0] = operations.next();
        }
        for at in operations.filter(|at| self.program.operations()[*at] != Operation::Pool) {
            let skip = self.program.skip(at);
            for held in &mut holds {
                let needed = |held: usize| {
                    held + 1 == at || self.program.skipped_to(held).is_some_and(|to| to >= at)
                };
                *held = held.filter(|held| needed(*held));
            }
            let find = |wanted: Option<usize>| holds.iter().position(|held| *held == wanted);
            let pooled = at + 2 == segment.operations.end;
            let size = |at: usize| images * image(self.program, at, lanes);
            let before = segment.operations.start.wrapping_sub(1);
            let (done, rest) = bench.pooled.split_at_mut(number);
            let outside = done.last().map(|pooled| {
                let from = first * self.segments[number - 1].pooled;
                &pooled[from..]
            });
            let free = find(None).unwrap_or(0);
            let [a, b, c] = &mut bench.slots[number];
            let (slot, others) = match free {
                0 => (a, [(1, &*b), (2, &*c)]),
                1 => (b, [(0, &*a), (2, &*c)]),
                _ => (c, [(0, &*a), (1, &*b)]),
            };
            let result = |of: usize| -> &[f32] {
                let held = find(Some(of));
                let inside = others.iter().find(|(slot, _)| Some(*slot) == held);
                let values = match inside {
                    Some((_, memory)) => &memory[..],
                    None if of == before => outside.unwrap_or_default(),
                    None => &[],
                };
                &values[..size(of).min(values.len())]
            };
            let convolution = self
                .program
                .convolutions()
                .position(|(place, _)| place == at);
            let (weights, bias) = &self.folded.layers[convolution.unwrap_or(0)];
            let shape = shape(self.program, at, lanes, images);
            let output = if pooled {
                &mut rest[0][first * segment.pooled..]
            } else {
                &mut slot[..]
            };
            Inference {
                shape: Shape {
                    reversed: false,
                    ..shape
                },
                input: result(at - 1),
                weights,
                bias,
                skip: skip.map(|from| {
                    (
                        result(from),
                        shape.plane.blocks(self.program.extent(from).channels),
                    )
                }),
                pooled,
                output,
                scratch: &mut bench.scratch,
            }
            .run(self.folded.isa);
            holds[free] = (!pooled).then_some(at);
        }
    }
}
