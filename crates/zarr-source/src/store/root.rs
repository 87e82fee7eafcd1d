//! Finding the root of the container that holds a folder.
//!
//! Folders without metadata may lie between a folder and the nearest group above it, but not between
//! groups: what lies further up belongs to others.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::Container;
use crate::error::ZarrError;
use crate::n5;
use crate::node::{Node, NodeKind};

/// The names of metadata documents, as they are looked for.
pub(super) const DOCUMENTS: [&str; 5] =
    ["zarr.json", ".zarray", ".zgroup", ".zattrs", n5::ATTRIBUTES];

impl Container {
    /// The container that holds the folder `dir`, and the folder's path in it.
    ///
    /// The path is where `dir` really lies if only that place is in a container: a link may lead into one.
    pub(crate) fn around(dir: PathBuf) -> Result<(Self, PathBuf), ZarrError> {
        let inside = |folder: &Path| dir.strip_prefix(folder).unwrap_or(Path::new("")).to_owned();
        let (root, top) = (local_root(&dir)?, local_top(&dir)?);
        if let Ok(real_top) = fs::canonicalize(&top) {
            let real_root = if top == dir { local_root(&real_top)? } else { local_top(&real_top)? };
            let real: PathBuf = real_top.join(inside(&top)).components().collect();
            let same = fs::canonicalize(&root)
                .is_ok_and(|at| at == real_root && at.join(inside(&root)) == real);
            if real_root != real_top && !same {
                return Ok((Self::at(&real_root)?, real));
            }
        }
        Ok((Self::at(&root)?, dir))
    }

    /// The same store with the root of the container that holds the folder `dir`, and its consolidated
    /// metadata. What they say counts below the root.
    pub(super) fn rooted_around(mut self, dir: PathBuf) -> Result<(Self, PathBuf), ZarrError> {
        let base = self.inner.base.clone();
        // Each folder that is looked into costs requests; a name that says so saves them.
        let named = if self.sizes_are_cheap() { None } else { named_root(&base, &dir) };
        self.root = match named {
            Some(root) => root,
            None => {
                let holds_metadata = |folder: &Path| self.holds_metadata(folder);
                let is_group = |folder: &Path| self.is_group(folder);
                root_above(&dir, &base, holds_metadata, is_group)?
            }
        };
        self.consolidate()?;
        let inside = |folder: &&Path| folder.starts_with(&self.root);
        self.prefetch(dir.ancestors().take_while(inside));
        Ok((self, dir))
    }

    /// Whether a folder holds metadata, which need not be readable.
    fn holds_metadata(&self, folder: &Path) -> Result<bool, ZarrError> {
        self.prefetch([folder]);
        for name in DOCUMENTS {
            match self.read_json(&folder.join(name)) {
                Ok(None) => {}
                Ok(Some(_)) | Err(ZarrError::MetadataMalformed { .. }) => return Ok(true),
                // What may not be looked at above an array does not hold it.
                Err(ZarrError::StoreIo { context, source })
                    if source.kind() == ErrorKind::PermissionDenied =>
                {
                    tracing::warn!("the container ends below: cannot {context}: {source}");
                    return Ok(false);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }

    fn is_group(&self, folder: &Path) -> Result<bool, ZarrError> {
        Ok(matches!(Node::read(self, folder), Ok(Some(node)) if node.kind == NodeKind::Group))
    }
}

/// The first folder below `base` on the way to `dir` that is called like a container.
fn named_root(base: &Path, dir: &Path) -> Option<PathBuf> {
    let mut folder = base.to_owned();
    for name in dir.strip_prefix(base).ok()? {
        folder.push(name);
        let extension = Path::new(name).extension().and_then(|extension| extension.to_str());
        if extension.is_some_and(|extension| ["zarr", "n5"].contains(&extension)) {
            return Some(folder);
        }
    }
    None
}

fn local_root(dir: &Path) -> Result<PathBuf, ZarrError> {
    let is_group = |folder: &Path| Container::at(folder)?.is_group(folder);
    root_above(dir, Path::new(""), holds_files_of_metadata, is_group).map(n5_root)
}

fn local_top(dir: &Path) -> Result<PathBuf, ZarrError> {
    top_of_chain(dir, Path::new(""), &holds_files_of_metadata).map(n5_root)
}

/// The root of the container of N5 to which a folder belongs; the folder itself if it is not of N5, in which
/// folders without metadata may lie anywhere.
fn n5_root(folder: PathBuf) -> PathBuf {
    let is_n5 = n5::is_member(&folder);
    n5::root_above(&folder).filter(|_| is_n5).unwrap_or(folder)
}

/// Whether a folder of the file system holds metadata, which need not be readable.
#[expect(clippy::unnecessary_wraps, reason = "other stores fail")]
fn holds_files_of_metadata(folder: &Path) -> Result<bool, ZarrError> {
    Ok(DOCUMENTS.iter().any(|name| fs::symlink_metadata(folder.join(name)).is_ok()))
}

/// The root of the container that holds the folder `dir`, which is `base` or lies in it.
fn root_above(
    dir: &Path,
    base: &Path,
    holds_metadata: impl Fn(&Path) -> Result<bool, ZarrError>,
    is_group: impl Fn(&Path) -> Result<bool, ZarrError>,
) -> Result<PathBuf, ZarrError> {
    let top = top_of_chain(dir, base, &holds_metadata)?;
    if top != dir {
        return Ok(top);
    }
    for folder in dir.ancestors().skip(1).take_while(|folder| folder.starts_with(base)) {
        if holds_metadata(folder)? {
            return if is_group(folder)? {
                top_of_chain(folder, base, &holds_metadata)
            } else {
                Ok(top)
            };
        }
    }
    Ok(top)
}

/// The topmost of the folders with metadata that follow each other directly above `dir`, or `dir`.
fn top_of_chain(
    dir: &Path,
    base: &Path,
    holds_metadata: &impl Fn(&Path) -> Result<bool, ZarrError>,
) -> Result<PathBuf, ZarrError> {
    let mut top = dir;
    for folder in dir.ancestors().skip(1).take_while(|folder| folder.starts_with(base)) {
        if !holds_metadata(folder)? {
            break;
        }
        top = folder;
    }
    Ok(top.to_owned())
}
