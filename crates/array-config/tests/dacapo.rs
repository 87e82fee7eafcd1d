//! Configs as DaCapo stores them.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use std::io::Write;
use std::sync::{Arc, Mutex};

use array_config::ArrayConfig;
use array_core::testing::check_contract;
use array_core::{Array, ArrayExt};
use common::{Folder, chain, voxels};
use geometry::Roi;
use ndarray::Axis;
use serde_json::{Value, json};

/// A split in both formats, as the converter and PyYAML (whose tuples have a tag) write it.
const SPLITS: [(&str, &str); 2] = [
    ("split.yaml", include_str!("fixtures/stored_split.yaml")),
    ("split.json", include_str!("fixtures/stored_split.json")),
];

fn read(array: &dyn Array) -> ndarray::ArrayD<u8> {
    array.read_as::<u8>(array.roi()).unwrap()
}

#[test]
fn a_stored_split_gives_the_targets_and_masks_of_its_parts() {
    for (name, text) in SPLITS {
        check_split(name, text);
    }
}

fn check_split(name: &str, text: &str) {
    let folder = Folder::new();
    let file = folder.write(name, text);
    let at = |part: &str| format!("{}#{part}", file.display());
    let target = ArrayConfig::open_file(at("train_configs[0].gt_config")).unwrap();
    check_contract(&*target);
    assert_eq!(target.roi(), &Roi::new([408, 248, 88], [24, 16, 16]).unwrap());
    assert_eq!(target.channels().unwrap(), ["ecs", "mito", "all"]);
    let labels = |index: &[usize]| voxels()[[index[0] + 1, index[1] + 2, index[2] + 2]];
    for (index, value) in read(&*target).indexed_iter() {
        let label = labels(&[index[1], index[2], index[3]]);
        let expected = match index[0] {
            0 => label == 1,
            1 => label == 3 || label == 4,
            _ => label != 0,
        };
        assert_eq!(*value, u8::from(expected), "{index:?}");
    }

    let mask = ArrayConfig::open_file(at("/train_configs/0/mask_config")).unwrap();
    check_contract(&*mask);
    assert_eq!(mask.shape(), [2, 6, 8, 10]);
    let mask = read(&*mask);
    assert_eq!(mask.index_axis(Axis(0), 0), voxels().mapv(|label| u8::from(label > 0)));
    // 3 is there and was not annotated.
    assert!(mask.index_axis(Axis(0), 1).iter().all(|&known| known == 0));

    let both = ArrayConfig::open_file(at("validate_configs[0].gt_config")).unwrap();
    let both = both.read_as::<u16>(both.roi()).unwrap();
    assert!(both.index_axis(Axis(0), 0).iter().all(|&value| value == 0));
    assert_eq!(both.index_axis(Axis(0), 1), voxels());

    let error = chain(&ArrayConfig::open_file(at("train_configs[0].raw_config")).unwrap_err());
    assert!(
        error.ends_with(
            "train_configs[0].raw_config: IntensitiesArrayConfig is not supported: it scales raw data to \
             floats; give its source_array_config instead"
        ),
        "{error}"
    );
    let raw =
        ArrayConfig::open_file(at("train_configs[0].raw_config.source_array_config")).unwrap();
    assert_eq!(raw.shape(), [2, 6, 8, 10]);
    let error = chain(&ArrayConfig::open_file(&file).unwrap_err());
    assert!(
        error.contains(
            "a TrainValidateDataSplitConfig is no array; parts of it are: train_configs[0].raw_config, \
             train_configs[0].gt_config, train_configs[0].mask_config, validate_configs[0].gt_config"
        ),
        "{error}"
    );
}

fn zarr(dataset: &str) -> Value {
    json!({
        "__type__": "ZarrArrayConfig", "name": "labels", "file_name": "crop.zarr", "dataset": dataset,
        "snap_to_grid": null, "_axes": null,
    })
}

/// A config of another array, and the fields of its class.
fn over(kind: &str, fields: &Value) -> Value {
    let mut config =
        json!({"__type__": kind, "name": "over", "source_array_config": zarr("labels/s0")});
    config.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    config
}

