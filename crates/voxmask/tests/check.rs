//! `voxmask check`: what is wrong with made-up ground truth is found, and nothing else.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use common::crop_groups::{CLASSES_CSV, Class, CropGroup, SHAPE, set_attr};
use common::{Crop, Sandbox, arg, entry, labels, typed, v2_by_hand};
use serde_json::{Value, json};
use zarr_source::ZarrFormat;

/// Runs `check --json`, which ends with this code.
#[track_caller]
fn checked(sandbox: &Sandbox, args: &[&str], code: i32) -> Value {
    let run = sandbox.run(&[&["check", "--json"], args].concat());
    assert_eq!(run.code, Some(code), "{}{}", run.stdout, run.stderr);
    serde_json::from_str(&run.stdout).unwrap()
}

/// The findings of the only source: severity, code and subject.
#[track_caller]
fn findings(report: &Value) -> BTreeSet<(String, String, String)> {
    let sources = report["sources"].as_array().unwrap();
    assert_eq!(sources.len(), 1, "{report}");
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
    let of = |finding: &Value| {
        (text(finding, "severity"), text(finding, "code"), text(finding, "subject"))
    };
    sources[0]["findings"].as_array().unwrap().iter().map(of).collect()
}

fn set(expected: &[(&str, &str, &str)]) -> BTreeSet<(String, String, String)> {
    let own = |(severity, code, subject): &(&str, &str, &str)| {
        ((*severity).to_owned(), (*code).to_owned(), (*subject).to_owned())
    };
    expected.iter().map(own).collect()
}

/// Writes labels of 2 x 3 x 4 voxels by hand: `values` in turn, with these attributes and plain voxels.
fn small(sandbox: &Sandbox, name: &str, values: &[u8], attrs: &Value) -> PathBuf {
    let mut all =
        json!({"voxel_size": [8, 4, 4], "offset": [0, 0, 0], "units": ["nm", "nm", "nm"]});
    all["axis_names"] = json!(["z", "y", "x"]);
    all.as_object_mut().unwrap().extend(common::object(attrs.clone()));
    let zarray = json!({"shape": [2, 3, 4], "chunks": [2, 3, 4], "dtype": "|u1"});
    let bytes = values.iter().copied().cycle().take(24).collect();
    v2_by_hand(&sandbox.path(name), &zarray, &all, &[("0.0.0", bytes)])
}

fn dense(id: i128, name: &str) -> Value {
    entry(id, name, true, &json!("dense"))
}

#[test]
fn labels_that_are_as_they_say_give_no_finding() {
    let sandbox = Sandbox::new();
    let mut counted = dense(2, "two");
    counted["count"] = json!(8);
    small(&sandbox, "a.zarr", &[0, 1, 2], &json!({"labels": [dense(1, "one"), counted]}));
    let report = checked(&sandbox, &["a.zarr"], 0);
    assert_eq!(findings(&report), set(&[]));
    let run = sandbox.succeeds(&["check", "a.zarr"]);
    assert_eq!(
        run.stdout,
        "a.zarr  labels, 24 voxels, 16 labelled, 2 ids\n  nothing to report\n\n"
    );
}

