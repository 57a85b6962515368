//! The vectors of x86-64: AVX2 with FMA, and AVX-512.

use std::arch::x86_64::*;

use super::{Kernel, Simd};

/// 8 floats, by AVX2 and FMA.
#[derive(Clone, Copy, Debug)]
pub(super) struct Avx2(());

/// 16 floats, by AVX-512F.
#[derive(Clone, Copy, Debug)]
pub(super) struct Avx512(());

/// # Safety
/// The processor has AVX2 and FMA.
#[target_feature(enable = "avx2,fma")]
#[inline(never)]
pub(super) fn avx2(kernel: impl Kernel) {
    kernel.run(Avx2(()));
}

/// # Safety
/// The processor has AVX-512F.
#[target_feature(enable = "avx512f,avx2,fma")]
#[inline(never)]
pub(super) fn avx512(kernel: impl Kernel) {
    kernel.run(Avx512(()));
}

/// The implementation, which differs between vectors only in the names of the intrinsics.
macro_rules! vector {
    ($type:ty, $enter:ident, $vector:ty, $lanes:literal, $zero:ident, $splat:ident, $load:ident, $store:ident,
     $stream:ident, $fma:ident, $fnma:ident, $add:ident, $sub:ident, $mul:ident, $max:ident,
     |$value:ident, $by:ident| $number:expr, $positive:expr) => {
        impl Simd for $type {
            type V = $vector;
            const LANES: usize = $lanes;

            #[inline(always)]
            fn splat(self, value: f32) -> $vector {
                // SAFETY: a witness exists only where the instructions do.
                unsafe { $splat(value) }
            }
            #[inline(always)]
            unsafe fn load(self, from: *const f32) -> $vector {
                // SAFETY: a witness exists only where the instructions do, and the caller vouches
                // for the address.
                unsafe { $load(from) }
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut f32, value: $vector) {
                // SAFETY: a witness exists only where the instructions do, and the caller vouches
                // for the address.
                unsafe { $store(to, value) }
            }
            #[inline(always)]
            unsafe fn stream(self, to: *mut f32, value: $vector) {
                // SAFETY: a witness exists only where the instructions do, and the caller vouches
                // for the address and its alignment.
                unsafe { $stream(to, value) }
            }
            #[inline(always)]
            fn fence(self) {
                // SAFETY: every x86-64 has the instruction.
                unsafe { _mm_sfence() }
            }
            #[inline(always)]
            fn prefetch(self, at: *const f32) {
                // SAFETY: the instruction ignores an address that is not valid.
                unsafe { _mm_prefetch::<_MM_HINT_T1>(at.cast()) }
            }
            #[inline(always)]
            fn outlined(self, kernel: impl Kernel) {
                // SAFETY: a witness exists only where the instructions do.
                unsafe { $enter(kernel) }
            }
            #[inline(always)]
            fn fma(self, a: $vector, b: $vector, c: $vector) -> $vector {
                // SAFETY: a witness exists only where the instructions do.
                unsafe { $fma(a, b, c) }
            }
            #[inline(always)]
            fn fnma(self, a: $vector, b: $vector, c: $vector) -> $vector {
                // SAFETY: a witness exists only where the instructions do.
                unsafe { $fnma(a, b, c) }
            }
            #[inline(always)]
            fn add(self, a: $vector, b: $vector) -> $vector {
                // SAFETY: a witness exists only where the instructions do.
                unsafe { $add(a, b) }
            }
            #[inline(always)]
            fn sub(self, a: $vector, b: $vector) -> $vector {
                // SAFETY: a witness exists only where the instructions do.
                unsafe { $sub(a, b) }
            }
            #[inline(always)]
            fn mul(self, a: $vector, b: $vector) -> $vector {
                // SAFETY: a witness exists only where the instructions do.
                unsafe { $mul(a, b) }
            }
            // The instruction gives its second operand if either is NaN.
            #[inline(always)]
            fn relu(self, a: $vector) -> $vector {
                // SAFETY: a witness exists only where the instructions do.
                unsafe { $max($zero(), a) }
            }
            #[inline(always)]
            fn relu_or_zero(self, a: $vector) -> $vector {
                // SAFETY: a witness exists only where the instructions do.
                unsafe { $max(a, $zero()) }
            }
            #[inline(always)]
            fn where_number(self, $value: $vector, $by: $vector) -> $vector {
                // SAFETY: a witness exists only where the instructions do.
                unsafe { $number }
            }
            #[inline(always)]
            fn where_positive(self, $value: $vector, $by: $vector) -> $vector {
                // SAFETY: a witness exists only where the instructions do.
                unsafe { $positive }
            }
        }
    };
}

vector!(
    Avx2,
    avx2,
    __m256,
    8,
    _mm256_setzero_ps,
    _mm256_set1_ps,
    _mm256_loadu_ps,
    _mm256_storeu_ps,
    _mm256_stream_ps,
    _mm256_fmadd_ps,
    _mm256_fnmadd_ps,
    _mm256_add_ps,
    _mm256_sub_ps,
    _mm256_mul_ps,
    _mm256_max_ps,
    |value, by| _mm256_and_ps(_mm256_cmp_ps::<_CMP_ORD_Q>(by, by), value),
    _mm256_and_ps(_mm256_cmp_ps::<_CMP_GT_OQ>(by, _mm256_setzero_ps()), value)
);

vector!(
    Avx512,
    avx512,
    __m512,
    16,
    _mm512_setzero_ps,
    _mm512_set1_ps,
    _mm512_loadu_ps,
    _mm512_storeu_ps,
    _mm512_stream_ps,
    _mm512_fmadd_ps,
    _mm512_fnmadd_ps,
    _mm512_add_ps,
    _mm512_sub_ps,
    _mm512_mul_ps,
    _mm512_max_ps,
    |value, by| _mm512_maskz_mov_ps(_mm512_cmp_ps_mask::<_CMP_ORD_Q>(by, by), value),
    _mm512_maskz_mov_ps(
        _mm512_cmp_ps_mask::<_CMP_GT_OQ>(by, _mm512_setzero_ps()),
        value
    )
);
