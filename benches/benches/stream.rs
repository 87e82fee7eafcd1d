//! How fast are mask and target written to Zarr, and how far from decoding the labels, encoding the chunks
//! and storing them alone?
//!
//! Only chunks that must be encoded count for that floor: none of zeros, and of channels with equal chunks
//! one. Storing is making as many files of as many bytes, in folders that are there. What was written is
//! removed while no time is taken. `cargo xtask memory` tells how much memory it takes.

#![allow(missing_docs, reason = "criterion's macro writes functions")]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot be set up has failed")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use annotation_mask::{BlockPair, MaskAndTarget, MaskOptions};
use array_core::{Array, ArrayError, fold_blocks};
use benches::{CHUNK, Labels, Stored, Volume, decode, groups};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use geometry::Window;
use mask_writer::{WriteOptions, write};
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

        let written = folder.path().join("masks.zarr");
        let options = WriteOptions { targets: true, ..WriteOptions::default() };
        write(&pair, &written, &options, &()).unwrap();
        let files = files(&written);
        fs::remove_dir_all(&written).unwrap();
        group.bench_function("store only", |bencher| {
            bencher.iter_batched(
                || folders(folder.path(), &files),
                |root| {
                    store(root.path(), &files);
                    root
                },
                BatchSize::PerIteration,
            );
        });

        let shards = Some(vec![4 * CHUNK; 3]);
        for (name, targets, shard_shape) in [
            ("write mask", false, None),
            ("write mask and target", true, None),
            ("write mask and target in shards", true, shards),
        ] {
            let options = WriteOptions {
                targets,
                shard_shape: shard_shape.clone(),
                ..WriteOptions::default()
            };
            group.bench_function(name, |bencher| {
                bencher.iter_batched(
                    || tempfile::tempdir_in(folder.path()).unwrap(),
                    |root| {
                        write(&pair, root.path().join("masks.zarr"), &options, &()).unwrap();
                        root
                    },
                    BatchSize::PerIteration,
                );
            });
        }
    }
}

/// The files below a folder, with their sizes.
fn files(root: &Path) -> Vec<(PathBuf, usize)> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let size = usize::try_from(fs::metadata(&path).unwrap().len()).unwrap();
                found.push((path.strip_prefix(root).unwrap().to_owned(), size));
            }
        }
    }
    found
}

/// The folders of these files in a new folder.
fn folders(parent: &Path, files: &[(PathBuf, usize)]) -> tempfile::TempDir {
    let root = tempfile::tempdir_in(parent).unwrap();
    for (file, _) in files {
        fs::create_dir_all(root.path().join(file.parent().unwrap())).unwrap();
    }
    root
}

/// Files of the same sizes.
fn store(root: &Path, files: &[(PathBuf, usize)]) {
    let largest = files.iter().map(|(_, size)| *size).max().unwrap_or(0);
    let bytes = vec![7_u8; largest];
    files.par_iter().for_each(|(file, size)| fs::write(root.join(file), &bytes[..*size]).unwrap());
}

/// What has to be encoded: the chunks that are not zero, of equal ones in a block one.
fn chunks(pair: &MaskAndTarget<zarr_source::ZarrArray>, whole: &Window) -> Vec<Vec<u8>> {
    let chunks = Mutex::new(Vec::new());
    let keep = |block: BlockPair<'_>| {
        let mut all: Vec<Vec<u8>> = Vec::new();
        for (product, from) in [(block.mask, 0), (block.target, 1)] {
            let first = all.len();
            for channel in product.to_array().outer_iter() {
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
