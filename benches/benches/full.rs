//! How fast are mask and target of a whole volume, and how far from decoding and writing alone?

#![allow(missing_docs, reason = "criterion's macro writes functions")]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot be set up has failed")]

use std::sync::Arc;

use annotation_mask::{BinarizeArray, MaskOptions, MissingAnnotationsMask};
use array_core::{Array, ArrayExt};
use benches::{COMPRESSIONS, Labels, VOXELS, groups, stored, volume};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

fn full(criterion: &mut Criterion) {
    for labels in Labels::ALL {
        let memory = Arc::new(volume(labels));
        bench(criterion, labels, "memory", memory.clone());
        for (name, compression) in COMPRESSIONS {
            let folder = tempfile::tempdir().unwrap();
            bench(criterion, labels, name, stored(&memory, compression, folder.path()));
        }
    }
}

fn bench(criterion: &mut Criterion, labels: Labels, source: &str, array: Arc<dyn Array>) {
    let mut group = criterion.benchmark_group(format!("full/{}/{source}", labels.name()));
    group.throughput(Throughput::Elements(VOXELS)).sample_size(10);
    for count in [8, 14] {
        let groups = groups(count);
        let mask =
            MissingAnnotationsMask::new(array.clone(), &groups, &MaskOptions::default()).unwrap();
        group.bench_function(BenchmarkId::new("mask", count), |bencher| {
            bencher.iter_with_large_drop(|| mask.read(mask.roi()).unwrap());
        });
        let mut reused = mask.read(mask.roi()).unwrap();
        group.bench_function(BenchmarkId::new("mask into a buffer", count), |bencher| {
            bencher.iter(|| mask.read_to(mask.roi(), reused.view_mut()).unwrap());
        });
        let target = BinarizeArray::new(array.clone(), &groups, 0).unwrap();
        group.bench_function(BenchmarkId::new("target", count), |bencher| {
            bencher.iter_with_large_drop(|| target.read(target.roi()).unwrap());
        });
    }
}

criterion_group!(benches, full);
criterion_main!(benches);
