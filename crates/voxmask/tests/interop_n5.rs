//! Others read the N5 that is written.
//!
//! With the environment variable `VOXMASK_N5_PYTHON`, which names a Python interpreter that has zarr
//! before version 3 and z5py, and with `VOXMASK_PYTHON`, whose has TensorStore, every voxel and the
//! attributes are compared with what these libraries read. Without one of them, its libraries are not
//! asked, which is an error only where `VOXMASK_REQUIRE_PEERS` is set.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use array_core::{AnyArray, Array, ArrayExt};
use common::{Crop, FRACTIONS, GROUPS, GROUPS_TOML, IDS, Sandbox, labels, typed};
use serde_json::{Value, json};
use zarr_source::{Compression, ZarrArray, ZarrFormat};

const REQUIRED: &str = "VOXMASK_REQUIRE_PEERS";

/// The readers, and the variables that name their interpreters.
const READERS: [(&str, &str); 3] = [
    ("zarr", "VOXMASK_N5_PYTHON"),
    ("z5py", "VOXMASK_N5_PYTHON"),
    ("tensorstore", "VOXMASK_PYTHON"),
];

/// What each reader that can be asked says about arrays whose voxels it reads as this project does.
fn asked_elsewhere(arrays: &[PathBuf]) -> Vec<(&'static str, Vec<Value>)> {
    READERS.into_iter().filter_map(|reader| asked(reader, arrays)).collect()
}

fn asked(
    (reader, variable): (&'static str, &str),
    arrays: &[PathBuf],
) -> Option<(&'static str, Vec<Value>)> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let Some(python) = set(variable) else {
        assert!(set(REQUIRED).is_none(), "{REQUIRED} is set, but {variable} is not");
        eprintln!("{variable} is not set: {reader} was not asked");
        return None;
    };
    let folder = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop_n5.py");
    let mut command = Command::new(python);
    let output = command.arg(script).arg(reader).arg(folder.path()).args(arrays).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found.len(), arrays.len());
    for (index, (path, theirs)) in arrays.iter().zip(&found).enumerate() {
        let ours = ZarrArray::open(path).unwrap();
        let voxels = little_endian(&ours.data().unwrap());
        let place = format!("{} as {reader} reads it", path.display());
        assert_eq!(theirs["shape"], json!(ours.shape()), "{place}");
        assert_eq!(theirs["dtype"], ours.dtype().name(), "{place}");
        assert_eq!(theirs["chunks"], json!(ours.metadata().chunk_shape()), "{place}");
        let bytes = fs::read(folder.path().join(format!("{index}.{reader}"))).unwrap();
        let differs = bytes.iter().zip(&voxels).position(|(theirs, ours)| theirs != ours);
        assert_eq!((bytes.len(), differs), (voxels.len(), None), "{place}");
        if reader == "zarr" {
            assert_eq!(theirs["attributes"], json!(ours.attrs()), "{place}");
        }
    }
    Some((reader, found))
}