#[test]
fn every_finding_of_labels_is_told_with_its_severity() {
    let sandbox = Sandbox::new();
    let mut counted = dense(1, "one");
    counted["count"] = json!(6);
    let list = json!([
        counted,
        dense(2, "two"),
        entry(3, "three", true, &json!("empty")),
        entry(4, "four", false, &json!("empty")),
        dense(300, "far"),
        dense(2, "two again"),
    ]);
    small(&sandbox, "a.zarr", &[0, 1, 3, 4, 9], &json!({"labels": list}));
    let args = ["a.zarr", "--group", "g=1,7,3", "--group", "far=300"];
    let report = checked(&sandbox, &args, 0);
    let expected = set(&[
        ("warning", "count-differs", "1"),
        ("warning", "annotated-without-voxels", "2"),
        ("warning", "duplicate-label", "2"),
        ("warning", "not-annotated", "3"),
        ("warning", "missing-with-voxels", "3"),
        ("warning", "absent-with-voxels", "4"),
        ("warning", "unnamed-id", "9"),
        ("warning", "label-beyond-dtype", "300"),
        ("warning", "annotated-without-voxels", "300"),
        ("warning", "group-id-beyond-dtype", "far"),
        ("warning", "group-id-not-listed", "g"),
        ("info", "rule-cost", "strict, generic, cnnectome"),
    ]);
    assert_eq!(findings(&report), expected);
    assert_eq!(
        (&report["errors"], &report["warnings"], &report["infos"]),
        (&json!(0), &json!(11), &json!(1))
    );
    // Values in turn: 24 voxels of 5 values.
    let source = &report["sources"][0];
    assert_eq!(
        (&source["kind"], &source["voxels"], &source["labelled"]),
        (&json!("labels"), &json!(24), &json!(19))
    );
    let of_rule = &source["rules"][0];
    assert_eq!(of_rule["masked"], json!(["g"]));
    assert_eq!(of_rule["voxels"], 19);
    let counts: Vec<(i64, u64)> = source["labels"]
        .as_array()
        .unwrap()
        .iter()
        .map(|label| (label["id"].as_i64().unwrap(), label["voxels"].as_u64().unwrap()))
        .collect();
    assert_eq!(counts, [(0, 5), (1, 5), (2, 0), (3, 5), (4, 5), (9, 4), (300, 0)]);
}

#[test]
fn labels_that_cannot_be_trusted_at_all_are_errors_or_told() {
    let sandbox = Sandbox::new();
    small(&sandbox, "none.zarr", &[0, 1], &json!({}));
    assert_eq!(
        findings(&checked(&sandbox, &["none.zarr"], 0)),
        set(&[("warning", "no-labels", "")])
    );
    small(&sandbox, "one.zarr", &[1], &json!({"labels": [dense(1, "one")]}));
    assert_eq!(
        findings(&checked(&sandbox, &["one.zarr"], 0)),
        set(&[("warning", "single-valued", "")])
    );
    small(&sandbox, "bad.zarr", &[0, 1], &json!({"labels": [{"value": 1}]}));
    let report = checked(&sandbox, &["bad.zarr"], 1);
    assert_eq!(findings(&report), set(&[("error", "labels-malformed", "")]));
    let zarray = json!({"shape": [2], "chunks": [2], "dtype": "<f4"});
    v2_by_hand(
        &sandbox.path("float.zarr"),
        &zarray,
        &json!({"voxel_size": [1], "units": ["nm"], "axis_names": ["x"]}),
        &[],
    );
    let report = checked(&sandbox, &["float.zarr"], 1);
    assert!(findings(&report).contains(&("error".into(), "not-labels".into(), String::new())));
    let zarray = json!({"shape": [2, 2], "chunks": [2, 2], "dtype": "|u1"});
    let attrs = json!({"voxel_size": [1], "units": ["nm"], "axis_names": ["c^", "x"]});
    v2_by_hand(&sandbox.path("channels.zarr"), &zarray, &attrs, &[]);
    let report = checked(&sandbox, &["channels.zarr"], 1);
    assert!(findings(&report).contains(&("error".into(), "has-channels".into(), String::new())));
    let voxels = labels(&[3, 4, 5], &[-3, 0, 1]);
    let crop = Crop { attrs: json!({"labels": [dense(1, "one")]}), ..Crop::default() };
    crop.store(&sandbox.path("negative.zarr"), &typed::<i16>(&voxels));
    let report = checked(&sandbox, &["negative.zarr/all/s0"], 0);
    assert_eq!(findings(&report), set(&[("warning", "negative-label", "")]));
}

