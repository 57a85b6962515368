//! The way back in training.

use rayon::iter::{IndexedParallelIterator, ParallelIterator};
use rayon::slice::{ParallelSlice, ParallelSliceMut};

use super::forward::{Pass, is_streamed, ranges, source};
use super::kernels::{
    Activation, Backward, Differential, Direction, Input, PoolBackward, Shape, Source,
    StemBackward, stem_image,
};
use super::plan::{image, plane};
use super::weights::{collect, total};
use super::workspace::{Workspace, shape};
use super::{Gradients, Operation};

impl Pass<'_> {
    /// Writes the gradients of each convolution's parameters, from that of the features.
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
            .zip(features.par_chunks_exact(self.program.features().len()))
            .for_each(|(image, features)| plane.pack(features, image));
    }

    fn pool_backward(&self, workspace: &mut Workspace, at: usize) {
        let lanes = self.isa.lanes();
        let before = at - 1;
        let plane = plane(self.program, before, lanes);
        let blocks = plane.blocks(self.program.extent(at).channels);
        let size = image(self.program, before, lanes);
        workspace.sums.fill(0.0);
        let Workspace {
            plan,
            shares,
            constants,
            identity,
            sums,
            sums_share,
            ..
        } = workspace;
        let (from, [scale, shift]) = source(self.program, plan, constants, identity, before);
        let joined = self.program.skip(before).is_some();
        let outputs = if joined {
            plan.values[before].clone()
        } else {
            0..0
        };
        let [values, outputs, output, gradient] = ranges!(
            workspace.images,
            [from, outputs, plan.gradients[at], plan.gradients[before]]
        );
        let (values, outputs) = (&*values, &*outputs);
        gradient
            .par_chunks_mut(shares.each * size)
            .zip(output.par_chunks(shares.each * image(self.program, at, lanes)))
            .zip(sums.par_chunks_mut(*sums_share))
            .with_max_len(1)
            .enumerate()
            .for_each(|(share, ((gradient, output), sums))| {
                let range = share * shares.each * size..share * shares.each * size + gradient.len();
                let activation = if joined {
                    Activation::Stored(&outputs[range.clone()])
                } else {
                    Activation::OnLoad
                };
                PoolBackward {
                    plane,
                    blocks,
                    images: gradient.len() / size,
                    output,
                    source: Source {
                        values: &values[range],
                        scale,
                        shift,
                    },
                    activation,
                    gradient,
                    sums,
                }
                .run(self.isa);
            });
    }

    /// From the sums of the gradient of normalised values to the gradients of scale and offset,
    /// and to that of the outputs before normalisation.
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
        let count = (workspace.shares.batch * plane.pixels()) as f64;
        workspace.total(2 * lanes);
        let (sums, products) = workspace.sums.split_at(lanes);
        let constants = &mut workspace.constants[at];
        for channel in 0..channels {
            let moments = constants.moments[channel];
            let (mean, inverse) = (moments.mean, moments.inverse_deviation);
            let sum = sums[channel];
            let of_scale = inverse * (products[channel] - mean * sum);
            gradients.offset[channel] = sum as f32;
            gradients.scale[channel] = of_scale as f32;
            let factor = f64::from(self.parameters[convolution].scale[channel]) * inverse;
            let slope = -factor * inverse * of_scale / count;
            let [c0, c1, c2] = &mut constants.back;
            c0[channel] = factor as f32;
            c1[channel] = slope as f32;
            c2[channel] = (-factor * sum / count - slope * mean) as f32;
        }
    }

    fn stem_backward(&self, workspace: &mut Workspace, gradients: &mut Gradients<'_>) {
        let plane = plane(self.program, 0, self.isa.lanes());
        let blocks = plane.blocks(self.program.extent(0).channels);
        let size = blocks * plane.block();
        workspace.sums.fill(0.0);
        let Workspace {
            plan,
            shares,
            constants,
            sums,
            sums_share,
            images,
            ..
        } = workspace;
        let [input, outputs, gradient] =
            [&plan.images, &plan.values[0], &plan.gradients[0]].map(|range| &images[range.clone()]);
        let coefficients = constants[0].back.each_ref().map(Vec::as_slice);
        input
            .par_chunks(shares.each * stem_image(plane))
            .zip(outputs.par_chunks(shares.each * size))
            .zip(gradient.par_chunks(shares.each * size))
            .zip(sums.par_chunks_mut(*sums_share))
            .with_max_len(1)
            .for_each(|(((input, outputs), gradient), sums)| {
                StemBackward {
                    plane,
                    input,
                    output: Differential {
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
        let lanes = self.isa.lanes();
        let before = at - 1;
        let shape = shape(self.program, at, lanes, 0);
        let len = shape.weights();
        let parameters = &self.parameters[convolution];
        self.transform(
            parameters,
            at,
            Direction::Backward,
            &mut workspace.weights[..len],
        );
        workspace.sums.fill(0.0);
        let Workspace {
            plan,
            shares,
            constants,
            identity,
            ..
        } = workspace;
        let (from, [scale, shift]) = source(self.program, plan, constants, identity, before);
        let pooled = self.program.operations()[before] == Operation::Pool;
        let joined = self.program.skip(before).is_some();
        let none = 0..0;
        let stored = if joined { &plan.values[before] } else { &none };
        // The gradient of the sum that a skip ends in is that of what it begins with, too.
        let skipped = self.program.skipped_to(before);
        let skipped_range = skipped.map_or(&none, |to| &plan.gradients[to]);
        let [
            values,
            stored,
            outputs,
            output_gradient,
            skipped_gradient,
            gradient,
        ] = ranges!(
            workspace.images,
            [
                from,
                stored,
                plan.values[at],
                plan.gradients[at],
                skipped_range,
                plan.gradients[before]
            ]
        );
        let [values, stored, outputs, output_gradient, skipped_gradient] =
            [values, stored, outputs, output_gradient, skipped_gradient].map(|range| &*range);
        let coefficients = constants[at].back.each_ref().map(Vec::as_slice);
        let [size, size_before] = [at, before].map(|at| image(self.program, at, lanes));
        let skipped_blocks = skipped.map(|to| shape.plane.blocks(self.program.extent(to).channels));
        let (weights, sums_share) = (&workspace.weights[..len], workspace.sums_share);
        let benches = &workspace.benches;
        gradient
            .par_chunks_mut(shares.each * size_before)
            .zip(workspace.weights_gradients.par_chunks_mut(shape.taps()))
            .zip(workspace.sums.par_chunks_mut(sums_share))
            .with_max_len(1)
            .enumerate()
            .for_each(|(share, ((gradient, weights_gradient), sums))| {
                let images = gradient.len() / size_before;
                let part = |all: &'_ [f32], size: usize| {
                    let start = share * shares.each * size;
                    start..(start + images * size).min(all.len())
                };
                let values = &values[part(values, size_before)];
                let activation = if pooled {
                    Activation::None
                } else if joined {
                    Activation::Stored(&stored[part(stored, size_before)])
                } else {
                    Activation::OnLoad
                };
                let skip = skipped_blocks.map(|blocks| {
                    let size = blocks * shape.plane.block();
                    (&skipped_gradient[part(skipped_gradient, size)], blocks)
                });
                benches.lend(|scratch, points| {
                    let points = &mut points[..shape.gradient()];
                    Backward {
                        shape: Shape { images, ..shape },
                        output: Differential {
                            gradient: &output_gradient[part(output_gradient, size)],
                            outputs: &outputs[part(outputs, size)],
                            coefficients,
                        },
                        streamed: is_streamed(gradient.len()),
                        input: Input {
                            source: Source {
                                values,
                                scale,
                                shift,
                            },
                            activation,
                            skip,
                            gradient,
                            sums,
                        },
                        weights,
                        weights_gradient: &mut *points,
                        scratch,
                    }
                    .run(self.isa);
                    collect(self.isa, shape, points, weights_gradient);
                });
            });
    }

    fn total(&self, workspace: &mut Workspace, at: usize, gradients: &mut Gradients<'_>) {
        let shape = shape(self.program, at, self.isa.lanes(), 0);
        let channels_in = self.program.before(at).channels;
        let shares = &workspace.weights_gradients[..workspace.shares.count * shape.taps()];
        total(self.isa, shape, channels_in, shares, gradients.weight);
    }
}
