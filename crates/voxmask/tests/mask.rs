//! `voxmask mask`: what is written is what the labels and the annotations say, voxel by voxel.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use std::fs;
use std::ops::Range;
use std::path::Path;

use array_core::{AnyArray, Array, ArrayExt};
use common::{
    CNNECTOME, Crop, FRACTIONS, GENERIC, GROUPS, GROUPS_TOML, IDS, STRICT, Sandbox, WHOLE, arg,
    assert_voxels, bytes_of, json_file, labels, model_mask, model_target, ones, typed, v2_by_hand,
};
use ndarray::{ArrayD, Dimension, Slice};
use predicates::prelude::*;
use serde_json::{Value, json};
use zarr_source::{Compression, ZarrArray, ZarrFormat};

const SHAPE: [usize; 3] = [10, 12, 9];
const LABELS: &str = "crop.zarr/all/s0";

/// A crop with the labels of the model and a groups file.
fn crop(crop: &Crop<'_>) -> (Sandbox, ArrayD<i128>) {
    let sandbox = Sandbox::new();
    let voxels = labels(&SHAPE, &IDS);
    crop.store(&sandbox.path("crop.zarr"), &typed::<u8>(&voxels));
    sandbox.write("groups.toml", GROUPS_TOML);
    (sandbox, voxels)
}

fn group_ids() -> Vec<&'static [i128]> {
    GROUPS.iter().map(|(_, ids)| *ids).collect()
}

/// Checks mask and target of an output against the model.
#[track_caller]
fn check(out: &Path, voxels: &ArrayD<i128>, kept: &[bool], groups: &[&[i128]]) {
    assert_voxels(&bytes_of(&out.join("mask/s0")), &model_mask(voxels, kept));
    assert_voxels(&bytes_of(&out.join("target/s0")), &model_target(voxels, groups, 0));
}

/// The voxels of a part.
fn part_of(voxels: &ArrayD<i128>, ranges: &[Range<usize>]) -> ArrayD<i128> {
    voxels.slice_each_axis(|axis| Slice::from(ranges[axis.axis.index()].clone())).to_owned()
}

/// Makes the voxels of a part unlabelled.
fn clear(voxels: &mut ArrayD<i128>, ranges: &[Range<usize>]) {
    voxels.slice_each_axis_mut(|axis| Slice::from(ranges[axis.axis.index()].clone())).fill(0);
}

#[test]
fn masks_and_targets_are_those_of_the_model_in_every_format() {
    for source in [ZarrFormat::V2, ZarrFormat::V3] {
        let (sandbox, voxels) = crop(&Crop { format: source, place: FRACTIONS, ..Crop::default() });
        for format in ["2", "3"] {
            let out = format!("out{format}.zarr");
            let args = ["mask", LABELS, "--groups", "groups.toml", "--targets", "-o", &out];
            sandbox.succeeds(&[&args[..], &["--zarr-format", format]].concat());
            check(&sandbox.path(&out), &voxels, &STRICT, &group_ids());
            let mask = ZarrArray::open(sandbox.path(&out).join("mask/s0")).unwrap();
            let labels = ZarrArray::open(sandbox.path(LABELS)).unwrap();
            assert_eq!(mask.metadata().zarr_format().to_string(), format!("Zarr v{format}"));
            assert_eq!(mask.roi(), labels.roi());
            assert_eq!(mask.info().grid(), labels.info().grid());
            assert_eq!(mask.info().unit(), labels.info().unit());
            assert_eq!(mask.axes(), ["c", "z", "y", "x"]);
            let names: Vec<&str> = GROUPS.iter().map(|(name, _)| *name).collect();
            assert_eq!(mask.channels().unwrap(), names);
        }
    }
}

#[test]
fn without_targets_only_the_mask_is_written() {
    let (sandbox, voxels) = crop(&Crop::default());
    sandbox.succeeds(&["mask", LABELS, "--group", "mito=3,4", "-o", "out.zarr"]);
    assert!(!sandbox.path("out.zarr/target").exists());
    assert_voxels(&bytes_of(&sandbox.path("out.zarr/mask/s0")), &model_mask(&voxels, &[true]));
}

#[test]
fn each_rule_keeps_the_channels_that_it_should() {
    let (sandbox, voxels) = crop(&Crop::default());
    let rules = [("strict", STRICT), ("generic", GENERIC), ("cnnectome", CNNECTOME)];
    for (rule, kept) in rules {
        let out = format!("{rule}.zarr");
        let args = ["mask", LABELS, "--groups", "groups.toml", "--targets", "--json", "-o", &out];
        let found = sandbox.json(&[&args[..], &["--rule", rule]].concat());
        check(&sandbox.path(&out), &voxels, &kept, &group_ids());
        let said: Vec<bool> =
            found["channels"].as_array().unwrap().iter().map(|c| c["kept"] == true).collect();
        assert_eq!(said, kept, "{rule}");
        assert_eq!(found["rule"], rule);
    }
}

