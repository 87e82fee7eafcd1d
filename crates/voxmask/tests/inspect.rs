//! `voxmask inspect`: what an array is, for people and for programs.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{
    Crop, FRACTIONS, IDS, Sandbox, WHOLE, arg, entries, labels, typed, v2_by_hand, write_json,
};
use predicates::prelude::*;
use serde_json::{Value, json};
use zarr_source::ZarrFormat;

/// JSON text without the white space between its tokens.
fn compact(text: &str) -> String {
    text.split_whitespace().collect()
}

/// An array of 2 x 3 x 4 zeros with these attributes.
fn bare(array: &Path, attrs: &Value) -> PathBuf {
    let zarray = json!({"shape": [2, 3, 4], "chunks": [2, 3, 4], "dtype": "|u1"});
    v2_by_hand(array, &zarray, attrs, &[])
}

/// A container whose geometry stands only in OME-NGFF metadata.
fn ome_only(container: &Path, format: u8) -> PathBuf {
    let multiscale = json!({
        "axes": [
            {"name": "z", "type": "space", "unit": "nanometer"},
            {"name": "y", "type": "space", "unit": "nanometer"},
            {"name": "x", "type": "space", "unit": "nanometer"},
        ],
        "datasets": [{"path": "s0", "coordinateTransformations": [
            {"type": "scale", "scale": [2.62, 4.0, 8]},
            {"type": "translation", "translation": [101.31, 2.0, -12]},
        ]}],
    });
    if format == 2 {
        let mut multiscale = multiscale;
        multiscale["version"] = json!("0.4");
        write_json(&container.join(".zgroup"), &json!({"zarr_format": 2}));
        write_json(&container.join(".zattrs"), &json!({"multiscales": [multiscale]}));
        return bare(&container.join("s0"), &json!({}));
    }
    let ome = json!({"ome": {"version": "0.5", "multiscales": [multiscale]}});
    let group = json!({"zarr_format": 3, "node_type": "group", "attributes": ome});
    write_json(&container.join("zarr.json"), &group);
    let array = json!({
        "zarr_format": 3, "node_type": "array", "shape": [2, 3, 4], "data_type": "uint8",
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [2, 3, 4]}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": 0, "codecs": [{"name": "bytes"}], "attributes": {},
    });
    write_json(&container.join("s0/zarr.json"), &array);
    container.join("s0")
}

#[test]
fn json_says_everything_about_an_array_of_either_format() {
    for (format, number) in [(ZarrFormat::V2, 2), (ZarrFormat::V3, 3)] {
        let sandbox = Sandbox::new();
        let crop = Crop { format, place: FRACTIONS, ..Crop::default() };
        let array = crop.store(&sandbox.path("c.zarr"), &typed::<u16>(&labels(&[6, 7, 5], &IDS)));
        let found = sandbox.json(&["inspect", "c.zarr/all/s0", "--json"]);
        let path = array.canonicalize().unwrap();
        assert_eq!(Path::new(found["path"].as_str().unwrap()).canonicalize().unwrap(), path);
        for (key, expected) in [
            ("zarr_format", json!(number)),
            ("dtype", json!("uint16")),
            ("shape", json!([6, 7, 5])),
            ("chunk_shape", json!([4, 5, 4])),
            ("axes", json!(["z", "y", "x"])),
            ("units", json!(["nanometer", "nanometer", "nanometer"])),
            ("geometry_source", json!("own voxel_size")),
        ] {
            assert_eq!(found[key], expected, "{key} of format {number}");
        }
        assert_eq!(found["world_unit"]["unit"], "nanometer");
        let listed = found["labels"].as_array().unwrap();
        assert_eq!(listed.len(), entries().as_array().unwrap().len());
        let missing: Vec<&Value> =
            listed.iter().filter(|e| e["missing"] == true).map(|e| &e["value"]).collect();
        assert_eq!(missing, [17, 24, 40]);
        assert_eq!(listed[2]["annotated"], "sparse");
        assert_eq!(listed[2]["name"]["short"], "Mito lumen");
    }
}

