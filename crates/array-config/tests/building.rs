//! Every kind of array, opened and read.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use annotation_mask::ClassTable;
use array_config::{ArrayConfig, ConfigError};
use array_core::testing::check_contract;
use array_core::{Array, ArrayExt, ArrayInfo, DType};
use common::{Folder, SHAPE, chain, labels, voxels};
use geometry::{Decimal, LengthUnit, Roi, WorldUnit};
use ndarray::{Array3, ArrayD, Axis, IxDyn, Slice};
use serde_json::{Map, Value, json};
use zarr_source::{ImageOptions, OpenOptions, Staging};

/// Opens a config, and checks the contract of what it is.
fn built(folder: &Folder, config: &Value) -> Arc<dyn Array> {
    let array = folder.build(config).unwrap_or_else(|error| panic!("{config}: {}", chain(&error)));
    check_contract(&*array);
    array
}

fn read<T: array_core::Element>(array: &dyn Array) -> ArrayD<T> {
    array.read_as::<T>(array.roi()).unwrap()
}

/// The labels in the part of the volume from one index to another along each axis.
fn part(from: [usize; 3], to: [usize; 3]) -> ArrayD<u16> {
    let mut voxels = voxels();
    for axis in 0..3 {
        voxels.slice_axis_inplace(Axis(axis), Slice::from(from[axis]..to[axis]));
    }
    voxels
}

#[test]
fn a_zarr_array_is_read_as_its_metadata_say_or_as_the_config_does() {
    let folder = Folder::new();
    let array = built(&folder, &labels());
    assert_eq!(read::<u16>(&*array), voxels());
    assert_eq!(array.roi(), &Roi::new([400, 240, 80], [48, 32, 40]).unwrap());
    let config = json!({
        "kind": "zarr", "path": "crop.zarr/labels/s0", "voxel_size": [2.62, 2, 2],
        "offset": ["13282.29", 0, -4], "unit": "nm", "axes": ["a", "b", "c^"],
    });
    let error = chain(&folder.build(&config).unwrap_err());
    assert!(error.starts_with("the config: the Zarr data cannot be opened: "), "{error}");
    let config = json!({
        "kind": "zarr", "path": "crop.zarr", "dataset": "/labels/s0/", "voxel_size": [2.62, 2, 2],
        "offset": ["13282.29", 0, -4], "unit": "nm", "axes": ["a", "b", "d"],
    });
    let array = built(&folder, &config);
    assert_eq!(array.unit().to_string(), "0.01 nm");
    assert_eq!(array.axes(), ["a", "b", "d"]);
    let roi = Roi::new([1_328_229, 0, -400], [6 * 262, 8 * 200, 10 * 200]).unwrap();
    assert_eq!(array.roi(), &roi);
}

#[test]
fn a_scale_level_is_picked_by_name_or_voxel_size() {
    let folder = Folder::new();
    let config = |scale: &str| json!({"kind": "zarr", "path": "crop.zarr/labels", "scale": scale});
    for scale in ["s0", "8x4x4nm"] {
        assert_eq!(read::<u16>(&*built(&folder, &config(scale))), voxels(), "{scale}");
    }
    assert!(chain(&folder.build(&config("s1")).unwrap_err()).contains("s1"));
}

#[test]
fn a_crop_is_the_voxels_inside_its_region() {
    let folder = Folder::new();
    let expected = part([1, 2, 3], [4, 6, 10]);
    let regions = [
        json!("[408:432, 248:264, 92:120] nm"),
        json!("[0.408:0.432, 0.248:0.264, 0.092:0.12] um"),
        json!("408:432, 248:264, 92:10000"),
        json!({"offset": [408, 248, 92], "shape": [24, 16, 28]}),
        json!([[408, 248, 92], [24, 16, 28]]),
        json!([[408, 248.0, "92"], [24, 16, 28]]),
    ];
    for roi in regions {
        let config = json!({"kind": "crop", "roi": roi, "source": labels()});
        assert_eq!(read::<u16>(&*built(&folder, &config)), expected, "{roi}");
    }
    // An axis without bounds is the whole axis.
    let config =
        json!({"kind": "crop", "roi": [[null, 248, null], [null, 16, null]], "source": labels()});
    let array = built(&folder, &config);
    assert_eq!(read::<u16>(&*array), part([0, 2, 0], [6, 6, 10]));
    let config = json!({"kind": "crop", "roi": "[:, 248:264, :]", "source": labels()});
    assert_eq!(folder.build(&config).unwrap().roi(), array.roi());
}