#[test]
fn generic_ids_on_the_command_line_hold_for_every_group_that_has_them() {
    let (sandbox, voxels) = crop(&Crop::default());
    let groups = ["--group", "nucleus=20,24,37", "--group", "er=16,17", "--group", "hchrom=24"];
    let args =
        [&["mask", LABELS, "--rule", "generic", "--overwrite", "-o", "out.zarr"], &groups[..]]
            .concat();
    for (generic, kept) in [
        (None, [false, false, false]),
        (Some("37"), [true, false, false]),
        (Some("37,16"), [true, true, false]),
        (Some("24"), [false, false, false]),
    ] {
        let more = generic.map(|ids| vec!["--generic-ids", ids]).unwrap_or_default();
        sandbox.succeeds(&[args.clone(), more].concat());
        assert_voxels(&bytes_of(&sandbox.path("out.zarr/mask/s0")), &model_mask(&voxels, &kept));
    }
}

#[test]
fn the_background_is_the_label_that_a_group_without_ids_does_not_have() {
    let sandbox = Sandbox::new();
    let voxels = labels(&SHAPE, &[-3, 0, 1, 4]);
    Crop::default().store(&sandbox.path("crop.zarr"), &typed::<i16>(&voxels));
    for background in [0, 4, -3] {
        let number = background.to_string();
        let args = ["mask", LABELS, "--group", "any=", "--group", "neg=-3", "--targets"];
        let more = ["--background", &number, "--overwrite", "-o", "out.zarr"];
        sandbox.succeeds(&[&args[..], &more].concat());
        let target = bytes_of(&sandbox.path("out.zarr/target/s0"));
        assert_voxels(&target, &model_target(&voxels, &[&[], &[-3]], background));
        // A negative label can be listed, but nobody has labelled it.
        let mask = bytes_of(&sandbox.path("out.zarr/mask/s0"));
        assert_voxels(&mask, &model_mask(&voxels, &[true, true]));
    }
}

#[test]
fn labels_of_every_integer_type_are_understood() {
    let big = i128::from(u64::MAX);
    let far = 1_i128 << 40;
    let sandbox = Sandbox::new();
    let test = |name: &str, voxels: &ArrayD<i128>, stored: &AnyArray, ids: &[i128]| {
        let container = format!("{name}.zarr");
        Crop::default().store(&sandbox.path(&container), stored);
        let list: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let (source, out) = (format!("{container}/all/s0"), format!("{name}-out.zarr"));
        let group = format!("g={}", list.join(","));
        sandbox.succeeds(&["mask", &source, "--group", &group, "--targets", "-o", &out]);
        check(&sandbox.path(&out), voxels, &[true], &[ids]);
    };
    let voxels = labels(&SHAPE, &[0, 1, 4, far, far + 1, big, big - 1]);
    test("u64", &voxels, &typed::<u64>(&voxels), &[4, far, big]);
    let voxels = labels(&SHAPE, &[0, 1, 4, 70_000, -1, -70_000]);
    test("i32", &voxels, &typed::<i32>(&voxels), &[4, 70_000, -70_000]);
    test("i64", &voxels, &typed::<i64>(&voxels), &[4, 70_000, -70_000]);
    let voxels = labels(&SHAPE, &[0, 1, 4, 65_535]);
    test("u16", &voxels, &typed::<u16>(&voxels), &[4, 65_535]);
    test("u32", &voxels, &typed::<u32>(&voxels), &[4, 65_535]);
    let voxels = labels(&SHAPE, &[0, 1]);
    let stored = voxels.map(|&label| label == 1).into();
    test("bool", &voxels, &stored, &[1]);
}

#[test]
fn labels_of_big_bytes_and_fortran_order_are_understood() {
    let sandbox = Sandbox::new();
    let voxels = labels(&[4, 3, 5], &[0, 3, 260, 1025]);
    let bytes = voxels.t().iter().flat_map(|&l| u16::try_from(l).unwrap().to_be_bytes()).collect();
    let zarray = json!({"shape": [4, 3, 5], "chunks": [4, 3, 5], "dtype": ">u2", "order": "F"});
    let attrs = json!({"voxel_size": [1, 1, 1]});
    v2_by_hand(&sandbox.path("a.zarr"), &zarray, &attrs, &[("0.0.0", bytes)]);
    sandbox.succeeds(&["mask", "a.zarr", "--group", "g=260,3", "--targets", "-o", "out.zarr"]);
    check(&sandbox.path("out.zarr"), &voxels, &[true], &[&[260, 3]]);
}