#[test]
fn every_class_is_the_kind_of_this_crate() {
    let labels = json!({"kind": "zarr", "path": "crop.zarr", "dataset": "labels/s0"});
    let groups = json!([{"name": "a", "ids": [1, 2]}]);
    let groupings = json!({"groupings": [["a", [1, 2.0]]]});
    let sources = json!({"source_array_configs": [zarr("labels/s0"), zarr("labels/s0")]});
    let cases = [
        (zarr("labels/s0"), labels.clone()),
        (
            over(
                "CropArrayConfig",
                &json!({"roi": {"offset": [408, 240, 80], "shape": [8, 8, 8]}}),
            ),
            json!({"kind": "crop", "roi": "[408:416, 240:248, 80:88]", "numbers": "dacapo", "source": labels}),
        ),
        (
            over("MissingAnnotationsMaskConfig", &groupings),
            json!({"kind": "mask", "rule": "strict", "groups": groups, "source": labels}),
        ),
        (
            over("BinarizeArrayConfig", &groupings),
            json!({"kind": "binarize", "background": 0, "groups": groups, "source": labels}),
        ),
        (over("OnesArrayConfig", &json!({})), json!({"kind": "ones", "source": labels})),
        (
            over("ConstantArrayConfig", &json!({"constant": 7})),
            json!({"kind": "constant", "value": 7, "source": labels}),
        ),
        (
            over("ConstantArrayConfig", &json!({})),
            json!({"kind": "constant", "value": 1, "source": labels}),
        ),
        (
            json!({"__type__": "SumArrayConfig", "name": "s", "source_array_configs": sources["source_array_configs"]}),
            json!({"kind": "sum", "sources": [labels, labels]}),
        ),
        (over("LogicalOrArrayConfig", &json!({})), json!({"kind": "logical_or", "source": labels})),
        (
            over(
                "ResampledArrayConfig",
                &json!({"upsample": [2, 0, 1], "downsample": [1, 2, -1], "interp_order": false}),
            ),
            json!({
                "kind": "resample", "upsample": [2, 1, 1], "downsample": [1, 2, 1], "method": "nearest",
                "align_to_world": true, "source": labels,
            }),
        ),
    ];
    let folder = Folder::new();
    for (config, expected) in cases {
        let found = ArrayConfig::from_json(&config.to_string());
        let found = found.unwrap_or_else(|error| panic!("{config}: {error}"));
        assert_eq!(serde_json::to_value(&found).unwrap(), expected);
        let array = found.build(folder.path());
        check_contract(&*array.unwrap_or_else(|error| panic!("{config}: {}", chain(&error))));
    }
}

#[test]
fn channels_without_a_source_get_the_default_or_zeros() {
    let folder = Folder::new();
    let config = |more: Value| {
        let mut config = json!({
            "__type__": "ConcatArrayConfig", "name": "all", "channels": ["none", "labels", "again"],
            "source_array_configs": {"again": zarr("labels/s0"), "labels": zarr("labels/s0")},
        });
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        config
    };
    let array = folder.build(&config(json!({}))).unwrap();
    check_contract(&*array);
    assert_eq!(array.channels().unwrap(), ["none", "labels", "again"]);
    let found = array.read_as::<u16>(array.roi()).unwrap();
    assert!(found.index_axis(Axis(0), 0).iter().all(|&value| value == 0));
    assert_eq!(found.index_axis(Axis(0), 2), voxels());
    let default = over("ConstantArrayConfig", &json!({"constant": 9}));
    let array = folder.build(&config(json!({"default_config": default}))).unwrap();
    let found = array.read_as::<u16>(array.roi()).unwrap();
    assert!(found.index_axis(Axis(0), 0).iter().all(|&value| value == 9));
    // A source of two channels for the name of one.
    let error = folder.build(&json!({
        "__type__": "ConcatArrayConfig", "name": "all", "channels": ["raw"],
        "source_array_configs": {"raw": zarr("raw/s0")},
    }));
    assert!(chain(&error.unwrap_err()).contains("1 names for 2 channels"));
}

