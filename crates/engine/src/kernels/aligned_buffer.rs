//! Memory for images, weights and scratch, aligned for vectors and backed by large pages; and the
//! allocator that counts allocations in the unit tests.

use std::alloc::{Layout, alloc, dealloc};
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

/// The alignments in bytes of large buffers (that of a large page) and of small ones (that of a
/// cache line).
const ALIGNMENTS: [usize; 2] = [2 << 20, 64];

/// A buffer of floats that begins on a cache line, or on a large page if it is large.
pub(crate) struct AlignedBuffer {
    start: NonNull<f32>,
    len: usize,
}

// SAFETY: the buffer owns its floats.
unsafe impl Send for AlignedBuffer {}
// SAFETY: through a shared reference the floats are only read.
unsafe impl Sync for AlignedBuffer {}

impl AlignedBuffer {
    /// A buffer of `len` zeros; `None` if memory is short.
    pub(crate) fn zeros(len: usize) -> Option<Self> {
        let len = len.max(1);
        let layout = layout(len)?;
        // SAFETY: the size of the layout is not 0.
        let start = NonNull::new(unsafe { alloc(layout) })?.cast::<f32>();
        prefer_large_pages(start, layout);
        // SAFETY: the allocation has room for `len` floats.
        unsafe { start.write_bytes(0, len) };
        Some(Self { start, len })
    }
}

/// Asks for large pages, before the memory is first touched: with small ones a tenth of a training
/// step goes into address translation.
#[cfg(target_os = "linux")]
fn prefer_large_pages(start: NonNull<f32>, layout: Layout) {
    if layout.align() == ALIGNMENTS[0] {
        let whole = layout.size() / layout.align() * layout.align();
        // SAFETY: the pages are the allocation's own, and keep what they hold.
        unsafe { libc::madvise(start.as_ptr().cast(), whole, libc::MADV_HUGEPAGE) };
    }
}

#[cfg(not(target_os = "linux"))]
fn prefer_large_pages(_: NonNull<f32>, _: Layout) {}

fn layout(len: usize) -> Option<Layout> {
    let bytes = len.checked_mul(4)?;
    let [large, small] = ALIGNMENTS;
    Layout::from_size_align(bytes, if bytes >= 2 * large { large } else { small }).ok()
}

impl Drop for AlignedBuffer {
    fn drop(&mut self) {
        if let Some(layout) = layout(self.len) {
            // SAFETY: `zeros` has allocated and initialised `len` floats.
            unsafe { dealloc(self.start.as_ptr().cast(), layout) }
        }
    }
}

impl Deref for AlignedBuffer {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        // SAFETY: `zeros` has allocated and initialised `len` floats.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl DerefMut for AlignedBuffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        // SAFETY: as in `deref`, and the borrow is exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

impl std::fmt::Debug for AlignedBuffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AlignedBuffer({})", self.len)
    }
}

/// Counts the allocations of each thread in the unit tests.
#[cfg(test)]
pub(super) mod counted {
    use std::alloc::{GlobalAlloc, Layout, System};
    use std::cell::Cell;

    thread_local! {
        static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
    }

    struct Counted;

    #[global_allocator]
    static COUNTED: Counted = Counted;

    /// The number of allocations that this thread has made.
    pub(crate) fn allocations() -> usize {
        ALLOCATIONS.get()
    }

    // SAFETY: every call is handed on to the system's allocator.
    unsafe impl GlobalAlloc for Counted {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            ALLOCATIONS.set(ALLOCATIONS.get() + 1);
            // SAFETY: the caller vouches for the layout.
            unsafe { System.alloc(layout) }
        }

        unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
            ALLOCATIONS.set(ALLOCATIONS.get() + 1);
            // SAFETY: the caller vouches for the layout.
            unsafe { System.alloc_zeroed(layout) }
        }

        unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
            ALLOCATIONS.set(ALLOCATIONS.get() + 1);
            // SAFETY: the caller vouches for the pointer, its layout and the size.
            unsafe { System.realloc(old, layout, size) }
        }

        unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
            // SAFETY: the caller vouches for the pointer and its layout.
            unsafe { System.dealloc(old, layout) }
        }
    }
}
