//! Vectors for processors without a vector type of their own here.

use super::Simd;

/// Vectors as arrays, which the compiler turns into the vectors that the processor has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Portable<const LANES: usize>;

impl<const LANES: usize> Portable<LANES> {
    #[inline(always)]
    fn map2(a: [f32; LANES], b: [f32; LANES], f: impl Fn(f32, f32) -> f32) -> [f32; LANES] {
        let mut out = a;
        for (out, b) in out.iter_mut().zip(b) {
            *out = f(*out, b);
        }
        out
    }
}

/// Whether `a * b + c` is rounded once: only where the processor does so without a library call.
pub(super) const FUSES: bool = cfg!(target_arch = "aarch64");

#[inline(always)]
fn multiply_add(a: f32, b: f32, c: f32) -> f32 {
    if FUSES { a.mul_add(b, c) } else { a * b + c }
}

impl<const N: usize> Simd for Portable<N> {
    type V = [f32; N];
    const LANES: usize = N;

    #[inline(always)]
    fn splat(self, value: f32) -> [f32; N] {
        [value; N]
    }
    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> [f32; N] {
        // SAFETY: the caller vouches for N readable floats; an array is aligned as its elements
        // are.
        unsafe { from.cast::<[f32; N]>().read() }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32, value: [f32; N]) {
        // SAFETY: the caller vouches for N writable floats.
        unsafe { to.cast::<[f32; N]>().write(value) }
    }
    #[inline(always)]
    fn fma(self, a: [f32; N], b: [f32; N], c: [f32; N]) -> [f32; N] {
        let mut out = c;
        for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
            *out = multiply_add(a, b, *out);
        }
        out
    }
    #[inline(always)]
    fn fnma(self, a: [f32; N], b: [f32; N], c: [f32; N]) -> [f32; N] {
        let mut out = c;
        for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
            *out = multiply_add(-a, b, *out);
        }
        out
    }
    #[inline(always)]
    fn add(self, a: [f32; N], b: [f32; N]) -> [f32; N] {
        Self::map2(a, b, |a, b| a + b)
    }
    #[inline(always)]
    fn sub(self, a: [f32; N], b: [f32; N]) -> [f32; N] {
        Self::map2(a, b, |a, b| a - b)
    }
    #[inline(always)]
    fn mul(self, a: [f32; N], b: [f32; N]) -> [f32; N] {
        Self::map2(a, b, |a, b| a * b)
    }
    #[inline(always)]
    fn relu(self, a: [f32; N]) -> [f32; N] {
        a.map(|a| if a < 0.0 { 0.0 } else { a })
    }
    #[inline(always)]
    fn relu_or_zero(self, a: [f32; N]) -> [f32; N] {
        a.map(|a| if a > 0.0 { a } else { 0.0 })
    }
    #[inline(always)]
    fn where_number(self, a: [f32; N], by: [f32; N]) -> [f32; N] {
        Self::map2(a, by, |a, by| if by.is_nan() { 0.0 } else { a })
    }
    #[inline(always)]
    fn where_positive(self, a: [f32; N], by: [f32; N]) -> [f32; N] {
        Self::map2(a, by, |a, by| if by > 0.0 { a } else { 0.0 })
    }
}
