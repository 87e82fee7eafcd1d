//! Array configs as SRC: those of DaCapo and our own, in every format, give what the arrays below them give.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use std::fs;

use common::crop_groups::{CLASSES_CSV, COMPOSITES, CropGroup};
use common::{
    Crop, IDS, Sandbox, assert_voxels, bytes_of, labels, model_mask, model_target, typed,
};
use ndarray::{ArrayD, Slice};
use serde_json::{Value, json};
use zarr_source::ZarrFormat;

const SHAPE: [usize; 3] = [8, 6, 7];

/// A folder with `data/crop.zarr`, whose labels are those of the model.
fn folder() -> (Sandbox, ArrayD<i128>) {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("data")).unwrap();
    let voxels = labels(&SHAPE, &IDS);
    Crop::default().store(&sandbox.path("data/crop.zarr"), &typed::<u8>(&voxels));
    (sandbox, voxels)
}

const DACAPO: &str = "\
__type__: MissingAnnotationsMaskConfig
name: mask
source_array_config:
  __type__: ZarrArrayConfig
  name: gt
  file_name: crop.zarr
  dataset: all/s0
  snap_to_grid: null
  _axes: null
groupings:
- [mito, [3, 4, 5]]
- [er, [16, 17]]
";

const OURS: &str = "\
kind = \"mask\"
groups = [{ name = \"mito\", ids = [3, 4, 5] }, { name = \"er\", ids = [16, 17] }]

[source]
kind = \"zarr\"
path = \"crop.zarr\"
dataset = \"all/s0\"
";

fn dacapo_json() -> Value {
    json!({
        "__type__": "MissingAnnotationsMaskConfig",
        "name": "mask",
        "source_array_config": {
            "__type__": "ZarrArrayConfig", "name": "gt", "file_name": "crop.zarr", "dataset": "all/s0",
        },
        "groupings": [["mito", [3, 4, 5]], ["er", [16, 17]]],
    })
}

const MITO_ER: [&[i128]; 2] = [&[3, 4, 5], &[16, 17]];

#[track_caller]
fn check(
    sandbox: &Sandbox,
    args: &[&str],
    voxels: &ArrayD<i128>,
    kept: &[bool],
    groups: &[&[i128]],
) -> Value {
    let run = [&["mask"], args, &["--targets", "--json", "--overwrite", "-o", "out.zarr"]].concat();
    let found = sandbox.json(&run);
    assert_voxels(&bytes_of(&sandbox.path("out.zarr/mask/s0")), &model_mask(voxels, kept));
    assert_voxels(&bytes_of(&sandbox.path("out.zarr/target/s0")), &model_target(voxels, groups, 0));
    found
}

#[test]
fn every_form_of_a_mask_gives_the_same_mask() {
    let (sandbox, voxels) = folder();
    // Paths are relative to the folder of the file, wherever the command runs.
    sandbox.write("data/gt.yaml", DACAPO);
    sandbox.write("data/gt.toml", OURS);
    sandbox.write("data/gt.json", &dacapo_json().to_string());
    for file in ["data/gt.yaml", "data/gt.toml", "data/gt.json"] {
        let found = check(&sandbox, &[file], &voxels, &[true, false], &MITO_ER);
        let names: Vec<&Value> =
            found["channels"].as_array().unwrap().iter().map(|c| &c["name"]).collect();
        assert_eq!(names, ["mito", "er"], "{file}");
        let provenance = common::crop_groups::attrs_v3(&sandbox.path("out.zarr"));
        assert_eq!(provenance["voxmask"]["source"], file);
        let png = file.replace("data/gt", "p") + ".png";
        sandbox.succeeds(&["preview", file, "-o", &png]);
    }
    let picture = |name: &str| fs::read(sandbox.path(name)).unwrap().len();
    assert!(picture("p.yaml.png") > 500);
}

#[test]
fn what_the_command_line_says_goes_before_the_config() {
    let (sandbox, voxels) = folder();
    sandbox.write("data/gt.yaml", DACAPO);
    let args = ["data/gt.yaml", "--group", "nucleus=20,24,37"];
    check(&sandbox, &args, &voxels, &[false], &[&[20, 24, 37]]);
    let args = [&args[..], &["--rule", "generic", "--generic-ids", "37"]].concat();
    check(&sandbox, &args, &voxels, &[true], &[&[20, 24, 37]]);
    let found = check(
        &sandbox,
        &["data/gt.yaml", "--rule", "cnnectome"],
        &voxels,
        &[true, false],
        &MITO_ER,
    );
    assert_eq!(found["rule"], "cnnectome");
}

#[test]
fn the_rule_and_the_background_of_a_config_hold() {
    let (sandbox, voxels) = folder();
    let generic = OURS.replace("groups = [", "rule = \"generic\"\ngeneric_ids = [16]\ngroups = [");
    sandbox.write("data/gt.toml", &generic);
    let found = check(&sandbox, &["data/gt.toml"], &voxels, &[true, true], &MITO_ER);
    assert_eq!(found["rule"], "generic");
    let source = json!({"kind": "zarr", "path": "crop.zarr/all"});
    let binarize = json!({"kind": "binarize", "groups": {"any": [], "er": [16]}, "background": 3, "source": source});
    sandbox.write("data/any.json", &binarize.to_string());
    sandbox.succeeds(&["mask", "data/any.json", "--targets", "-o", "any.zarr"]);
    let target = bytes_of(&sandbox.path("any.zarr/target/s0"));
    assert_voxels(&target, &model_target(&voxels, &[&[], &[16]], 3));
}

#[test]
fn a_part_of_a_file_is_picked_and_its_paths_are_those_of_the_file() {
    let (sandbox, voxels) = folder();
    let all = json!({"train": [{"name": "first", "gt_config": dacapo_json()}]});
    sandbox.write("data/runs.json", &all.to_string());
    for part in ["train[0].gt_config", "/train/0/gt_config"] {
        let source = format!("data/runs.json#{part}");
        check(&sandbox, &[&source], &voxels, &[true, false], &MITO_ER);
        let found = sandbox.json(&["inspect", &source, "--json"]);
        assert_eq!(found["channels"], json!(["mito", "er"]));
    }
    let no = ["mask", "data/runs.json#train[1]", "-o", "no.zarr"];
    sandbox.refuses(&no, 1, &["data/runs.json", "train[1]", "has no entry \"1\""]);
    let no = ["mask", "data/runs.json", "-o", "no.zarr"];
    sandbox.refuses(&no, 1, &["parts of it are: train[0].gt_config"]);
}

#[test]
fn an_array_that_a_config_describes_takes_the_groups_of_the_user() {
    let (sandbox, voxels) = folder();
    let source = json!({"kind": "zarr", "path": "crop.zarr/all", "scale": "s0"});
    // Voxels 2..7, 1..6 and 0..5 of 8 x 4 x 4 nm from (80, 0, -40) nm.
    let crop = json!({"kind": "crop", "roi": "[96:136, 4:24, -40:-20] nm", "source": source});
    sandbox.write("data/part.json", &crop.to_string());
    let ranges = [2..7, 1..6, 0..5];
    let part =
        voxels.slice_each_axis(|axis| Slice::from(ranges[axis.axis.index()].clone())).to_owned();
    check(&sandbox, &["data/part.json", "--group", "mito=3,4"], &part, &[true], &[&[3, 4]]);
    let no = ["mask", "data/part.json", "-o", "no.zarr"];
    sandbox.refuses(&no, 2, &["no channels: give --groups FILE or --group"]);
    let text = sandbox.succeeds(&["inspect", "data/part.json"]).stdout;
    assert!(text.contains("      shape  5 x 5 x 5 (z, y, x)\n"), "{text}");
    assert!(text.contains("     region  [96:136, 4:24, -40:-20] nm\n"), "{text}");
    let found = sandbox.json(&["inspect", "data/part.json", "--json"]);
    assert_eq!((&found["shape"], &found["offset"]), (&json!([5, 5, 5]), &json!([96, 4, -40])));
}

#[test]
fn a_crop_group_in_a_config_is_masked_as_the_crop_itself() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("data")).unwrap();
    let group = CropGroup::usual(ZarrFormat::V2);
    group.store(&sandbox.path("data/crop.zarr"));
    sandbox.write("data/classes.csv", CLASSES_CSV);
    let config = json!({
        "kind": "crop_group", "path": "crop.zarr", "dataset": "crop1", "classes": "classes.csv",
        "groups": [["er", ["er"]], ["mito", [50]]],
    });
    sandbox.write("data/crop.json", &config.to_string());
    sandbox.succeeds(&["mask", "data/crop.json", "--targets", "-o", "out.zarr"]);
    let (mask, target) = group.model(&[("er", &["er"]), ("mito", &["mito"])], COMPOSITES);
    assert_voxels(&bytes_of(&sandbox.path("out.zarr/mask/s0")), &mask);
    assert_voxels(&bytes_of(&sandbox.path("out.zarr/target/s0")), &target);
    // The user's groups go before, and the user's table is taken where the config names none.
    let bare = json!({"kind": "crop_group", "path": "crop.zarr/crop1"});
    sandbox.write("data/bare.json", &bare.to_string());
    let args = ["mask", "data/bare.json", "--group", "m=50", "--classes", "data/classes.csv"];
    sandbox.succeeds(&[&args[..], &["-o", "bare.zarr"]].concat());
    let (mask, _) = group.model(&[("m", &["mito"])], COMPOSITES);
    assert_voxels(&bytes_of(&sandbox.path("bare.zarr/mask/s0")), &mask);
    let found = sandbox.json(&["inspect", "data/crop.json", "--json"]);
    assert_eq!(found["crop"], "crop1");
    let run = sandbox.run(&["check", "data/crop.json", "--json"]);
    let found: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(found["sources"][0]["kind"], "crop");
}

