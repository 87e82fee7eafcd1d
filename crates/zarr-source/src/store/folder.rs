//! Files in folders, read without trust: only regular files, and no more of them than is asked for.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use zarrs::storage::byte_range::{ByteRange, ByteRangeIterator};
use zarrs::storage::{
    Bytes, MaybeBytes, MaybeBytesIterator, ReadableStorageTraits, StorageError, StoreKey,
};

use super::{LimitedStore, too_large, within};
use crate::memory::memory_for;

/// The files below a folder.
///
/// The store of zarrs waits for ever for a pipe in the place of a file, takes a file whose size cannot be
/// told and a link that leads nowhere for one that is not stored, ends the process if a file is larger than
/// memory, and keeps a lock for every key that was ever read. This one reads through links, wherever they
/// lead: volumes are often spread over disks so.
#[derive(Debug)]
pub(super) struct FolderStore {
    base: PathBuf,
}

impl FolderStore {
    pub(super) fn new(base: &Path) -> Self {
        Self { base: base.to_owned() }
    }

    fn path(&self, key: &StoreKey) -> PathBuf {
        self.base.join(key.as_str())
    }

    /// A file and its size; none if there is nothing.
    fn open(&self, key: &StoreKey) -> io::Result<Option<(File, u64)>> {
        let path = self.path(key);
        match open_at_once(&path) {
            Ok(file) => {
                let found = file.metadata()?;
                match what_it_is(&found) {
                    None => Ok(Some((file, found.len()))),
                    Some(what) => Err(io::Error::other(what)),
                }
            }
            Err(error) if error.kind() == ErrorKind::NotFound => nothing_at(&path).map(|()| None),
            Err(error) => Err(error),
        }
    }
}

/// What there is in place of a file, if it is something else.
pub(super) fn what_it_is(found: &Metadata) -> Option<&'static str> {
    if found.is_file() {
        return None;
    }
    Some(if found.is_dir() { "it is a directory, not a file" } else { "it is no regular file" })
}

/// Opens a file without waiting for whoever writes to it, if it is a pipe.
fn open_at_once(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;

        use rustix::fs::OFlags;

        options.custom_flags((OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed());
    }
    options.open(path)
}

/// Fails if not nothing is there but a link that leads nowhere: what it led to may be on a disk that is gone,
/// and is not as if it had never been stored.
fn nothing_at(path: &Path) -> io::Result<()> {
    for part in path.ancestors() {
        match fs::symlink_metadata(part) {
            Ok(found) if found.is_symlink() => {
                let link = if part == path { "it".to_owned() } else { part.display().to_string() };
                let text = format!("{link} is a link that leads nowhere");
                return fs::metadata(part)
                    .map(drop)
                    .map_err(|error| io::Error::new(error.kind(), text));
            }
            Ok(_) => return Ok(()),
            Err(_) => {}
        }
    }
    Ok(())
}

/// The bytes from where a file is, at most so many.
fn read_up_to(file: &mut File, len: u64) -> io::Result<Vec<u8>> {
    let mut bytes = memory_for(len, "a file")?;
    file.take(len).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()) == Ok(len) {
        return Ok(bytes);
    }
    Err(io::Error::new(ErrorKind::UnexpectedEof, "the file ends too early"))
}

impl LimitedStore for FolderStore {
    fn get_at_most(&self, key: &StoreKey, limit: u64) -> Result<MaybeBytes, StorageError> {
        match self.open(key)? {
            Some((_, size)) if size > limit => Err(too_large(size, limit).into()),
            Some((mut file, size)) => Ok(Some(read_up_to(&mut file, size)?.into())),
            None => Ok(None),
        }
    }
}

impl ReadableStorageTraits for FolderStore {
    fn get_partial_many<'a>(
        &'a self,
        key: &StoreKey,
        byte_ranges: ByteRangeIterator<'a>,
    ) -> Result<MaybeBytesIterator<'a>, StorageError> {
        let Some((mut file, size)) = self.open(key)? else {
            return Ok(None);
        };
        let part = move |range: ByteRange| -> Result<Bytes, StorageError> {
            let (start, len) = within(range, size)?;
            file.seek(SeekFrom::Start(start))?;
            Ok(read_up_to(&mut file, len)?.into())
        };
        Ok(Some(Box::new(byte_ranges.map(part))))
    }

    fn size_key(&self, key: &StoreKey) -> Result<Option<u64>, StorageError> {
        let path = self.path(key);
        match fs::metadata(&path) {
            Ok(found) => match what_it_is(&found) {
                None => Ok(Some(found.len())),
                Some(what) => Err(io::Error::other(what).into()),
            },
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Ok(nothing_at(&path).map(|()| None)?)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn supports_get_partial(&self) -> bool {
        true
    }
}
