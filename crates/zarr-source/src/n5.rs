//! N5: arrays and groups as `attributes.json` describes them.
//!
//! A folder without that file is a group as well if it lies in a container, which begins with the topmost
//! folder whose file names a version of N5.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::error::ZarrError;
use crate::node::{Node, NodeKind, ZarrFormat};
use crate::store::Container;

/// The metadata document of N5.
pub(crate) const ATTRIBUTES: &str = "attributes.json";
/// The key of the version, and the version that is written.
pub(crate) const VERSION_KEY: &str = "n5";
pub(crate) const VERSION: &str = "2.0.0";

/// The keys that say how an array is stored. All others are attributes.
pub(crate) const ARRAY_KEYS: [&str; 5] =
    ["dimensions", "blockSize", "dataType", "compression", "compressionType"];

/// The array or group that a document describes.
pub(crate) fn node(dir: &Path, file: PathBuf, mut attrs: Map<String, Value>) -> Node {
    let kind = if is_array(&attrs) { NodeKind::Array } else { NodeKind::Group };
    let mut metadata = Map::new();
    let keys = if kind == NodeKind::Array { &ARRAY_KEYS[..] } else { &[] };
    for key in keys.iter().chain(&[VERSION_KEY]) {
        if let Some(value) = attrs.shift_remove(*key) {
            metadata.insert((*key).to_owned(), value);
        }
    }
    Node {
        dir: dir.to_owned(),
        format: ZarrFormat::N5,
        kind,
        metadata_file: file.clone(),
        metadata,
        attrs_file: file,
        attrs,
    }
}

/// The group that a folder without a document is inside a container.
pub(crate) fn implicit_group(container: &Container, dir: &Path) -> Result<Option<Node>, ZarrError> {
    if dir == container.root() {
        return Ok(None);
    }
    let inside = |folder: &&Path| folder.starts_with(container.root());
    for folder in dir.ancestors().skip(1).take_while(inside) {
        if let Some(attrs) = container.read_json(&folder.join(ATTRIBUTES))? {
            // What lies in an array are its blocks.
            let exists = !is_array(&attrs) && is_folder(container, dir)?;
            return Ok(exists.then(|| node(dir, dir.join(ATTRIBUTES), Map::new())));
        }
    }
    Ok(None)
}

/// Whether there is a folder, as far as the store can tell.
fn is_folder(container: &Container, dir: &Path) -> Result<bool, ZarrError> {
    if container.is_folder() {
        return Ok(dir.is_dir());
    }
    let (Some(parent), Some(name)) = (dir.parent(), dir.file_name()) else {
        return Ok(false);
    };
    let listed = container.folders(parent)?;
    Ok(listed.is_some_and(|names| names.iter().any(|folder| name == folder.as_str())))
}

/// The topmost of the folders around `dir` whose document names a version of N5.
pub(crate) fn root_above(dir: &Path) -> Option<PathBuf> {
    let names_version = |folder: &&Path| {
        document(folder).is_some_and(|attributes| attributes.contains_key(VERSION_KEY))
    };
    dir.ancestors().skip(1).filter(names_version).last().map(Path::to_owned)
}

/// Whether a folder has a document of N5 and none of Zarr.
pub(crate) fn is_member(dir: &Path) -> bool {
    let zarr = ["zarr.json", ".zarray", ".zgroup"];
    dir.join(ATTRIBUTES).is_file() && !zarr.iter().any(|name| dir.join(name).is_file())
}

/// Whether a folder is an array or a container of N5, not just one with some file of that name.
pub(crate) fn is_container(dir: &Path) -> bool {
    document(dir).is_some_and(|found| found.contains_key(VERSION_KEY) || is_array(&found))
}

fn document(dir: &Path) -> Option<Map<String, Value>> {
    Container::at(dir).ok()?.read_json(&dir.join(ATTRIBUTES)).ok()?
}

/// Whether a document is that of an array: one key of these may be missing, which is told later.
fn is_array(document: &Map<String, Value>) -> bool {
    let keys = ["dimensions", "blockSize", "dataType"];
    keys.iter().filter(|key| document.contains_key(**key)).count() >= 2
}
