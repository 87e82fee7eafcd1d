//! Finding out what lies at a path, for messages that help.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::error::ZarrError;
use crate::node::{Node, NodeKind, path_inside};
use crate::store::Container;

/// How many arrays a message names, and how many folders are looked into to find them.
const MAX_NAMED: usize = 12;
const MAX_FOLDERS: usize = 2000;

/// The array or group at a path.
pub(crate) fn node_at(
    container: &Container,
    path: &Path,
    wanted: NodeKind,
) -> Result<Node, ZarrError> {
    if let Some(node) = Node::read(container, path)? {
        if node.kind == wanted {
            return Ok(node);
        }
        return Err(match wanted {
            NodeKind::Array => not_an_array(path, format!("it is a group; {}", arrays_text(path))),
            NodeKind::Group => not_a_group(path, "it is an array".to_owned()),
        });
    }
    let found = match path.try_exists() {
        Ok(false) => return Err(not_found(path)),
        Ok(true) => describe(path),
        Err(_) => return Err(not_found(path)),
    };
    Err(match wanted {
        NodeKind::Array => not_an_array(path, found),
        NodeKind::Group => not_a_group(path, found),
    })
}

/// The arrays in a folder and the folders below it, sorted. Folders that cannot be listed are left out.
pub(crate) fn arrays_below(root: &Path) -> Vec<PathBuf> {
    let Ok(container) = Container::at(root) else {
        return Vec::new();
    };
    let (mut found, mut folders, mut seen) = (Vec::new(), vec![root.to_owned()], 0_usize);
    while let Some(folder) = folders.pop() {
        seen = seen.saturating_add(1);
        if seen > MAX_FOLDERS {
            break;
        }
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries.flatten() {
            let path = entry.path();
            if !path.is_dir() {
                continue;
            }
            match Node::read(&container, &path) {
                Ok(Some(node)) if node.kind == NodeKind::Array => found.push(path),
                _ => folders.push(path),
            }
        }
    }
    found.sort();
    found
}

fn not_an_array(path: &Path, found: String) -> ZarrError {
    ZarrError::NotAZarrArray { path: path.to_owned(), found }
}

fn not_a_group(path: &Path, found: String) -> ZarrError {
    ZarrError::NotAZarrGroup { path: path.to_owned(), found }
}

fn not_found(path: &Path) -> ZarrError {
    let existing = path.ancestors().skip(1).find(|ancestor| ancestor.exists());
    let hint = match existing {
        None => "none of its parent folders exists".to_owned(),
        Some(file) if file.is_file() => {
            let found = describe(file);
            return not_an_array(path, format!("{}: {found}", file.display()));
        }
        Some(folder) if Node::exists(folder) => {
            format!("{} exists and {}", folder.display(), arrays_text(folder))
        }
        Some(folder) => format!("the nearest folder that exists is {}", folder.display()),
    };
    ZarrError::NotFound { path: path.to_owned(), hint }
}

/// What a file or folder without Zarr metadata is.
fn describe(path: &Path) -> String {
    if path.is_file() {
        let mut start = [0; 8];
        let read = fs::File::open(path).and_then(|mut file| file.read_exact(&mut start));
        return match (read, &start) {
            (Ok(()), b"\x89HDF\r\n\x1a\n") => {
                "it is an HDF5 file, which cannot be read; convert it to Zarr".to_owned()
            }
            (Ok(()), [b'P', b'K', 3 | 5, ..]) => {
                "it is a zip archive; unpack it to a folder first".to_owned()
            }
            _ => "it is a file, not a folder".to_owned(),
        };
    }
    if arrays_below(path).is_empty() {
        return "it is a folder without metadata of Zarr (.zarray, zarr.json) or N5 (attributes.json)".to_owned();
    }
    format!("it is a folder without Zarr metadata; {}", arrays_text(path))
}

/// The arrays in a group, for a message.
fn arrays_text(group: &Path) -> String {
    let arrays = arrays_below(group);
    if arrays.is_empty() {
        return "there are no arrays in it".to_owned();
    }
    let names: Vec<String> =
        arrays.iter().take(MAX_NAMED).map(|array| path_inside(group, array)).collect();
    let more = arrays.len().saturating_sub(names.len());
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("the arrays in it are {}{rest}", names.join(", "))
}
