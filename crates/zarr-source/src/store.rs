//! Containers as stores of zarrs: the only way to their metadata and chunks.
//!
//! A container lies in a folder, in a zip archive or behind a URL. Its files and folders go by the paths
//! that messages name, also behind a URL: `s3://bucket/crop.zarr/labels` is such a path. Only what is told
//! about a path that holds no array and the staging of outputs look past this at the file system.

mod consolidated;
mod documents;
mod folder;
mod links;
mod listing;
mod options;
#[cfg(feature = "remote")]
mod remote;
mod replacing;
mod root;
mod version;
mod zip;

use std::fmt;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value};
use zarrs::filesystem::FilesystemStore;
use zarrs::storage::byte_range::ByteRange;
use zarrs::storage::store::MemoryStore;
use zarrs::storage::{
    MaybeBytes, ReadableStorage, ReadableStorageTraits, StorageError, StoreKey, WritableStorage,
    WritableStorageTraits,
};

use self::documents::Documents;
use self::folder::{FolderStore, what_it_is};
pub(crate) use self::links::Links;
pub use self::options::StoreOptions;
#[cfg(feature = "remote")]
use self::remote::RemoteStore;
use self::replacing::ReplacingStore;
pub(crate) use self::version::{FileVersion, check_same, is_replaced};
use self::zip::ZipStore;
use crate::error::ZarrError;
use crate::json::{from_bytes, to_bytes};
use crate::location::Location;
use crate::node::absolute;

/// The size up to which a metadata document is read, which even those of whole containers have not.
const MAX_DOCUMENT_SIZE: u64 = 1 << 26;

/// A store that reads no more than is asked for.
pub(crate) trait LimitedStore: ReadableStorageTraits {
    /// A whole file; none if it is not stored. One that is larger than `limit` bytes is an error of the kind
    /// [`ErrorKind::FileTooLarge`], before anything is read.
    fn get_at_most(&self, key: &StoreKey, limit: u64) -> Result<MaybeBytes, StorageError>;
}

/// What is in memory was allowed to be there.
impl LimitedStore for MemoryStore {
    fn get_at_most(&self, key: &StoreKey, _limit: u64) -> Result<MaybeBytes, StorageError> {
        self.get(key)
    }
}

/// The store of a container.
#[derive(Clone)]
pub(crate) struct Container {
    root: PathBuf,
    inner: Arc<Inner>,
}

struct Inner {
    /// The folder in which the keys of the store begin.
    base: PathBuf,
    store: Arc<dyn LimitedStore>,
    kind: Kind,
}

/// What differs between stores beyond reading keys.
enum Kind {
    Folder,
    /// A folder that nobody reads before it is complete.
    Staged,
    Zip(Arc<ZipStore>, Box<Documents>),
    #[cfg(feature = "remote")]
    Remote(Arc<RemoteStore>, Box<Documents>),
}

impl Container {
    /// The container that holds what lies at a location, and its path in it.
    pub(crate) fn open(
        location: &Location,
        options: &StoreOptions,
    ) -> Result<(Self, PathBuf), ZarrError> {
        if let Some(path) = location.as_path() {
            if let Some(scheme) = location.unknown_scheme()
                && !path.exists()
            {
                let reason = format!("{scheme} is not supported; http, https and s3 are");
                return Err(ZarrError::InvalidLocation { location: location.to_string(), reason });
            }
            let dir = absolute(path)?;
            return match zip::archive_above(&dir) {
                Some(archive) => Self::in_archive(&archive, dir),
                None => Self::around(dir),
            };
        }
        Self::remote(location, options)
    }

    /// The container in a zip archive that holds the folder `dir`.
    fn in_archive(archive: &Path, dir: PathBuf) -> Result<(Self, PathBuf), ZarrError> {
        let (Some(folder), Some(name)) = (archive.parent(), archive.file_name()) else {
            return Err(ZarrError::unsupported(archive, "an archive without a name"));
        };
        let store: ReadableStorage = Arc::new(FolderStore::new(folder));
        let key = name.to_str().and_then(|name| StoreKey::new(name).ok());
        let key = key.ok_or_else(|| not_unicode(archive))?;
        Self::zipped(archive.to_owned(), store, key)?.rooted_around(dir)
    }

    /// The container in the zip archive under a key of a store.
    fn zipped(base: PathBuf, store: ReadableStorage, key: StoreKey) -> Result<Self, ZarrError> {
        let zip = Arc::new(ZipStore::open(&base, store, key)?);
        let store: Arc<dyn LimitedStore> = Arc::<ZipStore>::clone(&zip);
        let kind = Kind::Zip(zip, Box::default());
        Ok(Self { root: base.clone(), inner: Arc::new(Inner { base, store, kind }) })
    }

    #[cfg(not(feature = "remote"))]
    fn remote(location: &Location, _: &StoreOptions) -> Result<(Self, PathBuf), ZarrError> {
        let what = "reading from a URL, for which this program was built without the feature \
                    `remote` of zarr-source,";
        Err(ZarrError::unsupported(Path::new(&location.to_string()), what))
    }