#[test]
fn what_the_metadata_say_of_the_place_twice_or_not_at_all_is_found() {
    let sandbox = Sandbox::new();
    let list = json!([dense(1, "one")]);
    small(&sandbox, "unit.zarr", &[0, 1], &json!({"labels": list, "units": ["", "", ""]}));
    let found = findings(&checked(&sandbox, &["unit.zarr"], 0));
    assert_eq!(found, set(&[("warning", "unit", "")]));
    // The corner of funlib's metadata is given where the centre of OME-NGFF's is: half a voxel apart.
    let crop = Crop { attrs: json!({"labels": list}), ..Crop::default() };
    crop.store(&sandbox.path("half.zarr"), &typed::<u8>(&labels(&[3, 4, 5], &[0, 1])));
    set_attr(&sandbox.path("half.zarr/all/s0"), ZarrFormat::V2, "offset", &json!([84, 2, -38]));
    let report = checked(&sandbox, &["half.zarr/all/s0"], 0);
    assert_eq!(findings(&report), set(&[("warning", "half-voxel", "")]));
    set_attr(&sandbox.path("half.zarr/all/s0"), ZarrFormat::V2, "offset", &json!([800, 2, -38]));
    let report = checked(&sandbox, &["half.zarr/all/s0"], 0);
    assert_eq!(findings(&report), set(&[("warning", "metadata-disagree", "")]));
}

/// A crop with one class of each kind of mistake.
fn wrong_crop() -> (Sandbox, CropGroup) {
    let counted =
        Class { counts: Some(json!({"absent": 7})), ..Class::semantic("counted", &SHAPE, 1) };
    let mut odd = Class::semantic("odd", &SHAPE, 2);
    odd.voxels[[1, 2, 3]] = 77;
    let mut blank = Class::semantic("blank", &SHAPE, 3);
    blank.voxels.fill(255);
    let mut flat = Class::semantic("flat", &SHAPE, 4);
    flat.voxels.fill(0);
    let guess = Class { present: None, ..Class::semantic("guess", &SHAPE, 5) };
    let of_group =
        Class { says: common::crop_groups::Says::Group, ..Class::semantic("of_group", &SHAPE, 6) };
    // Objects on both sides of the value for unknown.
    let objects = Class { unknown: Some(255), ..Class::instances("objects", &SHAPE, 7) };
    let mut objects = objects;
    objects.voxels.mapv_inplace(|value| if value == 65_535 { 255 } else { value });
    let classes = vec![counted, odd, blank, flat, guess, of_group, objects];
    let listed = vec!["counted", "odd", "blank", "flat", "guess", "of_group", "gone", "odd"];
    let group = CropGroup { classes, listed, ..CropGroup::usual(ZarrFormat::V2) };
    let sandbox = Sandbox::new();
    group.store(&sandbox.path("crop.zarr"));
    (sandbox, group)
}

#[test]
fn every_finding_of_a_crop_is_told_with_its_severity() {
    let (sandbox, _) = wrong_crop();
    let report = checked(&sandbox, &["crop.zarr/crop1"], 1);
    let expected = set(&[
        ("error", "unexplained-value", "odd"),
        ("error", "unknown-is-object", "objects"),
        ("warning", "listed-without-array", "gone"),
        ("warning", "listed-twice", "odd"),
        ("warning", "array-not-listed", "objects"),
        ("warning", "no-present-value", "guess"),
        ("warning", "complement-count-differs", "counted"),
        ("warning", "unknown-everywhere", "blank"),
        ("info", "single-valued", "flat"),
        ("info", "encoding-on-group", "of_group"),
    ]);
    assert_eq!(findings(&report), expected);
    assert_eq!(report["sources"][0]["kind"], "crop");
    assert_eq!(report["sources"][0]["voxels"], 7 * 9 * 8);
    // The worst stand first, for people too.
    let run = sandbox.run(&["check", "crop.zarr/crop1"]);
    assert_eq!(run.code, Some(1));
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(lines[0], "crop.zarr/crop1  crop of 7 classes, 504 voxels each");
    let words: Vec<&str> =
        lines[1..11].iter().map(|line| line.split_whitespace().next().unwrap()).collect();
    let mut sorted = words.clone();
    sorted.sort_by_key(|word| ["error", "warning", "info"].iter().position(|w| w == word));
    assert_eq!(words, sorted);
    // The messages begin below each other.
    let begin = |line: &str| line.find("class \"").unwrap();
    assert!(lines[1..11].iter().all(|line| begin(line) == begin(lines[1])), "{lines:#?}");
    assert!(run.stderr.contains("error: 2 errors found\n"), "{}", run.stderr);
}

