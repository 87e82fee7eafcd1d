//! The `labels` attribute as other software wrote it, generation by generation: see
//! `crates/zarr-source/tests/conventions/make.py`.

#![expect(clippy::unwrap_used, reason = "what a helper of a test cannot do fails the test")]

use std::path::Path;

use annotation_mask::{Annotation, LabelEntry, LabelList};
use serde_json::{Map, Value};

/// How many of the voxels have the label 3, in each of the volumes.
const NUM_MITO_MEMBRANE: u64 = 37;

/// The attributes of the array `labels/all` in a container of Zarr version 2.
fn attrs(container: &str) -> Map<String, Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../zarr-source/tests/conventions");
    let file = folder.join(container).join("labels/all/.zattrs");
    let text = std::fs::read_to_string(&file);
    let text = text.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_json::from_str(&text).unwrap()
}

fn labels(container: &str) -> LabelList {
    LabelList::from_attrs(&attrs(container)).unwrap().unwrap()
}

/// What all generations say of the mitochondrial membrane.
fn mito_membrane(annotation: Annotation, count: Option<u64>) -> LabelEntry {
    LabelEntry {
        value: 3,
        long_name: "Mitochondrial membrane".to_owned(),
        short_name: "Mito membrane".to_owned(),
        present: true,
        annotation,
        count,
    }
}

#[test]
fn labels_of_2021_say_whether_a_class_was_annotated() {
    // The first releases know no count, the next ones may leave it out.
    let list = labels("labels_bool_0.2.zarr");
    assert_eq!(list.entries(), [mito_membrane(Annotation::Empty, None)]);
    assert_eq!(list.missing().iter().collect::<Vec<_>>(), [&3]);

    let list = labels("labels_bool_1.0.zarr");
    assert_eq!(list.entries(), [mito_membrane(Annotation::Empty, Some(NUM_MITO_MEMBRANE))]);
    assert_eq!(list.missing().iter().collect::<Vec<_>>(), [&3]);
}

#[test]
fn labels_of_september_2022_call_the_count_num_voxels() {
    let list = labels("labels_num_voxels.zarr");
    assert_eq!(list.entries(), [mito_membrane(Annotation::Dense, Some(NUM_MITO_MEMBRANE))]);
    assert!(list.missing().is_empty());
}

#[test]
fn labels_of_2023_say_how_densely_a_class_was_annotated() {
    let list = labels("labels_enum_3.0.zarr");
    let found: Vec<_> = list.entries().iter().map(|e| (e.value, e.present, e.annotation)).collect();
    let expected = [
        (3, true, Annotation::Empty),
        (9, true, Annotation::Dense),
        (4, false, Annotation::Sparse),
    ];
    assert_eq!(found, expected);
    assert_eq!(list.entries()[0], mito_membrane(Annotation::Empty, None));
    assert_eq!(list.missing().iter().collect::<Vec<_>>(), [&3]);
}

#[test]
fn labels_of_cellmap_schemas_have_an_annotation_type_that_is_an_object() {
    let attrs = attrs("labels_enum_cellmap.zarr");
    assert!(attrs.get("annotation_type").unwrap().is_object());
    let list = LabelList::from_attrs(&attrs).unwrap().unwrap();
    let found: Vec<_> = list.entries().iter().map(|e| (e.value, e.annotation)).collect();
    assert_eq!(found, [(3, Annotation::Empty), (9, Annotation::Sparse)]);
    assert_eq!(list.missing().iter().collect::<Vec<_>>(), [&3]);
}

#[test]
fn arrays_without_the_attribute_have_no_list() {
    let mut attrs = attrs("labels_bool_0.2.zarr");
    attrs.shift_remove("labels");
    assert_eq!(LabelList::from_attrs(&attrs).unwrap(), None);
}
