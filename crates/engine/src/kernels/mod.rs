//! The kernels: compute loops that each work on one chunk of a batch, on one thread.
//!
//! This is the only module with `unsafe`. A kernel is a struct of slices and sizes with a safe
//! `run`, which checks them against each other; below it pointers are used unchecked. The caller
//! decides which thread takes which chunk, and allocates.
//!
//! Convolutions use Winograd's F(4x4, 3x3) and are fused with what comes before and after them:
//! batch normalisation and ReLU are applied as values are loaded, so that their results are never
//! stored, and epilogues take the sums that normalisation and its gradient need while outputs are
//! in registers.

#![allow(unsafe_code)]
// The compiler keeps small arrays in registers where loops over them go by index.
#![allow(clippy::needless_range_loop)]

mod aligned_buffer;
mod allocator;
mod backward;
mod batch_view;
mod batched_gemm;
mod convolution;
mod epilogue;
mod gemm;
mod isa;
mod layout;
mod peak;
mod pixelwise;
mod portable;
mod simd;
mod stem;
mod tiles;
mod unfused;
mod weights;
mod winograd;
#[cfg(target_arch = "x86_64")]
mod x86;

pub(crate) use aligned_buffer::AlignedBuffer;
#[cfg(test)]
pub(crate) use aligned_buffer::counted::allocations;
pub use allocator::keep_freed_memory;
pub(crate) use backward::{Activation, Backward, Input};
pub(crate) use batch_view::{BatchNormGradient, BatchNormRelu};
pub(crate) use convolution::{ConvolutionShape, Forward, Inference};
pub use isa::{Isa, Level, VectorizedLoop};
pub(crate) use layout::{Plane, TILE, Window};
pub(crate) use peak::Peak;
pub(crate) use pixelwise::{AveragePool, AveragePoolBackward, ResidualAdd};
pub(crate) use stem::{
    StemBackward, StemEpilogue, StemForward, image as stem_image, pack as stem_pack,
};
pub(crate) use unfused::{
    BackwardWeightsPoint, UnfusedBackward, UnfusedBackwardData, UnfusedForward,
};
pub(crate) use weights::{Direction, InverseTransformGradient, ReduceGradient, TransformWeights};

use portable::Portable;
use simd::{Kernel, Simd};
