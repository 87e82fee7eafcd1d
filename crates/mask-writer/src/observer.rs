//! Who watches a run, and may end it.

/// Who watches a run, and may end it. `()` does neither.
///
/// The methods are called by the threads that work, at the same time.
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// use mask_writer::Observer;
///
/// #[derive(Default)]
/// struct Limit(AtomicU64);
///
/// impl Observer for Limit {
///     fn advanced(&self, voxels: u64) {
///         self.0.fetch_add(voxels, Ordering::Relaxed);
///     }
///
///     fn goes_on(&self) -> bool {
///         self.0.load(Ordering::Relaxed) < 1_000_000
///     }
/// }
/// ```
pub trait Observer: Sync {
    /// The work begins: of `total` voxels, counted in all levels, `done` were written by earlier runs.
    fn begins(&self, done: u64, total: u64) {
        let _ = (done, total);
    }

    /// So many voxels more are done.
    fn advanced(&self, voxels: u64) {
        let _ = voxels;
    }

    /// Whether to go on. It is asked before every block.
    fn goes_on(&self) -> bool {
        true
    }
}

impl Observer for () {}
