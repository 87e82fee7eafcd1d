//! `voxmask neuroglancer`: the link that shows written masks.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use common::{Crop, FRACTIONS, GROUPS_TOML, IDS, Sandbox, labels, typed};
use serde_json::{Value, json};

const URL: &str = "http://127.0.0.1:8000/data/masks.zarr";
const CHANNELS: [&str; 5] = ["mito", "er", "nucleus", "lyso", "anything"];

/// Masks in `masks.zarr`, written as `more` says.
fn masks(more: &[&str]) -> Sandbox {
    let sandbox = Sandbox::new();
    let crop = Crop { place: FRACTIONS, ..Crop::default() };
    crop.store(&sandbox.path("crop.zarr"), &typed::<u8>(&labels(&[10, 12, 9], &IDS)));
    sandbox.write("groups.toml", GROUPS_TOML);
    let args = ["mask", "crop.zarr/all/s0", "--groups", "groups.toml", "-o", "masks.zarr"];
    sandbox.succeeds(&[&args, more].concat());
    sandbox
}

fn show<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["neuroglancer", "masks.zarr", "--url", URL], more].concat()
}

fn column(layers: &Value, key: &str) -> Vec<Value> {
    layers.as_array().unwrap().iter().map(|layer| layer[key].clone()).collect()
}

#[test]
fn the_link_alone_is_printed_and_holds_the_state() {
    let sandbox = masks(&["--targets"]);
    let link = sandbox.succeeds(&show(&[])).stdout;
    assert_eq!(link.lines().count(), 1);
    assert!(link.starts_with("https://neuroglancer-demo.appspot.com/#!%7B%22"), "{link}");
    let found = sandbox.json(&show(&["--json"]));
    assert_eq!(found["neuroglancer_url"], link.trim_end());
    assert_eq!(found["state"], sandbox.json(&show(&["--state"])));
}

#[test]
fn each_channel_has_its_mask_and_target_where_the_crop_is() {
    for (format, scheme) in [("2", "zarr2"), ("3", "zarr3")] {
        let sandbox = masks(&["--targets", "--zarr-format", format, "--levels", "2"]);
        let found = sandbox.json(&show(&["--json"]));
        let layers = &found["layers"];
        let of = |image: &str| CHANNELS.map(|channel| json!(format!("{image} {channel}")));
        assert_eq!(column(layers, "name"), [of("mask"), of("target")].concat());
        let kinds = column(layers, "kind");
        assert_eq!((&kinds[0], &kinds[5]), (&json!("mask"), &json!("target")));
        let sources = column(layers, "source");
        assert_eq!(sources[4], format!("{scheme}://{URL}/mask"));
        assert_eq!(sources[9], format!("{scheme}://{URL}/target"));

        let state = &found["state"];
        assert_eq!(
            state["dimensions"],
            json!({"x": [2.5e-9, "m"], "y": [2e-9, "m"], "z": [2.62e-9, "m"]})
        );
        // The corner is 13282.29, -4, 0.5 nm; the voxel in the middle is 5, 6, 4.
        let z = 13282.29 / 2.62 + 5.5;
        for (axis, expected) in [0.2 + 4.5, -2.0 + 6.5, z].into_iter().enumerate() {
            let place = state["position"][axis].as_f64().unwrap();
            assert!((place - expected).abs() < 1e-9, "{place} is not {expected}");
        }
        let visible = column(&state["layers"], "visible");
        assert_eq!(visible.iter().filter(|v| **v == true).count(), 2);
        assert_eq!(column(&state["layers"], "localPosition")[8], json!([3]));
    }
}

#[test]
fn without_targets_there_are_masks_only_and_shares_are_shown_too() {
    let sandbox = masks(&["--levels", "2", "--mask-levels", "mean"]);
    let found = sandbox.json(&show(&["--json"]));
    assert_eq!(found["layers"].as_array().unwrap().len(), CHANNELS.len());
}

#[test]
fn an_image_lies_below_the_masks() {
    let sandbox = masks(&[]);
    let raw = |text: &str| {
        let found = sandbox.json(&show(&["--json", "--raw", text]));
        let layers = &found["state"]["layers"];
        assert_eq!((&layers[0]["name"], &layers[0]["type"]), (&json!("raw"), &json!("image")));
        assert_eq!(layers[0].get("localDimensions"), None);
        layers[0]["source"].as_str().unwrap().to_owned()
    };
    assert_eq!(raw("s3://bucket/crop.zarr/raw/"), "zarr://s3://bucket/crop.zarr/raw");
    assert_eq!(raw("precomputed://gs://bucket/em"), "precomputed://gs://bucket/em");
    sandbox.refuses(&show(&["--raw", "crop.zarr/raw"]), 2, &["--raw", "crop.zarr/raw", "n5://"]);
}

#[test]
fn another_client_can_be_named() {
    let sandbox = masks(&[]);
    let link = sandbox.succeeds(&show(&["--client", "http://127.0.0.1:9000/v/1/"])).stdout;
    assert!(link.starts_with("http://127.0.0.1:9000/v/1/#!%7B"), "{link}");
    sandbox.refuses(&show(&["--client", "index.html"]), 2, &["--client", "index.html", "http://"]);
}

#[test]
fn where_the_browser_finds_the_masks_must_be_said() {
    let sandbox = masks(&[]);
    let url = |url: &str, needles: &[&str]| {
        let args = ["neuroglancer", "masks.zarr", "--url", url];
        let run = sandbox.refuses(&args, 2, needles);
        assert!(!run.stderr.contains("secret"), "{}", run.stderr);
    };
    let needles = ["--url", "http://127.0.0.1:8000/masks.zarr"];
    sandbox.refuses(&["neuroglancer", "masks.zarr"], 2, &needles);
    url("masks.zarr", &["--url", "masks.zarr", "https://"]);
    url("file:///data/masks.zarr", &["--url", "file://", "https://"]);
    url("https://me:secret@host/masks.zarr", &["--url", "password"]);
    url("https://host/masks.zarr?signature=secret", &["--url", "query"]);
    url("https://host/my masks.zarr", &["--url", "%20"]);
    url("https://host/masks.zarr|zarr3:", &["--url", "%7C"]);
}

#[test]
fn what_holds_no_masks_is_refused() {
    let sandbox = masks(&[]);
    let of = |path: &'static str| ["neuroglancer", path, "--url", URL];
    sandbox.refuses(&of("crop.zarr"), 1, &["cannot show crop.zarr", "mask", "voxmask mask"]);
    sandbox.refuses(&of("nothing.zarr"), 1, &["cannot show nothing.zarr", "nothing.zarr"]);
}

#[test]
fn n5_is_refused_with_the_reason() {
    let sandbox = masks(&["--zarr-format", "n5"]);
    sandbox.refuses(&show(&[]), 1, &["N5", "offset", "--zarr-format"]);
}
