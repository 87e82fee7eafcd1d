//! `voxmask sample`: patches in which enough is known, of whatever has a mask.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]
#![allow(clippy::cast_precision_loss, reason = "small numbers")]

mod common;

use array_core::ArrayExt;
use common::crop_groups::{CLASSES_CSV, CropGroup};
use common::{Crop, FRACTIONS, GROUPS_TOML, IDS, Sandbox, labels, typed};
use geometry::Roi;
use ndarray::Axis;
use serde_json::{Value, json};
use zarr_source::{ZarrArray, ZarrFormat};

const SHAPE: [usize; 3] = [10, 12, 9];
const LABELS: &str = "crop.zarr/all/s0";

/// A crop with labels, a groups file, and its mask in `mask.zarr`.
fn crop() -> (Sandbox, ZarrArray) {
    let sandbox = Sandbox::new();
    let crop = Crop { place: FRACTIONS, ..Crop::default() };
    // The last rows are not labelled.
    let mut voxels = labels(&SHAPE, &IDS);
    voxels.slice_axis_mut(Axis(1), (8..).into()).fill(0);
    crop.store(&sandbox.path("crop.zarr"), &typed::<u8>(&voxels));
    sandbox.write("groups.toml", GROUPS_TOML);
    let mask = mask(&sandbox, LABELS, &["--groups", "groups.toml"]);
    (sandbox, mask)
}

/// The mask that the same arguments write.
fn mask(sandbox: &Sandbox, source: &str, more: &[&str]) -> ZarrArray {
    sandbox.succeeds(&[&["mask", source, "-o", "mask.zarr"], more].concat());
    ZarrArray::open(sandbox.path("mask.zarr/mask/s0")).unwrap()
}

/// The known values of a region of a mask in some channels.
fn known(mask: &ZarrArray, roi: &Roi, channels: &[usize]) -> u64 {
    let values = mask.read_as::<u8>(roi).unwrap();
    let count = |&channel: &usize| {
        values.index_axis(Axis(0), channel).iter().map(|&value| u64::from(value)).sum::<u64>()
    };
    channels.iter().map(count).sum()
}

/// The region of a patch in JSON.
fn roi(mask: &ZarrArray, patch: &Value) -> Roi {
    let lengths = |key: &str| {
        let values = patch[key].as_array().unwrap().iter();
        let decimals: Vec<_> =
            values.map(|v| v.to_string().trim_matches('"').parse().unwrap()).collect();
        mask.unit().coordinate(&decimals).unwrap()
    };
    Roi::new(lengths("offset"), lengths("shape")).unwrap()
}

const ARGS: [&str; 6] = ["sample", LABELS, "--groups", "groups.toml", "--shape", "4,5,3"];

#[test]
fn patches_are_regions_of_the_mask_in_which_enough_is_known() {
    let (sandbox, mask) = crop();
    let found = sandbox.json(&[&ARGS[..], &["--min-known", "0.3", "--json"]].concat());
    assert_eq!(found["shape"], json!([4, 5, 3]));
    assert_eq!(found["unit"], "nanometer");
    assert_eq!(found["axes"], json!(["z", "y", "x"]));
    assert_eq!(found["positions"], 7 * 8 * 7);
    assert_eq!((&found["min_known"], &found["seed"]), (&json!(0.3), &json!(0)));
    assert_eq!(found["channels"], json!(["mito", "er", "nucleus", "lyso", "anything"]));
    let patches = found["patches"].as_array().unwrap();
    assert_eq!(patches.len(), 10);
    for patch in patches {
        let roi = roi(&mask, patch);
        assert_eq!(mask.slices(&roi).unwrap().shape(), [4, 5, 3]);
        let known = known(&mask, &roi, &[0, 1, 2, 3, 4]);
        assert!(known >= 90, "{known} of 300");
        assert_eq!((&patch["known"], &patch["values"]), (&json!(known), &json!(300)));
        assert_eq!(patch["fraction"], json!(known as f64 / 300.0));
    }
}

#[test]
fn the_table_has_the_same_patches_as_regions_that_other_commands_take() {
    let (sandbox, mask) = crop();
    let found = sandbox.json(&[&ARGS[..], &["--count", "3", "--json"]].concat());
    let table = sandbox.succeeds(&[&ARGS[..], &["--count", "3"]].concat()).stdout;
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].contains("REGION") && lines[0].contains("KNOWN VALUES"), "{table}");
    let patches = found["patches"].as_array().unwrap();
    assert_eq!((lines.len(), patches.len()), (4, 3));
    for (line, patch) in lines[1..].iter().zip(patches) {
        let (region, rest) = line.trim().split_once(" nm").unwrap();
        let region = format!("{region} nm");
        assert_eq!(mask.unit().parse_roi(&region).unwrap(), roi(&mask, patch));
        assert!(rest.contains(&patch["known"].to_string()), "{line}");
        let share = 100.0 * patch["fraction"].as_f64().unwrap();
        assert!(rest.ends_with(&format!("{share:.1} %")), "{line}");
        let part = ["--roi", &region, "--groups", "groups.toml", "--overwrite", "-o", "part.zarr"];
        sandbox.succeeds(&[&["mask", LABELS], &part[..]].concat());
    }
}

