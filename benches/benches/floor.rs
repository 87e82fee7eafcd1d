//! What no mask can be faster than: decoding the labels, and writing the output bytes.

#![allow(missing_docs, reason = "criterion's macro writes functions")]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot be set up has failed")]

use array_core::{AnyArray, Array, ArrayError, DType, fold_blocks};
use benches::{COMPRESSIONS, Labels, SIDE, VOXELS, stored, volume};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use geometry::Window;
use rayon::prelude::*;

fn decode(criterion: &mut Criterion) {
    for labels in Labels::ALL {
        let memory = volume(labels);
        let mut group = criterion.benchmark_group(format!("floor/{}", labels.name()));
        group.throughput(Throughput::Elements(VOXELS)).sample_size(10);
        for (name, compression) in COMPRESSIONS {
            let folder = tempfile::tempdir().unwrap();
            let array = stored(&memory, compression, folder.path());
            let whole = Window::full(array.info().spatial_shape()).unwrap();
            let work = |window: &Window, ()| array.visit(window, &mut |_| Ok(()));
            group.bench_function(BenchmarkId::new("decode only", name), |bencher| {
                bencher.iter(|| {
                    let blocks = array.info().block_shape();
                    fold_blocks::<_, _, ArrayError>(&whole, blocks, (), &work, &|(), ()| ())
                        .unwrap()
                });
            });
        }
    }
}

fn write(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("floor/write only");
    group.throughput(Throughput::Elements(VOXELS)).sample_size(10);
    for channels in [6_usize, 8, 10, 14] {
        let shape = [channels, SIDE, SIDE, SIDE];
        let mut reused = vec![0_u8; shape.iter().product()];
        group.bench_function(BenchmarkId::new("touched buffer", channels), |bencher| {
            bencher.iter(|| reused.par_chunks_mut(1 << 20).for_each(|part| part.fill(1)));
        });
        group.bench_function(BenchmarkId::new("fresh memory", channels), |bencher| {
            bencher.iter_with_large_drop(|| {
                let mut array = AnyArray::zeros(DType::U8, &shape).unwrap();
                let view = array.view_mut().typed::<u8>().unwrap();
                let bytes = view.into_slice().unwrap();
                bytes.par_chunks_mut(1 << 20).for_each(|part| part.fill(1));
                array
            });
        });
    }
}

criterion_group!(benches, decode, write);
criterion_main!(benches);
