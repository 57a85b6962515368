#[cfg(target_arch = "x86_64")]
use super::x86;
use super::{Kernel, Portable, Simd};

/// The instructions that the kernels use.
///
/// A value exists only where the processor has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Isa(Level);

/// A kind of instructions, present or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Level {
    /// 16 floats at a time, by AVX-512F.
    Avx512,
    /// 8 floats at a time, by AVX2 and FMA.
    Avx2,
    /// 8 floats at a time, by what every processor of the architecture has.
    Portable,
    /// As [`Portable`](Self::Portable), but 16 floats: the layout and loops of AVX-512 elsewhere.
    Portable16,
}

impl Isa {
    /// The fastest that the processor has.
    pub fn best() -> Self {
        [Level::Avx512, Level::Avx2]
            .into_iter()
            .find_map(Self::available)
            .unwrap_or(Self(Level::Portable))
    }

    /// The instructions of a kind, if the processor has them.
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

    /// Does plain loops, compiled for these instructions.
    pub fn vectorize(self, loops: impl Loops) {
        self.run(Vectorized(loops));
    }

    /// Whether a product and a sum are rounded once.
    #[cfg(test)]
    pub fn fuses(self) -> bool {
        match self.0 {
            Level::Avx512 | Level::Avx2 => true,
            Level::Portable16 | Level::Portable => super::portable::FUSES,
        }
    }

    /// Does the work with these instructions.
    pub(super) fn run(self, kernel: impl Kernel) {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `available` has found the instructions.
            Level::Avx512 => unsafe { x86::avx512(kernel) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `available` has found the instructions.
            Level::Avx2 => unsafe { x86::avx2(kernel) },
            #[cfg(not(target_arch = "x86_64"))]
            Level::Avx512 | Level::Avx2 => {}
            Level::Portable => kernel.run(Portable::<8>),
            Level::Portable16 => kernel.run(Portable::<16>),
        }
    }
}

/// Safe loops over slices, which the compiler makes vectors of.
pub trait Loops {
    /// Does them. It and all that it calls must be inlined, lest it be compiled without the
    /// instructions.
    fn run(self);
}

struct Vectorized<L>(L);

impl<L: Loops> Kernel for Vectorized<L> {
    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        self.0.run();
    }
}
