//! Cached arrays: the same voxels, each block read once, whatever threads and sources do.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};

use array_core::testing::check_contract;
use array_core::{
    Array, ArrayError, ArrayExt, ArrayInfo, Block, BlockCache, CachedArray, DType, MemoryArray,
    Scalar, Visitor,
};
use geometry::{Coordinate, Roi, VoxelGrid, VoxelSize, Window};
use ndarray::ArrayD;
use proptest::prelude::*;
use rayon::prelude::*;

fn info(shape: &[usize], block_shape: &[usize]) -> ArrayInfo {
    let axes = &["c", "z", "y", "x"][4 - shape.len()..];
    let dims = axes.len() - usize::from(axes[0] == "c");
    let grid = VoxelGrid::new(
        Coordinate::splat(dims, 3).unwrap(),
        VoxelSize::new(Coordinate::splat(dims, 2).unwrap()).unwrap(),
    );
    let info = ArrayInfo::new(DType::U16, axes, shape, grid.unwrap()).unwrap();
    info.with_block_shape(block_shape).unwrap()
}

fn memory(shape: &[usize], block_shape: &[usize]) -> MemoryArray {
    let len = u16::try_from(shape.iter().product::<usize>()).unwrap();
    let voxels = ArrayD::from_shape_vec(shape.to_vec(), (1..=len).collect()).unwrap();
    MemoryArray::new(info(shape, block_shape), voxels).unwrap()
}

/// A source that counts its reads, and misbehaves as it is told.
#[derive(Debug)]
struct Source {
    inner: MemoryArray,
    reads: AtomicUsize,
    fails: AtomicBool,
    panics: AtomicBool,
    /// Whether every tenth read fails and every tenth panics.
    is_unreliable: bool,
    /// Whether a read waits for other work of rayon.
    joins: bool,
}

impl Source {
    fn new(inner: MemoryArray) -> Self {
        let no = AtomicBool::default;
        Self {
            inner,
            reads: AtomicUsize::default(),
            fails: no(),
            panics: no(),
            is_unreliable: false,
            joins: false,
        }
    }

    fn reads(&self) -> usize {
        self.reads.load(Ordering::SeqCst)
    }
}

impl Array for Source {
    fn info(&self) -> &ArrayInfo {
        self.inner.info()
    }

    fn visit(&self, window: &Window, visitor: &mut Visitor<'_>) -> Result<(), ArrayError> {
        let read = self.reads.fetch_add(1, Ordering::SeqCst);
        if self.joins {
            (0..8).into_par_iter().for_each(|_| std::thread::yield_now());
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
        assert!(!self.panics.swap(false, Ordering::SeqCst), "as it was told");
        assert!(!(self.is_unreliable && read % 10 == 7), "as it was told");
        if self.fails.load(Ordering::SeqCst) || (self.is_unreliable && read % 10 == 3) {
            return Err(ArrayError::Virtual { array: "a test".to_owned() });
        }
        if window.start()[0] == 0 && window.shape()[0] == 1 {
            return visitor(Block::Constant(Scalar::U16(5)));
        }
        self.inner.visit(window, visitor)
    }

    fn kind(&self) -> &'static str {
        "a test"
    }
}

#[test]
fn a_cached_array_keeps_the_contract() {
    for (shape, block_shape) in
        [(vec![5, 6, 7], [2, 4, 3]), (vec![2, 5, 6, 7], [8, 1, 7]), (vec![3, 0, 4], [2, 2, 2])]
    {
        for max_bytes in [0, 700, 1 << 20] {
            let cache = Arc::new(BlockCache::new(max_bytes));
            let cached = CachedArray::new(memory(&shape, &block_shape), &cache);
            check_contract(&cached);
            if let Ok(part) = Roi::new([3, 5, 3], [4, 6, 8]) {
                check_contract(
                    &CachedArray::new(memory(&[5, 6, 7], &[2, 4, 3]), &cache).crop(&part).unwrap(),
                );
            }
            let stats = cache.stats();
            assert!(stats.bytes <= max_bytes, "{stats:?}");
        }
    }
}

