//! The forward pass of training.

use std::ops::Range;

use rayon::iter::{IndexedParallelIterator, ParallelIterator};
use rayon::slice::{ParallelSlice, ParallelSliceMut};

use super::kernels::{
    AveragePool, BatchNormRelu, ConvolutionShape, Direction, Forward, Isa, Plane, ResidualAdd,
    StemEpilogue, StemForward, stem_image, stem_pack,
};
use super::plan::{Plan, image, plane};
use super::workspace::{ChannelCoefficients, Moments, Workspace, shape};
use super::{Operation, Parameters, Program, StatisticsMut, weights};

/// The size in bytes from which a chunk's images do not stay in the caches until they are read
/// again.
const STREAMED: usize = 3 << 20;

pub(super) fn is_streamed(floats: usize) -> bool {
    4 * floats >= STREAMED
}

/// What both passes of a training step need beside the workspace.
pub(super) struct TrainingPass<'a> {
    pub program: &'a Program,
    pub isa: Isa,
    pub parameters: &'a [Parameters<'a>],
}

/// Borrows ranges of a buffer that do not overlap.
macro_rules! ranges {
    ($images:expr, [$($range:expr),+ $(,)?]) => {
        $images
            .get_disjoint_mut([$($range.clone()),+])
            .expect("the plan should not let buffers overlap that are used together")
    };
}
pub(super) use ranges;

