//! Containers as stores of zarrs: the only way to their metadata and chunks.
//!
//! Another kind of store needs another constructor here, and another way to find the root. Only what
//! is told about a path that holds no array, the listing of groups and the staging of outputs look
//! past it at the file system.

mod replacing;

use std::fmt;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value};
use zarrs::filesystem::FilesystemStore;
use zarrs::storage::{ReadableStorage, StorageError, StoreKey, WritableStorage};

use self::replacing::ReplacingStore;
use crate::error::ZarrError;
use crate::json::{from_bytes, to_bytes};

/// The names of metadata documents, as they are looked for.
const DOCUMENTS: [&str; 4] = ["zarr.json", ".zarray", ".zgroup", ".zattrs"];

/// The store of a container. Files and folders in it go by the paths that messages name.
#[derive(Clone)]
pub(crate) struct Container {
    root: PathBuf,
    store: ReadableStorage,
}

impl Container {
    /// The container that holds the folder `dir`, from the topmost folder with metadata on.
    pub(crate) fn around(dir: &Path) -> Result<Self, ZarrError> {
        let has_metadata =
            |folder: &&Path| DOCUMENTS.iter().any(|name| folder.join(name).is_file());
        Self::at(dir.ancestors().filter(has_metadata).last().unwrap_or(dir))
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
    ZarrError::io(action, file, error)
}