    #[cfg(feature = "remote")]
    fn remote(location: &Location, options: &StoreOptions) -> Result<(Self, PathBuf), ZarrError> {
        let (remote, names) = RemoteStore::open(location, options)?;
        let base = remote.base().to_owned();
        let mut dir = base.clone();
        let store: Arc<dyn LimitedStore> = Arc::<RemoteStore>::clone(&remote);
        for (index, name) in names.iter().enumerate() {
            dir.push(name);
            if !zip::is_archive_name(name) {
                continue;
            }
            let key = StoreKey::new(names.get(..=index).unwrap_or_default().join("/"))
                .map_err(|_| not_unicode(&dir))?;
            // A folder may have such a name too.
            let size = remote.size(&key).map_err(|error| remote_error("open", &dir, error))?;
            if size.is_some() {
                let container = Self::zipped(dir.clone(), store, key)?;
                dir.extend(names.get(index.saturating_add(1)..).unwrap_or_default());
                return container.rooted_around(dir);
            }
        }
        let kind = Kind::Remote(remote, Box::default());
        let container = Self { root: base.clone(), inner: Arc::new(Inner { base, store, kind }) };
        container.rooted_around(dir)
    }

    /// The container whose root is the folder `root`.
    pub(crate) fn at(root: &Path) -> Result<Self, ZarrError> {
        check_unicode(root)?;
        Ok(Self::new(root.to_owned(), Arc::new(FolderStore::new(root))))
    }

    /// The container whose root is the folder `root`, which nobody reads before it is complete.
    pub(crate) fn staged(root: &Path) -> Result<Self, ZarrError> {
        check_unicode(root)?;
        let store = Arc::new(FolderStore::new(root));
        let inner = Inner { base: root.to_owned(), store, kind: Kind::Staged };
        Ok(Self { root: root.to_owned(), inner: Arc::new(inner) })
    }

    /// The container in a store, which messages call `root`.
    pub(crate) fn new(root: PathBuf, store: Arc<dyn LimitedStore>) -> Self {
        let inner = Inner { base: root.clone(), store, kind: Kind::Folder };
        Self { root, inner: Arc::new(inner) }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Whether its files are those of the file system.
    pub(crate) fn is_folder(&self) -> bool {
        matches!(self.inner.kind, Kind::Folder | Kind::Staged)
    }

    /// Whether a folder holds a metadata document of an array; also if that cannot be told.
    pub(crate) fn holds_document(&self, dir: &Path) -> bool {
        ["zarr.json", ".zarray", crate::n5::ATTRIBUTES].into_iter().any(|name| {
            let size = self.key(&dir.join(name)).map(|key| self.inner.store.size_key(&key));
            !matches!(size, Ok(Ok(None)))
        })
    }

    pub(crate) fn readable(&self) -> ReadableStorage {
        Arc::<dyn LimitedStore>::clone(&self.inner.store)
    }

    /// A whole file; none if it is not stored. One that is larger than `limit` bytes is an error.
    pub(crate) fn get_at_most(
        &self,
        key: &StoreKey,
        limit: u64,
    ) -> Result<MaybeBytes, StorageError> {
        self.inner.store.get_at_most(key, limit)
    }

    /// The store for writing below the folder `folder`, which it never brings back if it has gone.
    pub(crate) fn writable(&self, folder: &Path) -> Result<WritableStorage, ZarrError> {
        let store = self.replacing(folder)?;
        let is_staged = matches!(self.inner.kind, Kind::Staged);
        Ok(Arc::new(if is_staged { store.in_place() } else { store }))
    }

    fn replacing(&self, folder: &Path) -> Result<ReplacingStore, ZarrError> {
        if !self.is_folder() {
            let what = "writing into a zip archive or to a URL";
            return Err(ZarrError::unsupported(folder, what));
        }
        Ok(ReplacingStore::new(file_store(&self.inner.base)?, folder.to_owned()))
    }

    /// Reads a metadata document; none if there is no such document.
    pub(crate) fn read_json(&self, file: &Path) -> Result<Option<Map<String, Value>>, ZarrError> {
        let Some(documents) = self.documents() else {
            return self.fetch_json(file);
        };
        if let Some(answer) = documents.answer(file) {
            return answer;
        }
        let found = self.fetch_json(file)?;
        documents.remember(file, found.clone());
        Ok(found)
    }

    /// Whether the size of a file is known without a request.
    pub(crate) fn sizes_are_cheap(&self) -> bool {
        match self.inner.kind {
            Kind::Folder | Kind::Staged | Kind::Zip(..) => true,
            #[cfg(feature = "remote")]
            Kind::Remote(..) => false,
        }
    }

    /// What is known of the metadata documents; nothing where the files themselves count.
    fn documents(&self) -> Option<&Documents> {
        match &self.inner.kind {
            Kind::Folder | Kind::Staged => None,
            Kind::Zip(_, documents) => Some(documents),
            #[cfg(feature = "remote")]
            Kind::Remote(_, documents) => Some(documents),
        }
    }

    fn fetch_json(&self, file: &Path) -> Result<Option<Map<String, Value>>, ZarrError> {
        let key = self.key(file)?;
        match self.get_at_most(&key, MAX_DOCUMENT_SIZE) {
            Ok(bytes) => bytes.map(|bytes| self.parse(file, &bytes)).transpose(),
            // What should be a folder is a file.
            Err(StorageError::IOError(error)) if error.kind() == ErrorKind::NotADirectory => {
                Ok(None)
            }
            Err(StorageError::IOError(error)) if error.kind() == ErrorKind::FileTooLarge => {
                Err(ZarrError::malformed(file, format!("too large for metadata: {error}")))
            }
            Err(error) => Err(self.store_error("read", file, error)),
        }
    }

    fn parse(&self, file: &Path, bytes: &[u8]) -> Result<Map<String, Value>, ZarrError> {
        let is_page = bytes.trim_ascii_start().starts_with(b"<");
        if is_page && !self.is_folder() {
            let reason = "it is a page in HTML or XML, not JSON; some servers answer so for what \
                          they do not have";
            return Err(ZarrError::malformed(file, reason));
        }
        from_bytes(file, bytes)
    }

    /// Writes a metadata document and the folders around it, up to the root.
    pub(crate) fn write_json(
        &self,
        file: &Path,
        object: &Map<String, Value>,
    ) -> Result<(), ZarrError> {
        let bytes = to_bytes(file, object)?;
        // As a whole also where chunks are written in place: half of a document cannot be resumed.
        self.replacing(&self.root)?
            .set(&self.key(file)?, bytes.into())
            .map_err(|error| self.store_error("write", file, error))
    }

    /// The path of an array in the store.
    pub(crate) fn node_path(&self, dir: &Path) -> Result<String, ZarrError> {
        Ok(format!("/{}", self.key(dir)?.as_str()))
    }

    /// The file of a key, for messages.
    pub(crate) fn file(&self, key: &StoreKey) -> PathBuf {
        self.inner.base.join(key.as_str())
    }

    /// The error of the store, with its cause.
    pub(crate) fn store_error(&self, action: &str, file: &Path, error: StorageError) -> ZarrError {
        let error = match error {
            StorageError::IOError(error) => io::Error::new(error.kind(), error),
            other => io::Error::other(other),
        };
        let error = match self.no_file(file) {
            Some(found) => io::Error::new(error.kind(), found),
            None => error,
        };
        ZarrError::io(action, file, error)
    }

    /// What is wrong with a file, rather than with reading it, if that is what the error tells.
    pub(crate) fn damage(&self, error: &StorageError) -> Option<String> {
        let StorageError::IOError(error) = error else {
            return None;
        };
        let is_damage = match error.kind() {
            ErrorKind::FileTooLarge => true,
            ErrorKind::InvalidData => matches!(self.inner.kind, Kind::Zip(..)),
            _ => false,
        };
        is_damage.then(|| error.to_string())
    }

    /// What there is in place of a file, if something else is.
    pub(crate) fn no_file(&self, path: &Path) -> Option<&'static str> {
        fs::metadata(path).ok().filter(|_| self.is_folder()).and_then(|found| what_it_is(&found))
    }

