//! How fast are mask and target written to Zarr, and how far from decoding the labels and encoding the
//! chunks alone?
//!
//! Only chunks that must be encoded count for the floor: none of zeros, and of channels with equal chunks
//! one. `cargo xtask memory` tells how much memory it takes.

#![allow(missing_docs, reason = "criterion's macro writes functions")]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot be set up has failed")]

use std::sync::Mutex;
use std::time::Duration;

use annotation_mask::{BlockPair, MaskAndTarget, MaskOptions};
use array_core::{Array, ArrayError, fold_blocks};
use benches::{CHUNK, Labels, Stored, Volume, decode, groups};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use geometry::Window;
use mask_writer::{Existing, WriteOptions, write};
use rayon::prelude::*;
use serde_json::Map;
use zarr_source::{ImageOptions, Staging};

const CHANNELS: usize = 8;

fn stream(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    for labels in [Labels::U8, Labels::U64] {
        let volume = Volume::dense(512, labels, Stored::Lz4);
        let array = volume.open(folder.path());
        let groups = groups(CHANNELS);
        let pair = MaskAndTarget::new(array.clone(), &groups, &MaskOptions::default(), 0).unwrap();
        let whole = Window::full(array.info().spatial_shape()).unwrap();
        let mut group = criterion.benchmark_group(format!("stream/{}", volume.name()));
        group.throughput(Throughput::Elements(volume.voxels()));
        group.sample_size(10).warm_up_time(Duration::from_millis(300));

        let chunks = chunks(&pair, &whole);
        let staging = Staging::new(folder.path().join("floor.zarr"), true).unwrap();
        let options = ImageOptions {
            chunk_shape: Some(vec![1, CHUNK, CHUNK, CHUNK]),
            compression: WriteOptions::default().compression,
            ..ImageOptions::default()
        };
        let image = staging.create_image("mask", pair.mask().info(), &options).unwrap();
        group.bench_function("decode and encode only", |bencher| {
            bencher.iter(|| {
                decode(&array, &whole);
                let writer = image.chunk_writer().unwrap();
                chunks.par_iter().for_each(|chunk| drop(writer.encode(chunk).unwrap()));
            });
        });
        drop((chunks, staging.commit(&Map::new()).unwrap()));

        for (name, targets) in [("write mask", false), ("write mask and target", true)] {
            let options =
                WriteOptions { targets, existing: Existing::Overwrite, ..WriteOptions::default() };
            group.bench_function(name, |bencher| {
                let output = folder.path().join("masks.zarr");
                bencher.iter(|| write(&pair, &output, &options, &()).unwrap());
            });
        }
    }
}

/// What has to be encoded: the chunks that are not zero, of equal ones in a block one.
fn chunks(pair: &MaskAndTarget<zarr_source::ZarrArray>, whole: &Window) -> Vec<Vec<u8>> {
    let chunks = Mutex::new(Vec::new());
    let keep = |block: BlockPair<'_>| {
        let mut all: Vec<Vec<u8>> = Vec::new();
        for (product, from) in [(block.mask, 0), (block.target, 1)] {
            let first = all.len();
            for channel in product.outer_iter() {
                let bytes: Vec<u8> = channel.iter().copied().collect();
                if bytes.contains(&1) && (from == 1 || all.get(first) != Some(&bytes)) {
                    all.push(bytes);
                }
            }
        }
        chunks.lock().unwrap().extend(all);
        Ok(())
    };
    let work = |window: &Window, ()| pair.visit::<ArrayError>(window, keep);
    let blocks = pair.mask().info().blocks();
    fold_blocks(whole, blocks, (), &work, &|(), ()| ()).unwrap();
    chunks.into_inner().unwrap()
}

criterion_group!(benches, stream);
criterion_main!(benches);
