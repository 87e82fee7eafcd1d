//! Crop groups on the command line: masks and targets are those of a slow model, voxel by voxel, and what
//! is said about them is true.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use std::fs;
use std::path::Path;

use array_core::{Array, ArrayExt};
use common::crop_groups::{
    CLASSES_CSV, COMPOSITES, Class, CropGroup, Groups, SHAPE, Table, attrs_v3, edit_attrs, set_attr,
};
use common::{FRACTIONS, Sandbox, assert_voxels, bytes_of, json_file, ones};
use ndarray::{ArrayD, Slice};
use serde_json::{Value, json};
use zarr_source::{ZarrArray, ZarrFormat};

const CROP: &str = "crop.zarr/crop1";

/// A folder with a crop group and a table of its classes.
fn stored(group: &CropGroup) -> Sandbox {
    let sandbox = Sandbox::new();
    group.store(&sandbox.path("crop.zarr"));
    sandbox.write("classes.csv", CLASSES_CSV);
    sandbox
}

fn usual() -> (Sandbox, CropGroup) {
    let group = CropGroup::usual(ZarrFormat::V2);
    (stored(&group), group)
}

/// Each class by itself.
fn one_for_each<'a>(classes: &'a [&'a str]) -> Vec<(&'a str, &'a [&'a str])> {
    classes.iter().map(|name| (*name, std::slice::from_ref(name))).collect()
}

/// Holds mask and target of an output against the model.
#[track_caller]
fn check(out: &Path, group: &CropGroup, groups: Groups<'_>, table: Table<'_>) {
    let (mask, target) = group.model(groups, table);
    assert_voxels(&bytes_of(&out.join("mask/s0")), &mask);
    assert_voxels(&bytes_of(&out.join("target/s0")), &target);
    let array = ZarrArray::open(out.join("mask/s0")).unwrap();
    let names: Vec<&str> = groups.iter().map(|(name, _)| *name).collect();
    assert_eq!(array.channels().unwrap(), names);
}

/// Runs `mask` with targets and JSON into `out.zarr`.
fn mask(sandbox: &Sandbox, source: &str, more: &[&str]) -> Value {
    let args = ["mask", source, "--targets", "--overwrite", "--json", "-o", "out.zarr"];
    sandbox.json(&[&args[..], more].concat())
}

