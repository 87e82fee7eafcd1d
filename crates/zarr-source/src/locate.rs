//! Finding out what lies at a path, for messages that help.

use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use crate::error::ZarrError;
use crate::node::{Node, NodeKind, path_inside};
use crate::store::{Container, Links};

/// How many arrays a message names, and how many folders are looked into to find them.
const MAX_NAMED: usize = 12;
const MAX_FOLDERS: usize = 2000;
/// The same where each costs a request.
const MAX_REMOTE_FOLDERS: usize = 50;

/// How HDF5 becomes Zarr.
const CONVERT_HDF5: &str = "it is an HDF5 file, which cannot be read; convert each of its datasets to Zarr, \
    such as with: python -c 'import h5py, zarr; d = h5py.File(\"in.h5\")[\"volumes/labels\"]; \
    zarr.save_array(\"out.zarr\", d[:]); \
    zarr.open(\"out.zarr\").attrs.update({k: v.tolist() for k, v in d.attrs.items()})'";

/// The array or group at a path.
pub(crate) fn node_at(
    container: &Container,
    path: &Path,
    wanted: NodeKind,
) -> Result<Node, ZarrError> {
    of_kind(container, path, Node::read(container, path)?, wanted)
}

/// The same, where what lies at the path has been read.
pub(crate) fn of_kind(
    container: &Container,
    path: &Path,
    node: Option<Node>,
    wanted: NodeKind,
) -> Result<Node, ZarrError> {
    let found = if let Some(node) = node {
        if node.kind == wanted {
            return Ok(node);
        }
        match wanted {
            NodeKind::Array => format!("it is a group; {}", arrays_text(container, path)),
            NodeKind::Group => "it is an array".to_owned(),
        }
    } else {
        match what_is_there(container, path)? {
            // Where something is there, it may have been moved into its place while it was looked for.
            Some(found) => match Node::read(container, path)? {
                Some(node) if node.kind == wanted => return Ok(node),
                _ => found,
            },
            None => return Err(not_found(container, path)),
        }
    };
    let path = path.to_owned();
    Err(match wanted {
        NodeKind::Array => ZarrError::NotAZarrArray { path, found },
        NodeKind::Group => ZarrError::NotAZarrGroup { path, found },
    })
}

/// The arrays in a folder and the folders below it, sorted. What cannot be read as an array or group is left
/// out.
///
/// # Errors
///
/// [`ZarrError::NotListable`], and what goes wrong when folders are listed.
pub(crate) fn arrays_below(container: &Container, root: &Path) -> Result<Vec<PathBuf>, ZarrError> {
    let mut walk = Walk::new(root);
    while let Some(folder) = walk.folders.pop() {
        walk.look_into(container, &folder)?;
    }
    walk.found.sort();
    Ok(walk.found)
}

/// The same for a message: folders that cannot be listed are left out, and the search ends after some time.
/// None if it is `root` that cannot be listed.
fn found_below(container: &Container, root: &Path) -> Option<Vec<PathBuf>> {
    let mut walk = Walk::new(root);
    let limit = if container.sizes_are_cheap() { MAX_FOLDERS } else { MAX_REMOTE_FOLDERS };
    for number in 0..limit {
        let Some(folder) = walk.folders.pop() else { break };
        // The message is about something else.
        if walk.look_into(container, &folder).is_err() && number == 0 {
            return None;
        }
    }
    walk.found.sort();
    Some(walk.found)
}

/// A search for arrays.
struct Walk<'a> {
    root: &'a Path,
    found: Vec<PathBuf>,
    folders: Vec<PathBuf>,
    links: Links,
}

impl<'a> Walk<'a> {
    fn new(root: &'a Path) -> Self {
        let folders = vec![root.to_owned()];
        Self { root, found: Vec::new(), folders, links: Links::default() }
    }

    fn look_into(&mut self, container: &Container, folder: &Path) -> Result<(), ZarrError> {
        if !self.links.enters(container, folder) {
            return Ok(());
        }
        let Some(names) = container.folders(folder)? else {
            // A name in metadata does not mean that something is there.
            let is_there =
                folder == self.root || matches!(Node::read(container, folder), Ok(Some(_)));
            let path = folder.to_owned();
            return if is_there { Err(ZarrError::NotListable { path }) } else { Ok(()) };
        };
        let children: Vec<PathBuf> = names.iter().map(|name| folder.join(name)).collect();
        container.prefetch(children.iter().map(PathBuf::as_path));
        for child in children {
            match Node::read(container, &child) {
                Ok(Some(node)) if node.kind == NodeKind::Array => self.found.push(child),
                _ => self.folders.push(child),
            }
        }
        Ok(())
    }
}

