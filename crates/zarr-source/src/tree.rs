//! All that is in a group, for people.

use std::path::{Path, PathBuf};

use array_core::DType;
use serde_json::{Map, Value};

use crate::chunks::Chunks;
use crate::error::ZarrError;
use crate::levels;
use crate::locate::node_at;
use crate::location::Location;
use crate::node::{Node, NodeKind, ZarrFormat};
use crate::options::OpenOptions;
use crate::spec::ArraySpec;
use crate::store::{Container, Links};

/// How many folders are looked into, of which most may hold nothing.
const MAX_FOLDERS: usize = 100_000;
/// How deep folders are looked into. An archive may have names of thousands of parts, and each takes some of
/// the stack.
const MAX_DEPTH: usize = 100;

/// What is in a container, a group, or a folder that holds some.
#[derive(Clone, Debug)]
pub struct ZarrTree {
    /// What was asked for itself, without a name.
    pub root: TreeNode,
    /// Whether there is more than was asked for.
    pub truncated: bool,
}

/// A group, an array, or what holds some.
#[derive(Clone, Debug)]
pub struct TreeNode {
    /// The name in the node above.
    pub name: String,
    /// The path that opens it.
    pub path: PathBuf,
    /// What it is.
    pub kind: TreeKind,
    /// The attributes.
    pub attrs: Map<String, Value>,
    /// The paths of its scale levels, if it is an image.
    pub levels: Vec<String>,
    /// What lies in it, by name.
    pub children: Vec<Self>,
    /// Why what lies in it is not known, if it is not.
    pub not_listed: Option<String>,
}

/// What a node of a tree is.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum TreeKind {
    /// A group.
    Group {
        /// The version of the format.
        format: ZarrFormat,
    },
    /// An array.
    Array(TreeArray),
    /// A folder without metadata that holds groups or arrays.
    Folder,
    /// Something whose metadata cannot be read.
    Broken {
        /// Why not.
        error: String,
    },
}

/// An array as its metadata describe it.
#[derive(Clone, Debug)]
pub struct TreeArray {
    /// The version of the format.
    pub format: ZarrFormat,
    /// The shape for all axes.
    pub shape: Vec<usize>,
    /// The element type.
    pub dtype: DType,
    /// The shape of the smallest part that is decoded by itself.
    pub chunk_shape: Vec<usize>,
    /// The shape of a shard, if chunks lie in shards.
    pub shard_shape: Option<Vec<usize>>,
    /// The size of all its files in bytes, with metadata; none where that would take a request for each.
    pub stored_bytes: Option<u64>,
}

impl ZarrTree {
    /// What is at a location, up to `max_nodes` groups and arrays.
    ///
    /// It need not be a group: an array is a tree of itself, and a folder or archive without metadata counts if
    /// it holds arrays or groups.
    ///
    /// # Errors
    ///
    /// [`ZarrError::NotFound`]; [`ZarrError::NotAZarrGroup`] for something else, or a folder with nothing in it;
    /// [`ZarrError::NotListable`]; [`ZarrError::MetadataMalformed`]; [`ZarrError::InvalidLocation`];
    /// [`ZarrError::Unsupported`]; [`ZarrError::StoreIo`]. What goes wrong further down is told at its node.
    pub fn open(
        location: impl Into<Location>,
        options: &OpenOptions,
        max_nodes: usize,
    ) -> Result<Self, ZarrError> {
        let (container, dir) = Container::open(&location.into(), &options.store)?;
        match Node::read(&container, &dir)? {
            Some(found) if found.kind == NodeKind::Group => of(&container, &found, max_nodes),
            Some(found) => {
                let kind = TreeKind::Array(Walk::new(&container, 1).array(&found)?);
                let root = node(String::new(), &dir, kind, found.attrs);
                Ok(Self { root, truncated: false })
            }
            None => {
                let mut walk = Walk::new(&container, max_nodes);
                walk.links.enters(&container, &dir);
                let listed = match container.folders(&dir) {
                    Ok(_) => walk.children(&dir)?.unwrap_or_default(),
                    // A file, or nothing: told below.
                    Err(_) => Vec::new(),
                };
                if listed.is_empty() && !walk.truncated {
                    let error = node_at(&container, &dir, NodeKind::Group).map(drop);
                    return Err(error.err().unwrap_or(ZarrError::NotListable { path: dir }));
                }
                let mut root = node(String::new(), &dir, TreeKind::Folder, Map::new());
                root.children = listed;
                Ok(Self { root, truncated: walk.truncated })
            }
        }
    }
}

/// The tree below a group.
pub(crate) fn of(
    container: &Container,
    group: &Node,
    max_nodes: usize,
) -> Result<ZarrTree, ZarrError> {
    let mut walk = Walk::new(container, max_nodes);
    let kind = TreeKind::Group { format: group.format };
    let mut root = node(String::new(), &group.dir, kind, group.attrs.clone());
    root.levels = levels_of(container, group);
    walk.links.enters(container, &group.dir);
    root.children = walk
        .children(&group.dir)?
        .ok_or_else(|| ZarrError::NotListable { path: group.dir.clone() })?;
    Ok(ZarrTree { root, truncated: walk.truncated })
}

