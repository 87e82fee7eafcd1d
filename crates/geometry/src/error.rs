//! The error type of this crate.

use crate::{Coordinate, Decimal, PartialCoordinate, Roi, VoxelSize, Window, WorldUnit};

/// Why a geometric operation has no answer.
///
/// The message names the values that did not fit together.
///
/// ```
/// use geometry::{Coordinate, GeometryError};
///
/// let error = Coordinate::from([8, 8]).checked_add(Coordinate::from([1, 2, 3])).unwrap_err();
/// assert!(error.is_dims_mismatch());
/// assert_eq!(error.to_string(), "2 dims do not fit to 3 dims");
/// ```
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum GeometryError {
    /// A value with no axes at all, or with more than [`MAX_DIMS`](crate::MAX_DIMS).
    #[error("{dims} dims, but only 1 to {} are supported", crate::MAX_DIMS)]
    NumDims {
        /// The number of axes that was asked for.
        dims: usize,
    },
    /// Two values with different numbers of axes.
    #[error("{left} dims do not fit to {right} dims")]
    DimsMismatch {
        /// The dims of the value that was asked.
        left: usize,
        /// The dims of the other value.
        right: usize,
    },
    /// An axis beyond the last one.
    #[error("there is no axis {axis} among {dims} dims")]
    NoSuchAxis {
        /// The axis that was asked for, counted from 0.
        axis: usize,
        /// The number of axes that there are.
        dims: usize,
    },
    /// A result that does not fit into its integer type.
    #[error("{expression} does not fit into 64 bits")]
    Overflow {
        /// What was computed, written with its values.
        expression: String,
    },
    /// A division or remainder by zero, or zero to a negative power.
    #[error("cannot divide {dividend} by zero")]
    DivisionByZero {
        /// The number that was to be divided.
        dividend: i64,
    },
    /// A bound or number was needed where there is none.
    #[error("axis {axis} is unbounded")]
    Unbounded {
        /// The first axis without a number.
        axis: usize,
    },
    /// A voxel or block size with an entry that is zero or negative.
    #[error("size {size} is not positive along every axis")]
    NotPositive {
        /// The size that was given.
        size: Box<Coordinate>,
    },
    /// A block shape with an entry that is zero, so that no number of blocks covers anything.
    #[error("blocks of {block_shape:?} voxels have no extent")]
    EmptyBlock {
        /// The block shape that was given.
        block_shape: Vec<usize>,
    },
    /// A region that would end before it begins.
    #[error("a region at {offset} cannot have the negative shape {shape}")]
    NegativeShape {
        /// Where the region would begin.
        offset: Box<PartialCoordinate>,
        /// Its extent.
        shape: Box<PartialCoordinate>,
    },
    /// A region with a size along an axis, but no place there.
    #[error("axis {axis} has the size {size} but no offset")]
    AxisWithoutPlace {
        /// The axis, counted from 0.
        axis: usize,
        /// The size along that axis.
        size: i64,
    },
    /// A region that does not lie on the voxel grid.
    #[error("{roi} is not aligned to voxels of {voxel_size} from the corner {offset}")]
    NotAligned {
        /// The region, in world units.
        roi: Box<Roi>,
        /// The voxel size, in world units.
        voxel_size: Box<VoxelSize>,
        /// The grid's own corner, in world units.
        offset: Box<Coordinate>,
    },
    /// A region that begins before the first voxel, so that it has no array indices.
    #[error("{roi} begins before the first voxel at {offset}")]
    OutOfGrid {
        /// The region, in world units.
        roi: Box<Roi>,
        /// The grid's own corner, in world units.
        offset: Box<Coordinate>,
    },
    /// A window that begins before the place it was to be counted from.
    #[error("{window} begins before {start:?}")]
    WindowBefore {
        /// The window, in array indices.
        window: Box<Window>,
        /// The place it was to be counted from.
        start: Vec<usize>,
    },
    /// Text that cannot be read.
    #[error("{text:?} is not {expected}")]
    Parse {
        /// The text that was given.
        text: String,
        /// What it was read as, with its form.
        expected: &'static str,
    },
    /// A float that is no decimal number a person would have written.
    #[error("{value} is not a short decimal number")]
    NotDecimal {
        /// The float.
        value: f64,
    },
    /// A length that is not a whole number of world units.
    #[error("{value} is not a multiple of the world unit {world_unit}")]
    NotExact {
        /// The length, in the unit it was given in.
        value: Decimal,
        /// The unit in which it was to be an integer.
        world_unit: WorldUnit,
    },
    /// Two units that have no known relation.
    #[error("cannot convert between {from} and {to}")]
    NoConversion {
        /// The unit of the given value.
        from: WorldUnit,
        /// The unit that was asked for.
        to: WorldUnit,
    },
}

impl GeometryError {
    /// Returns true if two values with different numbers of axes met.
    #[must_use]
    pub fn is_dims_mismatch(&self) -> bool {
        matches!(self, Self::DimsMismatch { .. })
    }

    /// Returns true if a number does not fit into 64 bits.
    #[must_use]
    pub fn is_overflow(&self) -> bool {
        matches!(self, Self::Overflow { .. })
    }

    /// Returns true if something was to be divided by zero.
    #[must_use]
    pub fn is_division_by_zero(&self) -> bool {
        matches!(self, Self::DivisionByZero { .. })
    }

    /// Returns true if a number was needed along an axis that has none.
    #[must_use]
    pub fn is_unbounded(&self) -> bool {
        matches!(self, Self::Unbounded { .. })
    }

    /// Returns true if a region does not lie on a voxel grid.
    #[must_use]
    pub fn is_not_aligned(&self) -> bool {
        matches!(self, Self::NotAligned { .. })
    }

    /// Returns true if a region or window begins before the place it is counted from.
    #[must_use]
    pub fn is_out_of_bounds(&self) -> bool {
        matches!(self, Self::OutOfGrid { .. } | Self::WindowBefore { .. })
    }

    /// Returns true if text could not be read.
    #[must_use]
    pub fn is_parse(&self) -> bool {
        matches!(self, Self::Parse { .. })
    }
}
