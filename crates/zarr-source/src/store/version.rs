//! Which version of a file there is.

use std::fmt;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::SystemTime;

use zarrs::storage::byte_range::ByteRange;
use zarrs::storage::{Bytes, StorageError, StoreKey};

use super::{Container, Kind};
use crate::error::ZarrError;

/// What tells a file from another that takes its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileVersion {
    pub(crate) size: u64,
    /// The tag that a server gives it, or its checksum in an archive.
    pub(super) tag: Option<String>,
    /// When it was written, in nanoseconds.
    pub(super) modified: Option<i128>,
}

impl FileVersion {
    /// Whether two answers may be about the same file: a server need not tell everything in every one.
    fn agrees(&self, other: &Self) -> bool {
        let differ = |one: Option<bool>| one == Some(false);
        let tags = self.tag.as_ref().zip(other.tag.as_ref()).map(|(one, two)| one == two);
        let times = self.modified.zip(other.modified).map(|(one, two)| one == two);
        self.size == other.size && !differ(tags.or(times))
    }
}

impl fmt::Display for FileVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} bytes", self.size)?;
        match (&self.tag, self.modified) {
            (Some(tag), _) => write!(formatter, ", {tag}"),
            (None, Some(modified)) => write!(formatter, ", {modified}"),
            (None, None) => Ok(()),
        }
    }
}

/// Fails unless two parts may be of one version of a file.
pub(crate) fn check_same(
    one: Option<&FileVersion>,
    two: Option<&FileVersion>,
) -> Result<(), StorageError> {
    match (one, two) {
        (None, None) => Ok(()),
        (Some(one), Some(two)) if one.agrees(two) => Ok(()),
        _ => Err(replaced().into()),
    }
}

pub(super) fn replaced() -> io::Error {
    let text = "the file was replaced while it was read";
    io::Error::new(ErrorKind::StaleNetworkFileHandle, text)
}

/// Whether an error says that a file was replaced while it was read.
pub(crate) fn is_replaced(error: &StorageError) -> bool {
    matches!(error, StorageError::IOError(error) if error.kind() == ErrorKind::StaleNetworkFileHandle)
}

impl Container {
    /// The version of a file; none if there is no such file.
    pub(crate) fn version(&self, file: &Path) -> Result<Option<FileVersion>, ZarrError> {
        let found = match &self.inner.kind {
            Kind::Folder | Kind::Staged => local(file).map_err(StorageError::from),
            Kind::Zip(zip, _) => Ok(zip.version(&self.key(file)?)),
            #[cfg(feature = "remote")]
            Kind::Remote(remote, _) => remote.version(&self.key(file)?),
        };
        found.map_err(|error| self.store_error("read", file, error))
    }

    /// The zip archive in which the container lies, and the version of the file that it is, if it is one.
    pub(crate) fn archive(&self) -> Result<Option<(&Path, Option<FileVersion>)>, ZarrError> {
        let Kind::Zip(zip, _) = &self.inner.kind else { return Ok(None) };
        let archive = zip.archive();
        let version = local(archive).map_err(|error| ZarrError::io("read", archive, error))?;
        Ok(Some((archive, version)))
    }

    /// The version of a metadata document; of one that was read when the container was opened and counts from
    /// then on, the version that was found first.
    pub(crate) fn document_version(&self, file: &Path) -> Result<Option<FileVersion>, ZarrError> {
        let Some(documents) = self.documents() else {
            return self.version(file);
        };
        if let Some(known) = documents.version(file) {
            return Ok(known);
        }
        let version = self.version(file)?;
        documents.remember_version(file, version.clone());
        Ok(version)
    }

    /// A part of a file, which must be that version of it if one is given, and the version that it is a part of,
    /// where one can be told; none if there is no such file.
    pub(crate) fn part(
        &self,
        key: &StoreKey,
        range: ByteRange,
        expected: Option<&FileVersion>,
    ) -> Result<Option<(Bytes, Option<FileVersion>)>, StorageError> {
        match &self.inner.kind {
            Kind::Folder | Kind::Staged => {
                let file = self.file(key);
                let before = match expected {
                    Some(expected) => Some(expected.clone()),
                    None => local(&file)?,
                };
                let part = self.inner.store.get_partial(key, range);
                // Also where there is no such part: the file may have become a shorter one.
                if !matches!(part, Ok(None)) {
                    check_same(before.as_ref(), local(&file)?.as_ref())?;
                }
                Ok(part?.map(|part| (part, before)))
            }
            Kind::Zip(zip, _) => {
                let part = self.inner.store.get_partial(key, range)?;
                Ok(part.map(|part| (part, zip.version(key))))
            }
            #[cfg(feature = "remote")]
            Kind::Remote(remote, _) => {
                let part = remote.part(key, range, expected)?;
                Ok(part.map(|(part, version)| (part, Some(version))))
            }
        }
    }
}

fn local(file: &Path) -> io::Result<Option<FileVersion>> {
    let found = match fs::metadata(file) {
        // Where a folder should be, there may be a file.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        found => found?,
    };
    let nanoseconds = |time: std::time::Duration| i128::try_from(time.as_nanos()).ok();
    let modified = match found.modified()?.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(time) => nanoseconds(time),
        Err(before) => nanoseconds(before.duration()).and_then(i128::checked_neg),
    };
    Ok(Some(FileVersion { size: found.len(), tag: None, modified }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(size: u64, tag: Option<&str>, modified: Option<i128>) -> FileVersion {
        FileVersion { size, tag: tag.map(str::to_owned), modified }
    }

    #[test]
    fn versions_agree_in_what_both_tell() {
        let tagged = version(7, Some("\"a\""), Some(1));
        for (other, agrees) in [
            (version(7, Some("\"a\""), None), true),
            // A tag says more than a time, which servers round.
            (version(7, Some("\"a\""), Some(2)), true),
            (version(7, Some("\"b\""), Some(1)), false),
            (version(8, Some("\"a\""), Some(1)), false),
            (version(7, None, Some(1)), true),
            (version(7, None, Some(2)), false),
            (version(7, None, None), true),
        ] {
            assert_eq!(tagged.agrees(&other), agrees, "{other:?}");
            assert_eq!(check_same(Some(&tagged), Some(&other)).is_ok(), agrees);
        }
        assert!(check_same(None, Some(&tagged)).is_err() && check_same(None, None).is_ok());
    }
}
