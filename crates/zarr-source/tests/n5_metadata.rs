//! Where the voxels of N5 arrays lie, and of arrays with the metadata of Neuroglancer.

#![expect(clippy::unwrap_used, reason = "what a helper of a test cannot do fails the test")]

use std::fs;
use std::path::Path;

use array_core::{Array, ArrayExt};
use serde_json::{Value, json};
use zarr_source::{Convention, ZarrArray, ZarrError};

fn write(file: &Path, value: &Value) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, value.to_string()).unwrap();
}

/// An N5 array of these extents (x first) and attributes.
fn n5_of(dimensions: &[usize], attributes: &Value) -> Result<ZarrArray, ZarrError> {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("attributes.json"), &json!({"n5": "2.5.1"}));
    let mut all = json!({
        "dimensions": dimensions, "blockSize": dimensions, "dataType": "uint64",
        "compression": {"type": "gzip", "level": -1},
    });
    for (key, value) in attributes.as_object().unwrap() {
        all[key] = value.clone();
    }
    let array = folder.path().join("volumes/groundtruth/0003/crop1/labels/all");
    write(&array.join("attributes.json"), &all);
    ZarrArray::open(array)
}

fn n5(attributes: Value) -> Result<ZarrArray, ZarrError> {
    n5_of(&[20, 30, 40], &attributes)
}

/// A Zarr array with these attributes.
fn zarr(shape: &[usize], attrs: &Value) -> Result<ZarrArray, ZarrError> {
    let folder = tempfile::tempdir().unwrap();
    let metadata = json!({
        "zarr_format": 2, "shape": shape, "chunks": shape, "dtype": "|u1", "order": "C",
        "fill_value": 0, "compressor": null, "filters": null,
    });
    write(&folder.path().join("labels/.zarray"), &metadata);
    write(&folder.path().join("labels/.zattrs"), attrs);
    ZarrArray::open(folder.path().join("labels"))
}