#[test]
fn masks_and_targets_are_those_of_their_groups() {
    let folder = Folder::new();
    // 3 is present and was not annotated; 4 is not present.
    let groups = json!([["ecs", [1]], ["mito", [3, 1]], ["ves", [4]], ["any", []]]);
    let mask = json!({"kind": "mask", "source": labels(), "groups": groups});
    let array = built(&folder, &mask);
    assert_eq!(array.channels().unwrap(), ["ecs", "mito", "ves", "any"]);
    assert_eq!(array.dtype(), DType::U8);
    let known = voxels().mapv(|label| u8::from(label > 0));
    let found = read::<u8>(&*array);
    for (channel, kept) in [(0, 1_u8), (1, 0), (2, 1), (3, 1)] {
        assert_eq!(
            found.index_axis(Axis(0), channel),
            known.mapv(|known| known * kept),
            "{channel}"
        );
    }
    let generic = json!({
        "kind": "mask", "source": labels(), "groups": groups, "rule": "generic", "generic_ids": [1],
    });
    let found = read::<u8>(&*built(&folder, &generic));
    assert_eq!(found.index_axis(Axis(0), 1), known);

    let target = json!({"kind": "binarize", "source": labels(), "groups": groups, "background": 2});
    let found = read::<u8>(&*built(&folder, &target));
    let expected = |is: &dyn Fn(u16) -> bool| voxels().mapv(|label| u8::from(is(label)));
    assert_eq!(found.index_axis(Axis(0), 1), expected(&|label| label == 3 || label == 1));
    assert_eq!(found.index_axis(Axis(0), 3), expected(&|label| label != 2));
}

