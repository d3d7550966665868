//! The allocator. On an Access Edge what is given back is overwritten first, so that nothing of a user outlives its
//! buffer.

use std::alloc::{GlobalAlloc, Layout};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use mimalloc::MiMalloc;

static FORGETFUL: AtomicBool = AtomicBool::new(false);

/// From now on memory is overwritten before it is given back.
pub fn forget() {
    FORGETFUL.store(true, Relaxed);
}

/// mimalloc, which on an Access Edge forgets.
pub struct Allocator;

// SAFETY: every call goes on to mimalloc with the caller's own arguments; what is written is the caller's block, which
// nobody else may look at any more.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller promises.
        unsafe { MiMalloc.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller promises.
        unsafe { MiMalloc.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if FORGETFUL.load(Relaxed) {
            // SAFETY: the block is this long and still the caller's.
            unsafe { block.write_bytes(0, layout.size()) };
        }
        // SAFETY: as the caller promises.
        unsafe { MiMalloc.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if !FORGETFUL.load(Relaxed) {
            // SAFETY: as the caller promises.
            return unsafe { MiMalloc.realloc(block, layout, size) };
        }
        // SAFETY: the new layout has the alignment of the old one; the caller promises that the size fits it.
        let moved = unsafe { self.alloc(Layout::from_size_align_unchecked(size, layout.align())) };
        if !moved.is_null() {
            // SAFETY: both blocks are at least that long, and they are two.
            unsafe {
                block.copy_to_nonoverlapping(moved, layout.size().min(size));
                self.dealloc(block, layout);
            }
        }
        moved
    }
}
