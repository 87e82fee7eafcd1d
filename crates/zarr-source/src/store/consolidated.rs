//! The documents of a whole container in one: `.zmetadata` of version 2, and `consolidated_metadata` in the
//! root's `zarr.json` of version 3.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::Container;
use crate::error::ZarrError;
use crate::json::short;
use crate::node::{ZarrFormat, path_inside};

/// The documents below a root. What they do not name is not there.
pub(crate) struct Consolidated {
    root: PathBuf,
    file: PathBuf,
    format: ZarrFormat,
    documents: Map<String, Value>,
}

impl Consolidated {
    /// Reads those at the root of a container; none if there are none.
    pub(super) fn read(container: &Container) -> Result<Option<Self>, ZarrError> {
        let root = container.root().to_owned();
        let file = root.join("zarr.json");
        let (format, file, mut holder) = match container.read_json(&file)? {
            Some(mut document) => match document.remove("consolidated_metadata") {
                None | Some(Value::Null) => return Ok(None),
                Some(Value::Object(holder)) => (ZarrFormat::V3, file, holder),
                Some(other) => {
                    return Err(wrong(&file, "consolidated_metadata", "an object", &other));
                }
            },
            None => {
                let file = root.join(".zmetadata");
                match container.read_json(&file)? {
                    Some(holder) => (ZarrFormat::V2, file, holder),
                    None => return Ok(None),
                }
            }
        };
        match holder.remove("metadata") {
            Some(Value::Object(documents)) => Ok(Some(Self { root, file, format, documents })),
            other => {
                let found = other.unwrap_or_default();
                Err(wrong(&file, "metadata", "an object with all documents", &found))
            }
        }
    }

    /// The document in a file, or that there is none; nothing if it is not for this to say.
    pub(super) fn answer(
        &self,
        file: &Path,
    ) -> Option<Result<Option<Map<String, Value>>, ZarrError>> {
        let dir = file.parent().filter(|dir| dir.starts_with(&self.root))?;
        let name = file.file_name()?.to_str()?;
        let is_v3_document = name == "zarr.json";
        let key = match self.format {
            ZarrFormat::V3 if is_v3_document && dir == self.root => return None,
            ZarrFormat::V3 if is_v3_document => path_inside(&self.root, dir),
            _ => path_inside(&self.root, file),
        };
        match self.documents.get(&key) {
            Some(Value::Object(document)) => Some(Ok(Some(document.clone()))),
            Some(other) => Some(Err(wrong(&self.file, &key, "an object", other))),
            None => Some(Ok(None)),
        }
    }

    /// The names of what lies directly in a folder.
    pub(super) fn folders(&self, dir: &Path) -> Option<Vec<String>> {
        let inside = path_inside(&self.root, dir);
        if !dir.starts_with(&self.root) {
            return None;
        }
        let mut names = BTreeSet::new();
        for key in self.documents.keys() {
            let below = if inside.is_empty() {
                Some(key.as_str())
            } else {
                key.strip_prefix(&inside).and_then(|rest| rest.strip_prefix('/'))
            };
            let Some(below) = below.filter(|below| !below.is_empty()) else {
                continue;
            };
            match (below.split_once('/'), self.format) {
                (Some((name, _)), _) => names.insert(name.to_owned()),
                // The last part of a key of version 2 is a file.
                (None, ZarrFormat::V3) => names.insert(below.to_owned()),
                (None, _) => false,
            };
        }
        Some(names.into_iter().collect())
    }

    /// The file that holds the documents.
    pub(super) fn file(&self) -> &Path {
        &self.file
    }
}

fn wrong(file: &Path, key: &str, expected: &str, found: &Value) -> ZarrError {
    ZarrError::malformed(file, format!("{key} must be {expected}, found {}", short(found)))
}
