//! How fast are mask and target of a whole volume, and how far from decoding and writing alone?
//!
//! `cargo xtask bench full` prints the ratio to the floor, which is measured in the same run: decoding
//! the labels, plus writing the output bytes to memory of the same kind. The names of volumes begin with
//! their side: `cargo xtask bench full/512`.

#![allow(missing_docs, reason = "criterion's macro writes functions")]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot be set up has failed")]

use std::time::Duration;

use annotation_mask::{
    BinarizeArray, GroundTruth, MaskAndTarget, MaskOptions, MissingAnnotationsMask,
};
use array_core::{AnyArray, Array, ArrayExt, DType};
use benches::{Labels, Stored, Volume, decode, groups, touch, volumes};
use criterion::measurement::WallTime;
use criterion::{
    BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main,
};
use geometry::Window;

fn full(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    for side in [256, 512] {
        let sharded =
            [Labels::U8, Labels::U64].map(|labels| Volume::dense(side, labels, Stored::Shards));
        for volume in volumes(side).chain(sharded) {
            bench(criterion, &volume, folder.path());
        }
    }
}

fn bench(criterion: &mut Criterion, volume: &Volume, folder: &std::path::Path) {
    let array = volume.open(folder);
    let mut group = criterion.benchmark_group(format!("full/{}", volume.name()));
    group.throughput(Throughput::Elements(volume.voxels()));
    group.sample_size(10).warm_up_time(Duration::from_millis(300));
    let whole = Window::full(array.info().spatial_shape()).unwrap();
    group.bench_function("decode only", |bencher| bencher.iter(|| decode(&array, &whole)));
    write_only(&mut group, volume.side, "write one", 1, 1);
    for count in [8, 14] {
        let groups = groups(count);
        let options = MaskOptions::default();
        let mask = MissingAnnotationsMask::new(array.clone(), &groups, &options).unwrap();
        let target = BinarizeArray::new(array.clone(), &groups, 0).unwrap();
        let pair = MaskAndTarget::new(array.clone(), &groups, &options, 0).unwrap();
        let roi = *mask.roi();
        let kept = mask.decisions().iter().filter(|decision| decision.kept).count();
        write_only(&mut group, volume.side, "write kept", count, kept);
        write_only(&mut group, volume.side, "write all", count, count);
        group.bench_function(BenchmarkId::new("mask", count), |bencher| {
            bencher.iter_with_large_drop(|| mask.read(&roi).unwrap());
        });
        group.bench_function(BenchmarkId::new("target", count), |bencher| {
            bencher.iter_with_large_drop(|| target.read(&roi).unwrap());
        });
        if count == 8 {
            group.bench_function("factored mask", |bencher| {
                bencher.iter_with_large_drop(|| mask.read_factored(&roi).unwrap());
            });
            group.bench_function(BenchmarkId::new("mask and target", count), |bencher| {
                bencher.iter_with_large_drop(|| pair.read_pair(&roi).unwrap());
            });
        }
        let mut buffer = mask.read(&roi).unwrap();
        touch(buffer.view_mut());
        group.bench_function(BenchmarkId::new("mask into a buffer", count), |bencher| {
            bencher.iter(|| mask.read_to(&roi, buffer.view_mut()).unwrap());
        });
        group.bench_function(BenchmarkId::new("target into a buffer", count), |bencher| {
            bencher.iter(|| target.read_to(&roi, buffer.view_mut()).unwrap());
        });
    }
}

/// Writing as many bytes as the kept channels (or all) have, and nothing else.
fn write_only(
    group: &mut BenchmarkGroup<'_, WallTime>,
    side: usize,
    name: &str,
    count: usize,
    channels: usize,
) {
    let fresh = || {
        let mut array = AnyArray::zeros(DType::U8, &[channels, side, side, side]).unwrap();
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

criterion_group!(benches, full);
criterion_main!(benches);