#[test]
fn groups_may_lie_in_a_file_beside_the_config() {
    let folder = Folder::new();
    folder.write("groups.toml", "[[group]]\nname = \"ecs\"\nids = [1, 2]\n");
    folder.write("groups.json", r#"[["ecs", [1, 2]]]"#);
    folder.write("groups.yaml", "ecs: [1, 2]\n");
    let expected = voxels().mapv(|label| u8::from(label == 1 || label == 2)).insert_axis(Axis(0));
    let config = |file: &str| json!({"kind": "binarize", "source": labels(), "groups": file});
    for file in ["groups.toml", "groups.json", "groups.yaml"] {
        assert_eq!(read::<u8>(&*built(&folder, &config(file))), expected, "{file}");
    }
    let error = folder.build(&config("none.toml")).unwrap_err();
    assert!(matches!(error, ConfigError::Io { .. }), "{error}");
    assert!(error.to_string().ends_with("none.toml"), "{error}");
    folder.write("broken.json", r#"[["ecs", 1]]"#);
    let error = chain(&folder.build(&config("broken.json")).unwrap_err());
    assert!(error.starts_with("groups: the groups file "), "{error}");
    assert!(error.contains("expected a list of ids, found 1"), "{error}");
    let error = folder.build(&config("crop.zarr")).unwrap_err();
    assert!(
        error.to_string().contains("not") || matches!(error, ConfigError::Io { .. }),
        "{error}"
    );
}

#[test]
fn constants_have_the_place_of_their_source() {
    let folder = Folder::new();
    let ones = built(&folder, &json!({"kind": "ones", "source": labels()}));
    assert_eq!(read::<u8>(&*ones), ArrayD::from_elem(IxDyn(&SHAPE), 1_u8));
    assert_eq!(ones.roi(), folder.build(&labels()).unwrap().roi());
    let constant = json!({"kind": "constant", "value": 513, "source": labels()});
    assert_eq!(read::<u16>(&*built(&folder, &constant)), ArrayD::from_elem(IxDyn(&SHAPE), 513_u16));
    let floats = json!({"kind": "constant", "value": -2, "dtype": "float32", "source": labels()});
    assert_eq!(read::<f32>(&*built(&folder, &floats)), ArrayD::from_elem(IxDyn(&SHAPE), -2_f32));
    let beyond =
        json!({"kind": "ones", "source": {"kind": "constant", "value": 70000, "source": labels()}});
    let error = folder.build(&beyond).unwrap_err().to_string();
    assert_eq!(error, "source.value: 70000 is beyond uint16");
}

#[test]
fn channels_are_concatenated_summed_and_joined() {
    let folder = Folder::new();
    let raw = json!({"kind": "zarr", "path": "crop.zarr/raw/s0"});
    let ones = json!({"kind": "ones", "source": labels()});
    let concat = json!({"kind": "concat", "sources": [raw, ones], "names": ["a", "b", "ones"]});
    let array = built(&folder, &concat);
    assert_eq!((array.shape(), array.axes()[0].as_str()), (&[3, 6, 8, 10][..], "c"));
    assert_eq!(array.channels().unwrap(), ["a", "b", "ones"]);
    let both = read::<u8>(&*built(&folder, &raw));
    let found = read::<u8>(&*array);
    assert_eq!(found.slice_axis(Axis(0), Slice::from(0..2)), both);
    assert!(found.index_axis(Axis(0), 2).iter().all(|&one| one == 1));

    let sum = json!({"kind": "sum", "sources": [labels(), labels(), labels()]});
    assert_eq!(read::<u16>(&*built(&folder, &sum)), voxels() * 3);
    let groups = json!([["one", [1]], ["two", [2]]]);
    let target = json!({"kind": "binarize", "source": labels(), "groups": groups});
    let any = built(&folder, &json!({"kind": "logical_or", "source": target}));
    assert_eq!(read::<u8>(&*any), voxels().mapv(|label| u8::from(label == 1 || label == 2)));
}

#[test]
fn sources_that_do_not_fit_are_refused_with_their_place_in_the_config() {
    let folder = Folder::new();
    let crop = json!({"kind": "crop", "roi": "[400:424, :, :]", "source": labels()});
    let config = json!({"kind": "ones", "source": {"kind": "sum", "sources": [labels(), crop]}});
    let error = chain(&folder.build(&config).unwrap_err());
    assert!(
        error
            .starts_with("source: the sum cannot be made: a sum: source 1 has the region [400:424"),
        "{error}"
    );
    let names = json!({"kind": "concat", "sources": [labels()], "names": ["a", "b"]});
    let error = chain(&folder.build(&names).unwrap_err());
    assert!(
        error.contains("the concat cannot be made") && error.contains("2 names for 1"),
        "{error}"
    );
    let missing = json!({"kind": "zarr", "path": "crop.zarr/none"});
    let config =
        json!({"kind": "concat", "sources": [labels(), {"kind": "ones", "source": missing}]});
    let error = chain(&folder.build(&config).unwrap_err());
    assert!(error.starts_with("sources[1].source: the Zarr data cannot be opened: "), "{error}");
    assert!(error.contains("none does not exist"), "{error}");
    let outside = json!({"kind": "crop", "roi": "[0:8, 0:8, 0:8]", "source": labels()});
    let error = chain(&folder.build(&outside).unwrap_err());
    assert!(error.contains("the crop cannot be made: the crop [0:8"), "{error}");
    let between = json!({"kind": "crop", "roi": "[401:416, 240:248, 80:88]", "source": labels()});
    assert!(chain(&folder.build(&between).unwrap_err()).contains("not aligned"));
    let fraction =
        json!({"kind": "crop", "roi": "[400.5:416, 240:248, 80:88]", "source": labels()});
    let error = chain(&folder.build(&fraction).unwrap_err());
    assert!(error.contains("400.5"), "{error}");
    let with_channels = json!({"kind": "zarr", "path": "crop.zarr/raw/s0"});
    let mask = json!({"kind": "mask", "source": with_channels, "groups": [["a", [1]]]});
    let error = chain(&folder.build(&mask).unwrap_err());
    assert!(
        error.starts_with("the config: the mask cannot be made: ")
            && error.contains("channel axes"),
        "{error}"
    );
}

/// The voxels of every second index along y and x, beginning at an index, of some rows.
fn every_second(rows: std::ops::Range<usize>, y: [usize; 2], x: [usize; 2]) -> ArrayD<u16> {
    let voxels = voxels();
    let at = |z: usize, y: usize, x: usize| voxels[[z, y, x]];
    Array3::from_shape_fn((rows.len(), y[1], x[1]), |(i, j, k)| {
        at(rows.start + i, y[0] + 2 * j, x[0] + 2 * k)
    })
    .into_dyn()
}

#[test]
fn arrays_are_resampled_from_their_corner_or_from_the_worlds_zero() {
    let folder = Folder::new();
    let resample = |more: Value, source: Value| {
        let mut config = json!({"kind": "resample", "downsample": [1, 2, 2], "source": source});
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        config
    };
    let array = built(&folder, &resample(json!({}), labels()));
    assert_eq!(array.roi(), &Roi::new([400, 240, 80], [48, 32, 40]).unwrap());
    // Of two voxels the second, as scikit-image.
    assert_eq!(read::<u16>(&*array), every_second(0..6, [1, 4], [1, 5]));

    // From the corner 244, cells of 8 begin there; from the world's zero, at 248.
    let crop = json!({"kind": "crop", "roi": "[400:448, 244:272, 84:120]", "source": labels()});
    let array = built(&folder, &resample(json!({}), crop.clone()));
    assert_eq!(array.roi(), &Roi::new([400, 244, 84], [48, 24, 32]).unwrap());
    assert_eq!(read::<u16>(&*array), every_second(0..6, [2, 3], [2, 4]));
    let array = built(&folder, &resample(json!({"align_to_world": true}), crop));
    assert_eq!(array.roi(), &Roi::new([400, 248, 88], [48, 24, 32]).unwrap());
    assert_eq!(read::<u16>(&*array), every_second(0..6, [3, 3], [3, 4]));

    let fine =
        json!({"kind": "resample", "upsample": [2, 1, 1], "method": "mode", "source": labels()});
    let array = built(&folder, &fine);
    assert_eq!(array.shape(), [12, 8, 10]);
    let found = read::<u16>(&*array);
    assert_eq!(found.index_axis(Axis(0), 7), voxels().index_axis(Axis(0), 3));
    let wrong = json!({"kind": "resample", "upsample": [3, 1, 1], "source": labels()});
    let error = chain(&folder.build(&wrong).unwrap_err());
    assert!(error.contains("axis z cannot be resampled: a voxel of 8 world units"), "{error}");
    let wrong = json!({"kind": "resample", "upsample": [3, 1], "source": labels()});
    assert!(chain(&folder.build(&wrong).unwrap_err()).contains("upsample has 2 factors"));
}

#[test]
fn a_grid_to_snap_to_takes_voxels_away_and_moves_none() {
    let folder = Folder::new();
    let mut config = labels();
    config["snap_to_grid"] = json!([16, 24, 8]);
    let array = built(&folder, &config);
    // z from 400 = 25 * 16 to 448 = 28 * 16; y from 240 = 10 * 24 to 272, of which 264 is the last border.
    assert_eq!(array.roi(), &Roi::new([400, 240, 80], [48, 24, 40]).unwrap());
    assert_eq!(read::<u16>(&*array), part([0, 0, 0], [6, 6, 10]));
    config["snap_to_grid"] = json!([32, 20, 16]);
    let array = built(&folder, &config);
    assert_eq!(array.roi(), &Roi::new([416, 240, 80], [32, 20, 32]).unwrap());
    assert_eq!(read::<u16>(&*array), part([2, 0, 0], [6, 5, 8]));
    config["snap_to_grid"] = json!([400, 400, 400]);
    let error = chain(&folder.build(&config).unwrap_err());
    assert!(error.contains("the snap_to_grid cannot be made: the crop"), "{error}");
    config["snap_to_grid"] = json!([6, 6, 6]);
    assert!(chain(&folder.build(&config).unwrap_err()).contains("not aligned"));
    for wrong in [json!([0, 8, 8]), json!([8, 8]), json!([-8, 8, 8])] {
        config["snap_to_grid"] = wrong;
        assert!(matches!(folder.build(&config), Err(ConfigError::Array { .. })));
    }
}

#[test]
fn a_config_file_is_opened_beside_its_data() {
    let folder = Folder::new();
    let text = "kind = \"ones\"\n[source]\nkind = \"zarr\"\npath = \"crop.zarr/labels/s0\"\n";
    let file = folder.write("ones.toml", text);
    let array = ArrayConfig::open_file(&file).unwrap();
    assert_eq!(array.shape(), SHAPE);
    let file = folder.write("none.toml", &text.replace("labels", "none"));
    let error = chain(&ArrayConfig::open_file(&file).unwrap_err());
    let expected = format!("the array config {}: source: the Zarr data", file.display());
    assert!(error.starts_with(&expected), "{error}");
    // A part of a file, and a file whose name has a hash.
    let parts = folder.write("parts.yaml", "parts:\n- kind: zarr\n  path: crop.zarr/labels/s0\n");
    let part = format!("{}#parts[0]", parts.display());
    assert_eq!(ArrayConfig::open_file(&part).unwrap().shape(), SHAPE);
    assert_eq!(ArrayConfig::from_file(&part).unwrap().kind(), "zarr");
    let error =
        chain(&ArrayConfig::open_file(format!("{}#parts[1]", parts.display())).unwrap_err());
    assert!(
        error.contains("parts.yaml: there is no part \"parts[1]\": parts has no entry"),
        "{error}"
    );
    let odd = folder.write("a.toml#b.toml", text);
    assert_eq!(ArrayConfig::open_file(odd).unwrap().shape(), SHAPE);
    let error = ArrayConfig::from_file(folder.path().join("crop.zarr")).unwrap_err();
    assert!(error.to_string().ends_with("ends in .toml, .json, .yaml or .yml"), "{error}");
    let error = ArrayConfig::from_file(folder.path().join("no.yaml")).unwrap_err();
    assert!(matches!(error, ConfigError::Io { .. }), "{error}");
}

#[test]
fn what_a_config_does_not_say_about_a_zarr_array_is_as_the_defaults_say() {
    let folder = Folder::new();
    let decimals = |numbers: [i64; 3]| Some(numbers.map(Decimal::from).to_vec());
    let defaults = OpenOptions {
        voxel_size: decimals([16, 6, 2]),
        offset: decimals([0, 6, 2]),
        unit: Some(LengthUnit::Nanometer),
        ..OpenOptions::default()
    };
    let open = |config: Value| {
        let config = ArrayConfig::from_json(&config.to_string()).unwrap();
        let array = config.build_with(folder.path(), &defaults).unwrap();
        (*array.voxel_size().as_coordinate(), array.roi().offset().unwrap())
    };
    let source = || json!({"kind": "zarr", "path": "crop.zarr/labels/s0"});
    let config = json!({"kind": "ones", "source": source()});
    assert_eq!(open(config), ([16, 6, 2].into(), [0, 6, 2].into()));
    let mut config = source();
    config["offset"] = json!([32, 0, 0]);
    assert_eq!(open(config), ([16, 6, 2].into(), [32, 0, 0].into()));
    let file = folder.write("labels.json", &source().to_string());
    let array = ArrayConfig::open_file_with(file, &defaults).unwrap();
    assert_eq!(array.roi().offset().unwrap(), [0, 6, 2].into());
}

/// A crop of two classes: `mito` with a semantic encoding, `cell` with one that knows no unknown.
fn crop_group() -> Folder {
    let folder = Folder::new();
    let staging = Staging::new(folder.path().join("classes.zarr"), false).unwrap();
    let grid = common::grid([0, 40], [8, 4]);
    let info = ArrayInfo::new(DType::U8, &["y", "x"], &[2, 3], grid).unwrap();
    let info = info.with_unit(WorldUnit::whole(LengthUnit::Nanometer));
    let arrays = [
        (
            "crop1/mito",
            json!({"absent": 0, "present": 1, "unknown": 255}),
            [[1_u8, 0, 255], [0, 1, 1]],
        ),
        ("crop1/cell", json!({"absent": 0, "present": 1}), [[1, 1, 1], [1, 1, 0]]),
    ];
    for (name, encoding, voxels) in arrays {
        let annotation = json!({"cellmap": {"annotation": {
            "class_name": name.trim_start_matches("crop1/"), "complement_counts": {},
            "annotation_type": {"type": "semantic_segmentation", "encoding": encoding},
        }}});
        let attrs = annotation.as_object().cloned().unwrap();
        let options = ImageOptions { attrs, ..ImageOptions::default() };
        let array = staging.create_image(name, &info, &options).unwrap();
        array.write(array.roi(), &ndarray::arr2(&voxels).into_dyn().view().into()).unwrap();
    }
    staging.commit(&Map::new()).unwrap();
    folder
}

#[test]
fn a_crop_group_is_a_mask_or_a_target_of_its_classes() {
    let folder = crop_group();
    let config = |more: Value| {
        let mut config = json!({"kind": "crop_group", "path": "classes.zarr", "dataset": "crop1"});
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        config
    };
    let mask = built(&folder, &config(json!({})));
    assert_eq!(mask.channels().unwrap(), ["cell", "mito"]);
    let known = ndarray::arr3(&[[[1_u8, 1, 1], [1, 1, 1]], [[1, 1, 0], [1, 1, 1]]]).into_dyn();
    assert_eq!(read::<u8>(&*mask), known);
    let groups = json!([["both", ["mito", "cell"]], ["mito", ["mito"]]]);
    let target = built(&folder, &config(json!({"what": "target", "groups": groups})));
    let present = ndarray::arr3(&[[[1_u8, 1, 1], [1, 1, 1]], [[1, 0, 0], [0, 1, 1]]]).into_dyn();
    assert_eq!(read::<u8>(&*target), present);

    let level = |scale: &str| folder.build(&config(json!({"scale": scale})));
    assert_eq!(level("8x4nm").unwrap().roi(), mask.roi());
    assert!(chain(&level("16nm").err().unwrap()).contains("16"), "no such level");

    folder.write("classes.csv", "mito_mem,3,\nmito,50,3\ncell,60,\n");
    let groups = json!([["mito", [50]]]);
    let by_id = config(json!({"classes": "classes.csv", "groups": groups}));
    assert_eq!(built(&folder, &by_id).channels().unwrap(), ["mito"]);
    let error = chain(&folder.build(&config(json!({"groups": groups}))).unwrap_err());
    assert!(error.contains("50 is a label id, and a crop group has names of classes"), "{error}");
    let error = folder.build(&config(json!({"classes": "none.csv"}))).unwrap_err();
    assert!(matches!(error, ConfigError::Io { .. }), "{error}");
    folder.write("classes.csv", "mito,x,\n");
    let error = chain(&folder.build(&by_id).unwrap_err());
    assert!(error.starts_with("classes: the class table "), "{error}");
    let none = json!({"kind": "crop_group", "path": "classes.zarr/crop2"});
    let error = chain(&folder.build(&json!({"kind": "ones", "source": none})).unwrap_err());
    assert!(error.starts_with("source: the Zarr data cannot be opened: "), "{error}");
}

#[test]
fn the_config_of_a_crop_group_opens_as_a_crop_with_its_channels() {
    let folder = crop_group();
    let opened = |config: &Value, table: Option<&ClassTable>| {
        let config = ArrayConfig::from_json(&config.to_string()).unwrap();
        config.crop_with(folder.path(), &OpenOptions::default(), table).unwrap()
    };
    let path = "classes.zarr/crop1";
    let plain = json!({"kind": "crop_group", "path": path});
    let table = ClassTable::from_csv("mito_mem,3,\nmito,50,3\n").unwrap();
    let crop = opened(&plain, Some(&table)).unwrap();
    assert!(crop.grouping.is_empty());
    assert_eq!(crop.crop.class_names(), ["cell", "mito"]);
    // The table of the caller holds where the config has none.
    assert_eq!(crop.crop.table(), Some(&table));
    let groups =
        json!({"kind": "crop_group", "path": path, "groups": [["both", ["mito", "cell"]]]});
    let crop = opened(&groups, None).unwrap();
    assert_eq!(crop.crop.resolve(&crop.grouping).unwrap().names(), ["both"]);
    assert!(opened(&labels(), None).is_none());
}

#[test]
fn the_deepest_config_can_be_opened_and_read() {
    let folder = Folder::new();
    let deepest =
        (0..64).fold(labels(), |source, _| json!({"kind": "logical_or", "source": source}));
    let array = folder.build(&deepest).unwrap();
    assert_eq!(read::<u8>(&*array), voxels().mapv(|label| u8::from(label > 0)));
}

#[test]
fn the_local_paths_of_a_config_are_those_of_all_of_its_sources() {
    let config = json!({"kind": "sum", "sources": [
        {"kind": "crop", "roi": "[0:8]", "source": labels()},
        {"kind": "mask", "groups": [["a", [1]]], "source": {"kind": "zarr", "path": "/b/c.zarr"}},
        {"kind": "ones", "source": {"kind": "zarr", "path": "s3://bucket/d.zarr"}},
        {"kind": "crop_group", "path": "e.zarr", "dataset": "/crop1"},
        labels(),
    ]});
    let config = ArrayConfig::from_json(&config.to_string()).unwrap();
    let mut paths = config.local_paths(Path::new("/data"));
    paths.sort();
    let expected = ["/b/c.zarr", "/data/crop.zarr/labels/s0", "/data/e.zarr/crop1"];
    assert_eq!(paths, expected.map(PathBuf::from));
}