#[test]
fn a_constant_block_stays_one_and_a_block_is_handed_out_without_a_copy() {
    let cache = Arc::new(BlockCache::new(1 << 20));
    let cached = CachedArray::new(Source::new(memory(&[5, 6, 7], &[1, 6, 7])), &cache);
    for _ in 0..2 {
        let first = Window::new(&[0, 1, 1], &[1, 2, 2]).unwrap();
        let check = &mut |block: Block<'_>| {
            assert!(matches!(block, Block::Constant(Scalar::U16(5))));
            Ok(())
        };
        cached.visit(&first, check).unwrap();
        let mut places = Vec::new();
        for _ in 0..2 {
            cached
                .visit(&Window::new(&[2, 1, 1], &[1, 2, 2]).unwrap(), &mut |block| {
                    let Block::Voxels(voxels) = block else { panic!("{block:?}") };
                    places.push(voxels.typed::<u16>().unwrap().as_ptr().addr());
                    Ok(())
                })
                .unwrap();
        }
        assert_eq!(places[0], places[1]);
    }
    assert_eq!(cached.source().reads(), 2);
    assert_eq!(cache.stats().hits, 4);
    assert!((cache.stats().hit_rate() - 4.0 / 6.0).abs() < 1e-9);
    cache.clear();
    assert_eq!((cache.stats().blocks, cache.stats().bytes), (0, 0));
}

#[test]
fn threads_that_want_one_block_read_it_once() {
    let cache = Arc::new(BlockCache::new(1 << 20));
    let cached = CachedArray::new(Source::new(memory(&[8, 8, 8], &[4, 4, 4])), &cache);
    let expected = memory(&[8, 8, 8], &[4, 4, 4]).data().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(cached.read(cached.roi()).unwrap(), expected));
        }
    });
    assert_eq!(cached.source().reads(), 8);
    assert_eq!(cache.stats().misses, 8);
    assert_eq!(cache.stats().blocks, 8);
}

/// A source whose second block is held back once, while it is read.
#[derive(Debug)]
struct Gate {
    source: MemoryArray,
    is_shut: AtomicBool,
    is_read: Barrier,
    may_end: Barrier,
}

impl Array for Gate {
    fn info(&self) -> &ArrayInfo {
        self.source.info()
    }

    fn visit(&self, window: &Window, visitor: &mut Visitor<'_>) -> Result<(), ArrayError> {
        if window.start()[2] == 4 && self.is_shut.swap(false, Ordering::SeqCst) {
            self.is_read.wait();
            self.may_end.wait();
        }
        self.source.visit(window, visitor)
    }

    fn kind(&self) -> &'static str {
        "a gate"
    }
}

#[test]
fn a_thread_that_has_read_a_block_waits_for_another_that_is_being_read() {
    let cache = Arc::new(BlockCache::new(1 << 20));
    let source = memory(&[4, 4, 12], &[4, 4, 4]);
    let (is_read, may_end) = (Barrier::new(2), Barrier::new(2));
    let gate = Gate { source, is_shut: AtomicBool::new(true), is_read, may_end };
    let cached = CachedArray::new(gate, &cache);
    let block = |x: usize| {
        let window = Window::new(&[0, 0, x], &[4, 4, 4]).unwrap();
        cached.read(&cached.info().grid().roi(&window).unwrap()).unwrap()
    };
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| block(4));
        cached.source().is_read.wait();
        let waiter = scope.spawn(|| {
            block(8);
            block(4)
        });
        // Time to find the block in the hands of the other one; with less, it is found in the cache.
        std::thread::sleep(std::time::Duration::from_millis(100));
        cached.source().may_end.wait();
        assert_eq!(reader.join().unwrap(), waiter.join().unwrap());
    });
    assert_eq!(cache.stats().misses, 2);
}

