//! How fast are mask and target of a whole volume, and how far from decoding and writing alone?
//!
//! `cargo xtask bench full` prints the ratio to the floor, which is measured in the same run: decoding
//! the labels, plus writing the output bytes to memory of the same kind.

#![allow(missing_docs, reason = "criterion's macro writes functions")]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot be set up has failed")]

use std::sync::Arc;

use annotation_mask::{BinarizeArray, MaskOptions, MissingAnnotationsMask};
use array_core::{AnyArray, AnyViewMut, Array, ArrayError, ArrayExt, DType, fold_blocks};
use benches::{Labels, SIDE, VOXELS, for_each_source, groups};
use criterion::measurement::WallTime;
use criterion::{
    BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main,
};
use geometry::Window;
use rayon::prelude::*;

fn full(criterion: &mut Criterion) {
    for_each_source(|labels, source, array| bench(criterion, labels, source, array));
}

fn bench(criterion: &mut Criterion, labels: Labels, source: &str, array: Arc<dyn Array>) {
    let mut group = criterion.benchmark_group(format!("full/{}/{source}", labels.name()));
    group.throughput(Throughput::Elements(VOXELS)).sample_size(10);
    let whole = Window::full(array.info().spatial_shape()).unwrap();
    let decode = |window: &Window, ()| array.visit(window, &mut |_| Ok(()));
    group.bench_function("decode only", |bencher| {
        let blocks = array.info().blocks();
        bencher.iter(|| {
            fold_blocks::<_, _, ArrayError>(&whole, blocks, (), &decode, &|(), ()| ()).unwrap()
        });
    });
    for count in [8, 14] {
        let groups = groups(count);
        let options = MaskOptions::default();
        let mask = MissingAnnotationsMask::new(array.clone(), &groups, &options).unwrap();
        let target = BinarizeArray::new(array.clone(), &groups, 0).unwrap();
        let kept = mask.decisions().iter().filter(|decision| decision.kept).count();
        write_only(&mut group, "write kept", count, kept);
        write_only(&mut group, "write all", count, count);
        group.bench_function(BenchmarkId::new("mask", count), |bencher| {
            bencher.iter_with_large_drop(|| mask.read(mask.roi()).unwrap());
        });
        let mut buffer = mask.read(mask.roi()).unwrap();
        touch(buffer.view_mut());
        group.bench_function(BenchmarkId::new("mask into a buffer", count), |bencher| {
            bencher.iter(|| mask.read_to(mask.roi(), buffer.view_mut()).unwrap());
        });
        group.bench_function(BenchmarkId::new("target", count), |bencher| {
            bencher.iter_with_large_drop(|| target.read(target.roi()).unwrap());
        });
        group.bench_function(BenchmarkId::new("target into a buffer", count), |bencher| {
            bencher.iter(|| target.read_to(target.roi(), buffer.view_mut()).unwrap());
        });
    }
}

/// Writing as many bytes as the kept channels (or all) have, and nothing else.
fn write_only(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, count: usize, channels: usize) {
    let shape = [channels, SIDE, SIDE, SIDE];
    let fresh = || {
        let mut array = AnyArray::zeros(DType::U8, &shape).unwrap();
        touch(array.view_mut());
        array
    };
    group.bench_function(BenchmarkId::new(name, count), |bencher| {
        bencher.iter_with_large_drop(fresh);
    });
    let mut buffer = fresh();
    group.bench_function(BenchmarkId::new(format!("{name} into a buffer"), count), |bencher| {
        bencher.iter(|| touch(buffer.view_mut()));
    });
}

fn touch(view: AnyViewMut<'_>) {
    let bytes = view.typed::<u8>().unwrap().into_slice().unwrap();
    bytes.par_chunks_mut(1 << 20).for_each(|part| part.fill(1));
}

criterion_group!(benches, full);
criterion_main!(benches);
