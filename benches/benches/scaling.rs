//! How much faster are two threads than one, where decoding takes the time?

#![allow(missing_docs, reason = "criterion's macro writes functions")]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot be set up has failed")]

use annotation_mask::{MaskOptions, MissingAnnotationsMask};
use array_core::{AnyArray, Array, ArrayExt, DType};
use benches::{Labels, Stored, Volume, decode, groups};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use geometry::Window;

fn scaling(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let volume = Volume::dense(256, Labels::U64, Stored::Zstd);
    let array = volume.open(folder.path());
    let mask = MissingAnnotationsMask::new(array.clone(), &groups(8), &MaskOptions::default());
    let mask = mask.unwrap();
    let whole = Window::full(array.info().spatial_shape()).unwrap();
    let mut buffer = AnyArray::zeros(DType::U8, mask.shape()).unwrap();
    let mut group = criterion.benchmark_group(format!("scaling/{}", volume.name()));
    group.throughput(Throughput::Elements(volume.voxels())).sample_size(20);
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        group.bench_function(BenchmarkId::new("decode only, threads", threads), |bencher| {
            bencher.iter(|| pool.install(|| decode(&array, &whole)));
        });
        group.bench_function(BenchmarkId::new("mask into a buffer, threads", threads), |bencher| {
            bencher.iter(|| pool.install(|| mask.read_to(mask.roi(), buffer.view_mut()).unwrap()));
        });
    }
}

criterion_group!(benches, scaling);
criterion_main!(benches);
