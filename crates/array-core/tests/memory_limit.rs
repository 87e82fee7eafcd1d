//! What happens at the memory limit. It is one for the process, so that this file has one test.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use array_core::{
    AnyArray, ArrayError, ArrayExt, ArrayInfo, BlockGrid, DType, MemoryArray, concurrent,
    fold_blocks, memory_limit, set_memory_limit,
};
use geometry::{Coordinate, VoxelGrid, VoxelSize, Window};

/// How many blocks of so many bytes are read at the same time, at most.
fn at_once(bytes: u64) -> usize {
    let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let work = |_: &Window, ()| {
        most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        thread::sleep(Duration::from_millis(2));
        now.fetch_sub(1, Ordering::SeqCst);
        Ok::<_, ArrayError>(1)
    };
    let window = Window::new(&[0], &[64]).unwrap();
    let blocks = BlockGrid::new(&[1]).unwrap().taking(bytes);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(8).build().unwrap();
    let count = pool.install(|| fold_blocks(&window, &blocks, (), &work, &|a, b| a + b));
    assert_eq!(count.unwrap(), Some(64), "every block is read, however many at once");
    most.into_inner()
}

#[test]
fn nothing_beyond_the_limit_is_allocated_and_fewer_threads_work_where_blocks_are_large() {
    set_memory_limit(1_000_000);
    assert_eq!(memory_limit(), 1_000_000);

    let error = AnyArray::zeros(DType::U64, &[400, 400]).unwrap_err();
    let expected = "an array of shape [400, 400] and type uint64 takes 1.2 MB, beyond the memory limit of \
                    1.0 MB; read less at once, or raise the limit";
    assert_eq!(error.to_string(), expected);
    assert!(AnyArray::zeros(DType::U64, &[300, 400]).is_ok());

    // What a read of several regions gives counts together.
    let voxel_size = VoxelSize::new(Coordinate::from([1, 1])).unwrap();
    let grid = VoxelGrid::new(Coordinate::from([0, 0]), voxel_size).unwrap();
    let info = ArrayInfo::new(DType::U64, &["y", "x"], &[200, 200], grid).unwrap();
    let array = MemoryArray::new(info, AnyArray::zeros(DType::U64, &[200, 200]).unwrap()).unwrap();
    assert_eq!(array.read_many(&[*array.roi(); 3]).unwrap().len(), 3);
    let error = array.read_many(&[*array.roi(); 4]).unwrap_err().to_string();
    assert!(error.contains("takes 1.2 MB, beyond the memory limit"), "{error}");

    assert_eq!([concurrent(100_000), concurrent(400_000), concurrent(5_000_000)], [5, 1, 1]);
    assert_eq!(at_once(5_000_000), 1);
    assert_eq!(at_once(200_000), 2);
    assert_eq!(at_once(100_000), 5);
    assert!(at_once(160_000) <= 3);
    assert!(at_once(1) > 3, "small blocks are read by all threads");
}
