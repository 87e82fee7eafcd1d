//! What is written, and how.

use std::fmt;

use annotation_mask::ChannelCounts;
use serde_json::{Map, Value};
use zarr_source::{Compression, ZarrFormat};

/// What is written, and how.
///
/// ```
/// use mask_writer::{Existing, WriteOptions};
///
/// let options = WriteOptions { targets: true, existing: Existing::Resume, ..WriteOptions::default() };
/// assert_eq!(options.levels, 1);
/// ```
pub struct WriteOptions<'a> {
    /// Whether targets are written beside the masks.
    pub targets: bool,
    /// The format of the container.
    pub zarr_format: ZarrFormat,
    /// The chunk shape along the spatial axes, cut to that of the volume; each channel has its own chunks. By
    /// default whole blocks of the labels, at least 64 voxels wide.
    pub chunk_shape: Option<Vec<usize>>,
    /// The shape of a shard along the spatial axes, a multiple of the chunk shape; version 3 of Zarr only. By
    /// default there are none.
    pub shard_shape: Option<Vec<usize>>,
    /// How chunks are compressed.
    pub compression: Compression,
    /// The number of scale levels, at least 1: each has half the resolution of the one before.
    pub levels: usize,
    /// How a voxel of a later level of the mask comes of those that it covers.
    pub mask_levels: MaskLevels,
    /// The same for the target.
    pub target_levels: TargetLevels,
    /// What happens to an output, or an unfinished run, that is there.
    pub existing: Existing,
    /// Where the labels came from and what was made of them, for whoever finds the output later. It is a part
    /// of the job: a run is resumed only with the same.
    pub provenance: Map<String, Value>,
    /// What else to tell of the channels once they are counted.
    pub channels: Option<&'a (dyn Fn(&ChannelCounts) -> Value + Sync)>,
}

impl Default for WriteOptions<'_> {
    fn default() -> Self {
        Self {
            targets: false,
            zarr_format: ZarrFormat::V3,
            chunk_shape: None,
            shard_shape: None,
            compression: Compression::default(),
            levels: 1,
            mask_levels: MaskLevels::All,
            target_levels: TargetLevels::Mode,
            existing: Existing::Refuse,
            provenance: Map::new(),
            channels: None,
        }
    }
}

impl fmt::Debug for WriteOptions<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("WriteOptions")
            .field("targets", &self.targets)
            .field("zarr_format", &self.zarr_format)
            .field("chunk_shape", &self.chunk_shape)
            .field("shard_shape", &self.shard_shape)
            .field("compression", &self.compression)
            .field("levels", &self.levels)
            .field("mask_levels", &self.mask_levels)
            .field("target_levels", &self.target_levels)
            .field("existing", &self.existing)
            .finish_non_exhaustive()
    }
}

/// What happens to an output, or an unfinished run, that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// It is an error.
    Refuse,
    /// An unfinished run is thrown away, and a container is replaced once the new one is whole.
    Overwrite,
    /// An unfinished run of the same job is finished. If the output is there already and of the same job,
    /// nothing is done.
    Resume,
}

/// How a voxel of a later level of the mask comes of those that it covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaskLevels {
    /// It is known if all of them are.
    All,
    /// It is known if any of them is.
    Any,
    /// It is the share of those that are known, from 0 to 1; all levels are float32.
    Mean,
}

impl MaskLevels {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Any => "any",
            Self::Mean => "mean",
        }
    }
}

/// How a voxel of a later level of the target comes of those that it covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetLevels {
    /// It belongs to the channel if more than half of the voxels of the first level that it covers do.
    Mode,
    /// It is the share of those that do, from 0 to 1; all levels are float32.
    Mean,
}

impl TargetLevels {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mode => "mode",
            Self::Mean => "mean",
        }
    }
}
