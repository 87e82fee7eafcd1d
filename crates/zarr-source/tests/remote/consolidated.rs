//! Consolidated metadata save requests, and answer for the whole container.

use std::fs;

use serde_json::Value;
use zarr_source::{OpenOptions, ZarrArray, ZarrError, ZarrGroup};

use crate::servers::Nginx;
use crate::support::{assert_same, consolidate, edit, put, quick};

fn served(fixture: &str) -> Option<Nginx> {
    let nginx = Nginx::start("")?;
    put(fixture, &nginx.root(), "crop.zarr/labels");
    // A root group around the fixture, of its version.
    let name = if fixture.starts_with("v2") { ".zgroup" } else { "zarr.json" };
    let root = nginx.root().join("crop.zarr");
    fs::copy(root.join("labels").join(name), root.join(name)).unwrap();
    consolidate(&root);
    Some(nginx)
}

#[test]
fn opening_takes_one_or_two_requests() {
    for (fixture, expected) in [
        (
            "v2_missing.zarr",
            &["GET /crop.zarr/zarr.json 404 -", "GET /crop.zarr/.zmetadata 200 -"][..],
        ),
        ("v3_sharded_missing.zarr", &["GET /crop.zarr/zarr.json 200 -"]),
    ] {
        let Some(nginx) = served(fixture) else { return };
        let array = ZarrArray::open_with(nginx.url("crop.zarr/labels/s0"), &quick(0)).unwrap();
        assert_eq!(nginx.requests(), expected, "{fixture}");
        assert_same(&array, fixture);
        let root = nginx.url("crop.zarr");
        assert_eq!(array.metadata().container().to_str(), Some(&root[..]), "{fixture}");
    }
}

#[test]
fn what_they_do_not_name_is_not_there() {
    for fixture in ["v2_missing.zarr", "v3_sharded_missing.zarr"] {
        let Some(nginx) = served(fixture) else { return };
        put(fixture, &nginx.root(), "crop.zarr/other");
        nginx.requests();
        let error = ZarrArray::open_with(nginx.url("crop.zarr/other/s0"), &quick(0)).unwrap_err();
        assert!(matches!(&error, ZarrError::NotFound { .. }), "{error}");
        assert!(error.to_string().contains("do not name it"), "{error}");
        assert!(nginx.requests().len() <= 2);
    }
}

#[test]
fn they_list_where_the_server_does_not() {
    for fixture in ["v2_missing.zarr", "v3_sharded_missing.zarr"] {
        let Some(nginx) = served(fixture) else { return };
        let root = ZarrGroup::open_with(nginx.url("crop.zarr"), &quick(0)).unwrap();
        nginx.requests();
        assert_eq!(root.groups().unwrap(), ["labels"], "{fixture}");
        let arrays = root.arrays().unwrap();
        assert_eq!(arrays.len(), 1);
        assert_eq!(arrays[0].to_str(), Some(&nginx.url("crop.zarr/labels/s0")[..]), "{fixture}");
        assert_eq!(root.tree(10).unwrap().root.children[0].children.len(), 1, "{fixture}");
        let array = root.open_array("labels/s0", &OpenOptions::default()).unwrap();
        assert!(nginx.requests().is_empty(), "{fixture}");
        assert_same(&array, fixture);
    }
}

#[test]
fn what_is_wrong_with_them_is_told() {
    let Some(nginx) = served("v2_missing.zarr") else { return };
    let file = nginx.root().join("crop.zarr/.zmetadata");
    let fails = |change: &dyn Fn(&mut Value)| {
        let before = fs::read(&file).unwrap();
        edit(&file, change);
        let error = ZarrArray::open_with(nginx.url("crop.zarr/labels/s0"), &quick(0)).unwrap_err();
        fs::write(&file, before).unwrap();
        let ZarrError::MetadataMalformed { file, reason } = error else { panic!("{error}") };
        assert_eq!(file.to_str(), Some(&nginx.url("crop.zarr/.zmetadata")[..]));
        reason
    };
    assert!(fails(&|all| all["metadata"] = Value::Null).contains("metadata must be an object"));
    let broken = fails(&|all| all["metadata"]["labels/s0/.zarray"] = Value::from(3));
    assert!(broken.contains("labels/s0/.zarray must be an object, found 3"), "{broken}");

    let Some(nginx) = served("v3_sharded_missing.zarr") else { return };
    edit(&nginx.root().join("crop.zarr/zarr.json"), |root| {
        root["consolidated_metadata"] = Value::from(1)
    });
    let error = ZarrArray::open_with(nginx.url("crop.zarr/labels/s0"), &quick(0)).unwrap_err();
    assert!(error.to_string().contains("consolidated_metadata must be an object"), "{error}");
}