#[test]
fn arrays_in_one_cache_do_not_mix_and_share_its_limit() {
    let bytes = 4 * 4 * 4 * 2;
    let cache = Arc::new(BlockCache::new(5 * (bytes + 200)));
    let arrays: Vec<_> =
        (0..3).map(|_| CachedArray::new(memory(&[8, 8, 8], &[4, 4, 4]), &cache)).collect();
    let other = CachedArray::new(
        MemoryArray::new(info(&[8, 8, 8], &[4, 4, 4]), ArrayD::from_elem(vec![8; 3], 9_u16))
            .unwrap(),
        &cache,
    );
    for _ in 0..3 {
        for array in &arrays {
            assert_eq!(array.read(array.roi()).unwrap(), array.source().data().unwrap());
            assert_eq!(other.read(other.roi()).unwrap(), other.source().data().unwrap());
            let stats = cache.stats();
            assert!(stats.bytes <= stats.max_bytes && stats.blocks >= 2, "{stats:?}");
        }
    }
}

#[test]
fn what_failed_or_panicked_is_read_again() {
    let cache = Arc::new(BlockCache::new(1 << 20));
    let cached = CachedArray::new(Source::new(memory(&[4, 4, 4], &[4, 4, 4])), &cache);
    cached.source().fails.store(true, Ordering::SeqCst);
    for _ in 0..2 {
        assert!(cached.read(cached.roi()).is_err());
    }
    cached.source().fails.store(false, Ordering::SeqCst);
    cached.source().panics.store(true, Ordering::SeqCst);
    let results: Vec<_> = std::thread::scope(|scope| {
        let read = || scope.spawn(|| cached.read(cached.roi()).unwrap());
        let threads: Vec<_> = (0..4).map(|_| read()).collect();
        threads.into_iter().map(std::thread::ScopedJoinHandle::join).collect()
    });
    assert_eq!(results.iter().filter(|result| result.is_err()).count(), 1);
    assert_eq!(cached.source().reads(), 4);
    // The thread that panicked is not one that is reading for ever.
    assert_eq!(cached.read(cached.roi()).unwrap(), memory(&[4, 4, 4], &[4, 4, 4]).data().unwrap());
}

/// Each of many threads gets the voxels, or what happened in its own read, never in that of another.
#[test]
fn reads_that_fail_or_panic_are_told_to_nobody_else() {
    let blocks: Vec<_> = (0..8)
        .map(|block| Window::new(&[block / 4 * 4, block / 2 % 2 * 4, block % 2 * 4], &[3, 3, 3]))
        .map(Result::unwrap)
        .collect();
    let expected = memory(&[8, 8, 8], &[4, 4, 4]);
    // None of the blocks is kept, a few of them, or all.
    for max_bytes in [0, 3 * 300, 1 << 20] {
        let cache = Arc::new(BlockCache::new(max_bytes));
        let source = Source { is_unreliable: true, ..Source::new(memory(&[8, 8, 8], &[4, 4, 4])) };
        let cached = CachedArray::new(source, &cache);
        let [good, failed, panicked] = [const { AtomicUsize::new(0) }; 3];
        let read = |window: &Window| {
            let roi = cached.info().grid().roi(window).unwrap();
            let expected = expected.read(&roi).unwrap();
            let result = catch_unwind(AssertUnwindSafe(|| cached.read(&roi)));
            let outcome = match result {
                Ok(Ok(voxels)) => {
                    assert_eq!(voxels, expected);
                    &good
                }
                Ok(Err(_)) => &failed,
                Err(_) => &panicked,
            };
            outcome.fetch_add(1, Ordering::SeqCst);
            let stats = cache.stats();
            assert!(stats.bytes <= max_bytes, "{stats:?}");
        };
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let (read, blocks) = (&read, &blocks);
                scope.spawn(move || {
                    (0..50).for_each(|round| read(&blocks[(3 * thread + 5 * round) % 8]));
                });
            }
        });
        let [good, failed, panicked] = [good, failed, panicked].map(AtomicUsize::into_inner);
        let reads = cached.source().reads();
        assert_eq!(failed, (reads + 6) / 10);
        assert_eq!(panicked, (reads + 2) / 10);
        assert_eq!(good + failed + panicked, 8 * 50);
        let stats = cache.stats();
        assert_eq!((stats.misses, stats.hits), (reads as u64, (8 * 50 - reads) as u64));
    }
}

