//! How an array is stored, for people.

use std::path::{Path, PathBuf};

use array_core::Scalar;

use crate::node::ZarrFormat;
use crate::spec::MemoryOrder;

/// How an array is stored.
#[derive(Clone, Debug)]
pub struct ZarrMetadata {
    pub(crate) path: PathBuf,
    pub(crate) container: PathBuf,
    pub(crate) path_in_container: String,
    pub(crate) format: ZarrFormat,
    pub(crate) chunk_shape: Vec<usize>,
    pub(crate) shard_shape: Option<Vec<usize>>,
    pub(crate) codecs: Vec<String>,
    pub(crate) fill_value: Scalar,
    pub(crate) memory_order: MemoryOrder,
}

impl ZarrMetadata {
    /// The folder of the array: an absolute path, or a URL without secrets.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The topmost group that encloses the array, or the array itself if none does; a path or URL like the
    /// other.
    #[must_use]
    pub fn container(&self) -> &Path {
        &self.container
    }

    /// The path of the array inside its container, such as `labels/all/s0`.
    #[must_use]
    pub fn path_in_container(&self) -> &str {
        &self.path_in_container
    }

    /// The version of the format.
    #[must_use]
    pub fn zarr_format(&self) -> ZarrFormat {
        self.format
    }

    /// The shape of the smallest part that is decoded by itself, for all axes.
    #[must_use]
    pub fn chunk_shape(&self) -> &[usize] {
        &self.chunk_shape
    }

    /// The shape of a shard, for all axes, if chunks lie in shards.
    #[must_use]
    pub fn shard_shape(&self) -> Option<&[usize]> {
        self.shard_shape.as_deref()
    }

    /// The codecs in words, such as `blosc(lz4, clevel 5, shuffle)`, in the order of encoding.
    #[must_use]
    pub fn codecs(&self) -> &[String] {
        &self.codecs
    }

    /// The value of every voxel of a chunk that is not stored.
    #[must_use]
    pub fn fill_value(&self) -> Scalar {
        self.fill_value
    }

    /// The order of the elements in a chunk.
    #[must_use]
    pub fn memory_order(&self) -> MemoryOrder {
        self.memory_order
    }
}
