//! The backward pass of training.

use std::ops::Range;

use rayon::iter::{IndexedParallelIterator, ParallelIterator};
use rayon::slice::{ParallelSlice, ParallelSliceMut};

use super::forward::{LayerInput, TrainingPass, is_streamed, ranges};
use super::kernels::{
    Activation, AveragePoolBackward, Backward, BatchNormGradient, BatchNormRelu, ConvolutionShape,
    Direction, Input, Isa, StemBackward, stem_image,
};
use super::plan::{image, plane};
use super::weights::{inverse_transform, reduce};
use super::workspace::{ChannelCoefficients, Workspace, shape};
use super::{Gradients, Operation};

/// The range of what an operation does not have.
const EMPTY: Range<usize> = 0..0;

impl TrainingPass<'_> {
    /// Writes the gradients of each convolution's parameters, from the gradient of the features.
    pub(crate) fn backward(
        &self,
        workspace: &mut Workspace,
        features: &[f32],
        gradients: &mut [Gradients<'_>],
    ) {
        let operations = self.program.operations();
        self.pack(workspace, features);
        let mut convolution = gradients.len();
        for (at, operation) in operations.iter().enumerate().rev() {
            if *operation == Operation::Pool {
                self.pool_backward(workspace, at);
                continue;
            }
            convolution -= 1;
            let gradients = &mut gradients[convolution];
            self.differentiate(workspace, at, convolution, gradients);
            if at == 0 {
                self.stem_backward(workspace, gradients);
            } else {
                self.convolution_backward(workspace, at, convolution);
                self.total(workspace, at, gradients);
            }
        }
    }

    fn pack(&self, workspace: &mut Workspace, features: &[f32]) {
        let lanes = self.isa.lanes();
        let last = self.program.operations().len() - 1;
        let plane = plane(self.program, last, lanes);
        workspace.images[workspace.plan.gradients[last].clone()]
            .par_chunks_exact_mut(image(self.program, last, lanes))
            .zip(features.par_chunks_exact(self.program.features().num_elements()))
            .for_each(|(image, features)| plane.pack(features, image));
    }

    fn pool_backward(&self, workspace: &mut Workspace, at: usize) {
        let lanes = self.isa.lanes();
        let before = at - 1;
        let plane = plane(self.program, before, lanes);
        let blocks = plane.blocks(self.program.extent(at).channels);
        let [pooled, size] = [at, before].map(|at| image(self.program, at, lanes));
        workspace.sums.fill(0.0);
        let Workspace {
            plan,
            chunks,
            coefficients,
            identity,
            sums,
            sums_per_chunk,
            ..
        } = workspace;
        let from = LayerInput::new(self.program, plan, coefficients, identity, before);
        let stored = self.program.skip(before).map(|_| &plan.values[before]);
        let [values, outputs, output, gradient] = ranges!(
            workspace.images,
            [
                from.range,
                stored.unwrap_or(&EMPTY),
                plan.gradients[at],
                plan.gradients[before]
            ]
        );
        let (values, outputs) = (&*values, &*outputs);
        gradient
            .par_chunks_mut(chunks.images * size)
            .zip(output.par_chunks(chunks.images * pooled))
            .zip(sums.par_chunks_mut(*sums_per_chunk))
            .with_max_len(1)
            .enumerate()
            .for_each(|(chunk, ((gradient, output), sums))| {
                let start = chunk * chunks.images * size;
                let range = start..start + gradient.len();
                let stored = stored.map(|_| &outputs[range.clone()]);
                AveragePoolBackward {
                    plane,
                    blocks,
                    images: gradient.len() / size,
                    output,
                    source: from.read(&values[range]),
                    activation: stored.map_or(Activation::OnLoad, Activation::Stored),
                    gradient,
                    sums,
                }
                .run(self.isa);
            });
    }

    /// From the sums of the gradient of the normalised values: the gradients of scale and offset,
    /// and the coefficients of the gradient before normalisation.
    fn differentiate(
        &self,
        workspace: &mut Workspace,
        at: usize,
        convolution: usize,
        gradients: &mut Gradients<'_>,
    ) {
        let plane = plane(self.program, at, self.isa.lanes());
        let channels = self.program.extent(at).channels;
        let lanes = plane.blocks(channels) * plane.lanes;
        let count = (workspace.chunks.batch * plane.pixels()) as f64;
        workspace.total(2 * lanes);
        let (sums, products) = workspace.sums.split_at(lanes);
        let coefficients = &mut workspace.coefficients[at];
        for channel in 0..channels {
            let moments = coefficients.moments[channel];
            let (mean, inverse) = (moments.mean, moments.inverse_deviation);
            let sum = sums[channel];
            let of_scale = inverse * (products[channel] - mean * sum);
            gradients.offset[channel] = sum as f32;
            gradients.scale[channel] = of_scale as f32;
            let factor = f64::from(self.parameters[convolution].scale[channel]) * inverse;
            let of_output = -factor * inverse * of_scale / count;
            let [c0, c1, c2] = &mut coefficients.gradient;
            c0[channel] = factor as f32;
            c1[channel] = of_output as f32;
            c2[channel] = (-factor * sum / count - of_output * mean) as f32;
        }
    }

    fn stem_backward(&self, workspace: &mut Workspace, gradients: &mut Gradients<'_>) {
        let plane = plane(self.program, 0, self.isa.lanes());
        let blocks = plane.blocks(self.program.extent(0).channels);
        let size = blocks * plane.block();
        workspace.sums.fill(0.0);
        let Workspace {
            plan,
            chunks,
            coefficients,
            sums,
            sums_per_chunk,
            images,
            ..
        } = workspace;
        let [input, outputs, gradient] =
            [&plan.images, &plan.values[0], &plan.gradients[0]].map(|range| &images[range.clone()]);
        let coefficients = coefficients[0].gradient.each_ref().map(Vec::as_slice);
        input
            .par_chunks(chunks.images * stem_image(plane))
            .zip(outputs.par_chunks(chunks.images * size))
            .zip(gradient.par_chunks(chunks.images * size))
            .zip(sums.par_chunks_mut(*sums_per_chunk))
            .with_max_len(1)
            .for_each(|(((input, outputs), gradient), sums)| {
                StemBackward {
                    plane,
                    input,
                    output: BatchNormGradient {
                        gradient,
                        outputs,
                        coefficients,
                    },
                    blocks,
                    sums,
                }
                .run(self.isa);
            });
        let total = workspace.total(9 * blocks * plane.lanes);
        for (at, to) in gradients.weight.iter_mut().enumerate() {
            let (channel, tap) = (at / 9, at % 9);
            let (block, lane) = (channel / plane.lanes, channel % plane.lanes);
            *to = total[(block * 9 + tap) * plane.lanes + lane] as f32;
        }
    }

    fn convolution_backward(&self, workspace: &mut Workspace, at: usize, convolution: usize) {
        let before = at - 1;
        let shape = shape(self.program, at, self.isa.lanes(), 0);
        let (weights, _) = workspace.weights.split_at_mut(shape.weights());
        let parameters = &self.parameters[convolution];
        self.transform(parameters, at, Direction::Backward, weights);
        workspace.sums.fill(0.0);
        let Workspace {
            plan,
            chunks,
            coefficients,
            identity,
            scratch_pool,
            sums_per_chunk,
            ..
        } = workspace;
        // The gradient of a residual sum is also that of what was added.
        let skipped = self.program.skipped_to(before);
        let stored = self.program.skip(before).map(|_| &plan.values[before]);
        let from = LayerInput::new(self.program, plan, coefficients, identity, before);
        let [gradient, read @ ..] = ranges!(
            workspace.images,
            [
                plan.gradients[before],
                from.range,
                stored.unwrap_or(&EMPTY),
                plan.values[at],
                plan.gradients[at],
                skipped.map_or(&EMPTY, |to| &plan.gradients[to])
            ]
        );
        let read = read.map(|range| &*range);
        let layer = LayerBackward {
            weights,
            ..self.layer_backward(at, &coefficients[at], &from, read)
        };
        gradient
            .par_chunks_mut(chunks.images * layer.size(shape.blocks_in))
            .zip(workspace.weights_gradients.par_chunks_mut(shape.taps()))
            .zip(workspace.sums.par_chunks_mut(*sums_per_chunk))
            .with_max_len(1)
            .enumerate()
            .for_each(|(chunk, ((gradient, taps), sums))| {
                scratch_pool.lend(|scratch, points| {
                    let points = &mut points[..shape.gradient()];
                    layer.run(chunk * chunks.images, gradient, sums, points, scratch);
                    inverse_transform(self.isa, shape, points, taps);
                });
            });
    }

    /// What the backward pass of a convolution reads, but for its weights.
    fn layer_backward<'a>(
        &self,
        at: usize,
        coefficients: &'a ChannelCoefficients,
        from: &'a LayerInput<'_>,
        [values, stored, outputs, gradient, skipped]: [&'a [f32]; 5],
    ) -> LayerBackward<'a> {
        let before = at - 1;
        let shape = shape(self.program, at, self.isa.lanes(), 0);
        LayerBackward {
            isa: self.isa,
            shape,
            is_pooled: self.program.operations()[before] == Operation::Pool,
            weights: &[],
            output: BatchNormGradient {
                gradient,
                outputs,
                coefficients: coefficients.gradient.each_ref().map(Vec::as_slice),
            },
            source: from.read(values),
            stored: self.program.skip(before).map(|_| stored),
            skip: self.program.skipped_to(before).map(|to| {
                let channels = self.program.extent(to).channels;
                (skipped, shape.plane.blocks(channels))
            }),
        }
    }

    fn total(&self, workspace: &mut Workspace, at: usize, gradients: &mut Gradients<'_>) {
        let shape = shape(self.program, at, self.isa.lanes(), 0);
        let channels_in = self.program.before(at).channels;
        let chunks = &workspace.weights_gradients[..workspace.chunks.count * shape.taps()];
        reduce(self.isa, shape, channels_in, chunks, gradients.weight);
    }
}

