//! What can nothing be faster than: decoding the labels, and writing the bytes of a mask?
//!
//! Writing depends on the memory: pages of 4 KiB that nobody has touched, large pages that nobody has
//! touched (which arrays here have, where the system offers them), and memory that is in use.

#![allow(missing_docs, reason = "criterion's macro writes functions")]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot be set up has failed")]

use std::hint::black_box;

use array_core::{AnyArray, Array, DType};
use benches::{decode, touch, volumes};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use geometry::Window;
use rayon::prelude::*;

/// As many channels as are kept of eight.
const CHANNELS: usize = 6;

fn floor(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    for side in [256, 512] {
        for volume in volumes(side) {
            let array = volume.open(folder.path());
            let whole = Window::full(array.info().spatial_shape()).unwrap();
            let mut group = criterion.benchmark_group(format!("floor/{}", volume.name()));
            group.throughput(Throughput::Elements(volume.voxels())).sample_size(10);
            group.bench_function("decode only", |bencher| bencher.iter(|| decode(&array, &whole)));
        }
        let bytes = CHANNELS * side * side * side;
        let mut group = criterion.benchmark_group(format!("floor/{side}"));
        group.throughput(Throughput::Elements((side * side * side) as u64)).sample_size(10);
        group.bench_function("write kept, fresh pages of 4 KiB", |bencher| {
            bencher.iter_with_large_drop(|| {
                let mut bytes = vec![0_u8; bytes];
                bytes.par_chunks_mut(1 << 20).for_each(|part| part.fill(1));
                black_box(bytes)
            });
        });
        let large = || {
            let mut array = AnyArray::zeros(DType::U8, &[bytes]).unwrap();
            touch(array.view_mut());
            array
        };
        group.bench_function("write kept, fresh large pages", |bencher| {
            bencher.iter_with_large_drop(large);
        });
        let mut buffer = large();
        group.bench_function("write kept, memory in use", |bencher| {
            bencher.iter(|| touch(buffer.view_mut()));
        });
    }
}

criterion_group!(benches, floor);
criterion_main!(benches);
