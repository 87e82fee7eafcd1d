//! Where the voxels lie, for every form of metadata.

#![expect(clippy::unwrap_used, reason = "what a helper of a test cannot do fails the test")]

use std::fs;
#[cfg(unix)]
use std::os::unix::fs::symlink;
use std::path::Path;

use array_core::{Array, ArrayExt};
use geometry::LengthUnit;
use serde_json::{Value, json};
use tempfile::TempDir;
use zarr_source::{Convention, OpenOptions, Remark, ZarrArray, ZarrError};

/// A container with one array, none of whose chunks is stored.
struct Container {
    folder: TempDir,
    dataset: String,
}

impl Container {
    fn new(dataset: &str, shape: &[usize]) -> Self {
        let container = Self { folder: tempfile::tempdir().unwrap(), dataset: dataset.to_owned() };
        container.group("", json!({}));
        container.write(
            &format!("{dataset}/.zarray"),
            &json!({
                "zarr_format": 2, "shape": shape, "chunks": shape, "dtype": "|u1", "order": "C",
                "fill_value": 0, "compressor": null, "filters": null,
            }),
        );
        container
    }

    fn group(&self, path: &str, attrs: Value) -> &Self {
        self.write(&format!("{path}/.zgroup"), &json!({"zarr_format": 2}));
        self.write(&format!("{path}/.zattrs"), &attrs);
        self
    }

    fn attrs(&self, attrs: &Value) -> &Self {
        self.write(&format!("{}/.zattrs", self.dataset), attrs);
        self
    }

    fn edit(&self, key: &str, value: Value) -> &Self {
        let file = self.folder.path().join(&self.dataset).join(".zarray");
        let mut metadata: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        metadata[key] = value;
        fs::write(file, metadata.to_string()).unwrap();
        self
    }

    fn write(&self, path: &str, value: &Value) {
        let file = self.folder.path().join(path.trim_start_matches('/'));
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, value.to_string()).unwrap();
    }

    fn open_with(&self, options: &OpenOptions) -> Result<ZarrArray, ZarrError> {
        ZarrArray::open_with(self.folder.path().join(&self.dataset), options)
    }

    fn open(&self) -> Result<ZarrArray, ZarrError> {
        self.open_with(&OpenOptions::default())
    }
}

/// An array of three axes with these attributes.
/// Remarks as one text.
fn sentences(remarks: &[Remark]) -> String {
    remarks.iter().map(|remark| remark.text.as_str()).collect::<Vec<_>>().join("; ")
}

fn own(attrs: Value) -> Result<ZarrArray, ZarrError> {
    Container::new("labels", &[16, 16, 16]).attrs(&attrs).open()
}

/// An array `a/s0` in a group `a` with these attributes.
fn in_group(attrs: Value) -> Result<ZarrArray, ZarrError> {
    Container::new("a/s0", &[16, 16, 16]).group("a", attrs).open()
}

