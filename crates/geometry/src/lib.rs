//! Exact geometry of volumes: coordinates, regions, voxel grids and physical units.
//!
//! Numbers only: no arrays, files or threads. The rules below hold for every type.
//!
//! * Axes are ordered slowest first (z, y, x). There are 1 to [`MAX_DIMS`] of them.
//! * World units are `i64` ([`Coordinate`], [`Roi`]); array indices are `usize` ([`Window`]).
//!   [`VoxelGrid`] is the one place where the two meet.
//! * Intervals are half-open: `begin` is inside, `end` is not.
//! * Infinity belongs to a region, never to a number. A [`Roi`] may be unbounded along an axis;
//!   [`PartialCoordinate`] is what such a region answers when asked for its bounds.
//! * An empty region keeps its place. It is contained in every region, intersects none, and adds
//!   nothing to a union.
//! * Arithmetic is exact. Different dims, division by zero and results beyond 64 bits are errors;
//!   nothing wraps, saturates or passes through a float. The operators `+`, `-` and `*` panic
//!   instead and are meant for literals and tests.
//! * Real-world lengths are exact decimals ([`Decimal`]). A [`WorldUnit`] is the fraction of a
//!   declared unit in which they are integers.
//!
//! ```
//! use geometry::{Coordinate, Decimal, LengthUnit, Roi, VoxelGrid, VoxelSize, WorldUnit};
//!
//! // A crop with voxels of 2.62 x 2 x 2 nm whose corner lies at 13282.29, 400, 0 nm.
//! let voxel_size = [2.62, 2.0, 2.0].map(Decimal::from_f64).into_iter().collect::<Result<Vec<_>, _>>()?;
//! let corner = [13282.289999999999, 400.0, 0.0].map(Decimal::from_f64).into_iter().collect::<Result<Vec<_>, _>>()?;
//! let unit = WorldUnit::fit(LengthUnit::Nanometer, &[&voxel_size[..], &corner[..]].concat())?;
//! assert_eq!(unit.to_string(), "0.01 nm");
//!
//! let grid = VoxelGrid::new(unit.coordinate(&corner)?, VoxelSize::new(unit.coordinate(&voxel_size)?)?)?;
//! let roi = grid.array_roi(&[100, 200, 200])?;
//! assert_eq!(roi, Roi::new([1_328_229, 40_000, 0], [26_200, 40_000, 40_000])?);
//! assert_eq!(unit.format_roi(&roi), "[13282.29:13544.29, 400:800, 0:400] nm");
//! assert_eq!(grid.window(&roi)?.shape(), [100, 200, 200]);
//! # Ok::<_, geometry::GeometryError>(())
//! ```

#![warn(clippy::arithmetic_side_effects)]

mod integer;
mod per_axis;

mod error;
mod operand;

mod coordinate;
mod elementwise;
mod partial_coordinate;
mod voxel_size;

mod blocks;
mod interval;
mod roi;

mod grid;
mod window;

mod decimal;
mod unit;
mod world_unit;

pub use coordinate::Coordinate;
pub use decimal::Decimal;
pub use error::GeometryError;
pub use grid::VoxelGrid;
pub use operand::Operand;
pub use partial_coordinate::PartialCoordinate;
pub use per_axis::MAX_DIMS;
pub use roi::{Roi, RoiBlocks, Snap};
pub use unit::LengthUnit;
pub use voxel_size::VoxelSize;
pub use window::{Window, WindowBlocks};
pub use world_unit::WorldUnit;
