//! Where a group says which of its arrays are scale levels.

use std::path::Path;

use serde_json::{Map, Value};

use crate::error::ZarrError;
use crate::json::short;
use crate::node::{Node, NodeKind};
use crate::place::{FACTOR_KEYS, factors};
use crate::store::Container;

/// The number of levels that are looked for where nothing says how many there are.
const MAX_LEVELS: usize = 64;

/// The paths of the levels of a group: those in `multiscales` (OME-NGFF, COSEM), as many as it lists factors
/// for (n5-viewer), or the arrays `s0`, `s1` and so on in it.
pub(crate) fn paths(container: &Container, group: &Node) -> Result<Vec<String>, ZarrError> {
    let listed = in_multiscales(group)?;
    if !listed.is_empty() {
        return Ok(listed);
    }
    let count = FACTOR_KEYS.iter().filter_map(|key| factors(group, key)).map(<[Value]>::len).max();
    let mut found = Vec::new();
    for number in 0..count.unwrap_or(MAX_LEVELS).min(MAX_LEVELS) {
        let path = format!("s{number}");
        if !is_array_inside(container, &group.dir, &path)? {
            // A level that is listed may have been left out.
            if count.is_none() {
                break;
            }
            continue;
        }
        found.push(path);
    }
    Ok(found)
}

/// The paths in the `multiscales` of a group, each once.
fn in_multiscales(group: &Node) -> Result<Vec<String>, ZarrError> {
    let mut paths = Vec::new();
    let list = |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
    for multiscale in list(holder(group).get("multiscales")) {
        for dataset in list(multiscale.get("datasets")) {
            // The second form of COSEM lists names only.
            let path = dataset.as_str().or_else(|| dataset.get("path").and_then(Value::as_str));
            let path = path.map(normal_path).filter(|path| is_inside(path));
            let path = path.ok_or_else(|| {
                let reason = format!(
                    "multiscales.datasets must be paths inside the group, found {}",
                    short(&dataset)
                );
                ZarrError::malformed(&group.attrs_file, reason)
            })?;
            if !paths.contains(&path) {
                paths.push(path);
            }
        }
    }
    Ok(paths)
}

/// The object that may have `multiscales`: `ome` since OME-NGFF 0.5.
fn holder(group: &Node) -> &Map<String, Value> {
    let ome = group.attrs.get("ome").and_then(Value::as_object);
    ome.filter(|ome| ome.contains_key("multiscales")).unwrap_or(&group.attrs)
}

/// What a group of several images is, if it is one.
pub(super) fn collection(group: &Node) -> Option<String> {
    let ome = group.attrs.get("ome").and_then(Value::as_object);
    let has = |key: &str| {
        group.attrs.contains_key(key) || ome.is_some_and(|object| object.contains_key(key))
    };
    if has("plate") {
        return Some("it is a plate of wells; name an image in one of them, such as A/1/0".into());
    }
    if has("well") {
        return Some("it is a well of a plate; name one of its images, such as 0".into());
    }
    has("bioformats2raw.layout").then(|| {
        "it is a collection of images (bioformats2raw.layout); name one of them, such as 0".into()
    })
}

/// The level that a name means: its whole path, or a part of it that no other level has.
pub(super) fn named<'a>(paths: &'a [String], name: &str) -> Option<&'a String> {
    let name = normal_path(name);
    if let Some(path) = paths.iter().find(|path| **path == name) {
        return Some(path);
    }
    let mut parts = paths.iter().filter(|path| path.split('/').any(|part| part == name));
    parts.next().filter(|_| parts.next().is_none())
}

/// Whether there is an array at a path inside a group.
pub(super) fn is_array_inside(
    container: &Container,
    group: &Path,
    path: &str,
) -> Result<bool, ZarrError> {
    let path = normal_path(path);
    if !is_inside(&path) {
        return Ok(false);
    }
    let node = Node::read(container, &group.join(path))?;
    Ok(node.is_some_and(|node| node.kind == NodeKind::Array))
}

fn is_inside(path: &str) -> bool {
    !path.is_empty() && !path.split('/').any(|name| name == "..")
}

/// A path inside a group without what does not change it.
pub(crate) fn normal_path(path: &str) -> String {
    let names: Vec<&str> =
        path.split('/').filter(|name| !name.is_empty() && *name != ".").collect();
    names.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_compared_without_slashes_at_their_ends() {
        assert_eq!(normal_path("/labels//all/./s0/"), "labels/all/s0");
    }

    #[test]
    fn a_part_of_a_path_names_a_level_if_no_other_has_it() {
        let paths = ["scale0/image", "scale1/image"].map(str::to_owned);
        assert_eq!(named(&paths, "scale1/image/"), Some(&paths[1]));
        assert_eq!(named(&paths, "scale1"), Some(&paths[1]));
        assert_eq!(named(&paths, "image"), None);
        assert_eq!(named(&paths, "scale2"), None);
    }
}