#[test]
fn lengths_that_are_no_integers_are_printed_as_they_were_written() {
    for format in [ZarrFormat::V2, ZarrFormat::V3] {
        let sandbox = Sandbox::new();
        let crop = Crop { format, place: FRACTIONS, ..Crop::default() };
        crop.store(&sandbox.path("c.zarr"), &typed::<u8>(&labels(&[6, 7, 5], &IDS)));
        let text = compact(&sandbox.succeeds(&["inspect", "c.zarr/all/s0", "--json"]).stdout);
        for part in [
            r#""voxel_size":[2.62,2,2.5],"#,
            r#""offset":[13282.29,-4,0.5],"#,
            r#""roi":{"offset":[13282.29,-4,0.5],"shape":[15.72,14,12.5]},"#,
            r#""world_unit":{"unit":"nanometer","step":0.01},"#,
        ] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
        sandbox
            .command()
            .args(["inspect", "c.zarr/all/s0"])
            .assert()
            .success()
            .stdout(predicate::str::contains("voxel size  2.62 x 2 x 2.5 nm\n"))
            .stdout(predicate::str::contains("corner  13282.29, -4, 0.5 nm\n"))
            .stdout(predicate::str::contains("region  [13282.29:13298.01, -4:10, 0.5:13] nm\n"))
            .stdout(predicate::str::contains("world unit  0.01 nm\n"));
    }
}

