//! Metadata documents: `.zarray`, `zarr.json` or N5's `attributes.json`, as the first byte says, and behind a NUL
//! `.zattrs`. Chunks lie where most documents expect them, of whatever shape they claim them to be.

#![no_main]

use fuzz::{Container, View, look_at, parts};
use libfuzzer_sys::fuzz_target;

thread_local! {
    static CONTAINER: Container = {
        let container = Container::new();
        for folder in ["2.zarr/array", "3.zarr/array", "a.n5/array"] {
            for chunk in ["0/0/0", "c/0/0/0", "0.0.0", "0.0.0.0"] {
                container.write(&format!("{folder}/{chunk}"), CHUNK);
            }
        }
        container.write("2.zarr/.zgroup", r#"{"zarr_format": 2}"#);
        container.write("3.zarr/zarr.json", r#"{"zarr_format": 3, "node_type": "group"}"#);
        container.write("a.n5/attributes.json", r#"{"n5": "2.0.0"}"#);
        container
    };
}

/// Begins as a block of N5 with three axes.
const CHUNK: &[u8] = &[0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8];

fuzz_target!(|data: &[u8]| {
    let Some((form, texts)) = data.split_first() else { return };
    let Some([document, attrs]) = parts::<2>(texts) else { return };
    CONTAINER.with(|container| {
        let array = match form {
            b'n' => {
                container.write("a.n5/array/attributes.json", document);
                "a.n5/array"
            }
            b'3' => {
                container.write("3.zarr/array/zarr.json", document);
                "3.zarr/array"
            }
            _ => {
                let name = if *form == b'g' { ".zgroup" } else { ".zarray" };
                let other = if *form == b'g' { ".zarray" } else { ".zgroup" };
                container.remove(&format!("2.zarr/array/{other}"));
                container.write(&format!("2.zarr/array/{name}"), document);
                container.write("2.zarr/array/.zattrs", attrs);
                "2.zarr/array"
            }
        };
        look_at(&container.path(array), View::Corners);
    });
});
