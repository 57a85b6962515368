/// Keeps freed memory for the next step, instead of giving it back to the system, which would clear
/// each page of it before it can be had again.
///
/// Tensors of a training step are freed and wanted again in the next one. The GNU allocator by itself
/// maps those above 32 MiB anew each time, and those of all threads but the first from 64 MiB on: a
/// quarter of a step of the networks of ImageNet went into clearing pages. Other allocators are left
/// as they are.
pub fn keep_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        /// Larger pieces, which a training has once, are given back as they are freed.
        const PIECE: libc::c_int = 256 << 20;
        /// What is kept at most at the end of the heap.
        const KEPT: libc::c_int = 1 << 30;
        for (parameter, value) in [
            (libc::M_MMAP_THRESHOLD, PIECE),
            (libc::M_TRIM_THRESHOLD, KEPT),
            (libc::M_ARENA_MAX, 1),
        ] {
            // SAFETY: any values are allowed, at any time.
            unsafe { libc::mallopt(parameter, value) };
        }
    }
}
