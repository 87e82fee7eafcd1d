//! Masks and targets of the recorded crops, opened through configs in the form of DaCapo.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::io::Read;
use std::path::{Path, PathBuf};

use array_config::ArrayConfig;
use array_core::ArrayExt;
use flate2::read::GzDecoder;
use geometry::Roi;
use serde_json::{Value, json};

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../xtask/tests/golden")
}

/// The elements of an `.npy.gz` of bytes or bools, which follow the header.
fn recorded(file: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(golden().join(file)).unwrap();
    GzDecoder::new(file).read_to_end(&mut bytes).unwrap();
    assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00");
    let header = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let text = String::from_utf8(bytes[10..10 + header].to_vec()).unwrap();
    assert!(text.contains("'|b1'") || text.contains("'|u1'"), "{text}");
    assert!(text.contains("'fortran_order': False"), "{text}");
    bytes.split_off(10 + header)
}

/// One recorded answer: how many masked channels and voxels were compared.
fn compare(crop: &Value, case: &Value, groupings: &Value) -> usize {
    let source = json!({
        "__type__": "ZarrArrayConfig", "name": "labels", "file_name": crop["path"],
        "dataset": crop["dataset"], "snap_to_grid": case["open"]["snap_to_grid"], "_axes": null,
    });
    let source = match &case["open"]["crop_roi"] {
        Value::Null => source,
        roi => json!({
            "__type__": "CropArrayConfig", "name": "crop", "source_array_config": source, "roi": roi,
        }),
    };
    let numbers = |key: &str| {
        let list: Vec<i64> = serde_json::from_value(case["roi"][key].clone()).unwrap();
        geometry::Coordinate::new(&list).unwrap()
    };
    // The recorded mask knows the id 37 as generic, which only this crate's form can say.
    let mask = json!({
        "kind": "mask", "source": source, "groups": groupings, "rule": "generic", "generic_ids": [37],
    });
    let target = json!({
        "__type__": "BinarizeArrayConfig", "name": "gt", "source_array_config": source,
        "groupings": groupings, "background": case["background"],
    });
    let mut compared = 0;
    for (config, answer) in [(mask, &case["mask"]), (target, &case["binarize"])] {
        let array = ArrayConfig::from_json(&config.to_string()).unwrap().build(&golden()).unwrap();
        let roi = match &case["roi"] {
            Value::Null => *array.roi(),
            _ => Roi::new(numbers("offset"), numbers("shape")).unwrap(),
        };
        let found = array.read_as::<u8>(&roi).unwrap();
        let shape: Vec<usize> = serde_json::from_value(answer["shape"].clone()).unwrap();
        assert_eq!(found.shape(), shape, "{}", case["id"]);
        // An id that is listed twice counts twice there.
        let expected = recorded(answer["file"].as_str().unwrap());
        let expected: Vec<u8> = expected.into_iter().map(|value| value.min(1)).collect();
        assert!(found.as_slice().unwrap() == expected, "{}", case["id"]);
        compared += expected.len();
    }
    compared
}

#[test]
fn configs_over_the_recorded_crops_give_the_recorded_masks_and_targets() {
    let manifest = std::fs::read_to_string(golden().join("manifest.json")).unwrap();
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    let (mut cases, mut voxels) = (0, 0);
    for crop in manifest["crops"].as_array().unwrap() {
        for case in crop["cases"].as_array().unwrap() {
            let id = case["id"].as_str().unwrap();
            let is_read = case["mask"]["file"].is_string() && case["binarize"]["file"].is_string();
            // A config without groups is refused.
            let groupings = &manifest["groupings"][case["groupings"].as_str().unwrap()];
            // Other voxels, or the same elsewhere, on purpose: the conformance runner knows why.
            let differs = ["forder_aniso", "ome_parent", "defaults", "snap/full", "negative_shape"];
            if !is_read
                || differs.iter().any(|part| id.contains(part))
                || id.contains("axes/")
                || groupings == &json!([])
            {
                continue;
            }
            voxels +=
                compare(crop, case, &manifest["groupings"][case["groupings"].as_str().unwrap()]);
            cases += 1;
        }
    }
    assert!(cases >= 85 && voxels > 5_000_000, "{cases} cases, {voxels} voxels");
}

#[test]
fn a_snapped_crop_shows_the_recorded_voxels_of_that_place() {
    // The original reads other voxels after snapping; without it, these.
    let manifest = std::fs::read_to_string(golden().join("manifest.json")).unwrap();
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    let mut crops = manifest["crops"].as_array().unwrap().iter();
    let crop = crops.find(|crop| crop["path"] == "crops/v2_u16_gzip_slash.zarr").unwrap();
    let case = |end: &str| {
        let mut cases = crop["cases"].as_array().unwrap().iter();
        cases.find(|case| case["id"].as_str().unwrap().ends_with(end)).unwrap().clone()
    };
    let (mut snapped, unsnapped) = (case("snap/full"), case("snap/full_without_snap"));
    assert_ne!(snapped["mask"]["sha256_npy"], unsnapped["mask"]["sha256_npy"]);
    for answer in ["mask", "binarize"] {
        snapped[answer] = unsnapped[answer].clone();
    }
    let groupings = &manifest["groupings"][snapped["groupings"].as_str().unwrap()];
    assert!(compare(crop, &snapped, groupings) > 0);
}
