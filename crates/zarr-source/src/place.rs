//! Where the voxels of an array lie, out of its metadata.

mod axes;
mod claim;
mod compare;
mod ome;
mod own_keys;
mod report;
mod resolve;
mod transform;
mod units;
mod values;

pub use report::{Convention, GeometryReport, GeometrySource};
pub(crate) use resolve::{Surroundings, resolve};
