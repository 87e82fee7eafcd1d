//! The bytes of a chunk. The first byte says of which array among those that other software wrote, with every
//! codec.

#![no_main]

use std::fs;
use std::path::{Path, PathBuf};

use fuzz::{Container, View, look_at};
use libfuzzer_sys::fuzz_target;

thread_local! {
    static CONTAINERS: Vec<Damaged> = all();
}

/// A copy of an array, and the first of its chunks.
struct Damaged {
    container: Container,
    array: String,
    chunk: String,
}

fuzz_target!(|data: &[u8]| {
    let Some((&index, bytes)) = data.split_first() else { return };
    CONTAINERS.with(|containers| {
        let Some(damaged) = containers.get(usize::from(index) % containers.len()) else { return };
        damaged.container.write(&damaged.chunk, bytes);
        look_at(&damaged.container.path(&damaged.array), View::Whole);
    });
});

/// All fixtures that have chunks, in the order of their names; the seeds are made in the same order.
fn all() -> Vec<Damaged> {
    let fixtures =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/zarr-source/tests/fixtures");
    let mut arrays = Vec::new();
    for folder in [fixtures.clone(), fixtures.join("n5")] {
        let entries = fs::read_dir(&folder).expect("there are fixtures");
        let paths = entries.map(|entry| entry.expect("a fixture").path());
        arrays.extend(paths.map(|path| path.join("s0")).filter(|array| array.is_dir()));
    }
    arrays.sort();
    let damaged = |array: &PathBuf| {
        let container_path = array.parent()?;
        let container = Container::new();
        let name = container_path.file_name()?.to_str()?;
        let mut chunks = Vec::new();
        copy(container_path, &container, name, &mut chunks);
        chunks.sort();
        let chunk = chunks.into_iter().next()?;
        Some(Damaged { container, array: format!("{name}/s0"), chunk })
    };
    arrays.iter().filter_map(damaged).collect()
}

/// Copies a folder, and gathers which of its files are chunks.
fn copy(from: &Path, to: &Container, name: &str, chunks: &mut Vec<String>) {
    for entry in fs::read_dir(from).expect("a folder of a fixture") {
        let path = entry.expect("a file of a fixture").path();
        let file = path.file_name().and_then(|name| name.to_str()).expect("a plain name");
        let name = format!("{name}/{file}");
        if path.is_dir() {
            copy(&path, to, &name, chunks);
        } else {
            to.write(&name, fs::read(&path).expect("a file of a fixture"));
            if !file.starts_with(".z") && !file.ends_with(".json") {
                chunks.push(name);
            }
        }
    }
}
