//! Which vector instructions the kernels use: a witness that the processor has them, and the entry
//! points that are compiled for each.

#[cfg(target_arch = "x86_64")]
use super::x86;
use super::{Kernel, Portable, Simd};

/// A set of vector instructions that the processor has.
///
/// A value is a witness: it exists only where the processor has the instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Isa(Level);

/// A set of vector instructions, which the processor may have or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Level {
    /// 16 floats at a time, by AVX-512F.
    Avx512,
    /// 8 floats at a time, by AVX2 and FMA.
    Avx2,
    /// 8 floats at a time, by the instructions that every processor of the architecture has.
    Portable,
    /// As [`Portable`](Self::Portable), but 16 floats: the layout and loops of AVX-512 on any
    /// processor.
    Portable16,
}

impl Isa {
    /// The fastest instructions that the processor has.
    pub fn best() -> Self {
        [Level::Avx512, Level::Avx2]
            .into_iter()
            .find_map(Self::available)
            .unwrap_or(Self(Level::Portable))
    }

    /// The instructions of a level, if the processor has them.
    pub fn available(level: Level) -> Option<Self> {
        let present = match level {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => is_x86_feature_detected!("avx512f"),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(not(target_arch = "x86_64"))]
            Level::Avx512 | Level::Avx2 => false,
            Level::Portable | Level::Portable16 => true,
        };
        present.then_some(Self(level))
    }

    /// Floats in a vector, and channels in a block.
    pub fn lanes(self) -> usize {
        match self.0 {
            Level::Avx512 | Level::Portable16 => 16,
            Level::Avx2 | Level::Portable => 8,
        }
    }

    /// Runs a loop that is compiled for these instructions.
    pub fn vectorize(self, loops: impl VectorizedLoop) {
        self.run(LoopKernel(loops));
    }

    /// Whether a multiply-add is rounded once, at its end.
    #[cfg(test)]
    pub fn fuses(self) -> bool {
        match self.0 {
            Level::Avx512 | Level::Avx2 => true,
            Level::Portable16 | Level::Portable => super::portable::FUSES,
        }
    }

    /// Runs a kernel that is compiled for these instructions.
    pub(super) fn run(self, kernel: impl Kernel) {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: a value exists only where `available` has found the instructions.
            Level::Avx512 => unsafe { x86::avx512(kernel) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: a value exists only where `available` has found the instructions.
            Level::Avx2 => unsafe { x86::avx2(kernel) },
            #[cfg(not(target_arch = "x86_64"))]
            Level::Avx512 | Level::Avx2 => {}
            Level::Portable => kernel.run(Portable::<8>),
            Level::Portable16 => kernel.run(Portable::<16>),
        }
    }
}

/// A safe loop over slices, which the compiler vectorises for the instructions at hand.
pub trait VectorizedLoop {
    /// Runs the loop. It and all that it calls must be inlined, or they would be compiled without
    /// the instructions.
    fn run(self);
}

struct LoopKernel<L>(L);

impl<L: VectorizedLoop> Kernel for LoopKernel<L> {
    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        self.0.run();
    }
}
