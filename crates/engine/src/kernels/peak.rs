//! The processor's peak, by which kernels are judged: multiply-adds that stay in registers.

use super::{Isa, Kernel, Simd};

/// Independent sums: enough for two units with a latency of four cycles, and few enough for 16
/// registers.
const SUMS: usize = 12;

/// Multiply-adds in registers, the most that a core can do.
#[derive(Debug)]
pub(crate) struct Peak<'a> {
    /// Multiply-adds of each sum.
    pub rounds: usize,
    /// At least one vector long: receives the result, or the compiler would remove the work.
    pub result: &'a mut [f32],
}

impl Peak<'_> {
    /// Floating-point operations of a run with `rounds` rounds.
    pub(crate) fn operations(rounds: usize, isa: Isa) -> usize {
        2 * rounds * SUMS * isa.lanes()
    }

    pub(crate) fn run(self, isa: Isa) {
        isa.run(self);
    }
}

impl Kernel for Peak<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        assert!(self.result.len() >= S::LANES);
        let (factor, summand) = (s.splat(0.5), s.splat(1.0));
        let mut sums = [s.splat(0.0); SUMS];
        for _ in 0..self.rounds {
            for sum in &mut sums {
                *sum = s.fma(*sum, factor, summand);
            }
        }
        let total = sums
            .into_iter()
            .fold(s.splat(0.0), |one, two| s.add(one, two));
        // SAFETY: the result is as long as a vector.
        unsafe { s.store(self.result.as_mut_ptr(), total) };
    }
}
