//! Zip archives that hold a container.

#![no_main]

use fuzz::{Container, View, look_at};
use libfuzzer_sys::fuzz_target;

thread_local! {
    static CONTAINER: Container = Container::new();
}

fuzz_target!(|data: &[u8]| {
    CONTAINER.with(|container| {
        container.write("crop.zarr.zip", data);
        let path = container.path("crop.zarr.zip");
        look_at(&path, View::Corners);
        look_at(&path.join("s0"), View::Corners);
        look_at(&path.join("labels/s0"), View::Corners);
    });
});