#[test]
fn chunks_that_are_not_stored_are_unlabelled() {
    for format in [ZarrFormat::V2, ZarrFormat::V3] {
        let (sandbox, mut voxels) = crop(&Crop { format, ..Crop::default() });
        let prefix = if format == ZarrFormat::V2 { "" } else { "c/" };
        for chunk in ["1/0/1", "2/2/2"] {
            fs::remove_file(sandbox.path(LABELS).join(format!("{prefix}{chunk}"))).unwrap();
        }
        clear(&mut voxels, &[4..8, 0..5, 4..8]);
        clear(&mut voxels, &[8..10, 10..12, 8..9]);
        let args = ["mask", LABELS, "--groups", "groups.toml", "--targets", "-o", "out.zarr"];
        sandbox.succeeds(&args);
        check(&sandbox.path("out.zarr"), &voxels, &STRICT, &group_ids());
    }
}

#[test]
fn a_chunk_that_is_not_stored_has_the_fill_value() {
    let sandbox = Sandbox::new();
    let zarray = json!({"shape": [2, 2, 4], "chunks": [2, 2, 2], "dtype": "|u1", "fill_value": 7});
    let chunk = vec![0, 7, 1, 1, 0, 0, 7, 7];
    let array = sandbox.path("a.zarr");
    v2_by_hand(&array, &zarray, &json!({"voxel_size": [1, 1, 1]}), &[("0.0.0", chunk)]);
    let found = sandbox.json(&["mask", "a.zarr", "--group", "g=7", "--json", "-o", "out.zarr"]);
    assert_eq!(found["channels"][0]["known"], 5 + 8);
    assert_eq!(found["channels"][0]["positive"], 3 + 8);
}

#[test]
fn a_region_in_declared_units_is_cut_out_exactly() {
    let (sandbox, voxels) = crop(&Crop { place: FRACTIONS, ..Crop::default() });
    // Voxels 1..8, 2..12 and 3..7 of labels with voxels of 2.62 x 2 x 2.5 nm.
    let part = part_of(&voxels, &[1..8, 2..12, 3..7]);
    for (index, roi) in [
        "13284.91:13303.25,0:20,8:18",
        "[13284.91:13303.25, 0:20, 8:18] nm",
        "13.28491:13.30325, 0:0.02, 0.008:0.018 um",
    ]
    .into_iter()
    .enumerate()
    {
        let out = format!("out{index}.zarr");
        let args = ["mask", LABELS, "--groups", "groups.toml", "--targets", "-o", &out];
        sandbox.succeeds(&[&args[..], &["--roi", roi]].concat());
        check(&sandbox.path(&out), &part, &STRICT, &group_ids());
        let found = sandbox.succeeds(&["inspect", &format!("{out}/mask/s0")]).stdout;
        assert!(found.contains("[13284.91:13303.25, 0:20, 8:18] nm\n"), "{roi}: {found}");
    }
    // A region may begin below zero.
    let args = ["mask", LABELS, "--group", "g=1", "--targets", "-o", "low.zarr"];
    sandbox.succeeds(&[&args[..], &["--roi", "13282.29:13284.91,-4:0,0.5:3"]].concat());
    let part = part_of(&voxels, &[0..1, 0..2, 0..1]);
    check(&sandbox.path("low.zarr"), &part, &[true], &[&[1]]);
}

#[test]
fn the_chunk_shape_is_the_one_asked_for_up_to_the_array_and_changes_no_voxel() {
    let (sandbox, voxels) = crop(&Crop::default());
    for (index, (chunks, shape)) in
        [("3,4,2", [1, 3, 4, 2]), ("5", [1, 5, 5, 5]), ("18446744073709551615", [1, 10, 12, 9])]
            .into_iter()
            .enumerate()
    {
        for format in ["2", "3"] {
            let out = format!("out{index}-{format}.zarr");
            let args = ["mask", LABELS, "--groups", "groups.toml", "--targets", "-o", &out];
            let more = ["--chunks", chunks, "--zarr-format", format];
            sandbox.succeeds(&[&args[..], &more].concat());
            check(&sandbox.path(&out), &voxels, &STRICT, &group_ids());
            let path = sandbox.path(&out).join("mask/s0");
            let written = match format {
                "2" => json_file(&path.join(".zarray"))["chunks"].clone(),
                _ => {
                    json_file(&path.join("zarr.json"))["chunk_grid"]["configuration"]["chunk_shape"]
                        .clone()
                }
            };
            assert_eq!(written, json!(shape), "--chunks {chunks}");
        }
    }
}

#[test]
fn labels_in_a_chunk_far_larger_than_they_are_cost_no_more_than_they_are() {
    let sandbox = Sandbox::new();
    let array = sandbox.path("crop.zarr");
    let zarray = json!({"shape": [4, 4, 4], "chunks": [1 << 20, 1 << 20, 1 << 20], "dtype": "|u1"});
    v2_by_hand(&array, &zarray, &json!({"voxel_size": [4, 4, 4]}), &[]);
    sandbox.succeeds(&["mask", "crop.zarr", "--group", "a=1", "--targets", "-o", "out.zarr"]);
    let mask = bytes_of(&sandbox.path("out.zarr/mask/s0"));
    assert_eq!(mask.shape(), [1, 4, 4, 4]);
    assert!(mask.iter().all(|&voxel| voxel == 0));
}

