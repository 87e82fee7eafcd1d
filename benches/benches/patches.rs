//! How fast are training patches: 64^3 voxels anywhere in the volume, not aligned to chunks?

#![allow(missing_docs, reason = "criterion's macro writes functions")]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot be set up has failed")]

use std::hint::black_box;
use std::sync::Arc;

use annotation_mask::{BinarizeArray, MaskOptions, MissingAnnotationsMask};
use array_core::{AnyArray, Array, ArrayError, ArrayExt, DType, fold_blocks};
use benches::{Labels, for_each_source, groups, patches};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use geometry::Window;
use rayon::prelude::*;

const COUNT: usize = 100;
const EXTENT: usize = 64;
const CHANNELS: usize = 8;

fn random(criterion: &mut Criterion) {
    for_each_source(|labels, source, array| bench(criterion, labels, source, array));
}

fn bench(criterion: &mut Criterion, labels: Labels, source: &str, array: Arc<dyn Array>) {
    let rois = patches(COUNT, EXTENT);
    let mut group = criterion.benchmark_group(format!("patches/{}/{source}", labels.name()));
    let voxels = (COUNT * EXTENT * EXTENT * EXTENT) as u64;
    group.throughput(Throughput::Elements(voxels)).sample_size(10);
    let options = MaskOptions::default();
    let mask = MissingAnnotationsMask::new(array.clone(), &groups(CHANNELS), &options).unwrap();
    let target = BinarizeArray::new(array.clone(), &groups(CHANNELS), 0).unwrap();
    let kept = mask.decisions().iter().filter(|decision| decision.kept).count();
    let decode = |window: &Window, ()| array.visit(window, &mut |_| Ok(()));
    group.bench_function("decode only", |bencher| {
        bencher.iter(|| {
            rois.par_iter().for_each(|roi| {
                let window = array.slices(roi).unwrap();
                let blocks = array.info().blocks();
                fold_blocks::<_, _, ArrayError>(&window, blocks, (), &decode, &|(), ()| ())
                    .unwrap();
            });
        });
    });
    for (name, channels) in [("write kept", kept), ("write all", CHANNELS)] {
        group.bench_function(BenchmarkId::new(name, CHANNELS), |bencher| {
            bencher.iter(|| {
                rois.par_iter().for_each(|_| {
                    let shape = [channels, EXTENT, EXTENT, EXTENT];
                    let mut array = AnyArray::zeros(DType::U8, &shape).unwrap();
                    array.view_mut().typed::<u8>().unwrap().fill(1);
                    black_box(&array);
                });
            });
        });
    }
    for (name, array) in [("mask", &mask as &dyn Array), ("target", &target)] {
        group.bench_function(BenchmarkId::new(name, CHANNELS), |bencher| {
            bencher.iter(|| {
                rois.par_iter().for_each(|roi| {
                    black_box(array.read(roi).unwrap());
                });
            });
        });
    }
}

criterion_group!(benches, random);
criterion_main!(benches);