#[track_caller]
fn assert_place(array: Result<ZarrArray, ZarrError>, voxel_size: &str, corner: &str) -> ZarrArray {
    let array = array.unwrap();
    let (unit, grid) = (array.info().unit(), array.info().grid());
    let text = |values: Vec<geometry::Decimal>| {
        values.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(text(unit.decimals(grid.voxel_size().as_coordinate())), voxel_size);
    assert_eq!(text(unit.decimals(grid.offset())), corner);
    array
}

#[test]
fn the_ground_truth_of_2021_is_read() {
    let array = n5(json!({"offset": [25864, 900, 2400], "resolution": [2, 4, 8]}));
    let array = assert_place(array, "8 4 2", "2400 900 25864");
    assert_eq!(array.shape(), [40, 30, 20]);
    assert_eq!(array.geometry_report().convention, Convention::Corner);
    assert_eq!(array.axes(), ["z", "y", "x"]);
}

#[test]
fn every_list_of_funlib_counts_x_first() {
    let array = n5_of(
        &[20, 30, 40, 2],
        &json!({
            "voxel_size": [2, 4, 8], "offset": [1, 2, 3], "units": ["nm", "nm", "um"],
            "axis_names": ["x", "y", "z", "channel^"],
            "types": ["space", "space", "space", "channel"],
        }),
    );
    let array = assert_place(array, "8000 4 2", "3000 2 1");
    assert_eq!(array.axes(), ["channel^", "z", "y", "x"]);
    assert_eq!(array.shape(), [2, 40, 30, 20]);
    // Without names nothing tells the order, except where it makes no difference.
    let array = n5(json!({"voxel_size": [2, 4, 8], "offset": [1, 2, 3], "units": "nm"}));
    let array = assert_place(array, "8 4 2", "3 2 1");
    assert!(array.warnings().iter().any(|told| told.contains("voxel_size counts x first")));
    let array = n5(json!({"voxel_size": [4, 4, 4], "axes": "xyz", "units": "nm"}));
    assert_eq!(array.unwrap().warnings(), [""; 0]);
    let array = n5(json!({"scale": [2, 4, 8], "axes": "xyz"}));
    assert_eq!(assert_place(array, "8 4 2", "0 0 0").axes(), ["z", "y", "x"]);
    // xarray names the dimensions of the array.
    let array = n5(json!({"resolution": [2, 4, 8], "_ARRAY_DIMENSIONS": ["z", "y", "x"]}));
    assert_eq!(array.unwrap().axes(), ["z", "y", "x"]);
}

#[test]
fn lists_of_funlib_with_names_in_array_order_are_not_reversed() {
    let lists = json!({
        "voxel_size": [8, 4, 2], "offset": [80, 40, 20], "units": ["um", "nm", "nm"],
        "axis_names": ["c^", "z", "y", "x"], "types": ["channel", "space", "space", "space"],
    });
    let array = assert_place(n5_of(&[20, 30, 40, 2], &lists), "8000 4 2", "80000 40 20");
    assert_eq!(array.axes(), ["c^", "z", "y", "x"]);
    assert_eq!(array.warnings(), [""; 0]);
}

#[test]
fn axes_that_seem_to_be_in_array_order_are_told() {
    let array = n5(json!({"resolution": [2, 4, 8], "axes": ["z", "y", "x"], "units": "nm"}));
    let array = assert_place(array, "8 4 2", "0 0 0");
    assert_eq!(array.axes(), ["x", "y", "z"]);
    assert_eq!(array.warnings().len(), 1);
    assert!(array.warnings()[0].contains("the axes of the array are x, y, z"));
    let array = n5(json!({"resolution": [2, 4, 8], "axes": ["x", "y", "z"], "units": "nm"}));
    assert_eq!(array.unwrap().warnings(), [""; 0]);
}

#[test]
fn a_cosem_transform_is_in_array_order_unless_it_says_f() {
    let transform = json!({"axes": ["z", "y", "x"], "units": ["nm", "nm", "nm"],
        "scale": [5.24, 4, 2], "translate": [2.62, 402, 1]});
    let array = assert_place(n5(json!({"transform": transform})), "5.24 4 2", "0 400 0");
    assert_eq!(array.axes(), ["z", "y", "x"]);
    let transform = json!({"order": "F", "axes": ["x", "y", "z"], "units": ["nm", "nm", "nm"],
        "scale": [2, 4, 5.24], "translate": [1, 402, 2.62]});
    let array = assert_place(n5(json!({"transform": transform})), "5.24 4 2", "0 400 0");
    assert_eq!(array.axes(), ["z", "y", "x"]);

    let negative = n5(json!({"transform": {"scale": [5.24, -4, 4], "translate": [0, 6400, 0]}}));
    let error = negative.unwrap_err();
    assert!(error.to_string().contains("transform.scale [5.24, -4, 4]"), "{error}");
}

#[test]
fn both_orders_side_by_side_agree() {
    let array = n5(json!({
        "resolution": [2, 4, 8], "offset": [20, 40, 80], "units": "nm",
        "pixelResolution": {"unit": "nm", "dimensions": [2, 4, 8]},
        "transform": {"axes": ["z", "y", "x"], "scale": [8, 4, 2], "translate": [84, 42, 21],
            "units": ["nm", "nm", "nm"]},
    }));
    let array = assert_place(array, "8 4 2", "80 40 20");
    assert_eq!(array.geometry_report().disagreements, [""; 0]);
    let array = n5(json!({
        "resolution": [2, 4, 8], "transform": {"scale": [2, 4, 8], "translate": [1, 2, 4]},
    }));
    let array = array.unwrap();
    let told = &array.geometry_report().disagreements[0];
    assert!(told.contains("own transform gives the voxel size [2, 4, 8]"), "{told}");
}

#[test]
fn an_empty_transform_says_nothing() {
    let draft = json!({
        "transform": {}, "encoding": {"0": "unknown", "1": "absent", "2": "present"},
        "census": {"0": 10, "1": 20, "2": 5}, "voxel_size": [8, 4, 2],
    });
    let array = assert_place(zarr(&[4, 4, 4], &draft), "8 4 2", "0 0 0");
    assert_eq!(array.geometry_report().disagreements, [""; 0]);
    assert_eq!(array.attrs()["encoding"]["2"], "present");
    let error = zarr(&[4, 4, 4], &json!({"transform": {}})).unwrap_err();
    assert!(matches!(error, ZarrError::NoGeometry { .. }), "{error}");
}

#[test]
fn pixel_resolution_may_be_a_list_or_that_of_another_level() {
    let array = assert_place(n5(json!({"pixelResolution": [4, 4, 5.24]})), "5.24 4 4", "0 0 0");
    assert_eq!(array.geometry_report().voxel_size_source.to_string(), "own pixelResolution");
    // Whatever the format, x is first.
    assert_place(zarr(&[4, 4, 4], &json!({"pixelResolution": [4, 4, 5]})), "5 4 4", "0 0 0");
    let level = json!({
        "pixelResolution": {"unit": "um", "dimensions": [0.004, 0.004, 0.005]},
        "downsamplingFactors": [2, 2, 1],
    });
    assert_place(n5(level), "0.005 0.008 0.008", "0 0 0");
    for (value, part) in [
        (json!([4, 4, 0]), "pixelResolution [0, 4, 4] is not greater than zero"),
        (json!([4, "x", 4]), "pixelResolution must be a list of numbers"),
        (json!(4), "pixelResolution must be a list, or an object"),
        (json!({"unit": "nm"}), "pixelResolution must be a list, or an object"),
        (json!({"dimensions": [4, 4]}), "pixelResolution.dimensions [4, 4] has 2 entries"),
    ] {
        let error = n5(json!({"pixelResolution": value, "axes": "xyz"})).unwrap_err();
        assert!(matches!(error, ZarrError::MetadataMalformed { .. }), "{error}");
        assert!(error.to_string().contains(part), "{part:?} in {error}");
    }
    let level = json!({"pixelResolution": [4, 4, 5], "downsamplingFactors": [2, 2]});
    let error = n5(level).unwrap_err();
    assert!(error.to_string().contains("differ in length"), "{error}");
}

#[test]
fn dimension_units_are_the_last_resort_and_for_all_axes() {
    let units = json!({"dimension_units": ["30 nm", "4nm", "0.005 um"]});
    let array = assert_place(zarr(&[4, 4, 4], &units), "30 4 5", "0 0 0");
    assert_eq!(array.geometry_report().voxel_size_source.to_string(), "own dimension_units");
    let units = json!({"dimension_units": [null, "30 nm", "4 nm", "nm"]});
    let array = assert_place(zarr(&[2, 4, 4, 4], &units), "30 4 1", "0 0 0");
    assert_eq!(array.axes(), ["c", "z", "y", "x"]);
    let both = json!({"dimension_units": ["30 nm", "4 nm", "4 nm"], "pixelResolution": [2, 2, 2]});
    let array = assert_place(zarr(&[4, 4, 4], &both), "2 2 2", "0 0 0");
    assert_eq!(array.geometry_report().disagreements.len(), 1);
    for (value, part) in [
        (json!("4 nm"), "dimension_units must be a list of lengths"),
        (json!([]), "dimension_units must be a list of lengths"),
        (json!([4, 4, 4]), "dimension_units must be a list of lengths"),
        (json!(["four nm", "", ""]), "dimension_units must be a list of lengths"),
        (json!(["4 nm", "0 nm", "4 nm"]), "dimension_units: \"0 nm\" is not greater than zero"),
        (json!(["4 nm", "4 nm"]), "dimension_units"),
    ] {
        let attrs = json!({"dimension_units": value, "axes": ["z", "y", "x"]});
        let error = zarr(&[4, 4, 4], &attrs).unwrap_err();
        assert!(matches!(error, ZarrError::MetadataMalformed { .. }), "{error}");
        assert!(error.to_string().contains(part), "{part:?} in {error}");
    }
}