#[test]
fn seeds_and_parts_and_channels_are_as_the_user_says() {
    let (sandbox, mask) = crop();
    let run = |more: &[&str]| sandbox.json(&[&ARGS[..], &["--json"], more].concat());
    let patches = |more: &[&str]| run(more)["patches"].clone();
    assert_eq!(patches(&["--seed", "3"]), patches(&["--seed", "3"]));
    assert_ne!(patches(&["--seed", "3"]), patches(&["--seed", "4"]));
    assert_eq!(patches(&["--count", "0"]), json!([]));
    // Of all five channels, three are masked.
    let found = run(&["--channels", "mito,4", "--min-known", "0.9", "--count", "20"]);
    assert_eq!(found["channels"], json!(["mito", "anything"]));
    for patch in found["patches"].as_array().unwrap() {
        assert!(known(&mask, &roi(&mask, patch), &[0, 4]) >= 108);
        assert_eq!(patch["values"], 120);
    }
    let part = "13284.91:13303.25, 0:16, 3:15.5";
    let bounds = mask.unit().parse_roi(part).unwrap();
    let found = run(&["--roi", part, "--min-known", "0"]);
    assert_eq!(found["positions"], 4 * 4 * 3);
    for patch in found["patches"].as_array().unwrap() {
        assert!(bounds.contains_roi(&roi(&mask, patch)).unwrap());
    }
}

#[test]
fn patches_of_crop_groups_and_of_configs_are_drawn_as_well() {
    let sandbox = Sandbox::new();
    CropGroup::usual(ZarrFormat::V3).store(&sandbox.path("crop.zarr"));
    sandbox.write("classes.csv", CLASSES_CSV);
    let classes = ["--classes", "classes.csv"];
    let mask = mask(&sandbox, "crop.zarr/crop1", &classes);
    let args = ["sample", "crop.zarr/crop1", "--shape", "2", "--min-known", "0.2", "--json"];
    let found = sandbox.json(&[&args[..], &classes].concat());
    let all: Vec<usize> = (0..mask.num_channels().unwrap()).collect();
    assert_eq!(found["channels"], json!(mask.channels().unwrap()));
    for patch in found["patches"].as_array().unwrap() {
        let (known, values) = (known(&mask, &roi(&mask, patch), &all), patch["values"].as_u64());
        assert!(known * 5 >= values.unwrap());
        assert_eq!(patch["known"], json!(known));
    }

    let (sandbox, _) = crop();
    let config = json!({
        "kind": "mask", "groups": [["mito", [3, 4, 5]]],
        "source": {"kind": "zarr", "path": "crop.zarr/all/s0"},
    });
    sandbox.write("mask.json", &config.to_string());
    let found = sandbox.json(&["sample", "mask.json", "--shape", "4", "--json"]);
    assert_eq!(found["channels"], json!(["mito"]));
    assert_eq!(found["patches"].as_array().unwrap().len(), 10);
}

#[test]
fn what_means_nothing_is_wrong_usage_and_what_is_not_there_is_a_failure() {
    let (sandbox, _) = crop();
    let base = ["sample", LABELS, "--groups", "groups.toml", "--shape"];
    let refuses = |more: &[&str], code: i32, needles: &[&str]| {
        sandbox.refuses(&[&base[..], more].concat(), code, needles);
    };
    refuses(&["4,5"], 2, &["--shape", "[4, 5]", "expected 1 or 3"]);
    refuses(&["0"], 2, &["--shape", "positive"]);
    refuses(&["4,5,10"], 2, &["--shape", "10 voxels along x", "9"]);
    refuses(&["4", "--min-known", "-0.5"], 2, &["--min-known", "-0.5", "0 and 1"]);
    refuses(&["4", "--min-known", "15"], 2, &["--min-known", "15", "0 and 1"]);
    refuses(&["4", "--min-known", "NaN"], 2, &["--min-known"]);
    refuses(&["4", "--channels", "mitos"], 2, &["--channels", "\"mitos\"", "\"mito\""]);
    refuses(&["4", "--channels", "mito,0"], 2, &["--channels", "twice"]);
    // Three channels are masked, so that at most two of five values are known.
    let needles =
        [LABELS, "no patch", "[4, 4, 4]", "0.41", "of its 320 values", "hint", "--min-known"];
    refuses(&["4", "--min-known", "0.41"], 1, &needles);
    refuses(&["4", "--channels", "er"], 1, &["0 of its 64 values"]);
    sandbox.refuses(&["sample", "crop.zarr", "--shape", "4"], 1, &["all"]);
    let missing = sandbox.run(&base[..4]);
    assert_eq!(missing.code, Some(2), "{}", missing.stderr);
}
