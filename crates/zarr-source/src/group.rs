//! Groups: folders of arrays with attributes.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::array::ZarrArray;
use crate::error::ZarrError;
use crate::levels::{self, LevelInfo};
use crate::locate::{arrays_below, node_at};
use crate::location::Location;
use crate::node::{Node, NodeKind, ZarrFormat};
use crate::options::OpenOptions;
use crate::store::Container;
use crate::tree::{self, ZarrTree};

/// A group of Zarr or N5, opened for reading its attributes and finding what is in it.
///
/// What is opened through it shares its store, and what is known of its metadata.
#[derive(Debug)]
pub struct ZarrGroup {
    container: Container,
    node: Node,
}

impl ZarrGroup {
    /// Opens a group in a folder, in a zip archive or behind a URL.
    ///
    /// # Errors
    ///
    /// [`ZarrError::NotFound`], [`ZarrError::NotAZarrGroup`], [`ZarrError::MetadataMalformed`],
    /// [`ZarrError::InvalidLocation`], [`ZarrError::Unsupported`] or [`ZarrError::StoreIo`].
    pub fn open(location: impl Into<Location>) -> Result<Self, ZarrError> {
        Self::open_with(location, &OpenOptions::default())
    }

    /// Opens a group whose store is reached as `options` say; the rest of them is for arrays.
    ///
    /// # Errors
    ///
    /// Those of [`ZarrGroup::open`].
    pub fn open_with(
        location: impl Into<Location>,
        options: &OpenOptions,
    ) -> Result<Self, ZarrError> {
        let (container, dir) = Container::open(&location.into(), &options.store)?;
        Self::open_in(container, &dir)
    }

    fn open_in(container: Container, dir: &Path) -> Result<Self, ZarrError> {
        let node = node_at(&container, dir, NodeKind::Group)?;
        Ok(Self::of_node(container, node))
    }

    /// The group of a node that has been read.
    pub(crate) fn of_node(container: Container, node: Node) -> Self {
        Self { container, node }
    }

    /// Opens the group `name` in this one, such as `labels/mito`.
    ///
    /// # Errors
    ///
    /// Those of [`ZarrGroup::open`]; [`ZarrError::InvalidName`] for a name that leads out of this group.
    pub fn open_group(&self, name: &str) -> Result<Self, ZarrError> {
        Self::open_in(self.container.clone(), &self.path_of(name)?)
    }

    /// Opens the array `name` in this group, such as `labels/mito/s0`, for reading.
    ///
    /// The store is the group's, whatever `options` say about stores.
    ///
    /// # Errors
    ///
    /// Those of [`ZarrArray::open`]; [`ZarrError::InvalidName`] for a name that leads out of this group.
    pub fn open_array(&self, name: &str, options: &OpenOptions) -> Result<ZarrArray, ZarrError> {
        ZarrArray::open_in(self.container.clone(), self.path_of(name)?, options)
    }

    /// The folder: an absolute path, or a URL without secrets.
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
    ///
    /// # Errors
    ///
    /// [`ZarrError::NotListable`] if nothing tells what is in a group; [`ZarrError::StoreIo`].
    pub fn arrays(&self) -> Result<Vec<PathBuf>, ZarrError> {
        arrays_below(&self.container, &self.node.dir)
    }

    /// The scale levels of the image that the group is, in the order in which its metadata lists them;
    /// none if it is no image.
    ///
    /// # Errors
    ///
    /// Those of [`ZarrArray::open`] for a level that cannot be opened. One without geometry is no error.
    pub fn levels(&self) -> Result<Vec<LevelInfo>, ZarrError> {
        levels::list(&self.container, &self.node)
    }

    /// The names of the groups directly in this one, sorted.
    ///
    /// # Errors
    ///
    /// [`ZarrError::NotListable`] if nothing tells what is in the group; [`ZarrError::StoreIo`];
    /// [`ZarrError::MetadataMalformed`].
    pub fn groups(&self) -> Result<Vec<String>, ZarrError> {
        let dir = &self.node.dir;
        let listed = self.container.folders(dir)?;
        let mut names = listed.ok_or_else(|| ZarrError::NotListable { path: dir.clone() })?;
        let children: Vec<PathBuf> = names.iter().map(|name| dir.join(name)).collect();
        self.container.prefetch(children.iter().map(PathBuf::as_path));
        let mut groups = Vec::new();
        for (name, child) in names.drain(..).zip(children) {
            let node = Node::read(&self.container, &child)?;
            if node.is_some_and(|node| node.kind == NodeKind::Group) {
                groups.push(name);
            }
        }
        Ok(groups)
    }

    /// All groups and arrays in this group, up to `max_nodes` of them.
    ///
    /// # Errors
    ///
    /// [`ZarrError::NotListable`] if nothing tells what is in this group; [`ZarrError::StoreIo`] if it cannot
    /// be listed. What goes wrong further down is told at its node.
    pub fn tree(&self, max_nodes: usize) -> Result<ZarrTree, ZarrError> {
        tree::of(&self.container, &self.node, max_nodes)
    }

    /// The path of what lies in the group under a name.
    fn path_of(&self, name: &str) -> Result<PathBuf, ZarrError> {
        let mut path = self.node.dir.clone();
        for part in name.split('/').filter(|part| !part.is_empty() && *part != ".") {
            if part == ".." {
                let reason = "it leads out of the group".to_owned();
                return Err(ZarrError::InvalidName { name: name.to_owned(), reason });
            }
            path.push(part);
        }
        Ok(path)
    }
}