/// Voxel size and corner in the declared unit.
fn place(array: &ZarrArray) -> (String, String) {
    let (unit, grid) = (array.info().unit(), array.info().grid());
    let text = |values: Vec<geometry::Decimal>| {
        values.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    (text(unit.decimals(grid.voxel_size().as_coordinate())), text(unit.decimals(grid.offset())))
}

#[track_caller]
fn assert_place(array: Result<ZarrArray, ZarrError>, voxel_size: &str, corner: &str) -> ZarrArray {
    let array = array.unwrap();
    assert_eq!(place(&array), (voxel_size.to_owned(), corner.to_owned()));
    array
}

#[track_caller]
fn assert_malformed(array: Result<ZarrArray, ZarrError>, parts: &[&str]) {
    let error = array.unwrap_err();
    assert!(matches!(error, ZarrError::MetadataMalformed { .. }), "{error}");
    for part in parts {
        assert!(error.to_string().contains(part), "{part:?} in {error}");
    }
}

fn ome(transformations: Value) -> Value {
    let axis = |name: &str| json!({"name": name, "type": "space", "unit": "nanometer"});
    json!({"multiscales": [{
        "version": "0.4",
        "axes": [axis("z"), axis("y"), axis("x")],
        "datasets": [{"path": "s0", "coordinateTransformations": transformations}],
    }]})
}

fn scale(values: Value) -> Value {
    json!({"type": "scale", "scale": values})
}

fn translation(values: Value) -> Value {
    json!({"type": "translation", "translation": values})
}

#[test]
fn the_keys_of_the_array_give_its_corner() {
    for key in ["voxel_size", "resolution", "scale"] {
        let array = own(json!({key: [8, 4, 2], "offset": [80, 40, 20]}));
        let array = assert_place(array, "8 4 2", "80 40 20");
        let report = array.geometry_report();
        assert_eq!(report.voxel_size_source.to_string(), format!("own {key}"));
        assert_eq!(report.offset_source.to_string(), "own offset");
        assert_eq!(report.convention, Convention::Corner);
    }
    assert_place(own(json!({"resolution": [8, 4, 2]})), "8 4 2", "0 0 0");
    let null = json!({"voxel_size": null, "resolution": [8, 4, 2], "offset": null});
    assert_place(own(null), "8 4 2", "0 0 0");
}

#[test]
fn voxel_size_wins_over_resolution_and_the_difference_is_told() {
    let same = own(json!({"voxel_size": [8, 4, 2], "resolution": [8.0, "4", 2]})).unwrap();
    assert_eq!(same.geometry_report().disagreements, [""; 0]);
    let array =
        own(json!({"voxel_size": [1, 2, 3], "resolution": [8, 4, 2], "offset": [48, 48, 48]}));
    let array = assert_place(array, "1 2 3", "48 48 48");
    let told = &array.geometry_report().disagreements;
    assert_eq!(told.len(), 1);
    assert!(told[0].contains("[8, 4, 2]") && told[0].contains("[1, 2, 3]"), "{told:?}");
}

#[test]
fn numbers_are_exact() {
    let attrs = json!({"voxel_size": [2.62, 2, 2], "offset": [13282.289999999999, -40.7, 0], "units": ["nm", "nm", "nm"]});
    let array = assert_place(own(attrs), "2.62 2 2", "13282.29 -40.7 0");
    assert_eq!(array.info().unit().to_string(), "0.01 nm");
    assert_eq!(array.voxel_size().as_slice(), [262, 200, 200]);

    let big = 9_007_199_254_740_993_i64;
    let array = own(json!({"voxel_size": [1, 1, 1], "offset": [big, 0, "-3"]}));
    assert_place(array, "1 1 1", "9007199254740993 0 -3");
    let array = own(json!({"voxel_size": ["5.24", " 4 ", "4e0"]}));
    assert_place(array, "5.24 4 4", "0 0 0");
}

#[test]
fn bad_lists_are_refused_by_name() {
    for (value, part) in [
        (json!([0, 4, 4]), "[0, 4, 4] is not greater than zero at entry 0"),
        (json!([4, -4, 4]), "not greater than zero at entry 1"),
        (json!([4, 4]), "has 2 entries"),
        (json!([1, 8, 4, 2]), "has 4 entries"),
        (json!([]), "has 0 entries"),
        (json!([[8], [4], [2]]), "must be a list of numbers"),
        (json!("842"), "must be a list of numbers"),
        (json!(8), "must be a list of numbers"),
        (json!([8, null, 2]), "must be a list of numbers"),
        (json!([8, true, 2]), "must be a list of numbers"),
        (json!([1.0 / 3.0, 1, 1]), "0.3333333333333333 is not a decimal that can be kept exactly"),
    ] {
        let attrs = json!({"voxel_size": value, "axes": "zyx"});
        assert_malformed(own(attrs), &["labels/.zattrs", "voxel_size", part]);
    }
    let many = own(json!({"voxel_size": vec![1; 100_000]}));
    let error = many.unwrap_err().to_string();
    assert!(error.contains("has 100000 entries") && error.len() < 500, "{} bytes", error.len());
    for value in [json!([]), json!({}), json!(0), json!([null, 0, 0]), json!([1, 2])] {
        assert_malformed(own(json!({"voxel_size": [4, 4, 4], "offset": value})), &["offset"]);
    }
    assert_malformed(own(json!({"voxel_size": [4, 4, 4], "units": []})), &["units"]);
    assert_malformed(
        own(json!({"voxel_size": [4, 4, 4], "axes": ["z", "y", "x", "w"]})),
        &["axes"],
    );
    assert_malformed(own(json!({"voxel_size": [4, 4, 4], "axes": ["y", "x"]})), &["voxel_size"]);
    assert_malformed(
        own(json!({"voxel_size": [4, 4, 4], "axis_names": [{"name": "z"}]})),
        &["axis_names"],
    );
}

#[test]
fn an_empty_list_is_refused_by_name() {
    for key in ["voxel_size", "resolution", "scale"] {
        assert_malformed(own(json!({key: []})), &[key, "0 entries"]);
    }
}

#[test]
fn types_alone_tell_channels_from_space() {
    let attrs = json!({
        "voxel_size": [2, 2, 1], "offset": [-8, 80, 0], "types": ["channel", "space", "space"],
    });
    let array = assert_place(own(attrs), "2 1", "80 0");
    assert_eq!(array.axes(), ["c", "y", "x"]);
    let behind = own(json!({"voxel_size": [2, 2], "types": ["space", "channel", "space"]}));
    assert!(matches!(behind.unwrap_err(), ZarrError::Unsupported { .. }));
    let nothing = own(json!({"voxel_size": [2], "types": ["channel", "channel", "channel"]}));
    assert!(matches!(nothing.unwrap_err(), ZarrError::Unsupported { .. }));
    for types in [json!("space"), json!(["space", "channel"])] {
        assert_malformed(own(json!({"voxel_size": [2, 2, 2], "types": types})), &["types"]);
    }
}

#[test]
fn a_transform_gives_the_centre_of_voxel_0() {
    let transform = json!({"scale": [5.24, 4, 4], "translate": [1310.7, 402.0, 398.0], "units": ["nm", "nm", "nm"],
        "axes": ["z", "y", "x"]});
    let array = own(json!({"transform": transform}));
    let array = assert_place(array, "5.24 4 4", "1308.08 400 396");
    assert_eq!(array.geometry_report().convention, Convention::Centre);
    assert_eq!(array.geometry_report().voxel_size_source.to_string(), "own transform");
    assert_eq!(array.info().unit().unit(), LengthUnit::Nanometer);

    for key in ["order", "ordering"] {
        let transform = json!({key: "F", "scale": [2, 4, 8], "translate": [21, 42, 84], "units": ["nm", "nm", "nm"],
            "axes": ["x", "y", "z"]});
        let array = assert_place(own(json!({"transform": transform})), "8 4 2", "80 40 20");
        assert_eq!(array.axes(), ["z", "y", "x"]);
    }
    let array = own(json!({"transform": {"scale": [8, 4, 2]}}));
    assert_place(array, "8 4 2", "-4 -2 -1");
    assert_malformed(
        own(json!({"transform": {"scale": [8, -4, 2]}})),
        &["transform.scale", "entry 1"],
    );
    assert_malformed(own(json!({"transform": [8, 4, 2]})), &["transform must be an object"]);
    let order = json!({"transform": {"scale": [8, 4, 2], "order": "A"}});
    assert_malformed(own(order), &["transform.order"]);
}

#[test]
fn the_offset_of_the_array_outranks_that_of_its_transform() {
    let array = own(
        json!({"offset": [8, 8, 8], "transform": {"scale": [8, 4, 2], "translate": [80, 40, 20]}}),
    );
    let array = assert_place(array, "8 4 2", "8 8 8");
    let report = array.geometry_report();
    assert_eq!(report.offset_source.to_string(), "own offset");
    assert_eq!(report.convention, Convention::Corner);
    assert!(report.disagreements[0].contains("[76, 38, 19]"), "{report:?}");
}

#[test]
fn an_ome_translation_is_a_centre() {
    let array =
        in_group(ome(json!([scale(json!([2.62, 2, 2])), translation(json!([1310.7, 402, 398]))])));
    let array = assert_place(array, "2.62 2 2", "1309.39 401 397");
    assert_eq!(
        array.geometry_report().voxel_size_source.to_string(),
        "ome 0.4 multiscales of group a"
    );
    assert_eq!(array.axes(), ["z", "y", "x"]);
    assert_eq!(array.info().unit().to_string(), "0.01 nm");
    // Without a translation, the centre of voxel 0 is the origin.
    assert_place(in_group(ome(json!([scale(json!([8, 4, 2]))]))), "8 4 2", "-4 -2 -1");
}

#[test]
fn ome_transformations_of_dataset_and_group_are_composed() {
    let mut attrs = ome(json!([scale(json!([2, 2, 2])), translation(json!([10, 20, 30]))]));
    attrs["multiscales"][0]["coordinateTransformations"] =
        json!([scale(json!([4, 2.5, 0.5])), translation(json!([1, 2, 3])), {"type": "identity"}]);
    assert_place(in_group(attrs), "8 5 1", "37 49.5 17.5");

    for kind in ["affine", "rotation"] {
        let error = in_group(ome(json!([scale(json!([2, 2, 2])), {"type": kind}]))).unwrap_err();
        assert!(matches!(error, ZarrError::Unsupported { .. }), "{error}");
        assert!(error.to_string().contains(kind), "{error}");
    }
    assert_malformed(in_group(ome(json!([scale(json!([2, 0, 2]))]))), &["a/.zattrs", "entry 1"]);
    assert_malformed(in_group(ome(json!([{"type": "scale"}]))), &["no scale list"]);
    let lengths = json!([scale(json!([2, 2, 2])), scale(json!([2, 2]))]);
    assert_malformed(in_group(ome(lengths)), &["lists of 3 and of 2"]);
}

#[test]
fn the_ome_entry_is_found_from_every_enclosing_group() {
    let mut attrs = ome(json!([scale(json!([8, 4, 2]))]));
    attrs["multiscales"][0]["datasets"][0]["path"] = json!("/a/s0/");
    let container = Container::new("a/s0", &[16, 16, 16]);
    container.group("", attrs);
    let array = assert_place(container.open(), "8 4 2", "-4 -2 -1");
    let source = array.geometry_report().voxel_size_source.to_string();
    assert_eq!(source, "ome 0.4 multiscales of the container");

    let mut attrs = ome(json!([scale(json!([8, 4, 2]))]));
    attrs["multiscales"][0]["datasets"][0]["path"] = json!("s1");
    let error = in_group(attrs).unwrap_err();
    assert!(matches!(error, ZarrError::NoGeometry { .. }), "{error}");
}

#[test]
fn ome_0_5_lies_in_zarr_json() {
    let container = Container::new("a/s0", &[16, 16, 16]);
    let mut attrs = ome(json!([scale(json!([8, 4, 2])), translation(json!([4, 2, 1]))]));
    attrs["multiscales"][0].as_object_mut().unwrap().remove("version");
    attrs["version"] = json!("0.5");
    let group = json!({"zarr_format": 3, "node_type": "group", "attributes": {"ome": attrs}});
    container.write("a/zarr.json", &group);
    let array = assert_place(container.open(), "8 4 2", "0 0 0");
    let source = array.geometry_report().voxel_size_source.to_string();
    assert_eq!(source, "ome 0.5 multiscales of group a");
}

#[test]
fn cosem_multiscales_are_read_in_both_forms() {
    let transform = json!({"axes": ["z", "y", "x"], "units": ["nm", "nm", "nm"], "translate": [4, 2, 1], "scale": [8, 4, 2]});
    let array =
        in_group(json!({"multiscales": [{"datasets": [{"path": "s0", "transform": transform}]}]}));
    let array = assert_place(array, "8 4 2", "0 0 0");
    assert_eq!(
        array.geometry_report().voxel_size_source.to_string(),
        "cosem multiscales of group a"
    );

    // The second form only lists names; the arrays say the rest.
    let container = Container::new("a/s0", &[16, 16, 16]);
    container.group("a", json!({"multiscales": [{"datasets": ["s0", "s1"]}]}));
    container.attrs(&json!({"transform": transform}));
    assert_place(container.open(), "8 4 2", "0 0 0");
}

#[test]
fn pixel_resolution_is_x_y_z() {
    let array =
        own(json!({"pixelResolution": {"unit": "um", "dimensions": [0.004, 0.004, 0.00524]}}));
    let array = assert_place(array, "0.00524 0.004 0.004", "0 0 0");
    assert_eq!(array.info().unit().unit(), LengthUnit::Micrometer);
    assert_eq!(array.geometry_report().voxel_size_source.to_string(), "own pixelResolution");
    assert_malformed(own(json!({"pixelResolution": {"unit": "nm"}})), &["pixelResolution"]);
}

#[test]
fn the_group_that_holds_the_array_may_speak_for_it() {
    let attrs = json!({"resolution": [8, 4, 2], "offset": [80, 40, 20]});
    let array = assert_place(in_group(attrs.clone()), "8 4 2", "80 40 20");
    let report = array.geometry_report();
    assert_eq!(
        report.voxel_size_source.to_string(),
        "resolution of the group that holds the array"
    );
    // But not one further up.
    let container = Container::new("a/s0", &[16, 16, 16]);
    container.group("a", json!({})).group("", attrs);
    assert!(matches!(container.open().unwrap_err(), ZarrError::NoGeometry { .. }));
}

#[test]
fn places_that_disagree_are_told() {
    let container = Container::new("a/s0", &[16, 16, 16]);
    container.group("a", ome(json!([scale(json!([8, 4, 2])), translation(json!([80, 40, 20]))])));
    container.attrs(&json!({"voxel_size": [0.008, 0.004, 0.002], "offset": [0.076, 0.038, 0.019], "units": ["um", "um", "um"]}));
    let array = container.open().unwrap();
    assert_eq!(array.geometry_report().disagreements, [""; 0], "the same in other units");

    container.attrs(
        &json!({"voxel_size": [8, 4, 2], "offset": [80, 40, 20], "units": ["nm", "nm", "nm"]}),
    );
    let array = assert_place(container.open(), "8 4 2", "80 40 20");
    let told = &array.geometry_report().disagreements;
    assert_eq!(told.len(), 1);
    assert!(told[0].starts_with("ome 0.4 multiscales of group a places the corner"), "{told:?}");
    assert!(told[0].contains("[76, 38, 19]"), "{told:?}");

    // What cannot be read, but is not needed, is told as well.
    container.attrs(&json!({"voxel_size": [8, 4, 2], "transform": 3}));
    let told = container.open().unwrap().geometry_report().disagreements.clone();
    assert!(told.iter().any(|told| told.starts_with("own transform cannot be used")), "{told:?}");
}

#[test]
fn the_memory_order_reverses_nothing() {
    let container = Container::new("labels", &[16, 16, 16]);
    container
        .edit("order", json!("F"))
        .attrs(&json!({"voxel_size": [8, 4, 2], "offset": [80, 40, 20]}));
    let array = assert_place(container.open(), "8 4 2", "80 40 20");
    assert!(array.geometry_report().disagreements[0].contains("memory order"));
    let array = own(json!({"voxel_size": [8, 4, 2], "order": "F"}));
    let array = assert_place(array, "8 4 2", "0 0 0");
    assert!(array.geometry_report().disagreements[0].contains("attribute order"));
    let array = own(json!({"voxel_size": [4, 4, 4], "order": "F"})).unwrap();
    assert_eq!(array.geometry_report().disagreements, [""; 0], "it makes no difference");
}

#[test]
fn channel_axes_come_first_and_have_no_place() {
    let open = |shape: &[usize], attrs: Value| Container::new("labels", shape).attrs(&attrs).open();
    for attrs in [
        json!({"voxel_size": [8, 4, 2], "offset": [80, 40, 20]}),
        json!({"voxel_size": [8, 4, 2], "offset": [80, 40, 20], "axes": ["c", "z", "y", "x"]}),
        json!({"voxel_size": [1, 8, 4, 2], "offset": [0, 80, 40, 20], "axes": "czyx"}),
        json!({"voxel_size": [1, 8, 4, 2], "offset": [80, 40, 20]}),
        json!({"voxel_size": [8, 4, 2], "offset": [80, 40, 20], "axes": ["z", "y", "x"]}),
        json!({"voxel_size": [8, 4, 2], "offset": [80, 40, 20], "axis_names": ["c^", "z", "y", "x"],
            "axes": ["c", "z", "y", "x"]}),
    ] {
        let array = assert_place(open(&[2, 16, 12, 8], attrs), "8 4 2", "80 40 20");
        assert_eq!(array.axes(), ["c", "z", "y", "x"]);
        assert_eq!(array.num_channels(), Some(2));
    }
    let attrs = json!({"voxel_size": [1, 2, 3], "axis_names": ["sample^", "channel^", "t", "y", "x"],
        "units": ["nm", "nm", "nm"], "types": ["sample", "channel", "time", "space", "space"]});
    let array = open(&[1, 2, 8, 8, 8], attrs).unwrap();
    assert_eq!((array.info().channel_dims(), array.dims()), (2, 3));
    let attrs = json!({"voxel_size": [1, 2], "axis_names": ["kind", "y", "x"], "types": ["channel", "space", "space"]});
    assert_eq!(open(&[5, 8, 8], attrs).unwrap().info().channel_dims(), 1);
    let array = open(&[1, 2, 8, 8, 8], json!({"voxel_size": [2, 2, 2]})).unwrap();
    assert_eq!(array.axes(), ["c0^", "c1^", "z", "y", "x"]);
    let array = open(&[16, 12], json!({"voxel_size": [2], "offset": [8]})).unwrap();
    assert_eq!(array.axes(), ["c", "x"]);

    let error = open(&[8, 8, 2], json!({"voxel_size": [2, 2], "axes": "yxc"})).unwrap_err();
    assert!(matches!(error, ZarrError::Unsupported { .. }), "{error}");
    assert!(error.to_string().contains("channel axis \"c\""), "{error}");
}

#[test]
fn an_ome_axis_of_type_channel_is_one() {
    let axes = json!([
        {"name": "k", "type": "channel"},
        {"name": "z", "type": "space", "unit": "nm"},
        {"name": "y", "type": "space", "unit": "nm"},
        {"name": "x", "type": "space", "unit": "nm"},
    ]);
    let transformations = json!([scale(json!([1, 8, 4, 2])), translation(json!([0, 80, 40, 20]))]);
    let mut attrs = ome(transformations);
    attrs["multiscales"][0]["axes"] = axes;
    let container = Container::new("a/s0", &[2, 8, 8, 8]);
    container.group("a", attrs);
    let array = assert_place(container.open(), "8 4 2", "76 38 19");
    assert_eq!(array.axes(), ["k", "z", "y", "x"]);
    assert_eq!(array.info().channel_dims(), 1);
    assert_eq!(array.info().unit().unit(), LengthUnit::Nanometer);
}

#[test]
fn axes_without_names_get_the_usual_ones() {
    for (shape, size, names) in [
        (&[16][..], json!([2]), "x"),
        (&[16, 12], json!([2, 2]), "y x"),
        (&[16, 12, 8], json!([2, 2, 2]), "z y x"),
        (&[2, 16, 12, 8], json!([2, 2, 2, 2]), "c z y x"),
    ] {
        let array =
            Container::new("labels", shape).attrs(&json!({"voxel_size": size})).open().unwrap();
        assert_eq!(array.axes().join(" "), names);
        assert!(array.warnings().iter().any(|warning| warning.contains("no names")));
    }
    let array =
        own(json!({"voxel_size": [2, 2, 2], "_ARRAY_DIMENSIONS": ["depth", "row", "column"]}));
    assert_eq!(array.unwrap().axes(), ["depth", "row", "column"]);
}

#[test]
fn units_are_read_from_the_place_of_the_voxel_size() {
    let unit = |attrs: Value| own(attrs).unwrap().info().unit().unit();
    for (name, expected) in [
        ("nm", LengthUnit::Nanometer),
        ("nanometer", LengthUnit::Nanometer),
        ("µm", LengthUnit::Micrometer),
        ("millimeter", LengthUnit::Millimeter),
    ] {
        assert_eq!(unit(json!({"voxel_size": [8, 4, 2], "units": [name, name, name]})), expected);
        assert_eq!(unit(json!({"voxel_size": [8, 4, 2], "units": name})), expected);
    }
    let array = own(json!({"voxel_size": [8, 4, 2]})).unwrap();
    assert_eq!(array.info().unit().unit(), LengthUnit::Unknown);
    assert!(array.warnings().iter().any(|warning| warning.contains("world unit unknown")));
    let array =
        own(json!({"voxel_size": [8, 4, 2], "units": ["pixel", "pixel", "pixel"]})).unwrap();
    assert_eq!(array.info().unit().unit(), LengthUnit::Unknown);
    assert!(array.warnings().iter().any(|warning| warning.contains("\"pixel\"")));
}

#[test]
fn units_that_differ_are_converted_to_the_finest() {
    let attrs =
        json!({"voxel_size": [0.05, 4.6, 4.6], "offset": [1, 0, 0], "units": ["um", "nm", "nm"]});
    let array = assert_place(own(attrs), "50 4.6 4.6", "1000 0 0");
    assert_eq!(array.info().unit().to_string(), "0.1 nm");
}

#[test]
fn a_place_with_the_same_numbers_lends_its_unit() {
    let container = Container::new("a/s0", &[16, 16, 16]);
    container.group("a", ome(json!([scale(json!([8, 4, 2]))])));
    container.attrs(&json!({"voxel_size": [8, 4, 2]}));
    let array = container.open().unwrap();
    assert_eq!(array.info().unit().unit(), LengthUnit::Nanometer);
    let source = array.geometry_report().unit_source.to_string();
    assert_eq!(source, "ome 0.4 multiscales of group a");
    container.attrs(&json!({"voxel_size": [8, 8, 8]}));
    assert_eq!(container.open().unwrap().info().unit().unit(), LengthUnit::Unknown);
}

#[test]
fn what_the_caller_says_wins() {
    let decimals = |texts: [&str; 3]| Some(texts.map(|text| text.parse().unwrap()).to_vec());
    let container = Container::new("labels", &[16, 16, 16]);
    container.attrs(&json!({"voxel_size": [8, 4, 2], "offset": [80, 40, 20]}));
    let open = |options: OpenOptions| container.open_with(&options);
    let none = OpenOptions::default;
    let options = OpenOptions { voxel_size: decimals(["2.62", "2", "2"]), ..none() };
    let array = assert_place(open(options), "2.62 2 2", "80 40 20");
    assert_eq!(array.geometry_report().voxel_size_source.to_string(), "the caller");
    assert_eq!(array.geometry_report().disagreements.len(), 1);
    let options = OpenOptions { offset: decimals(["1", "-2", "0.5"]), ..none() };
    assert_place(open(options), "8 4 2", "1 -2 0.5");
    let options = OpenOptions { unit: Some(LengthUnit::Micrometer), ..none() };
    let array = open(options).unwrap();
    assert_eq!(array.info().unit().unit(), LengthUnit::Micrometer);
    let axes = Some(["w", "v", "u"].map(String::from).to_vec());
    assert_eq!(open(OpenOptions { axes, ..none() }).unwrap().axes(), ["w", "v", "u"]);
    let options = OpenOptions { translation: Some(Convention::Centre), ..none() };
    assert_place(open(options), "8 4 2", "76 38 19");
    let zero = OpenOptions { voxel_size: decimals(["0", "1", "1"]), ..none() };
    assert_malformed(open(zero), &["not greater than zero"]);

    container.attrs(&json!({"transform": {"scale": [8, 4, 2], "translate": [80, 40, 20]}}));
    let options = OpenOptions { translation: Some(Convention::Corner), ..none() };
    assert_place(open(options), "8 4 2", "80 40 20");
}

#[test]
fn unit_voxels_are_taken_only_on_demand() {
    let unit_voxels = OpenOptions { unit_voxels: true, ..OpenOptions::default() };
    for (shape, axes) in
        [(&[16][..], "x"), (&[4, 5, 6], "z y x"), (&[1, 2, 8, 8, 8], "c0^ c1^ z y x")]
    {
        let container = Container::new("labels", shape);
        assert!(matches!(container.open().unwrap_err(), ZarrError::NoGeometry { .. }));
        let array = container.open_with(&unit_voxels).unwrap();
        assert!(array.voxel_size().iter().all(|&size| size == 1));
        assert_eq!(array.axes().join(" "), axes);
        assert_eq!(array.geometry_report().voxel_size_source.to_string(), "default");
    }
    let container = Container::new("labels", &[4, 5, 6]);
    container.attrs(&json!({"voxel_size": [8, 4, 2]}));
    assert_place(container.open_with(&unit_voxels), "8 4 2", "0 0 0");
}

#[test]
fn labels_of_the_group_are_taken_if_the_array_has_none() {
    let container = Container::new("a/s0", &[16, 16, 16]);
    container.group("a", json!({"labels": [{"value": 1}]}));
    container.attrs(&json!({"voxel_size": [8, 4, 2]}));
    let array = container.open().unwrap();
    assert_eq!(array.attrs()["labels"], json!([{"value": 1}]));
    assert!(array.geometry_report().disagreements.iter().any(|told| told.contains("labels")));
    container.attrs(&json!({"voxel_size": [8, 4, 2], "labels": []}));
    let array = container.open().unwrap();
    assert_eq!(array.attrs()["labels"], json!([]));
    assert_eq!(array.geometry_report().disagreements, [""; 0]);
}

#[test]
fn groups_are_found_through_folders_without_metadata() {
    let container = Container::new("volumes/labels/all", &[4, 4, 4]);
    container.attrs(&json!({"voxel_size": [8, 4, 2]}));
    let array = container.open().unwrap();
    assert_eq!(array.metadata().path_in_container(), "volumes/labels/all");
    assert_eq!(array.metadata().container(), container.folder.path());
    let with_dots = container.folder.path().join("volumes/../volumes/labels/./all/");
    assert_eq!(
        ZarrArray::open(with_dots).unwrap().metadata().path_in_container(),
        "volumes/labels/all"
    );
    assert!(Path::new(array.metadata().path()).is_absolute());
}

#[test]
fn a_place_beyond_64_bits_is_an_error() {
    let error =
        own(json!({"voxel_size": [0.001, 1, 1], "offset": [9_223_372_036_854_775_807_i64, 0, 0]}));
    let error = error.unwrap_err();
    assert!(matches!(error, ZarrError::Geometry { .. }), "{error}");
    let error =
        own(json!({"voxel_size": [1, 1, 1], "offset": [9_223_372_036_854_775_807_i64, 0, 0]}));
    let error = error.unwrap_err();
    assert!(matches!(error, ZarrError::Description { .. }), "{error}");
}

/// A container with an array `labels/all`, whose groups name labels and a voxel size, and a folder.
#[cfg(unix)]
fn annotated() -> (Container, std::path::PathBuf) {
    let container = Container::new("labels/all", &[16, 16, 16]);
    let mut attrs = ome(json!([scale(json!([8, 4, 2]))]));
    attrs["multiscales"][0]["datasets"][0]["path"] = json!("labels/all");
    container.group("", attrs).group("labels", json!({"labels": [{"value": 1}]}));
    let elsewhere = container.folder.path().join("plain/deep");
    fs::create_dir_all(&elsewhere).unwrap();
    (container, elsewhere)
}

#[cfg(unix)]
#[test]
fn a_path_gives_the_same_array_however_it_is_spelled() {
    let (container, elsewhere) = annotated();
    let root = container.folder.path();
    symlink(root.join("labels/all"), elsewhere.join("array")).unwrap();
    symlink(root.join("labels"), elsewhere.join("group")).unwrap();
    symlink(root, elsewhere.join("container")).unwrap();
    for path in [
        "labels/all",
        "labels/../labels/all",
        "labels/all/../all",
        "plain/deep/array",
        "plain/deep/../deep/array",
        "plain/deep/group/all",
        "plain/deep/group/all/../all",
        "plain/deep/group/../labels/all",
        "plain/deep/../deep/group/all",
        "plain/deep/container/labels/all",
        "plain/deep/container/labels/all/..//all/",
    ] {
        let array = assert_place(ZarrArray::open(root.join(path)), "8 4 2", "-4 -2 -1");
        assert_eq!(array.attrs().get("labels"), Some(&json!([{"value": 1}])), "{path}");
        assert_eq!(array.metadata().path_in_container(), "labels/all", "{path}");
    }
}

#[cfg(unix)]
#[test]
fn a_link_in_a_container_belongs_to_the_groups_in_which_it_lies() {
    let (container, _) = annotated();
    let other = Container::new("crop/s0", &[16, 16, 16]);
    other.group("crop", json!({"resolution": [1, 1, 1], "labels": [{"value": 2}]}));
    let labels = container.folder.path().join("labels");
    fs::remove_dir_all(labels.join("all")).unwrap();
    symlink(other.folder.path().join("crop/s0"), labels.join("all")).unwrap();
    for path in ["all", "../labels/all", "all/../../labels/all", "./all/"] {
        let result = ZarrArray::open(labels.join(path));
        // Above the link itself lies the place that it leads to.
        if path.starts_with("all/..") {
            assert!(result.unwrap_err().is_not_found());
            continue;
        }
        let array = assert_place(result, "8 4 2", "-4 -2 -1");
        assert_eq!(array.attrs().get("labels"), Some(&json!([{"value": 1}])), "{path}");
    }
}

#[test]
fn an_axis_without_a_unit_beside_others_is_told() {
    let told = |array: &ZarrArray| sentences(array.warnings());
    let array = own(json!({"voxel_size": [8, 4, 2], "units": [null, "um", "um"]})).unwrap();
    assert!(told(&array).contains("axis z has no unit; taken as micrometer"), "{}", told(&array));
    let array = own(json!({"voxel_size": [8, 4, 2], "units": ["um", "um", "um"]})).unwrap();
    assert_eq!(array.warnings().len(), 1, "{}", told(&array));
}

#[test]
fn an_ome_axis_of_time_is_refused_if_it_has_an_extent() {
    let axes = |kind: &str, unit: Value| {
        let mut attrs = ome(json!([scale(json!([8, 4, 2]))]));
        attrs["multiscales"][0]["axes"][0] = json!({"name": "t", "type": kind, "unit": unit});
        attrs
    };
    for (kind, unit) in [("time", "second"), ("time", ""), ("space", "second")] {
        let attrs = axes(kind, json!(unit));
        let error = in_group(attrs.clone()).unwrap_err();
        assert!(matches!(error, ZarrError::Unsupported { .. }), "{error}");
        assert!(error.to_string().contains("the axis \"t\""), "{error}");
        let single = Container::new("a/s0", &[1, 16, 16]);
        let array = single.group("a", attrs).open().unwrap();
        assert!(array.warnings().iter().any(|told| told.contains("axis t is")), "{unit}");
    }
    let container = Container::new("a/s0", &[16, 16, 16]);
    container.group("a", axes("time", json!("second"))).attrs(&json!({"axes": "tyx"}));
    assert!(matches!(container.open().unwrap_err(), ZarrError::Unsupported { .. }));
    let names = Some(["z", "y", "x"].map(String::from).to_vec());
    let options = OpenOptions { axes: names, ..OpenOptions::default() };
    assert_eq!(container.open_with(&options).unwrap().axes(), ["z", "y", "x"]);
}

#[test]
fn what_the_caller_gives_counts_in_the_one_unit_that_is_shown() {
    let container = Container::new("labels", &[16, 16, 16]);
    container.attrs(&json!({"voxel_size": [0.05, 4.6, 4.6], "offset": [1, 0, 0],
        "units": ["um", "nm", "nm"]}));
    let decimals = |texts: [&str; 3]| Some(texts.map(|text| text.parse().unwrap()).to_vec());
    let voxel_size = decimals(["50", "5", "5"]);
    let options = OpenOptions { voxel_size: voxel_size.clone(), ..OpenOptions::default() };
    let array = assert_place(container.open_with(&options), "50 5 5", "1000 0 0");
    assert_eq!(array.info().unit().unit(), LengthUnit::Nanometer);
    let offset = decimals(["2000", "1", "1"]);
    let options = OpenOptions { offset: offset.clone(), ..OpenOptions::default() };
    assert_place(container.open_with(&options), "50 4.6 4.6", "2000 1 1");
    let options = OpenOptions { voxel_size, offset, ..OpenOptions::default() };
    assert_place(container.open_with(&options), "50 5 5", "2000 1 1");
}

#[test]
fn own_units_that_contradict_the_place_of_the_voxel_size_are_told() {
    let place = |units: &str| json!({"units": units, "transform": {"scale": [8, 4, 2], "units": ["nm", "nm", "nm"]}});
    let array = own(place("um")).unwrap();
    let told = &array.geometry_report().disagreements;
    assert_eq!(told[..], ["own units says micrometer, own transform says nanometer"]);
    assert_eq!(own(place("nm")).unwrap().geometry_report().disagreements, [""; 0]);
}

#[test]
fn unit_voxels_keep_the_translation_that_is_there() {
    let container = Container::new("a/s0", &[16, 16, 16]);
    container.group("a", ome(json!([translation(json!([80, 40, 20]))])));
    let options = OpenOptions { unit_voxels: true, ..OpenOptions::default() };
    let array = assert_place(container.open_with(&options), "1 1 1", "79.5 39.5 19.5");
    assert_eq!(array.info().unit().unit(), LengthUnit::Nanometer);
    assert_eq!(array.geometry_report().disagreements, [""; 0]);

    container.attrs(&json!({"voxel_size": [8, 4, 2], "offset": [0, 0, 0]}));
    let array = container.open().unwrap();
    let told = &array.geometry_report().disagreements;
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("[76, 38, 19]"), "{told:?}");
}

