//! What lies at a location: labels, a class, a crop, or something else.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use array_config::{Opened, OpenedCrop, open, open_partly};
use array_core::{ArrayExt, ArrayInfo, DType};
use common::Folder;
use serde_json::{Map, Value, json};
use zarr_source::{ImageOptions, OpenOptions, Staging};

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

fn semantic() -> Value {
    json!({"type": "semantic_segmentation", "encoding": {"absent": 0, "present": 1, "unknown": 255}})
}

/// A container of images: for each its path, the attributes of its array, and those of its group.
fn container(root: &Value, images: &[(&str, Value, Value)]) -> Folder {
    let folder = Folder::new();
    let staging = Staging::new(folder.path().join("a.zarr"), false).unwrap();
    let info = ArrayInfo::new(DType::U8, &["y", "x"], &[1, 3], common::grid([0, 40], [8, 4]));
    let info = info.unwrap();
    for (name, attrs, group_attrs) in images {
        let options = ImageOptions {
            attrs: object(attrs),
            group_attrs: object(group_attrs),
            ..ImageOptions::default()
        };
        let array = staging.create_image(name, &info, &options).unwrap();
        array
            .write(array.roi(), &ndarray::arr2(&[[0_u8, 1, 255]]).into_dyn().view().into())
            .unwrap();
    }
    staging.commit(&object(root)).unwrap();
    folder
}

fn opened(folder: &Folder, path: &str) -> Opened {
    open(folder.path().join(path), &OpenOptions::default(), None).unwrap()
}

fn crop(folder: &Folder, path: &str) -> Box<OpenedCrop> {
    match opened(folder, path) {
        Opened::Crop(crop) => crop,
        other => panic!("{path} is {other:?}"),
    }
}

#[test]
fn an_array_is_a_class_if_it_or_its_group_says_how_it_is_encoded() {
    let annotation = json!({"cellmap": {"annotation": {"annotation_type": semantic()}}});
    let draft = json!({"encoding": {"255": "unknown", "0": "absent", "1": "present"}});
    let folder = container(
        &json!({}),
        &[
            ("on_array", annotation.clone(), json!({})),
            ("on_group", json!({}), annotation.clone()),
            ("draft", draft, json!({})),
            ("plain", json!({}), json!({})),
            ("labels", json!({"labels": []}), annotation),
        ],
    );
    for class in ["on_array", "on_group", "draft"] {
        for path in [format!("a.zarr/{class}"), format!("a.zarr/{class}/s0")] {
            let crop = crop(&folder, &path);
            assert_eq!(crop.crop.class_names(), [class], "{path}");
            assert!(crop.path.ends_with(format!("a.zarr/{class}")), "{}", crop.path.display());
        }
    }
    for labels in ["plain", "labels"] {
        for path in [format!("a.zarr/{labels}"), format!("a.zarr/{labels}/s0")] {
            assert!(matches!(opened(&folder, &path), Opened::Array(_)), "{path}");
        }
    }
    assert!(matches!(opened(&folder, "a.zarr"), Opened::Group(_)));
}

#[test]
fn a_class_that_contradicts_itself_is_no_label_array() {
    let both = json!({"type": "instance_segmentation", "encoding": {"absent": 0, "unknown": 0}});
    let wrong = json!({"cellmap": {"annotation": {"annotation_type": both}}});
    let folder = container(&json!({}), &[("mito", wrong, json!({}))]);
    let error = open(folder.path().join("a.zarr/mito"), &OpenOptions::default(), None).unwrap_err();
    assert!(error.to_string().contains("mito"), "{error}");
}

#[test]
fn blanks_around_a_name_in_the_list_do_not_hide_a_class() {
    let annotation = json!({"cellmap": {"annotation": {"annotation_type": semantic()}}});
    let root = json!({"cellmap": {"annotation": {"class_names": [" mito ", "er"]}}});
    let folder = container(&root, &[("mito", annotation, json!({}))]);
    let crop = crop(&folder, "a.zarr");
    assert_eq!(crop.crop.class_names(), ["mito", "er"]);
    assert_eq!(crop.crop.classes().len(), 1);
}

#[test]
fn what_a_crop_does_not_list_may_be_broken() {
    let annotation = json!({"cellmap": {"annotation": {"annotation_type": semantic()}}});
    let root = json!({"cellmap": {"annotation": {"class_names": ["mito"]}}});
    let images = [("mito", annotation, json!({})), ("other", json!({}), json!({}))];
    let folder = container(&root, &images);
    let group = folder.path().join("a.zarr/other/.zgroup");
    let group = if group.exists() { group } else { folder.path().join("a.zarr/other/zarr.json") };
    std::fs::write(group, "{").unwrap();
    assert_eq!(crop(&folder, "a.zarr").crop.classes().len(), 1);
}

#[test]
fn a_broken_class_fails_a_crop_unless_the_rest_is_asked_for() {
    let annotation = json!({"cellmap": {"annotation": {"annotation_type": semantic()}}});
    let root = json!({"cellmap": {"annotation": {"class_names": ["mito", "er"]}}});
    let images = [("mito", annotation, json!({})), ("er", json!({}), json!({}))];
    let folder = container(&root, &images);
    let path = folder.path().join("a.zarr");
    let error = open(path.clone(), &OpenOptions::default(), None).unwrap_err();
    assert!(error.to_string().contains("er"), "{error}");
    let Opened::Crop(crop) = open_partly(path, &OpenOptions::default(), None).unwrap() else {
        panic!("it is a crop")
    };
    assert_eq!((crop.crop.classes().len(), &*crop.failed[0].0), (1, "er"));
}
