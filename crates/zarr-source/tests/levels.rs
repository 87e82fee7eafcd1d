//! Scale levels: which array of an image is opened, and where its voxels lie.

#![expect(clippy::unwrap_used, reason = "what a helper of a test cannot do fails the test")]

use std::fs;
use std::path::{Path, PathBuf};

use array_core::{Array, ArrayExt};
use serde_json::{Value, json};
use tempfile::TempDir;
use zarr_source::{Level, OpenOptions, ZarrArray, ZarrError, ZarrGroup};

/// A container whose arrays have no stored chunk.
struct Container(TempDir);

impl Container {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn write(&self, path: &str, value: &Value) -> &Self {
        // A path that began with a slash would replace that of the folder.
        let file = self.path(path.trim_start_matches('/'));
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, value.to_string()).unwrap();
        self
    }

    /// A group and an array of Zarr version 2.
    fn group(&self, path: &str, attrs: &Value) -> &Self {
        self.write(&format!("{path}/.zgroup"), &json!({"zarr_format": 2}));
        self.write(&format!("{path}/.zattrs"), attrs)
    }

    fn array(&self, path: &str, extent: usize, attrs: &Value) -> &Self {
        let shape = [extent; 3];
        self.write(
            &format!("{path}/.zarray"),
            &json!({
                "zarr_format": 2, "shape": shape, "chunks": shape, "dtype": "|u1", "order": "C",
                "fill_value": 0, "compressor": null, "filters": null,
            }),
        );
        self.write(&format!("{path}/.zattrs"), attrs)
    }

    /// A group and an array of N5.
    fn n5_group(&self, path: &str, attributes: &Value) -> &Self {
        self.write(&format!("{path}/attributes.json"), attributes)
    }

    fn n5_array(&self, path: &str, extent: usize, attributes: &Value) -> &Self {
        let mut all = json!({
            "dimensions": [extent, extent, extent], "blockSize": [8, 8, 8], "dataType": "uint8",
            "compression": {"type": "raw"},
        });
        for (key, value) in attributes.as_object().unwrap() {
            all[key] = value.clone();
        }
        self.write(&format!("{path}/attributes.json"), &all)
    }

    fn open(&self, path: &str) -> Result<ZarrArray, ZarrError> {
        ZarrArray::open(self.path(path))
    }

    fn open_level(&self, path: &str, level: &str) -> Result<ZarrArray, ZarrError> {
        let level = Some(level.parse::<Level>().unwrap());
        ZarrArray::open_with(self.path(path), &OpenOptions { level, ..OpenOptions::default() })
    }

    fn levels(&self, path: &str) -> Vec<String> {
        let levels = ZarrGroup::open(self.path(path)).unwrap().levels().unwrap();
        levels.iter().map(|level| format!("{level} {:?}", level.shape)).collect()
    }
}

