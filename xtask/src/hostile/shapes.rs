//! Arrays of absurd shapes.

use std::path::Path;

use serde_json::{Value, json};

use super::case::{Case, Command, Expected};
use super::containers::{cube, n5, raw, v3, write, write_as};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::unusable("shape of 2^63 - 1", &["9223372036854775807", "64 bits"], |folder| {
            write(folder, &v3(&json!([i64::MAX]), &json!([64]), &raw()), &[])
        }),
        Case::unusable("shape of 2^64 - 1", &["zarr.json", "shape"], |folder| {
            write(folder, &v3(&json!([u64::MAX, 8, 8]), &cube(), &raw()), &[])
        }),
        Case::unusable("shape beyond 64 bits together", &["zarr.json", "shape"], |folder| {
            let edge = 1_u64 << 40;
            write(folder, &v3(&json!([edge, edge, edge]), &cube(), &raw()), &[])
        }),
        Case::unusable("shape that is no integer", &["zarr.json", "shape"], |folder| {
            write(folder, &v3(&json!([1e30, 8, 8]), &cube(), &raw()), &[])
        }),
        array(
            "10^15 chunks",
            json!([100_000, 100_000, 100_000]),
            json!([1, 1, 1]),
            Expected::Refusal(&["blocks"]),
        ),
        array(
            "10^15 chunks of 64^3",
            json!([1_000_000, 1_000_000, 1_000_000]),
            json!([64, 64, 64]),
            Expected::Refusal(&["blocks"]),
        ),
        Case::unusable("chunk shape 0", &["zarr.json", "chunk"], |folder| {
            write(folder, &v3(&cube(), &json!([0, 64, 64]), &raw()), &[])
        }),
        array(
            "one chunk of 2^40 voxels",
            json!([1 << 20, 1 << 10, 1 << 10]),
            json!([1 << 20, 1 << 10, 1 << 10]),
            Expected::Either,
        )
        // What the user asks for are 2^28 chunks, and patches anywhere among all voxels.
        .without(&[Command::MaskInShards, Command::Sample]),
        Case::unreadable(
            "one chunk of 2^40 voxels, of which few are stored",
            &["beyond the memory limit"],
            |folder| {
                let shape = json!([1 << 20, 1 << 10, 1 << 10]);
                let gzip =
                    json!([{"name": "bytes"}, {"name": "gzip", "configuration": {"level": 1}}]);
                let chunk = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];
                write(folder, &v3(&shape, &shape, &gzip), &[("c/0/0/0", &chunk)])
            },
        ),
        Case::unusable("N5 shape beyond 64 bits", &["attributes.json", "shape"], |folder| {
            let edge = 1_u64 << 40;
            let document = n5(&json!([edge, edge, edge]), &cube(), &json!({"type": "raw"}));
            write_as(folder, "attributes.json", &document, &[])
        }),
        Case::new("32 dims", Expected::Either, Expected::Either, |folder| {
            let ones = Value::from(vec![2; 32]);
            write(folder, &v3(&ones, &Value::from(vec![1; 32]), &raw()), &[])
        }),
        Case::new("10 000 dims", Expected::Either, Expected::Either, |folder| {
            let ones = Value::from(vec![1; 10_000]);
            write(folder, &v3(&ones, &ones, &raw()), &[])
        }),
        empty("no voxels along z", json!([0, 64, 64])),
        empty("no voxels at all", json!([0, 0, 0])),
        Case::new("no axes", Expected::Either, Expected::Either, |folder| {
            write(folder, &v3(&json!([]), &json!([]), &raw()), &[])
        }),
        Case::unusable("shards with 2^60 chunks", &["zarr.json", "index"], |folder| {
            let edge = 1 << 20;
            let codecs = json!([{"name": "sharding_indexed", "configuration": {
                "chunk_shape": [1, 1, 1], "codecs": [{"name": "bytes"}],
                "index_codecs": [{"name": "bytes", "configuration": {"endian": "little"}}]}}]);
            write(folder, &v3(&cube(), &json!([edge, edge, edge]), &codecs), &[])
        }),
        Case::unusable("dimension_names of 10 MB", &["zarr.json", "dimension_names"], |folder| {
            let mut document = v3(&cube(), &cube(), &raw());
            document["dimension_names"] = json!(vec!["z".repeat(10); 1_000_000]);
            write(folder, &document, &[])
        }),
    ]
}

/// An array of which nothing is stored.
fn array(name: &str, shape: Value, chunks: Value, reading: Expected) -> Case {
    Case::new(name, Expected::Success, reading, move |folder: &Path| {
        write(folder, &v3(&shape, &chunks, &raw()), &[])
    })
    // One slice may be small enough.
    .but(Command::Preview, Expected::Either)
}

fn empty(name: &str, shape: Value) -> Case {
    Case::new(name, Expected::Success, Expected::Either, move |folder: &Path| {
        write(folder, &v3(&shape, &cube(), &raw()), &[])
    })
    // No patch has a place there: the shape that was asked for is wrong.
    .without(&[Command::Sample])
}
