//! N5 and scale levels behind a static HTTP server, which lists nothing.

use std::fs;
use std::time::{Duration, Instant};

use array_core::testing::check_contract;
use array_core::{Array, ArrayExt};
use serde_json::json;
use zarr_source::{Level, OpenOptions, ZarrArray, ZarrFormat, ZarrGroup};

use crate::servers::Nginx;
use crate::support::{copy, fixtures, quick};

#[test]
fn n5_reads_as_from_a_folder() {
    let Some(nginx) = Nginx::start("") else { return };
    copy(&fixtures().join("n5"), &nginx.root());
    for name in ["zarr_missing.n5", "zarr_channels.n5", "z5py_float.n5", "zarr_blosc_lz4.n5"] {
        let local = ZarrArray::open(fixtures().join("n5").join(name).join("s0")).unwrap();
        let array = ZarrArray::open_with(nginx.url(&format!("{name}/s0")), &quick(0)).unwrap();
        assert_eq!(array.metadata().zarr_format(), ZarrFormat::N5);
        assert_eq!(array.data().unwrap(), local.data().unwrap(), "{name}");
        assert_eq!(array.info().grid(), local.info().grid(), "{name}");
        assert_eq!(array.axes(), local.axes(), "{name}");
        assert_eq!(array.metadata().container().to_str(), Some(&nginx.url(name)[..]));
        check_contract(&array);
    }
}

#[test]
fn scale_levels_are_found_without_a_listing() {
    let Some(nginx) = Nginx::start("") else { return };
    let em = nginx.root().join("crop.n5/volumes/em");
    fs::create_dir_all(&em).unwrap();
    fs::write(nginx.root().join("crop.n5/attributes.json"), r#"{"n5": "2.0.0"}"#).unwrap();
    let attributes = json!({"pixelResolution": {"unit": "nm", "dimensions": [4, 4, 5.24]},
        "scales": [[1, 1, 1], [2, 2, 1]]});
    fs::write(em.join("attributes.json"), attributes.to_string()).unwrap();
    let metadata = json!({"dimensions": [6, 7, 5], "blockSize": [4, 4, 3], "dataType": "uint8",
        "compression": {"type": "raw"}});
    for level in ["s0", "s1"] {
        fs::create_dir(em.join(level)).unwrap();
        fs::write(em.join(level).join("attributes.json"), metadata.to_string()).unwrap();
    }
    let url = nginx.url("crop.n5/volumes/em");
    for level in ["s1", "5.24x8x8 nm"] {
        let level: Level = level.parse().unwrap();
        let options = OpenOptions { level: Some(level), ..quick(0) };
        let array = ZarrArray::open_with(&url, &options).unwrap();
        assert_eq!(array.metadata().path_in_container(), "volumes/em/s1");
        assert_eq!(array.voxel_size().as_slice(), [524, 800, 800]);
    }
    let group = ZarrGroup::open_with(&url, &quick(0)).unwrap();
    let levels = group.levels().unwrap();
    let levels: Vec<String> = levels.iter().map(ToString::to_string).collect();
    assert_eq!(levels, ["s0 (5.24 x 4 x 4 nm)", "s1 (5.24 x 8 x 8 nm)"]);
}

#[test]
fn deep_folders_without_documents_take_no_longer_than_they_are_deep() {
    let Some(nginx) = Nginx::start("") else { return };
    let deep = vec!["d"; 40].join("/");
    let root = nginx.root().join("crop.n5");
    fs::create_dir_all(&root).unwrap();
    let attributes = json!({"n5": "2.0.0", "multiscales": [{"datasets": [{"path": deep}]}]});
    fs::write(root.join("attributes.json"), attributes.to_string()).unwrap();
    let group = ZarrGroup::open_with(nginx.url("crop.n5"), &quick(0)).unwrap();
    let begun = Instant::now();
    let inside = group.open_group(&deep).unwrap();
    assert_eq!(inside.zarr_format(), ZarrFormat::N5);
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}
