//! Files that are not what they should be: an error that names what is wrong, never a panic.

#![expect(clippy::unwrap_used, reason = "what a helper of a test cannot do fails the test")]

use std::fs;
#[cfg(unix)]
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use array_core::{Array, ArrayError, ArrayExt};
use geometry::Window;
use serde_json::{Value, json};
use tempfile::TempDir;
use zarr_source::{OpenOptions, ZarrArray, ZarrError, ZarrGroup};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target)
        } else {
            fs::copy(entry.path(), target).map(drop).unwrap()
        }
    }
}

/// A copy of a fixture that may be damaged, and the path of its array.
fn damaged(name: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    copy(&fixtures().join(format!("{name}.zarr")), folder.path());
    let array = folder.path().join("s0");
    (folder, array)
}

fn chunk_files(folder: &Path) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if !name.starts_with(".z") && name != "zarr.json" {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The error that reading all voxels gives.
fn read_error(array: &Path) -> ZarrError {
    let error = ZarrArray::open(array).unwrap().data().unwrap_err();
    let ArrayError::Source { source, .. } = error else { panic!("{error}") };
    *source.downcast::<ZarrError>().unwrap()
}

/// Why it failed.
fn cause(error: &ZarrError) -> String {
    std::error::Error::source(error).unwrap().to_string()
}

fn edit(file: &Path, change: impl FnOnce(&mut Value)) {
    let mut value: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    change(&mut value);
    fs::write(file, value.to_string()).unwrap();
}

fn malformed_reason(result: Result<ZarrArray, ZarrError>) -> String {
    match result.unwrap_err() {
        ZarrError::MetadataMalformed { reason, .. } => reason,
        other => panic!("{other}"),
    }
}

fn unsupported(result: Result<ZarrArray, ZarrError>) -> String {
    match result.unwrap_err() {
        ZarrError::Unsupported { what, .. } => what,
        other => panic!("{other}"),
    }
}

#[test]
fn a_truncated_chunk_is_corrupt_and_named() {
    for name in ["v2_raw", "v2_zstd", "v2_lz4", "v2_gzip", "v2_bz2", "v2_blosc_lz4", "v3_sharded"] {
        let (_folder, array) = damaged(name);
        let file = chunk_files(&array).remove(0);
        let bytes = fs::read(&file).unwrap();
        fs::write(&file, &bytes[..bytes.len() - 5]).unwrap();
        match read_error(&array) {
            ZarrError::ChunkCorrupt { path, chunk, .. } => {
                assert_eq!(path, array, "{name}");
                // Of the chunks in a damaged shard, any may be read first.
                let named = if name == "v3_sharded" { "in shard \"c/0/0/0\"" } else { "[0, 0, 0]" };
                assert!(chunk.contains(named), "{name}: {chunk}");
            }
            other => panic!("{name}: {other}"),
        }
    }
}

#[test]
fn a_blosc_chunk_that_claims_another_size_is_refused_before_that_is_allocated() {
    for name in ["v2_blosc_lz4", "v2_blosc_zstd", "v2_f_order", "ts_v2_blosc", "v3_blosc"] {
        let (_folder, array) = damaged(name);
        for chunk in chunk_files(&array) {
            let mut bytes = fs::read(&chunk).unwrap();
            bytes[4..8].copy_from_slice(&0x7fff_fff0_u32.to_le_bytes());
            fs::write(&chunk, bytes).unwrap();
        }
        let error = read_error(&array).to_string();
        assert!(error.contains("the Blosc data claim to hold 2147483632 bytes"), "{name}: {error}");
    }
}

#[test]
fn a_wrong_checksum_is_corrupt() {
    for name in ["v3_crc32c", "ts_v3_zstd_crc32c", "v3_sharded_missing"] {
        let (_folder, array) = damaged(name);
        let file = chunk_files(&array).remove(0);
        let mut bytes = fs::read(&file).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        fs::write(&file, bytes).unwrap();
        let error = read_error(&array);
        assert!(matches!(error, ZarrError::ChunkCorrupt { .. }), "{name}: {error}");
        assert!(error.to_string().contains("checksum"), "{name}: {error}");
    }
}

#[test]
fn a_bool_other_than_0_and_1_is_corrupt() {
    let (_folder, array) = damaged("v2_bool");
    edit(&array.join(".zarray"), |metadata| metadata["compressor"] = Value::Null);
    for file in chunk_files(&array) {
        fs::write(file, [[0_u8, 1, 2].as_slice(), &[0; 45]].concat()).unwrap();
    }
    let error = read_error(&array);
    assert!(matches!(error, ZarrError::ChunkCorrupt { .. }), "{error}");
    assert!(error.to_string().contains("neither 0 nor 1"), "{error}");
}

#[test]
fn a_shard_index_that_points_outside_is_corrupt() {
    let (_folder, array) = damaged("v3_sharded");
    edit(&array.join("zarr.json"), |metadata| {
        // Without a checksum, the index can be anything.
        let configuration = &mut metadata["codecs"][0]["configuration"];
        configuration["index_codecs"].as_array_mut().unwrap().truncate(1);
    });
    for file in chunk_files(&array) {
        fs::write(file, [0x7f; 8 * 16]).unwrap();
    }
    let error = read_error(&array);
    assert!(matches!(error, ZarrError::ChunkCorrupt { .. }), "{error}");
    assert!(error.to_string().contains("in a file of 128 bytes"), "{error}");
}

#[test]
fn no_damage_to_a_chunk_panics() {
    for entry in fs::read_dir(fixtures()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "zarr") {
            continue;
        }
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let (_folder, array) = damaged(&name);
        let Some(file) = chunk_files(&array).first().cloned() else {
            continue;
        };
        let original = fs::read(&file).unwrap();
        // Every byte of a header, and some of the rest.
        for at in (0..original.len()).filter(|at| *at < 40 || at % 5 == 0) {
            let mut bytes = original.clone();
            bytes[at] ^= [0x01, 0x80, 0xff][at % 3];
            fs::write(&file, bytes).unwrap();
            let _ = ZarrArray::open(&array).unwrap().data();
            if at % 16 == 0 {
                fs::write(&file, &original[..at]).unwrap();
                let _ = ZarrArray::open(&array).unwrap().data();
            }
        }
    }
}

