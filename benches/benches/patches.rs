//! How fast are training patches: 1000 of 64^3 and of 96^3 voxels, anywhere in a volume of 512^3?
//!
//! Each time is that of all 1000. With a cache that is empty at first (cold), or that holds every block
//! (warm); without one, each patch decodes the chunks that it meets.

#![allow(missing_docs, reason = "criterion's macro writes functions")]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot be set up has failed")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use annotation_mask::{
    BinarizeArray, GroundTruth, MaskAndTarget, MaskOptions, MissingAnnotationsMask,
};
use array_core::{Array, ArrayExt, BlockCache};
use benches::{Labels, Stored, Volume, groups};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use geometry::Roi;
use rayon::prelude::*;

const COUNT: usize = 1000;
const CHANNELS: usize = 8;
const BATCH: usize = 16;

fn patches(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    for labels in [Labels::U8, Labels::U64] {
        let volume = Volume::dense(512, labels, Stored::Lz4);
        let array = volume.open(folder.path());
        let groups = groups(CHANNELS);
        let options = MaskOptions::default();
        let mask = MissingAnnotationsMask::new(array.clone(), &groups, &options).unwrap();
        let target = BinarizeArray::new(array.clone(), &groups, 0).unwrap();
        let cache = Arc::new(BlockCache::new(1 << 30));
        let pair = MaskAndTarget::new(array.clone(), &groups, &options, 0).unwrap();
        let pair = pair.with_cache(&cache).unwrap();
        for extent in [64, 96] {
            let rois = volume.patches(COUNT, extent);
            let mut group = criterion.benchmark_group(format!("patches/{}", volume.name()));
            let voxels = (COUNT * extent * extent * extent) as u64;
            group.throughput(Throughput::Elements(voxels));
            group.sample_size(10).warm_up_time(Duration::from_millis(300));
            let mut bench = |name: &str, work: &mut dyn FnMut()| {
                group.bench_function(BenchmarkId::new(name, extent), |b| b.iter(&mut *work));
            };
            bench("mask, no cache", &mut || read(&mask, &rois));
            bench("target, no cache", &mut || read(&target, &rois));
            for (name, array) in
                [("mask", pair.mask() as &dyn Array), ("target", pair.target() as &dyn Array)]
            {
                bench(&format!("{name}, cache cold"), &mut || {
                    cache.clear();
                    read(array, &rois);
                });
                bench(&format!("{name}, cache warm"), &mut || read(array, &rois));
            }
            bench("mask and target, cache warm", &mut || {
                rois.par_iter().for_each(|roi| drop(black_box(pair.read_pair(roi).unwrap())));
            });
            let mut batch = pair.mask().read_batch(&rois[..BATCH]).unwrap();
            bench("mask, cache warm, into a batch", &mut || {
                for rois in rois.chunks_exact(BATCH) {
                    pair.mask().read_batch_to(rois, batch.view_mut()).unwrap();
                }
            });
        }
        let stats = cache.stats();
        println!("the cache had {} of {}: {stats:?}", stats.hits, stats.hits + stats.misses);
    }
}

fn read(array: &dyn Array, rois: &[Roi]) {
    rois.par_iter().for_each(|roi| drop(black_box(array.read(roi).unwrap())));
}

criterion_group!(benches, patches);
criterion_main!(benches);
