//! Volumes of voxels with a place in the world, read lazily by region.
//!
//! The crate defines what an array *is* ([`Array`], [`ArrayExt`], [`ArrayInfo`]) and how one is read
//! block by block ([`fold_blocks`]); it knows no file format and no annotation. Sources that keep
//! voxels ([`MemoryArray`], and Zarr arrays in their own crate) and wrappers that change what is read
//! ([`Crop`], [`ConstantArray`], [`ConcatArray`], [`SumArray`], [`LogicalOrArray`], [`ResampledArray`],
//! [`CachedArray`], and masks in their own crate) implement the same trait, so they stack freely.
//!
//! Rules that hold for every array:
//!
//! - Regions ([`geometry::Roi`]) are in world units and half-open; windows ([`geometry::Window`]) are
//!   in voxels of the array, `[0, 0, 0]` being its first voxel.
//! - Only spatial axes belong to a region. Channel axes come first, and a read returns all of them:
//!   its shape is `[..channels, ..roi.shape() / voxel_size]`.
//! - A read is strict: a region that is not aligned to the array's voxels or reaches beyond the
//!   array is an error. [`ArrayExt::read_padded`] fills what lies outside.
//! - Reading never writes.
//!
//! ```
//! use array_core::{ArrayExt, ArrayInfo, DType, MemoryArray};
//! use geometry::{Coordinate, Roi, VoxelGrid, VoxelSize};
//!
//! let grid = VoxelGrid::new(Coordinate::from([40, 0]), VoxelSize::new(Coordinate::from([8, 4]))?)?;
//! let info = ArrayInfo::new(DType::U8, &["y", "x"], &[2, 3], grid)?;
//! let labels = ndarray::array![[1_u8, 2, 3], [4, 5, 6]].into_dyn();
//! let array = MemoryArray::new(info, labels)?;
//!
//! let roi = Roi::new([48, 4], [8, 8])?;
//! assert_eq!(array.read_as::<u8>(&roi)?, ndarray::array![[5, 6]].into_dyn());
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

#![warn(clippy::arithmetic_side_effects)]

mod any_array;
mod array;
mod blocks;
mod cache;
mod cached;
mod computed;
mod concat;
mod constant;
mod crop;
mod dtype;
mod error;
mod hardware;
mod in_this_thread;
mod info;
mod interruptible;
mod logical_or;
mod many;
mod memory;
mod memory_limit;
pub mod neuroglancer;
mod resample;
mod rows;
mod scalar;
mod stored;
mod sum;
#[cfg(feature = "testing")]
pub mod testing;

pub use any_array::{AnyArray, AnyView, AnyViewMut};
pub use array::{Array, ArrayExt, Visitor, WritableArray};
pub use blocks::{Block, BlockGrid, Output, SplitSpatial, copy_blocks, fold_blocks, walk_blocks};
pub use cache::{BlockCache, CacheStats};
pub use cached::CachedArray;
pub use concat::ConcatArray;
pub use constant::ConstantArray;
pub use crop::Crop;
pub use dtype::{DType, Element};
pub use error::ArrayError;
pub use hardware::{Stores, set_rows, vectorized, write_rows};
pub use in_this_thread::in_this_thread;
pub use info::{ArrayInfo, is_channel_axis};
pub use interruptible::Interruptible;
pub use logical_or::LogicalOrArray;
pub use memory::MemoryArray;
pub use memory_limit::{check_memory, concurrent, memory_limit, set_memory_limit};
pub use resample::{Downsampling, ResampledArray};
pub use rows::{fill_rows, for_each_row, for_each_row_pair};
pub use scalar::Scalar;
pub use stored::{StoredFile, StoredVisitor};
pub use sum::SumArray;
