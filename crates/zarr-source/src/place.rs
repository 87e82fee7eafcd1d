//! Where the voxels of an array lie, out of its metadata.

mod axes;
mod claim;
mod compare;
mod dimension_units;
mod n5_group;
mod ome;
mod own_keys;
mod report;
mod resolve;
mod transform;
mod units;
mod values;

pub(crate) use n5_group::{FACTOR_KEYS, factors};
pub use report::{Convention, GeometryReport, GeometrySource};
pub(crate) use resolve::{Surroundings, resolve};
