//! Arrays that other software wrote (see `fixtures/make.py`), read voxel by voxel.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::unwrap_used,
    reason = "what a helper of a test cannot do fails the test"
)]

use std::path::{Path, PathBuf};

use array_core::testing::check_contract;
use array_core::{AnyArray, Array, ArrayExt, Block, Crop, DType, Scalar, for_any};
use geometry::{Coordinate, Roi, Window};
use serde_json::Value;
use zarr_source::{MemoryOrder, ZarrArray, ZarrFormat};

struct Fixture {
    name: String,
    dtype: DType,
    shape: Vec<usize>,
    fill: f64,
    missing: Vec<[Vec<usize>; 2]>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn open(name: &str) -> ZarrArray {
    ZarrArray::open(folder().join(format!("{name}.zarr/s0"))).unwrap()
}

fn indices(value: &Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(|n| n.as_u64().unwrap() as usize).collect()
}

fn fixtures() -> Vec<Fixture> {
    let text = std::fs::read_to_string(folder().join("manifest.json")).unwrap();
    let entries: Vec<Value> = serde_json::from_str(&text).unwrap();
    let boxes = |entry: &Value| {
        let list = entry["missing"].as_array().unwrap();
        list.iter().map(|b| [indices(&b[0]), indices(&b[1])]).collect()
    };
    entries
        .iter()
        .map(|entry| Fixture {
            name: entry["name"].as_str().unwrap().to_owned(),
            dtype: entry["dtype"].as_str().unwrap().parse().unwrap(),
            shape: indices(&entry["shape"]),
            fill: entry["fill"].as_f64().unwrap_or(0.0),
            missing: boxes(entry),
        })
        .collect()
}

/// The hash of a flat index that `make.py` writes.
fn hash(index: usize) -> u64 {
    let mut x = (index as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

fn expected(fixture: &Fixture) -> AnyArray {
    fn fill<T: Copy>(
        array: &mut ndarray::ArrayD<T>,
        fixture: &Fixture,
        of: impl Fn(u64) -> T,
        fill: T,
    ) {
        for (flat, (index, value)) in array.indexed_iter_mut().enumerate() {
            let inside = |[start, stop]: &[Vec<usize>; 2]| {
                (0..start.len()).all(|axis| (start[axis]..stop[axis]).contains(&index[axis]))
            };
            *value = if fixture.missing.iter().any(inside) { fill } else { of(hash(flat)) };
        }
    }
    let mut array = AnyArray::zeros(fixture.dtype, &fixture.shape).unwrap();
    let value = fixture.fill;
    match &mut array {
        AnyArray::Bool(array) => fill(array, fixture, |x| x & 1 == 1, value != 0.0),
        AnyArray::U8(array) => fill(array, fixture, |x| x as u8, value as u8),
        AnyArray::U16(array) => fill(array, fixture, |x| x as u16, value as u16),
        AnyArray::U32(array) => fill(array, fixture, |x| x as u32, value as u32),
        AnyArray::U64(array) => fill(array, fixture, |x| x, value as u64),
        AnyArray::I8(array) => fill(array, fixture, |x| x as i8, value as i8),
        AnyArray::I16(array) => fill(array, fixture, |x| x as i16, value as i16),
        AnyArray::I32(array) => fill(array, fixture, |x| x as i32, value as i32),
        AnyArray::I64(array) => fill(array, fixture, |x| x as i64, value as i64),
        AnyArray::F32(array) => fill(array, fixture, |x| (x >> 44) as f32 / 16.0, value as f32),
        AnyArray::F64(array) => fill(array, fixture, |x| (x >> 44) as f64 / 16.0, value),
    }
    array
}

#[test]
fn every_array_reads_as_it_was_written() {
    let fixtures = fixtures();
    assert!(fixtures.len() >= 40);
    for fixture in fixtures {
        let array = open(&fixture.name);
        assert_eq!(array.dtype(), fixture.dtype, "{}", fixture.name);
        assert_eq!(array.data().unwrap(), expected(&fixture), "{}", fixture.name);
        assert_eq!(array.info().grid().offset(), &Coordinate::from([80, 40, 20]));
    }
}

#[test]
fn every_array_and_a_crop_of_it_keep_the_contract() {
    for fixture in fixtures() {
        let array = open(&fixture.name);
        check_contract(&array);
        let dims = array.info().spatial_shape().to_vec();
        if dims.contains(&0) {
            continue;
        }
        let inner: Vec<usize> = dims.iter().map(|n| n - 2).collect();
        let roi = array.info().grid().roi(&Window::new(&[1, 2, 1], &inner).unwrap()).unwrap();
        check_contract(&Crop::new(array, &roi).unwrap());
    }
}

#[test]
fn opening_and_reading_change_no_file() {
    for name in ["v2_missing", "v3_sharded_missing"] {
        let before = listing(&folder().join(format!("{name}.zarr")));
        open(name).data().unwrap();
        assert_eq!(listing(&folder().join(format!("{name}.zarr"))), before);
    }
}

fn listing(root: &Path) -> Vec<(PathBuf, std::time::SystemTime)> {
    let (mut found, mut folders) = (Vec::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            found.push((entry.path(), entry.metadata().unwrap().modified().unwrap()));
            if entry.path().is_dir() {
                folders.push(entry.path());
            }
        }
    }
    found.sort();
    found
}

fn visited(array: &ZarrArray, start: &[usize], shape: &[usize]) -> Option<Scalar> {
    let mut constant = None;
    array
        .visit(&Window::new(start, shape).unwrap(), &mut |block| {
            if let Block::Constant(value) = block {
                constant = Some(value);
            }
            Ok(())
        })
        .unwrap();
    constant
}

#[test]
fn a_chunk_that_is_not_stored_is_a_constant() {
    let array = open("v2_missing");
    assert_eq!(visited(&array, &[0, 0, 0], &[3, 4, 4]), Some(Scalar::U8(7)));
    assert_eq!(visited(&array, &[1, 1, 1], &[1, 2, 2]), Some(Scalar::U8(7)));
    assert_eq!(visited(&array, &[0, 0, 0], &[4, 4, 4]), None);

    let sharded = open("v3_sharded_missing");
    assert_eq!(visited(&sharded, &[0, 0, 0], &[3, 4, 4]), None);
    assert_eq!(visited(&sharded, &[3, 0, 0], &[2, 7, 4]), Some(Scalar::U16(9)));
    assert_eq!(visited(&sharded, &[0, 0, 4], &[5, 7, 2]), Some(Scalar::U16(9)));
}

#[test]
fn a_null_fill_value_is_zero_and_reported() {
    let array = open("v2_null_fill");
    assert_eq!(array.metadata().fill_value(), Scalar::U16(0));
    assert!(array.warnings().iter().any(|warning| warning.contains("fill value")));
    assert!(open("v2_raw").warnings().is_empty());
}

#[test]
fn the_metadata_tells_how_an_array_is_stored() {
    let array = open("v2_blosc_lz4");
    let metadata = array.metadata();
    assert_eq!(metadata.zarr_format(), ZarrFormat::V2);
    assert_eq!(metadata.chunk_shape(), [3, 4, 4]);
    assert_eq!(metadata.shard_shape(), None);
    assert_eq!(metadata.codecs(), ["blosc(lz4, clevel 5, shuffle)"]);
    assert_eq!(metadata.memory_order(), MemoryOrder::C);
    assert_eq!(metadata.path_in_container(), "s0");
    assert!(metadata.container().ends_with("v2_blosc_lz4.zarr"));
    assert_eq!(open("v2_raw").metadata().codecs(), ["raw"]);

    for (name, order) in [
        ("v2_f_order", MemoryOrder::F),
        ("v3_f_order", MemoryOrder::F),
        ("v3_transpose", MemoryOrder::Other),
    ] {
        assert_eq!(open(name).metadata().memory_order(), order, "{name}");
    }
}

#[test]
fn the_block_of_a_sharded_array_is_its_inner_chunk() {
    let array = open("v3_sharded");
    assert_eq!(array.info().block_shape(), [3, 4, 4]);
    assert_eq!(array.metadata().shard_shape(), Some(&[6, 8, 8][..]));
    // Where something else than sharding acts on the whole shard, the shard is the block.
    let array = open("ts_v3_transposed_shards");
    assert_eq!(array.info().block_shape(), [8, 4, 3]);
    assert_eq!(array.metadata().shard_shape(), None);
}

#[test]
fn channels_come_before_the_spatial_axes() {
    let array = open("v2_channels");
    assert_eq!(array.axes(), ["c^", "z", "y", "x"]);
    assert_eq!(array.num_channels(), Some(2));
    assert_eq!(array.info().block_shape(), [3, 4, 4]);
    let roi = Roi::new([80, 40, 20], [8, 4, 2]).unwrap();
    let voxels = array.read(&roi).unwrap();
    let len = for_any!(AnyArray, &voxels, |voxels| voxels.len());
    assert_eq!((voxels.shape(), len), (&[2, 1, 1, 1][..], 2));
}