#[test]
fn a_class_table_tells_of_composites_and_of_classes_that_it_lacks() {
    let group = CropGroup::usual(ZarrFormat::V3);
    let sandbox = Sandbox::new();
    group.store(&sandbox.path("crop.zarr"));
    sandbox.write("classes.csv", CLASSES_CSV);
    let report = checked(&sandbox, &["crop.zarr/crop1", "--classes", "classes.csv"], 1);
    let found = findings(&report);
    for name in ["er", "cell"] {
        let expected = ("warning".into(), "composite-contradicted".into(), name.to_owned());
        assert!(found.contains(&expected), "{found:?}");
    }
    sandbox.write("few.csv", "id,name,constituent_ids\n3,mito_mem,\n");
    let report = checked(&sandbox, &["crop.zarr/crop1", "--classes", "few.csv"], 1);
    let lacks = findings(&report).into_iter().filter(|f| f.1 == "class-not-in-table").count();
    assert_eq!(lacks, 5);
    // Groups that mean nothing for a crop are an error of that crop.
    let args = ["crop.zarr/crop1", "--classes", "classes.csv", "--group", "x=mito_men"];
    let report = checked(&sandbox, &args, 1);
    let wrong = ("error".to_owned(), "group-malformed".to_owned(), String::new());
    assert!(findings(&report).contains(&wrong));
}

#[test]
fn groups_of_class_names_are_understood_of_labels() {
    let sandbox = Sandbox::new();
    let list = json!([dense(3, "mito_mem"), entry(4, "mito_lum", true, &json!("empty"))]);
    small(&sandbox, "a.zarr", &[0, 3], &json!({"labels": list}));
    sandbox.write("classes.csv", CLASSES_CSV);
    sandbox.write(
        "groups.toml",
        "[[group]]\nname = \"mito\"\nclasses = [\"mito_mem\", \"mito_lum\"]\n",
    );
    let args = ["a.zarr", "--groups", "groups.toml", "--classes", "classes.csv"];
    let report = checked(&sandbox, &args, 0);
    assert_eq!(report["sources"][0]["rules"][0]["masked"], json!(["mito"]));
    let report = checked(&sandbox, &["a.zarr", "--group", "x=nobody"], 1);
    assert!(findings(&report).contains(&("error".into(), "group-malformed".into(), String::new())));
}

