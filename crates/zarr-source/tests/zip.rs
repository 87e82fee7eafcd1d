//! Containers in zip archives that zarr-python and Python's zipfile made (see `zips/make.py`).

#![expect(clippy::unwrap_used, reason = "what a helper of a test cannot do fails the test")]

use std::error::Error;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use array_core::testing::check_contract;
use array_core::{Array, ArrayExt};
use zarr_source::{
    OpenOptions, TreeKind, TreeNode, ZarrArray, ZarrError, ZarrFormat, ZarrGroup, ZarrTree,
};

fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

fn zips() -> PathBuf {
    tests().join("zips")
}

/// Arrays in archives, and the fixtures that hold the same.
const ARRAYS: [(&str, &str); 4] = [
    ("zipstore_v2.zarr.zip/labels/s0", "v2_missing"),
    ("zipstore_v2_deflated.zarr.zip/labels/s0", "v2_missing"),
    ("zipstore_v3.zarr.zip/labels/s0", "v3_sharded_missing"),
    ("folder.zip/v3_sharded_missing.zarr/s0", "v3_sharded_missing"),
];

fn fixture(name: &str) -> ZarrArray {
    ZarrArray::open(tests().join(format!("fixtures/{name}.zarr/s0"))).unwrap()
}

#[test]
fn arrays_in_archives_read_like_those_in_folders() {
    for (path, name) in ARRAYS {
        let (array, folder) = (ZarrArray::open(zips().join(path)).unwrap(), fixture(name));
        assert_eq!(array.data().unwrap(), folder.data().unwrap(), "{path}");
        assert_eq!(array.info().grid(), folder.info().grid(), "{path}");
        assert_eq!(array.metadata().fill_value(), folder.metadata().fill_value(), "{path}");
        check_contract(&array);
    }
}

#[test]
fn the_archive_is_the_container() {
    let array = ZarrArray::open(zips().join(ARRAYS[0].0)).unwrap();
    assert_eq!(array.metadata().container(), zips().join("zipstore_v2.zarr.zip"));
    assert_eq!(array.metadata().path_in_container(), "labels/s0");
    let array = ZarrArray::open(zips().join(ARRAYS[3].0)).unwrap();
    assert_eq!(array.metadata().container(), zips().join("folder.zip/v3_sharded_missing.zarr"));
}

#[test]
fn an_archive_is_known_by_its_first_bytes_whatever_it_is_called() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("crop");
    fs::copy(zips().join("zipstore_v2.zarr.zip"), &path).unwrap();
    let array = ZarrArray::open(path.join("labels/s0")).unwrap();
    assert_eq!(array.data().unwrap(), fixture("v2_missing").data().unwrap());
}

#[test]
fn groups_in_archives_are_listed() {
    for (archive, format) in [
        ("zipstore_v2.zarr.zip", ZarrFormat::V2),
        ("zipstore_v2_deflated.zarr.zip", ZarrFormat::V2),
        ("zipstore_v3.zarr.zip", ZarrFormat::V3),
    ] {
        let root = ZarrGroup::open(zips().join(archive)).unwrap();
        assert_eq!(root.groups().unwrap(), ["labels"], "{archive}");
        let array = zips().join(archive).join("labels/s0");
        assert_eq!(root.arrays().unwrap(), std::slice::from_ref(&array), "{archive}");
        let tree = root.tree(10).unwrap();
        assert!(!tree.truncated);
        let labels = &tree.root.children[0];
        assert!(matches!(labels.kind, TreeKind::Group { format: found } if found == format));
        let TreeKind::Array(found) = &labels.children[0].kind else { panic!("{archive}") };
        assert_eq!((&found.shape[..], found.format), (&[5, 7, 6][..], format));
        assert_eq!(labels.children[0].path, array);
        assert_eq!(labels.children[0].attrs["voxel_size"][0], 8);
        let stored = found.stored_bytes.unwrap();
        assert!(stored > 300 && stored < 5000, "{archive}: {stored}");
        let opened = root.open_group("labels").unwrap().open_array("s0", &OpenOptions::default());
        assert_eq!(opened.unwrap().metadata().path_in_container(), "labels/s0");
    }
    // Without metadata at its root, an archive is no group.
    let error = ZarrGroup::open(zips().join("folder.zip")).unwrap_err();
    assert!(error.to_string().contains("v3_sharded_missing.zarr/s0"), "{error}");
}