#[test]
fn broken_metadata_names_the_file_and_the_key() {
    let (_folder, array) = damaged("v2_raw");
    fs::write(array.join(".zattrs"), "{\"voxel_size\": [8, 4").unwrap();
    let error = ZarrArray::open(&array).unwrap_err();
    assert!(matches!(error, ZarrError::MetadataMalformed { .. }), "{error}");
    assert!(error.to_string().contains(".zattrs: invalid JSON"), "{error}");

    let cases: &[(&str, Value, &str)] = &[
        ("shape", json!([5, -7, 6]), "shape must be"),
        ("shape", json!("5x7x6"), "shape must be"),
        ("chunks", json!([3, 4]), "differ in length"),
        ("chunks", json!([3, 0, 4]), "has a zero"),
        ("chunks", json!([1_u64 << 40, 1_u64 << 40, 4]), "beyond 64 bits"),
        ("shape", json!([1_u64 << 40, 1_u64 << 40, 4]), "beyond 64 bits"),
        ("order", json!("K"), "order must be"),
        ("fill_value", json!(256), "fill_value must be"),
        ("dimension_separator", json!("-"), "dimension_separator must be"),
        ("compressor", json!("zstd"), "compressor must be"),
        ("filters", json!(3), "filters must be"),
        ("zarr_format", json!(3), "zarr_format must be"),
    ];
    for (key, value, part) in cases {
        let (_folder, array) = damaged("v2_raw");
        edit(&array.join(".zarray"), |metadata| metadata[*key] = value.clone());
        let reason = malformed_reason(ZarrArray::open(&array));
        assert!(reason.contains(part), "{key} = {value}: {reason}");
    }
    for key in ["shape", "data_type", "chunk_grid", "chunk_key_encoding", "fill_value", "codecs"] {
        let (_folder, array) = damaged("v3_bytes");
        edit(&array.join("zarr.json"), |metadata| {
            drop(metadata.as_object_mut().unwrap().remove(key))
        });
        let reason = malformed_reason(ZarrArray::open(&array));
        assert_eq!(reason, format!("{key} is missing"));
    }
}

/// The JSON pointers of all values in a document.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(i, v)| pointers(v, &format!("{at}/{i}"), found));
        }
        Value::Object(object) => {
            object.iter().for_each(|(key, v)| pointers(v, &format!("{at}/{key}"), found));
        }
        _ => {}
    }
}

