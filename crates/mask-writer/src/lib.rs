//! Writes masks and targets into a container, block by block.
//!
//! [`write()`] takes a [`GroundTruth`](annotation_mask::GroundTruth) and writes the image `mask`, and `target`
//! beside it if that is wanted, in one or several resolutions. Memory is a few blocks for each thread, whatever
//! the size of the volume.
//!
//! # What a run leaves
//!
//! A run works in the hidden folder `.<name>.partial` beside its output, which one process at a time may use,
//! and moves what it has made to its place as the last step: an output appears whole or not at all. Work is cut
//! into *units*, a shard, a chunk or a few of them in all channels. A journal in the folder has the *job* in its
//! first line, which is everything that the written bytes depend on, and a line for each unit whose files are
//! in place. A run that ends early, whatever ends it, leaves the folder if a unit is finished, and
//! [`Existing::Resume`] goes on from there; the result is byte for byte that of a run that was never disturbed.
//!
//! The labels may not change meanwhile. A run notes which versions of their files there are before it reads the
//! first, looks again when a unit is done, and so does [`Existing::Resume`]: what is written is made of one state
//! of the labels, or [`WriteError::LabelsChanged`] or [`WriteError::LabelsDiffer`] says which file is another one.
//!
//! That holds for processes that end. Nothing is flushed to the disk by force, so what was written last may be
//! lost when a machine stops.
//!
//! # Scale levels
//!
//! Each level has half the resolution of the one before along every spatial axis. Voxels at the end of an axis
//! that do not fill a larger voxel are left out, and all levels begin at the same corner. [`MaskLevels`] and
//! [`TargetLevels`] say how one voxel comes of several.
//!
//! ```
//! use std::sync::Arc;
//!
//! use annotation_mask::{Group, Groups, MaskAndTarget, MaskOptions};
//! use array_core::{ArrayExt, ArrayInfo, DType, MemoryArray};
//! use geometry::{Coordinate, VoxelGrid, VoxelSize};
//! use mask_writer::{WriteOptions, write};
//! use zarr_source::ZarrArray;
//!
//! let grid = VoxelGrid::new(Coordinate::from([0, 0]), VoxelSize::new(Coordinate::from([4, 4]))?)?;
//! let info = ArrayInfo::new(DType::U8, &["y", "x"], &[2, 4], grid)?;
//! let labels = ndarray::array![[0_u8, 3, 3, 3], [5, 3, 3, 3]].into_dyn();
//! let labels = Arc::new(MemoryArray::new(info, labels)?);
//! let groups = Groups::new(vec![Group::new("mito", [3]), Group::new("er", [5])])?;
//! let pair = MaskAndTarget::new(labels, &groups, &MaskOptions::default(), 0)?;
//!
//! let folder = tempfile::tempdir()?;
//! let options = WriteOptions { levels: 2, ..WriteOptions::default() };
//! let written = write(&pair, folder.path().join("masks.zarr"), &options, &())?;
//! assert_eq!(written.counts.positive, [6, 1]);
//!
//! let half = ZarrArray::open(written.path.join("mask/s1"))?;
//! let known = ndarray::array![[[0_u8, 1]], [[0, 1]]].into_dyn();
//! assert_eq!(half.data()?.into_typed::<u8>()?, known);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

mod cells;
mod error;
mod first_level;
mod images;
mod job;
mod journal;
mod labels;
mod later_levels;
mod observer;
mod options;
mod partial;
mod plan;
mod reduce;
mod start;
mod unit;
mod write;

pub use error::WriteError;
pub use observer::Observer;
pub use options::{Existing, MaskLevels, TargetLevels, WriteOptions};
pub use plan::decodes_once;
pub use write::{Written, write};
