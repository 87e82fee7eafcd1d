//! Others read what is written.
//!
//! With the environment variable `VOXMASK_PYTHON`, which names a Python interpreter that has zarr (and
//! perhaps tensorstore), every voxel and the attributes are compared with what these libraries read.
//! Without it, the metadata are held against the specifications.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use array_core::{AnyArray, ArrayExt};
use common::{
    Crop, FRACTIONS, GROUPS, GROUPS_TOML, IDS, Sandbox, json_file, labels, object, typed,
};
use serde_json::{Value, json};
use zarr_source::{ZarrArray, ZarrFormat};

const PYTHON: &str = "VOXMASK_PYTHON";

/// Masks and targets in both formats, from labels with fractions of a nanometer.
fn outputs() -> (Sandbox, Vec<PathBuf>) {
    let sandbox = Sandbox::new();
    let voxels = typed::<u16>(&labels(&[10, 12, 9], &IDS));
    let crop = Crop { place: FRACTIONS, ..Crop::default() };
    crop.store(&sandbox.path("crop.zarr"), &voxels);
    sandbox.write("groups.toml", GROUPS_TOML);
    let mut arrays = Vec::new();
    for format in ["2", "3"] {
        let out = format!("out{format}.zarr");
        let args = ["mask", "crop.zarr/all/s0", "--groups", "groups.toml", "--targets"];
        // Chunks that do not divide the shape.
        let more = ["--zarr-format", format, "--chunks", "4,5,4", "-o", &out];
        sandbox.succeeds(&[&args[..], &more].concat());
        arrays.extend(["mask", "target"].map(|name| sandbox.path(&out).join(name).join("s0")));
    }
    (sandbox, arrays)
}

/// What zarr-python and TensorStore read, beside what this project reads; none without Python.
fn asked_elsewhere(arrays: &[PathBuf]) -> Option<Vec<Value>> {
    let Some(python) = std::env::var_os(PYTHON).filter(|python| !python.is_empty()) else {
        eprintln!("{PYTHON} is not set: zarr-python was not asked");
        return None;
    };
    let folder = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop.py");
    let output = Command::new(python).arg(script).arg(folder.path()).args(arrays).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    if report["versions"]["tensorstore"] == false {
        eprintln!("tensorstore cannot be imported: it was not asked");
    }
    let found = report["arrays"].as_array().unwrap();
    assert_eq!(found.len(), arrays.len());
    for (index, (path, found)) in arrays.iter().zip(found).enumerate() {
        let ours = ZarrArray::open(path).unwrap();
        let voxels = little_endian(&ours.data().unwrap());
        for reader in ["zarr", "tensorstore"] {
            let theirs = &found[reader];
            if theirs.is_null() {
                assert_eq!(report["versions"][reader], false);
                continue;
            }
            let place = format!("{} as {reader} reads it", path.display());
            assert_eq!(theirs["shape"], json!(ours.shape()), "{place}");
            assert_eq!(theirs["dtype"], ours.dtype().name(), "{place}");
            let bytes = fs::read(folder.path().join(format!("{index}.{reader}"))).unwrap();
            let differs = bytes.iter().zip(&voxels).position(|(theirs, ours)| theirs != ours);
            assert_eq!((bytes.len(), differs), (voxels.len(), None), "{place}");
        }
        assert_eq!(found["zarr"]["zarr_format"], json!(ours.metadata().zarr_format().number()));
        assert_eq!(&object(found["zarr"]["attributes"].clone()), ours.attrs());
    }
    Some(found.clone())
}

/// The metadata of an array, of its group and of its container, as the files have them.
struct Files {
    array: Value,
    attributes: Value,
    group_attributes: Value,
    root: Value,
    root_attributes: Value,
}