#[test]
fn no_damage_to_metadata_panics() {
    let values = [
        json!(null),
        json!(true),
        json!(-1),
        json!(0),
        json!(5),
        json!(u64::MAX),
        json!(0.5),
        json!("x"),
        json!([]),
        json!([3, 4]),
        json!([0, 0, 1, 2]),
        json!({}),
        json!({"name": "bytes", "configuration": 3}),
        json!([{"name": "transpose", "configuration": {"order": [1, 0]}}, {"name": "bytes"}]),
    ];
    for name in ["v2_blosc_lz4", "v2_zlib", "v2_f_order", "v3_sharded", "v3_transpose", "v3_gzip"] {
        let (_folder, array) = damaged(name);
        let file = array.join(if name.starts_with("v2") { ".zarray" } else { "zarr.json" });
        let original: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        let mut found = Vec::new();
        pointers(&original, "", &mut found);
        for pointer in &found {
            for value in &values {
                edit(&file, |metadata| {
                    *metadata = original.clone();
                    *metadata.pointer_mut(pointer).unwrap() = value.clone();
                });
                let Ok(array) = ZarrArray::open(&array) else { continue };
                let dims = array.info().spatial_shape().len();
                let corner = Window::new(&vec![0; dims], &vec![1; dims]).unwrap();
                let _ = array.visit(&corner, &mut |_| Ok(()));
            }
        }
    }
}

#[test]
fn what_is_not_supported_is_named() {
    let cases: &[(&str, Value, &str)] = &[
        ("compressor", json!({"id": "lzma"}), "\"lzma\""),
        ("filters", json!([{"id": "delta", "dtype": "<u2"}]), "\"delta\""),
        ("dtype", json!("<c8"), "\"<c8\""),
        ("dtype", json!([["a", "<u2"]]), "element type"),
        ("dtype", json!("<U4"), "\"<U4\""),
    ];
    for (key, value, part) in cases {
        let (_folder, array) = damaged("v2_raw");
        edit(&array.join(".zarray"), |metadata| metadata[*key] = value.clone());
        let what = unsupported(ZarrArray::open(&array));
        assert!(what.contains(part), "{what}");
    }
    let cases: &[(&str, Value, &str)] = &[
        ("codecs", json!([{"name": "bytes"}, {"name": "no_such_codec"}]), "no_such_codec"),
        (
            "codecs",
            json!([{"name": "zstd", "configuration": {"level": 1, "checksum": false}}]),
            "codecs",
        ),
        ("data_type", json!("complex64"), "complex64"),
        ("data_type", json!("float16"), "float16"),
        ("chunk_grid", json!({"name": "rectilinear", "configuration": {}}), "rectilinear"),
        ("chunk_key_encoding", json!({"name": "suffix"}), "suffix"),
        ("storage_transformers", json!([{"name": "link"}]), "link"),
        ("unheard_of", json!({"a": 1}), "unheard_of"),
    ];
    for (key, value, part) in cases {
        let (_folder, array) = damaged("v3_bytes");
        edit(&array.join("zarr.json"), |metadata| metadata[*key] = value.clone());
        let what = unsupported(ZarrArray::open(&array));
        assert!(what.contains(part), "{what}");
    }
    let (_folder, array) = damaged("v3_bytes");
    edit(&array.join("zarr.json"), |m| m["hint"] = json!({"must_understand": false}));
    ZarrArray::open(&array).unwrap();
}

#[test]
fn a_missing_path_says_what_is_near_and_creates_nothing() {
    let (folder, _) = damaged("v2_raw");
    let list = |path: &Path| fs::read_dir(path).unwrap().count();
    let before = list(folder.path());
    let error = ZarrArray::open(folder.path().join("labels/s0")).unwrap_err();
    assert!(matches!(error, ZarrError::NotFound { .. }), "{error}");
    assert!(error.to_string().contains("the arrays in it are s0"), "{error}");
    let error = ZarrArray::open_writable(folder.path().join("s1")).unwrap_err();
    assert!(error.is_not_found(), "{error}");
    assert_eq!(list(folder.path()), before);

    let error = ZarrArray::open("/no-such-folder/at.zarr/all").unwrap_err();
    assert!(error.to_string().contains("the nearest folder that exists is /"), "{error}");
}

