//! `voxmask inspect` of what holds arrays: the tree for people, and the same for programs.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use std::fs;
use std::path::Path;

use common::crop_groups::CropGroup;
use common::{Crop, IDS, Sandbox, labels, typed};
use serde_json::{Value, json};
use zarr_source::ZarrFormat;

/// A folder with `crop.zarr`, in which are the crop group `crop1` and the labels `all`.
fn container(format: ZarrFormat) -> Sandbox {
    let sandbox = Sandbox::new();
    let mut group = CropGroup::usual(format);
    group.classes.truncate(2);
    group.listed = vec!["er"];
    group.store(&sandbox.path("crop.zarr"));
    let labelled = Crop { format, ..Crop::default() };
    labelled.store(&sandbox.path("labels.zarr"), &typed::<u8>(&labels(&[6, 5, 4], &IDS)));
    fs::rename(sandbox.path("labels.zarr/all"), sandbox.path("crop.zarr/all")).unwrap();
    fs::remove_dir_all(sandbox.path("labels.zarr")).unwrap();
    sandbox
}

/// The lines of a tree, each as its name and what it is.
fn tree(text: &str) -> Vec<(String, String)> {
    let line = |line: &str| {
        let begin = line.char_indices().find(|(_, c)| !" │├└─".contains(*c)).unwrap().0;
        let (name, what) = line[begin..].split_once("  ").unwrap();
        (format!("{}{name}", &line[..begin]), what.trim_start().to_owned())
    };
    text.lines().map(line).collect()
}

/// The number of bytes in the files of an array.
fn stored(array: &Path) -> u64 {
    common::listing(array).values().flatten().map(|bytes| bytes.len() as u64).sum()
}

#[test]
fn a_container_is_a_tree_that_lines_up() {
    for format in [ZarrFormat::V2, ZarrFormat::V3] {
        let sandbox = container(format);
        let run = sandbox.succeeds(&["inspect", "crop.zarr"]);
        assert_eq!(run.stderr, "");
        let lines = tree(&run.stdout);
        let names: Vec<&str> = lines[1..].iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            [
                "├─ all",
                "│  └─ s0",
                "└─ crop1",
                "   ├─ er",
                "   │  └─ s0",
                "   └─ er_mem",
                "      └─ s0",
            ]
        );
        let what = |index: usize| lines[index].1.as_str();
        assert!(lines[0].0.ends_with("/crop.zarr"), "{lines:?}");
        assert_eq!(what(0), format!("group, {format}"));
        assert_eq!(what(1), format!("group, {format}, image of 1 level"));
        assert_eq!(what(3), format!("group, {format}, crop of 1 class"));
        let bytes = stored(&sandbox.path("crop.zarr/all/s0"));
        let size = format!("{:.2} KiB", f64::from(u32::try_from(bytes).unwrap()) / 1024.0);
        assert_eq!(
            what(2),
            format!("6 x 5 x 4 uint8, chunks 4 x 5 x 4, {format}, {size}, labels of 12 classes")
        );
        assert!(
            what(5).starts_with("7 x 9 x 8 uint8, chunks 4 x 5 x 3, ")
                && what(5).ends_with(", class er")
        );
        // What each node is begins in the same column; the root may be long.
        let begin = |line: &str| {
            let at =
                line.find("group, ").or_else(|| line.find("7 x 9")).or_else(|| line.find("6 x 5"));
            line[..at.unwrap()].chars().count()
        };
        let begins: Vec<usize> = run.stdout.lines().skip(1).map(begin).collect();
        assert!(begins.iter().all(|at| *at == begins[0]), "{}", run.stdout);
    }
}

#[test]
fn programs_are_told_the_same() {
    let sandbox = container(ZarrFormat::V3);
    let found = sandbox.json(&["inspect", "crop.zarr", "--json"]);
    assert_eq!((&found["kind"], &found["truncated"]), (&json!("group"), &json!(false)));
    let names: Vec<&Value> =
        found["children"].as_array().unwrap().iter().map(|c| &c["name"]).collect();
    assert_eq!(names, ["all", "crop1"]);
    let all = &found["children"][0];
    assert_eq!((&all["role"], &all["levels"]), (&json!("image of 1 level"), &json!(["s0"])));
    let array = sandbox.path("crop.zarr/all/s0");
    let expected = json!({
        "name": "s0", "path": array.canonicalize().unwrap().display().to_string(),
        "role": "labels of 12 classes", "kind": "array", "format": "Zarr v3", "shape": [6, 5, 4],
        "dtype": "uint8", "chunk_shape": [4, 5, 4], "shard_shape": null, "stored_bytes": stored(&array),
    });
    assert_eq!(all["children"], json!([expected]));
    assert_eq!(found["children"][1]["role"], "crop of 1 class");
}

