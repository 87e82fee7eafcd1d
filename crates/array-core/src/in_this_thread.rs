//! Reads that stay in the thread that asks for them.

use std::cell::Cell;

use rayon::prelude::*;

thread_local! {
    static STAYS: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work`; whatever is read in it is read in this thread, block after block.
///
/// Other threads make a large read faster, but waking one takes tens of microseconds, which is longer than
/// a small read takes. Where several threads already read, each for itself, more of them do not help either.
///
/// ```
/// use array_core::{ArrayExt, ArrayInfo, DType, MemoryArray, in_this_thread};
/// use geometry::{Coordinate, VoxelGrid, VoxelSize};
///
/// let grid = VoxelGrid::new(Coordinate::from([0]), VoxelSize::new(Coordinate::from([1]))?)?;
/// let info = ArrayInfo::new(DType::U8, &["x"], &[3], grid)?;
/// let array = MemoryArray::new(info, ndarray::array![1_u8, 2, 3].into_dyn())?;
///
/// let read = in_this_thread(|| array.read_as::<u8>(array.roi()))?;
/// assert_eq!(read, ndarray::array![1, 2, 3].into_dyn());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub fn in_this_thread<T>(work: impl FnOnce() -> T) -> T {
    /// Leaves the thread as it was, also after a panic.
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            STAYS.set(self.0);
        }
    }
    let _restore = Restore(STAYS.replace(true));
    work()
}

/// Runs both, in parallel where other threads may help.
pub(crate) fn join<A: Send, B: Send>(
    front: impl FnOnce() -> A + Send,
    back: impl FnOnce() -> B + Send,
) -> (A, B) {
    if STAYS.get() { (front(), back()) } else { rayon::join(front, back) }
}

/// Does `work` for all items, in parallel where other threads may help: results in the order of the items, or
/// one of the errors.
pub(crate) fn for_all<T: Send, R: Send, E: Send>(
    items: Vec<T>,
    work: impl Fn(T) -> Result<R, E> + Sync + Send,
) -> Result<Vec<R>, E> {
    if STAYS.get() {
        items.into_iter().map(work).collect()
    } else {
        items.into_par_iter().map(work).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::panic;
    use std::thread::{self, ThreadId};

    use geometry::Window;

    use super::*;
    use crate::blocks::{BlockGrid, fold_blocks};

    /// The threads that read 1000 blocks.
    fn threads() -> Vec<ThreadId> {
        let window = Window::new(&[0], &[1000]).unwrap();
        let blocks = BlockGrid::new(&[1]).unwrap();
        let work = |_: &Window, ()| {
            // Long enough for others to take a part.
            thread::sleep(std::time::Duration::from_micros(20));
            Ok::<_, ()>(vec![thread::current().id()])
        };
        let merge = |mut front: Vec<_>, back| {
            front.extend(back);
            front
        };
        let mut found = fold_blocks(&window, &blocks, (), &work, &merge).unwrap().unwrap();
        found.extend(for_all((0..100).collect(), |_| Ok::<_, ()>(thread::current().id())).unwrap());
        found.sort_unstable_by_key(|id| format!("{id:?}"));
        found.dedup();
        found
    }

    #[test]
    fn a_read_stays_in_its_thread() {
        assert_eq!(in_this_thread(threads), [thread::current().id()]);
    }

    #[test]
    fn afterwards_other_threads_read_again_also_after_a_panic() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
        pool.install(|| {
            in_this_thread(|| ());
            let panicked = panic::catch_unwind(|| in_this_thread(|| panic!("for the test")));
            assert!(panicked.is_err());
            assert!(threads().len() > 1, "nobody helped");
        });
    }
}