#[test]
fn something_else_than_an_array_is_named() {
    let (folder, array) = damaged("v2_raw");
    // As s0, it would be a scale level.
    fs::rename(&array, folder.path().join("labels")).unwrap();
    let array = folder.path().join("labels");
    let found = |path: &Path| match ZarrArray::open(path).unwrap_err() {
        ZarrError::NotAZarrArray { found, .. } => found,
        other => panic!("{other}"),
    };
    assert_eq!(found(folder.path()), "it is a group; the arrays in it are labels");
    let error = ZarrGroup::open(&array).unwrap_err();
    assert!(matches!(error, ZarrError::NotAZarrGroup { .. }), "{error}");

    let file = folder.path().join("crop.h5");
    fs::write(&file, b"\x89HDF\r\n\x1a\n and more").unwrap();
    assert!(found(&file).contains("HDF5"));
    assert!(found(&file.join("volumes/labels")).contains("HDF5"));
    let empty = folder.path().join("crop.n5");
    fs::create_dir(&empty).unwrap();
    assert!(found(&empty).contains("without metadata of Zarr (.zarray, zarr.json) or N5"));
    fs::write(empty.join("attributes.json"), "{\"n5\": \"2.0.0\"}").unwrap();
    assert_eq!(found(&empty), "it is a group; there are no arrays in it");
}

#[test]
fn no_geometry_lists_what_was_looked_for() {
    let (_folder, array) = damaged("v2_raw");
    fs::write(array.join(".zattrs"), "{}").unwrap();
    let error = ZarrArray::open(&array).unwrap_err();
    assert!(matches!(error, ZarrError::NoGeometry { .. }), "{error}");
    for part in ["voxel_size", "resolution", "transform", "pixelResolution", "multiscales"] {
        assert!(error.to_string().contains(part), "{error}");
    }
    let options = OpenOptions { unit_voxels: true, ..OpenOptions::default() };
    let array = ZarrArray::open_with(&array, &options).unwrap();
    assert_eq!(array.voxel_size().as_slice(), [1, 1, 1]);
    assert_eq!(array.axes(), ["z", "y", "x"]);
}

#[test]
fn an_error_of_the_file_system_is_kept() {
    let (_folder, array) = damaged("v2_raw");
    let file = array.join("0.0.0");
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    let error = read_error(&array);
    assert!(error.is_io() && error.to_string().contains("0.0.0"), "{error}");
    assert!(std::error::Error::source(&error).is_some());
}

#[cfg(unix)]
#[test]
fn a_document_of_a_group_that_cannot_be_read_is_an_error() {
    for name in [".zattrs", ".zgroup", "zarr.json"] {
        for link in [None, Some("nowhere"), Some(name)] {
            let (folder, array) = damaged("v2_raw");
            let file = folder.path().join(name);
            let _ = fs::remove_file(&file);
            match link {
                None => fs::create_dir(&file).unwrap(),
                Some(to) => symlink(to, &file).unwrap(),
            }
            let error = ZarrArray::open(&array).unwrap_err();
            assert!(error.is_io(), "{name}: {error}");
            assert!(error.to_string().contains(&*file.to_string_lossy()), "{error}");
        }
    }
}

#[test]
fn a_broken_document_far_above_the_container_is_none_of_its_business() {
    for container in ["a.zarr", "a/b.zarr"] {
        for with_group in [true, false] {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join("zarr.json"), "no JSON").unwrap();
            fs::write(folder.path().join(".zgroup"), "nor this").unwrap();
            let container = folder.path().join("data").join(container);
            copy(&fixtures().join("v2_raw.zarr"), &container);
            if !with_group {
                let _ = fs::remove_file(container.join(".zgroup"));
                let _ = fs::remove_file(container.join(".zattrs"));
            }
            let array = ZarrArray::open(container.join("s0")).unwrap();
            let root = if with_group { container.clone() } else { container.join("s0") };
            assert_eq!(array.metadata().container(), root);
        }
    }
}