/// Path, voxel size and corner.
fn place(array: &ZarrArray) -> [String; 3] {
    let (unit, grid) = (array.info().unit(), array.info().grid());
    let text = |values: Vec<geometry::Decimal>| {
        values.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    [
        array.metadata().path_in_container().to_owned(),
        text(unit.decimals(grid.voxel_size().as_coordinate())),
        text(unit.decimals(grid.offset())),
    ]
}

fn ome_axes() -> Value {
    let axis = |name: &str| json!({"name": name, "type": "space", "unit": "nanometer"});
    json!([axis("z"), axis("y"), axis("x")])
}

fn dataset(path: &str, scale: Value, translation: Value) -> Value {
    json!({"path": path, "coordinateTransformations": [
        {"type": "scale", "scale": scale},
        {"type": "translation", "translation": translation},
    ]})
}

/// An image of OME-NGFF 0.4 whose levels are averages: their corners are the same.
fn ome() -> Container {
    let container = Container::new();
    let multiscale = json!({
        "version": "0.4",
        "axes": ome_axes(),
        "datasets": [
            dataset("s0", json!([5.24, 4, 4]), json!([2.62, 2, 2])),
            dataset("s1", json!([10.48, 8, 8]), json!([5.24, 4, 4])),
            dataset("s2", json!([16, 16, 16]), json!([8, 8, 8])),
        ],
        "coordinateTransformations": [{"type": "translation", "translation": [100, 0, 0]}],
    });
    container.group("", &json!({}));
    container.group("em", &json!({"multiscales": [multiscale]}));
    for (path, extent) in [("em/s0", 8), ("em/s1", 4), ("em/s2", 2)] {
        container.array(path, extent, &json!({}));
    }
    container
}

#[test]
fn the_first_level_of_a_group_is_opened_and_the_others_are_told() {
    let container = ome();
    let array = container.open("em").unwrap();
    assert_eq!(place(&array), ["em/s0", "5.24 4 4", "100 0 0"]);
    let em = container.path("em").display().to_string();
    assert_eq!(array.warnings(), [format!("{em}: took the scale level s0; there are also s1, s2")]);
    // The one level of an image is no choice.
    let single = Container::new();
    single.group("em", &json!({"multiscales": [{"datasets": ["s0"]}]}));
    single.array("em/s0", 4, &json!({"voxel_size": [4, 4, 4], "units": "nm", "axes": "zyx"}));
    assert_eq!(single.open("em").unwrap().warnings(), [""; 0]);
}

#[test]
fn a_level_is_chosen_by_name_or_path() {
    let container = ome();
    for name in ["s1", "/s1/", "./s1"] {
        let array = container.open_level("em", name).unwrap();
        assert_eq!(place(&array), ["em/s1", "10.48 8 8", "100 0 0"]);
        assert_eq!(array.warnings(), [""; 0]);
    }
    // Of any group, the path of an array in it.
    assert_eq!(place(&container.open_level("", "em/s2").unwrap())[0], "em/s2");
}

#[test]
fn a_level_is_chosen_by_its_exact_voxel_size() {
    let container = ome();
    for (level, path) in [
        ("5.24x4x4 nm", "em/s0"),
        ("0.00524,0.004,0.004 um", "em/s0"),
        ("10.48x8x8nm", "em/s1"),
        ("16nm", "em/s2"),
        ("0.016 µm", "em/s2"),
    ] {
        assert_eq!(place(&container.open_level("em", level).unwrap())[0], path, "{level}");
    }
    for level in ["4nm", "16x16nm", "5.24x4x4 um", "5.2x4x4nm"] {
        let error = container.open_level("em", level).unwrap_err();
        assert!(matches!(error, ZarrError::NoSuchLevel { .. }) && error.is_not_found(), "{error}");
        let levels = "s0 (5.24 x 4 x 4 nm), s1 (10.48 x 8 x 8 nm), s2 (16 x 16 x 16 nm)";
        assert!(error.to_string().ends_with(&format!("its levels are {levels}")), "{error}");
    }
    let error = container.open_level("em", "s3").unwrap_err();
    assert!(error.to_string().contains("has no scale level s3: its levels are s0"), "{error}");
}

#[test]
fn the_level_of_an_array_is_checked() {
    let container = ome();
    for level in ["s1", "em/s1", "10.48x8x8 nm"] {
        assert_eq!(place(&container.open_level("em/s1", level).unwrap())[0], "em/s1");
    }
    for level in ["s0", "16nm", "image"] {
        let error = container.open_level("em/s1", level).unwrap_err();
        assert!(matches!(error, ZarrError::NoSuchLevel { .. }), "{error}");
        for part in ["it is the array em/s1 (10.48 x 8 x 8 nm); name its group", "s2 (16 x 16"] {
            assert!(error.to_string().contains(part), "{part:?} in {error}");
        }
    }
    let alone = Container::new();
    alone.array("labels", 4, &json!({"voxel_size": [8, 8, 8], "units": "nm", "axes": "zyx"}));
    assert_eq!(place(&alone.open_level("labels", "8nm").unwrap())[1], "8 8 8");
    let error = alone.open_level("labels", "4nm").unwrap_err();
    assert!(error.to_string().contains("(8 x 8 x 8 nm), which is no level of an image"), "{error}");
}

#[test]
fn a_group_that_is_no_image_has_no_levels() {
    let container = Container::new();
    container.group("", &json!({})).array("labels", 4, &json!({"voxel_size": [4, 4, 4]}));
    assert_eq!(container.levels(""), [""; 0]);
    let error = container.open("").unwrap_err();
    assert!(error.to_string().contains("it is a group; the arrays in it are labels"), "{error}");
    let error = container.open_level("", "4nm").unwrap_err();
    assert!(error.to_string().contains("the group has no scale levels"), "{error}");
    assert_eq!(place(&container.open_level("", "labels").unwrap())[0], "labels");
    assert!(container.open_level("", "../labels").is_err());
    assert!(container.open("nothing").unwrap_err().is_not_found());
}

#[test]
fn collections_of_images_are_named_as_such() {
    for (attrs, part) in [
        (json!({"bioformats2raw.layout": 3}), "a collection of images (bioformats2raw.layout)"),
        (json!({"ome": {"version": "0.5", "bioformats2raw.layout": 3}}), "a collection of images"),
        (json!({"plate": {"wells": [{"path": "A/1"}]}}), "it is a plate of wells"),
        (json!({"well": {"images": [{"path": "0"}]}}), "it is a well of a plate"),
    ] {
        let container = Container::new();
        container.group("", &attrs);
        for error in [container.open(""), container.open_level("", "8nm")] {
            let error = error.unwrap_err();
            assert!(matches!(error, ZarrError::NotAZarrArray { .. }), "{error}");
            assert!(error.to_string().contains(part), "{part:?} in {error}");
        }
    }
}

#[test]
fn the_levels_of_every_form_are_listed() {
    assert_eq!(
        ome().levels("em"),
        [
            "s0 (5.24 x 4 x 4 nm) [8, 8, 8]",
            "s1 (10.48 x 8 x 8 nm) [4, 4, 4]",
            "s2 (16 x 16 x 16 nm) [2, 2, 2]",
        ]
    );

    // OME-NGFF 0.5, with levels in folders of their own.
    let container = Container::new();
    let multiscale = json!({"axes": ome_axes(), "datasets": [
        dataset("scale0/image", json!([4, 4, 30]), json!([0, 0, 0])),
        dataset("scale1/image", json!([8, 8, 60]), json!([2, 2, 15])),
    ]});
    let group =
        |ome: Value| json!({"zarr_format": 3, "node_type": "group", "attributes": {"ome": ome}});
    container.write("zarr.json", &group(json!({"version": "0.5", "multiscales": [multiscale]})));
    for (path, extent) in [("scale0/image", 8), ("scale1/image", 4)] {
        container.array(path, extent, &json!({}));
    }
    assert_eq!(
        container.levels(""),
        ["scale0/image (4 x 4 x 30 nm) [8, 8, 8]", "scale1/image (8 x 8 x 60 nm) [4, 4, 4]"]
    );
    let array = container.open_level("", "scale1").unwrap();
    assert_eq!(place(&array), ["scale1/image", "8 8 60", "-2 -2 -15"]);

    // OME-NGFF 0.1 has no scales.
    let container = Container::new();
    container.group("", &json!({"multiscales": [{"version": "0.1", "datasets": [{"path": "0"}]}]}));
    container.array("0", 4, &json!({}));
    assert_eq!(container.levels(""), ["0 (voxel size unknown) [4, 4, 4]"]);
    assert!(matches!(container.open("").unwrap_err(), ZarrError::NoGeometry { .. }));
}

fn transform(scale: f64, translate: f64) -> Value {
    json!({
        "axes": ["z", "y", "x"], "units": ["nm", "nm", "nm"],
        "scale": [scale, scale, scale], "translate": [translate, translate, translate],
    })
}

#[test]
fn both_forms_of_cosem_list_levels() {
    let listed = ["s0 (4 x 4 x 4 nm) [8, 8, 8]", "s1 (8 x 8 x 8 nm) [4, 4, 4]"];
    let first = Container::new();
    first.n5_group("", &json!({"n5": "2.0.0"}));
    first.n5_group(
        "em",
        &json!({"multiscales": [{"name": null, "datasets": [
            {"path": "s0", "transform": transform(4.0, 0.0)},
            {"path": "s1", "transform": transform(8.0, 2.0)},
        ]}]}),
    );
    first.n5_array("em/s0", 8, &json!({})).n5_array("em/s1", 4, &json!({}));
    assert_eq!(first.levels("em"), listed);
    assert_eq!(place(&first.open_level("em", "8nm").unwrap()), ["em/s1", "8 8 8", "-2 -2 -2"]);

    // The second form lists names: the transforms are the levels' own.
    let second = Container::new();
    second.n5_group("", &json!({"n5": "2.0.0"}));
    second.n5_group("em", &json!({"multiscales": [{"name": null, "datasets": ["s0", "s1"]}]}));
    second.n5_array("em/s0", 8, &json!({"transform": transform(4.0, 0.0)}));
    second.n5_array("em/s1", 4, &json!({"transform": transform(8.0, 2.0)}));
    assert_eq!(second.levels("em"), listed);
    assert_eq!(place(&second.open_level("em", "8nm").unwrap()), ["em/s1", "8 8 8", "-2 -2 -2"]);
}

#[test]
fn the_levels_of_n5_viewer_begin_at_one_corner() {
    let resolution = json!({"unit": "nm", "dimensions": [4.0, 4.0, 5.24]});
    let by_group = |factors: &str| {
        json!({
            "axes": ["x", "y", "z"], "pixelResolution": resolution.clone(),
            factors: [[1, 1, 1], [2, 2, 1], [4, 4, 2]],
        })
    };
    for key in ["scales", "downsamplingFactors"] {
        let container = Container::new();
        container.n5_group("", &json!({"n5": "2.0.0"})).n5_group("em", &by_group(key));
        for (path, extent) in [("em/s0", 8), ("em/s1", 4), ("em/s2", 2)] {
            container.n5_array(path, extent, &json!({}));
        }
        assert_eq!(
            container.levels("em"),
            [
                "s0 (5.24 x 4 x 4 nm) [8, 8, 8]",
                "s1 (5.24 x 8 x 8 nm) [4, 4, 4]",
                "s2 (10.48 x 16 x 16 nm) [2, 2, 2]",
            ]
        );
        let array = container.open_level("em", "s2").unwrap();
        assert_eq!(place(&array), ["em/s2", "10.48 16 16", "0 0 0"]);
        assert_eq!(array.axes(), ["z", "y", "x"]);
        let report = array.geometry_report();
        assert_eq!(report.voxel_size_source.to_string(), format!("{key} of group em"));
        assert_eq!(report.axes_source.to_string(), format!("{key} of group em"));
        assert_eq!(report.disagreements, [""; 0]);
    }

    // The factors of a level may stand at the level, with the resolution there or at the group.
    for (group, level) in [
        (json!({"pixelResolution": resolution.clone()}), json!({"downsamplingFactors": [2, 2, 1]})),
        (
            json!({}),
            json!({"pixelResolution": resolution.clone(), "downsamplingFactors": [2, 2, 1]}),
        ),
    ] {
        let container = Container::new();
        container.n5_group("", &json!({"n5": "2.0.0"})).n5_group("em", &group);
        let first = json!({"pixelResolution": resolution.clone()});
        container.n5_array("em/s0", 8, &first).n5_array("em/s1", 4, &level);
        assert_eq!(place(&container.open_level("em", "s1").unwrap())[1], "5.24 8 8");
        assert_eq!(place(&container.open("em").unwrap())[1], "5.24 4 4");
    }
}

#[test]
fn groups_further_up_speak_for_levels_of_n5_viewer_and_big_data_viewer() {
    // n5-viewer: the attributes of the container are the defaults of its channels.
    let container = Container::new();
    container.n5_group(
        "",
        &json!({
            "n5": "2.0.0", "scales": [[1, 1, 1], [2, 2, 1]],
            "pixelResolution": {"unit": "um", "dimensions": [0.097, 0.097, 0.18]},
        }),
    );
    container.n5_group("c1", &json!({"pixelResolution": {"unit": "um", "dimensions": [1, 2, 3]}}));
    for channel in ["c0", "c1"] {
        container.n5_array(&format!("{channel}/s0"), 8, &json!({}));
        container.n5_array(&format!("{channel}/s1"), 4, &json!({}));
    }
    let array = container.open_level("c0", "s1").unwrap();
    assert_eq!(place(&array), ["c0/s1", "0.18 0.194 0.194", "0 0 0"]);
    assert_eq!(array.geometry_report().voxel_size_source.to_string(), "scales of the container");
    assert_eq!(place(&container.open_level("c1", "s1").unwrap())[1], "3 4 2");
    assert_eq!(container.levels("c1")[0], "s0 (3 x 2 x 1 µm) [8, 8, 8]");
    assert_eq!(container.levels(""), [""; 0]);

    // BigDataViewer: factors two groups up, the voxel size beside the levels.
    let container = Container::new();
    container.n5_group("", &json!({"n5": "2.0.0"}));
    container.n5_group("setup0", &json!({"downsamplingFactors": [[1, 1, 1], [2, 2, 2]]}));
    container.n5_group("setup0/timepoint0", &json!({"multiScale": true, "resolution": [4, 4, 5]}));
    container.n5_array("setup0/timepoint0/s0", 8, &json!({"downsamplingFactors": [1, 1, 1]}));
    container.n5_array("setup0/timepoint0/s1", 4, &json!({"downsamplingFactors": [2, 2, 2]}));
    let array = container.open_level("setup0/timepoint0", "s1").unwrap();
    assert_eq!(place(&array)[1], "10 8 8");
    assert_eq!(array.geometry_report().disagreements, [""; 0]);
    // The levels alone know enough.
    container.n5_group("setup0", &json!({}));
    let array = container.open_level("setup0/timepoint0", "s1").unwrap();
    assert_eq!(
        (place(&array)[1].as_str(), array.geometry_report().disagreements.len()),
        ("10 8 8", 0)
    );
}

#[test]
fn scales_win_over_downsampling_factors_and_the_difference_is_told() {
    let container = Container::new();
    container.n5_group("", &json!({"n5": "2.0.0"}));
    container.n5_group(
        "em",
        &json!({
            "pixelResolution": [4, 4, 5], "scales": [[1, 1, 1], [2, 2, 2]],
            "downsamplingFactors": [[1, 1, 1], [3, 3, 3]],
        }),
    );
    container.n5_array("em/s0", 8, &json!({})).n5_array("em/s1", 4, &json!({}));
    let array = container.open_level("em", "s1").unwrap();
    assert_eq!(place(&array)[1], "10 8 8");
    let told = &array.geometry_report().disagreements;
    assert_eq!(told.len(), 1);
    assert!(
        told[0].starts_with("downsamplingFactors of group em gives the voxel size [15, 12, 12]")
    );
    // What the array says itself goes first.
    container.n5_array("em/s1", 4, &json!({"pixelResolution": {"dimensions": [7, 7, 7]}}));
    let array = container.open_level("em", "s1").unwrap();
    assert_eq!(
        (place(&array)[1].as_str(), array.geometry_report().disagreements.len()),
        ("7 7 7", 2)
    );

    for factors in [json!([[1, 1, 1], [2, 2]]), json!([[1, 1, 1], [0, 2, 2]]), json!([[1], ["x"]])]
    {
        container.n5_group("em", &json!({"pixelResolution": [4, 4, 5], "scales": factors}));
        container.n5_array("em/s1", 4, &json!({}));
        let error = container.open_level("em", "s1").unwrap_err();
        assert!(matches!(error, ZarrError::MetadataMalformed { .. }), "{error}");
        for part in ["em/attributes.json", "scales"] {
            assert!(error.to_string().contains(part), "{error}");
        }
    }
}

#[test]
fn arrays_that_are_called_as_levels_are_some() {
    let container = Container::new();
    container.group("", &json!({})).group("em", &json!({}));
    for (path, extent, size) in [("em/s0", 8, 4), ("em/s1", 4, 8), ("em/s3", 2, 32)] {
        let attrs = json!({"voxel_size": [size, size, size], "units": "nm", "axes": "zyx"});
        container.array(path, extent, &attrs);
    }
    // Without s2, s3 belongs to something else.
    let listed = ["s0 (4 x 4 x 4 nm) [8, 8, 8]", "s1 (8 x 8 x 8 nm) [4, 4, 4]"];
    assert_eq!(container.levels("em"), listed);
    assert_eq!(place(&container.open_level("em", "8nm").unwrap())[0], "em/s1");
    assert_eq!(place(&container.open("em").unwrap())[0], "em/s0");
}

#[test]
fn the_resolution_of_a_group_is_that_of_its_first_level() {
    let container = Container::new();
    container.group("", &json!({"resolution": [8, 4, 4], "offset": [80, 40, 40]}));
    for (path, extent) in [("s0", 8), ("s1", 4), ("labels", 8)] {
        container.array(path, extent, &json!({}));
    }
    for path in ["s0", "labels"] {
        let array = container.open(path).unwrap();
        assert_eq!(array.voxel_size().as_slice(), [8, 4, 4], "{path}");
    }
    let error = container.open("s1").unwrap_err();
    assert!(matches!(error, ZarrError::NoGeometry { .. }), "{error}");
}

#[test]
fn a_listed_path_that_leaves_the_group_is_refused() {
    for path in [json!("../s0"), json!(""), json!(3), json!({"path": null})] {
        let container = Container::new();
        container.group("em", &json!({"multiscales": [{"datasets": [path]}]}));
        let error = container.open("em").unwrap_err();
        assert!(matches!(error, ZarrError::MetadataMalformed { .. }), "{error}");
        assert!(error.to_string().contains("paths inside the group"), "{error}");
    }
}

#[test]
fn levels_whose_corners_lie_apart_are_told() {
    let warnings = |translations: [f64; 2], group: Value| {
        let container = Container::new();
        let datasets = [("s0", 4.0, translations[0]), ("s1", 8.0, translations[1])];
        let datasets: Vec<Value> = datasets
            .iter()
            .map(|(path, scale, at)| dataset(path, json!([scale, scale, scale]), json!([at, 0, 0])))
            .collect();
        let mut multiscale = json!({"version": "0.4", "axes": ome_axes(), "datasets": datasets});
        multiscale["coordinateTransformations"] = group;
        container.group("em", &json!({"multiscales": [multiscale]}));
        container.array("em/s0", 8, &json!({})).array("em/s1", 4, &json!({}));
        let of_first = container.open("em/s0").unwrap().warnings().to_vec();
        assert_eq!(container.open_level("em", "s1").unwrap().warnings(), of_first);
        of_first
    };
    let none = json!([]);
    // Averages keep the corner, picked voxels keep the centre, and so does all in between.
    for second in [100.0, 101.0, 102.0, 104.0] {
        assert_eq!(warnings([100.0, second], none.clone()), [""; 0], "{second}");
    }
    for second in [99.0, 105.0, 0.0] {
        let told = warnings([100.0, second], none.clone());
        assert_eq!(told.len(), 1, "{second}");
        assert!(told[0].contains("level s1 the scale [8, 8, 8]"), "{told:?}");
        assert!(told[0].contains("which downsampling does not explain"), "{told:?}");
    }
    // What moves the whole image moves no level away from another.
    let moved = json!([{"type": "translation", "translation": [0.5, 1000, -7]}]);
    assert_eq!(warnings([100.0, 102.0], moved), [""; 0]);
}

#[test]
fn a_broken_level_hinders_no_other_that_is_named() {
    let container = ome();
    fs::write(container.path("em/s2/.zarray"), "{").unwrap();
    assert_eq!(place(&container.open_level("em", "s1").unwrap())[0], "em/s1");
    let error = container.open_level("em", "8nm").unwrap_err();
    assert!(error.to_string().contains("s2/.zarray"), "{error}");
    fs::remove_dir_all(container.path("em/s2")).unwrap();
    assert!(container.open_level("em", "s2").unwrap_err().is_not_found());
    assert!(Path::new(&container.path("em/s1")).exists());
}