#[test]
fn without_groups_each_listed_class_is_a_channel_in_the_order_of_the_list() {
    for format in [ZarrFormat::V2, ZarrFormat::V3, ZarrFormat::N5] {
        let group = CropGroup { place: FRACTIONS, ..CropGroup::usual(format) };
        let sandbox = stored(&group);
        let found = mask(&sandbox, CROP, &[]);
        check(&sandbox.path("out.zarr"), &group, &one_for_each(&group.listed), &[]);
        let names: Vec<&str> = found["channels"]
            .as_array()
            .unwrap()
            .iter()
            .map(|c| c["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, group.listed, "{format}");
        let mask = ZarrArray::open(sandbox.path("out.zarr/mask/s0")).unwrap();
        let class = ZarrArray::open(sandbox.path(CROP).join("er/s0")).unwrap();
        assert_eq!((mask.roi(), mask.unit()), (class.roi(), class.unit()), "{format}");
        assert_eq!(mask.info().grid(), class.info().grid());
        assert_eq!(mask.axes(), ["c", "z", "y", "x"]);
    }
}

#[test]
fn a_channel_of_classes_is_their_three_valued_or() {
    let (sandbox, group) = usual();
    let groups = ["--group", "er=er_mem,er_lum", "--group", "all=mito_mem,er,cell,mito_lum"];
    mask(&sandbox, CROP, &groups);
    let expected: Groups<'_> =
        &[("er", &["er_mem", "er_lum"]), ("all", &["mito_mem", "er", "cell", "mito_lum"])];
    check(&sandbox.path("out.zarr"), &group, expected, &[]);
    // A class that the crop does not have leaves only what is present known.
    mask(&sandbox, CROP, &["--group", "er=er_mem,golgi"]);
    let expected: Groups<'_> = &[("er", &["er_mem", "golgi"])];
    check(&sandbox.path("out.zarr"), &group, expected, &[]);
    let known = bytes_of(&sandbox.path("out.zarr/mask/s0"));
    assert!((1..known.len() as u64).contains(&ones(&known, 0)));
}

#[test]
fn composite_classes_speak_for_themselves_where_they_know_and_through_their_parts_elsewhere() {
    for format in [ZarrFormat::V2, ZarrFormat::V3] {
        let group = CropGroup::usual(format);
        let sandbox = stored(&group);
        // With an array of its own, without one, of composites, and of classes that are not there.
        let groups = ["er", "mito", "cell", "nuc"];
        let args: Vec<String> = groups.iter().map(|name| format!("{name}={name}")).collect();
        let mut more = vec!["--classes", "classes.csv"];
        more.extend(args.iter().flat_map(|group| ["--group", group]));
        mask(&sandbox, CROP, &more);
        check(&sandbox.path("out.zarr"), &group, &one_for_each(&groups), COMPOSITES);
        // The parts make a difference, or this would test nothing.
        let (with, _) = group.model(&one_for_each(&groups), COMPOSITES);
        let (without, _) = group.model(&one_for_each(&groups), &[]);
        for channel in 0..3 {
            assert!(ones(&with, channel) > ones(&without, channel), "{channel}");
        }
        assert_eq!(ones(&with, 3), 0);
    }
}

#[test]
fn a_groups_file_may_name_classes_or_ids_of_the_table() {
    let (sandbox, group) = usual();
    sandbox.write(
        "names.toml",
        "[[group]]\nname = \"mito\"\nclasses = [\"mito_mem\", \"mito_lum\"]\n\n\
         [[group]]\nname = \"both\"\nids = [\"er\", \"cell\"]\n",
    );
    sandbox.write("names.json", r#"{"mito": ["mito_mem", "mito_lum"], "both": ["er", "cell"]}"#);
    sandbox.write("ids.json", r#"[["mito", [3, 4]], ["both", [51, 60]]]"#);
    sandbox.write(
        "mixed.toml",
        "[[group]]\nname = \"mito\"\nids = [3]\nclasses = [\"mito_lum\"]\n\n\
         [[group]]\nname = \"both\"\nids = [51, \"cell\"]\ngeneric_ids = [51]\n",
    );
    let expected: Groups<'_> = &[("mito", &["mito_mem", "mito_lum"]), ("both", &["er", "cell"])];
    for file in ["names.toml", "names.json"] {
        mask(&sandbox, CROP, &["--groups", file]);
        check(&sandbox.path("out.zarr"), &group, expected, &[]);
    }
    for file in ["names.toml", "names.json", "ids.json", "mixed.toml"] {
        mask(&sandbox, CROP, &["--groups", file, "--classes", "classes.csv"]);
        check(&sandbox.path("out.zarr"), &group, expected, COMPOSITES);
    }
    // Those of the command line follow.
    mask(&sandbox, CROP, &["--groups", "names.toml", "--group", "lum=er_lum"]);
    let expected = [expected, &[("lum", &["er_lum"])]].concat();
    check(&sandbox.path("out.zarr"), &group, &expected, &[]);
}

#[test]
fn the_report_says_what_is_kept_and_what_is_missing() {
    let (sandbox, group) = usual();
    let groups = ["--group", "er=er", "--group", "nuc=nuc", "--group", "two=mito_mem,golgi"];
    let found = mask(&sandbox, CROP, &groups);
    let expected: Groups<'_> =
        &[("er", &["er"]), ("nuc", &["nuc"]), ("two", &["mito_mem", "golgi"])];
    let (known, present) = group.model(expected, &[]);
    let voxels: usize = SHAPE.iter().product();
    let share = |part: u64, whole: usize| {
        f64::from(u32::try_from(part).unwrap()) / f64::from(u32::try_from(whole).unwrap())
    };
    assert_eq!(found["voxels"], voxels);
    assert_eq!(found["shape"], json!([3, 7, 9, 8]));
    assert_eq!(found["rule"], Value::Null);
    let missing = [json!([]), json!(["nuc"]), json!(["golgi"])];
    for (index, (name, classes)) in expected.iter().enumerate() {
        let channel = &found["channels"][index];
        let fraction = share(ones(&known, index), voxels);
        let expected = json!({
            "name": name, "classes": classes, "kept": index != 1, "missing_classes": missing[index],
            "known": ones(&known, index), "positive": ones(&present, index), "fraction": fraction,
        });
        assert_eq!(channel, &expected);
    }
    let table =
        sandbox.succeeds(&[&["mask", CROP, "--overwrite", "-o", "out.zarr"][..], &groups].concat());
    let lines: Vec<&str> = table.stdout.lines().collect();
    assert!(lines[0].contains("CLASSES") && lines[0].contains("KNOWN VOXELS"), "{lines:#?}");
    assert!(lines[1].contains("kept") && lines[1].contains(&ones(&known, 0).to_string()));
    assert!(lines[2].contains("masked") && lines[2].ends_with("nuc is not in the crop"));
    assert!(lines[3].ends_with("never known to be absent: nothing says where golgi is not"));
    assert!(lines[4].starts_with("wrote mask/s0 to "), "{lines:#?}");
    assert_eq!(lines.len(), 5);
}

#[test]
fn the_output_tells_how_it_was_made() {
    let (sandbox, _) = usual();
    let groups = ["--group", "er=er_mem,51", "--group", "nuc=nuc", "--classes", "classes.csv"];
    mask(&sandbox, CROP, &groups);
    let provenance = &attrs_v3(&sandbox.path("out.zarr"))["voxmask"];
    assert_eq!(provenance["source"], CROP);
    assert_eq!(provenance["region"], "[80:136, 0:36, -40:-8] nm");
    assert_eq!(
        provenance["groups"],
        json!([{"name": "er", "classes": ["er_mem", "er"]}, {"name": "nuc", "classes": ["nuc"]}])
    );
    assert_eq!(provenance["channels"][1]["kept"], false);
    for of_labels in ["rule", "background"] {
        assert_eq!(provenance.get(of_labels), None);
    }
    // The attributes of the crop are those of the mask's source, and not its own.
    let mask = attrs_v3(&sandbox.path("out.zarr/mask/s0"));
    assert_eq!(mask["kept"], json!([true, false]));
    assert_eq!(mask.get("cellmap"), None);
}

#[test]
fn unknown_voxels_and_objects_are_told_apart() {
    // The value of unknown may be 0, and any other value of an instance array is an object.
    let shape = [5, 6, 7];
    let class = |name, unknown| Class { unknown, ..Class::instances(name, &shape, 2) };
    let classes = vec![
        class("a", Some(3)),
        class("b", None),
        Class { absent: 12, unknown: Some(0), ..class("c", None) },
        // No value for present: whatever is neither absent nor unknown is it.
        Class { present: None, ..Class::semantic("d", &shape, 3) },
        // A value that nothing explains is unknown.
        Class { unknown: None, ..Class::semantic("e", &shape, 4) },
    ];
    let listed = vec!["a", "b", "c", "d", "e"];
    let group = CropGroup { classes, listed: listed.clone(), ..CropGroup::usual(ZarrFormat::V3) };
    let sandbox = stored(&group);
    mask(&sandbox, CROP, &[]);
    check(&sandbox.path("out.zarr"), &group, &one_for_each(&listed), &[]);
}

#[test]
fn a_region_of_a_crop_is_cut_out_exactly() {
    let group = CropGroup { place: FRACTIONS, ..CropGroup::usual(ZarrFormat::V2) };
    let sandbox = stored(&group);
    // Voxels 1..6, 2..9 and 3..7 of 2.62 x 2 x 2.5 nm.
    let roi = "13284.91:13298.01,0:14,8:18";
    mask(&sandbox, CROP, &["--roi", roi, "--group", "er=er,nuc", "--classes", "classes.csv"]);
    let (known, present) = group.model(&[("er", &["er", "nuc"])], COMPOSITES);
    let part = |whole: &ArrayD<u8>| {
        let ranges = [0..1, 1..6, 2..9, 3..7];
        whole.slice_each_axis(|axis| Slice::from(ranges[axis.axis.index()].clone())).to_owned()
    };
    assert_voxels(&bytes_of(&sandbox.path("out.zarr/mask/s0")), &part(&known));
    assert_voxels(&bytes_of(&sandbox.path("out.zarr/target/s0")), &part(&present));
    let text = sandbox.succeeds(&["inspect", "out.zarr/mask/s0"]).stdout;
    assert!(text.contains("[13284.91:13298.01, 0:14, 8:18] nm\n"), "{text}");
}

#[test]
fn a_region_that_is_not_of_the_crop_is_refused() {
    let (sandbox, _) = usual();
    let region = "[80:136, 0:36, -40:-8] nm";
    for (roi, code, why) in [
        ("80:98,0:20,-40:-8", 1, "is not aligned to their voxels"),
        ("80:96,0:40,-40:-8", 1, "is not inside the labels"),
        ("80:96,0:20", 1, "has 2 dims, the labels have 3"),
        ("80:96,0:20,north", 2, "north"),
    ] {
        let args = ["mask", CROP, "--roi", roi, "-o", "out.zarr"];
        let needles = if code == 1 { vec![roi, why, region] } else { vec![roi, why] };
        sandbox.refuses(&args, code, &needles);
    }
}

#[test]
fn what_only_labels_have_is_refused() {
    let (sandbox, _) = usual();
    for option in [
        &["--rule", "generic"][..],
        &["--generic-ids", "37"],
        &["--background", "3"],
        &["--require-labels"],
    ] {
        let args = [&["mask", CROP, "-o", "out.zarr"], option].concat();
        sandbox.refuses(&args, 2, &[option[0], "is for label arrays", "crop group"]);
        let args = [&["preview", CROP, "-o", "out.png"], option].concat();
        sandbox.refuses(&args, 2, &[option[0], "is for label arrays"]);
    }
}

#[test]
fn groups_that_mean_nothing_are_refused() {
    let (sandbox, _) = usual();
    let refuses = |more: &[&str], code: i32, needles: &[&str]| {
        let args = [&["mask", CROP, "-o", "out.zarr"], more].concat();
        sandbox.refuses(&args, code, needles);
    };
    let classes = ["--classes", "classes.csv"];
    let with_table = |group: &'static str| [&classes[..], &["--group", group]].concat();
    // A name that nobody knows, and those that may be meant.
    refuses(
        &with_table("x=mito_men"),
        2,
        &["\"x\"", "\"mito_men\"", "near names are \"mito_mem\""],
    );
    refuses(
        &with_table("x=zzzzzz"),
        2,
        &["\"zzzzzz\" is neither in the class table nor in the crop"],
    );
    refuses(&with_table("x=99"), 2, &["no class of the class table has the id 99"]);
    // Ids are nothing without a table, and a channel needs a class.
    refuses(&["--group", "x=16,17"], 2, &["16 is a label id", "class table"]);
    refuses(&["--group", "x="], 2, &["it has no classes"]);
    refuses(&["--group", "x=er", "--group", "x=cell"], 2, &["another group has this name"]);
    // What stands in a file is no wrong usage.
    sandbox.write("ids.json", r#"[["x", [16, 17]]]"#);
    refuses(&["--groups", "ids.json"], 1, &["groups file ids.json", "16 is a label id"]);
    sandbox.write("names.json", r#"[["x", ["er_men"]]]"#);
    let names = [&classes[..], &["--groups", "names.json"]].concat();
    refuses(&names, 1, &["groups file names.json", "near names are \"er_mem\""]);
    // The table itself.
    sandbox.write("bad.csv", "id,name,constituent_ids\n1,one,\nmany,two,\n");
    let bad = ["--classes", "bad.csv"];
    refuses(&bad, 1, &["bad.csv", "line 3", "column id", "\"many\" is no label id"]);
    refuses(&["--classes", "nowhere.csv"], 1, &["cannot read nowhere.csv"]);
}

#[test]
fn one_class_by_itself_is_a_crop_of_one() {
    for format in [ZarrFormat::V2, ZarrFormat::V3] {
        let group = CropGroup::usual(format);
        let sandbox = stored(&group);
        // The group says how it is encoded, the array, or both.
        for (source, name) in [
            ("er_lum", "er_lum"),
            ("mito_lum", "mito_lum"),
            ("er_mem/s0", "er_mem"),
            ("cell", "cell"),
        ] {
            let source = format!("{CROP}/{source}");
            let found = mask(&sandbox, &source, &[]);
            check(&sandbox.path("out.zarr"), &group, &one_for_each(&[name]), &[]);
            assert_eq!(found["channels"][0]["name"], name);
            let found = sandbox.json(&["inspect", &source, "--json"]);
            assert_eq!(found["class_names"], json!([name]), "{source}");
        }
    }
}

#[test]
fn a_scale_level_is_taken_of_every_class() {
    let (sandbox, mut group) = usual();
    group.classes.truncate(2);
    group.listed = vec!["er", "er_mem"];
    fs::remove_dir_all(sandbox.path("crop.zarr")).unwrap();
    group.store(&sandbox.path("crop.zarr"));
    // The level s1 has every second voxel, so that it is another crop.
    let mut coarse = CropGroup::usual(ZarrFormat::V2);
    coarse.listed.clone_from(&group.listed);
    coarse.classes = group.classes.clone();
    for class in &mut coarse.classes {
        class.voxels = class.voxels.slice_each_axis(|_| Slice::new(0, None, 2)).to_owned();
        let node = sandbox.path(CROP).join(class.name);
        add_level(&node, class);
    }
    for scale in ["s1", "16x8x8nm"] {
        mask(&sandbox, CROP, &["--scale", scale]);
        check(&sandbox.path("out.zarr"), &coarse, &one_for_each(&group.listed), &[]);
    }
    let found = sandbox.json(&["inspect", CROP, "--scale", "s1", "--json"]);
    assert_eq!(found["voxel_size"], json!([16, 8, 8]));
    assert_eq!(found["offset"], json!([80, 0, -40]));
    mask(&sandbox, CROP, &["--scale", "8x4x4nm"]);
    check(&sandbox.path("out.zarr"), &group, &one_for_each(&group.listed), &[]);
    // Without a choice it is the finest, which is told.
    let run = sandbox.succeeds(&["inspect", CROP]);
    assert!(run.stderr.contains("took the scale level s0; there are also s1"), "{}", run.stderr);
    assert!(run.stdout.contains("8 x 4 x 4 nm\n"), "{}", run.stdout);
    let needles = ["s7", "its levels are s0 (8 x 4 x 4 nm), s1 (16 x 8 x 8 nm)"];
    sandbox.refuses(&["mask", CROP, "--scale", "s7", "-o", "no.zarr"], 1, &needles);
}

/// Writes a level of twice the voxel size beside `s0` of a class of Zarr version 2, from the same corner.
fn add_level(node: &Path, class: &Class) {
    let (fine, coarse) = (node.join("s0"), node.join("s1"));
    fs::create_dir(&coarse).unwrap();
    let shape = class.voxels.shape();
    let mut zarray = json_file(&fine.join(".zarray"));
    for (key, value) in
        [("shape", json!(shape)), ("chunks", json!(shape)), ("compressor", Value::Null)]
    {
        zarray[key] = value;
    }
    common::write_json(&coarse.join(".zarray"), &zarray);
    let mut attrs = json_file(&fine.join(".zattrs"));
    attrs.as_object_mut().unwrap().retain(|key, _| key == "cellmap");
    common::write_json(&coarse.join(".zattrs"), &attrs);
    let separator = zarray.get("dimension_separator").and_then(Value::as_str).unwrap_or(".");
    let chunk = coarse.join(["0", "0", "0"].join(separator));
    fs::create_dir_all(chunk.parent().unwrap()).unwrap();
    let bytes: Vec<u8> = class.voxels.iter().map(|&value| u8::try_from(value).unwrap()).collect();
    fs::write(chunk, bytes).unwrap();
    edit_attrs(node, ZarrFormat::V2, |attrs| {
        let datasets = attrs["multiscales"][0]["datasets"].as_array_mut().unwrap();
        // The centre of a voxel twice as large lies half a fine voxel further.
        datasets.push(json!({"path": "s1", "coordinateTransformations": [
            {"type": "scale", "scale": [16, 8, 8]},
            {"type": "translation", "translation": [88, 4, -36]},
        ]}));
    });
}

#[test]
fn classes_that_differ_are_refused_by_name() {
    let (sandbox, mut group) = usual();
    group.classes[2].voxels =
        ndarray::concatenate![ndarray::Axis(0), group.classes[2].voxels, group.classes[2].voxels];
    fs::remove_dir_all(sandbox.path("crop.zarr")).unwrap();
    group.store(&sandbox.path("crop.zarr"));
    let needles = ["\"crop1\"", "\"er_lum\"", "differ in their shape", "[7, 9, 8]", "[14, 9, 8]"];
    for args in [
        &["mask", CROP, "-o", "out.zarr"][..],
        &["inspect", CROP],
        &["preview", CROP, "-o", "out.png"],
    ] {
        sandbox.refuses(args, 1, &needles);
    }
}

#[test]
fn a_class_that_cannot_be_read_fails_the_mask_but_is_a_finding_of_the_check() {
    let (sandbox, _) = usual();
    let broken = sandbox.path(CROP).join("er_mem/s0");
    set_attr(&broken, ZarrFormat::V2, "cellmap", &json!({"annotation": {"annotation_type": 4}}));
    let needles = ["\"er_mem\"", "cellmap.annotation.annotation_type", "expected an object"];
    sandbox.refuses(&["mask", CROP, "-o", "out.zarr"], 1, &needles);
    let run = sandbox.run(&["check", CROP, "--json"]);
    assert_eq!(run.code, Some(1));
    let found: Value = serde_json::from_str(&run.stdout).unwrap();
    let source = &found["sources"][0];
    let of_class: Vec<&Value> = source["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["subject"] == "er_mem")
        .collect();
    assert_eq!(of_class.len(), 1, "{of_class:?}");
    assert_eq!(
        (&of_class[0]["code"], &of_class[0]["severity"]),
        (&json!("annotation-malformed"), &json!("error"))
    );
    // The other classes were counted all the same.
    assert_eq!(source["classes"].as_array().unwrap().len(), 5);
}

#[test]
fn inspect_tells_the_classes_and_their_encodings() {
    let (sandbox, mut group) = usual();
    group.place = FRACTIONS;
    group.classes[0].counts = Some(json!({"absent": 1200, "unknown": 7}));
    fs::remove_dir_all(sandbox.path("crop.zarr")).unwrap();
    group.store(&sandbox.path("crop.zarr"));
    let text = sandbox.succeeds(&["inspect", CROP, "--classes", "classes.csv"]).stdout;
    let lines: Vec<&str> = text.lines().collect();
    assert!(
        lines[0].starts_with("       crop  /") && lines[0].ends_with("crop.zarr/crop1"),
        "{text}"
    );
    assert_eq!(lines[1], "      shape  7 x 9 x 8 (z, y, x)");
    assert_eq!(lines[2], " voxel size  2.62 x 2 x 2.5 nm");
    assert_eq!(lines[3], "     corner  13282.29, -4, 0.5 nm");
    assert_eq!(lines[4], "     region  [13282.29:13300.63, -4:14, 0.5:20.5] nm");
    assert_eq!(lines[5], "");
    let columns = ["CLASS", "ARRAY", "DTYPE", "ENCODING", "ABSENT", "UNKNOWN"];
    assert_eq!(lines[6].split_whitespace().collect::<Vec<_>>(), columns);
    // One line for each class, in the order of the list, each cell below its header.
    let cell = |line: &str, column: &str| {
        let begin = lines[6].find(column).unwrap();
        line.get(begin..).unwrap_or_default().to_owned()
    };
    for (line, name) in lines[7..].iter().zip(&group.listed) {
        assert!(line.starts_with(&format!(" {name} ")), "{line}");
        if *name != "nuc" {
            assert!(cell(line, "ARRAY").starts_with(&format!("crop1/{name}/s0 ")), "{line}");
            assert!(cell(line, "ENCODING").starts_with(if *name == "cell" {
                "instance_segmentation, absent = 0, unknown = 65535"
            } else {
                "semantic_segmentation, absent = 0, present = 1, unknown = 255"
            }));
        }
    }
    assert!(lines[9].contains("listed, but has no array"), "{}", lines[9]);
    assert!(lines[10].ends_with("1 200        7"), "{}", lines[10]);
    assert_eq!(lines.len(), 7 + group.listed.len());

    let found = sandbox.json(&["inspect", CROP, "--json"]);
    assert_eq!(found["crop"], "crop1");
    assert_eq!(found["shape"], json!([7, 9, 8]));
    assert_eq!(found["voxel_size"], json!([2.62, 2, 2.5]));
    assert_eq!(found["offset"], json!([13282.29, -4, 0.5]));
    assert_eq!(found["roi"]["shape"], json!([18.34, 18, 20]));
    assert_eq!(found["units"], json!(["nanometer", "nanometer", "nanometer"]));
    assert_eq!(found["class_names"], json!(group.listed));
    let class = |name: &str| {
        let classes = found["classes"].as_array().unwrap();
        classes.iter().find(|class| class["name"] == name).unwrap().clone()
    };
    assert_eq!(class("nuc"), json!({"name": "nuc", "array": null}));
    let er = class("er");
    assert_eq!(er["complement_counts"], json!({"absent": 1200, "unknown": 7}));
    assert_eq!(er["encoding"], json!({"absent": [0], "present": [1], "unknown": [255]}));
    assert_eq!((&er["dtype"], &er["chunk_shape"]), (&json!("uint8"), &json!([4, 5, 3])));
    assert_eq!(
        (&er["encoding_of"], &class("er_lum")["encoding_of"]),
        (&json!("array"), &json!("group"))
    );
    let cell = class("cell");
    assert_eq!(
        (&cell["type"], &cell["dtype"]),
        (&json!("instance_segmentation"), &json!("uint32"))
    );
    assert_eq!(cell["encoding"], json!({"absent": [0], "present": [], "unknown": [65_535]}));
    assert_eq!(found["warnings"], json!(["class \"nuc\" is listed but has no array of its own"]));
}

#[test]
fn a_preview_shows_mask_and_target_of_a_crop() {
    let (sandbox, _) = usual();
    let png = |name: &str, more: &[&str]| {
        let args = ["preview", CROP, "--classes", "classes.csv", "-o", name];
        sandbox.succeeds(&[&args[..], more].concat());
        fs::read(sandbox.path(name)).unwrap()
    };
    let all = png("all.png", &[]);
    assert!(all.starts_with(b"\x89PNG"));
    let one = png("one.png", &["--group", "er=er_mem,er_lum"]);
    let other = png("other.png", &["--group", "er=er_mem"]);
    let elsewhere = png("elsewhere.png", &["--group", "er=er_mem", "--slice", "y=8"]);
    assert!(all != one && one != other && other != elsewhere);
    let args = ["preview", CROP, "--slice", "y=4000", "-o", "no.png"];
    sandbox.refuses(&args, 1, &["y=4000"]);
}

#[test]
fn an_output_inside_a_class_or_over_the_crop_is_refused() {
    let (sandbox, _) = usual();
    sandbox.refuses(&["mask", CROP, "-o", "crop.zarr/crop1/er/s0/out.zarr"], 1, &["inside"]);
    let args = ["mask", CROP, "--overwrite", "-o", "crop.zarr"];
    sandbox.refuses(&args, 1, &["would replace the labels in it"]);
}