#[test]
fn groups_may_be_toml_json_or_typed() {
    let (sandbox, voxels) = crop(&Crop::default());
    let pairs = json!(GROUPS.map(|(name, ids)| json!([name, numbers(ids)])));
    let map: Value = GROUPS.iter().map(|(name, ids)| ((*name).to_owned(), numbers(ids))).collect();
    let tables: Value =
        GROUPS.iter().map(|(name, ids)| json!({"name": name, "ids": numbers(ids)})).collect();
    sandbox.write("dacapo.json", &pairs.to_string());
    sandbox.write("object.json", &map.to_string());
    sandbox.write("tables.json", &json!({"group": tables}).to_string());
    let mut typed = Vec::new();
    for (name, ids) in GROUPS {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        typed.push(format!("--group={name}={}", ids.join(",")));
    }
    let typed: Vec<&str> = typed.iter().map(String::as_str).collect();
    let names: Vec<&str> = GROUPS.iter().map(|(name, _)| *name).collect();
    for groups in [
        vec!["--groups", "groups.toml"],
        vec!["--groups", "dacapo.json"],
        vec!["--groups", "object.json"],
        vec!["--groups", "tables.json"],
        typed,
    ] {
        let args = ["mask", LABELS, "--targets", "--overwrite", "-o", "out.zarr"];
        sandbox.succeeds(&[&args[..], &groups].concat());
        check(&sandbox.path("out.zarr"), &voxels, &STRICT, &group_ids());
        let mask = ZarrArray::open(sandbox.path("out.zarr/mask/s0")).unwrap();
        assert_eq!(mask.channels().unwrap(), names, "{groups:?}");
    }
}

fn numbers(ids: &[i128]) -> Value {
    ids.iter().map(|&id| json!(i64::try_from(id).unwrap())).collect()
}

#[test]
fn typed_groups_come_behind_those_of_the_file() {
    let (sandbox, voxels) = crop(&Crop::default());
    let groups = ["--group", "last=99,1", "--groups", "groups.toml", "--group", "empty="];
    let args = ["mask", LABELS, "--targets", "-o", "out.zarr"];
    sandbox.succeeds(&[&args[..], &groups].concat());
    let ids = [group_ids(), vec![&[99, 1], &[]]].concat();
    let kept = [&STRICT[..], &[true, true]].concat();
    check(&sandbox.path("out.zarr"), &voxels, &kept, &ids);
}

#[test]
fn more_channels_than_bits_of_a_word_are_right_too() {
    let (sandbox, voxels) = crop(&Crop::default());
    let ids: Vec<[i128; 2]> = (0..40).map(|channel| [channel, 99 - channel]).collect();
    let typed: Vec<String> =
        ids.iter().enumerate().map(|(n, [a, b])| format!("--group=g{n}={a},{b}")).collect();
    let typed: Vec<&str> = typed.iter().map(String::as_str).collect();
    let args = ["mask", LABELS, "--targets", "-o", "out.zarr"];
    sandbox.succeeds(&[&args[..], &typed].concat());
    let missing = [17, 24, 40];
    let kept: Vec<bool> =
        ids.iter().map(|pair| !pair.iter().any(|id| missing.contains(id))).collect();
    let ids: Vec<&[i128]> = ids.iter().map(<[i128; 2]>::as_slice).collect();
    check(&sandbox.path("out.zarr"), &voxels, &kept, &ids);
}

#[test]
fn json_has_the_numbers_of_every_channel_and_nothing_else_is_printed() {
    let (sandbox, voxels) = crop(&Crop::default());
    let run = sandbox.succeeds(&[
        "mask",
        LABELS,
        "--groups",
        "groups.toml",
        "--targets",
        "--json",
        "-o",
        "out.zarr",
    ]);
    assert_eq!(run.stderr, "");
    let found: Value = serde_json::from_str(&run.stdout).unwrap();
    let (mask, target) = (model_mask(&voxels, &STRICT), model_target(&voxels, &group_ids(), 0));
    let missing: [&[i64]; 5] = [&[], &[17], &[24], &[40], &[]];
    let channels = found["channels"].as_array().unwrap();
    assert_eq!(channels.len(), GROUPS.len());
    for (index, channel) in channels.iter().enumerate() {
        assert_eq!(channel["name"], GROUPS[index].0);
        assert_eq!(channel["ids"], numbers(GROUPS[index].1));
        assert_eq!(channel["kept"], STRICT[index]);
        assert_eq!(channel["missing_ids"], json!(missing[index]));
        assert_eq!(channel["known"], ones(&mask, index));
        assert_eq!(channel["positive"], ones(&target, index));
    }
    assert!(ones(&mask, 0) > 100 && ones(&target, 1) > 100, "the numbers tell something");
    assert_eq!(found["voxels"], voxels.len());
    assert_eq!(found["shape"], json!([5, 10, 12, 9]));
    assert_eq!(found["target"], "target/s0");
    assert_eq!(Path::new(found["output"].as_str().unwrap()).file_name().unwrap(), "out.zarr");
}