struct Walk<'a> {
    container: &'a Container,
    left: usize,
    folders_left: usize,
    depth: usize,
    links: Links,
    truncated: bool,
}

impl<'a> Walk<'a> {
    /// A walk that has made the first of its nodes.
    fn new(container: &'a Container, max_nodes: usize) -> Self {
        let left = max_nodes.saturating_sub(1);
        let links = Links::default();
        Self { container, left, folders_left: MAX_FOLDERS, depth: 0, links, truncated: false }
    }

    /// The nodes in a folder; none if nothing tells them.
    fn children(&mut self, dir: &Path) -> Result<Option<Vec<TreeNode>>, ZarrError> {
        if self.folders_left == 0 || self.depth == MAX_DEPTH {
            self.truncated = true;
            return Ok(Some(Vec::new()));
        }
        self.folders_left = self.folders_left.saturating_sub(1);
        self.depth = self.depth.saturating_add(1);
        let children = self.children_of(dir);
        self.depth = self.depth.saturating_sub(1);
        children
    }

    fn children_of(&mut self, dir: &Path) -> Result<Option<Vec<TreeNode>>, ZarrError> {
        let Some(names) = self.container.folders(dir)? else {
            return Ok(None);
        };
        let paths: Vec<PathBuf> = names.iter().map(|name| dir.join(name)).collect();
        self.container.prefetch(paths.iter().take(self.left).map(PathBuf::as_path));
        let mut children = Vec::new();
        for (name, path) in names.into_iter().zip(paths) {
            if self.left == 0 {
                self.truncated = true;
                break;
            }
            self.left = self.left.saturating_sub(1);
            match self.child(name, &path) {
                Some(child) => children.push(child),
                // A folder of something else is no node.
                None => self.left = self.left.saturating_add(1),
            }
        }
        Ok(Some(children))
    }

    /// The node at a path; none if there is neither metadata nor a node below.
    fn child(&mut self, name: String, path: &Path) -> Option<TreeNode> {
        let mut levels = Vec::new();
        let (kind, attrs) = match Node::read(self.container, path) {
            Ok(Some(found)) if found.kind == NodeKind::Array => {
                let kind = match self.array(&found) {
                    Ok(array) => TreeKind::Array(array),
                    Err(error) => TreeKind::Broken { error: error.to_string() },
                };
                return Some(node(name, path, kind, found.attrs));
            }
            Ok(Some(found)) => {
                levels = levels_of(self.container, &found);
                (TreeKind::Group { format: found.format }, found.attrs)
            }
            Ok(None) => (TreeKind::Folder, Map::new()),
            Err(error) => {
                let kind = TreeKind::Broken { error: error.to_string() };
                return Some(node(name, path, kind, Map::new()));
            }
        };
        let mut found = node(name, path, kind, attrs);
        found.levels = levels;
        let is_folder = matches!(found.kind, TreeKind::Folder);
        if !self.links.enters(self.container, path) {
            found.not_listed = Some("it is a link to what is listed elsewhere".to_owned());
            return Some(found);
        }
        match self.children(path) {
            Ok(Some(children)) => found.children = children,
            Ok(None) => {
                let error = ZarrError::NotListable { path: path.to_owned() };
                found.not_listed = (!is_folder).then(|| error.to_string());
            }
            Err(error) => found.not_listed = Some(error.to_string()),
        }
        let is_empty = found.children.is_empty() && found.not_listed.is_none();
        (!is_folder || !is_empty).then_some(found)
    }

    fn array(&self, found: &Node) -> Result<TreeArray, ZarrError> {
        let spec = ArraySpec::new(self.container, found)?;
        let chunks = Chunks::new(self.container.clone(), found.dir.clone(), spec)?;
        Ok(TreeArray {
            format: found.format,
            dtype: chunks.dtype(),
            chunk_shape: chunks.chunk_shape().to_vec(),
            shard_shape: chunks.sharding.as_ref().map(|_| chunks.stored_shape.clone()),
            stored_bytes: self.container.stored_bytes(&found.dir),
            shape: chunks.shape,
        })
    }
}

fn node(name: String, path: &Path, kind: TreeKind, attrs: Map<String, Value>) -> TreeNode {
    let (path, children) = (path.to_owned(), Vec::new());
    TreeNode { name, path, kind, attrs, levels: Vec::new(), children, not_listed: None }
}

/// The paths of the scale levels of a group. What is wrong with them is told when the image is opened.
fn levels_of(container: &Container, group: &Node) -> Vec<String> {
    levels::paths(container, group).unwrap_or_default()
}