#[test]
fn many_sources_end_in_a_table_and_a_bad_one_stops_none() {
    let sandbox = Sandbox::new();
    for name in ["crop1.zarr", "crop2.zarr", "other.zarr"] {
        small(&sandbox, name, &[0, 1], &json!({"labels": [dense(1, "one")]}));
    }
    fs::write(sandbox.path("crop2.zarr/.zarray"), "{").unwrap();
    let run = sandbox.run(&["check", "crop*.zarr", "other.zarr", "nowhere.zarr"]);
    assert_eq!(run.code, Some(1));
    let lines: Vec<&str> = run.stdout.lines().collect();
    let header = lines.iter().position(|line| line.contains("SOURCE")).unwrap();
    assert_eq!(lines.len(), header + 6, "{}", run.stdout);
    let cells = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(cells(lines[header]), ["SOURCE", "WHAT", "ERRORS", "WARNINGS", "INFOS"]);
    assert_eq!(cells(lines[header + 1]), ["crop1.zarr", "labels", "0", "0", "0"]);
    assert_eq!(cells(lines[header + 2]), ["crop2.zarr", "1", "0", "0"]);
    assert_eq!(cells(lines[header + 3]), ["other.zarr", "labels", "0", "0", "0"]);
    assert_eq!(cells(lines[header + 4]), ["nowhere.zarr", "1", "0", "0"]);
    assert_eq!(cells(lines[header + 5]), ["4", "sources", "2", "0", "0"]);
    let ends: BTreeSet<usize> = lines[header..].iter().map(|line| line.chars().count()).collect();
    assert_eq!(ends.len(), 1, "{}", run.stdout);
    assert!(run.stderr.contains("error: 2 errors found in 2 of 4 sources"), "{}", run.stderr);

    let report = checked(&sandbox, &["crop*.zarr", "other.zarr"], 1);
    let names: Vec<&str> = report["sources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["source"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["crop1.zarr", "crop2.zarr", "other.zarr"]);
    let broken = &report["sources"][1]["findings"][0];
    assert_eq!((&broken["code"], &broken["severity"]), (&json!("not-readable"), &json!("error")));
    assert!(broken["message"].as_str().unwrap().contains(".zarray"), "{broken}");
}

#[test]
fn a_container_is_checked_crop_by_crop() {
    let sandbox = Sandbox::new();
    CropGroup::usual(ZarrFormat::V2).store(&sandbox.path("crop.zarr"));
    small(&sandbox, "crop.zarr/all", &[0, 1], &json!({"labels": [dense(1, "one")]}));
    let report = checked(&sandbox, &["crop.zarr"], 1);
    let kinds: BTreeSet<&str> =
        report["sources"].as_array().unwrap().iter().map(|s| s["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, BTreeSet::from(["crop", "labels"]));
    fs::create_dir(sandbox.path("empty.zarr")).unwrap();
    fs::write(sandbox.path("empty.zarr/.zgroup"), r#"{"zarr_format": 2}"#).unwrap();
    let report = checked(&sandbox, &["empty.zarr"], 1);
    assert_eq!(findings(&report), set(&[("error", "nothing-to-check", "")]));
}

#[test]
fn arguments_that_mean_nothing_are_wrong_usage() {
    let sandbox = Sandbox::new();
    sandbox.refuses(&["check"], 2, &["SRC"]);
    sandbox.refuses(&["check", "a[.zarr"], 2, &["\"a[.zarr\" is no pattern of paths"]);
    sandbox.refuses(&["check", "x*.zarr"], 1, &["nothing matches \"x*.zarr\""]);
    sandbox.refuses(&["check", "a.zarr", "--unit", "parsec"], 2, &["parsec"]);
}

#[test]
fn a_chunk_that_cannot_be_read_is_an_error_that_names_it() {
    let sandbox = Sandbox::new();
    let array = small(&sandbox, "a.zarr", &[0, 1], &json!({"labels": [dense(1, "one")]}));
    fs::write(array.join("0.0.0"), [1, 2, 3]).unwrap();
    let report = checked(&sandbox, &["a.zarr"], 1);
    assert_eq!(findings(&report), set(&[("error", "not-readable", "")]));
    let message = report["sources"][0]["findings"][0]["message"].as_str().unwrap();
    assert!(message.contains("0.0.0"), "{message}");
}

/// The crops of `VOXMASK_REAL`, which are not part of the project; see `xtask/tests/real_findings.rs`.
#[test]
fn real_crops_have_no_error_and_lack_what_their_table_says() {
    let Some(folder) = std::env::var_os("VOXMASK_REAL").map(PathBuf::from) else {
        println!("VOXMASK_REAL names no folder of real crops: nothing was checked");
        return;
    };
    let sandbox = Sandbox::new();
    let pattern = folder.join("urocell.zarr/fib*/all/s0");
    let report = checked(&sandbox, &[arg(&pattern)], 0);
    let table = fs::read_to_string(folder.join("urocell_state.csv")).unwrap();
    let missing: usize = table
        .lines()
        .skip(1)
        .map(|line| {
            line.split(',').skip(1).take(4).filter(|cell| cell.parse::<u64>().is_err()).count()
        })
        .sum();
    let sources = report["sources"].as_array().unwrap();
    assert_eq!(sources.len(), table.lines().count() - 1);
    let found = sources.iter().flat_map(|source| source["findings"].as_array().unwrap());
    let not_annotated = found.filter(|finding| finding["code"] == "not-annotated").count();
    assert_eq!(not_annotated, missing);
}
