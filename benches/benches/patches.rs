//! How fast are training patches: 64^3 voxels anywhere in the volume, not aligned to chunks?

#![allow(missing_docs, reason = "criterion's macro writes functions")]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot be set up has failed")]

use annotation_mask::{BinarizeArray, MaskOptions, MissingAnnotationsMask};
use array_core::{Array, ArrayExt};
use benches::{COMPRESSIONS, Labels, groups, patches, stored, volume};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rayon::prelude::*;

const COUNT: usize = 100;
const EXTENT: usize = 64;

fn random(criterion: &mut Criterion) {
    let rois = patches(COUNT, EXTENT);
    for labels in Labels::ALL {
        let memory = volume(labels);
        let mut group = criterion.benchmark_group(format!("patches/{}", labels.name()));
        let voxels = (COUNT * EXTENT * EXTENT * EXTENT) as u64;
        group.throughput(Throughput::Elements(voxels)).sample_size(10);
        for (name, compression) in COMPRESSIONS {
            let folder = tempfile::tempdir().unwrap();
            let array = stored(&memory, compression, folder.path());
            let options = MaskOptions::default();
            let mask = MissingAnnotationsMask::new(array.clone(), &groups(8), &options).unwrap();
            let target = BinarizeArray::new(array, &groups(8), 0).unwrap();
            let arrays: [(&str, &dyn Array); 2] = [("mask", &mask), ("target", &target)];
            for (what, array) in arrays {
                group.bench_function(BenchmarkId::new(what, name), |bencher| {
                    bencher.iter(|| {
                        rois.par_iter().for_each(|roi| drop(array.read(roi).unwrap()));
                    });
                });
            }
        }
    }
}

criterion_group!(benches, random);
criterion_main!(benches);