#[test]
fn the_numbers_do_not_depend_on_whether_targets_are_written() {
    let (sandbox, _) = crop(&Crop::default());
    let args = ["mask", LABELS, "--groups", "groups.toml", "--json", "-o"];
    let without = sandbox.json(&[&args[..], &["a.zarr"]].concat());
    let with = sandbox.json(&[&args[..], &["b.zarr", "--targets"]].concat());
    assert_eq!(without["channels"], with["channels"]);
    assert_eq!(without["target"], Value::Null);
}

#[test]
fn the_table_tells_each_channel_and_why_it_is_masked() {
    let (sandbox, voxels) = crop(&Crop::default());
    let run = sandbox.succeeds(&["mask", LABELS, "--groups", "groups.toml", "-o", "out.zarr"]);
    assert_eq!(run.stderr, "");
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(lines.len(), 1 + GROUPS.len() + 1, "{}", run.stdout);
    let kept_at = lines[1].find("kept").unwrap();
    let known = ones(&model_mask(&voxels, &STRICT), 0).to_string();
    for (line, (index, (name, _))) in lines[1..].iter().zip(GROUPS.iter().enumerate()) {
        let word = if STRICT[index] { "kept" } else { "masked" };
        assert!(line.trim().starts_with(name) && line[kept_at..].starts_with(word), "{line}");
        assert_eq!(line.contains(&format!(" {known} ")), STRICT[index], "{line}");
    }
    assert!(lines[2].contains("17 is present but was not annotated"), "{}", lines[2]);
    assert!(lines[6].starts_with("wrote mask/s0 to ") && lines[6].ends_with("out.zarr"));
}

#[test]
fn ids_beyond_the_type_of_the_labels_are_told_and_match_nothing() {
    let (sandbox, voxels) = crop(&Crop::default());
    let args = ["mask", LABELS, "--group", "far=300,-1,3", "--targets", "--json", "-o", "out.zarr"];
    let run = sandbox.succeeds(&args);
    for id in ["300", "-1"] {
        let line = run.stderr.lines().find(|line| line.ends_with(&format!(" {id}")));
        let line = line.unwrap_or_else(|| panic!("{id} is not told: {}", run.stderr));
        assert!(line.contains("WARN") && line.contains("far") && line.contains("uint8"), "{line}");
    }
    assert_eq!(run.stderr.lines().count(), 2, "{}", run.stderr);
    serde_json::from_str::<Value>(&run.stdout).unwrap();
    check(&sandbox.path("out.zarr"), &voxels, &[true], &[&[3]]);
}

#[test]
fn labels_without_annotations_are_all_trusted_with_a_warning() {
    let (sandbox, voxels) = crop(&Crop { attrs: json!({}), ..Crop::default() });
    let args = ["mask", LABELS, "--groups", "groups.toml", "--targets", "-o", "out.zarr"];
    sandbox
        .command()
        .args(args)
        .assert()
        .success()
        .stderr(predicate::str::contains("WARN").and(predicate::str::contains("labels")))
        .stdout(predicate::str::contains("WARN").not());
    check(&sandbox.path("out.zarr"), &voxels, &[true; 5], &group_ids());
    let strict = ["mask", LABELS, "--group", "g=1", "-o", "other.zarr", "--require-labels"];
    sandbox.refuses(&strict, 1, &[LABELS, "labels", "hint: ", "--require-labels"]);
}

#[test]
fn required_annotations_that_are_there_change_nothing() {
    let (sandbox, voxels) = crop(&Crop::default());
    let args = ["mask", LABELS, "--groups", "groups.toml", "--targets", "-o", "out.zarr"];
    sandbox.succeeds(&[&args[..], &["--require-labels"]].concat());
    check(&sandbox.path("out.zarr"), &voxels, &STRICT, &group_ids());
}

/// The `multiscales` entry of an output, and the attributes of its array.
fn metadata(out: &Path, image: &str, format: &str) -> (Value, Value) {
    if format == "2" {
        let group = json_file(&out.join(image).join(".zattrs"));
        assert_eq!(group["multiscales"][0]["version"], "0.4");
        let attrs = json_file(&out.join(image).join("s0/.zattrs"));
        return (group["multiscales"][0].clone(), attrs);
    }
    let group = json_file(&out.join(image).join("zarr.json"));
    assert_eq!(group["attributes"]["ome"]["version"], "0.5");
    let array = json_file(&out.join(image).join("s0/zarr.json"));
    assert_eq!(array["dimension_names"], json!(["c", "z", "y", "x"]));
    (group["attributes"]["ome"]["multiscales"][0].clone(), array["attributes"].clone())
}