#[test]
fn floats_with_rounding_errors_are_read_as_the_decimals_that_were_meant() {
    let sandbox = Sandbox::new();
    let attrs =
        r#"{"voxel_size": [2.6199999999999997, 4.0, 4], "offset": [13282.289999999999, 0, 0.1]}"#;
    bare(&sandbox.path("a.zarr"), &json!({}));
    sandbox.write("a.zarr/.zattrs", attrs);
    let text = compact(&sandbox.succeeds(&["inspect", "a.zarr", "--json"]).stdout);
    assert!(text.contains(r#""voxel_size":[2.62,4,4],"offset":[13282.29,0,0.1],"#), "{text}");
}

#[test]
fn a_translation_of_ome_is_the_centre_of_voxel_0_unless_the_user_says_otherwise() {
    for format in [2, 3] {
        let sandbox = Sandbox::new();
        ome_only(&sandbox.path("o.zarr"), format);
        let text = compact(&sandbox.succeeds(&["inspect", "o.zarr/s0", "--json"]).stdout);
        assert!(text.contains(r#""voxel_size":[2.62,4,8],"offset":[100,0,-16],"#), "{text}");
        assert!(text.contains(r#""stored_offset_is":"centre""#), "{text}");
        let version = if format == 2 { "0.4" } else { "0.5" };
        let source = format!(r#""geometry_source":"ome{version}multiscales"#);
        assert!(text.contains(&source), "{source} is not in {text}");

        let corner = ["inspect", "o.zarr/s0", "--json", "--translation", "corner"];
        let text = compact(&sandbox.succeeds(&corner).stdout);
        assert!(text.contains(r#""voxel_size":[2.62,4,8],"offset":[101.31,2,-12],"#), "{text}");
        assert!(text.contains(r#""stored_offset_is":"corner""#), "{text}");
    }
}

#[test]
fn an_own_offset_is_a_corner_unless_the_user_says_otherwise() {
    let sandbox = Sandbox::new();
    bare(&sandbox.path("a.zarr"), &json!({"voxel_size": [3, 4, 4], "offset": [10, 20, 30]}));
    let offset = |args: &[&str]| {
        let found = sandbox.json(&[&["inspect", "a.zarr", "--json"], args].concat());
        found["offset"].clone()
    };
    assert_eq!(offset(&[]), json!([10, 20, 30]));
    assert_eq!(offset(&["--translation", "centre"]), json!([8.5, 18, 28]));
}

#[test]
fn an_array_without_geometry_is_an_error_with_a_way_out() {
    let sandbox = Sandbox::new();
    bare(&sandbox.path("a.zarr"), &json!({}));
    let needles = ["a.zarr", "no voxel size was found", "voxel_size", "multiscales"];
    let hints = ["hint: ", "--voxel-size", "--unit-voxels"];
    sandbox.refuses(&["inspect", "a.zarr"], 1, &[&needles[..], &hints].concat());

    let unit = sandbox.json(&["inspect", "a.zarr", "--json", "--unit-voxels"]);
    assert_eq!((&unit["voxel_size"], &unit["offset"]), (&json!([1, 1, 1]), &json!([0, 0, 0])));
    assert_eq!(unit["units"], json!([null, null, null]));

    let given = ["--voxel-size", "2.62,2,2", "--offset=-1.31,0,5", "--unit", "um"];
    let args = [&["inspect", "a.zarr", "--json"][..], &given].concat();
    let text = compact(&sandbox.succeeds(&args).stdout);
    assert!(text.contains(r#""voxel_size":[2.62,2,2],"offset":[-1.31,0,5],"#), "{text}");
    assert!(text.contains(r#""units":["micrometer","micrometer","micrometer"],"#), "{text}");
    assert!(text.contains(r#""geometry_source":"thecaller""#), "{text}");
}

#[test]
fn places_that_disagree_are_told_on_standard_error() {
    let sandbox = Sandbox::new();
    let array = ome_only(&sandbox.path("o.zarr"), 2);
    write_json(&array.join(".zattrs"), &json!({"voxel_size": [5, 4, 8], "offset": [0, 0, 0]}));
    let run = sandbox.succeeds(&["inspect", "o.zarr/s0", "--json"]);
    assert!(run.stderr.contains("WARN") && run.stderr.contains("2.62"), "{}", run.stderr);
    let found: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(found["voxel_size"], json!([5, 4, 8]));
    assert!(!found["geometry"]["disagreements"].as_array().unwrap().is_empty());
    let quiet = sandbox.succeeds(&["inspect", "o.zarr/s0", "--json", "--quiet"]);
    assert_eq!(quiet.stderr, "");
}

#[test]
fn labels_of_the_group_stand_in_for_those_of_the_array() {
    let sandbox = Sandbox::new();
    write_json(&sandbox.path("g.zarr/.zgroup"), &json!({"zarr_format": 2}));
    write_json(&sandbox.path("g.zarr/.zattrs"), &json!({"labels": entries()}));
    bare(&sandbox.path("g.zarr/a"), &json!({"voxel_size": [1, 1, 1]}));
    let found = sandbox.json(&["inspect", "g.zarr/a", "--json"]);
    assert_eq!(found["labels"].as_array().unwrap().len(), entries().as_array().unwrap().len());
}

#[test]
fn an_array_without_labels_says_so() {
    let sandbox = Sandbox::new();
    bare(&sandbox.path("a.zarr"), &json!({"voxel_size": [1, 1, 1]}));
    let found = sandbox.json(&["inspect", "a.zarr", "--json"]);
    assert_eq!(found["labels"], Value::Null);
    let text = sandbox.succeeds(&["inspect", "a.zarr"]).stdout;
    assert!(text.contains("no `labels` attribute: it is not known what was annotated"), "{text}");
}

#[test]
fn the_facts_stand_below_each_other_and_the_label_table_lines_up() {
    let sandbox = Sandbox::new();
    let mut attrs = json!({"labels": entries()});
    attrs["labels"][0]["count"] = json!(1_234_567);
    attrs["labels"][1]["num_voxels"] = json!(8);
    let crop = Crop { attrs, place: WHOLE, ..Crop::default() };
    crop.store(&sandbox.path("c.zarr"), &typed::<u8>(&labels(&[6, 7, 5], &IDS)));
    let text = sandbox.succeeds(&["inspect", "c.zarr/all/s0"]).stdout;
    let (facts, table) = text.split_once("\n\n").unwrap();
    for line in facts.lines() {
        let (name, value) = line.split_at(13);
        assert!(name.ends_with("  ") && !name.trim().is_empty(), "{line:?}");
        assert!(!value.starts_with(' '), "{line:?}");
    }
    let column = |line: &str, from: usize, to: usize| line[from..to].trim().to_owned();
    let header = table.lines().next().unwrap();
    let at = |name: &str| header.find(name).unwrap_or_else(|| panic!("{name} in {header:?}"));
    let (class, short, present) = (at("CLASS"), at("SHORT"), at("PRESENT"));
    let (annotated, end) = (at("ANNOTATED"), at("VOXELS") + "VOXELS".len());
    let rows: Vec<Vec<String>> = table
        .lines()
        .skip(1)
        .map(|line| {
            let line = format!("{line:100}");
            let line = line.as_str();
            vec![
                column(line, 0, class),
                column(line, class, short),
                column(line, short, present),
                column(line, present, annotated),
                column(line, annotated, end - "1 234 567".len()),
                column(line, end - "1 234 567".len(), end),
                column(line, end, line.len()),
            ]
        })
        .collect();
    assert_eq!(rows.len(), 12, "{table}");
    assert_eq!(rows[0], ["1", "Class of ECS", "ECS", "yes", "dense", "1 234 567", ""]);
    assert_eq!(rows[1], ["3", "Class of Mito membrane", "Mito membrane", "yes", "dense", "8", ""]);
    assert_eq!(rows[2][4], "sparse");
    assert_eq!(rows[3], ["5", "Class of Mito DNA", "Mito DNA", "no", "empty", "", ""]);
    let missing = "missing: present but not annotated";
    assert_eq!(rows[7], ["17", "Class of ER lumen", "ER lumen", "yes", "empty", "", missing]);
}

#[test]
fn inspecting_changes_nothing() {
    let sandbox = Sandbox::new();
    let crop = Crop::default();
    crop.store(&sandbox.path("c.zarr"), &typed::<u8>(&labels(&[6, 7, 5], &IDS)));
    fs::remove_file(&common::chunk_files(&sandbox.path("c.zarr"))[1]).unwrap();
    let before = sandbox.listing();
    sandbox.succeeds(&["inspect", arg(&sandbox.path("c.zarr/all/s0"))]);
    sandbox.assert_unchanged(&before);
}

#[test]
fn a_scale_level_is_chosen_by_name_or_voxel_size() {
    let sandbox = Sandbox::new();
    for (level, size) in [("s0", 4), ("s1", 8)] {
        bare(
            &sandbox.path(&format!("em.zarr/{level}")),
            &json!({
                "voxel_size": [size, size, size], "offset": [0, 0, 0], "units": ["nm", "nm", "nm"],
            }),
        );
    }
    sandbox.write("em.zarr/.zgroup", r#"{"zarr_format": 2}"#);
    let size = |args: &[&str]| {
        let output = sandbox.succeeds(&[&["inspect", "em.zarr", "--json"], args].concat());
        let found: Value = serde_json::from_str(&output.stdout).unwrap();
        (found["voxel_size"][0].as_i64().unwrap(), found["warnings"].to_string())
    };
    for scale in ["s1", "8nm", "8x8x8 nm", "0.008um"] {
        assert_eq!(size(&["--scale", scale]).0, 8, "{scale}");
    }
    let (first, warnings) = size(&[]);
    assert_eq!(first, 4);
    assert!(warnings.contains("took the scale level s0; there are also s1"), "{warnings}");
    let levels = "s0 (4 x 4 x 4 nm), s1 (8 x 8 x 8 nm)";
    sandbox.refuses(&["inspect", "em.zarr", "--scale", "16nm"], 1, &["16 nm", levels]);
}

#[test]
fn n5_is_called_so_and_has_no_version_of_zarr() {
    let sandbox = Sandbox::new();
    let voxels = typed::<u8>(&labels(&[4, 5, 6], &IDS));
    let crop = Crop { format: ZarrFormat::N5, place: FRACTIONS, ..Crop::default() };
    crop.store(&sandbox.path("c.n5"), &voxels);
    let text = sandbox.succeeds(&["inspect", "c.n5/all"]).stdout;
    assert!(text.contains("format  N5, C order\n"), "{text}");
    assert!(text.contains("voxel size  2.62 x 2 x 2.5 nm\n"), "{text}");
    let found: Value =
        serde_json::from_str(&sandbox.succeeds(&["inspect", "c.n5/all", "--json"]).stdout).unwrap();
    assert_eq!(found["zarr_format"], Value::Null);
    assert_eq!(found["geometry_source"], "own resolution");
    assert_eq!(found["geometry"]["disagreements"], json!([]));
}