impl Files {
    fn of(array: &Path) -> Self {
        let (group, root) = (array.join(".."), array.join("../.."));
        if array.join("zarr.json").exists() {
            let metadata = |folder: &Path| json_file(&folder.join("zarr.json"));
            return Self {
                array: metadata(array),
                attributes: metadata(array)["attributes"].clone(),
                group_attributes: metadata(&group)["attributes"].clone(),
                root: metadata(&root),
                root_attributes: metadata(&root)["attributes"].clone(),
            };
        }
        assert_eq!(json_file(&group.join(".zgroup")), json!({"zarr_format": 2}));
        Self {
            array: json_file(&array.join(".zarray")),
            attributes: json_file(&array.join(".zattrs")),
            group_attributes: json_file(&group.join(".zattrs")),
            root: json_file(&root.join(".zgroup")),
            root_attributes: json_file(&root.join(".zattrs")),
        }
    }
}

fn keys(object: &Value) -> BTreeSet<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

/// What the specification of version 2 asks of `.zarray`, and that of version 3 of `zarr.json`.
#[test]
fn shards_codecs_and_levels_are_read_elsewhere() {
    let sandbox = Sandbox::new();
    let voxels = typed::<u16>(&labels(&[10, 12, 9], &IDS));
    let crop = Crop { place: FRACTIONS, ..Crop::default() };
    crop.store(&sandbox.path("crop.zarr"), &voxels);
    sandbox.write("groups.toml", GROUPS_TOML);
    let mut arrays = Vec::new();
    for (index, more) in [
        "--zarr-format 3 --shards 8,12,9 --chunks 4,4,3 --levels 3",
        "--zarr-format 3 --shards 8 --chunks 4 --codec blosc-lz4:9",
        "--zarr-format 3 --shards 4 --chunks 4 --codec none",
        "--zarr-format 3 --codec gzip",
        "--zarr-format 3 --levels 2 --mask-levels mean --target-levels mean --codec blosc-lz4",
        "--zarr-format 2 --codec gzip:9 --levels 3 --mask-levels any --chunks 4",
        "--zarr-format 2 --codec blosc-lz4 --levels 2 --mask-levels mean",
        "--zarr-format 2 --codec zstd:22",
    ]
    .into_iter()
    .enumerate()
    {
        let out = format!("out{index}.zarr");
        let args = ["mask", "crop.zarr/all/s0", "--groups", "groups.toml", "--targets", "-o", &out];
        let more: Vec<&str> = more.split(' ').collect();
        sandbox.succeeds(&[&args[..], &more].concat());
        for image in ["mask", "target"] {
            for level in 0..3 {
                let path = sandbox.path(&out).join(image).join(format!("s{level}"));
                arrays.extend(path.exists().then_some(path));
            }
        }
    }
    assert_eq!(arrays.len(), 2 * (3 + 1 + 1 + 1 + 2 + 3 + 2 + 1));
    asked_elsewhere(&arrays);
}

