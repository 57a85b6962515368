//! The loops that take the time, each for one share of a batch on one thread.
//!
//! This is the one place with `unsafe`. A kernel is a struct of slices and sizes with a safe `run`
//! that checks them against each other; what is below it works by address. Which thread takes
//! which share, and which memory, is decided by the caller.
//!
//! Convolutions are Winograd's F(4x4, 3x3), fused with what comes before and after: batch
//! normalisation and ReLU are applied as values are read and are never stored, and the sums that
//! normalisation and its gradient need are taken while outputs are in registers.

#![allow(unsafe_code)]
// Loops by index over small arrays are what becomes registers.
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

pub(crate) use aligned_buffer::Memory;
#[cfg(test)]
pub(crate) use aligned_buffer::counted::allocations;
pub use allocator::keep_freed_memory;
pub(crate) use backward::{Activation, Backward, Input};
pub(crate) use batch_view::{Differential, Source};
pub(crate) use convolution::{Forward, Inference, Shape};
pub use isa::{Isa, Level, Loops};
pub(crate) use layout::{Plane, TILE, Window};
pub(crate) use peak::Peak;
pub(crate) use pixelwise::{Join, Pool, PoolBackward};
pub(crate) use stem::{Outputs, StemBackward, StemForward, image as stem_image, pack as stem_pack};
pub(crate) use unfused::{PointGradient, SingleBackward, SingleForward, SingleInput};
pub(crate) use weights::{CollectGradient, Direction, TotalGradient, TransformWeights};

use portable::Portable;
use simd::{Kernel, Simd};