#[test]
fn a_group_in_a_container_is_its_own_tree_and_an_image_is_its_array() {
    let sandbox = container(ZarrFormat::V2);
    let inside = sandbox.path("crop.zarr/more/deep");
    fs::create_dir_all(&inside).unwrap();
    for folder in [&inside, &sandbox.path("crop.zarr/more")] {
        fs::write(folder.join(".zgroup"), r#"{"zarr_format": 2}"#).unwrap();
    }
    fs::rename(sandbox.path("crop.zarr/all"), inside.join("all")).unwrap();
    let lines = tree(&sandbox.succeeds(&["inspect", "crop.zarr/more"]).stdout);
    let names: Vec<&str> = lines[1..].iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["└─ deep", "   └─ all", "      └─ s0"]);
    let text = sandbox.succeeds(&["inspect", "crop.zarr/more/deep/all"]).stdout;
    assert!(text.contains("      shape  6 x 5 x 4 (z, y, x)\n"), "{text}");
}

#[test]
fn a_folder_of_containers_is_a_tree_of_them() {
    let sandbox = container(ZarrFormat::V2);
    fs::create_dir(sandbox.path("data")).unwrap();
    fs::rename(sandbox.path("crop.zarr"), sandbox.path("data/b.zarr")).unwrap();
    let n5 = Crop { format: ZarrFormat::N5, ..Crop::default() };
    n5.store(&sandbox.path("data/a.n5"), &typed::<u8>(&labels(&[6, 5, 4], &IDS)));
    let lines = tree(&sandbox.succeeds(&["inspect", "data"]).stdout);
    let names: Vec<&str> = lines[1..5].iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["├─ a.n5", "│  └─ all", "│     └─ s0", "└─ b.zarr"]);
    assert_eq!(lines[0].1, "folder");
    assert!(lines[1].1.starts_with("group, N5"), "{lines:?}");
    assert!(lines[3].1.starts_with("6 x 5 x 4 uint8, chunks 4 x 5 x 4, N5, "), "{lines:?}");
    // The shape of N5 stands in its file from x to z.
    let found = sandbox.json(&["inspect", "data/a.n5", "--json"]);
    assert_eq!(found["children"][0]["children"][0]["shape"], json!([6, 5, 4]));
}

#[test]
fn an_archive_is_a_tree_too() {
    let zips = Path::new(env!("CARGO_MANIFEST_DIR")).join("../zarr-source/tests/zips");
    let sandbox = Sandbox::new();
    let name = "zipstore_v2_deflated.zarr.zip";
    fs::copy(zips.join(name), sandbox.path(name)).unwrap();
    let lines = tree(&sandbox.succeeds(&["inspect", name]).stdout);
    let names: Vec<&str> = lines[1..].iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["└─ labels", "   └─ s0"]);
    assert!(lines[2].1.starts_with("5 x 7 x 6 "), "{lines:?}");
    let array = format!("{name}/labels/s0");
    let found = sandbox.json(&["mask", &array, "--group", "g=1,2", "--json", "-o", "out.zarr"]);
    assert_eq!(found["voxels"], 5 * 7 * 6);
}

#[test]
fn a_broken_node_is_told_and_hides_no_other() {
    let sandbox = container(ZarrFormat::V2);
    fs::write(sandbox.path("crop.zarr/all/s0/.zarray"), "{\"zarr_format\": 2,").unwrap();
    let run = sandbox.succeeds(&["inspect", "crop.zarr"]);
    let lines = tree(&run.stdout);
    assert_eq!(lines.len(), 8, "{}", run.stdout);
    assert!(lines[2].1.starts_with("cannot be read: "), "{lines:?}");
    assert!(!lines[2].1.contains('\n') && lines[2].1.contains(".zarray"), "{lines:?}");
    let found = sandbox.json(&["inspect", "crop.zarr", "--json"]);
    let broken = &found["children"][0]["children"][0];
    assert_eq!(broken["kind"], "broken");
    assert!(broken["error"].as_str().unwrap().contains(".zarray"), "{broken}");
}

#[test]
fn a_container_is_no_array_but_the_message_names_those_in_it() {
    let sandbox = container(ZarrFormat::V2);
    for args in
        [&["mask", "crop.zarr", "-o", "out.zarr"][..], &["preview", "crop.zarr", "-o", "p.png"]]
    {
        let needles = ["is neither a label array nor a crop", "in it are all, the crop crop1"];
        sandbox.refuses(args, 1, &needles);
    }
    fs::create_dir(sandbox.path("empty.zarr")).unwrap();
    fs::write(sandbox.path("empty.zarr/.zgroup"), r#"{"zarr_format": 2}"#).unwrap();
    let args = ["mask", "empty.zarr", "-o", "out.zarr"];
    sandbox.refuses(&args, 1, &["there are no arrays in it"]);
    let lines = tree(&sandbox.succeeds(&["inspect", "empty.zarr"]).stdout);
    assert_eq!((lines.len(), &lines[0].1[..]), (1, "group, Zarr v2"));
    fs::create_dir(sandbox.path("nothing")).unwrap();
    sandbox.refuses(&["inspect", "nothing"], 1, &["nothing"]);
    sandbox.refuses(&["inspect", "nowhere.zarr"], 1, &["nowhere.zarr", "does not exist"]);
}