#[test]
fn what_is_not_in_an_archive_is_told_with_what_is() {
    let error = ZarrArray::open(zips().join("zipstore_v2.zarr.zip/labels/s1")).unwrap_err();
    assert!(matches!(error, ZarrError::NotFound { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("the arrays in it are s0"), "{text}");
    assert!(text.contains(".zmetadata do not name it"), "{text}");
    let error = ZarrArray::open(zips().join("zipstore_v2.zarr.zip")).unwrap_err();
    assert!(matches!(error, ZarrError::NotAZarrArray { .. }), "{error}");
    assert!(error.to_string().contains("labels/s0"), "{error}");
}

#[test]
fn archives_are_not_written_to() {
    let path = zips().join("zipstore_v2.zarr.zip/labels/s0");
    let error = ZarrArray::open_writable(path).unwrap_err();
    assert!(matches!(error, ZarrError::Unsupported { .. }), "{error}");
}

/// An error and its causes.
fn chain(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| (*error).source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// The archive with one byte changed, or cut, and what reading everything gives.
fn read(bytes: &[u8]) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("crop.zip");
    fs::write(&path, bytes).unwrap();
    for inside in ["labels/s0", "v3_sharded_missing.zarr/s0"] {
        let array = match ZarrArray::open(path.join(inside)) {
            Ok(array) => array,
            Err(error) if error.is_not_found() => continue,
            Err(error) => return Err(chain(&error)),
        };
        return array.data().map(drop).map_err(|error| chain(&error));
    }
    Err("nothing is in it".to_owned())
}

#[test]
fn damaged_archives_are_errors_and_never_endless() {
    for (archive, step) in [("zipstore_v2_deflated.zarr.zip", 3), ("folder.zip", 5)] {
        let whole = fs::read(zips().join(archive)).unwrap();
        read(&whole).unwrap();
        for end in (0..whole.len()).step_by(step) {
            read(&whole[..end]).unwrap_err();
        }
        for at in (0..whole.len()).step_by(step) {
            let mut bytes = whole.clone();
            bytes[at] ^= 0xFF;
            // Times and comments may change.
            let _ = read(&bytes);
        }
    }
}

#[test]
fn a_damaged_chunk_is_told_by_its_checksum() {
    let file = "zipstore_v2.zarr.zip";
    let mut bytes = fs::read(zips().join(file)).unwrap();
    // A chunk that is stored as it is: the first one, after its name.
    let name = b"labels/s0/0.1.1";
    let at = bytes.windows(name.len()).position(|window| window == name).unwrap();
    bytes[at + name.len() + 20] ^= 1;
    let error = read(&bytes).unwrap_err();
    assert!(error.contains("\"0.1.1\" (index [0, 1, 1])") && error.contains("checksum"), "{error}");
}

#[test]
fn what_an_archive_claims_is_not_believed() {
    let whole = fs::read(zips().join("zipstore_v2_deflated.zarr.zip")).unwrap();
    let mut bytes = whole.clone();
    // The size before compression, in every entry of the directory.
    let entries: Vec<usize> =
        (0..whole.len() - 4).filter(|&at| whole[at..].starts_with(b"PK\x01\x02")).collect();
    assert!(entries.len() > 4);
    for at in entries {
        bytes[at + 24..at + 28].copy_from_slice(&0xF000_0000_u32.to_le_bytes());
    }
    let error = read(&bytes).unwrap_err();
    assert!(error.contains("4026531840"), "{error}");

    let mut bytes = whole.clone();
    for at in (0..whole.len() - 4).filter(|&at| whole[at..].starts_with(b"PK\x01\x02")) {
        bytes[at + 8] |= 1;
    }
    let error = read(&bytes).unwrap_err();
    assert!(error.contains("encryption is not supported"), "{error}");

    let mut bytes = whole.clone();
    for at in (0..whole.len() - 4).filter(|&at| whole[at..].starts_with(b"PK\x01\x02")) {
        bytes[at + 10] = 12;
    }
    let error = read(&bytes).unwrap_err();
    assert!(error.contains("Bzip2 is not supported"), "{error}");

    // A chunk that is a link is not one that is not stored. What an entry is stands in its mode.
    let mut bytes = whole.clone();
    for at in (0..whole.len() - 4).filter(|&at| whole[at..].starts_with(b"PK\x01\x02")) {
        bytes[at + 5] = 3;
        if whole[at + 46..].starts_with(b"labels/s0/0.") {
            bytes[at + 38..at + 42].copy_from_slice(&(0o120_777_u32 << 16).to_le_bytes());
        }
    }
    let error = read(&bytes).unwrap_err();
    assert!(error.contains("a link in an archive is not supported"), "{error}");
}

/// An archive of these files, each compressed.
fn archive_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    let size = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap().to_le_bytes();
    for (name, bytes) in files {
        let (mut packed, mut checksum) = (Vec::new(), flate2::Crc::new());
        let level = flate2::Compression::best();
        flate2::read::DeflateEncoder::new(*bytes, level).read_to_end(&mut packed).unwrap();
        checksum.update(bytes);
        // Version, flags, method, time and date; checksum, sizes; the lengths of the name and of other fields.
        let mut fields = vec![20, 0, 0, 0, 8, 0, 0, 0, 33, 0];
        for number in [checksum.sum().to_le_bytes(), size(&packed), size(bytes)] {
            fields.extend(number);
        }
        fields.extend([u8::try_from(name.len()).unwrap(), 0, 0, 0]);
        let offset = size(&archive);
        archive.extend([b"PK\x03\x04", &fields[..], name.as_bytes(), &packed].concat());
        let place = [&[0; 10][..], &offset].concat();
        directory.extend([b"PK\x01\x02\x14\0", &fields[..], &place, name.as_bytes()].concat());
    }
    let count = [u8::try_from(files.len()).unwrap(), 0];
    let places = [size(&directory), size(&archive)].concat();
    [&archive[..], &directory, b"PK\x05\x06\0\0\0\0", &count, &count, &places, &[0, 0]].concat()
}

#[test]
fn a_last_entry_that_is_packed_tightly_is_read_to_its_end() {
    let document =
        br#"{"zarr_format": 2, "shape": [64, 64, 64], "chunks": [64, 64, 64], "dtype": "|u1",
        "order": "C", "fill_value": 0, "filters": null, "compressor": null}"#;
    let attrs = br#"{"voxel_size": [8, 8, 8]}"#;
    let chunk = [1; 64 * 64 * 64];
    let files =
        [("s0/.zarray", &document[..]), ("s0/.zattrs", &attrs[..]), ("s0/0.0.0", &chunk[..])];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("crop.zip");
    fs::write(&path, archive_of(&files)).unwrap();
    let voxels = ZarrArray::open(path.join("s0")).unwrap().data().unwrap();
    assert!(voxels.into_typed::<u8>().unwrap().iter().all(|&voxel| voxel == 1));
}

