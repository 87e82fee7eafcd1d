//! The files out of which the voxels of an array are read.

use std::path::Path;

use array_core::{ArrayError, StoredFile, StoredVisitor};

use super::{Chunks, wide};
use crate::error::into_array_error;
use crate::n5;
use crate::read::{Range, parts};
use crate::store::FileVersion;

/// The documents that may say what an array is.
const DOCUMENTS: [&str; 4] = ["zarr.json", ".zarray", ".zattrs", n5::ATTRIBUTES];

impl Chunks {
    /// Tells the archive and the documents of the array, and what lies under the keys of a window over all axes.
    pub(crate) fn visit_stored(
        &self,
        window: &[Range],
        visitor: &mut StoredVisitor<'_>,
    ) -> Result<(), ArrayError> {
        if let Some((archive, version)) = self.container.archive().map_err(into_array_error)? {
            tell(archive, version, visitor)?;
        }
        for name in DOCUMENTS {
            let path = self.dir.join(name);
            let version = self.container.document_version(&path).map_err(into_array_error)?;
            tell(&path, version, visitor)?;
        }
        for part in parts(window, &self.stored_shape) {
            let path = self.container.file(&self.array.chunk_key(&wide(&part.index)));
            let version = self.container.version(&path).map_err(into_array_error)?;
            tell(&path, version, visitor)?;
        }
        Ok(())
    }
}

fn tell(
    path: &Path,
    version: Option<FileVersion>,
    visitor: &mut StoredVisitor<'_>,
) -> Result<(), ArrayError> {
    let version = version.map(|version| version.to_string());
    visitor(StoredFile { path, version: version.as_deref() })
}