    /// The key of a file or folder.
    fn key(&self, path: &Path) -> Result<StoreKey, ZarrError> {
        let inside = path.strip_prefix(&self.inner.base).unwrap_or(path);
        let names: Option<Vec<&str>> = inside.iter().map(|name| name.to_str()).collect();
        names.and_then(|names| StoreKey::new(names.join("/")).ok()).ok_or_else(|| not_unicode(path))
    }
}

impl fmt::Debug for Container {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Container").field("root", &self.root).finish_non_exhaustive()
    }
}

fn file_store(root: &Path) -> Result<FilesystemStore, ZarrError> {
    FilesystemStore::new(root).map_err(|_| not_unicode(root))
}

fn check_unicode(root: &Path) -> Result<(), ZarrError> {
    root.to_str().map(drop).ok_or_else(|| not_unicode(root))
}

/// The error of a file that is larger than what is asked for.
fn too_large(size: u64, limit: u64) -> io::Error {
    io::Error::new(ErrorKind::FileTooLarge, format!("it has {size} bytes, and may have {limit}"))
}

/// The part of `size` bytes that a range means, if it lies within them.
fn within(range: ByteRange, size: u64) -> io::Result<(u64, u64)> {
    let (start, len) = match range {
        ByteRange::FromStart(start, Some(len)) => (start, len),
        ByteRange::FromStart(start, None) => (start, size.saturating_sub(start)),
        ByteRange::Suffix(len) => (size.saturating_sub(len), len.min(size)),
    };
    match start.checked_add(len) {
        Some(end) if end <= size => Ok((start, len)),
        _ => Err(io::Error::new(ErrorKind::UnexpectedEof, "the file ends too early")),
    }
}

fn not_unicode(path: &Path) -> ZarrError {
    ZarrError::unsupported(path, "a path that is not Unicode")
}

#[cfg(feature = "remote")]
fn remote_error(action: &str, path: &Path, error: StorageError) -> ZarrError {
    let error = match error {
        StorageError::IOError(error) => io::Error::new(error.kind(), error),
        other => io::Error::other(other),
    };
    ZarrError::io(action, path, error)
}