#[test]
fn other_readers_of_n5_see_the_same_masks_and_targets() {
    let sandbox = Sandbox::new();
    let voxels = typed::<u16>(&labels(&[10, 12, 9], &IDS));
    let crop = Crop { place: FRACTIONS, format: ZarrFormat::N5, ..Crop::default() };
    crop.store(&sandbox.path("crop.n5"), &voxels);
    sandbox.write("groups.toml", GROUPS_TOML);
    let args = ["mask", "crop.n5/all/s0", "--groups", "groups.toml", "--targets"];
    // Chunks that do not divide the shape.
    let more = ["--zarr-format", "n5", "--chunks", "4,5,4", "-o", "out.n5"];
    sandbox.succeeds(&[&args[..], &more].concat());
    let arrays: Vec<PathBuf> =
        ["mask", "target"].map(|name| sandbox.path(&format!("out.n5/{name}/s0"))).to_vec();
    // The same as from and to Zarr.
    let zarr = Crop { place: FRACTIONS, ..Crop::default() };
    zarr.store(&sandbox.path("crop.zarr"), &voxels);
    let args = ["mask", "crop.zarr/all/s0", "--groups", "groups.toml", "--targets"];
    sandbox.succeeds(&[&args[..], &["--chunks", "4,5,4", "-o", "out.zarr"]].concat());
    for (array, name) in arrays.iter().zip(["mask", "target"]) {
        let n5 = ZarrArray::open(array).unwrap();
        let zarr = ZarrArray::open(sandbox.path(&format!("out.zarr/{name}/s0"))).unwrap();
        assert_eq!(n5.data().unwrap(), zarr.data().unwrap());
        assert_eq!(n5.info().grid(), zarr.info().grid());
        assert_eq!(n5.channels(), zarr.channels());
        assert_eq!(n5.metadata().zarr_format(), ZarrFormat::N5);
    }

    for (reader, arrays) in asked_elsewhere(&arrays) {
        for found in arrays {
            if reader == "tensorstore" {
                assert_eq!(found["labels"], json!(["x", "y", "z", "c"]));
                continue;
            }
            let attributes = &found["attributes"];
            assert_eq!(attributes["scale"], json!([2.5, 2, 2.62]));
            assert_eq!(attributes["offset"], json!([0.5, -4, 13282.29]));
            assert_eq!(attributes["channel_names"], json!(GROUPS.map(|(name, _)| name)));
            let transform = &attributes["transform"];
            assert_eq!(transform["scale"], json!([1, 2.62, 2, 2.5]));
            assert_eq!(transform["translate"], json!([0, 13283.6, -3, 1.75]));
            if reader == "zarr" {
                let datasets = &found["group_attributes"]["multiscales"][0]["datasets"];
                assert_eq!(datasets, &json!([{"path": "s0", "transform": transform}]));
                assert_eq!(found["root_attributes"]["voxmask"]["rule"], "strict");
            }
        }
    }
}

#[test]
fn labels_of_every_type_and_compression_are_read_the_same_elsewhere() {
    let sandbox = Sandbox::new();
    let voxels = labels(&[6, 7, 5], &[0, 1, 4, 100]);
    let signed = labels(&[6, 7, 5], &[0, 1, -4, -100]);
    let mut arrays = Vec::new();
    for compression in [
        Compression::None,
        Compression::Zstd { level: 22 },
        Compression::BloscLz4 { level: 5 },
        Compression::Gzip { level: 1 },
    ] {
        for stored in [
            typed::<u8>(&voxels),
            typed::<u16>(&voxels),
            typed::<u32>(&voxels),
            typed::<u64>(&voxels),
            typed::<i8>(&signed),
            typed::<i16>(&signed),
            typed::<i32>(&signed),
            typed::<i64>(&signed),
        ] {
            let crop =
                Crop { format: ZarrFormat::N5, place: FRACTIONS, compression, ..Crop::default() };
            let name = format!("{}-{}.n5", stored.dtype(), arrays.len());
            arrays.push(crop.store(&sandbox.path(&name), &stored));
            let ours = ZarrArray::open(arrays.last().unwrap()).unwrap().data().unwrap();
            assert_eq!(ours, stored, "{name}");
        }
    }
    for (_, arrays) in
        asked_elsewhere(&arrays).into_iter().filter(|(name, _)| *name == "tensorstore")
    {
        for found in arrays {
            assert_eq!(found["labels"], json!(["x", "y", "z"]));
            assert_eq!(found["units"], json!([[2.5, "nm"], [2.0, "nm"], [2.62, "nm"]]));
        }
    }
}

/// The bytes of all voxels in C order.
fn little_endian(voxels: &AnyArray) -> Vec<u8> {
    macro_rules! bytes {
        ($($variant:ident),+) => {
            match voxels {
                AnyArray::Bool(voxels) => voxels.iter().map(|&voxel| u8::from(voxel)).collect(),
                $(AnyArray::$variant(voxels) => {
                    voxels.iter().flat_map(|voxel| voxel.to_le_bytes()).collect()
                })+
            }
        };
    }
    bytes!(U8, U16, U32, U64, I8, I16, I32, I64, F32, F64)
}
