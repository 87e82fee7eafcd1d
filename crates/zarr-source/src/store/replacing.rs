//! Writing to folders, where zarrs does less than outputs need.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use zarrs::filesystem::FilesystemStore;
use zarrs::storage::{
    Bytes, OffsetBytesIterator, StorageError, StoreKey, StorePrefix, WritableStorageTraits,
};

/// A [`FilesystemStore`] that replaces files as a whole and makes no folder above its own.
///
/// The store of zarrs empties a file before it writes the new contents, which other processes and other
/// stores see; waits for the disk after every chunk; and makes all folders up to `/`, so that a straggler
/// brings back a staging folder that has been removed. Its adapter for atomic writes gives all temporary
/// files of a chunk one name, and refuses the chunk for ever if a process once died in between.
#[derive(Debug)]
pub(super) struct ReplacingStore {
    inner: FilesystemStore,
    folder: PathBuf,
    in_place: bool,
}

impl ReplacingStore {
    /// A store that writes below `folder`, which must exist for that.
    pub(super) fn new(inner: FilesystemStore, folder: PathBuf) -> Self {
        Self { inner, folder, in_place: false }
    }

    /// The same, writing to files as they are: for a folder that nobody reads before all of it is written,
    /// where making a second name for each file and taking it away again is half of the work.
    pub(super) fn in_place(self) -> Self {
        Self { in_place: true, ..self }
    }

    fn replace(&self, file: &Path, bytes: &[u8]) -> io::Result<()> {
        if self.in_place {
            return self.write(file, bytes);
        }
        let temporary = temporary_beside(file);
        self.write(&temporary, bytes).and_then(|()| fs::rename(&temporary, file)).inspect_err(
            |_| {
                // The first error is the one to tell.
                let _ = fs::remove_file(&temporary);
            },
        )
    }

    /// Writes a file, and makes the folders that it lies in where they are missing.
    fn write(&self, file: &Path, bytes: &[u8]) -> io::Result<()> {
        match fs::write(file, bytes) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.make_folders(file)?;
                fs::write(file, bytes)
            }
            result => result,
        }
    }

    fn make_folders(&self, file: &Path) -> io::Result<()> {
        let parents: Vec<&Path> =
            file.ancestors().skip(1).take_while(|folder| *folder != self.folder).collect();
        for folder in parents.into_iter().rev() {
            match fs::create_dir(folder) {
                Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

/// A hidden name beside a file that no other thread or process uses.
fn temporary_beside(file: &Path) -> PathBuf {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    file.with_file_name(format!(".{name}.{}-{number}.tmp", std::process::id()))
}

impl WritableStorageTraits for ReplacingStore {
    fn set(&self, key: &StoreKey, value: Bytes) -> Result<(), StorageError> {
        Ok(self.replace(&self.inner.key_to_fspath(key), &value)?)
    }

    fn set_partial_many(
        &self,
        _key: &StoreKey,
        _offset_values: OffsetBytesIterator<'_>,
    ) -> Result<(), StorageError> {
        Err(StorageError::Unsupported("files are written as a whole".to_owned()))
    }

    fn erase(&self, key: &StoreKey) -> Result<(), StorageError> {
        self.inner.erase(key)
    }

    fn erase_prefix(&self, prefix: &StorePrefix) -> Result<(), StorageError> {
        self.inner.erase_prefix(prefix)
    }

    fn supports_set_partial(&self) -> bool {
        false
    }
}
