//! How fast each kernel is by itself, on one thread.
//!
//! The kernels are private to this crate, so that `cargo bench --bench kernels` measures through
//! this module. Nothing else needs it.

use std::time::{Duration, Instant};

use super::Isa;
use super::kernels::{
    Activation, AlignedBuffer, Backward, BatchNormGradient, BatchNormRelu, ConvolutionShape,
    Forward, Inference, Input, Peak, Plane, StemBackward, StemEpilogue, StemForward, stem_image,
};

/// How long each kernel is measured.
const LONG: Duration = Duration::from_millis(300);
/// Floats of the outputs of a run: few, so that some runs are not interrupted.
const FLOATS: usize = 1 << 18;

/// The throughput of a kernel.
#[derive(Clone, Debug)]
pub struct Throughput {
    /// The name of the kernel.
    pub kernel: &'static str,
    /// Channels of inputs and of outputs.
    pub channels: [usize; 2],
    /// Height and width of the images.
    pub size: usize,
    /// Floating-point operations a second, counted as those of a direct convolution.
    pub direct: f64,
    /// Floating-point operations a second of the matrix products, without the transforms.
    pub products: f64,
}

/// The peak of a core: floating-point operations a second of multiply-adds that stay in registers.
pub fn peak(isa: Isa) -> f64 {
    const ROUNDS: usize = 1 << 16;
    let mut result = [0.0; 16];
    let seconds = fastest(|| {
        Peak {
            rounds: ROUNDS,
            result: &mut result,
        }
        .run(isa);
    });
    Peak::operations(ROUNDS, isa) as f64 / seconds
}

/// The throughput of every kernel for a convolution from and to so many channels, on images of
/// `size` x `size` pixels.
pub fn convolution(isa: Isa, channels: [usize; 2], size: usize) -> Vec<Throughput> {
    let case = Case::new(isa, channels, size);
    if channels[0] == 1 {
        return vec![case.stem_forward(), case.stem_backward()];
    }
    vec![case.forward(), case.inference(), case.backward()]
}

/// The seconds of the fastest of many runs.
fn fastest(mut run: impl FnMut()) -> f64 {
    run();
    let begin = Instant::now();
    let mut fastest = f64::INFINITY;
    while begin.elapsed() < LONG {
        let start = Instant::now();
        run();
        fastest = fastest.min(start.elapsed().as_secs_f64());
    }
    fastest
}

/// A buffer of small numbers, aligned as in use.
fn values(len: usize) -> AlignedBuffer {
    let mut memory = AlignedBuffer::zeros(len).expect("there should be memory for a few images");
    for (at, value) in memory.iter_mut().enumerate() {
        *value = (at % 7) as f32 - 3.0;
    }
    memory
}

/// A convolution and its inputs.
struct Case {
    isa: Isa,
    channels: [usize; 2],
    shape: ConvolutionShape,
    input: AlignedBuffer,
    weights: AlignedBuffer,
    output: AlignedBuffer,
    factors: Vec<f32>,
}

impl Case {
    fn new(isa: Isa, channels: [usize; 2], size: usize) -> Self {
        let plane = Plane {
            height: size,
            width: size,
            lanes: isa.lanes(),
        };
        let [blocks_in, blocks_out] = channels.map(|count| plane.blocks(count));
        let shape = ConvolutionShape {
            plane,
            blocks_in,
            blocks_out,
            images: (FLOATS / (blocks_out * plane.block())).max(1),
            reversed: false,
        };
        let part = shape.images * plane.block();
        Self {
            isa,
            channels,
            input: values((blocks_in * part).max(shape.images * stem_image(plane))),
            output: values(blocks_out * part),
            weights: values(shape.weights()),
            factors: vec![0.5; 16 * blocks_in.max(blocks_out) * plane.lanes],
            shape,
        }
    }

