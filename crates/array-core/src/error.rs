//! What can go wrong with an array.

use std::error::Error;

use geometry::{GeometryError, Roi, VoxelSize, Window};

use crate::dtype::DType;
use crate::memory_limit::Bytes;
use crate::scalar::Scalar;

/// The error of every operation on an array.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArrayError {
    /// A region reaches beyond the array.
    #[error("region {roi} is not inside the array's region {bounds} (voxel size {voxel_size})")]
    OutOfBounds {
        /// The region that was asked for, in world units.
        roi: Box<Roi>,
        /// The region of the array, in world units.
        bounds: Box<Roi>,
        /// The voxel size of the array, in world units.
        voxel_size: Box<VoxelSize>,
    },
    /// A region does not begin and end at voxel borders of the array.
    #[error(
        "region {roi} is not aligned to the array's voxels: the array is {bounds}, its voxel size \
         {voxel_size}"
    )]
    NotAligned {
        /// The region that was asked for, in world units.
        roi: Box<Roi>,
        /// The region of the array, in world units.
        bounds: Box<Roi>,
        /// The voxel size of the array, in world units.
        voxel_size: Box<VoxelSize>,
    },
    /// A region has another number of axes than the array has spatial axes.
    #[error("region {roi} has {} dims, the array's region {bounds} has {}", roi.dims(), bounds.dims())]
    DimsMismatch {
        /// The region that was asked for, in world units.
        roi: Box<Roi>,
        /// The region of the array, in world units.
        bounds: Box<Roi>,
    },
    /// A calculation with coordinates failed.
    #[error(transparent)]
    Geometry(#[from] GeometryError),
    /// The parts that describe an array do not fit together.
    #[error("the array's description does not fit: {reason}")]
    BadInfo {
        /// Which parts, and how they differ.
        reason: String,
    },
    /// No element type has this name.
    #[error("unknown element type {name:?}")]
    UnknownDType {
        /// The name.
        name: String,
    },
    /// The elements are of another type than asked for.
    #[error("expected elements of type {expected}, found {found}")]
    DTypeMismatch {
        /// The type that was asked for.
        expected: DType,
        /// The type that the array has.
        found: DType,
    },
    /// The data has another shape than the place it should go to.
    #[error("expected the shape {expected:?}, found {found:?}")]
    ShapeMismatch {
        /// The shape of the place.
        expected: Vec<usize>,
        /// The shape of the data.
        found: Vec<usize>,
    },
    /// The result of a read would not fit into memory.
    #[error(
        "an array of shape {shape:?} and type {dtype} does not fit into memory; read it in parts"
    )]
    TooLarge {
        /// The element type.
        dtype: DType,
        /// The shape that was asked for.
        shape: Vec<usize>,
    },
    /// Working through an array would not come to an end.
    #[error(
        "the array has {blocks} blocks of {block_shape:?} voxels, more than the {most} that are worked \
         through; name a part of it"
    )]
    TooManyBlocks {
        /// How many blocks it has.
        blocks: usize,
        /// The extent of a block along each spatial axis.
        block_shape: Vec<usize>,
        /// How many blocks it may have.
        most: u64,
    },
    /// Something would take more than the memory limit.
    #[error(
        "{what} takes {}, beyond the memory limit of {}; read less at once, or raise the limit",
        Bytes(*bytes),
        Bytes(Some(*limit))
    )]
    OverMemoryLimit {
        /// What it is.
        what: String,
        /// How much it takes; none if that is more than can be counted.
        bytes: Option<u64>,
        /// The limit, see [`crate::memory_limit()`].
        limit: u64,
    },
    /// The array cannot be written.
    #[error("{array} cannot be written: {reason}")]
    NotWritable {
        /// What kind of array it is.
        array: String,
        /// Why not.
        reason: String,
    },
    /// The array has no stored data of its own.
    #[error(
        "{array} has no data of its own: it computes its voxels from its source when they are read"
    )]
    Virtual {
        /// What kind of array it is.
        array: String,
    },
    /// Neuroglancer cannot show the array.
    #[error("Neuroglancer cannot show this array: {reason}")]
    NotShowable {
        /// Why not.
        reason: String,
    },
    /// The wrapper needs a source without channel axes.
    #[error(
        "the source has the channel axes {axes:?}; {wrapper} needs a source of spatial axes only"
    )]
    SourceHasChannels {
        /// The wrapper that was asked for.
        wrapper: &'static str,
        /// The names of the channel axes.
        axes: Vec<String>,
    },
    /// A wrapper of several sources was given none.
    #[error("{wrapper} needs at least one source")]
    NoSources {
        /// The wrapper that was asked for.
        wrapper: &'static str,
    },
    /// Two sources of one wrapper do not fit together.
    #[error("{wrapper}: source {index} has the {what} {found}, source 0 has {expected}")]
    SourcesDiffer {
        /// The wrapper that was asked for.
        wrapper: &'static str,
        /// The source that differs from the first, counted from 0.
        index: usize,
        /// What differs, such as `voxel size`.
        what: &'static str,
        /// That of the first source.
        expected: String,
        /// That of the source that differs.
        found: String,
    },
    /// A sum is beyond what its element type holds.
    #[error("the sum {left} + {right} is beyond {dtype} (in the window {window} of the sum)")]
    SumOverflow {
        /// The element type of the sum.
        dtype: DType,
        /// What was summed so far.
        left: Scalar,
        /// The next value.
        right: Scalar,
        /// The part of the array that was being computed, in voxels.
        window: Box<Window>,
    },
    /// An axis cannot be resampled by these factors.
    #[error("axis {axis} cannot be resampled: {reason}")]
    BadFactors {
        /// The name of the axis, or its index where factors have other dims.
        axis: String,
        /// The factors, and why they do not fit.
        reason: String,
    },
    /// No way of downsampling has this name.
    #[error("unknown downsampling {name:?}, expected nearest, mode or mean")]
    UnknownDownsampling {
        /// The name.
        name: String,
    },
    /// The region of a crop holds nothing of its source.
    #[error("the crop {roi} does not meet the source's region {bounds}")]
    EmptyCrop {
        /// The region of the crop, in world units.
        roi: Box<Roi>,
        /// The region of the source, in world units.
        bounds: Box<Roi>,
    },
    /// The storage behind a source failed; the cause says how.
    #[error("{context}")]
    Source {
        /// What was being done, and on which object.
        context: String,
        /// The error of the storage.
        source: Box<dyn Error + Send + Sync>,
    },
}

impl ArrayError {
    /// Wraps the error of a source, with a context that names the object.
    pub fn source(
        context: impl Into<String>,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self::Source { context: context.into(), source: source.into() }
    }

    /// Whether the caller asked for a region that the array does not have.
    #[must_use]
    pub const fn is_bad_region(&self) -> bool {
        matches!(
            self,
            Self::OutOfBounds { .. } | Self::NotAligned { .. } | Self::DimsMismatch { .. }
        )
    }
}

/// The error for a region that reaches beyond the array, with the facts to act on.
pub(crate) fn out_of_bounds(roi: &Roi, bounds: &Roi, voxel_size: VoxelSize) -> ArrayError {
    ArrayError::OutOfBounds {
        roi: Box::new(*roi),
        bounds: Box::new(*bounds),
        voxel_size: Box::new(voxel_size),
    }
}

/// The same for a region between voxel borders.
pub(crate) fn not_aligned(roi: &Roi, bounds: &Roi, voxel_size: VoxelSize) -> ArrayError {
    ArrayError::NotAligned {
        roi: Box::new(*roi),
        bounds: Box::new(*bounds),
        voxel_size: Box::new(voxel_size),
    }
}
