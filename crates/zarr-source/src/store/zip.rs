//! Containers in zip archives.
//!
//! Headers, checksums and compression are those of the rc-zip crate. The loops around its state machines are
//! here, so that an archive that ends too early is an error and no size is believed before memory is taken
//! for it. An archive lies under a key of any store, so it may be behind a URL too.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rc_zip::fsm::{ArchiveFsm, EntryFsm, FsmResult};
use rc_zip::parse::Method;
use rc_zip::{Archive, Entry, EntryKind};
use zarrs::storage::byte_range::{ByteRange, ByteRangeIterator};
use zarrs::storage::{
    Bytes, ListableStorageTraits, MaybeBytes, MaybeBytesIterator, ReadableStorage,
    ReadableStorageTraits, StorageError, StoreKey, StoreKeys, StoreKeysPrefixes, StorePrefix,
};

use super::{FileVersion, LimitedStore, too_large, within};
use crate::error::ZarrError;
use crate::memory::memory_for;

/// The size of what stands before the data of an entry, without the names in it.
const HEADER_SIZE: u64 = 30;
/// What is read beyond that at first; other fields are rarely longer.
const FIELDS_SIZE: u64 = 256;
/// The most that a byte of deflate can become.
const MAX_RATIO: u64 = 1032;
/// The bit that says that an entry is encrypted.
const ENCRYPTED: u16 = 1;

/// The files in a zip archive.
pub(super) struct ZipStore {
    archive: PathBuf,
    store: ReadableStorage,
    key: StoreKey,
    size: u64,
    entries: BTreeMap<String, Entry>,
    /// Where the data of entries begin that are read in parts.
    offsets: Mutex<HashMap<StoreKey, u64>>,
    /// The last entry that was decompressed to read a part of it.
    decompressed: Mutex<Option<(StoreKey, Bytes)>>,
}

/// The file on the way to a path that is a zip archive.
pub(super) fn archive_above(path: &Path) -> Option<PathBuf> {
    for file in path.ancestors() {
        match fs::metadata(file) {
            Ok(found) if found.is_file() => {
                let is_archive = file.file_name().and_then(|name| name.to_str());
                let is_archive = is_archive.is_some_and(is_archive_name) || has_signature(file);
                return is_archive.then(|| file.to_owned());
            }
            Ok(_) => return None,
            Err(_) => {}
        }
    }
    None
}

/// Whether a file of this name is a zip archive.
pub(super) fn is_archive_name(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("zip"))
}

fn has_signature(file: &Path) -> bool {
    let mut start = [0; 4];
    let read = File::open(file).and_then(|mut file| file.read_exact(&mut start));
    // A first entry, or the end of an archive that has none.
    read.is_ok() && matches!(start, [b'P', b'K', 3, 4] | [b'P', b'K', 5, 6])
}

impl ZipStore {
    /// Reads the directory of the archive `archive`, which lies under a key of a store.
    pub(super) fn open(
        archive: &Path,
        store: ReadableStorage,
        key: StoreKey,
    ) -> Result<Self, ZarrError> {
        let failed = |error: StorageError| {
            let error = match error {
                StorageError::IOError(error) => io::Error::new(error.kind(), error),
                other => io::Error::other(other),
            };
            match error.kind() {
                ErrorKind::InvalidData | ErrorKind::UnexpectedEof => {
                    let reason = format!("the zip archive cannot be read: {error}");
                    ZarrError::malformed(archive, reason)
                }
                _ => ZarrError::io("read", archive, error),
            }
        };
        let size = store.size_key(&key).map_err(failed)?;
        let size = size
            .ok_or_else(|| ZarrError::io("read", archive, io::Error::from(ErrorKind::NotFound)))?;
        let directory = directory(&store, &key, size).map_err(failed)?;
        let mut entries = BTreeMap::new();
        for entry in directory.entries() {
            // Some programs begin names with the folder that they were started in.
            let name = entry.name.trim_start_matches("./").trim_start_matches('/');
            let path = name.strip_suffix('/').unwrap_or(name);
            // Of `c/./0`, the folder `c` would hold itself, and be listed for ever.
            let is_plain = |part: &str| !matches!(part, "" | "." | "..");
            if StoreKey::validate(path) && path.split('/').all(is_plain) {
                entries.insert(name.to_owned(), entry.clone());
            }
        }
        let (offsets, decompressed) = Default::default();
        let archive = archive.to_owned();
        Ok(Self { archive, store, key, size, entries, offsets, decompressed })
    }