#[test]
fn numbers_are_nanometres_and_are_converted_exactly_or_refused() {
    let folder = Folder::new();
    let in_unit = |unit: &str, voxel_size: Value, offset: Value, roi: Value| {
        let source = json!({
            "kind": "zarr", "path": "crop.zarr/labels/s0", "unit": unit, "voxel_size": voxel_size,
            "offset": offset,
        });
        let config =
            json!({"__type__": "CropArrayConfig", "source_array_config": source, "roi": roi});
        folder.build(&config)
    };
    let roi = json!([[8, 0, 0], [16, 8, 8]]);
    let array = in_unit("um", json!([0.008, 0.004, 0.004]), json!([0, 0, 0]), roi.clone()).unwrap();
    assert_eq!(array.shape(), [2, 2, 2]);
    assert_eq!(array.unit().format_roi(array.roi()), "[0.008:0.024, 0:0.008, 0:0.008] µm");
    let expected = voxels();
    let found = array.read_as::<u16>(array.roi()).unwrap();
    for (index, value) in found.indexed_iter() {
        assert_eq!(*value, expected[[index[0] + 1, index[1], index[2]]]);
    }
    // 8 nm are no whole number of micrometres, nor of voxels of 2.62 nm.
    let error = in_unit("um", json!([8, 4, 4]), json!([0, 0, 0]), roi.clone()).unwrap_err();
    assert!(chain(&error).contains("0.008"), "{}", chain(&error));
    let error = in_unit("nm", json!([2.62, 2, 2]), json!([0, 0, 0]), roi.clone()).unwrap_err();
    assert!(chain(&error).contains("not aligned"), "{}", chain(&error));

    // An array without a unit has the numbers of the original.
    let text = folder.path().join("crop.zarr/labels/s0/.zattrs");
    let mut attrs: Value = serde_json::from_str(&std::fs::read_to_string(&text).unwrap()).unwrap();
    attrs
        .as_object_mut()
        .unwrap()
        .retain(|key, _| key == "labels" || key == "voxel_size" || key == "offset");
    std::fs::write(&text, attrs.to_string()).unwrap();
    for group in [".zattrs", "labels/.zattrs"] {
        std::fs::write(folder.path().join("crop.zarr").join(group), "{}").unwrap();
    }
    let config = over("CropArrayConfig", &json!({"roi": [[408, 240, 80], [16, 8, 8]]}));
    let array = folder.build(&config).unwrap();
    assert_eq!(array.unit().to_string(), "unknown world unit");
    assert_eq!(array.roi(), &Roi::new([408, 240, 80], [16, 8, 8]).unwrap());
}

/// What is logged while `work` runs.
fn logged(work: impl FnOnce()) -> String {
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);
    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .without_time()
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, work);
    let bytes = log.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn what_is_left_out_or_differs_is_logged() {
    let folder = Folder::new();
    let mut config = over("OnesArrayConfig", &json!({"constnt": 3}));
    config["source_array_config"]["_id"] = json!({"$oid": "65f0"});
    config["source_array_config"]["hash"] = json!("65f0");
    let log = logged(|| drop(ArrayConfig::from_json(&config.to_string()).unwrap()));
    assert!(
        log.contains("the config: OnesArrayConfig has no field \"constnt\", which is ignored"),
        "{log}"
    );
    assert_eq!(log.lines().count(), 1, "{log}");

    let factors = json!({"upsample": [1, 1, 1], "downsample": [1, 2, 2], "interp_order": true});
    let mut mean = String::new();
    let log = logged(|| {
        let config = ArrayConfig::from_json(&over("ResampledArrayConfig", &factors).to_string());
        mean = serde_json::to_value(config.unwrap()).unwrap()["method"].to_string();
    });
    assert!(log.contains("interp_order: order 1 smooths"), "{log}");
    assert_eq!(mean, "\"mean\"");

    let mut config = zarr("labels/s0");
    config["snap_to_grid"] = json!([32, 8, 8]);
    let log = logged(|| drop(folder.build(&config).unwrap()));
    assert!(log.contains("snap_to_grid leaves [416:448, 240:272, 80:120] nm"), "{log}");
    // Less at the end moves nothing.
    config["snap_to_grid"] = json!([8, 20, 8]);
    let log = logged(|| drop(folder.build(&config).unwrap()));
    assert_eq!(log, "");
    let config = json!({
        "__type__": "ConcatArrayConfig", "channels": ["a"],
        "source_array_configs": {"a": zarr("labels/s0"), "b": zarr("labels/s0")},
    });
    let log = logged(|| drop(folder.build(&config).unwrap()));
    assert!(log.contains("source_array_configs: no channel is called \"b\""), "{log}");
}

#[test]
fn axes_may_be_named_by_the_config() {
    let folder = Folder::new();
    for key in ["_axes", "axes"] {
        let mut config = zarr("labels/s0");
        config[key] = json!(["a", "b", "d"]);
        assert_eq!(folder.build(&config).unwrap().axes(), ["a", "b", "d"], "{key}");
    }
}

#[test]
fn channels_that_copy_their_sources_at_every_level_are_refused() {
    let mut config =
        json!({"__type__": "ZarrArrayConfig", "file_name": "crop.zarr", "dataset": "labels"});
    for _ in 0..12 {
        let channels: Vec<String> = (0..10).map(|channel| channel.to_string()).collect();
        config = json!({
            "__type__": "ConcatArrayConfig", "channels": channels, "source_array_configs": {"0": config},
        });
    }
    let error = ArrayConfig::from_json(&config.to_string()).unwrap_err().to_string();
    assert!(error.contains("channels: 10 channels with copies of their sources"), "{error}");
    assert!(error.contains("more than 100000"), "{error}");
}