#[test]
fn names_that_lead_back_to_their_folder_are_passed_over() {
    let group = br#"{"zarr_format": 2}"#.as_slice();
    let names =
        [".zgroup", "a/.zgroup", "a/./.zgroup", "a/./b/.zgroup", "a/../c/.zgroup", "a//d/.zgroup"];
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("crop.zip");
    fs::write(&file, archive_of(&names.map(|name| (name, group)))).unwrap();
    let tree = ZarrTree::open(file, &OpenOptions::default(), 100).unwrap();
    let names = |node: &TreeNode| -> Vec<String> {
        node.children.iter().map(|child| child.name.clone()).collect()
    };
    assert_eq!(names(&tree.root), ["a"]);
    assert!(names(&tree.root.children[0]).is_empty(), "{:?}", names(&tree.root.children[0]));
}

#[test]
fn what_is_no_archive_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("crop.zarr.zip");
    fs::write(&path, "no archive").unwrap();
    let error = ZarrArray::open(path.join("s0")).unwrap_err();
    assert!(
        matches!(&error, ZarrError::MetadataMalformed { file, .. } if *file == path),
        "{error}"
    );
    assert!(error.to_string().contains("zip archive cannot be read"), "{error}");
}

#[test]
fn hdf5_is_told_with_how_to_convert_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sample.hdf");
    fs::write(&path, b"\x89HDF\r\n\x1a\n....").unwrap();
    for path in [path.clone(), path.join("volumes/labels")] {
        let error = ZarrArray::open(path).unwrap_err();
        assert!(matches!(error, ZarrError::NotAZarrArray { .. }), "{error}");
        assert!(error.to_string().contains("h5py.File("), "{error}");
    }
}