    /// The entry of a file, if it can be read.
    fn entry(&self, key: &StoreKey) -> Result<Option<&Entry>, StorageError> {
        let Some(entry) = self.entries.get(key.as_str()) else {
            return Ok(None);
        };
        let refused = |what: String| {
            let text = format!("{key} in {}: {what} is not supported", self.archive.display());
            Err(io::Error::new(ErrorKind::Unsupported, text).into())
        };
        // As if it were not there, a chunk would have the fill value.
        if entry.kind() == EntryKind::Symlink {
            return refused("a link in an archive".to_owned());
        }
        if entry.flags & ENCRYPTED != 0 {
            return refused("encryption".to_owned());
        }
        let limit = match entry.method {
            Method::Store => entry.compressed_size,
            Method::Deflate => entry.compressed_size.saturating_mul(MAX_RATIO),
            other => return refused(format!("the compression method {other:?}")),
        };
        if entry.compressed_size > self.size || entry.uncompressed_size > limit {
            let text = format!(
                "{key} would have {} bytes out of {} in an archive of {} bytes",
                entry.uncompressed_size, entry.compressed_size, self.size
            );
            return Err(corrupt(text).into());
        }
        Ok(Some(entry))
    }

    pub(super) fn archive(&self) -> &Path {
        &self.archive
    }

    /// What tells an entry from another of its name: the directory of the archive has its checksum.
    pub(super) fn version(&self, key: &StoreKey) -> Option<FileVersion> {
        let entry = self.entries.get(key.as_str())?;
        let tag = Some(format!("{:08x}", entry.crc32));
        Some(FileVersion { size: entry.uncompressed_size, tag, modified: None })
    }

    /// A whole entry, whose checksum is right.
    fn whole(&self, key: &StoreKey, entry: &Entry) -> Result<Bytes, StorageError> {
        let fields =
            u64::try_from(entry.name.len()).unwrap_or(u64::MAX).saturating_add(FIELDS_SIZE);
        let len = HEADER_SIZE.saturating_add(fields).saturating_add(entry.compressed_size);
        let mut at = entry.header_offset;
        let mut input = self.bytes(at, len)?;
        let (mut machine, mut consumed) = (EntryFsm::new(Some(entry.clone()), None), 0_usize);
        let mut output = memory_for(entry.uncompressed_size, key.as_str())?;
        let size = usize::try_from(entry.uncompressed_size)
            .map_err(|_| io::Error::from(ErrorKind::OutOfMemory))?;
        output.resize(size, 0);
        let mut written = 0_usize;
        loop {
            let mut fed = 0;
            if machine.wants_read() {
                if consumed == input.len() {
                    // The fields were longer than expected. At the end of the archive, the machine may have more
                    // to give of what it was fed.
                    at = at.saturating_add(u64::try_from(input.len()).unwrap_or(u64::MAX));
                    let more = at < self.size;
                    input = if more { self.bytes(at, FIELDS_SIZE)? } else { Bytes::new() };
                    consumed = 0;
                }
                let rest = input.get(consumed..).unwrap_or_default();
                let space = machine.space();
                fed = rest.len().min(space.len());
                space[..fed].copy_from_slice(&rest[..fed]);
                fed = machine.fill(fed);
                consumed = consumed.saturating_add(fed);
            }
            let free = output.get_mut(written..).unwrap_or_default();
            match machine.process(free) {
                Ok(FsmResult::Done(_)) if written == size => return Ok(output.into()),
                Ok(FsmResult::Done(_)) => {
                    return Err(corrupt(format!("{key} has {written} bytes, not {size}")).into());
                }
                Ok(FsmResult::Continue((next, outcome))) => {
                    written = written.saturating_add(outcome.bytes_written);
                    if fed == 0 && outcome.bytes_read == 0 && outcome.bytes_written == 0 {
                        return Err(corrupt(format!("{key} ends too early")).into());
                    }
                    machine = next;
                }
                Err(error) => return Err(corrupt(format!("{key}: {error}")).into()),
            }
        }
    }

