//! Containers as stores of zarrs: the only way to their metadata and chunks.
//!
//! Another kind of store needs another constructor here, and another way to find the root. Only what
//! is told about a path that holds no array, the listing of groups and the staging of outputs look
//! past it at the file system.

mod replacing;

use std::fmt;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value};
use zarrs::filesystem::FilesystemStore;
use zarrs::storage::{ReadableStorage, StorageError, StoreKey, WritableStorage};

use self::replacing::ReplacingStore;
use crate::error::ZarrError;
use crate::json::{from_bytes, to_bytes};
use crate::n5;
use crate::node::{Node, NodeKind};

/// The names of metadata documents, as they are looked for.
const DOCUMENTS: [&str; 5] = ["zarr.json", ".zarray", ".zgroup", ".zattrs", n5::ATTRIBUTES];

/// The store of a container. Files and folders in it go by the paths that messages name.
#[derive(Clone)]
pub(crate) struct Container {
    root: PathBuf,
    store: ReadableStorage,
}

impl Container {
    /// The container that holds the folder `dir`, and the folder's path in it.
    ///
    /// The path is where `dir` really lies if only that place is in a container: a link may lead into one.
    pub(crate) fn around(dir: PathBuf) -> Result<(Self, PathBuf), ZarrError> {
        let inside = |folder: &Path| dir.strip_prefix(folder).unwrap_or(Path::new("")).to_owned();
        let (root, top) = (root_above(&dir)?, top_of_chain(&dir));
        if let Ok(real_top) = fs::canonicalize(&top) {
            let real_root =
                if top == dir { root_above(&real_top)? } else { top_of_chain(&real_top) };
            let real: PathBuf = real_top.join(inside(&top)).components().collect();
            let same = fs::canonicalize(&root)
                .is_ok_and(|at| at == real_root && at.join(inside(&root)) == real);
            if real_root != real_top && !same {
                return Ok((Self::at(&real_root)?, real));
            }
        }
        Ok((Self::at(&root)?, dir))
    }

    /// The container whose root is the folder `root`.
    pub(crate) fn at(root: &Path) -> Result<Self, ZarrError> {
        Ok(Self::new(root.to_owned(), Arc::new(file_store(root)?)))
    }

    /// The container in a store, which messages call `root`.
    pub(crate) fn new(root: PathBuf, store: ReadableStorage) -> Self {
        Self { root, store }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn readable(&self) -> ReadableStorage {
        Arc::clone(&self.store)
    }

    /// The store for writing below the folder `folder`, which it never brings back if it has gone.
    pub(crate) fn writable(&self, folder: &Path) -> Result<WritableStorage, ZarrError> {
        Ok(Arc::new(ReplacingStore::new(file_store(&self.root)?, folder.to_owned())))
    }

    /// Reads a metadata document; none if there is no such document.
    pub(crate) fn read_json(&self, file: &Path) -> Result<Option<Map<String, Value>>, ZarrError> {
        match self.store.get(&self.key(file)?) {
            // As if it were not there, for a store of files.
            Ok(None) if file.is_symlink() => {
                let error = io::Error::new(ErrorKind::NotFound, "it is a link that leads nowhere");
                Err(ZarrError::io("read", file, error))
            }
            Ok(bytes) => bytes.map(|bytes| from_bytes(file, &bytes)).transpose(),
            // What should be a folder is a file.
            Err(StorageError::IOError(error)) if error.kind() == ErrorKind::NotADirectory => {
                Ok(None)
            }
            Err(error) => Err(store_error("read", file, error)),
        }
    }

    /// Writes a metadata document and the folders around it, up to the root.
    pub(crate) fn write_json(
        &self,
        file: &Path,
        object: &Map<String, Value>,
    ) -> Result<(), ZarrError> {
        let bytes = to_bytes(file, object)?;
        self.writable(&self.root)?
            .set(&self.key(file)?, bytes.into())
            .map_err(|error| store_error("write", file, error))
    }

    /// The path of an array in the store.
    pub(crate) fn node_path(&self, dir: &Path) -> Result<String, ZarrError> {
        Ok(format!("/{}", self.key(dir)?.as_str()))
    }

    /// The file of a key, for messages.
    pub(crate) fn file(&self, key: &StoreKey) -> PathBuf {
        self.root.join(key.as_str())
    }

    fn key(&self, path: &Path) -> Result<StoreKey, ZarrError> {
        let inside = path.strip_prefix(&self.root).unwrap_or(path);
        let names: Option<Vec<&str>> = inside.iter().map(|name| name.to_str()).collect();
        names
            .and_then(|names| StoreKey::new(names.join("/")).ok())
            .ok_or_else(|| ZarrError::unsupported(path, "a path that is not Unicode"))
    }
}

impl fmt::Debug for Container {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Container").field("root", &self.root).finish_non_exhaustive()
    }
}

/// The root of the container that holds the folder `dir`.
///
/// Folders without metadata may lie between `dir` and a group, but not between groups: what lies further
/// up belongs to others.
fn root_above(dir: &Path) -> Result<PathBuf, ZarrError> {
    let top = top_of_chain(dir);
    if top != dir {
        return Ok(top);
    }
    let Some(above) = dir.ancestors().skip(1).find(|folder| has_metadata(folder)) else {
        return Ok(top);
    };
    let node = Node::read(&Container::at(above)?, above);
    let is_group = matches!(node, Ok(Some(node)) if node.kind == NodeKind::Group);
    Ok(if is_group { top_of_chain(above) } else { top })
}

/// The topmost of the folders with metadata that follow each other directly above `dir`, or `dir`.
fn top_of_chain(dir: &Path) -> PathBuf {
    let folders = dir.ancestors().skip(1).take_while(|folder| has_metadata(folder));
    let top = folders.last().unwrap_or(dir);
    // In N5, folders without metadata may lie anywhere.
    let is_n5 = n5::is_member(top);
    n5::root_above(top).filter(|_| is_n5).unwrap_or_else(|| top.to_owned())
}

/// Whether a folder holds metadata, which need not be readable.
fn has_metadata(folder: &Path) -> bool {
    DOCUMENTS.iter().any(|name| fs::symlink_metadata(folder.join(name)).is_ok())
}

fn file_store(root: &Path) -> Result<FilesystemStore, ZarrError> {
    FilesystemStore::new(root)
        .map_err(|_| ZarrError::unsupported(root, "a path that is not Unicode"))
}

/// The error of a store, with its cause.
pub(crate) fn store_error(action: &str, file: &Path, error: StorageError) -> ZarrError {
    let error = match error {
        StorageError::IOError(error) => io::Error::new(error.kind(), error),
        other => io::Error::other(other),
    };
    let error = match no_file(file) {
        Some(found) => io::Error::new(error.kind(), found),
        None => error,
    };
    ZarrError::io(action, file, error)
}

/// What there is in place of a file, if something else is.
pub(crate) fn no_file(path: &Path) -> Option<&'static str> {
    let found = fs::metadata(path).ok().filter(|found| !found.is_file())?;
    Some(if found.is_dir() { "it is a directory, not a file" } else { "it is no regular file" })
}