#[test]
fn an_index_that_no_machine_can_hold_is_refused() {
    // As many elements as a machine can count, but not as many entries.
    let huge = json!([1_u64 << 20, 1_u64 << 20, 1_u64 << 20]);
    for nested in [false, true] {
        let (_folder, array) = damaged("v3_sharded");
        edit(&array.join("zarr.json"), |metadata| {
            metadata["data_type"] = json!("uint8");
            metadata["chunk_grid"]["configuration"]["chunk_shape"] = huge.clone();
            let codecs = metadata["codecs"].clone();
            let sharding = &mut metadata["codecs"][0]["configuration"];
            sharding["chunk_shape"] = if nested { huge.clone() } else { json!([1, 1, 1]) };
            if nested {
                sharding["codecs"] = codecs;
                sharding["codecs"][0]["configuration"]["chunk_shape"] = json!([1, 1, 1]);
            }
        });
        let what = unsupported(ZarrArray::open(&array));
        assert!(what.contains("an index of chunks of [1, 1, 1]"), "{what}");
    }
    // A transposition before the shards makes them no exception.
    let (_folder, array) = damaged("v3_sharded");
    edit(&array.join("zarr.json"), |metadata| {
        metadata["data_type"] = json!("uint8");
        metadata["chunk_grid"]["configuration"]["chunk_shape"] = huge.clone();
        metadata["codecs"][0]["configuration"]["chunk_shape"] = json!([1, 1, 1]);
        let transpose = json!({"name": "transpose", "configuration": {"order": [2, 1, 0]}});
        metadata["codecs"].as_array_mut().unwrap().insert(0, transpose);
    });
    let what = unsupported(ZarrArray::open(&array));
    assert!(what.contains("an index of chunks of [1, 1, 1]"), "{what}");
}

#[test]
fn a_chunk_that_no_machine_can_hold_is_an_error_and_not_the_end() {
    let (_folder, array) = damaged("v3_zstd");
    edit(&array.join("zarr.json"), |metadata| {
        metadata["data_type"] = json!("uint8");
        metadata["chunk_grid"]["configuration"]["chunk_shape"] =
            json!([1_u64 << 20, 1_u64 << 20, 1_u64 << 20]);
    });
    let text = cause(&read_error(&array));
    assert!(text.contains("1152921.5 TB, beyond the memory limit"), "{text}");

    // A block of N5 may be cut off, so that little of it is stored.
    let folder = tempfile::tempdir().unwrap();
    let metadata = json!({"dimensions": [1, 1, 1], "blockSize": [1 << 20, 1 << 20, 1 << 20],
        "dataType": "uint8", "compression": {"type": "raw"}, "resolution": [8, 8, 8]});
    fs::write(folder.path().join("attributes.json"), metadata.to_string()).unwrap();
    fs::create_dir_all(folder.path().join("0/0")).unwrap();
    let block = [0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 7];
    fs::write(folder.path().join("0/0/0"), block).unwrap();
    let text = cause(&read_error(folder.path()));
    assert!(text.contains("1152921.5 TB, beyond the memory limit"), "{text}");
}

#[test]
fn a_document_that_is_too_large_for_metadata_is_not_read() {
    let (_folder, array) = damaged("v2_raw");
    let file = fs::File::create(array.join(".zattrs")).unwrap();
    file.set_len((1 << 26) + 1).unwrap();
    let reason = malformed_reason(ZarrArray::open(&array));
    assert!(reason.contains("it has 67108865 bytes, and may have 67108864"), "{reason}");
}

#[cfg(unix)]
#[test]
fn something_else_than_a_file_in_place_of_a_chunk_says_so() {
    let replaced = |name: &str, replace: &dyn Fn(&Path)| {
        let (_folder, array) = damaged(name);
        let file = chunk_files(&array).remove(0);
        fs::remove_file(&file).unwrap();
        replace(&file);
        read_error(&array)
    };
    for name in ["v2_raw", "v3_sharded"] {
        let error = replaced(name, &|file| fs::create_dir(file).unwrap());
        assert!(error.is_io(), "{error}");
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert_eq!(cause, "it is a directory, not a file", "{name}");
    }
}

#[test]
fn an_array_that_has_gone_is_not_one_without_chunks() {
    for name in ["v2_missing", "v3_bytes", "v3_sharded_missing"] {
        let (folder, array) = damaged(name);
        let known = ZarrArray::open(&array).unwrap();
        let whole = known.data().unwrap();
        let fresh = ZarrArray::open(&array).unwrap();
        let away = folder.path().join("away");
        fs::rename(&array, &away).unwrap();
        for opened in [&known, &fresh] {
            let error = opened.data().unwrap_err();
            let cause = std::error::Error::source(&error).unwrap().to_string();
            assert!(cause.contains(&array.display().to_string()), "{name}: {cause}");
        }
        fs::rename(&away, &array).unwrap();
        assert!(fresh.data().unwrap() == whole, "{name}");
    }
}