    /// Where the data of an entry begin, which only its own header says.
    fn data_offset(&self, key: &StoreKey, entry: &Entry) -> Result<u64, StorageError> {
        let known = || self.offsets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(&offset) = known().get(key) {
            return Ok(offset);
        }
        let header = self.bytes(entry.header_offset, HEADER_SIZE)?;
        let length = |at: usize| {
            let bytes = header.get(at..)?.first_chunk::<2>()?;
            Some(u64::from(u16::from_le_bytes(*bytes)))
        };
        let (Some(name), Some(fields)) = (length(26), length(28)) else {
            return Err(corrupt(format!("{key} ends too early")).into());
        };
        let offset = entry.header_offset.saturating_add(HEADER_SIZE + name + fields);
        known().insert(key.clone(), offset);
        Ok(offset)
    }

    fn decompressed(&self, key: &StoreKey, entry: &Entry) -> Result<Bytes, StorageError> {
        let mut last = self.decompressed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, bytes)) = last.as_ref().filter(|(known, _)| known == key) {
            return Ok(bytes.clone());
        }
        let bytes = self.whole(key, entry)?;
        *last = Some((key.clone(), bytes.clone()));
        Ok(bytes)
    }

    /// The bytes of the archive from `offset`: `len`, or those up to its end.
    fn bytes(&self, offset: u64, len: u64) -> Result<Bytes, StorageError> {
        bytes(&self.store, &self.key, self.size, offset, len)
    }
}

/// The bytes of an archive from `offset`: `len`, or those up to its end.
fn bytes(
    store: &ReadableStorage,
    key: &StoreKey,
    size: u64,
    offset: u64,
    len: u64,
) -> Result<Bytes, StorageError> {
    let len = len.min(size.saturating_sub(offset));
    if len == 0 {
        return Err(io::Error::new(ErrorKind::UnexpectedEof, "the archive ends too early").into());
    }
    let found = store.get_partial(key, ByteRange::FromStart(offset, Some(len)))?;
    found.ok_or_else(|| io::Error::new(ErrorKind::NotFound, "the archive has gone").into())
}

/// The directory of an archive.
fn directory(store: &ReadableStorage, key: &StoreKey, size: u64) -> Result<Archive, StorageError> {
    let mut machine = ArchiveFsm::new(size);
    loop {
        let mut fed = 0;
        if let Some(offset) = machine.wants_read() {
            let space = machine.space();
            let len = u64::try_from(space.len()).unwrap_or(u64::MAX);
            if len > 0 {
                let found = bytes(store, key, size, offset, len)?;
                fed = found.len().min(space.len());
                space[..fed].copy_from_slice(&found[..fed]);
                fed = machine.fill(fed);
            }
        }
        match machine.process() {
            Ok(FsmResult::Done(archive)) => return Ok(archive),
            Ok(FsmResult::Continue(_)) if fed == 0 => {
                return Err(corrupt("its directory makes no sense".to_owned()).into());
            }
            Ok(FsmResult::Continue(next)) => machine = next,
            Err(error) => return Err(corrupt(error.to_string()).into()),
        }
    }
}

fn corrupt(reason: String) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, reason)
}

impl LimitedStore for ZipStore {
    fn get_at_most(&self, key: &StoreKey, limit: u64) -> Result<MaybeBytes, StorageError> {
        match self.entry(key)? {
            Some(entry) if entry.uncompressed_size > limit => {
                Err(too_large(entry.uncompressed_size, limit).into())
            }
            entry => entry.map(|entry| self.whole(key, entry)).transpose(),
        }
    }
}

