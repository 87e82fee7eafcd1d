//! What can go wrong between a config file and an array.

use std::io;
use std::path::{Path, PathBuf};

use annotation_mask::MaskError;
use array_core::ArrayError;
use zarr_source::ZarrError;

use crate::document::Format;

/// The error of everything in this crate. A `place` is inside the config, as in `source.sources[2].path`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A file cannot be read.
    #[error("cannot read {}", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file has an extension that says nothing about its format.
    #[error("{}: the name of a config or a groups file ends in .toml, .json, .yaml or .yml", file.display())]
    UnknownFormat {
        /// The file.
        file: PathBuf,
    },
    /// Something is wrong with the config in a file; the cause says what.
    #[error("the array config {}", file.display())]
    InFile {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        source: Box<ConfigError>,
    },
    /// A text does not follow the rules of its format.
    #[error("not valid {format}: {reason}")]
    Syntax {
        /// The format.
        format: Format,
        /// What is wrong, and where.
        reason: String,
    },
    /// A value is missing, unknown, or of the wrong type.
    #[error("{place}: {reason}")]
    Malformed {
        /// Where.
        place: String,
        /// What was expected, and what is there.
        reason: String,
    },
    /// Arrays are made of arrays more often than anybody needs.
    #[error("{place}: more than {limit} arrays are nested")]
    TooDeep {
        /// Where.
        place: String,
        /// How deep arrays may be nested.
        limit: usize,
    },
    /// A kind of array is known, but not built in.
    #[error("{place}: {kind} is not supported: {reason}")]
    Unsupported {
        /// Where.
        place: String,
        /// The kind, as the config names it.
        kind: String,
        /// Why not, and what to do instead.
        reason: &'static str,
    },
    /// The file has no such part.
    #[error("there is no part {pointer:?}: {reason}")]
    NoSuchPart {
        /// The part that was asked for.
        pointer: String,
        /// How far it leads, and what is there.
        reason: String,
    },
    /// A Zarr array cannot be opened.
    #[error("{place}: the Zarr data cannot be opened")]
    Zarr {
        /// Where in the config it is described.
        place: String,
        /// Why not.
        source: Box<ZarrError>,
    },
    /// Masks or targets cannot be made of a source.
    #[error("{place}: the {kind} cannot be made")]
    Mask {
        /// Where.
        place: String,
        /// The kind of array.
        kind: &'static str,
        /// Why not.
        source: Box<MaskError>,
    },
    /// An array cannot be made of its sources.
    #[error("{place}: the {kind} cannot be made")]
    Array {
        /// Where.
        place: String,
        /// The kind of array.
        kind: &'static str,
        /// Why not.
        source: Box<ArrayError>,
    },
    /// A class table does not say what it should.
    #[error("{place}: the class table {}", file.display())]
    ClassTable {
        /// Where in the config it is named.
        place: String,
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        source: Box<MaskError>,
    },
    /// The groups in a file do not say what they should.
    #[error("{place}: the groups file {}", file.display())]
    GroupsFile {
        /// Where in the config it is named.
        place: String,
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        source: Box<MaskError>,
    },
}

impl ConfigError {
    /// The same error with the file in which it is.
    pub(crate) fn in_file(self, file: &Path) -> Self {
        Self::InFile { file: file.to_owned(), source: Box::new(self) }
    }
}
