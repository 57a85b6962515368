/// Work that is compiled once for each kind of instructions.
pub(super) trait Kernel {
    /// Does the work. It and all that it calls must be inlined, lest it be compiled without the
    /// instructions.
    fn run<S: Simd>(self, simd: S);
}

/// A vector of 32-bit floats and what the kernels do with it.
///
/// A value of the type is a witness: it exists only where the processor has the instructions, so
/// arithmetic is safe, and only the accesses by address are not. All kernels are generic over this
/// trait and inlined whole into an entry point that is compiled for the instructions; see
/// [`Isa::run`](super::Isa::run).
pub(super) trait Simd: Copy {
    /// The vector.
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
    /// Stores past the caches, for what is not read again soon. Other threads see it only after
    /// [`fence`](Self::fence).
    ///
    /// # Safety
    /// `LANES` floats can be written to `to`, which is a multiple of the vector's size.
    unsafe fn stream(self, to: *mut f32, value: Self::V) {
        // SAFETY: as the caller promises.
        unsafe { self.store(to, value) }
    }
    /// Ends a series of [`stream`](Self::stream)s.
    fn fence(self) {}
    /// Asks for the cache line at an address, which need not be valid.
    fn prefetch(self, _: *const f32) {}

    /// Does work in a function of its own, so that registers are allotted for it alone.
    fn apart(self, kernel: impl Kernel) {
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
