//! What the tests share.

use std::error::Error;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use array_core::{Array, ArrayExt};
use serde_json::{Value, json};
use zarr_source::{OpenOptions, StoreOptions, ZarrArray, ZarrError};

pub(crate) fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

pub(crate) fn zips() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/zips")
}

/// The names of all fixtures.
pub(crate) fn fixture_names() -> Vec<String> {
    let entries = fs::read_dir(fixtures()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let names: Vec<String> = names.filter(|name| name.ends_with(".zarr")).collect();
    assert!(names.len() >= 40);
    names
}

pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Puts a fixture into a folder, under a name.
pub(crate) fn put(fixture: &str, folder: &Path, name: &str) {
    copy(&fixtures().join(fixture), &folder.join(name));
}

/// Options that do not wait long.
pub(crate) fn quick(retries: usize) -> OpenOptions {
    let store = StoreOptions {
        request_timeout: Duration::from_millis(1500),
        retries,
        anonymous: true,
        ..StoreOptions::default()
    };
    OpenOptions { store, ..OpenOptions::default() }
}

pub(crate) fn local(fixture: &str) -> ZarrArray {
    ZarrArray::open(fixtures().join(fixture).join("s0")).unwrap()
}

/// Holds an array against the fixture that it is a copy of.
pub(crate) fn assert_same(array: &ZarrArray, fixture: &str) {
    let local = local(fixture);
    assert_eq!(array.data().unwrap(), local.data().unwrap(), "{fixture}");
    assert_eq!(array.info().grid(), local.info().grid(), "{fixture}");
    assert_eq!(array.info().axes(), local.info().axes(), "{fixture}");
}

/// An error and its causes, in one line.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| (*error).source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// The kind of the I/O error in a chain.
pub(crate) fn io_kind(error: &(dyn Error + 'static)) -> Option<ErrorKind> {
    let mut causes = std::iter::successors(Some(error), |error| (*error).source());
    causes.find_map(|error| error.downcast_ref::<io::Error>()).map(io::Error::kind)
}

/// The error of the store that reading an array gives.
pub(crate) fn read_error(array: &ZarrArray) -> ZarrError {
    let error = array.data().unwrap_err();
    let array_core::ArrayError::Source { source, .. } = error else { panic!("{error}") };
    *source.downcast::<ZarrError>().unwrap()
}

pub(crate) fn edit(file: &Path, change: impl FnOnce(&mut Value)) {
    let mut value: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    change(&mut value);
    fs::write(file, value.to_string()).unwrap();
}

/// The documents below a folder, by their paths in it.
fn documents(folder: &Path) -> Vec<(String, Value)> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(at) = folders.pop() {
        for entry in fs::read_dir(&at).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                folders.push(path);
            } else if name.starts_with(".z") || name == "zarr.json" {
                let key = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                found.push((key, serde_json::from_slice(&fs::read(&path).unwrap()).unwrap()));
            }
        }
    }
    found
}

/// Consolidates the metadata of a container as zarr-python does, and removes the documents below its root.
pub(crate) fn consolidate(root: &Path) {
    let documents = documents(root);
    let is_v3 = documents.iter().any(|(key, _)| key == "zarr.json");
    let below: Vec<_> = documents.into_iter().filter(|(key, _)| key != "zarr.json").collect();
    for (key, _) in below.iter().filter(|(key, _)| key.contains('/')) {
        fs::remove_file(root.join(key)).unwrap();
    }
    if is_v3 {
        let nodes = below
            .into_iter()
            .map(|(key, document)| (key.strip_suffix("/zarr.json").unwrap().to_owned(), document));
        let metadata: serde_json::Map<_, _> = nodes.collect();
        let consolidated =
            json!({"kind": "inline", "must_understand": false, "metadata": metadata});
        edit(&root.join("zarr.json"), |document| document["consolidated_metadata"] = consolidated);
    } else {
        let metadata: serde_json::Map<_, _> = below.into_iter().collect();
        let consolidated = json!({"zarr_consolidated_format": 1, "metadata": metadata});
        fs::write(root.join(".zmetadata"), consolidated.to_string()).unwrap();
    }
}
