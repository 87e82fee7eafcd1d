//! Metadata documents that are read once, where reading takes time.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use serde_json::{Map, Value};

use super::consolidated::Consolidated;
use super::{Container, FileVersion};
#[cfg(feature = "remote")]
use super::{Kind, MAX_DOCUMENT_SIZE, root::DOCUMENTS};
use crate::error::ZarrError;

type Answer = Result<Option<Map<String, Value>>, ZarrError>;

/// What is known of the documents of a container.
#[derive(Default)]
pub(super) struct Documents {
    known: Mutex<HashMap<PathBuf, Option<Map<String, Value>>>>,
    consolidated: OnceLock<Consolidated>,
    versions: Mutex<HashMap<PathBuf, Option<FileVersion>>>,
}

impl Documents {
    /// The document in a file, or that there is none, if it is known.
    pub(super) fn answer(&self, file: &Path) -> Option<Answer> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(file).cloned();
        if known.is_some() {
            return known.map(Ok);
        }
        self.consolidated.get()?.answer(file)
    }

    pub(super) fn remember(&self, file: &Path, document: Option<Map<String, Value>>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(file.to_owned(), document);
    }

    /// The version of the document in a file, if it is known.
    pub(super) fn version(&self, file: &Path) -> Option<Option<FileVersion>> {
        self.versions.lock().unwrap_or_else(PoisonError::into_inner).get(file).cloned()
    }

    pub(super) fn remember_version(&self, file: &Path, version: Option<FileVersion>) {
        let mut versions = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        versions.insert(file.to_owned(), version);
    }

    pub(super) fn consolidated(&self) -> Option<&Consolidated> {
        self.consolidated.get()
    }
}

impl Container {
    /// The consolidated metadata that answer for this container, if it has them.
    pub(super) fn consolidated(&self) -> Option<&Consolidated> {
        self.documents()?.consolidated()
    }

    /// Looks for consolidated metadata at the root.
    pub(super) fn consolidate(&self) -> Result<(), ZarrError> {
        let Some(documents) = self.documents() else {
            return Ok(());
        };
        if let Some(found) = Consolidated::read(self)? {
            // Only a container that is being opened comes here, once.
            let _ = documents.consolidated.set(found);
        }
        Ok(())
    }

    /// Asks for the documents of folders at the same time, where one after the other would take long.
    ///
    /// What fails is asked for again when it is needed, and tells its error then.
    #[cfg(feature = "remote")]
    pub(crate) fn prefetch<'a>(&self, folders: impl IntoIterator<Item = &'a Path>) {
        let Kind::Remote(remote, documents) = &self.inner.kind else {
            return;
        };
        // Below a group of version 3 lie arrays and groups of version 3.
        let root = documents.answer(&self.root.join("zarr.json"));
        let is_v3 = matches!(root, Some(Ok(Some(_))));
        let names = if is_v3 { &DOCUMENTS[..1] } else { &DOCUMENTS[..] };
        let files = folders.into_iter().flat_map(|dir| names.iter().map(|name| dir.join(name)));
        let (mut wanted, mut keys) = (Vec::new(), Vec::new());
        for file in files.filter(|file| documents.answer(file).is_none()) {
            if let Ok(key) = self.key(&file) {
                wanted.push(file);
                keys.push(key);
            }
        }
        if wanted.len() < 2 {
            return;
        }
        for (file, bytes) in wanted.into_iter().zip(remote.get_all(keys, MAX_DOCUMENT_SIZE)) {
            let document = match bytes {
                Ok(Some(bytes)) => self.parse(&file, &bytes).ok().map(Some),
                Ok(None) => Some(None),
                Err(_) => None,
            };
            if let Some(document) = document {
                documents.remember(&file, document);
            }
        }
    }

    /// Asks for nothing: all documents are at hand.
    #[cfg(not(feature = "remote"))]
    #[expect(clippy::unused_self, reason = "other stores use it")]
    pub(crate) fn prefetch<'a>(&self, _: impl IntoIterator<Item = &'a Path>) {}
}
