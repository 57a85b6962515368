//! Settings of the C library's allocator for trainings.

/// Keeps freed memory for the next step instead of giving it back to the system, which would have
/// to clear each page before handing it out again.
///
/// The tensors of a training step are freed and needed again in the next one. By default the GNU
/// allocator maps those above 32 MiB anew each time, and in every thread but the first those above
/// 64 MiB: a quarter of a step of the ImageNet networks went into clearing pages. Other allocators
/// are left as they are.
pub fn keep_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        /// Larger blocks, of which a training has few and allocates each once, are still returned
        /// when they are freed.
        const PIECE: libc::c_int = 256 << 20;
        /// The most that is kept at the end of the heap.
        const KEPT: libc::c_int = 1 << 30;
        for (parameter, value) in [
            (libc::M_MMAP_THRESHOLD, PIECE),
            (libc::M_TRIM_THRESHOLD, KEPT),
            (libc::M_ARENA_MAX, 1),
        ] {
            // SAFETY: `mallopt` takes any values, at any time.
            unsafe { libc::mallopt(parameter, value) };
        }
    }
}