/// The backward pass of a convolution: what it reads, of all images.
struct LayerBackward<'a> {
    isa: Isa,
    shape: ConvolutionShape,
    /// Whether the layer before is a pool.
    is_pooled: bool,
    weights: &'a [f32],
    output: BatchNormGradient<'a>,
    source: BatchNormRelu<'a>,
    /// The outputs of the layer before, if its activations are stored.
    stored: Option<&'a [f32]>,
    /// The gradient that arrives through a skip connection, and its blocks.
    skip: Option<(&'a [f32], usize)>,
}

impl LayerBackward<'_> {
    /// Floats of an image of so many blocks.
    fn size(&self, blocks: usize) -> usize {
        blocks * self.shape.plane.block()
    }

    /// The pass for a chunk of images, which begins with the image `first`.
    fn run(
        &self,
        first: usize,
        gradient: &mut [f32],
        sums: &mut [f64],
        points: &mut [f32],
        scratch: &mut [f32],
    ) {
        let images = gradient.len() / self.size(self.shape.blocks_in);
        let part = |all, blocks| part_of(all, self.size(blocks), first, images);
        let ConvolutionShape {
            blocks_in,
            blocks_out,
            ..
        } = self.shape;
        Backward {
            shape: ConvolutionShape {
                images,
                ..self.shape
            },
            output: BatchNormGradient {
                gradient: part(self.output.gradient, blocks_out),
                outputs: part(self.output.outputs, blocks_out),
                ..self.output
            },
            streamed: is_streamed(gradient.len()),
            input: Input {
                source: BatchNormRelu {
                    values: part(self.source.values, blocks_in),
                    ..self.source
                },
                activation: match self.stored {
                    _ if self.is_pooled => Activation::None,
                    Some(outputs) => Activation::Stored(part(outputs, blocks_in)),
                    None => Activation::OnLoad,
                },
                skip: self.skip.map(|(all, blocks)| (part(all, blocks), blocks)),
                gradient,
                sums,
            },
            weights: self.weights,
            weights_gradient: points,
            scratch,
        }
        .run(self.isa);
    }
}

/// Some of all images, each of `size` floats.
fn part_of(all: &[f32], size: usize, first: usize, images: usize) -> &[f32] {
    &all[first * size..(first + images) * size]
}