    /// `passes` is the number of convolutions that the kernel is worth, `saved` the factor by which
    /// Winograd's products are fewer.
    fn throughput(
        &self,
        kernel: &'static str,
        passes: usize,
        saved: usize,
        seconds: f64,
    ) -> Throughput {
        let [before, after] = self.channels;
        let pixels = self.shape.images * self.shape.plane.pixels();
        let operations = 2 * 9 * passes * before * after * pixels;
        Throughput {
            kernel,
            channels: self.channels,
            size: self.shape.plane.height,
            direct: operations as f64 / seconds,
            products: (operations / saved) as f64 / seconds,
        }
    }

    fn scratch(&self) -> AlignedBuffer {
        values(3 * self.shape.scratch())
    }

    fn source(&self) -> BatchNormRelu<'_> {
        BatchNormRelu {
            values: &self.input
                [..self.shape.images * self.shape.blocks_in * self.shape.plane.block()],
            scale: &self.factors,
            shift: &self.factors,
        }
    }

    fn differential(&self) -> BatchNormGradient<'_> {
        BatchNormGradient {
            gradient: &self.output,
            outputs: &self.output,
            coefficients: [&self.factors; 3],
        }
    }

    fn forward(&self) -> Throughput {
        let (mut output, mut scratch) = (values(self.output.len()), self.scratch());
        let mut sums = vec![0.0; 2 * self.shape.blocks_out * self.shape.plane.lanes];
        let seconds = fastest(|| {
            Forward {
                shape: self.shape,
                input: self.source(),
                weights: &self.weights,
                output: &mut output,
                sums: &mut sums,
                scratch: &mut scratch,
                streamed: true,
            }
            .run(self.isa);
        });
        self.throughput("forward", 1, 4, seconds)
    }

    fn inference(&self) -> Throughput {
        let (mut output, mut scratch) = (values(self.output.len()), self.scratch());
        let seconds = fastest(|| {
            Inference {
                shape: self.shape,
                input: self.source().values,
                weights: &self.weights,
                bias: &self.factors,
                skip: None,
                pooled: false,
                output: &mut output,
                scratch: &mut scratch,
            }
            .run(self.isa);
        });
        self.throughput("evaluation", 1, 4, seconds)
    }

    fn backward(&self) -> Throughput {
        let (mut gradient, mut scratch) = (values(self.source().values.len()), self.scratch());
        let mut weights_gradient = values(self.shape.gradient());
        let mut sums = vec![0.0; 2 * self.shape.blocks_in * self.shape.plane.lanes];
        let seconds = fastest(|| {
            Backward {
                shape: self.shape,
                output: self.differential(),
                input: Input {
                    source: self.source(),
                    activation: Activation::OnLoad,
                    skip: None,
                    gradient: &mut gradient,
                    sums: &mut sums,
                },
                weights: &self.weights,
                weights_gradient: &mut weights_gradient,
                scratch: &mut scratch,
                streamed: true,
            }
            .run(self.isa);
        });
        self.throughput("both gradients", 2, 4, seconds)
    }

    fn stem_input(&self) -> &[f32] {
        &self.input[..self.shape.images * stem_image(self.shape.plane)]
    }

    fn stem_forward(&self) -> Throughput {
        let mut output = values(self.output.len());
        let mut sums = vec![0.0; 2 * self.shape.blocks_out * self.shape.plane.lanes];
        let seconds = fastest(|| {
            StemForward {
                plane: self.shape.plane,
                input: self.stem_input(),
                weights: &self.factors,
                blocks: self.shape.blocks_out,
                epilogue: StemEpilogue::Statistics(&mut sums),
                output: &mut output,
            }
            .run(self.isa);
        });
        self.throughput("stem forward", 1, 1, seconds)
    }

    fn stem_backward(&self) -> Throughput {
        let mut sums = vec![0.0; 9 * self.shape.blocks_out * self.shape.plane.lanes];
        let seconds = fastest(|| {
            StemBackward {
                plane: self.shape.plane,
                input: self.stem_input(),
                output: self.differential(),
                blocks: self.shape.blocks_out,
                sums: &mut sums,
            }
            .run(self.isa);
        });
        self.throughput("stem gradient", 1, 1, seconds)
    }
}
