//! Arrays and groups as they lie in folders.

use std::fmt;
use std::fs;
use std::path::{Component, Path, PathBuf};

use serde_json::{Map, Value};

use crate::error::ZarrError;
use crate::json::short;
use crate::location::Location;
use crate::n5;
use crate::store::Container;

/// The format of an array or group: a version of Zarr, or N5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ZarrFormat {
    /// Zarr version 2: `.zarray`, `.zgroup`, `.zattrs`.
    V2,
    /// Zarr version 3: `zarr.json`.
    V3,
    /// N5: `attributes.json`.
    N5,
}

impl ZarrFormat {
    /// The number that metadata files of Zarr write; none for N5.
    #[must_use]
    pub const fn number(self) -> Option<u8> {
        match self {
            Self::V2 => Some(2),
            Self::V3 => Some(3),
            Self::N5 => None,
        }
    }
}

impl fmt::Display for ZarrFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V2 => "Zarr v2",
            Self::V3 => "Zarr v3",
            Self::N5 => "N5",
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NodeKind {
    Array,
    Group,
}

/// An array or group: a folder with metadata.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) dir: PathBuf,
    pub(crate) format: ZarrFormat,
    pub(crate) kind: NodeKind,
    pub(crate) metadata_file: PathBuf,
    pub(crate) metadata: Map<String, Value>,
    pub(crate) attrs_file: PathBuf,
    pub(crate) attrs: Map<String, Value>,
}

impl Node {
    /// Reads the metadata in a folder; none if there is none. Version 3 goes before version 2, and
    /// Zarr before N5.
    pub(crate) fn read(container: &Container, dir: &Path) -> Result<Option<Self>, ZarrError> {
        match Self::read_documented(container, dir)? {
            Some(node) => Ok(Some(node)),
            None => n5::implicit_group(container, dir),
        }
    }

    /// The same without the groups of N5 that have no document: whether there is a folder may be known only
    /// from the documents of others, which would be asked for it in turn.
    pub(crate) fn read_documented(
        container: &Container,
        dir: &Path,
    ) -> Result<Option<Self>, ZarrError> {
        let file = dir.join("zarr.json");
        if let Some(metadata) = container.read_json(&file)? {
            return Self::from_v3(dir, file, metadata).map(Some);
        }
        let attrs_file = dir.join(".zattrs");
        let candidates = [
            (".zarray", NodeKind::Array),
            (".zgroup", NodeKind::Group),
            (".zattrs", NodeKind::Group),
        ];
        for (name, kind) in candidates {
            let metadata_file = dir.join(name);
            let Some(metadata) = container.read_json(&metadata_file)? else {
                continue;
            };
            let attrs = container.read_json(&attrs_file)?.unwrap_or_default();
            let (dir, format) = (dir.to_owned(), ZarrFormat::V2);
            return Ok(Some(Self {
                dir,
                format,
                kind,
                metadata_file,
                metadata,
                attrs_file,
                attrs,
            }));
        }
        let file = dir.join(n5::ATTRIBUTES);
        let attributes = container.read_json(&file)?;
        Ok(attributes.map(|attributes| n5::node(dir, file, attributes)))
    }

    fn from_v3(
        dir: &Path,
        file: PathBuf,
        mut metadata: Map<String, Value>,
    ) -> Result<Self, ZarrError> {
        if metadata.get("zarr_format").and_then(Value::as_u64) != Some(3) {
            let found = metadata.get("zarr_format").map_or("nothing".to_owned(), short);
            return Err(ZarrError::malformed(
                &file,
                format!("zarr_format must be 3, found {found}"),
            ));
        }
        let kind = match metadata.get("node_type").and_then(Value::as_str) {
            Some("array") => NodeKind::Array,
            Some("group") => NodeKind::Group,
            _ => {
                let found = metadata.get("node_type").map_or("nothing".to_owned(), short);
                let reason = format!("node_type must be \"array\" or \"group\", found {found}");
                return Err(ZarrError::malformed(&file, reason));
            }
        };
        let attrs = match metadata.remove("attributes") {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(attrs)) => attrs,
            Some(other) => {
                let reason = format!("attributes must be an object, found {}", short(&other));
                return Err(ZarrError::malformed(&file, reason));
            }
        };
        Ok(Self {
            dir: dir.to_owned(),
            format: ZarrFormat::V3,
            kind,
            attrs_file: file.clone(),
            metadata_file: file,
            metadata,
            attrs,
        })
    }

    /// The groups of a container that enclose a folder, the nearest first.
    pub(crate) fn enclosing_groups(
        container: &Container,
        dir: &Path,
    ) -> Result<Vec<Self>, ZarrError> {
        let mut groups = Vec::new();
        let inside = |folder: &&Path| folder.starts_with(container.root());
        for ancestor in dir.ancestors().skip(1).take_while(inside) {
            let node = Self::read(container, ancestor)?;
            groups.extend(node.filter(|node| node.kind == NodeKind::Group));
        }
        Ok(groups)
    }

    /// Whether a folder holds metadata of Zarr, without reading it, or is a container of N5.
    pub(crate) fn exists(dir: &Path) -> bool {
        ["zarr.json", ".zarray", ".zgroup"].iter().any(|name| dir.join(name).is_file())
            || n5::is_container(dir)
    }
}

/// An absolute path without `.` and `..`, without looking where links lead unless a `..` follows.
pub(crate) fn absolute(path: &Path) -> Result<PathBuf, ZarrError> {
    let location = Location::from(path);
    if location.is_url() {
        // A folder called `s3:` would be made otherwise.
        let shown = location.to_string();
        return Err(ZarrError::unsupported(Path::new(&shown), "writing to a URL"));
    }
    let failed = |error| ZarrError::io("resolve the path", path, error);
    // Taking the parts together drops a trailing separator, which would count as a path of its own.
    let mut resolved = PathBuf::new();
    for part in std::path::absolute(path).map_err(failed)?.components() {
        if part != Component::ParentDir {
            resolved.push(part);
            continue;
        }
        // The folder above a link is the one above the place that it leads to.
        if resolved.is_symlink() {
            resolved = fs::canonicalize(&resolved).map_err(failed)?;
        }
        resolved.pop();
    }
    Ok(resolved)
}

/// The path of `dir` inside `root`, with `/` between the names.
pub(crate) fn path_inside(root: &Path, dir: &Path) -> String {
    let inside = dir.strip_prefix(root).unwrap_or(Path::new(""));
    let names: Vec<_> = inside.iter().map(|name| name.to_string_lossy()).collect();
    names.join("/")
}