impl ReadableStorageTraits for ZipStore {
    fn get(&self, key: &StoreKey) -> Result<MaybeBytes, StorageError> {
        self.get_at_most(key, u64::MAX)
    }

    fn get_partial_many<'a>(
        &'a self,
        key: &StoreKey,
        byte_ranges: ByteRangeIterator<'a>,
    ) -> Result<MaybeBytesIterator<'a>, StorageError> {
        let Some(entry) = self.entry(key)? else {
            return Ok(None);
        };
        let parts = byte_ranges.map(|range| within(range, entry.uncompressed_size));
        let parts = parts.collect::<io::Result<Vec<_>>>()?;
        if entry.method == Method::Store {
            let offset = self.data_offset(key, entry)?;
            let ranges = parts.into_iter().map(move |(start, len)| {
                ByteRange::FromStart(offset.saturating_add(start), Some(len))
            });
            let found = self.store.get_partial_many(&self.key, Box::new(ranges))?;
            return found.map(Some).ok_or_else(|| io::Error::from(ErrorKind::NotFound).into());
        }
        let whole = self.decompressed(key, entry)?;
        let cut = move |(start, len): (u64, u64)| {
            let start =
                usize::try_from(start).map_err(|_| io::Error::from(ErrorKind::OutOfMemory))?;
            let len = usize::try_from(len).map_err(|_| io::Error::from(ErrorKind::OutOfMemory))?;
            Ok(whole.slice(start..start.saturating_add(len)))
        };
        Ok(Some(Box::new(parts.into_iter().map(cut))))
    }

    fn size_key(&self, key: &StoreKey) -> Result<Option<u64>, StorageError> {
        Ok(self.entry(key)?.map(|entry| entry.uncompressed_size))
    }

    fn supports_get_partial(&self) -> bool {
        true
    }
}

impl ZipStore {
    /// The names of the files and folders whose names begin with a prefix.
    fn below<'a>(&'a self, prefix: &'a StorePrefix) -> impl Iterator<Item = (&'a str, &'a Entry)> {
        let start = prefix.as_str();
        let names = self.entries.range(start.to_owned()..);
        names
            .map(|(name, entry)| (name.as_str(), entry))
            .take_while(move |(name, _)| name.starts_with(start))
    }

    fn keys<'a>(&'a self, prefix: &'a StorePrefix) -> impl Iterator<Item = StoreKey> + 'a {
        self.below(prefix).filter_map(|(name, _)| StoreKey::new(name).ok())
    }
}

impl ListableStorageTraits for ZipStore {
    fn list(&self) -> Result<StoreKeys, StorageError> {
        self.list_prefix(&StorePrefix::root())
    }

    fn list_prefix(&self, prefix: &StorePrefix) -> Result<StoreKeys, StorageError> {
        Ok(self.keys(prefix).collect())
    }

    fn list_dir(&self, prefix: &StorePrefix) -> Result<StoreKeysPrefixes, StorageError> {
        let (mut keys, mut folders) = (Vec::new(), Vec::new());
        for (name, _) in self.below(prefix) {
            let rest = name.strip_prefix(prefix.as_str()).unwrap_or_default();
            match rest.split_once('/') {
                Some((folder, _)) => {
                    let folder = StorePrefix::new(format!("{}{folder}/", prefix.as_str()))?;
                    if folders.last() != Some(&folder) {
                        folders.push(folder);
                    }
                }
                None if rest.is_empty() => {}
                None => keys.push(StoreKey::new(name)?),
            }
        }
        Ok(StoreKeysPrefixes::new(keys, folders))
    }

    fn size_prefix(&self, prefix: &StorePrefix) -> Result<u64, StorageError> {
        let sizes = self.below(prefix).map(|(_, entry)| entry.compressed_size);
        Ok(sizes.fold(0, u64::saturating_add))
    }
}