#[test]
fn arrays_and_groups_follow_the_text_of_the_specifications() {
    let (_sandbox, arrays) = outputs();
    for path in arrays {
        let files = Files::of(&path);
        let array = &files.array;
        assert_eq!(array["shape"], json!([5, 10, 12, 9]));
        assert_eq!(array["fill_value"], 0);
        if array["zarr_format"] == 2 {
            let required = [
                "zarr_format",
                "shape",
                "chunks",
                "dtype",
                "compressor",
                "fill_value",
                "order",
                "filters",
            ];
            let optional = ["dimension_separator"];
            assert_eq!(keys(array), required.into_iter().chain(optional).collect());
            assert_eq!(array["dtype"], "|u1");
            assert_eq!(array["order"], "C");
            assert_eq!(array["filters"], Value::Null);
            assert_eq!(array["compressor"]["id"], "zstd");
            // OME-NGFF 0.4 asks for it.
            assert_eq!(array["dimension_separator"], "/");
            assert_eq!(files.root, json!({"zarr_format": 2}));
        } else {
            let required = [
                "zarr_format",
                "node_type",
                "shape",
                "data_type",
                "chunk_grid",
                "chunk_key_encoding",
                "fill_value",
                "codecs",
            ];
            let optional = ["attributes", "dimension_names"];
            assert_eq!(keys(array), required.into_iter().chain(optional).collect());
            assert_eq!((&array["zarr_format"], &array["node_type"]), (&json!(3), &json!("array")));
            assert_eq!(array["data_type"], "uint8");
            let names: Vec<&Value> =
                array["codecs"].as_array().unwrap().iter().map(|codec| &codec["name"]).collect();
            assert_eq!(names, ["bytes", "zstd"]);
            let grid = json!({"name": "regular", "configuration": {"chunk_shape": [1, 4, 5, 4]}});
            assert_eq!(array["chunk_grid"], grid);
            assert_eq!(files.root["node_type"], "group");
            assert_eq!(files.root["zarr_format"], 3);
        }
        let chunk = if array["zarr_format"] == 2 { "0/0/0/0" } else { "c/0/0/0/0" };
        // The first bytes of every Zstandard frame.
        let frame = fs::read(path.join(chunk)).unwrap();
        assert_eq!(frame[..4], [0x28, 0xb5, 0x2f, 0xfd]);
    }
}

/// OME-NGFF: `axes` channels before space; one `scale` and one `translation` behind it, each with a number
/// for each axis.
#[test]
fn images_follow_the_text_of_ome_ngff() {
    let (_sandbox, arrays) = outputs();
    for path in arrays {
        let files = Files::of(&path);
        let attributes = &files.group_attributes;
        let multiscales = if files.array["zarr_format"] == 2 {
            assert_eq!(attributes["multiscales"][0]["version"], "0.4");
            &attributes["multiscales"]
        } else {
            assert!(!keys(attributes).contains("multiscales"), "in 0.5 it is a part of ome");
            assert_eq!(attributes["ome"]["version"], "0.5");
            &attributes["ome"]["multiscales"]
        };
        let multiscale = &multiscales.as_array().unwrap()[0];
        let axes = multiscale["axes"].as_array().unwrap();
        let types: Vec<&Value> = axes.iter().map(|axis| &axis["type"]).collect();
        assert_eq!(types, ["channel", "space", "space", "space"]);
        let dataset = &multiscale["datasets"].as_array().unwrap()[0];
        assert!(path.join("..").join(dataset["path"].as_str().unwrap()).exists());
        let transforms = dataset["coordinateTransformations"].as_array().unwrap();
        assert_eq!(transforms.len(), 2);
        for (transform, name) in transforms.iter().zip(["scale", "translation"]) {
            assert_eq!(transform["type"], name);
            let numbers = transform[name].as_array().unwrap();
            assert!(numbers.len() == axes.len() && numbers.iter().all(Value::is_number));
        }
    }
}

#[test]
fn zarr_python_and_tensorstore_read_the_same_masks_and_targets() {
    let (_sandbox, arrays) = outputs();
    let names = json!(GROUPS.map(|(name, _)| name));
    let found = asked_elsewhere(&arrays).unwrap_or_else(|| arrays_as_stored(&arrays));
    for (path, found) in arrays.iter().zip(found) {
        let found = &found["zarr"];
        assert_eq!(found["chunks"], json!([1, 4, 5, 4]));
        assert_eq!(found["members"], json!(["mask", "target"]));
        // For funlib.persistence and DaCapo.
        let attributes = &found["attributes"];
        assert_eq!(attributes["voxel_size"], json!([2.62, 2, 2.5]));
        assert_eq!(attributes["resolution"], json!([2.62, 2, 2.5]));
        assert_eq!(attributes["offset"], json!([13282.29, -4, 0.5]));
        assert_eq!(attributes["axis_names"], json!(["c^", "z", "y", "x"]));
        assert_eq!(attributes["units"], json!(["nm", "nm", "nm"]));
        assert_eq!(attributes["channel_names"], names);
        // For OME-NGFF.
        let is_v3 = path.join("zarr.json").exists();
        let group = &found["group_attributes"];
        let multiscale =
            if is_v3 { &group["ome"]["multiscales"][0] } else { &group["multiscales"][0] };
        let transforms = &multiscale["datasets"][0]["coordinateTransformations"];
        assert_eq!(transforms[0]["scale"], json!([1, 2.62, 2, 2.5]));
        assert_eq!(transforms[1]["translation"], json!([0, 13283.6, -3, 1.75]));
        let dimensions = if is_v3 { json!(["c", "z", "y", "x"]) } else { json!([]) };
        assert_eq!(found["dimension_names"], dimensions);
        assert_eq!(found["root_attributes"]["voxmask"]["rule"], "strict");
    }
}

