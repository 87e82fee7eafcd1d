//! How [Neuroglancer](https://github.com/google/neuroglancer) shows arrays in a browser.
//!
//! A [`Layer`] is an array with the address of its voxels; a [`state`] is everything that the viewer
//! shows: layers, axes with their units, the position and how large a voxel is; a [`link()`] opens it.
//!
//! An array with channels is expected to be served as an OME-NGFF image whose channel axis has the type
//! `channel`: Neuroglancer shows one channel at a time then, and each layer says which.
//!
//! ```
//! use array_core::neuroglancer::{HOSTED_CLIENT, Layer, LayerKind, link, state};
//! use array_core::{ArrayInfo, DType};
//! use geometry::{Coordinate, LengthUnit, VoxelGrid, VoxelSize, WorldUnit};
//!
//! let grid = VoxelGrid::new(
//!     Coordinate::from([800, 400, 0]),
//!     VoxelSize::new(Coordinate::from([8, 4, 4]))?,
//! )?;
//! let unit = WorldUnit::whole(LengthUnit::Nanometer);
//! let raw = ArrayInfo::new(DType::U8, &["z", "y", "x"], &[50, 100, 100], grid)?.with_unit(unit);
//! let mask = ArrayInfo::new(DType::U8, &["c", "z", "y", "x"], &[2, 50, 100, 100], grid)?
//!     .with_unit(unit)
//!     .with_channel_names(vec!["mito".to_owned(), "er".to_owned()])?;
//!
//! let mut layers = vec![Layer::new("raw", "zarr2://http://127.0.0.1:9000/raw", &raw, LayerKind::Image)];
//! layers.extend(Layer::masks("zarr2://http://127.0.0.1:9000/mask", &mask));
//! let state = state(&mask, &layers)?;
//!
//! assert_eq!(state["dimensions"]["x"], serde_json::json!([4e-9, "m"]));
//! assert_eq!(state["position"], serde_json::json!([50.5, 150.5, 125.5])); // in voxels: x, y, z
//! assert_eq!(state["layers"][2]["name"], "mask er");
//! assert!(link(HOSTED_CLIENT, &state).starts_with("https://neuroglancer-demo.appspot.com/#!%7B"));
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

mod check;
mod colour;
mod dimensions;
mod layer;
mod link;
mod shader;
mod view;

pub(crate) use check::check;
pub use layer::{Layer, LayerKind};
pub use link::{HOSTED_CLIENT, link};
pub use view::state;
