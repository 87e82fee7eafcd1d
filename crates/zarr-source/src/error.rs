//! What can go wrong with a Zarr array or container.

use std::io;
use std::path::{Path, PathBuf};

use array_core::ArrayError;
use geometry::GeometryError;

/// The error of everything that opens, reads, creates or writes Zarr.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ZarrError {
    /// There is nothing at a path.
    #[error("{} does not exist: {hint}", path.display())]
    NotFound {
        /// The path.
        path: PathBuf,
        /// The nearest folder that exists, and the arrays in it.
        hint: String,
    },
    /// There is something else than a Zarr array at a path.
    #[error("{} is not a Zarr array: {found}", path.display())]
    NotAZarrArray {
        /// The path.
        path: PathBuf,
        /// What is there instead.
        found: String,
    },
    /// An image has no such scale level, or an array is another one.
    #[error("{} has no scale level {level}: {found}", path.display())]
    NoSuchLevel {
        /// The group or array.
        path: PathBuf,
        /// The name or voxel size of the level that is wanted.
        level: String,
        /// What there is instead.
        found: String,
    },
    /// A text does not name a scale level.
    #[error("{text:?} is not a scale level: {reason}")]
    InvalidLevel {
        /// The text.
        text: String,
        /// Why not.
        reason: String,
    },
    /// There is something else than a Zarr group at a path.
    #[error("{} is not a Zarr group: {found}", path.display())]
    NotAZarrGroup {
        /// The path.
        path: PathBuf,
        /// What is there instead.
        found: String,
    },
    /// The array uses something that this crate cannot read or write.
    #[error("{}: {what} is not supported", path.display())]
    Unsupported {
        /// The array, or the metadata file that asks for it.
        path: PathBuf,
        /// The codec, element type or feature, by name.
        what: String,
    },
    /// A metadata file does not hold what the format asks for.
    #[error("{}: {reason}", file.display())]
    MetadataMalformed {
        /// The metadata file.
        file: PathBuf,
        /// The key, its value, and what is wrong with it.
        reason: String,
    },
    /// Nothing says how large the voxels are.
    #[error(
        "{}: no voxel size was found (looked for {}); give one, or ask for unit voxels",
        path.display(),
        looked_for.join("; ")
    )]
    NoGeometry {
        /// The array.
        path: PathBuf,
        /// The places that were looked at, in order.
        looked_for: Vec<String>,
    },
    /// Voxel size and offset were found, but have no exact place in the 64-bit world.
    #[error("{}: the voxel size and offset cannot be represented", path.display())]
    Geometry {
        /// The array.
        path: PathBuf,
        /// Why not.
        source: GeometryError,
    },
    /// The parts of the description of an array do not fit together.
    #[error("{}: the axes, shape and geometry do not fit together", path.display())]
    Description {
        /// The array.
        path: PathBuf,
        /// How they differ.
        source: Box<ArrayError>,
    },
    /// A stored chunk cannot be decoded.
    #[error("chunk {chunk} of {} is corrupt: {reason}", path.display())]
    ChunkCorrupt {
        /// The array.
        path: PathBuf,
        /// The file of the chunk relative to the array, and the index of the chunk.
        chunk: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A URL cannot be opened, or what is set for its store cannot be used.
    #[error("cannot open {location}: {reason}")]
    InvalidLocation {
        /// The URL, without what may be secret.
        location: String,
        /// The setting or the part of the URL that is wrong, and what to do.
        reason: String,
    },
    /// Nothing tells what is in a group or folder.
    #[error(
        "what is in {} cannot be listed: the server does not list, and no metadata name it; \
         open what is in it by its path, or consolidate the metadata of the container",
        path.display()
    )]
    NotListable {
        /// The group or folder.
        path: PathBuf,
    },
    /// The file system, the archive or the server failed.
    #[error("cannot {context}")]
    StoreIo {
        /// What was being done, and to which file.
        context: String,
        /// The error of the store; its kind tells denied access, time-outs and answers that end too early.
        source: io::Error,
    },
    /// An output exists and may not be replaced.
    #[error("the output {} exists already: {reason}", path.display())]
    OutputExists {
        /// The path of the output.
        path: PathBuf,
        /// Why it is not replaced.
        reason: String,
    },
    /// A name or path of an output cannot be used.
    #[error("{name:?} cannot be the name of an output: {reason}")]
    InvalidName {
        /// The name.
        name: String,
        /// Why not.
        reason: String,
    },
    /// An array was not opened for writing.
    #[error("{} was opened for reading only", path.display())]
    NotWritable {
        /// The array.
        path: PathBuf,
    },
}

impl ZarrError {
    pub(crate) fn io(action: &str, path: &Path, source: io::Error) -> Self {
        Self::StoreIo { context: format!("{action} {}", path.display()), source }
    }

    pub(crate) fn malformed(file: &Path, reason: impl Into<String>) -> Self {
        Self::MetadataMalformed { file: file.to_owned(), reason: reason.into() }
    }

    pub(crate) fn unsupported(path: &Path, what: impl Into<String>) -> Self {
        Self::Unsupported { path: path.to_owned(), what: what.into() }
    }

    /// Whether what was asked for is not there, or is something else.
    #[must_use]
    pub const fn is_not_found(&self) -> bool {
        matches!(
            self,
            Self::NotFound { .. }
                | Self::NotAZarrArray { .. }
                | Self::NotAZarrGroup { .. }
                | Self::NoSuchLevel { .. }
        )
    }

    /// Whether the file system failed, rather than what is stored in it.
    #[must_use]
    pub const fn is_io(&self) -> bool {
        matches!(self, Self::StoreIo { .. })
    }
}

/// The same error as the methods of [`array_core::Array`] return it.
pub(crate) fn into_array_error(error: ZarrError) -> ArrayError {
    // The context is the array; the facts are in the cause.
    let context = match &error {
        ZarrError::ChunkCorrupt { path, .. } => format!("cannot read {}", path.display()),
        ZarrError::StoreIo { .. } => "cannot access the storage of a Zarr array".to_owned(),
        _ => "a Zarr array failed".to_owned(),
    };
    ArrayError::source(context, error)
}