impl TrainingPass<'_> {
    /// Writes the features, and the statistics of each convolution.
    pub(crate) fn forward(
        &self,
        workspace: &mut Workspace,
        images: &[f32],
        statistics: &mut [StatisticsMut<'_>],
        features: &mut [f32],
    ) {
        let mut finite = true;
        let mut convolution = 0;
        for (at, operation) in self.program.operations().iter().enumerate() {
            if *operation == Operation::Pool {
                self.pool(workspace, at);
                continue;
            }
            let parameters = &self.parameters[convolution];
            workspace.sums.fill(0.0);
            if at == 0 {
                self.stem(workspace, images, parameters);
            } else {
                self.convolve(workspace, at, parameters);
            }
            finite &= self.normalise(workspace, at, parameters, &mut statistics[convolution]);
            if let Some(skip) = self.program.skip(at) {
                self.add_residual(workspace, at, skip);
            }
            convolution += 1;
        }
        self.unpack(workspace, features);
        if !finite {
            // NaN in outputs reads as 0 in the next layer, as the border does, and would go
            // unnoticed.
            features.fill(f32::NAN);
        }
    }

    fn plane(&self, at: usize) -> Plane {
        plane(self.program, at, self.isa.lanes())
    }

    fn image(&self, at: usize) -> usize {
        image(self.program, at, self.isa.lanes())
    }

    fn stem(&self, workspace: &mut Workspace, images: &[f32], parameters: &Parameters<'_>) {
        let plane = self.plane(0);
        let extent = self.program.extent(0);
        let blocks = plane.blocks(extent.channels);
        pack_stem(parameters.weight, plane.lanes, &mut workspace.weights);
        let Workspace {
            plan,
            chunks,
            sums,
            sums_per_chunk,
            weights,
            ..
        } = workspace;
        let [input, output] = ranges!(workspace.images, [plan.images, plan.values[0]]);
        let bordered = stem_image(plane);
        input
            .par_chunks_mut(chunks.images * bordered)
            .zip(images.par_chunks(chunks.images * plane.pixels()))
            .zip(output.par_chunks_mut(chunks.images * self.image(0)))
            .zip(sums.par_chunks_mut(*sums_per_chunk))
            .with_max_len(1)
            .for_each(|(((input, images), output), sums)| {
                input.fill(0.0);
                let images = images.chunks_exact(plane.pixels());
                for (to, from) in input.chunks_exact_mut(bordered).zip(images) {
                    stem_pack(plane, from, to);
                }
                plane.fill_border(output, f32::NAN);
                StemForward {
                    plane,
                    input,
                    weights,
                    blocks,
                    epilogue: StemEpilogue::Statistics(&mut sums[..2 * blocks * plane.lanes]),
                    output,
                }
                .run(self.isa);
            });
    }

    fn convolve(&self, workspace: &mut Workspace, at: usize, parameters: &Parameters<'_>) {
        let shape = shape(self.program, at, self.isa.lanes(), 0);
        let len = shape.weights();
        self.transform(
            parameters,
            at,
            Direction::Forward,
            &mut workspace.weights[..len],
        );
        let Workspace {
            plan,
            chunks,
            sums,
            sums_per_chunk,
            weights,
            scratch_pool,
            coefficients,
            identity,
            ..
        } = workspace;
        let from = LayerInput::new(self.program, plan, coefficients, identity, at - 1);
        let [input, output] = ranges!(workspace.images, [from.range, plan.values[at]]);
        let image = self.image(at);
        let lanes = 2 * shape.blocks_out * shape.plane.lanes;
        output
            .par_chunks_mut(chunks.images * image)
            .zip(input.par_chunks(chunks.images * self.image(at - 1)))
            .zip(sums.par_chunks_mut(*sums_per_chunk))
            .with_max_len(1)
            .for_each(|((output, input), sums)| {
                shape.plane.fill_border(output, f32::NAN);
                let images = output.len() / image;
                scratch_pool.lend(|scratch, _| {
                    Forward {
                        shape: ConvolutionShape { images, ..shape },
                        input: from.read(input),
                        weights,
                        streamed: is_streamed(output.len()),
                        output,
                        sums: &mut sums[..lanes],
                        scratch,
                    }
                    .run(self.isa);
                });
            });
    }

    pub(crate) fn transform(
        &self,
        parameters: &Parameters<'_>,
        at: usize,
        direction: Direction,
        to: &mut [f32],
    ) {
        let channels_in = self.program.before(at).channels;
        let shape = shape(self.program, at, self.isa.lanes(), 0);
        weights::transform(
            self.isa,
            shape,
            channels_in,
            direction,
            parameters.weight,
            to,
        );
    }

    /// From sums to the statistics, and to the scale and shift of normalisation. Returns whether
    /// all of them are finite.
    fn normalise(
        &self,
        workspace: &mut Workspace,
        at: usize,
        parameters: &Parameters<'_>,
        statistics: &mut StatisticsMut<'_>,
    ) -> bool {
        let plane = self.plane(at);
        let channels = self.program.extent(at).channels;
        let lanes = plane.blocks(channels) * plane.lanes;
        let count = (workspace.chunks.batch * plane.pixels()) as f64;
        let mut finite = true;
        workspace.total(2 * lanes);
        let (sums, squares) = workspace.sums.split_at(lanes);
        let coefficients = &mut workspace.coefficients[at];
        for channel in 0..channels {
            let mean = sums[channel] / count;
            let variance = (squares[channel] / count - mean * mean).max(0.0);
            finite &= mean.is_finite() && variance.is_finite();
            statistics.mean[channel] = mean as f32;
            statistics.variance[channel] = variance as f32;
            let inverse_deviation = 1.0 / (variance + self.program.epsilon()).sqrt();
            let scale = f64::from(parameters.scale[channel]) * inverse_deviation;
            let shift = f64::from(parameters.offset[channel]) - mean * scale;
            finite &= scale.is_finite() && shift.is_finite();
            coefficients.moments[channel] = Moments {
                mean,
                inverse_deviation,
            };
            let [scales, shifts] = &mut coefficients.scale_shift;
            scales[channel] = scale as f32;
            shifts[channel] = shift as f32;
        }
        finite
    }

    fn add_residual(&self, workspace: &mut Workspace, at: usize, skip: usize) {
        let plane = self.plane(at);
        let [blocks, skip_blocks] =
            [at, skip].map(|at| plane.blocks(self.program.extent(at).channels));
        let Workspace {
            plan,
            chunks,
            coefficients,
            identity,
            ..
        } = workspace;
        let [scale, shift] = &coefficients[at].scale_shift;
        let from = LayerInput::new(self.program, plan, coefficients, identity, skip);
        let [skipped, outputs, to] = ranges!(
            workspace.images,
            [from.range, plan.values[at], plan.residual_sums[at]]
        );
        to.par_chunks_mut(chunks.images * self.image(at))
            .zip(outputs.par_chunks(chunks.images * self.image(at)))
            .zip(skipped.par_chunks(chunks.images * self.image(skip)))
            .with_max_len(1)
            .for_each(|((to, outputs), skipped)| {
                ResidualAdd {
                    plane,
                    blocks,
                    images: to.len() / self.image(at),
                    outputs: BatchNormRelu {
                        values: outputs,
                        scale,
                        shift,
                    },
                    skip: from.read(skipped),
                    skip_blocks,
                    to,
                }
                .run(self.isa);
            });
    }

    fn pool(&self, workspace: &mut Workspace, at: usize) {
        let plane = self.plane(at - 1);
        let blocks = plane.blocks(self.program.extent(at).channels);
        let Workspace {
            plan,
            chunks,
            coefficients,
            identity,
            ..
        } = workspace;
        let from = LayerInput::new(self.program, plan, coefficients, identity, at - 1);
        let [input, output] = ranges!(workspace.images, [from.range, plan.values[at]]);
        output
            .par_chunks_mut(chunks.images * self.image(at))
            .zip(input.par_chunks(chunks.images * self.image(at - 1)))
            .with_max_len(1)
            .for_each(|(output, input)| {
                plane.halved().fill_border(output, 0.0);
                AveragePool {
                    plane,
                    blocks,
                    images: output.len() / self.image(at),
                    input: from.read(input),
                    output,
                }
                .run(self.isa);
            });
    }

    fn unpack(&self, workspace: &Workspace, features: &mut [f32]) {
        let last = self.program.operations().len() - 1;
        let len = self.program.features().num_elements();
        let from = &workspace.images[workspace.plan.values[last].clone()];
        features
            .par_chunks_exact_mut(len)
            .zip(from.par_chunks_exact(self.image(last)))
            .for_each(|(features, image)| self.plane(last).unpack(image, features));
    }
}

