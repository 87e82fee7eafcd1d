//! What lies in a folder of a container.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use zarrs::storage::{ListableStorageTraits, StorePrefix};

use super::{Container, Kind};
use crate::error::ZarrError;
use crate::node::Node;

/// How many files are counted to tell the size of an array.
const MAX_COUNTED: usize = 1_000_000;

impl Container {
    /// The names of the folders directly in `dir`, sorted; none if nothing tells them.
    pub(crate) fn folders(&self, dir: &Path) -> Result<Option<Vec<String>>, ZarrError> {
        if let Some(known) = self.consolidated().and_then(|known| known.folders(dir)) {
            return Ok(Some(known));
        }
        let names = match &self.inner.kind {
            Kind::Folder | Kind::Staged => Some(local_folders(dir)?),
            Kind::Zip(zip, _) => {
                let listed = self.prefix(dir).and_then(|prefix| {
                    zip.list_dir(&prefix).map_err(|error| self.store_error("list", dir, error))
                })?;
                Some(listed.prefixes().iter().filter_map(last_name).collect())
            }
            #[cfg(feature = "remote")]
            Kind::Remote(remote, _) => {
                let listed = remote.folders(self.key(dir)?.as_str());
                listed.map_err(|error| self.store_error("list", dir, error))?
            }
        };
        match names {
            Some(mut names) => {
                names.sort();
                Ok(Some(names))
            }
            None => self.named_folders(dir),
        }
    }

    /// The bytes of all files in a folder, if that is cheap to tell.
    pub(crate) fn stored_bytes(&self, dir: &Path) -> Option<u64> {
        match &self.inner.kind {
            Kind::Folder | Kind::Staged => local_bytes(dir),
            Kind::Zip(zip, _) => zip.size_prefix(&self.prefix(dir).ok()?).ok(),
            #[cfg(feature = "remote")]
            Kind::Remote(..) => None,
        }
    }

    /// The first bytes of a file; none if there is no such file.
    pub(crate) fn start_of_file(&self, file: &Path) -> Result<Option<Vec<u8>>, ZarrError> {
        let failed = |error| self.store_error("read", file, error);
        let key = self.key(file)?;
        if key.as_str().is_empty() {
            return Ok(None);
        }
        let Some(size) = self.inner.store.size_key(&key).map_err(failed)? else {
            return Ok(None);
        };
        let range = zarrs::storage::byte_range::ByteRange::FromStart(0, Some(size.min(8)));
        let bytes = self.inner.store.get_partial(&key, range).map_err(failed)?;
        Ok(bytes.map(Into::into))
    }

    /// The file with the documents of the whole container, if it answers for them.
    pub(crate) fn consolidated_file(&self) -> Option<&Path> {
        self.consolidated().map(super::consolidated::Consolidated::file)
    }

    /// The folders that the metadata of the groups around `dir` name; none if they name nothing there.
    fn named_folders(&self, dir: &Path) -> Result<Option<Vec<String>>, ZarrError> {
        let mut names = BTreeSet::new();
        let inside = |folder: &&Path| folder.starts_with(&self.root);
        for group in dir.ancestors().take_while(inside) {
            let Some(node) = Node::read_documented(self, group)? else {
                continue;
            };
            let below = named_paths(&node.attrs).into_iter().map(|path| group.join(path));
            names.extend(below.filter_map(|path| first_name(&path, dir)));
        }
        Ok(Some(names.into_iter().collect::<Vec<_>>()).filter(|names| !names.is_empty()))
    }

    fn prefix(&self, dir: &Path) -> Result<StorePrefix, ZarrError> {
        Ok(self.key(dir)?.to_prefix())
    }
}

/// The paths below a group that its attributes name: OME-NGFF scale levels and label images, and the
/// classes of a crop.
fn named_paths(attrs: &Map<String, Value>) -> Vec<PathBuf> {
    let ome = attrs.get("ome").and_then(Value::as_object).unwrap_or(attrs);
    let list = |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
    let mut paths = Vec::new();
    for multiscale in list(ome.get("multiscales")) {
        for dataset in list(multiscale.get("datasets")) {
            // The second version of COSEM lists the paths themselves.
            let path = dataset.get("path").unwrap_or(&dataset);
            paths.extend(path.as_str().map(str::to_owned));
        }
    }
    let classes = attrs.get("cellmap").and_then(|cellmap| cellmap.get("annotation"));
    let classes = list(classes.and_then(|annotation| annotation.get("class_names")));
    let names = classes.into_iter().chain(list(ome.get("labels")));
    paths.extend(names.filter_map(|name| name.as_str().map(str::to_owned)));
    let normal = |path: String| -> PathBuf {
        path.split('/').filter(|name| !name.is_empty() && *name != "." && *name != "..").collect()
    };
    paths.into_iter().map(normal).collect()
}

/// The name of the folder in `dir` that is or holds `path`.
fn first_name(path: &Path, dir: &Path) -> Option<String> {
    let name = path.strip_prefix(dir).ok()?.iter().next()?;
    name.to_str().map(str::to_owned)
}

fn last_name(prefix: &StorePrefix) -> Option<String> {
    prefix.as_str().trim_end_matches('/').rsplit('/').next().map(str::to_owned)
}

fn local_folders(dir: &Path) -> Result<Vec<String>, ZarrError> {
    let failed = |error| ZarrError::io("list", dir, error);
    let mut names = Vec::new();
    for entry in fs::read_dir(dir).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        // What has no name in Unicode has no key.
        if let Ok(name) = entry.file_name().into_string()
            && entry.path().is_dir()
            && !leads_back(&entry.path(), dir)
        {
            names.push(name);
        }
    }
    Ok(names)
}

/// Whether a link in `dir` leads to a folder around it: a search that follows it would not end.
fn leads_back(link: &Path, dir: &Path) -> bool {
    let targets = || Some((fs::canonicalize(link).ok()?, fs::canonicalize(dir).ok()?));
    link.is_symlink() && targets().is_some_and(|(target, dir)| dir.starts_with(target))
}

fn local_bytes(dir: &Path) -> Option<u64> {
    let (mut bytes, mut counted, mut folders) = (0_u64, 0_usize, vec![dir.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).ok()? {
            let entry = entry.ok()?;
            // Links are not followed: they may lead back.
            let found = entry.metadata().ok()?;
            counted = counted.saturating_add(1);
            if counted > MAX_COUNTED {
                return None;
            }
            if found.is_dir() {
                folders.push(entry.path());
            } else {
                bytes = bytes.checked_add(found.len())?;
            }
        }
    }
    Some(bytes)
}
