//! Groups: folders of arrays with attributes.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::error::ZarrError;
use crate::levels::{self, LevelInfo};
use crate::locate::{arrays_below, node_at};
use crate::node::{Node, NodeKind, ZarrFormat, absolute};
use crate::store::Container;

/// A Zarr group, opened for reading its attributes and finding what is in it.
#[derive(Debug)]
pub struct ZarrGroup {
    container: Container,
    node: Node,
}

impl ZarrGroup {
    /// Opens the group in a folder.
    ///
    /// # Errors
    ///
    /// [`ZarrError::NotFound`], [`ZarrError::NotAZarrGroup`], [`ZarrError::MetadataMalformed`] or
    /// [`ZarrError::StoreIo`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, ZarrError> {
        let dir = absolute(path.as_ref())?;
        let (container, dir) = Container::around(dir)?;
        let node = node_at(&container, &dir, NodeKind::Group)?;
        Ok(Self { container, node })
    }

    /// The folder, as an absolute path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.node.dir
    }

    /// The version of the format.
    #[must_use]
    pub fn zarr_format(&self) -> ZarrFormat {
        self.node.format
    }

    /// The attributes.
    #[must_use]
    pub fn attrs(&self) -> &Map<String, Value> {
        &self.node.attrs
    }

    /// The paths of all arrays in the group and the groups in it, sorted.
    #[must_use]
    pub fn arrays(&self) -> Vec<PathBuf> {
        arrays_below(&self.node.dir)
    }

    /// The scale levels of the image that the group is, in the order in which its metadata lists them;
    /// none if it is no image.
    ///
    /// # Errors
    ///
    /// Those of [`ZarrArray::open`](crate::ZarrArray::open) for a level that cannot be opened. One without geometry is no error.
    pub fn levels(&self) -> Result<Vec<LevelInfo>, ZarrError> {
        levels::list(&self.container, &self.node)
    }

    /// The names of the groups directly in this one, sorted.
    ///
    /// # Errors
    ///
    /// [`ZarrError::StoreIo`] if the folder cannot be listed; [`ZarrError::MetadataMalformed`].
    pub fn groups(&self) -> Result<Vec<String>, ZarrError> {
        let failed = |error| ZarrError::io("list", &self.node.dir, error);
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.node.dir).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            // What has no name in Unicode has no key.
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            if let Some(child) = Node::read(&self.container, &entry.path())?
                && child.kind == NodeKind::Group
            {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }
}