/// A worker of rayon that waits inside a read takes other work, which may want the same block.
#[test]
fn a_source_that_waits_for_rayon_does_not_wait_for_ever() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(8).build().unwrap();
    let cache = Arc::new(BlockCache::new(2 * 400));
    let source = Source { joins: true, ..Source::new(memory(&[8, 8, 8], &[4, 4, 4])) };
    let cached = CachedArray::new(source, &cache);
    let first = Window::new(&[0, 0, 0], &[3, 3, 3]).unwrap();
    let roi = cached.info().grid().roi(&first).unwrap();
    let expected = cached.source().inner.read(&roi).unwrap();
    pool.install(|| {
        (0..200).into_par_iter().for_each(|round| {
            if round % 2 == 0 {
                assert_eq!(cached.read(&roi).unwrap(), expected);
            } else {
                cached.read(cached.roi()).unwrap();
            }
        });
    });
}

proptest! {
    #[test]
    fn cached_voxels_are_those_of_the_source(
        block_shape in prop::collection::vec(1..6_usize, 3),
        windows in prop::collection::vec((0..5_usize, 0..6_usize, 0..7_usize, 1..6_usize), 1..12),
        max_bytes in prop::sample::select(vec![0, 300, 1 << 20]),
    ) {
        let cache = Arc::new(BlockCache::new(max_bytes));
        let cached = CachedArray::new(memory(&[5, 6, 7], &block_shape), &cache);
        for (z, y, x, len) in windows {
            let shape = [len.min(5 - z), len.min(6 - y), len.min(7 - x)];
            let roi = cached.info().grid().roi(&Window::new(&[z, y, x], &shape).unwrap()).unwrap();
            prop_assert_eq!(cached.read(&roi).unwrap(), cached.source().read(&roi).unwrap());
        }
        prop_assert!(cache.stats().bytes <= max_bytes);
    }
}

/// A source whose blocks are too many to be numbered; the voxels of each are its place along x.
#[derive(Debug)]
struct Endless(ArrayInfo);

impl Array for Endless {
    fn info(&self) -> &ArrayInfo {
        &self.0
    }

    fn visit(&self, window: &Window, visitor: &mut Visitor<'_>) -> Result<(), ArrayError> {
        visitor(Block::Constant(Scalar::U16(u16::try_from(window.start()[1]).unwrap())))
    }

    fn kind(&self) -> &'static str {
        "an endless array"
    }
}

#[test]
fn blocks_that_cannot_be_numbered_do_not_mix() {
    let source = Endless(info(&[1 << 40, 1 << 40], &[1, 1]));
    let array = CachedArray::new(source, &Arc::new(BlockCache::new(1 << 20)));
    for x in [0, 1, 700] {
        let window = Window::new(&[1 << 39, x], &[1, 1]).unwrap();
        let mut found = None;
        let mut visitor = |block: Block<'_>| {
            if let Block::Constant(value) = block {
                found = Some(value);
            }
            Ok(())
        };
        array.visit(&window, &mut visitor).unwrap();
        assert_eq!(found, Some(Scalar::U16(u16::try_from(x).unwrap())));
    }
}

#[test]
fn a_cache_without_a_limit_and_one_for_nothing_are_caches() {
    for (max_bytes, blocks) in [(0, 0), (1, 0), (u64::MAX, 2)] {
        let cache = Arc::new(BlockCache::new(max_bytes));
        let array = CachedArray::new(memory(&[4, 4], &[2, 4]), &cache);
        let expected = array.source().read(array.roi()).unwrap();
        assert_eq!(array.read(array.roi()).unwrap(), expected);
        assert_eq!(array.read(array.roi()).unwrap(), expected);
        assert_eq!(cache.stats().blocks, blocks, "{max_bytes}");
    }
}

#[test]
fn a_cache_shows_how_much_it_keeps() {
    let cache = Arc::new(BlockCache::new(700));
    assert!(format!("{cache:?}").contains("max_bytes: 700"), "{cache:?}");
}