/// What there is at a path instead of an array or group; none if there is nothing.
fn what_is_there(container: &Container, path: &Path) -> Result<Option<String>, ZarrError> {
    if container.is_folder() {
        return Ok(path.try_exists().unwrap_or(false).then(|| describe(container, path)));
    }
    // Where consolidated metadata answer, nothing else is asked.
    if container.consolidated_file().is_none() {
        match container.start_of_file(path) {
            Ok(Some(start)) => return Ok(Some(describe_start(&start))),
            Ok(None) => {}
            // Servers answer so for folders that they do not show.
            Err(ZarrError::StoreIo { source, .. })
                if source.kind() == ErrorKind::PermissionDenied => {}
            Err(error) => return Err(error),
        }
    }
    let names = match container.folders(path) {
        Ok(names) => names.unwrap_or_default(),
        // Not even the bucket is there.
        Err(ZarrError::StoreIo { context, source }) if source.kind() == ErrorKind::NotFound => {
            return Err(ZarrError::StoreIo { context, source });
        }
        Err(_) => Vec::new(),
    };
    Ok((!names.is_empty()).then(|| {
        let arrays = arrays_text(container, path);
        format!("it is a folder without Zarr metadata (.zarray or zarr.json); {arrays}")
    }))
}

fn not_found(container: &Container, path: &Path) -> ZarrError {
    let hint = if container.is_folder() {
        let existing = path.ancestors().skip(1).find(|ancestor| ancestor.exists());
        match existing {
            None => "none of its parent folders exists".to_owned(),
            Some(file) if file.is_file() => {
                let found = describe(container, file);
                let found = format!("{}: {found}", file.display());
                return ZarrError::NotAZarrArray { path: path.to_owned(), found };
            }
            Some(folder) if Node::exists(folder) => exists_and(container, folder),
            Some(folder) => format!("the nearest folder that exists is {}", folder.display()),
        }
    } else {
        let inside = |folder: &&Path| folder.starts_with(container.root());
        let holds_something = |folder: &&Path| matches!(Node::read(container, folder), Ok(Some(_)));
        let nearest = path.ancestors().skip(1).take_while(inside).find(holds_something);
        let known = container.consolidated_file().map(|file| {
            format!(" (the consolidated metadata in {} do not name it)", file.display())
        });
        let known = known.unwrap_or_default();
        match nearest {
            Some(folder) => format!("{}{known}", exists_and(container, folder)),
            None => format!("no Zarr metadata are there or above it{known}"),
        }
    };
    ZarrError::NotFound { path: path.to_owned(), hint }
}

fn exists_and(container: &Container, folder: &Path) -> String {
    format!("{} exists and {}", folder.display(), arrays_text(container, folder))
}

/// What a file or folder without Zarr metadata is.
fn describe(container: &Container, path: &Path) -> String {
    if path.is_file() {
        let mut start = Vec::new();
        let read = fs::File::open(path).and_then(|file| file.take(8).read_to_end(&mut start));
        return describe_start(if read.is_ok() { &start } else { &[] });
    }
    let arrays = found_below(container, path).unwrap_or_default();
    if arrays.is_empty() {
        return "it is a folder without metadata of Zarr (.zarray, zarr.json) or N5 (attributes.json)"
            .to_owned();
    }
    format!("it is a folder without Zarr metadata; {}", names_text(path, &arrays))
}

/// What a file is, by its first bytes.
fn describe_start(start: &[u8]) -> String {
    match start {
        b"\x89HDF\r\n\x1a\n" => CONVERT_HDF5.to_owned(),
        [b'P', b'K', 3 | 5, ..] => "it is a zip archive without Zarr metadata".to_owned(),
        [b'<', ..] => {
            "it is a page, or a folder that is shown as one, without Zarr metadata".to_owned()
        }
        _ => "it is a file, not a folder".to_owned(),
    }
}

/// The arrays in a group, for a message.
fn arrays_text(container: &Container, group: &Path) -> String {
    match found_below(container, group) {
        Some(arrays) => names_text(group, &arrays),
        None => "what is in it cannot be listed".to_owned(),
    }
}

fn names_text(group: &Path, arrays: &[PathBuf]) -> String {
    if arrays.is_empty() {
        return "there are no arrays in it".to_owned();
    }
    let names: Vec<String> =
        arrays.iter().take(MAX_NAMED).map(|array| path_inside(group, array)).collect();
    let more = arrays.len().saturating_sub(names.len());
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("the arrays in it are {}{rest}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::StoreOptions;

    #[test]
    fn an_array_that_came_while_it_was_looked_for_is_found() {
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        let array = package.join("tests/fixtures/v2_blosc_lz4.zarr/s0");
        let (container, dir) = Container::open(&array.into(), &StoreOptions::default()).unwrap();
        let node = of_kind(&container, &dir, None, NodeKind::Array).unwrap();
        assert_eq!((node.kind, &node.dir), (NodeKind::Array, &dir));
        let error = of_kind(&container, &dir, None, NodeKind::Group).unwrap_err();
        assert!(matches!(error, ZarrError::NotAZarrGroup { .. }), "{error}");
    }
}