#[test]
fn the_output_tells_its_place_to_ome_and_to_funlib() {
    for format in ["2", "3"] {
        let (sandbox, _) = crop(&Crop { place: FRACTIONS, ..Crop::default() });
        let args = ["mask", LABELS, "--groups", "groups.toml", "--targets", "-o", "out.zarr"];
        sandbox.succeeds(&[&args[..], &["--zarr-format", format]].concat());
        for image in ["mask", "target"] {
            let (ome, attrs) = metadata(&sandbox.path("out.zarr"), image, format);
            let nm = |name: &str| json!({"name": name, "type": "space", "unit": "nanometer"});
            let axes = json!([{"name": "c", "type": "channel"}, nm("z"), nm("y"), nm("x")]);
            assert_eq!(ome["axes"], axes);
            // The centre of voxel 0: the corner and half a voxel.
            let transforms = json!([
                {"type": "scale", "scale": [1, 2.62, 2, 2.5]},
                {"type": "translation", "translation": [0, 13283.6, -3, 1.75]},
            ]);
            assert_eq!(ome["datasets"][0]["coordinateTransformations"], transforms);
            assert_eq!(ome["datasets"][0]["path"], "s0");
            assert_eq!(attrs["voxel_size"], json!([2.62, 2, 2.5]));
            assert_eq!(attrs["offset"], json!([13282.29, -4, 0.5]));
            assert_eq!(attrs["axis_names"], json!(["c^", "z", "y", "x"]));
            assert_eq!(attrs["units"], json!(["nm", "nm", "nm"]));
            let names = GROUPS.map(|(name, _)| name);
            assert_eq!(attrs["channel_names"], json!(names));
            assert_eq!(attrs["kept"], json!(STRICT));
        }
    }
}

#[test]
fn the_output_tells_how_it_was_made() {
    for format in ["2", "3"] {
        let (sandbox, _) = crop(&Crop::default());
        let args = ["mask", LABELS, "--groups", "groups.toml", "--rule", "generic", "--json"];
        let more = ["--background", "99", "-o", "out.zarr", "--zarr-format", format];
        let printed = sandbox.json(&[&args[..], &more].concat());
        let root = sandbox.path("out.zarr");
        let made = match format {
            "2" => json_file(&root.join(".zattrs"))["voxmask"].clone(),
            _ => json_file(&root.join("zarr.json"))["attributes"]["voxmask"].clone(),
        };
        assert_eq!(made["source"], LABELS);
        assert_eq!(made["rule"], "generic");
        assert_eq!(made["background"], "99");
        assert_eq!(made["version"], env!("CARGO_PKG_VERSION"));
        assert_eq!(made["groups"][2]["ids"], json!([20, 24, 37]));
        assert_eq!(made["groups"][2]["generic_ids"], json!([37]));
        assert_eq!(made["channels"], printed["channels"]);
        // The image says it too, for whoever copies it from its container.
        let image = match format {
            "2" => json_file(&root.join("mask/.zattrs")),
            _ => json_file(&root.join("mask/zarr.json"))["attributes"].clone(),
        };
        assert_eq!(image["voxmask"]["groups"], made["groups"]);
    }
}

#[test]
fn geometry_of_the_user_reaches_the_output() {
    let (sandbox, voxels) = crop(&Crop { place: WHOLE, ..Crop::default() });
    let place = ["--voxel-size", "2.62,2,2", "--offset", "1.31,-8,0", "--unit", "um"];
    let args = ["mask", LABELS, "--group", "g=1", "--targets", "-o", "out.zarr"];
    sandbox.succeeds(&[&args[..], &place].concat());
    check(&sandbox.path("out.zarr"), &voxels, &[true], &[&[1]]);
    let text = sandbox.succeeds(&["inspect", "out.zarr/mask/s0"]).stdout;
    assert!(text.contains("voxel size  2.62 x 2 x 2 \u{b5}m\n"), "{text}");
    assert!(text.contains("corner  1.31, -8, 0 \u{b5}m\n"), "{text}");
}

#[test]
fn an_existing_output_is_replaced_only_if_asked() {
    let (sandbox, voxels) = crop(&Crop::default());
    sandbox.succeeds(&["mask", LABELS, "--group", "g=1", "--targets", "-o", "out.zarr"]);
    let again = ["mask", LABELS, "--group", "g=3", "--targets", "-o", "out.zarr"];
    sandbox.refuses(&again, 1, &["out.zarr", "exists", "hint: ", "--overwrite"]);
    check(&sandbox.path("out.zarr"), &voxels, &[true], &[&[1]]);
    let names: Vec<_> = sandbox.listing().into_keys().filter(|p| p.iter().count() == 1).collect();

    // Of the old container nothing stays, not even what the new one does not have.
    fs::write(sandbox.path("out.zarr/target/note"), "old").unwrap();
    let args = ["mask", LABELS, "--group", "g=17", "-o", "out.zarr", "--overwrite"];
    sandbox.succeeds(&args);
    let mask = bytes_of(&sandbox.path("out.zarr/mask/s0"));
    assert_voxels(&mask, &model_mask(&voxels, &[false]));
    assert!(!sandbox.path("out.zarr/target").exists());
    let now: Vec<_> = sandbox.listing().into_keys().filter(|p| p.iter().count() == 1).collect();
    assert_eq!(names, now, "nothing is left beside the output");
}

