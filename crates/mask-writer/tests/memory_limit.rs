//! What a run does at the memory limit. It is one for the process, so that this file has one test.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use array_core::{Array, ArrayError, ArrayInfo, MemoryArray, Visitor, set_memory_limit};
use common::{labels, listing, memory, pair_of};
use geometry::Window;
use mask_writer::{WriteOptions, write};

/// Labels that know how many blocks were being read at the same time, at most.
#[derive(Debug)]
struct AtOnce {
    inner: MemoryArray,
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Array for AtOnce {
    fn info(&self) -> &ArrayInfo {
        self.inner.info()
    }

    fn visit(&self, window: &Window, visitor: &mut Visitor<'_>) -> Result<(), ArrayError> {
        self.most.fetch_max(self.now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        thread::sleep(Duration::from_millis(2));
        let visited = self.inner.visit(window, visitor);
        self.now.fetch_sub(1, Ordering::SeqCst);
        visited
    }

    fn kind(&self) -> &'static str {
        "labels that know how many read them"
    }
}

#[test]
fn as_many_threads_work_as_the_limit_allows_and_they_write_the_same() {
    let labels = labels([32, 24, 20]);
    let options =
        WriteOptions { targets: true, chunk_shape: Some(vec![4, 6, 5]), ..WriteOptions::default() };
    let folder = tempfile::tempdir().unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(8).build().unwrap();
    // A unit takes 120 voxels: a block of the labels, three channels and two planes, and 8 bytes for each of a chunk.
    let run = |name: &str, limit: u64| {
        set_memory_limit(limit);
        let (now, most) = (AtomicUsize::default(), AtomicUsize::default());
        let source = Arc::new(AtOnce { inner: memory(&labels, &[4, 6, 5]), now, most });
        let pair = pair_of(Arc::clone(&source), &["a", "b", "c"]);
        let output = folder.path().join(name);
        let written = pool.install(|| write(&pair, &output, &options, &()));
        written.map(|_| (source.most.load(Ordering::SeqCst), output))
    };

    let (many, undisturbed) = run("many.zarr", 1 << 30).unwrap();
    let (one, alone) = run("one.zarr", 2 * 120 * 14).unwrap();
    assert!(many > 1 && one == 1, "{many} and {one} threads");
    assert_eq!(listing(&alone), listing(&undisturbed));

    let error = run("none.zarr", 1000).unwrap_err();
    let expected = "writing chunks of [4, 6, 5] voxels in 3 channels takes 1.5 kB, beyond the memory limit \
                    of 1.0 kB; read less at once, or raise the limit";
    assert_eq!(error.to_string(), expected);
    let mut left = listing(folder.path()).into_keys().filter(|path| path.starts_with("none.zarr"));
    assert_eq!(left.next(), None, "nothing is left of a run that was refused");
}
