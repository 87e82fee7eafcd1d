//! The same labels give the same bytes, whoever works on them and however they are stored.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use annotation_mask::GroundTruth;
use array_core::{Array, ArrayExt, ArrayInfo, BlockCache, DType};
use common::{Listing, labels, listing, memory, pair_of};
use mask_writer::{MaskLevels, WriteOptions, write};
use ndarray::ArrayD;
use serde_json::{Map, Value, json};
use zarr_source::{Compression, ImageOptions, Staging, ZarrArray, ZarrFormat};

const SHAPE: [usize; 3] = [13, 20, 9];

/// Ways of writing that differ in their codecs, and in how the work is cut.
fn ways() -> Vec<WriteOptions<'static>> {
    let base = |chunks: [usize; 3]| WriteOptions {
        targets: true,
        chunk_shape: Some(chunks.to_vec()),
        levels: 2,
        ..WriteOptions::default()
    };
    vec![
        base([4, 6, 5]),
        WriteOptions { zarr_format: ZarrFormat::N5, ..base([5, 6, 4]) },
        WriteOptions {
            shard_shape: Some(vec![8, 12, 10]),
            compression: Compression::BloscLz4 { level: 5 },
            ..base([4, 6, 5])
        },
        WriteOptions {
            zarr_format: ZarrFormat::V2,
            compression: Compression::Gzip { level: 6 },
            mask_levels: MaskLevels::Mean,
            ..base([3, 7, 4])
        },
    ]
}

/// What is written of these labels with so many threads.
fn written(pair: &dyn GroundTruth, options: &WriteOptions<'_>, threads: usize) -> Listing {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("masks.zarr");
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| write(pair, &path, options, &())).unwrap();
    listing(&path)
}

/// The labels as an array in memory, in these blocks.
fn in_memory(blocks: &[usize]) -> impl GroundTruth {
    pair_of(Arc::new(memory(&labels(SHAPE), blocks)), &["a", "b", "c"])
}

/// What is written in each way, of labels in one block, by one thread.
fn expected() -> Vec<(WriteOptions<'static>, Listing)> {
    let pair = in_memory(&SHAPE);
    let expected = |way| {
        let written = written(&pair, &way, 1);
        (way, written)
    };
    ways().into_iter().map(expected).collect()
}

#[test]
fn neither_threads_nor_blocks_nor_what_is_kept_of_them_change_a_byte() {
    for (way, expected) in expected() {
        for blocks in [[4, 6, 5], [3, 20, 2]] {
            let pair = in_memory(&blocks);
            for threads in [2, 7] {
                assert!(written(&pair, &way, threads) == expected, "{way:?} {blocks:?} {threads}");
            }
            for bytes in [0, 500] {
                let kept = pair.cached(&Arc::new(BlockCache::new(bytes))).unwrap();
                assert!(written(&*kept, &way, 2) == expected, "{way:?} {blocks:?} {bytes}");
            }
        }
    }
}

/// A way of storing labels: its name, the format, and what is changed in its document.
type Stored = (&'static str, ZarrFormat, fn(&mut Value));

const STORED: [Stored; 7] = [
    ("v2, little-endian", ZarrFormat::V2, |_| ()),
    ("v2, big-endian", ZarrFormat::V2, |document| document["dtype"] = json!(">u2")),
    ("v2, Fortran order", ZarrFormat::V2, |document| document["order"] = json!("F")),
    ("v2, big-endian, signed", ZarrFormat::V2, |document| document["dtype"] = json!(">i2")),
    ("v3, little-endian", ZarrFormat::V3, |_| ()),
    ("v3, big-endian", ZarrFormat::V3, |document| {
        document["codecs"][0]["configuration"]["endian"] = json!("big");
    }),
    ("N5", ZarrFormat::N5, |_| ()),
];

fn stored(folder: &Path, format: ZarrFormat, change: fn(&mut Value)) -> ZarrArray {
    let small = labels(SHAPE);
    let source = memory(&small, &[4, 6, 5]);
    let info: ArrayInfo = source.info().clone().with_dtype(DType::U16);
    let staging = Staging::new(folder.join("crop.zarr"), false).unwrap();
    let options = ImageOptions { zarr_format: format, ..ImageOptions::default() };
    staging.create_image("labels", &info, &options).unwrap();
    let path: PathBuf = staging.commit(&Map::new()).unwrap().join("labels/s0");
    let file = ["zarr.json", ".zarray", "attributes.json"].map(|name| path.join(name));
    let file = file.iter().find(|file| file.exists()).unwrap();
    let mut document = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    change(&mut document);
    fs::write(file, document.to_string()).unwrap();
    let array = ZarrArray::open_writable(&path).unwrap();
    let unsigned: ArrayD<u16> = small.mapv(u16::from).into_dyn();
    if array.info().dtype() == DType::U16 {
        array.write(array.roi(), &unsigned.view().into()).unwrap();
    } else {
        let signed = unsigned.mapv(|label| i16::try_from(label).unwrap());
        array.write(array.roi(), &signed.view().into()).unwrap();
    }
    ZarrArray::open(&path).unwrap()
}

#[test]
fn the_format_and_the_byte_order_of_the_labels_change_no_byte() {
    let all = expected();
    for (number, (name, format, change)) in STORED.into_iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        let array = stored(folder.path(), format, change);
        let pair = pair_of(Arc::new(array), &["a", "b", "c"]);
        // Each in two ways, so that all of them come.
        for (way, expected) in all.iter().cycle().skip(number).take(2) {
            assert!(written(&pair, way, 2) == *expected, "{name}: {way:?}");
        }
    }
}