#[test]
fn overwriting_replaces_neither_other_files_nor_the_labels_themselves() {
    let (sandbox, _) = crop(&Crop::default());
    fs::create_dir(sandbox.path("photos")).unwrap();
    sandbox.write("photos/cat.txt", "a cat");
    let onto = |out: &str, needles: &[&str]| {
        let args = ["mask", LABELS, "--group", "g=1", "--overwrite", "-o", out];
        let run = sandbox.refuses(&args, 1, &[&[out], needles].concat());
        assert!(!run.stderr.contains("hint: "), "there is no way out: {}", run.stderr);
    };
    onto("groups.toml", &["not a Zarr container"]);
    onto("photos", &["not a Zarr container"]);
    onto("crop.zarr", &["would replace the labels"]);
    onto("crop.zarr/all", &["would replace the labels"]);
    onto(LABELS, &["would replace the labels"]);
    onto("./photos/../crop.zarr", &["would replace the labels"]);
}

#[test]
fn an_output_may_lie_beside_the_labels_in_their_container() {
    let (sandbox, voxels) = crop(&Crop { compression: Compression::None, ..Crop::default() });
    let before = sandbox.listing();
    sandbox.succeeds(&["mask", LABELS, "--group", "g=1", "--targets", "-o", "crop.zarr/masks"]);
    check(&sandbox.path("crop.zarr/masks"), &voxels, &[true], &[&[1]]);
    fs::remove_dir_all(sandbox.path("crop.zarr/masks")).unwrap();
    sandbox.assert_unchanged(&before);
}

#[test]
fn labels_in_a_plane_give_masks_in_a_plane() {
    let sandbox = Sandbox::new();
    let voxels = labels(&[9, 14], &IDS);
    let place = common::Place { voxel_size: &["2.5", "2"], corner: &["0.5", "10"] };
    Crop { axes: &["y", "x"], chunks: &[4, 6], place, ..Crop::default() }
        .store(&sandbox.path("crop.zarr"), &typed::<u8>(&voxels));
    sandbox.write("groups.toml", GROUPS_TOML);
    let path = sandbox.path(LABELS);
    let args = ["mask", arg(&path), "--groups", "groups.toml", "--targets", "-o", "out.zarr"];
    sandbox.succeeds(&args);
    check(&sandbox.path("out.zarr"), &voxels, &STRICT, &group_ids());
    assert_eq!(ZarrArray::open(sandbox.path("out.zarr/mask/s0")).unwrap().axes(), ["c", "y", "x"]);
}

#[test]
fn levels_have_half_the_resolution_and_say_where_they_lie() {
    for format in ["2", "3"] {
        let (sandbox, voxels) = crop(&Crop { place: FRACTIONS, ..Crop::default() });
        let args = ["mask", LABELS, "--groups", "groups.toml", "--targets", "-o", "out.zarr"];
        let more = ["--levels", "3", "--zarr-format", format, "--json"];
        let told = sandbox.json(&[&args[..], &more].concat());
        assert_eq!(told["levels"], json!(["s0", "s1", "s2"]));
        assert_eq!(told["resumed_at"], Value::Null);
        check(&sandbox.path("out.zarr"), &voxels, &STRICT, &group_ids());
        let known = model_mask(&voxels, &STRICT);
        let belongs = model_target(&voxels, &group_ids(), 0);
        for (level, factor) in [(1, 2), (2, 4)] {
            let count = |voxels: &ArrayD<u8>, index: &[usize]| {
                let cube = ndarray::indices((factor, factor, factor)).into_iter();
                let place = |(z, y, x)| {
                    [index[0], index[1] * factor + z, index[2] * factor + y, index[3] * factor + x]
                };
                cube.map(|inside| usize::from(voxels[&place(inside)[..]])).sum::<usize>()
            };
            let shape: Vec<usize> = [5].into_iter().chain(SHAPE.map(|n| n / factor)).collect();
            let model = |is_one: &dyn Fn(&[usize]) -> bool| {
                ArrayD::from_shape_fn(&shape[..], |index| u8::from(is_one(index.slice())))
            };
            let all = factor * factor * factor;
            let mask = model(&|index| count(&known, index) == all);
            let target = model(&|index| 2 * count(&belongs, index) > all);
            let path = |image: &str| sandbox.path("out.zarr").join(format!("{image}/s{level}"));
            assert_voxels(&bytes_of(&path("mask")), &mask);
            assert_voxels(&bytes_of(&path("target")), &target);
        }
        let (ome, _) = metadata(&sandbox.path("out.zarr"), "mask", format);
        // The corner and half a voxel: 13282.29 + 2 * 2.62, -4 + 2 * 2, 0.5 + 2 * 2.5.
        let transforms = json!([
            {"type": "scale", "scale": [1, 10.48, 8, 10]},
            {"type": "translation", "translation": [0, 13287.53, 0, 5.5]},
        ]);
        assert_eq!(ome["datasets"][2]["path"], "s2");
        assert_eq!(ome["datasets"][2]["coordinateTransformations"], transforms);
        let text = sandbox.succeeds(&["inspect", "out.zarr/mask/s2"]).stdout;
        assert!(text.contains("corner  13282.29, -4, 0.5 nm\n"), "{text}");
        assert!(text.contains("voxel size  10.48 x 8 x 10 nm\n"), "{text}");
    }
}