#[test]
fn a_number_that_is_no_short_decimal_is_called_one() {
    for (number, text) in [
        (json!(0.333_333_333_333_333_3), "0.3333333333333333 is not a decimal"),
        (json!(1e300), "1e+300 is not a decimal"),
        (json!("1e300"), "is not a decimal"),
    ] {
        let array = own(json!({"voxel_size": [number, 4, 4]}));
        assert_malformed(array, &["voxel_size", text, "kept exactly"]);
    }
    assert_malformed(own(json!({"voxel_size": ["x", 4, 4]})), &["a list of numbers"]);
}

#[test]
fn units_of_another_number_are_listed_plainly() {
    let array = own(json!({"voxel_size": [8, 4, 2], "units": ["nm", null]}));
    assert_malformed(array, &["units has 2 entries [nm, null], expected 3"]);
}

#[test]
fn the_names_of_label_images_are_not_the_labels_of_an_array() {
    let container = Container::new("a/s0", &[16, 16, 16]);
    container.group("a", json!({"labels": ["cells", "nuclei"]}));
    container.attrs(&json!({"voxel_size": [8, 4, 2]}));
    let array = container.open().unwrap();
    assert_eq!(array.attrs().get("labels"), None);
    assert_eq!(array.geometry_report().disagreements, [""; 0]);
}

#[test]
fn labels_of_null_count_as_absent() {
    let container = Container::new("a/s0", &[16, 16, 16]);
    container.group("a", json!({"labels": [{"value": 1}]}));
    container.attrs(&json!({"voxel_size": [8, 4, 2], "labels": null}));
    let array = container.open().unwrap();
    assert_eq!(array.attrs()["labels"], json!([{"value": 1}]));
    let told = sentences(&array.geometry_report().disagreements);
    assert!(told.contains("a/.zattrs"), "{told}");
    container.group("a", json!({"labels": null}));
    assert_eq!(container.open().unwrap().attrs().get("labels"), None);
}
