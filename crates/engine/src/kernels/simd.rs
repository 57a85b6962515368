//! What a vector of floats can do, and a kernel that is generic over vectors.

/// Work that is compiled once for each set of instructions.
pub(super) trait Kernel {
    /// Does the work. It and all that it calls must be inlined, or they would be compiled without
    /// the instructions.
    fn run<S: Simd>(self, simd: S);
}

/// A vector of 32-bit floats with the operations of the kernels.
///
/// A value of the type is a witness: it exists only where the processor has the instructions, so
/// that arithmetic is safe and only memory accesses are not. All kernels are generic over this
/// trait and inlined completely into an entry point that is compiled for the instructions; see
/// [`Isa::run`](super::Isa::run).
pub(super) trait Simd: Copy {
    type V: Copy;
    /// The number of floats in a vector, and of channels in a block.
    const LANES: usize;

    /// `value` in all lanes.
    fn splat(self, value: f32) -> Self::V;
    /// # Safety
    /// `LANES` floats can be read from `from`.
    unsafe fn load(self, from: *const f32) -> Self::V;
    /// # Safety
    /// `LANES` floats can be written to `to`.
    unsafe fn store(self, to: *mut f32, value: Self::V);
    /// A non-temporal store: past the caches, for what is not read again soon. Other threads see it
    /// only after [`fence`](Self::fence).
    ///
    /// # Safety
    /// `LANES` floats can be written to `to`, which is aligned to the size of a vector.
    unsafe fn stream(self, to: *mut f32, value: Self::V) {
        // SAFETY: as the caller promises.
        unsafe { self.store(to, value) }
    }
    /// Ends a series of non-temporal stores ([`stream`](Self::stream)).
    fn fence(self) {}
    /// Prefetches the cache line at an address, which need not be valid.
    fn prefetch(self, _: *const f32) {}

    /// Runs a kernel in a function that is not inlined, so that registers are allocated for it
    /// alone.
    fn outlined(self, kernel: impl Kernel) {
        kernel.run(self);
    }

    /// `a * b + c`
    fn fma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// `c - a * b`
    fn fnma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// `a + b`
    fn add(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a - b`
    fn sub(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a * b`
    fn mul(self, a: Self::V, b: Self::V) -> Self::V;
    /// The larger of `a` and 0; NaN stays NaN.
    fn relu(self, a: Self::V) -> Self::V;
    /// The larger of `a` and 0; NaN becomes 0.
    fn relu_or_zero(self, a: Self::V) -> Self::V;
    /// `a`, but 0 where `by` is NaN.
    fn where_number(self, a: Self::V, by: Self::V) -> Self::V;
    /// `a`, but 0 where `by` is not above 0.
    fn where_positive(self, a: Self::V, by: Self::V) -> Self::V;
}