#[test]
fn shards_and_codecs_are_those_asked_for_and_change_no_voxel() {
    let (sandbox, voxels) = crop(&Crop::default());
    let args = ["mask", LABELS, "--groups", "groups.toml", "--targets", "-o", "out.zarr"];
    for (codec, name, level) in [
        ("zstd", "zstd", Some(("level", 3))),
        ("zstd:19", "zstd", Some(("level", 19))),
        ("gzip", "gzip", Some(("level", 6))),
        ("gzip:0", "gzip", Some(("level", 0))),
        ("blosc-lz4:9", "blosc", Some(("clevel", 9))),
        ("none", "bytes", None),
    ] {
        let more = ["--codec", codec, "--chunks", "2,3,3", "--shards", "4,12,6", "--overwrite"];
        sandbox.succeeds(&[&args[..], &more].concat());
        check(&sandbox.path("out.zarr"), &voxels, &STRICT, &group_ids());
        let array = json_file(&sandbox.path("out.zarr/mask/s0/zarr.json"));
        assert_eq!(array["chunk_grid"]["configuration"]["chunk_shape"], json!([1, 4, 12, 6]));
        let shards = &array["codecs"][0]["configuration"];
        assert_eq!(shards["chunk_shape"], json!([1, 2, 3, 3]));
        let last = shards["codecs"].as_array().unwrap().last().unwrap();
        assert_eq!(last["name"], name, "{codec}");
        if let Some((key, value)) = level {
            assert_eq!(last["configuration"][key], value, "{codec}");
        }
    }
}

#[test]
fn options_of_the_output_that_mean_nothing_are_wrong_usage() {
    let (sandbox, _) = crop(&Crop::default());
    let refused = |more: &str, needles: &[&str]| {
        let args = ["mask", LABELS, "--group", "g=1", "-o", "out.zarr"];
        let more: Vec<&str> = more.split(' ').collect();
        sandbox.refuses(&[&args[..], &more].concat(), 2, needles);
    };
    refused("--codec lzma", &["lzma", "zstd, blosc-lz4, gzip and none"]);
    refused("--codec gzip:10", &["gzip has the levels 0 to 9, not 10"]);
    refused("--codec zstd:0", &["zstd has the levels 1 to 22, not 0"]);
    refused("--codec zstd:x", &["\"x\" is not a level"]);
    refused("--codec none:3", &["none has no levels"]);
    refused("--levels 0", &["--levels", "at least 1"]);
    refused("--levels 5", &["--levels", "axis x has 9 voxels", "4 levels"]);
    refused("--mask-levels any", &["--levels"]);
    refused("--levels 2 --mask-levels most", &["most", "all, any and mean"]);
    refused("--levels 2 --target-levels mean", &["--targets"]);
    refused("--shards 5 --chunks 4", &["--shards", "[5, 5, 5]", "[4, 4, 4]"]);
    refused("--shards 4,4 --chunks 4", &["--shards [4, 4]", "3 positive"]);
    refused("--shards 4 --chunks 4 --zarr-format 2", &["--shards", "version 3"]);
    refused("--resume --overwrite", &["--resume", "--overwrite"]);
}

#[test]
fn nothing_to_resume_is_told_with_a_way_out() {
    let (sandbox, _) = crop(&Crop::default());
    let args = ["mask", LABELS, "--group", "g=1", "-o", "out.zarr", "--resume"];
    sandbox.refuses(&args, 1, &["nothing to resume", "out.zarr", "hint: leave out --resume"]);
    sandbox.succeeds(&args[..args.len() - 1]);
    let before = sandbox.listing();
    let told = sandbox.json(&[&args[..], &["--json"]].concat());
    assert_eq!(told["resumed_at"], 1.0);
    sandbox.assert_unchanged(&before);
    let other = ["mask", LABELS, "--group", "g=3", "-o", "out.zarr", "--resume"];
    sandbox.refuses(&other, 1, &["another job", "groups was", "--overwrite"]);
}
