use std::alloc::{Layout, alloc, dealloc};
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

/// Bytes that large pieces are aligned to, and small ones.
const ALIGNMENTS: [usize; 2] = [2 << 20, 64];

/// Floats that begin at the beginning of a cache line, or of a large page if there are many.
pub(crate) struct Memory {
    start: NonNull<f32>,
    len: usize,
}

// SAFETY: the floats are the value's own.
unsafe impl Send for Memory {}
// SAFETY: a shared value is only read.
unsafe impl Sync for Memory {}

impl Memory {
    /// So many zeros, if there is memory for them.
    pub(crate) fn zeros(len: usize) -> Option<Self> {
        let len = len.max(1);
        let layout = layout(len)?;
        // SAFETY: the layout has a size.
        let start = NonNull::new(unsafe { alloc(layout) })?.cast::<f32>();
        prefer_large_pages(start, layout);
        // SAFETY: there is room for so many.
        unsafe { start.write_bytes(0, len) };
        Some(Self { start, len })
    }
}

/// Asks for large pages, before the memory is first touched: with small ones a tenth of a training
/// step goes into looking up where they are.
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

impl Drop for Memory {
    fn drop(&mut self) {
        if let Some(layout) = layout(self.len) {
            // SAFETY: allocated by `zeros` with this very layout.
            unsafe { dealloc(self.start.as_ptr().cast(), layout) }
        }
    }
}

impl Deref for Memory {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        // SAFETY: `zeros` has allocated and initialised so many.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl DerefMut for Memory {
    fn deref_mut(&mut self) -> &mut [f32] {
        // SAFETY: as in `deref`, and the borrow is exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Memory({})", self.len)
    }
}

/// Counts what a thread allocates, by whatever way, in the unit tests.
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

    /// How often the thread has allocated.
    pub(crate) fn allocations() -> usize {
        ALLOCATIONS.get()
    }

    // SAFETY: the system's allocator does the work.
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
            // SAFETY: the caller vouches for the place, its layout and the size.
            unsafe { System.realloc(old, layout, size) }
        }

        unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
            // SAFETY: the caller vouches for the place and its layout.
            unsafe { System.dealloc(old, layout) }
        }
    }
}