/// Where an operation's result is, and the scale and shift with which the next one reads it.
pub(super) struct LayerInput<'a> {
    pub range: Range<usize>,
    pub scale: &'a [f32],
    pub shift: &'a [f32],
}

impl<'a> LayerInput<'a> {
    pub(super) fn new(
        program: &Program,
        plan: &Plan,
        coefficients: &'a [ChannelCoefficients],
        identity: &'a [Vec<f32>; 2],
        at: usize,
    ) -> Self {
        let (range, [scale, shift]) = match program.operations()[at] {
            Operation::Convolution { skip: Some(_), .. } => (&plan.residual_sums[at], identity),
            Operation::Convolution { skip: None, .. } => {
                (&plan.values[at], &coefficients[at].scale_shift)
            }
            Operation::Pool => (&plan.values[at], identity),
        };
        Self {
            range: range.clone(),
            scale,
            shift,
        }
    }

    /// These values, which are some of the range's, as the kernels read them.
    pub(super) fn read<'b>(&'b self, values: &'b [f32]) -> BatchNormRelu<'b> {
        BatchNormRelu {
            values,
            scale: self.scale,
            shift: self.shift,
        }
    }
}

/// Packs `[channel][3][3]` as `[block][9][lane]`.
pub(super) fn pack_stem(weight: &[f32], lanes: usize, to: &mut [f32]) {
    let len = (weight.len() / 9).next_multiple_of(lanes) * 9;
    to[..len].fill(0.0);
    for (at, value) in weight.iter().enumerate() {
        let (channel, tap) = (at / 9, at % 9);
        to[(channel / lanes * 9 + tap) * lanes + channel % lanes] = *value;
    }
}
