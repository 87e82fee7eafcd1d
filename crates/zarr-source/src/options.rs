//! What a caller may say about an array that is opened.

use geometry::{Decimal, LengthUnit};

use crate::levels::Level;
use crate::place::Convention;
use crate::store::StoreOptions;

/// What a caller knows better than the metadata of an array; nothing, by default.
///
/// Lists have an entry for each spatial axis, or for each axis of the array. Without a `unit`, all of them
/// count in the finest unit that the metadata names, which is the one that is shown.
///
/// ```
/// use zarr_source::OpenOptions;
///
/// let options = OpenOptions {
///     voxel_size: Some(vec!["2.62".parse()?, "2".parse()?, "2".parse()?]),
///     ..OpenOptions::default()
/// };
/// # Ok::<_, geometry::GeometryError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OpenOptions {
    /// The voxel size in the declared unit.
    pub voxel_size: Option<Vec<Decimal>>,
    /// The first corner of voxel 0 in the declared unit.
    pub offset: Option<Vec<Decimal>>,
    /// The names of the axes; `c` and names that end in `^` are channels.
    pub axes: Option<Vec<String>>,
    /// The unit in which voxel size and offset are meant.
    pub unit: Option<LengthUnit>,
    /// What the offset or translation in the metadata means, whatever its format says.
    pub translation: Option<Convention>,
    /// Which scale level of a group is meant; without, the first one. That of an array is checked.
    pub level: Option<Level>,
    /// Whether an array without geometry gets voxels of size 1 instead of an error.
    pub unit_voxels: bool,
    /// How a container behind a URL is reached.
    pub store: StoreOptions,
}