#[test]
fn a_check_of_a_config_takes_its_groups() {
    let (sandbox, _) = folder();
    sandbox.write("data/gt.yaml", DACAPO);
    let rules = |args: &[&str]| {
        let run = sandbox.run(&[&["check", "data/gt.yaml", "--json"], args].concat());
        let found: Value = serde_json::from_str(&run.stdout).unwrap();
        let strict = found["sources"][0]["rules"][0].clone();
        (strict["channels"].clone(), strict["masked"].clone())
    };
    assert_eq!(rules(&[]), (json!(2), json!(["er"])));
    assert_eq!(rules(&["--group", "lyso=40"]), (json!(1), json!(["lyso"])));
}

#[test]
fn errors_name_the_place_inside_the_file() {
    let (sandbox, _) = folder();
    let refuses = |name: &str, text: &str, needles: &[&str]| {
        sandbox.write(name, text);
        for command in ["mask", "preview"] {
            sandbox.refuses(&[command, name, "-o", "no.zarr"], 1, &[&[name], needles].concat());
        }
        sandbox.refuses(&["inspect", name], 1, &[&[name], needles].concat());
    };
    let id = DACAPO.replace("[3, 4, 5]", "[3, four]");
    refuses("data/id.yaml", &id, &["groupings[0][1][1]", "\"four\""]);
    let gone = DACAPO.replace("all/s0", "all/s9");
    refuses("data/gone.yaml", &gone, &["source", "s9"]);
    refuses("data/kind.toml", &OURS.replace("\"mask\"", "\"mesk\""), &["kind", "mesk", "binarize"]);
    refuses("data/key.toml", &OURS.replace("dataset", "datasat"), &["source", "datasat"]);
    refuses("data/syntax.json", "{", &["not valid JSON", "line 1"]);
    let dvid = json!({"__type__": "DVIDArrayConfig", "name": "x", "source": "y"});
    refuses("data/dvid.json", &dvid.to_string(), &["DVIDArrayConfig", "export the volume as Zarr"]);
    sandbox.refuses(&["mask", "data/no.yaml", "-o", "no.zarr"], 1, &["cannot read data/no.yaml"]);
    // In a check it is a finding of that source.
    let run = sandbox.run(&["check", "data/gone.yaml", "data/id.yaml", "--json"]);
    assert_eq!(run.code, Some(1));
    let found: Value = serde_json::from_str(&run.stdout).unwrap();
    let message = |index: usize| {
        found["sources"][index]["findings"][0]["message"].as_str().unwrap().to_owned()
    };
    assert!(message(0).contains("s9"), "{}", message(0));
    assert!(message(1).contains("groupings[0][1][1]"), "{}", message(1));
}
