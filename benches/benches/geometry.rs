//! What do the operations cost that every read makes?

#![allow(missing_docs, reason = "criterion's macro writes functions")]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot be set up has failed")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use geometry::{Coordinate, Decimal, LengthUnit, Roi, Snap, VoxelGrid, VoxelSize, WorldUnit};

fn operations(criterion: &mut Criterion) {
    let a = Roi::new([1000, 2000, 3000], [640, 640, 640]).unwrap();
    let b = Roi::new([1200, 1900, 3100], [640, 640, 640]).unwrap();
    let voxel_size = VoxelSize::new(Coordinate::from([8, 4, 4])).unwrap();
    let grid = VoxelGrid::new(Coordinate::from([0, 0, 0]), voxel_size).unwrap();
    let block = VoxelSize::new(Coordinate::from([64, 64, 64])).unwrap();
    let origin = Coordinate::from([0, 0, 0]);
    let decimals: Vec<Decimal> =
        ["2.62", "2", "2", "13282.29"].iter().map(|text| text.parse().unwrap()).collect();

    let mut group = criterion.benchmark_group("geometry");
    group.bench_function("intersect", |bencher| {
        bencher.iter(|| black_box(&a).intersect(black_box(&b)).unwrap());
    });
    group.bench_function("contains_roi", |bencher| {
        bencher.iter(|| black_box(&a).contains_roi(black_box(&b)).unwrap());
    });
    group.bench_function("snap_to_grid", |bencher| {
        bencher.iter(|| black_box(&a).snap_to_grid(black_box(&voxel_size), Snap::Grow).unwrap());
    });
    group.bench_function("window of a region", |bencher| {
        bencher.iter(|| grid.window(black_box(&a)).unwrap());
    });
    group.bench_function("1000 blocks", |bencher| {
        bencher.iter(|| black_box(&a).blocks(&block, &origin).unwrap().count());
    });
    group.bench_function("world unit of a voxel size and a position", |bencher| {
        bencher.iter(|| WorldUnit::fit(LengthUnit::Nanometer, black_box(&decimals)).unwrap());
    });
}

criterion_group!(benches, operations);
criterion_main!(benches);