/// The same facts without another reader: as the files have them.
fn arrays_as_stored(arrays: &[PathBuf]) -> Vec<Value> {
    let stored = |path: &PathBuf| {
        let files = Files::of(path);
        let members = fs::read_dir(path.join("../..")).unwrap().map(|entry| entry.unwrap());
        let folders = members.filter(|member| member.path().is_dir());
        let names: BTreeSet<String> =
            folders.map(|folder| folder.file_name().into_string().unwrap()).collect();
        let chunks = match files.array["zarr_format"].as_u64() {
            Some(2) => &files.array["chunks"],
            _ => &files.array["chunk_grid"]["configuration"]["chunk_shape"],
        };
        json!({"zarr": {
            "chunks": chunks,
            "members": names,
            "attributes": files.attributes,
            "group_attributes": files.group_attributes,
            "root_attributes": files.root_attributes,
            "dimension_names": files.array.get("dimension_names").unwrap_or(&json!([])),
        }})
    };
    arrays.iter().map(stored).collect()
}

#[test]
fn labels_of_every_type_and_the_sample_crop_are_read_the_same_elsewhere() {
    let sandbox = Sandbox::new();
    let voxels = labels(&[6, 7, 5], &[0, 1, 4, 100]);
    let signed = labels(&[6, 7, 5], &[0, 1, -4, -100]);
    let mut arrays = Vec::new();
    for format in [ZarrFormat::V2, ZarrFormat::V3] {
        for stored in [
            typed::<u8>(&voxels),
            typed::<u16>(&voxels),
            typed::<u32>(&voxels),
            typed::<u64>(&voxels),
            typed::<i8>(&signed),
            typed::<i16>(&signed),
            typed::<i32>(&signed),
            typed::<i64>(&signed),
            voxels.map(|&label| label > 1).into(),
        ] {
            let crop = Crop { format, place: FRACTIONS, ..Crop::default() };
            let name = format!("{}-{format:?}.zarr", stored.dtype());
            arrays.push(crop.store(&sandbox.path(&name), &stored));
            let ours = ZarrArray::open(arrays.last().unwrap()).unwrap().data().unwrap();
            assert_eq!(ours, stored, "{name}");
        }
    }
    sandbox.succeeds(&["demo"]);
    for name in ["crop.zarr/raw/s0", "crop.zarr/labels/s0", "masks.zarr/mask/s0"] {
        arrays.push(sandbox.path("voxmask-demo").join(name));
    }
    let crop = Files::of(&arrays[19]);
    assert_eq!(crop.attributes["voxel_size"], json!([5.24, 4, 4]));
    assert_eq!(crop.attributes["offset"], json!([1047.38, 420, 396]));
    if let Some(found) = asked_elsewhere(&arrays) {
        assert_eq!(found[19]["zarr"]["attributes"], crop.attributes);
        assert_eq!(found[19]["zarr"]["members"], json!(["labels", "raw"]));
        let listed = found[19]["zarr"]["attributes"]["labels"].as_array().unwrap();
        assert_eq!(listed.len(), 17);
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
